"""sinter beside ONNX Runtime: one process, one thread, in turns; ratio of medians.

    python bench/bench.py [--seconds S] [--dims seq=128] [NAME or MODEL.onnx ...]

The percentage is of the machine's multiply-add peak, measured between the turns.
Times are CPU times of the thread that runs. A ratio above 1 says that sinter is faster.
"""
import argparse
import ctypes
import glob
import os
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'models'))
import abi  # noqa: E402
import zoo  # noqa: E402

DEFAULT = ['resnet50', 'bert_base', 'mobilenet_v2', 'minilm', 'small_cnn', 'mlp', 'ocr_rec', 'ocr_det', 'ocr_cls']

# Models of the rapidocr wheel (tests/fetch.sh ocr), with the shape of their input.
OCR = {
    'ocr_rec': ('PP-OCRv6_rec_small.onnx', (1, 3, 48, 320)),
    'ocr_det': ('PP-OCRv6_det_small.onnx', (1, 3, 320, 640)),
    'ocr_cls': ('ch_ppocr_mobile_v2.0_cls_mobile.onnx', (1, 3, 48, 192)),
}


def peak_function(out):
    """Multiply-adds per nanosecond of this core, the better of 256- and 512-bit vectors."""
    lib = os.path.join(out, 'peak.so')
    subprocess.run(['cc', '-O2', '-shared', '-fPIC', '-o', lib, os.path.join(HERE, 'peak.c')], check=True)
    f = ctypes.CDLL(os.path.abspath(lib)).peak
    f.restype = ctypes.c_double
    return f


def session(path, model, feeds):
    """ONNX Runtime with bound inputs and outputs, one thread."""
    o = ort.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = 1
    o.log_severity_level = 3
    s = ort.InferenceSession(path, o, providers=['CPUExecutionProvider'])
    b = s.io_binding()
    for name, a in feeds.items():
        b.bind_cpu_input(name, a)
    for v in s.get_outputs():
        b.bind_output(v.name, 'cpu')
    s.run_with_iobinding(b)
    return lambda: s.run_with_iobinding(b)


def turn(f, seconds):
    """CPU times of single runs for about SECONDS, the first left out: another process on the core
    does not count."""
    f()
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        t = time.thread_time_ns()
        f()
        times.append(time.thread_time_ns() - t)
    return times


def flops(model):
    """Multiply-adds of Conv, MatMul and Gemm, from inferred shapes; 0 if unknown."""
    try:
        g = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # too large to be copied
        return 0
    shape = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
             for v in [*g.value_info, *g.input, *g.output]}
    shape.update({i.name: list(i.dims) for i in g.initializer})
    total = 0
    for n in g.node:
        if n.op_type not in ('Conv', 'MatMul', 'Gemm') or n.output[0] not in shape:
            continue
        out, w, x = shape[n.output[0]], shape.get(n.input[1]), shape.get(n.input[0])
        k = int(np.prod(w[1:])) if n.op_type == 'Conv' else x[-1] if x else 0
        total += int(np.prod(out)) * k
    return total


def find(name, out):
    """Path of a model, and its inputs if they are not random_inputs'."""
    if name in OCR:
        file, shape = OCR[name]
        found = glob.glob(os.path.join(out, 'downloads', 'rapidocr-*', 'rapidocr', 'models', file))
        if not found:
            raise FileNotFoundError(f'{file} is not there; tests/fetch.sh ocr gets it')
        model = onnx.load(found[0])
        x = np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)
        return found[0], model, {model.graph.input[0].name: x}
    path = name if name.endswith('.onnx') else zoo.write(name, os.path.join(out, 'zoo'))
    return path, onnx.load(path), None


def measure(name, args, peak):
    path, model, feeds = find(name, args.out)
    base = os.path.splitext(os.path.basename(path))[0] if feeds is None else name
    folder = os.path.join(args.out, 'bench', base)
    subprocess.run([*args.sinter.split(), 'compile', path, '-o', folder, '--quiet'], check=True)
    dims = dict((k, int(v)) for k, v in (d.split('=') for d in args.dims))
    feeds = feeds or zoo.random_inputs(model, np.random.default_rng(1), dims)
    ours = abi.Model(folder)
    ours.bind(feeds)
    theirs = session(path, model, feeds)
    a, b, p, end = [], [], [], time.time() + args.seconds
    while not a or time.time() < end:
        p.append(peak())
        a += turn(ours.run, 0.1)
        p.append(peak())
        b += turn(theirs, 0.1)
    a, b, p, n = np.median(a), np.median(b), np.median(p), flops(model)
    of_peak = [f'{100 * n / t / p:.0f}' if n > 0 else '-' for t in (a, b)]
    print(f'{base:18} {a / 1e6:9.3f} {b / 1e6:9.3f} {b / a:7.2f} {of_peak[0]:>7} {of_peak[1]:>6}'
          f' {p * 2:8.0f} {ours.arena.nbytes / 1e6:8.2f} {ours.abi.weights_bytes / 1e6:9.1f}', flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sinter', default='build/sinter')
    p.add_argument('--out', default='build')
    p.add_argument('--seconds', type=float, default=5)
    p.add_argument('--dims', nargs='*', default=['seq=128'])
    p.add_argument('names', nargs='*')
    args = p.parse_args()
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    peak = peak_function(args.out)
    print(f'ONNX Runtime {ort.__version__}, one thread; ms are medians')
    print(f'{"model":18} {"sinter ms":>9} {"ort ms":>9} {"ratio":>7} {"% peak":>7} {"ort %":>6} {"GF/s":>8}'
          f' {"arena MB":>8} {"weights MB":>9}')
    for name in args.names or DEFAULT:
        measure(name, args, peak)


if __name__ == '__main__':
    main()
