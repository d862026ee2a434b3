"""Compiles networks and compares them with ONNX Runtime.

    python check_models.py [--sinter CMD] [--out DIR] [--target c|c99] [NAME ...]

The largest error of an output may be 1e-4 of its largest magnitude. Prints a
TAP line per network.
"""
import argparse
import os
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort

import abi
import zoo

TOLERANCE = 1e-4


def reference(path, feeds):
    o = ort.SessionOptions()
    o.intra_op_num_threads = 2
    o.log_severity_level = 3
    s = ort.InferenceSession(path, o, providers=['CPUExecutionProvider'])
    return dict(zip([v.name for v in s.get_outputs()], s.run(None, feeds)))


def compare(want, got):
    """The worst error of an output relative to the output's largest magnitude."""
    worst = 0.0
    for name, w in want.items():
        g = got[name]
        if g.shape != w.shape or g.dtype != w.dtype:
            raise ValueError(f"'{name}' is {g.dtype}{list(g.shape)}, should be {w.dtype}{list(w.shape)}")
        if not np.isfinite(g).all():
            raise ValueError(f"'{name}' has NaN or infinity")
        worst = max(worst, float(np.abs(w.astype(np.float64) - g).max() / max(np.abs(w).max(), 1e-30)))
    return worst


def sizes_of(name):
    is_dynamic = name in ('minilm_dynamic', 'gpt', 'tcn')
    return [{'seq': n, 'batch': 1 + n % 3} for n in (7, 40, 128)] if is_dynamic else [{}]


def check(name, args):
    path = zoo.write(name, os.path.join(args.out, 'zoo'))
    folder = os.path.join(args.out, 'models', f'{name}-{args.target}')
    start = time.time()
    subprocess.run([*args.sinter.split(), 'compile', path, '-o', folder, '--target', args.target, '--quiet'],
                   check=True, timeout=600)
    seconds = time.time() - start
    model, compiled, worst = onnx.load(path), abi.Model(folder), 0.0
    for dims in sizes_of(name):
        feeds = zoo.random_inputs(model, np.random.default_rng(5), dims)
        want = reference(path, feeds)
        zoo.check_sane(want)
        worst = max(worst, compare(want, compiled(feeds)))
    if worst > TOLERANCE:
        raise ValueError(f'error {worst:.1e} of the largest magnitude, at most {TOLERANCE} is allowed')
    return f'error {worst:.1e}, compiled in {seconds:.1f} s'


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sinter', default='build/sinter')
    p.add_argument('--out', default='build')
    p.add_argument('--target', default='c')
    p.add_argument('names', nargs='*')
    args = p.parse_args()
    names, failed = args.names or list(zoo.ZOO), 0
    print(f'1..{len(names)}')
    for i, name in enumerate(names, 1):
        try:
            print(f'ok {i} - {name} {args.target} # {check(name, args)}', flush=True)
        except (ValueError, OSError, KeyError, abi.Error, subprocess.SubprocessError) as e:
            failed += 1
            print(f'not ok {i} - {name} {args.target}\n# {e}', flush=True)
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
