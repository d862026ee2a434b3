"""Devices and the cache of programs from outside: a package with a program, written by hand in
tests/unit/device_fixture.c, and what is said where there is no such device."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = os.getcwd()
SINTER = os.path.abspath(os.path.join(os.environ.get('B', 'build'), 'sinter'))
CC = os.environ.get('CC', 'cc')
TESTS = []
W = np.array([1, -2, 0.5, 4], np.float32)


class Failed(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failed(text)


def sinter(*args, code=0, **env):
    done = subprocess.run([SINTER, *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=120, env={**os.environ, **env}, check=False)
    expect(done.returncode == code, f'sinter {" ".join(map(str, args))}: exit code {done.returncode}, not {code}\n'
           f'{done.stdout}{done.stderr}')
    return done.stdout, done.stderr


def test(f):
    TESTS.append((f, False))
    return f


def test_on_opencl(f):
    TESTS.append((f, True))
    return f


def package():
    """libturned.so: y = the rows of x * W, turned, + 1."""
    subprocess.run([CC, '-std=gnu11', '-shared', '-fPIC', '-Ddevice_model=turned_model', f'-I{ROOT}',
                    '-o', 'libturned.so', f'{ROOT}/tests/unit/device_fixture.c'], check=True)
    return './libturned.so'


def feeds(n=50):
    x = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
    np.save('x.npy', x)
    return x, ((x * W).ravel()[::-1] + 1).reshape(n, 4)


def for_the_cpu():
    pathlib.Path('m.sn').write_text('graph m (f32[4] x) => (f32[4] y)\n{\n\ty = Relu (x)\n}\n')
    sinter('compile', 'm.sn', '-o', 'cpu', '--cc', CC)
    return 'cpu'


@test
def devices_are_listed():
    out, _ = sinter('devices')
    expect(out.startswith('cpu  ') and 'GB/s' in out, out)
    listed = json.loads(sinter('devices', '--json')[0])
    expect(listed[0]['name'] == 'cpu' and listed[0]['copy_gbs'] > 0, listed)


@test
def without_opencl_the_cpu_is_left():
    none = {'SINTER_OPENCL': '/nowhere/libOpenCL.so'}
    out, err = sinter('devices', **none)
    expect('opencl' not in out and '/nowhere/libOpenCL.so' in err, out + err)
    expect(len(json.loads(sinter('devices', '--json', **none)[0])) == 1, 'not one device')
    for args in [('bench', package()), ('run', package(), '-o', 'out', '--random', 1),
                 ('verify', package(), '--data', '.')]:
        _, err = sinter(*args, '--device', 'opencl:0', code=1, **none)
        expect('no OpenCL' in err, err)
    sinter('bench', for_the_cpu(), '--seconds', 0, '--device', 'cpu', **none)


def driver_that_fails(code):
    """A library whose OpenCL functions all return CODE."""
    pathlib.Path('driver.c').write_text(f'#define F(name) int name(void); int name(void) {{ return {code}; }}\n'
                                        '#include "runtime/opencl.def"\n')
    subprocess.run([CC, '-shared', '-fPIC', f'-I{ROOT}', '-o', f'driver{code}.so', 'driver.c'], check=True)
    return {'SINTER_OPENCL': os.path.abspath(f'driver{code}.so')}


@test
def a_driver_that_fails_is_told():
    broken = driver_that_fails(-6)
    for args in ((), ('--json',)):
        out, err = sinter('devices', *args, **broken)
        expect('cpu' in out and 'opencl' not in out, out)
        expect("can't list OpenCL devices: out of host memory (OpenCL error -6)" in err, err)
    _, err = sinter('bench', package(), '--device', 'opencl:0', code=1, **broken)
    expect("can't open opencl:0: out of host memory (OpenCL error -6)" in err, err)


@test
def a_loader_without_a_platform_is_no_fault():
    os.mkdir('vendors')
    vendors = {'OCL_ICD_VENDORS': os.path.abspath('vendors') + '/'}
    has_loader = 'no OpenCL:' not in sinter('devices', **vendors)[1]
    for none in [driver_that_fails(-1001)] + [vendors] * has_loader:
        out, err = sinter('devices', **none)
        expect('cpu' in out and 'opencl' not in out and not err, out + err)
        _, err = sinter('bench', package(), '--device', 'opencl:0', code=1, **none)
        expect("no 'opencl:0': OpenCL has 0 devices here" in err, err)


@test
def what_does_not_fit_is_refused():
    _, err = sinter('bench', package(), '--device', 'gpu', code=1)
    expect("no device 'gpu'" in err, err)
    _, err = sinter('bench', package(), '--dim', 'N=3', code=1)
    expect('open one, such as opencl:0' in err, err)


@test
def the_cache_can_be_listed_and_cleared():
    folder = {'SINTER_CACHE_DIR': os.path.abspath('cache')}
    expect('0 programs' in sinter('cache', '--list', **folder)[0], 'a program')
    expect('removed 0.0 MB' in sinter('cache', '--clear', **folder)[0], 'something removed')
    expect('the cache is off' in sinter('cache', '--list', SINTER_CACHE='off')[0], 'not off')
    for args in [(), ('--list', '--clear')]:
        expect('needs --list or --clear' in sinter('cache', *args, code=2)[1], args)
    pathlib.Path('file').write_text('')
    expect('file' in sinter('cache', '--list', code=1, SINTER_CACHE_DIR=os.path.abspath('file'))[1], 'a file is no folder')


@test_on_opencl
def a_package_runs_on_its_device():
    x, want = feeds()
    for i in range(2):
        sinter('run', package(), '--device', 'opencl:0', '--input', 'x=x.npy', '-o', 'out', '--profile', 'trace.json')
        np.testing.assert_array_equal(np.load('out/y.npy'), want)
    events = [e for e in json.load(open('trace.json'))['traceEvents'] if e['ph'] == 'X']
    expect([e['name'] for e in events] == ['k00_scale', 'k01_turn'], events)
    expect(all(e['dur'] > 0 for e in events) and events[0]['ts'] + events[0]['dur'] <= events[1]['ts'] + 1, events)
    listing = json.loads(sinter('cache', '--list', '--json')[0])
    expect(len(listing['entries']) == 1 and listing['entries'][0]['label'].startswith('turned on '), listing)
    out, _ = sinter('cache', '--list')
    expect('1 program,' in out and 'turned on ' in out, out)
    expect(json.loads(sinter('cache', '--clear', '--json')[0])['bytes'] == listing['bytes'], 'bytes')


@test_on_opencl
def bench_and_verify_take_a_device():
    found = json.loads(sinter('bench', package(), '--device', 'opencl', '--dim', 'N=100', '--seconds', 0, '--json')[0])
    expect(found['runs'] >= 3 and found['arena_bytes'] == 64 + 1600, found)
    os.mkdir('data')
    x, want = feeds()
    np.save('data/input_0.npy', x)
    np.save('data/output_0.npy', want)
    expect('ok' in sinter('verify', package(), '--device', 'opencl:0', '--data', 'data')[0], 'not ok')
    np.save('data/output_0.npy', want + 1)
    expect('MISMATCH' in sinter('verify', package(), '--device', 'opencl:0', '--data', 'data', code=1)[0], 'no mismatch')


@test_on_opencl
def an_index_out_of_range_is_reported():
    for n in ('5', 'N'):
        pathlib.Path('g.sn').write_text(f'graph g (i64[{n}] at, f32[10,8] w) => (f32[{n},8] y)\n'
                                        '{\n\tr = Gather (w, at)\n\ty = Relu (r)\n}\n')
        w = np.arange(80, dtype=np.float32).reshape(10, 8)
        np.save('w.npy', w)
        for last, code in ((9, 0), (10, 1), (-1, 0), (-11, 1)):
            at = np.array([0, 1, 2, 3, last], np.int64)
            np.save('at.npy', at)
            err = sinter('run', 'g.sn', '--device', 'opencl:0', '--quiet', '--input', 'at=at.npy', '--input', 'w=w.npy',
                         '--output', '.', code=code)[1]
            expect(('out of range' in err) == bool(code), f'{n}, {last}: {err}')
            expect(code or (np.load('y.npy') == w[at]).all(), f'{n}, {last}: other outputs')


MIXED = """graph mixed (f32[N,64] x, i64[3] at, f32[64,64] v) => (f32[N,64] y, f64[3,64] z)
	<f32[64,64] w = hash 0x0123456789abcdef, f64[64] b = hash 0x123456789abcdef0>
{
	a = MatMul (x, w)
	d = Cast <to = 11> (a)
	e = Softmax <axis = -1> (d)
	s = Add (e, b)
	z = Gather (s, at)
	f = Cast <to = 1> (s)
	y = MatMul (f, v)
}
"""
NO_F64 = f'{ROOT}/tests/targets/no_f64.xml'


@test
def info_says_what_runs_where():
    pathlib.Path('mixed.sn').write_text(MIXED)
    found = json.loads(sinter('info', 'mixed.sn', '--device', NO_F64, '--json')[0])
    expect(found['device'] == 'no-f64' and found['on_device'] == 2, found)
    why = [text for _, text in found['kernels'] if text.startswith('host, it computes with f64, which the device lacks')]
    expect(len(why) == found['on_host'] > 0, found)
    expect(found['transfers'] == sum(text.startswith('transfer of') for _, text in found['kernels']) == 4, found)
    out, _ = sinter('info', 'mixed.sn', '--device', 'opencl')
    expect('host, ' not in out and 'device, group_tile' in out, out)
    expect('device' not in sinter('info', 'mixed.sn')[0], 'asked of no device')


@test_on_opencl
def what_a_device_lacks_runs_on_the_host():
    pathlib.Path('mixed.sn').write_text(MIXED)
    rng = np.random.default_rng(1)
    np.save('v.npy', rng.standard_normal((64, 64)).astype(np.float32))
    for dim in ([], ['--dim', 'N=4']):
        sinter('compile', 'mixed.sn', '-o', 'there', '--device', NO_F64, '--cc', f'{CC} -Wall -Wextra -Werror', *dim)
        sinter('compile', 'mixed.sn', '-o', 'here', '--cc', CC, *dim)
        text = pathlib.Path('there/mixed.cl').read_text()
        expect('double' not in text and 'double' in pathlib.Path('there/mixed.c').read_text(), 'where is f64?')
        places = [k['place'] for k in json.load(open('there/model.json'))['kernels']]
        expect(places.count('device') == 2 and places.count('transfer') == 4, places)
        for at, code in (([0, 3, 1], 0), ([0, 4, 1], 1)):
            np.save('at.npy', np.array(at, np.int64))
            np.save('x.npy', rng.standard_normal((4, 64)).astype(np.float32))
            feed = [f'--input={n}={n}.npy' for n in ('x', 'at', 'v')]
            sinter('run', 'here', *feed, '-o', 'want', code=code)
            err = sinter('run', 'there', *feed, '-o', 'got', '--device', 'opencl:0', '--profile', 'trace.json', code=code)[1]
            expect(('out of range' in err) == bool(code), err)
            for n in 'yz':
                np.testing.assert_allclose(np.load(f'got/{n}.npy'), np.load(f'want/{n}.npy'), rtol=1e-5, atol=1e-6)
            names = {e['name'] for e in json.load(open('trace.json'))['traceEvents'] if e['ph'] == 'X'}
            expect(code or len(names) == len(places), f'{names} of {places}')


@test_on_opencl
def a_package_for_the_cpu_is_refused():
    _, err = sinter('bench', for_the_cpu(), '--device', 'opencl:0', code=1)
    expect('compiled for the CPU' in err, err)
    _, err = sinter('bench', package(), '--device', 'opencl:99', code=1)
    expect("no 'opencl:99'" in err, err)


def run(f):
    """Each test in an empty folder of its own, with TMPDIR and the cache in it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir('tmp')
        os.environ['TMPDIR'] = os.path.join(folder, 'tmp')
        os.environ['SINTER_CACHE_DIR'] = os.path.join(folder, 'programs')
        try:
            f()
            return None
        except (Failed, AssertionError, OSError, ValueError, KeyError, IndexError,
                subprocess.SubprocessError) as error:
            return f'{type(error).__name__}: {error}'
        finally:
            os.chdir(ROOT)


def main():
    os.environ.pop('SINTER_OPENCL', None)
    os.environ.pop('SINTER_CACHE', None)
    has_opencl = any(d['name'] == 'opencl:0' for d in json.loads(sinter('devices', '--json')[0]))
    only = [t for t in TESTS if len(sys.argv) < 2 or sys.argv[1] in t[0].__name__]
    failed = False
    print(f'1..{len(only)}')
    for number, (t, needs_opencl) in enumerate(only, 1):
        name = t.__name__.replace('_', ' ')
        if needs_opencl and not has_opencl:
            print(f'ok {number} - {name} # SKIP no OpenCL device')
            continue
        fault = run(t)
        print(f'{"not ok" if fault else "ok"} {number} - {name}')
        for line in (fault or '').splitlines():
            print(f'# {line}')
        failed |= fault is not None
    return failed


sys.exit(main())
