"""Compiled models under sanitizers, in memory that has no byte to spare.

    python guarded.py FOLDER IN.npz OUT.npz

The model is compiled with SANITIZE; inputs, outputs and the arena are blocks of exactly the bytes that the ABI asks
for, so that any access beyond them ends the process. Sanitizers have to be there before Python is: environment().
"""
import ctypes as C
import os
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import abi  # noqa: E402

CC = os.environ.get('CC', 'gcc')
SANITIZE = ['-O0', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']


def environment():
    lib = subprocess.run([CC, '-print-file-name=libasan.so'], capture_output=True, text=True, check=True).stdout.strip()
    return {**os.environ, 'LD_PRELOAD': lib, 'ASAN_OPTIONS': 'detect_leaks=0', 'PYTHONMALLOC': 'malloc'}


class Guarded(abi.Model):
    """Memory from malloc, which the sanitizer guards, and none to spare."""
    libc = C.CDLL(None)

    def block(self, nbytes):
        p = C.c_void_p()
        if self.libc.posix_memalign(C.byref(p), 64, C.c_size_t(max(nbytes, 1))):
            raise MemoryError
        self.blocks.append(p)
        return np.ctypeslib.as_array(C.cast(p, C.POINTER(C.c_uint8)), (max(nbytes, 1),))[:nbytes]

    def __call__(self, feeds):
        self.blocks, plain = [], abi.aligned
        abi.aligned = self.block
        try:
            return super().__call__(feeds)
        finally:
            abi.aligned = plain
            for p in self.blocks:
                self.libc.free(p)


class Outside:
    """A model that runs in a process of its own."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, feeds):
        files = [os.path.join(self.folder, f) for f in ('in.npz', 'out.npz')]
        np.savez(files[0], **feeds)
        p = subprocess.run([sys.executable, __file__, self.folder, *files], env=environment(), stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        if p.returncode:
            raise abi.Error(p.stdout.strip()[:1500])
        with np.load(files[1]) as f:
            return dict(f)


def main():
    folder, given, out = sys.argv[1:]
    try:
        with np.load(given) as f:
            np.savez(out, **Guarded(folder)(dict(f)))
    except abi.Error as e:
        print(e)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
