"""The command and the runtime under valgrind's memcheck, on small shapes.

    python check_valgrind.py [--all]

Compiles and runs small networks with --cpu x86-64-v3 (memcheck knows no AVX-512), in both targets,
on one thread and on several; and runs the runtime's unit tests. With --all: more networks, and all
unit tests but those that run code for this machine. Errors are bad accesses, decisions on values
that were never set, and lost memory. Prints TAP.
"""
import argparse
import concurrent.futures
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import zoo  # noqa: E402

BUILD = os.path.abspath(os.environ.get('B', 'build'))
# Threads that still wait at exit are no leak: their memory is only "possibly lost".
VALGRIND = ['valgrind', '-q', '--error-exitcode=99', '--leak-check=full', '--show-leak-kinds=definite',
            '--errors-for-leak-kinds=definite']
SHORT = ['small_cnn']
MORE = ['tcn', 'shufflenet_v2', 'resnext', 'unet', 'mlp', 'tiny_encoder', 'gpt', 'convnext']
DIMS = {'digits': ['N=2'], 'tcn': ['seq=7'], 'gpt': ['seq=7', 'batch=2']}
UNITS = ['pool', 'runtime']


def network(name, path, target):
    """Compiled without memcheck's slowness in the C compiler: it follows no other programs."""
    more = ['--threads', '3'] if target == 'c' else []
    more += [word for d in DIMS.get(name, []) for word in ('--dim', d)]
    with tempfile.TemporaryDirectory() as out:
        return run([*VALGRIND, os.path.join(BUILD, 'sinter'), 'run', path, '--cpu', 'x86-64-v3', '--target', target,
                    '--random', '1', '-o', out, '--quiet', *more])


def unit(path):
    return run([*VALGRIND, path])


def run(words):
    p = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=800, check=False)
    return None if p.returncode == 0 else f'exit status {p.returncode}\n{p.stdout}'


def runs_native_code(name):
    with open(f'tests/unit/test_{name}.c') as f:
        text = f.read()
    return 'run_loops.h' in text or 'march=native' in text


def jobs(is_all):
    paths = {'digits': os.path.abspath('examples/digits/digits.onnx')}
    for name in SHORT + (MORE if is_all else []):
        paths[name] = os.path.abspath(zoo.write(name, 'build/zoo'))
    for name, path in paths.items():
        for target in ('c', 'c99'):
            yield f'{name} {target}', network, (name, path, target)
    units = [os.path.basename(f)[5:-2] for f in sorted(glob.glob('tests/unit/test_*.c'))] if is_all else UNITS
    for name in units:
        if not runs_native_code(name):
            yield f'unit test {name}', unit, (os.path.join(BUILD, 'tests/unit/test_' + name),)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--all', action='store_true')
    p.add_argument('--jobs', type=int, default=2)
    args = p.parse_args()
    plan = list(jobs(args.all))
    failed = False
    print(f'1..{len(plan)}')
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for (what, _, _), fault in zip(plan, pool.map(lambda j: j[1](*j[2]), plan)):
            print(f'{"not ok" if fault else "ok"} - {what}', flush=True)
            for line in (fault or '').splitlines():
                print(f'# {line}')
            failed |= bool(fault)
    return failed


sys.exit(main())
