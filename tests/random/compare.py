"""When is an output right? (numpy alone, for machines that have nothing else.)"""
import numpy as np

FACTOR, FLOOR = 16.0, 2e-5
FLOATS = (np.float32, np.float64)


def distance(a, b):
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max()) if a.size else 0.0


def off_by(got, want, exact):
    """What is wrong with GOT, where ONNX Runtime has WANT and float64 EXACT, or None."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f'is {got.dtype}{list(got.shape)}, should be {want.dtype}{list(want.shape)}'
    if got.dtype not in FLOATS:
        n = int((got != want).sum())
        return f'{n} of {got.size} elements are not equal' if n else None
    top = max(float(np.abs(want).max()), 1e-30) if want.size else 1.0
    mine, peer = distance(got, exact) / top, distance(want, exact) / top
    if peer > 1e-3:
        return f'float64 is {peer:.1e} of its largest magnitude from ONNX Runtime'
    if not mine <= max(FACTOR * peer, FLOOR):  # NaN is wrong, too
        return f'is {mine:.1e} of its largest magnitude from float64, ONNX Runtime {peer:.1e}'
    return None
