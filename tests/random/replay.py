"""Runs networks that check_random.py --export wrote, where there is no ONNX Runtime: on a device, say.

    python replay.py FOLDER [--sinter COMMAND] [--device opencl:0] [--cc CC] [--jobs N] [-- OPTION ...]

Options behind -- are for sinter compile. Prints TAP.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import off_by  # noqa: E402


def run(args, folder, work, name):
    """Outputs for the inputs NAME.in.npz; a text where the command fails."""
    words = []
    with np.load(os.path.join(folder, f'{name}.in.npz')) as f:
        for i, (key, a) in enumerate(f.items()):
            np.save(os.path.join(work, f'in{i}.npy'), a)
            words += ['--input', f'{key}={work}/in{i}.npy']
    if args.device:
        words += ['--device', args.device]
    done = subprocess.run([args.sinter, 'run', os.path.join(work, 'compiled'), '--quiet', '--output', work, *words],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip()
    with open(os.path.join(work, 'outputs.json')) as f:
        return {o['name']: np.load(os.path.join(work, o['file'])) for o in json.load(f)}


def compare(folder, name, got):
    with np.load(os.path.join(folder, f'{name}.want.npz')) as want, \
            np.load(os.path.join(folder, f'{name}.exact.npz')) as exact:
        texts = [(key, off_by(got[key], want[key], exact[key])) for key in want]
    return [f"size {name}: '{key}' {text}" for key, text in texts if text]


def check(args, folder):
    """What is wrong, a list of texts."""
    with tempfile.TemporaryDirectory() as work:
        how = (['--device', args.device] if args.device else []) + (['--cc', args.cc] if args.cc else []) + args.options
        done = subprocess.run([args.sinter, 'compile', os.path.join(folder, 'model.onnx'), '-o',
                               os.path.join(work, 'compiled'), '--quiet', *how], capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr.strip().splitlines()
        wrong = []
        for name in sorted(f.split('.')[0] for f in os.listdir(folder) if f.endswith('.want.npz')):
            got = run(args, folder, work, name)
            wrong += compare(folder, name, got) if isinstance(got, dict) else [f'size {name}: {got}']
        return wrong


def main():
    p = argparse.ArgumentParser()
    p.add_argument('folder')
    p.add_argument('--sinter', default='sinter')
    p.add_argument('--device', default='')
    p.add_argument('--cc', default='')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('options', nargs='*')
    args = p.parse_args()
    names, failed = sorted(os.listdir(args.folder)), 0
    print(f'1..{len(names)}')
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, wrong in zip(names, pool.map(lambda n: check(args, os.path.join(args.folder, n)), names)):
            print(f'{"not ok" if wrong else "ok"} - network {name}')
            print(''.join(f'# {line}\n' for line in wrong), end='', flush=True)
            failed += bool(wrong)
    print(f'# {len(names) - failed} of {len(names)} networks are right')
    return min(failed, 1)


if __name__ == '__main__':
    sys.exit(main())
