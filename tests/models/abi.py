"""Runs a compiled model from Python by its ABI (docs/abi.md), through ctypes."""
import ctypes as C
import glob
import json
import mmap
import os

import numpy as np

I64P = C.POINTER(C.c_int64)
DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_,
          10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64}


class Tensor(C.Structure):
    _fields_ = [('data', C.c_void_p), ('dims', I64P), ('rank', C.c_int32), ('capacity', C.c_size_t),
                ('bytes', C.c_size_t)]


class Value(C.Structure):
    _fields_ = [('name', C.c_char_p), ('dtype', C.c_int32), ('rank', C.c_int32), ('dims', I64P),
                ('dim_names', C.POINTER(C.c_char_p))]


class Kernel(C.Structure):
    _fields_ = [('name', C.c_char_p), ('nodes', C.c_char_p)]


class Need(C.Structure):
    _fields_ = [('arena_bytes', C.c_size_t), ('device_bytes', C.c_size_t)]


PARALLEL = C.CFUNCTYPE(None, C.c_void_p, C.c_void_p, C.c_void_p, C.c_int64)  # ctx, body, arg, n
BODY = C.CFUNCTYPE(None, C.c_void_p, C.c_int64, C.c_int32)  # arg, iteration, worker
KERNEL = C.CFUNCTYPE(None, C.c_void_p, C.c_int32, C.c_int32)


class Hooks(C.Structure):
    _fields_ = [('ctx', C.c_void_p), ('parallel', PARALLEL), ('nthreads', C.c_int32), ('kernel', KERNEL),
                ('queue', C.c_void_p)]


TP = C.POINTER(Tensor)
DIMS = C.CFUNCTYPE(C.c_int, TP, TP, C.c_int32, C.POINTER(Need))
INIT = C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_void_p, C.c_size_t)
RUN = C.CFUNCTYPE(C.c_int, C.c_void_p, TP, TP, C.c_void_p, C.c_size_t, C.POINTER(Hooks))
FREE = C.CFUNCTYPE(None, C.c_void_p)
TEXT = C.CFUNCTYPE(C.c_char_p, C.c_int)
WHY = C.CFUNCTYPE(C.c_char_p, TP)


class Abi(C.Structure):
    _fields_ = [('abi', C.c_uint32), ('ninputs', C.c_uint32), ('noutputs', C.c_uint32), ('nkernels', C.c_uint32),
                ('name', C.c_char_p), ('plan_hash', C.c_uint64), ('inputs', C.POINTER(Value)),
                ('outputs', C.POINTER(Value)), ('kernels', C.POINTER(Kernel)), ('weights_bytes', C.c_size_t),
                ('weights', C.c_void_p), ('context_bytes', C.c_size_t), ('dims', DIMS), ('init', INIT), ('run', RUN),
                ('free', FREE), ('text', TEXT), ('program', C.c_void_p), ('why', WHY)]


def aligned(nbytes):
    """Zeroed bytes that begin at a multiple of 64."""
    raw = np.zeros(nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + nbytes]


class Error(Exception):
    pass


class Model:
    """A compiled model, its weights and one context."""

    def __init__(self, folder, nthreads=1):
        """With NTHREADS above 1 parallel loops run backwards, each iteration as another worker."""
        so = glob.glob(os.path.join(folder, 'lib*.so'))[0]
        self.name = os.path.basename(so)[3:-3]
        self.lib = C.CDLL(os.path.abspath(so))
        self.abi = Abi.in_dll(self.lib, self.name + '_model')
        self.context = aligned(max(self.abi.context_bytes, 64))
        weights, size = None, 0
        if not self.abi.weights and self.abi.weights_bytes:
            with open(os.path.join(folder, self.name + '.weights'), 'rb') as f:
                self.map = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_PRIVATE)
            size, weights = len(self.map), C.addressof(C.c_char.from_buffer(self.map))
        self.check(self.abi.init(self.context.ctypes.data, weights, size))
        self.info = json.load(open(os.path.join(folder, 'model.json')))
        self.bound = None
        self.nthreads = nthreads
        self.parallel = PARALLEL(self._parallel) if nthreads > 1 else PARALLEL()

    def _parallel(self, _ctx, body, arg, n):
        call = BODY(body)
        for i in reversed(range(n)):
            call(arg, i, i % self.nthreads)

    def check(self, status):
        if status:
            raise Error(f'{self.name}: {self.abi.text(status).decode()}')

    def inputs(self):
        return [self.abi.inputs[i].name.decode() for i in range(self.abi.ninputs)]

    def outputs(self):
        return [self.abi.outputs[i].name.decode() for i in range(self.abi.noutputs)]

    def bind(self, feeds):
        """Memory for one set of inputs: a dict of arrays by name."""
        self.keep, nin, nout = [], self.abi.ninputs, self.abi.noutputs
        self.tin, self.tout = (Tensor * max(nin, 1))(), (Tensor * max(nout, 1))()
        for i, name in enumerate(self.inputs()):
            v, a = self.abi.inputs[i], np.ascontiguousarray(feeds[name])
            if a.dtype != DTYPES[v.dtype]:
                raise Error(f'{name}: {a.dtype} is not {DTYPES[v.dtype]}')
            data = aligned(a.nbytes)
            data[:] = a.reshape(-1).view(np.uint8)
            self._fill(self.tin[i], data, np.shape(feeds[name]))
        for i in range(nout):
            self._fill(self.tout[i], None, (0,) * self.abi.outputs[i].rank)
        need = Need()
        self.check(self.abi.dims(self.tin, self.tout, self.nthreads, C.byref(need)))
        for i in range(nout):
            data = aligned(max(self.tout[i].bytes, 1))
            data[:] = 0xAA
            self.keep.append(data)
            self.tout[i].data, self.tout[i].capacity = data.ctypes.data, data.nbytes
        self.arena = aligned(max(need.arena_bytes, 64))
        self.arena[:] = 0xAA
        self.hooks = Hooks(parallel=self.parallel, nthreads=self.nthreads)
        self.bound = (self.context.ctypes.data, self.tin, self.tout, self.arena.ctypes.data, need.arena_bytes,
                      C.byref(self.hooks))

    def _fill(self, t, data, shape):
        dims = np.array(list(shape) or [0], np.int64)
        self.keep += [data, dims]
        t.dims, t.rank = dims.ctypes.data_as(I64P), len(shape)
        if data is not None:
            t.data, t.capacity, t.bytes = data.ctypes.data, data.nbytes, data.nbytes

    def run(self):
        """Once, with what is bound; nothing but the call, so that it can be timed."""
        status = self.abi.run(*self.bound)
        if status:
            self.check(status)

    def results(self):
        out = {}
        for i, name in enumerate(self.outputs()):
            t, v = self.tout[i], self.abi.outputs[i]
            shape = [t.dims[d] for d in range(t.rank)]
            raw = np.ctypeslib.as_array(C.cast(t.data, C.POINTER(C.c_uint8)), (t.bytes,)).copy()
            out[name] = raw.view(DTYPES[v.dtype]).reshape(shape)
        return out

    def __call__(self, feeds):
        self.bind(feeds)
        self.run()
        return self.results()
