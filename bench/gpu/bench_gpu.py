"""sinter's OpenCL kernels beside PyTorch on one GPU, in one run.

    python bench/gpu/bench_gpu.py [--sinter build/sinter] [--device opencl:0] [--out build/gpu] [NAME ...]

Both work on data that stay on the device. torch: f32, TF32 off, eager, the median of 20 timed calls
between synchronisations; sinter: sinter bench --resident. Results are compared with PyTorch's. Row
kernels (softmax, layer norm) are compared with the copy bandwidth measured in the same run, too.
Prints a table and, with --markdown FILE, writes it.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
import time

import numpy as np
import onnx
import torch
from onnx import TensorProto as T

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', '..', 'tests', 'models')]
import onnx_torch  # noqa: E402
import zoo  # noqa: E402


def matmul(n):
    net = zoo.Net(f'matmul_{n}', 21)
    y = net.op('MatMul', 'x', net.const(net.f32(n, n, scale=n ** -0.5)))
    return net.model([('x', T.FLOAT, [n, n])], [(y, [n, n])])


def softmax(rows, n):
    net = zoo.Net('softmax', 22)
    return net.model([('x', T.FLOAT, [rows, n])], [(net.op('Softmax', 'x', axis=-1), [rows, n])])


def layer_norm(rows, n):
    net = zoo.Net('layer_norm', 23)
    y = net.op('LayerNormalization', 'x', net.const(net.f32(n)), net.const(net.f32(n)), axis=-1)
    return net.model([('x', T.FLOAT, [rows, n])], [(y, [rows, n])])


# Name: model, and the bytes that must be moved at least (rows only).
CASES = {
    'matmul_1024': (lambda: matmul(1024), 0),
    'matmul_4096': (lambda: matmul(4096), 0),
    'softmax_8192x4096': (lambda: softmax(8192, 4096), 2 * 4 * 8192 * 4096),
    'layer_norm_8192x4096': (lambda: layer_norm(8192, 4096), 2 * 4 * 8192 * 4096),
    'mlp': (zoo.mlp, 0),
    'resnet50_b1': (lambda: zoo.resnet50(1), 0),
    'resnet50_b8': (lambda: zoo.resnet50(8), 0),
    'bert_base_b8': (lambda: zoo.encoder('bert_base', 5, 12, 768, 12, 3072, 128, batch=8), 0),
}


def seconds_of(f, repeat=20):
    """Median time of a call that leaves work on the device, in seconds."""
    for _ in range(3):
        f()
    times = []
    for _ in range(repeat):
        torch.cuda.synchronize()
        start = time.perf_counter()
        f()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def copy_bandwidth():
    """Bytes read and written per second by a copy of 512 MB on the device."""
    a = torch.empty(128 << 20, device='cuda')
    b = torch.empty_like(a)
    return 2 * a.nbytes / seconds_of(lambda: b.copy_(a))


def run_sinter(args, folder, feeds):
    """Outputs of the compiled model in FOLDER."""
    for name, a in feeds.items():
        np.save(f'{folder}/in_{name}.npy', a)
    inputs = [f'--input={n}={folder}/in_{n}.npy' for n in feeds]
    subprocess.run([args.sinter, 'run', folder, '--device', args.device, *inputs, '--output', f'{folder}/result',
                    '--quiet'], check=True)
    listing = json.load(open(f'{folder}/result/outputs.json'))
    return [np.load(f'{folder}/result/{o["file"]}') for o in listing]


def bench_sinter(args, folder):
    out = subprocess.run([args.sinter, 'bench', folder, '--device', args.device, '--resident', '--seconds', '1',
                          '--json'], check=True, capture_output=True, text=True).stdout
    return json.loads(out)['median_ns'] / 1e9


def measure(name, args, bandwidth):
    model, moved = CASES[name][0](), CASES[name][1]
    folder = os.path.join(args.out, name)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(args.out, name + '.onnx')
    onnx.save(model, path)
    subprocess.run([args.sinter, 'compile', path, '-o', folder, '--target', 'opencl', '--device', args.describe,
                    '--quiet'], check=True)
    feeds = zoo.random_inputs(model, np.random.default_rng(1))
    eager = onnx_torch.Eager(model)
    on_device = {k: torch.from_numpy(v).cuda() for k, v in feeds.items()}
    want = [t.cpu().numpy() for t in eager(on_device)]
    have = run_sinter(args, folder, feeds)
    error = max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(have, want))
    theirs, ours = seconds_of(lambda: eager(on_device)), bench_sinter(args, folder)
    share = f'{moved / ours / bandwidth:.2f}' if moved else ''
    return f'| {name} | {ours * 1e6:.0f} | {theirs * 1e6:.0f} | {theirs / ours:.2f} | {share} | {error:.1e} |'


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sinter', default='build/sinter')
    p.add_argument('--device', default='opencl:0')
    p.add_argument('--describe', default='nvidia-h200', help='description that the kernels are made for')
    p.add_argument('--out', default='build/gpu')
    p.add_argument('--markdown')
    p.add_argument('names', nargs='*')
    args = p.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    os.makedirs(args.out, exist_ok=True)
    driver = subprocess.run(['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader'],
                            capture_output=True, text=True).stdout.split()[:1]
    bandwidth = copy_bandwidth()
    lines = [f'{datetime.date.today()}, {torch.cuda.get_device_name()}, driver {"".join(driver)}, '
             f'torch {torch.__version__}, f32, TF32 off; copy {bandwidth / 1e12:.2f} TB/s', '',
             '| case | sinter us | torch us | torch / sinter | of copy bandwidth | largest difference |',
             '|---|---|---|---|---|---|']
    print('\n'.join(lines), flush=True)
    for name in args.names or CASES:
        try:
            lines.append(measure(name, args, bandwidth))
        except (subprocess.CalledProcessError, AssertionError, KeyError) as e:
            lines.append(f'| {name} | failed: {type(e).__name__} | | | | |')
            print(getattr(e, 'stderr', None) or e, file=sys.stderr)
        print(lines[-1], flush=True)
    if args.markdown:
        with open(args.markdown, 'w') as f:
            f.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
