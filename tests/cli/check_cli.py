"""The sinter command from outside: options, files, exit codes, what is left behind."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

SINTER = os.path.abspath(os.path.join(os.environ.get('B', 'build'), 'sinter'))
CC = os.environ.get('CC', 'cc')
TESTS = []


def test(f):
    TESTS.append(f)
    return f


class Failed(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failed(text)


def sinter(*args, code=0, **kw):
    """Runs the command in the test's folder; returns (stdout, stderr)."""
    r = subprocess.run([SINTER, *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                       timeout=120, **kw)
    expect(r.returncode == code, f'sinter {" ".join(map(str, args))}: exit code {r.returncode}, not {code}\n'
           f'{r.stdout}{r.stderr}')
    return r.stdout, r.stderr


def save(name, nodes, inputs, outputs, inits=()):
    g = h.make_graph(nodes, 'g', [h.make_tensor_value_info(*i) for i in inputs],
                     [h.make_tensor_value_info(*o) for o in outputs], list(inits))
    model = h.make_model(g, opset_imports=[h.make_opsetid('', 17)])
    model.ir_version = 8
    onnx.save(model, name)


W = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)


def two_outputs(name='m.onnx', rows=4):
    """y/sum = relu(x w) + 1, ids + 1; with a name that is no file name."""
    save(name, [h.make_node('MatMul', ['x', 'w'], ['p']), h.make_node('Relu', ['p'], ['q']),
                h.make_node('Add', ['q', 'one'], ['y/sum']), h.make_node('Add', ['ids', 'two'], ['next'])],
         [('x', T.FLOAT, [rows, 6]), ('ids', T.INT64, [3])], [('y/sum', T.FLOAT, [rows, 5]), ('next', T.INT64, [3])],
         [nh.from_array(W, 'w'), nh.from_array(np.float32(1), 'one'), nh.from_array(np.int64(2), 'two')])


def feeds(rows=4):
    x = np.random.default_rng(1).standard_normal((rows, 6)).astype(np.float32)
    return x, np.array([1, -5, 1 << 60], np.int64)


def expected(x, ids):
    return np.maximum(x.astype(np.float64) @ W, 0).astype(np.float32) + 1, ids + 2


def results(folder):
    listing = json.load(open(f'{folder}/outputs.json'))
    out = [np.load(f'{folder}/{o["file"]}') for o in listing]
    for o, a in zip(listing, out):
        expect(list(a.shape) == o['shape'] and a.dtype.name == o['dtype'], f'{o} describes {a.dtype}{a.shape}')
    return [o['name'] for o in listing], out


def save_feeds():
    x, ids = feeds()
    np.save('x.npy', x)
    open('ids.pb', 'wb').write(nh.from_array(ids, 'ids').SerializeToString())
    return x, ids


def check_results(folder, x, ids):
    names, out = results(folder)
    expect(names == ['y/sum', 'next'], f'outputs {names}')
    for have, want in zip(out, expected(x, ids)):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)


def leftovers(folder):
    return [str(p) for p in pathlib.Path(folder).rglob('*') if p.name.endswith('.tmp')]


# ---- usage ----

@test
def usage_errors_exit_with_2_and_name_the_fault():
    for args, word in [((), 'usage'), (('fly',), "'fly'"), (('run', '--colour', 'm'), 'colour'), (('run',), 'needs'),
                       (('compile', 'm.onnx'), 'needs'), (('verify', 'm.onnx'), 'needs'), (('bench',), 'needs'),
                       (('bench', 'm.onnx', '--seconds', 'soon'), "'soon'"), (('dot',), 'needs'),
                       (('dot', 'm.onnx', '--format', 'bmp'), '--format'), (('info',), 'needs'),
                       (('run', 'm', '-o', 'd', '--random', '1.5'), 'whole number')]:
        out, err = sinter(*args, code=2)
        expect(word in out + err, f'{args}: {out}{err}')


@test
def help_lists_commands_and_their_options():
    out, _ = sinter('--help')
    commands = [line.split()[0] for line in out.splitlines() if line.startswith('  ')]
    for c in ['compile', 'run', 'verify', 'bench', 'dot', 'info', 'ops']:
        expect(c in commands, f'{c} is not in {commands}')
        text, _ = sinter(c, '--help')
        expect(f'usage: sinter {c}' in text and '--help' in text, text)
    for option in ['--shape', '--dim', '--cpu', '--input', '--random', '--threads', '--profile']:
        expect(option in sinter('run', '--help')[0], f'run has no {option}')


@test
def bad_models_exit_with_1():
    pathlib.Path('m.onnx').write_text('<html>')
    for args in [('run', 'm.onnx', '-o', 'out'), ('info', 'm.onnx'), ('bench', 'm.onnx'), ('dot', 'm.onnx'),
                 ('compile', 'm.onnx', '-o', 'out'), ('verify', 'm.onnx', '--data', '.')]:
        _, err = sinter(*args, code=1)
        expect('not an ONNX model' in err, f'{args}: {err}')
        expect('nowhere.onnx' in sinter(args[0], 'nowhere.onnx', *args[2:], code=1)[1], f'{args}: missing file')
    expect(sorted(os.listdir()) == ['m.onnx', 'tmp'], f'left behind: {os.listdir()}')


# ---- compile ----

@test
def a_package_is_complete():
    two_outputs()
    sinter('compile', 'm.onnx', '-o', 'a/b', '--cc', CC)
    have = sorted(os.listdir('a/b'))
    expect(have == ['build.sh', 'libm.so', 'm.c', 'm.h', 'm.weights', 'model.json'], f'{have}')
    so = open('a/b/libm.so', 'rb').read()
    os.unlink('a/b/libm.so')
    subprocess.run(['sh', 'a/b/build.sh'], check=True)
    expect(open('a/b/libm.so', 'rb').read() == so, 'build.sh makes another object')


@test
def a_failing_compiler_leaves_no_object():
    two_outputs()
    _, err = sinter('compile', 'm.onnx', '-o', 'd', '--cc', 'false', code=1)
    expect('C compiler failed' in err, err)
    expect(not os.path.exists('d/libm.so') and not leftovers('d'), f'{os.listdir("d")}')
    expect('not found' in sinter('compile', 'm.onnx', '-o', 'd', '--cc', 'no-such-cc', code=1)[1], 'missing compiler')


def slow_compiler():
    pathlib.Path('slowcc').write_text('#!/bin/sh\ntouch "$(dirname "$0")/started"\nsleep 30\n')
    os.chmod('slowcc', 0o755)
    return os.path.abspath('slowcc')


@test
def an_interrupt_leaves_nothing_half():
    two_outputs()
    for args in [('compile', 'm.onnx', '-o', 'd'), ('bench', 'm.onnx')]:
        if os.path.exists('started'):
            os.unlink('started')
        p = subprocess.Popen([SINTER, *args, '--cc', slow_compiler()], stderr=subprocess.DEVNULL,
                             start_new_session=True)
        end = time.monotonic() + 20
        while not os.path.exists('started') and time.monotonic() < end:
            time.sleep(0.01)
        os.killpg(p.pid, signal.SIGINT)
        expect(p.wait(20) == -signal.SIGINT, f'{args}: ended with {p.returncode}')
        expect(not leftovers('.') and not os.listdir('tmp'), f'{args}: {leftovers(".")} {os.listdir("tmp")}')


# ---- run ----

@test
def run_reads_npy_and_pb_and_writes_npy():
    two_outputs()
    x, ids = save_feeds()
    sinter('run', 'm.onnx', '--input', 'x=x.npy', '--input', 'ids=ids.pb', '--output', 'out', '--cc', CC)
    check_results('out', x, ids)
    expect(sorted(os.listdir('out')) == ['next.npy', 'outputs.json', 'y_sum.npy'], f'{os.listdir("out")}')
    expect(not os.listdir('tmp'), 'the temporary package is still there')


@test
def run_takes_a_package_and_threads():
    two_outputs()
    x, ids = save_feeds()
    for extra in [(), ('--threads',), ('--target', 'c99'), ('--weights', 'array')]:
        shutil.rmtree('d', ignore_errors=True)
        sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC, *extra)
        for target in ['d', 'd/libm.so']:
            sinter('run', target, '--input', 'x=x.npy', '--input', 'ids=ids.pb', '-o', 'out', '--threads', 3)
            check_results('out', x, ids)


@test
def run_understands_forms_of_npy():
    two_outputs()
    x, ids = save_feeds()
    np.save('ids.npy', ids)
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    for save_x in [lambda: np.save('x.npy', np.asfortranarray(x)),
                   lambda: np.lib.format.write_array(open('x.npy', 'wb'), x, version=(2, 0)),
                   lambda: np.lib.format.write_array(open('x.npy', 'wb'), x, version=(3, 0))]:
        save_x()
        sinter('run', 'd', '--input', 'x=x.npy', '--input', 'ids=ids.npy', '-o', 'out')
        check_results('out', x, ids)


@test
def run_refuses_unsuitable_inputs():
    two_outputs()
    x, ids = save_feeds()
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    np.save('f64.npy', x.astype(np.float64))
    np.save('wide.npy', np.zeros((4, 7), np.float32))
    np.save('flat.npy', np.zeros(24, np.float32))
    np.save('big.npy', x.astype('>f4'))
    open('cut.npy', 'wb').write(open('x.npy', 'rb').read()[:150])
    open('text.npy', 'wb').write(b'hello')
    for name, shape in [('lie', '(1099511627776, 6)'), ('over', '(4611686018427387904, 64)')]:
        open(f'{name}.npy', 'wb').write(open('x.npy', 'rb').read().replace(b'(4, 6), }' + b' ' * len(shape),
                                                                          f'{shape}, }}'.encode() + b' ' * 6))
    for word, text in [('x=f64.npy', 'f64'), ('x=wide.npy', 'dimension 1 is 7'), ('x=flat.npy', '1 dimensions'),
                       ('x=big.npy', 'big-endian'), ('x=cut.npy', 'cut off'),
                       ('x=lie.npy', 'cut off'), ('x=over.npy', 'cut off'), ('x=text.npy', 'not a NumPy'),
                       ('x=none.npy', 'none.npy'), ('z=x.npy', "'z'"), ('x', 'NAME=FILE')]:
        _, err = sinter('run', 'd', '--input', word, '--input', 'ids=ids.pb', '-o', 'out', code=1)
        expect(text in err, f'{word}: {err}')
    expect("'ids'" in sinter('run', 'd', '--input', 'x=x.npy', '-o', 'out', code=1)[1], 'missing input')
    expect(not os.path.exists('out'), 'an output folder was made')


@test
def random_inputs_repeat():
    two_outputs()
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    outs = []
    for seed in [7, 7, 8]:
        sinter('run', 'd', '--random', seed, '-o', 'out')
        outs.append(results('out')[1])
    expect(np.array_equal(outs[0][0], outs[1][0]), 'the same seed gives other inputs')
    expect(not np.array_equal(outs[0][0], outs[2][0]), 'another seed gives the same inputs')


@test
def open_dimensions_are_fixed_by_dim_shape_or_file():
    two_outputs(rows='N')
    _, err = sinter('run', 'm.onnx', '--random', 1, '-o', 'out', '--cc', CC, code=1)
    expect("'N'" in err and '--dim' in err, err)
    for args, rows in [(('--dim', 'N=3'), 3), (('--shape', 'x=5x6'), 5)]:
        sinter('run', 'm.onnx', '--random', 1, '-o', 'out', '--cc', CC, *args)
        expect(results('out')[1][0].shape == (rows, 5), f'{args}')
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    for args, rows in [(('--dim', 'N=3'), 3), (('--shape', 'x=5x6'), 5)]:
        sinter('run', 'd', '--random', 1, '-o', 'out', *args)
        expect(results('out')[1][0].shape == (rows, 5), f'{args} on a package')


def skip_connection(name='skip.onnx'):
    """An hourglass: the sizes must be even for the sum, and those of both inputs agree."""
    save(name, [h.make_node('MaxPool', ['x'], ['p'], kernel_shape=[2, 2], strides=[2, 2], name='down'),
                h.make_node('Resize', ['p', '', 's'], ['u'], mode='nearest', name='up'),
                h.make_node('Add', ['u', 'x'], ['r'], name='skip'), h.make_node('Mul', ['r', 'scale'], ['y'], name='scaled'),
                h.make_node('Add', ['y', 'z'], ['q'], name='both')],
         [('x', T.FLOAT, ['N', 1, 'H', 'W']), ('scale', T.FLOAT, ['K']), ('z', T.FLOAT, ['N', 1, 'H', 'W'])],
         [('q', T.FLOAT, ['N', 1, 'H', 'W'])], [nh.from_array(np.array([1, 1, 2, 2], np.float32), 's')])


@test
def sizes_that_do_not_fit_are_named():
    skip_connection()
    sinter('compile', 'skip.onnx', '-o', 'skip')
    requires = json.load(open('skip/model.json'))['requires']
    expect(any("Add 'skip'" in r for r in requires), f'model.json: {requires}')

    def run(x, scale, z, *texts, code=1):
        for name, shape in (('x', x), ('scale', scale), ('z', z)):
            np.save(f'{name}.npy', np.ones(shape, np.float32))
        err = sinter('run', 'skip', '--output', 'out', *[w for n in ('x', 'scale', 'z') for w in ('--input', f'{n}={n}.npy')],
                     code=code)[1]
        for text in texts:
            expect(text in err, f'{text!r} is not in: {err}')

    run((2, 1, 8, 6), (6,), (2, 1, 8, 6), code=0)
    run((2, 1, 8, 6), (1,), (2, 1, 8, 6), code=0)
    run((2, 1, 8, 5), (5,), (2, 1, 8, 5), 'the model requires', "Add 'skip'", "'x' 2x1x8x5")
    run((2, 1, 1, 6), (6,), (2, 1, 1, 6), 'the model requires 1 <= ', "MaxPool 'down'")
    run((2, 1, 8, 6), (5,), (2, 1, 8, 6), 'the model requires', "Mul 'scaled'", "'scale' 5")
    run((2, 1, 8, 6), (6,), (2, 1, 8, 4), "'z' must be f32[N,1,H,W]", "'z' 2x1x8x4")
    run((2, 1, 8, 6), (6,), (1, 1, 8, 6), "'z' must be f32[N,1,H,W]")
    run((0, 1, 8, 6), (6,), (0, 1, 8, 6), "dimension 0 of 'x' ('N') must be 1 to")
    run((2, 1, 8, 6), (0,), (2, 1, 8, 6), "dimension 0 of 'scale' ('K') must be 1 to")
    run((2, 3, 8, 6), (6,), (2, 1, 8, 6), "input 'x': dimension 1 is 3, the model fixes 1")
    run((2, 8, 6), (6,), (2, 1, 8, 6), "input 'x': has 3 dimensions, the model wants 4")


@test
def indices_out_of_range_are_reported():
    save('pick.onnx', [h.make_node('Gather', ['x', 'i'], ['y'], name='pick')],
         [('x', T.FLOAT, [4, 3]), ('i', T.INT64, ['N'])], [('y', T.FLOAT, ['N', 3])])
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save('x.npy', x)
    sinter('compile', 'pick.onnx', '-o', 'pick', '--threads')
    for at, good in (([0, 3, -4, -1], True), ([0, 4], False), ([-5, 0], False), ([1 << 62], False)):
        np.save('i.npy', np.array(at))
        err = sinter('run', 'pick', '--threads', 2, '-o', 'picked', '--input', 'x=x.npy', '--input', 'i=i.npy',
                     code=0 if good else 1)[1]
        expect(good or 'an index in the data is out of range' in err, err)
        if good:
            expect(np.array_equal(results('picked')[1][0], x[at]), 'wrong rows')


@test
def inputs_that_do_not_fit_are_named():
    two_outputs('open.onnx', 'N')
    save_feeds()
    bad = np.load('x.npy')
    np.save('ids.npy', feeds()[1])
    np.save('double.npy', bad.astype(np.float64))
    np.save('scalar.npy', np.float32(1))
    np.save('none.npy', bad[:0])
    np.save('big.npy', bad.astype('>f4'))
    np.save('text.npy', np.array(['a', 'b']))
    open('x.txt', 'w').write('1 2 3')
    for args, texts in (
            (['x=double.npy'], ["input 'x'", 'f64', 'the model wants f32']),
            (['x=ids.npy'], ["input 'x'", 'i64', 'the model wants f32']),
            (['x=scalar.npy'], ["input 'x'", 'has 0 dimensions, the model wants 2']),
            (['x=none.npy'], ["dimension 0 of 'x' ('N') must be 1 to"]),
            (['x=big.npy'], ['big.npy', 'big-endian']),
            (['x=text.npy'], ['text.npy', 'not supported']),
            (['x=x.txt'], ["input 'x'", 'x.txt', 'not a NumPy file']),
            (['x=nowhere.npy'], ["input 'x'", "can't open 'nowhere.npy'"]),
            (['x=x.npy', 'y=x.npy'], ["input 'y'", 'no input of that name']),
            (['x=x.npy', 'x=x.npy'], ["input 'x'", 'is given twice']),
            (['x'], ["input 'x'", '--input NAME=FILE']),
            ([], ["input 'x'", 'has no value'])):
        given = [w for a in [*args, 'ids=ids.npy'] for w in ('--input', a)]
        err = sinter('run', 'open.onnx', '--output', 'out', *given, code=1)[1]
        for text in texts:
            expect(text in err, f'{args}: {text!r} is not in: {err}')
    err = sinter('run', 'open.onnx', '--output', 'out', '--input', 'x=x.npy', code=1)[1]
    expect("input 'ids': has no value" in err, err)


@test
def a_profile_is_a_chrome_trace():
    two_outputs()
    sinter('run', 'm.onnx', '--random', 1, '-o', 'out', '--profile', 'trace.json', '--cc', CC)
    events = [e for e in json.load(open('trace.json'))['traceEvents'] if e['ph'] == 'X']
    expect(events and all({'name', 'ts', 'dur', 'pid', 'tid'} <= set(e) for e in events), f'{events}')
    expect('MatMul' in ' '.join(e['args']['nodes'] for e in events), f'{events}')


# ---- packages that are wrong ----

@test
def damaged_packages_are_refused():
    two_outputs()
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    good = open('d/m.weights', 'rb').read()

    def refused(text):
        for c in [('run', 'd', '--random', 1, '-o', 'out'), ('bench', 'd')]:
            _, err = sinter(*c, code=1)
            expect(text in err, f'{c}: {err}')

    def weights(data):
        open('d/m.weights', 'wb').write(data)

    weights(good[:-1])
    refused('bytes')
    weights(good[:200] + bytes([good[200] ^ 1]) + good[201:])
    refused('weights')
    global W
    W, old = W + 1, W
    two_outputs('other.onnx')
    W = old
    sinter('compile', 'other.onnx', '-o', 'e', '--name', 'm', '--cc', CC)
    weights(open('e/m.weights', 'rb').read())
    refused('weights')
    os.unlink('d/m.weights')
    refused('m.weights')
    weights(good)
    open('d/libm.so', 'wb').write(b'not an object')
    refused('libm.so')
    os.unlink('d/libm.so')
    refused('no compiled model')
    pathlib.Path('x.c').write_text('int libm_model_is_missing;\n')
    subprocess.run([CC, '-shared', '-fPIC', '-o', 'd/libm.so', 'x.c'], check=True)
    refused('not a compiled model')


# ---- verify ----

def data_folder(folder, y, kind='pb'):
    os.makedirs(folder)
    x, ids = feeds()
    values = {'input_0': x, 'input_1': ids, 'output_0': y, 'output_1': ids + 2}
    names = {'input_0': 'x', 'input_1': 'ids', 'output_0': 'y_sum', 'output_1': 'next'}
    for k, a in values.items():
        if kind == 'pb':
            open(f'{folder}/{k}.pb', 'wb').write(nh.from_array(a).SerializeToString())
        else:
            np.save(f'{folder}/{names[k]}.npy', a)


@test
def verify_compares_data_folders():
    two_outputs()
    y, _ = expected(*feeds())
    data_folder('onnx/test_data_set_0', y)
    data_folder('onnx/test_data_set_1', y)
    data_folder('named', y, 'npy')
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    out, _ = sinter('verify', 'd', '--data', 'onnx')
    expect(out.count('ok') == 4 and 'max abs' in out and 'ulp' in out, out)
    sinter('verify', 'd', '--data', 'onnx/test_data_set_1')
    sinter('verify', 'd', '--data', 'named')
    listing = json.loads(sinter('verify', 'd', '--data', 'named', '--json')[0])
    expect([o['output'] for o in listing] == ['y/sum', 'next'], f'{listing}')
    expect('output' in sinter('verify', 'd', '--data', 'tmp', code=1)[1], 'an empty folder is verified')


@test
def verify_exits_with_1_on_a_mismatch():
    two_outputs()
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    y, _ = expected(*feeds())
    wrong, nan = y.copy(), y.copy()
    wrong[2, 3] *= 1.01
    nan[1, 1] = np.nan
    for name, a in [('wrong', wrong), ('nan', nan), ('shape', y[:3]), ('type', y.astype(np.float64))]:
        data_folder(name, a)
        out, _ = sinter('verify', 'd', '--data', name, code=1)
        expect('MISMATCH' in out, out)
    expect('[2, 3]' in sinter('verify', 'd', '--data', 'wrong', code=1)[0], 'the element is not named')
    sinter('verify', 'd', '--data', 'wrong', '--rtol', '0.1')


@test
def verify_compares_each_kernel():
    for rows in [4, 'N']:
        shutil.rmtree('data', ignore_errors=True)
        two_outputs(rows=rows)
        data_folder('data', expected(*feeds())[0])
        out, _ = sinter('verify', 'm.onnx', '--data', 'data', '--per-kernel', '--cc', CC)
        expect('agree with the interpreter' in out and not out.startswith('0'), out)
    # A compiler that changes a number of the code.
    cc = pathlib.Path('badcc')
    cc.write_text(f'#!/bin/sh\nsed -i "s/0x1p+0f/0x1p+1f/g; s/1\\.0f/2.0f/g" m.c\nexec {CC} "$@"\n')
    cc.chmod(0o755)
    save('m.onnx', [h.make_node('Abs', ['x'], ['a']), h.make_node('MatMul', ['a', 'w'], ['p']),
                    h.make_node('Add', ['p', 'one'], ['y/sum']), h.make_node('Add', ['ids', 'two'], ['next'])],
         [('x', T.FLOAT, [4, 6]), ('ids', T.INT64, [3])], [('y/sum', T.FLOAT, [4, 5]), ('next', T.INT64, [3])],
         [nh.from_array(W, 'w'), nh.from_array(np.float32(1), 'one'), nh.from_array(np.int64(2), 'two')])
    out, _ = sinter('verify', 'm.onnx', '--data', 'data', '--per-kernel', '--cc', cc.resolve(), code=1)
    expect('departs' in out and 'Add' in out, out)
    # What lies in a slice of a concat is looked at when it is stored, not when the whole is there.
    save('m.onnx', [h.make_node('MatMul', ['x', 'w'], ['p']), h.make_node('Add', ['p', 'one'], ['a']),
                    h.make_node('Tanh', ['a'], ['t']), h.make_node('Concat', ['a', 't'], ['c'], axis=0),
                    h.make_node('Neg', ['c'], ['y/sum']), h.make_node('Add', ['ids', 'two'], ['next'])],
         [('x', T.FLOAT, [4, 6]), ('ids', T.INT64, [3])], [('y/sum', T.FLOAT, [8, 5]), ('next', T.INT64, [3])],
         [nh.from_array(W, 'w'), nh.from_array(np.float32(1), 'one'), nh.from_array(np.int64(2), 'two')])
    data_folder('slices', np.zeros((8, 5), np.float32))
    out, _ = sinter('verify', 'm.onnx', '--data', 'slices', '--per-kernel', '--cc', cc.resolve(), code=1)
    expect("Add" in out and "Tanh" not in out and "'c'" in out, out)


# ---- bench, info, dot ----

@test
def bench_prints_json():
    two_outputs()
    fields = ['median_ns', 'min_ns', 'runs', 'load_ns', 'emit_ns', 'compile_ns', 'arena_bytes', 'weights_bytes',
              'kernels']
    r = json.loads(sinter('bench', 'm.onnx', '--seconds', '0.05', '--json', '--threads', 2, '--cc', CC)[0])
    expect(all(isinstance(r[f], int) for f in fields), f'{r}')
    expect(0 < r['min_ns'] <= r['median_ns'] and r['runs'] >= 3 and r['emit_ns'] < r['compile_ns'], f'{r}')
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    r = json.loads(sinter('bench', 'd', '--seconds', '0', '--json')[0])
    expect(r['emit_ns'] is None and r['compile_ns'] is None and r['runs'] == 3, f'{r}')
    expect('median' in sinter('bench', 'd', '--seconds', '0')[0], 'no text')


@test
def any_list_of_passes_is_answered():
    out, _ = sinter('compile', '--passes=help')
    listing, default = out.split('By default:')
    names, usual = [line.split()[0] for line in listing.splitlines() if line], default.strip().split(',')
    expect(set(usual) == set(names) and usual[-1] == 'plan-memory', default)
    two_outputs()
    rng = np.random.default_rng(5)
    for _ in range(30):
        chosen = rng.permutation(len(usual))[:rng.integers(1, len(usual))]
        passes = [usual[i] for i in (chosen if rng.random() < 0.3 else sorted(chosen))]
        target = [['--target', 'c99'], ['--target', 'opencl'], []][rng.integers(3)]
        args = ['compile', 'm.onnx', '-o', 'd', '--no-cc', '--quiet', '--passes', ','.join(passes), *target]
        r = subprocess.run([SINTER, *args], capture_output=True, text=True, timeout=60, check=False)
        expect(r.returncode in (0, 1) and ('error[' in r.stderr) == bool(r.returncode), f'{args}: {r.returncode} {r.stderr}')
    _, err = sinter('compile', 'm.onnx', '-o', 'd', '--passes', 'infer-shapes', code=1)
    expect('no code to write' in err, err)
    _, err = sinter('compile', 'm.onnx', '-o', 'd', '--passes', 'lower-graph', code=1)
    expect("'p' has no shape yet" in err and 'infer-shapes' in err, err)
    _, err = sinter('compile', 'm.onnx', '-o', 'd', '--passes', 'fuse-map', code=1)
    expect('works on the tensor level' in err, err)


@test
def info_tells_of_models_and_packages():
    two_outputs(rows='N')
    sinter('compile', 'm.onnx', '-o', 'd', '--cc', CC)
    for what in ['m.onnx', 'd']:
        out, _ = sinter('info', what)
        expect('f32[N,6]' in out and 'y/sum' in out, out)
        r = json.loads(sinter('info', what, '--json')[0])
        expect(r['inputs'] == [['x', 'f32[N,6]'], ['ids', 'i64[3]']], f'{r}')
    expect('f32[2,6]' in sinter('info', 'm.onnx', '--dim', 'N=2')[0], '--dim does nothing')
    expect('f32[0,6]' in sinter('info', 'm.onnx', '--dim', 'N=0')[0], '--dim N=0 does nothing')


@test
def dot_draws_every_level():
    two_outputs()
    passes = [None, 'infer-shapes', 'lower-graph', 'plan-memory']
    for p in passes:
        args = ['dot', 'm.onnx', '--format', 'dot'] + (['--after', p] if p else [])
        out, _ = sinter(*args)
        expect(out.startswith('digraph') and 'f32[4,5]' in out, out)
        expect(out == sinter(*args)[0], f'{p}: two pictures differ')
        if p in passes[2:]:
            expect('subgraph cluster_' in out, f'{p}: no kernels')
    for name, start in [('a.svg', b'<?xml'), ('a.png', b'\x89PNG'), ('a.pdf', b'%PDF'), ('a.dot', b'digraph')]:
        sinter('dot', 'm.onnx', '-o', name)
        expect(open(name, 'rb').read().startswith(start), f'{name} is none')
    sinter('dot', 'm.onnx')
    expect(os.path.exists('m.svg'), 'no m.svg')
    for form, text in [('', 'program'), (':text', 'program'), (':dot', 'digraph'), (':svg', '<svg')]:
        out, _ = sinter('compile', 'm.onnx', '-o', 'd', '--no-cc', '--dump-after', f'lower-graph{form}')
        expect(text in out, f'--dump-after lower-graph{form}: {out}')
    expect(not os.listdir('tmp'), 'a temporary folder is left')


@test
def dot_breaks_long_edges():
    nodes = [h.make_node('Relu' if i % 2 else 'Neg', [f'v{i}'], [f'v{i + 1}']) for i in range(12)]
    save('long.onnx', nodes + [h.make_node('Add', ['v12', 'v1'], ['y'])], [('v0', T.FLOAT, [3])],
         [('y', T.FLOAT, [3])])
    out, _ = sinter('dot', 'long.onnx', '--format', 'dot')
    expect(out.count('plaintext') == 2 and out.count('label="v1"') == 2, out)


@test
def dot_keeps_the_text_when_layout_takes_too_long():
    rng = np.random.default_rng(0)
    nodes = [h.make_node('Sum', [f'v{j}' for j in sorted(set(rng.integers(max(0, i - 60), i + 1, 8)))], [f'v{i + 1}'])
             for i in range(2500)]
    save('big.onnx', nodes, [('v0', T.FLOAT, [3])], [('v2500', T.FLOAT, [3])])
    start = time.monotonic()
    _, err = sinter('dot', 'big.onnx', '-o', 'big.svg', '--timeout', 1, code=1)
    expect(time.monotonic() - start < 20, 'the limit was not kept')
    expect('too long' in err and 'big.svg.dot' in err and '--timeout' in err, err)
    expect(open('big.svg.dot').read().startswith('digraph') and not os.path.exists('big.svg'), f'{os.listdir()}')
    expect(not leftovers('.'), f'{leftovers(".")}')


def run(f):
    """Each test in an empty folder of its own, with TMPDIR in it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir('tmp')
        os.environ['TMPDIR'] = os.path.join(folder, 'tmp')
        try:
            f()
            return None
        except (Failed, AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            return f'{type(error).__name__}: {error}'
        finally:
            os.chdir('/')


def main():
    only = [t for t in TESTS if len(sys.argv) < 2 or sys.argv[1] in t.__name__]
    failed = False
    print(f'1..{len(only)}')
    for number, t in enumerate(only, 1):
        fault = run(t)
        print(f'{"not ok" if fault else "ok"} {number} - {t.__name__.replace("_", " ")}')
        for line in (fault or '').splitlines():
            print(f'# {line}')
        failed |= fault is not None
    return failed


sys.exit(main())
