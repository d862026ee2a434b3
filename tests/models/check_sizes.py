"""Networks of open sizes at odd, tiny and empty extents: right, or a status; never out of bounds.

    python check_sizes.py [NAME ...]

The generated C is compiled with AddressSanitizer and UBSan; inputs, outputs and
the arena are blocks of exactly the bytes that the ABI asks for, so that any
access beyond them ends the process. Where ONNX Runtime computes a result and
the model does, both must agree to 1e-4 of the largest magnitude; where ONNX
Runtime refuses, the model may do either, as far as its numbers are finite.
Prints TAP; a status is counted and its reason printed.
"""
import collections
import os
import subprocess
import sys

import numpy as np
import onnx

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import abi  # noqa: E402
import check_models as cm  # noqa: E402
import guarded  # noqa: E402
import zoo  # noqa: E402

PICTURES = [(1, 3, h, w) for h in (0, 1, 7, 32, 33, 48) for w in (0, 1, 3, 37, 64)] + [(0, 3, 48, 64), (2, 3, 48, 65)]
SEQUENCES = [{'batch': b, 'seq': s} for b, s in ((1, 1), (2, 1), (1, 2), (3, 5), (1, 17), (1, 63), (1, 600), (0, 4), (1, 0))]
SIZES = {'ocr_cls': PICTURES, 'ocr_rec': PICTURES, 'ocr_det': PICTURES, 'tcn': SEQUENCES, 'gpt': SEQUENCES,
         'minilm_dynamic': SEQUENCES}
DEFAULT = ['tcn', 'gpt']  # the others take minutes to compile with sanitizers


def feeds_of(name, model, size):
    rng = np.random.default_rng(9)
    if isinstance(size, tuple):
        return {model.graph.input[0].name: (rng.random(size) * 2 - 1).astype(np.float32)}
    return zoo.random_inputs(model, rng, size)


def compare(got, want):
    for name, w in want.items():
        g, top = got[name], max(float(np.abs(w).max()), 1e-30) if w.size else 1
        if g.shape != w.shape:
            return f"'{name}' is {list(g.shape)}, should be {list(w.shape)}"
        if not np.array_equal(np.isnan(g), np.isnan(w)) or (w.size and cm.distance(g, w) > cm.TOLERANCE * top):
            return f"'{name}' differs from ONNX Runtime's"
    return ''


def references(name, sizes):
    """What ONNX Runtime gives, or None; in a process without sanitizers."""
    path, out = cm.model_path(name), []
    model = onnx.load(path, load_external_data=False)
    for size in sizes:
        try:
            out.append(cm.reference(path, feeds_of(name, model, size)))
        except Exception:
            out.append(None)
    return out


def run(name, folder):
    model, compiled = onnx.load(cm.model_path(name), load_external_data=False), guarded.Guarded(folder)
    wants = np.load(os.path.join(folder, 'want.npy'), allow_pickle=True)
    refused = collections.Counter()
    for size, want in zip(SIZES[name], wants):
        print(f'# {size}', flush=True)
        try:
            got = compiled(feeds_of(name, model, size))
        except abi.Error as error:
            why = compiled.abi.why(compiled.tin)
            if not why and want is not None:
                return f'{size}: {error}, but ONNX Runtime computes it'
            refused[why.decode() if why else str(error)] += 1
            continue
        wrong = compare(got, want) if want is not None else \
            next((f"'{k}' is not finite" for k, g in got.items() if not np.isfinite(g).all()), '')
        if wrong:
            return f'{size}: {wrong}'
    for why, n in refused.items():
        print(f'# {n} refused: {why}')
    return ''


def check(name):
    folder = os.path.join(cm.BUILD, 'models', f'{name}-sanitized')
    subprocess.run([os.path.join(cm.BUILD, 'sinter'), 'compile', cm.model_path(name), '-o', folder, '--quiet', '--name',
                    f'{name}_sanitized', '--cc', ' '.join([guarded.CC, *guarded.SANITIZE])], check=True, timeout=800)
    want = references(name, SIZES[name])
    np.save(os.path.join(folder, 'want.npy'), np.array(want, object), allow_pickle=True)
    p = subprocess.run([sys.executable, __file__, '--run', name, folder], env=guarded.environment(), stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=800)
    return p.returncode, p.stdout.splitlines()


def main():
    if sys.argv[1:2] == ['--run']:
        wrong = run(*sys.argv[2:])
        print(wrong)
        return bool(wrong)
    names = sys.argv[1:] or DEFAULT
    missing = cm.missing_packages() if any(n in cm.OCR for n in names) else ''
    print(f'1..{len(names)}', flush=True)
    failed = False
    for name in names:
        if missing and name in cm.OCR:
            print(f'ok - {name} # SKIP {missing}')
            continue
        code, lines = check(name)
        print(f'{"not ok" if code else "ok"} - {name}')
        print('\n'.join(line if line.startswith('#') else f'# {line}' for line in lines if line), flush=True)
        failed |= bool(code)
    return failed


if __name__ == '__main__':
    sys.exit(main())
