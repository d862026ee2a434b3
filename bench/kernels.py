"""Where the time of a network goes: each kernel's share, and how near it is to the core's peak.

    python bench/kernels.py [--cpu NAME] [--runs N] [--dims seq=128] NAME or MODEL.onnx or DIR

Multiply-adds are those of the ONNX nodes that a kernel names (Conv, MatMul, Gemm). Times are medians of
the thread's CPU time between the kernel hooks, beside the peak loop in the same run.
"""
import argparse
import ctypes
import os
import re
import subprocess
import sys
import time

import numpy as np
import onnx

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import bench  # noqa: E402
import abi  # noqa: E402


def shapes_of(model, feeds):
    """Shapes of all values, with the inputs' shapes fixed to those of FEEDS."""
    for v in model.graph.input:
        if v.name in feeds:
            for d, n in zip(v.type.tensor_type.shape.dim, feeds[v.name].shape):
                d.dim_value = n
    g = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shape = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
             for v in [*g.value_info, *g.input, *g.output]}
    shape.update({i.name: list(i.dims) for i in g.initializer})
    return shape


def multiply_adds(model, feeds):
    """By node: how many, and a description of the shape."""
    shape, out = shapes_of(model, feeds), {}
    for i, n in enumerate(model.graph.node):
        if n.op_type not in ('Conv', 'MatMul', 'Gemm') or n.output[0] not in shape:
            continue
        y, w, x = shape[n.output[0]], shape.get(n.input[1]), shape.get(n.input[0])
        k = int(np.prod(w[1:])) if n.op_type == 'Conv' else x[-1] if x else 0
        out[f"{n.op_type} '{n.name or i}'"] = int(np.prod(y)) * k, f'{x}{w}->{y}'.replace(' ', '')
    return out


def time_kernels(model, runs, peak):
    """Median nanoseconds of each kernel, and multiply-adds per nanosecond of the core."""
    n = model.abi.nkernels
    times, began, peaks = [[] for _ in range(n)], [0], []

    def hook(_, kernel, is_end):
        now = time.thread_time_ns()
        if is_end:
            times[kernel].append(now - began[0])
        else:
            began[0] = time.thread_time_ns()
    model.hooks.kernel = abi.KERNEL(hook)
    for i in range(runs):
        if i % 4 == 0:
            peaks.append(peak())
        model.run()
    return [float(np.median(t)) if t else 0.0 for t in times], float(np.median(peaks))


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sinter', default='build/sinter')
    p.add_argument('--out', default='build')
    p.add_argument('--cpu', default='native')
    p.add_argument('--runs', type=int, default=41)
    p.add_argument('--dims', nargs='*', default=['seq=128'])
    p.add_argument('--folder', help='a compiled model to time instead of compiling one')
    p.add_argument('name')
    args = p.parse_args()
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    path, model, feeds = bench.find(args.name, args.out)
    folder = args.folder or os.path.join(args.out, 'bench', os.path.basename(args.name).replace('.onnx', ''))
    if not args.folder:
        subprocess.run([*args.sinter.split(), 'compile', path, '-o', folder, '--cpu', args.cpu, '--quiet'], check=True)
    dims = dict((k, int(v)) for k, v in (d.split('=') for d in args.dims))
    feeds = feeds or bench.zoo.random_inputs(model, np.random.default_rng(1), dims)
    nodes = multiply_adds(model, feeds)
    ours = abi.Model(folder)
    ours.bind(feeds)
    times, peak = time_kernels(ours, args.runs, bench.peak_function(args.out))
    total, all_macs = sum(times), 0
    print(f'{"kernel":44} {"us":>9} {"share":>6} {"% peak":>6}  shape')
    for i, k in enumerate(ours.info['kernels']):
        found = [nodes[x] for x in re.findall(r"\w+ '[^']*'", k['nodes']) if x in nodes]
        macs = sum(f[0] for f in found)
        all_macs += macs
        part = f'{100 * macs / times[i] / peak:6.0f}' if macs and times[i] else '      '
        print(f'{k["name"][:44]:44} {times[i] / 1e3:9.1f} {100 * times[i] / total:5.1f}% {part}'
              f'  {" ".join(f[1] for f in found)}')
    print(f'{"all":44} {total / 1e3:9.1f}   100% {100 * all_macs / total / peak:6.0f}  peak {2 * peak:.0f} GF/s')


if __name__ == '__main__':
    main()
