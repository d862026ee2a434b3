"""Emitted C is clean and always the same: over all networks and targets, one and several threads.

    python check_clean.py [--all] [NAME ...]

For each: gcc and clang take the C with -Wall -Wextra -Wpedantic -Wconversion -Werror, clang takes kernels, and a second
compilation, in another folder and another environment, gives the same files to the byte. (That
compiled networks call nothing but what docs/abi.md allows is seen by check_models.py, which makes
the objects.) Networks with more than 50 MB of weights are compiled twice, and with
threads at all, only with --all. Prints TAP.
"""
import argparse
import concurrent.futures
import hashlib
import os
import shlex
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import check_models  # noqa: E402
import zoo  # noqa: E402

BUILD = os.path.abspath(os.environ.get('B', 'build'))
WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror', '-fsyntax-only']
COMPILERS = ['gcc', 'clang-14']
VARIANTS = [(), ('--threads',)]
TARGETS = ['c', 'c99', 'opencl']
KERNELS = ['clang-14', '-x', 'cl', '-cl-std=CL1.2', '-Xclang', '-fdeclare-opencl-builtins', '-Wall', '-Werror', '-fsyntax-only']
LARGE = 50e6
SMALL = 1e5  # networks whose weights are written as C, too, and whose objects are compared

# The second time nothing is as it was the first time, and fresh memory is not 0.
OTHER = {'LC_ALL': 'C', 'LANG': 'tr_TR.UTF-8', 'TZ': 'Asia/Kathmandu', 'HOME': '/nowhere', 'COLUMNS': '40',
         'MALLOC_PERTURB_': '165', 'PADDING': 'x' * 5000}


class Wrong(Exception):
    pass


def run(words, **kw):
    p = subprocess.run(words, capture_output=True, text=True, timeout=800, **kw)
    if p.returncode:
        raise Wrong(f'{" ".join(words)}\n{p.stdout}{p.stderr}'[:3000])


def compile_model(path, folder, options, **kw):
    shutil.rmtree(folder, ignore_errors=True)
    run([os.path.join(BUILD, 'sinter'), 'compile', path, '-o', folder, '--quiet', *options], **kw)


def digests(folder):
    out = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), 'rb') as f:
            out[name] = hashlib.file_digest(f, 'sha1').hexdigest()
    return out


def flags_of(folder):
    """What build.sh gives the C compiler, without names of files, libraries and the compiler."""
    with open(os.path.join(folder, 'build.sh')) as f:
        words = shlex.split(f.read().split(' exec ', 1)[1])
    return [w for w in words[1:] if w.startswith('-') and not w.startswith(('-l', '-o', '-shared', '-Wno'))]


def check_warnings(folder):
    sources = [f for f in sorted(os.listdir(folder)) if f.endswith('.c')]
    for cc in COMPILERS:
        run([cc, *flags_of(folder), *WARNINGS, *sources], cwd=folder)
    for kernels in sorted(f for f in os.listdir(folder) if f.endswith('.cl')):
        run([*KERNELS, kernels], cwd=folder)


def check_same(path, first, options):
    second = os.path.join(BUILD, 'clean', 'again', *first.split(os.sep)[-1:])
    compile_model(path, second, options, cwd='/', env={'PATH': os.environ['PATH'], **OTHER})
    a, b = digests(first), digests(second)
    shutil.rmtree(second)
    differ = [n for n in sorted({*a, *b}) if a.get(n) != b.get(n)]
    if differ:
        raise Wrong(f'compiled again differ: {", ".join(differ)}')


def check(name, path, target, extra, args):
    """What is wrong, or None."""
    folder = os.path.join(BUILD, 'clean', '-'.join([name, target, *(e.strip('-') for e in extra)]))
    size = os.path.getsize(path)
    options = ['--target', target, *extra]
    if size > SMALL:
        options += ['--no-cc']
    if size < SMALL:
        options += ['--weights', 'array']
    try:
        compile_model(path, folder, options)
        check_warnings(folder)
        if size < LARGE or args.all:
            check_same(path, folder, options)
    except (Wrong, OSError, subprocess.SubprocessError) as error:
        return str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None


def networks(names):
    """Paths by name; None for what can't be had."""
    missing = check_models.missing_packages()
    out = {'digits': os.path.abspath('examples/digits/digits.onnx')}
    for name in [*check_models.OCR, *zoo.ZOO]:
        is_there = not (missing and name in check_models.OCR)
        if not names or name in names:
            out[name] = os.path.abspath(check_models.model_path(name)) if is_there else None
    return {n: p for n, p in out.items() if not names or n in names}, missing


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--all', action='store_true')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('names', nargs='*')
    args = p.parse_args()
    paths, missing = networks(args.names)
    plan = [(n, t, v) for n, path in paths.items() for t in TARGETS for v in VARIANTS
            if not v or t != 'opencl' and (args.all or path and os.path.getsize(path) < LARGE)]
    failed = False
    print(f'1..{len(plan)}')
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda x: paths[x[0]] and check(x[0], paths[x[0]], *x[1:], args), plan)
        for (name, target, extra), wrong in zip(plan, results):
            what = ' '.join([name, target, *extra])
            print(f'{"not ok" if wrong else "ok"} - {what}{"" if paths[name] else " # SKIP " + missing}', flush=True)
            for line in (wrong or '').splitlines():
                print(f'# {line}')
            failed |= bool(wrong)
    return failed


if __name__ == '__main__':
    sys.exit(main())
