"""Runs the ONNX backend suite through compiled code and compares with the manifest.

    python check_onnx.py [--dialect c|c99] [--device opencl] [--only TEXT] [--kinds node,simple] [--spread N]
                         [--clang] [--bless] [-j N]

tests/onnx/manifest.txt lists the cases that are not supported, with the reason. A case that is
listed and passes, or is not listed and does not pass, fails the check. A warning about the emitted
C is an error; --clang lets clang look at it as well. CODE_CFLAGS are more flags for it: with
sanitizers in them warnings are not errors. Prints TAP; the last line sums up.

With --device the cases run on a device of the OpenCL loader. PoCL, which is what tests have, compiles
kernels in the process that runs them: without threads (POCL_DEVICES=basic) the cases can inherit from
their parent what it has to read for that, and without our cache it is not asked for a binary, which
would be compiled once more. A second line says how many of the cases that the C target passes ran
wholly on the device: a case passes with a reason where a part of it ran on the CPU.

A line on stderr tells of each batch that is done. With --device the results of batches without a failure are
kept (OUT/done), under a name made of the driver and all that the batch was given: what was interrupted, or
failed, goes on from there. Removing the folder starts from the beginning.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import onnx

DATA = pathlib.Path(onnx.__file__).parent / 'backend/test/data'
KINDS = ['node', 'simple', 'pytorch-converted', 'pytorch-operator', 'real']
MANIFEST = pathlib.Path('tests/onnx/manifest.txt')
BATCH = 32
OCLGRIND = '/usr/lib/oclgrind/liboclgrind-rt.so'
WARNINGS = '-Wall -Wextra -Wpedantic -Wconversion'  # what is emitted has none


def light_case(folder):
    """A network: its model and only output lie elsewhere, its weights and inputs are made up."""
    about = json.loads((folder / 'data.json').read_text())
    model = DATA.parents[3] / about['url']
    return model, model.with_name(f'{model.stem}_output_0.pb'), about['rtol'], about['atol']


def cases_of(kind):
    for folder in sorted((DATA / kind).iterdir()):
        if kind == 'real':
            model, data, rtol, atol = light_case(folder)
        else:
            about = folder / 'data.json'
            about = json.loads(about.read_text()) if about.exists() else {}
            model, data = folder / 'model.onnx', folder
            rtol, atol = about.get('rtol', 1e-3), about.get('atol', 1e-7)
        name = f'{kind}/{folder.name}'
        yield name, f'{name}\t{model}\t{data}\t{rtol}\t{atol}\n'


def read_manifest():
    if not MANIFEST.exists():
        return {}
    lines = MANIFEST.read_text().splitlines()
    return dict(line.split('\t', 1) for line in lines if line and not line.startswith('#'))


def write_manifest(results):
    head = ('# Cases of the ONNX backend suite that are not supported, and why.\n'
            '# Rewritten by: make check-onnx BLESS=1\n')
    listed = sorted(f'{name}\t{why}\n' for name, (word, why) in results.items() if word == 'SKIP')
    MANIFEST.write_text(head + ''.join(listed))


def ask_clang(folder, results):
    """A case that clang warns about has failed."""
    for kernels in sorted(folder.glob('*.cl')):
        words = ['clang-14', '-x', 'cl', '-cl-std=CL1.2', '-Xclang', '-fdeclare-opencl-builtins']
        done = subprocess.run(words + ['-fsyntax-only', '-Wall', kernels], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        for name in results:
            if done.stdout and re.sub(r'\W', '_', name) == kernels.stem and results[name][0] == 'PASS':
                results[name] = ('FAIL', f'clang: {done.stdout.splitlines()[0]}')
    sources = sorted(f.name for f in folder.glob('*.c'))
    words = (folder / 'build.sh').read_text().split()
    flags = [w for w in words if w.startswith(('-std', '-m', '-f'))]
    done = subprocess.run(['clang-14', *flags, *WARNINGS.split(), '-fsyntax-only', *sources], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    names = {re.sub(r'\W', '_', name) + '.c': name for name in results}
    for line in done.stdout.splitlines():
        name = names.get(line.split(':')[0])
        if name and results[name][0] == 'PASS':
            results[name] = ('FAIL', f'clang: {line}')
    if done.returncode:
        results.setdefault('clang', ('FAIL', done.stdout[:500]))


# What oclgrind's command would set, but for the preloading, which the runtime's own loading passes by.
# Kernels are not optimised: LLVM is free to compute what depends on undefined lanes and to throw it away
# (and its 'freeze' is unknown to oclgrind).
OCLGRIND_ENV = {'SINTER_OPENCL': OCLGRIND, 'OCLGRIND_DATA_RACES': '1', 'OCLGRIND_CHECK_API': '1',
                'OCLGRIND_UNINITIALIZED': '1', 'OCLGRIND_NUM_THREADS': '1', 'OCLGRIND_BUILD_OPTIONS': '-cl-opt-disable'}


# Elements that share a byte: it is read before its other half is written, and oclgrind knows bytes only.
NO_OCLGRIND = re.compile(r'u?int[24](_|$)|float4e2m1', re.ASCII | re.IGNORECASE)


def ask_oclgrind(number, text, results):
    """Whatever it has said is an error of the batch; it names the kernel."""
    if text.strip():
        results[f'oclgrind, batch {number}'] = ('FAIL', ' | '.join(text.split('\n')[:8]))


def batch_command(args, folder):
    """The driver's command and environment."""
    more = os.environ.get('CODE_CFLAGS') or '-Werror'
    command = [args.suite, '--out', str(folder), '--dialect', args.dialect, '--cc', f'{args.cc} {WARNINGS} {more}']
    env = {}
    if args.device:
        command += ['--device', args.device]
        env = {'SINTER_CACHE': 'off', 'POCL_CACHE_DIR': str(folder.resolve() / 'pocl'),
               'POCL_DEVICES': os.environ.get('POCL_DEVICES', 'basic')}
    if args.oclgrind:
        command += ['--alone', '--whole-writes', '--seconds', '1500']  # a simulated device: 1,000 times slower
        env.update(OCLGRIND_ENV)
    return command + args.extra, env


def run_batch(number, lines, args):
    folder = pathlib.Path(args.out) / f'{args.dialect}{number}'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / 'pocl').mkdir()
    command, env = batch_command(args, folder)
    done = subprocess.run(command, input=''.join(lines), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE if args.oclgrind else None,
                          env={**os.environ, **env}, check=False)
    results = {}
    for line in done.stdout.splitlines():
        word, name, why = line.split('\t', 2)
        results[name] = (word, why)
    for line in lines:
        results.setdefault(line.split('\t', 1)[0],
                           ('FAIL', f'the driver ended with {done.returncode}'))
    if args.oclgrind:
        ask_oclgrind(number, done.stderr, results)
    if args.clang and (folder / 'build.sh').exists():
        ask_clang(folder, results)
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def batches(cases):
    """Networks stand alone and first: they take longest."""
    yield from ([line] for name, line in cases if name.startswith('real/'))
    rest = [line for name, line in cases if not name.startswith('real/')]
    yield from (rest[i:i + BATCH] for i in range(0, len(rest), BATCH))


class Kept:
    """Results of batches of earlier runs on a device; nothing is kept of other runs, which are quick."""

    def __init__(self, args):
        self.folder = pathlib.Path(args.out) / 'done'
        self.is_on = bool(args.device)
        self.start = hashlib.sha256(pathlib.Path(__file__).read_bytes())
        if self.is_on:
            self.start.update(pathlib.Path(args.suite).read_bytes())
            command, env = batch_command(args, pathlib.Path('.'))
            self.start.update(repr([command[1:], env, args.clang, onnx.__version__]).encode())
            self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, lines):
        name = self.start.copy()
        name.update(''.join(lines).encode())
        return self.folder / name.hexdigest()

    def get(self, lines):
        path = self.path(lines)
        return {n: tuple(r) for n, r in json.loads(path.read_text()).items()} if path.exists() else None

    def put(self, lines, results):
        if self.is_on and not any(word == 'FAIL' for word, _ in results.values()):
            part = self.path(lines).with_suffix('.part')
            part.write_text(json.dumps(results))
            part.rename(self.path(lines))


def run_kept(number, lines, args, kept):
    """Results, seconds; None for seconds where they are an earlier run's."""
    start, results = time.time(), kept.get(lines) if kept.is_on else None
    if results is not None:
        return results, None
    results = run_batch(number, lines, args)
    kept.put(lines, results)
    return results, time.time() - start


def progress(done, count, results, seconds):
    """One line for a batch; a single case is told by its name."""
    failed = [name for name, (word, _) in results.items() if word == 'FAIL']
    what = next(iter(results)) if len(results) == 1 else f'{len(results)} cases'
    took = 'kept' if seconds is None else f'{seconds:.0f} s'
    print(f'batch {done} of {count}: {what}, {took}, {len(failed)} failed', *failed, file=sys.stderr, flush=True)


def run_all(cases, args):
    results, kept = {}, Kept(args)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(run_kept, i, lines, args, kept) for i, lines in enumerate(batches(cases))]
        for i, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            mine, seconds = job.result()
            results.update(mine)
            progress(i, len(jobs), mine, seconds)
    return results


def problem(name, result, listed):
    word, why = result
    if word == 'PASS':
        return 'passes, but the manifest lists it' if name in listed else None
    if name not in listed:
        return why
    if word == 'FAIL':
        return f'fails, the manifest says it is not supported: {why}'
    return None if listed[name] == why else f'not for the reason the manifest gives: {why}'


def report(results, listed):
    """TAP; how many differ from the manifest."""
    bad = 0
    print(f'1..{len(results)}')
    for number, (name, result) in enumerate(sorted(results.items()), 1):
        what = problem(name, result, listed)
        skip = ' # SKIP ' + listed[name] if name in listed and not what else ''
        print(f"{'not ok' if what else 'ok'} {number} - {name}{skip}")
        if what:
            bad += 1
            print(f'# {what}')
    return bad


def report_device(results, listed):
    """How many of the cases that the C target passes ran wholly on the device; the others by reason."""
    mine = {name: result for name, result in results.items() if name not in listed}
    whole = sum(result == ('PASS', '') for result in mine.values())
    print(f'on the device: {whole} of {len(mine)} that the C target passes, {100 * whole / max(len(mine), 1):.1f} %')
    reasons = collections.Counter(why for word, why in mine.values() if (word, why) != ('PASS', ''))
    for why, n in reasons.most_common():
        print(f'# {n}: {why}')


def spread(cases, n):
    """N of the cases, evenly over their order."""
    return cases[::max(len(cases) // n, 1)][:n] if n else cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--suite', default=os.environ.get('B', 'build') + '/tests/onnx/suite')
    parser.add_argument('--out', default=os.environ.get('B', 'build') + '/onnx')
    parser.add_argument('--dialect', default=os.environ.get('DIALECT') or 'c')
    parser.add_argument('--device', default=os.environ.get('DEVICE') or '', help='run there: opencl, opencl:1')
    parser.add_argument('--oclgrind', action='store_true', help='on its device, which checks memory and races')
    parser.add_argument('--spread', type=int, default=0, help='so many of the cases, from everywhere')
    parser.add_argument('--cc', default=os.environ.get('CC') or 'gcc')
    parser.add_argument('--clang', action='store_true', default=bool(os.environ.get('CLANG')))
    parser.add_argument('--only', default='', help='cases with this in their name')
    parser.add_argument('--kinds', default=','.join(KINDS))
    parser.add_argument('--bless', action='store_true', default=bool(os.environ.get('BLESS')))
    parser.add_argument('--keep', action='store_true', help='leave the generated files')
    parser.add_argument('-j', '--jobs', type=int, default=os.cpu_count())
    parser.add_argument('extra', nargs='*', help='for the driver, behind --')
    args = parser.parse_args()
    if args.oclgrind:
        args.device = 'opencl:0'
        if not os.path.exists(OCLGRIND):
            print('1..0 # SKIP oclgrind is not there (make deps)')
            return 0
    if args.device:
        args.dialect = args.device.split(':')[0]
    listed = read_manifest()
    cases = [c for k in args.kinds.split(',') for c in cases_of(k) if args.only in c[0]]
    if args.oclgrind:
        cases = [c for c in cases if not NO_OCLGRIND.search(c[0])]
    if args.spread:
        cases = spread([c for c in cases if c[0] not in listed], args.spread)
    results = run_all(cases, args)
    is_all = not (args.only or args.spread or args.device) and args.kinds == ','.join(KINDS)
    if args.bless and is_all:
        write_manifest(results)
        listed = read_manifest()
    bad = report(results, listed)
    count = [sum(word == w for word, _ in results.values()) for w in ('PASS', 'FAIL', 'SKIP')]
    print('onnx suite: {} passed, {} failed, {} not supported, of {}'.format(*count, len(results)))
    if args.device:
        report_device(results, listed)
    return 1 if bad or count[1] else 0


sys.exit(main())
