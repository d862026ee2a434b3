"""What compiling costs: seconds and memory of sinter compile, beside the bounds that it is held to.

    python bench/compile.py [--sinter build/sinter]

On one core. Seconds are CPU time of sinter and the C compiler together, then by the clock. Memory is
the most that sinter itself had resident, pages of the mapped model included; its bound is twice the
larger of model and weights file, plus 100 MB.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto as T

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'models'))
import zoo  # noqa: E402

# Peak memory is of one process, so it is started by a small one that has nothing else below it.
MEASURE = ('import os, sys; pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ); '
           '_, status, use = os.wait4(pid, 0); '
           'print(use.ru_utime + use.ru_stime, use.ru_maxrss * 1024); sys.exit(status != 0)')


def thousand_nodes():
    """Blocks of eight nodes, every block different: convolutions, a branch, activations, a concat."""
    net, x, c = zoo.Net('thousand', 31), 'x', 16
    for i in range(143):
        k = 1 + 2 * (i % 2)
        a = net.op(('Relu', 'Sigmoid', 'Tanh', 'HardSwish')[i % 4], net.conv(x, c, 8 + i % 5, k))
        b = net.op('LeakyRelu', net.conv(x, c, c - 8 - i % 5, 3 - k + 1), alpha=0.1 + i / 1000)
        y = net.op('Concat', a, b, axis=1)
        y = net.op('Mul', y, net.const(net.rng.uniform(0.5, 1, (1, c, 1, 1)).astype(np.float32)))
        x = net.op('Add', x, y)
    return net.model([('x', T.FLOAT, [1, c, 12, 12])], [(x, [1, c, 12, 12])])


def light_form(name):
    """The suite's own file: weights of one number each, 9 KB for 575 MB."""
    return os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data', 'light', f'light_{name}.onnx')


def compile_model(args, path, *options):
    """CPU seconds, seconds, peak bytes, bytes of the weights."""
    with tempfile.TemporaryDirectory(dir=args.out) as folder:
        words = [args.sinter, 'compile', path, '-o', folder, '--quiet', *options]
        start = time.perf_counter()
        text = subprocess.run([sys.executable, '-c', MEASURE, *words], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        cpu, peak = map(float, text.stdout.split())
        weights = sum(os.path.getsize(f) for f in glob.glob(folder + '/*.weights'))
        return cpu, seconds, peak, weights


def show_time(args, what, path, bound, *options):
    cpu, seconds, _, _ = min(compile_model(args, path, *options) for _ in range(3))
    print(f'{what:44} {cpu:7.2f} s of CPU time, {seconds:6.2f} s, bound {bound} s'
          f'{"" if cpu < bound else "   MISSED"}', flush=True)


def show_memory(args, what, path):
    _, _, peak, weights = compile_model(args, path, '--no-cc')
    size = os.path.getsize(path)
    bound = 2 * max(size, weights) + 100e6
    print(f'{what:24} model {size / 1e6:7.1f} MB, weights {weights / 1e6:6.1f} MB, peak {peak / 1e6:7.1f} MB, '
          f'bound {bound / 1e6:7.1f} MB{"" if peak <= bound else "   MISSED"}', flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sinter', default='build/sinter')
    p.add_argument('--out', default='build')
    args = p.parse_args()
    args.sinter = os.path.abspath(args.sinter)
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
    zoo_path = lambda name: zoo.write(name, os.path.join(args.out, 'zoo'))
    with tempfile.TemporaryDirectory(dir=args.out) as folder:
        model = thousand_nodes()
        onnx.save(model, folder + '/thousand.onnx')
        show_time(args, 'resnet50, .onnx to shared object', zoo_path('resnet50'), 6)
        show_time(args, f'{len(model.graph.node)} nodes, without the C compiler', folder + '/thousand.onnx', 1,
                  '--no-cc')
    for name, path in [('resnet50', zoo_path('resnet50')), ('bert_base', zoo_path('bert_base')),
                       ('vgg19, light form', light_form('vgg19')), ('vgg19, seeded weights', zoo_path('light_vgg19'))]:
        show_memory(args, name, path)


if __name__ == '__main__':
    main()
