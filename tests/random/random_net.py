"""Random networks: nodes of all kinds put together as no exporter would.

A network grows node by node, and ONNX Runtime computes each as it comes: what it refuses, or what isn't finite or
grows out of bounds, is dropped. So a rule of an operator's shapes need not be known here: makers may try anything.

Values are exact as long as rounding has no part in them. Operators that jump (comparisons, Floor, ArgMax) get exact
operands only, since elsewhere two right answers may be far apart.

    Net(seed).model()       the network; the same for the same seed
"""
import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper as h
from onnx import numpy_helper as nh

import integers  # noqa: F401  (these register their makers)
import layers  # noqa: F401
import maps  # noqa: F401
import moves  # noqa: F401
from compare import FLOATS
from makers import MAKERS

OPSETS = {9: .1, 11: .12, 12: .08, 13: .15, 17: .15, 21: .4}
WERE_ATTRIBUTES = {  # operands from this opset on, attributes before
    'Squeeze': (13, ['axes']), 'Unsqueeze': (13, ['axes']), 'ReduceSum': (13, ['axes']), 'Split': (13, ['split']),
    'Slice': (10, ['starts', 'ends', 'axes', 'steps']), 'Pad': (11, ['pads', 'value']), 'Clip': (11, ['min', 'max'])}
NEW_ATTRIBUTES = {'num_outputs': 18, 'select_last_index': 12}
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 48, 63, 65, 100]
LARGE = [128, 192, 224, 256, 257, 384, 500]
MOST = {False: 40000, True: 400000}  # elements of a value, in a network of large ones
LARGEST = 1e3      # magnitude of a value
SYMBOLS = 'NHWK'   # names of open extents
FUNCTIONS = [f for _, f in MAKERS]
WEIGHTS = np.array([w for w, _ in MAKERS], float) / sum(w for w, _ in MAKERS)


class Value:
    def __init__(self, name, array, is_exact, is_const=False):
        self.name, self.array, self.is_exact, self.is_const = name, array, is_exact, is_const
        self.uses = 0

    @property
    def shape(self):
        return self.array.shape

    @property
    def rank(self):
        return self.array.ndim

    @property
    def is_float(self):
        return self.array.dtype in FLOATS


def info(name, array, dims):
    return h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(array.dtype), dims)


def run_model(model, feeds):
    o = ort.SessionOptions()
    o.intra_op_num_threads = 1
    o.log_severity_level = 4
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL  # what the network says, nothing else
    s = ort.InferenceSession(model.SerializeToString(), o, providers=['CPUExecutionProvider'])
    return s.run(None, feeds)


def as_attributes(op, opset, operands):
    """What WERE_ATTRIBUTES says of OP at OPSET: the operands left, and the attributes that the others are."""
    since, names = WERE_ATTRIBUTES.get(op, (18, ['axes']) if op.startswith('Reduce') else (0, []))
    if opset >= since:
        return operands, {}
    arrays = {name: v.array for name, v in zip(names, operands[1:]) if v}
    return operands[:1], {name: a.tolist() for name, a in arrays.items() if name != 'steps' or (a != 1).any()}


def make_model(nodes, inputs, outputs, consts, opset):
    """INPUTS and OUTPUTS are value infos, CONSTS pairs of name and array."""
    graph = h.make_graph(nodes, 'random', inputs, outputs, [nh.from_array(a, n) for n, a in consts])
    return h.make_model(graph, opset_imports=[h.make_opsetid('', opset)], ir_version=10)


class Net:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.values, self.consts, self.inputs, self.symbols = [], [], [], [], {}
        self.count = 0
        self.opset = self.pick(list(OPSETS), list(OPSETS.values()))
        self.is_large = self.chance(0.06)
        is_open = self.chance(0.4)
        for i in range(self.int(1, 3)):
            self.add_input(f'x{i}', is_open)
        want = self.int(2, 6 if self.is_large else 24)
        for _ in range(want * 4):
            if len(self.nodes) >= want:
                break
            self.pick(FUNCTIONS, WEIGHTS)(self)
        self.outputs = self.choose_outputs()

    # ---- dice ----

    def int(self, low, high):
        """Both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, things, weights=None):
        return things[int(self.rng.choice(len(things), p=weights))]

    def size(self, most, room=MOST[True]):
        """An extent up to MOST; a large one may be more, up to ROOM."""
        if self.is_large and self.chance(0.5):
            return self.pick([s for s in LARGE if s <= room] or [1])
        return self.pick([s for s in SIZES if s <= max(min(most, room), 1)])

    def width(self):
        """Of a layer."""
        return self.size(65) if self.chance(0.85) else self.pick([96, 128, 129, 192, 256, 300])

    def sizes(self, *most):
        """Extents that make one value."""
        room, dims = MOST[self.is_large] // 4, []
        for m in most:
            dims.append(self.size(m, room))
            room //= dims[-1]
        return dims

    def shape(self):
        """Of an image, of rows, or any."""
        kind = self.pick(['image', 'rows', 'any'], [.35, .3, .35])
        if kind == 'image':
            return [self.int(1, 2), *self.sizes(33, 20, 20)]
        if kind == 'rows':
            return [self.int(1, 3), *self.sizes(65, 100)][self.int(0, 1):]
        dims = self.sizes(*[100] * self.int(1, 5))
        return [dims[i] for i in self.rng.permutation(len(dims))]

    # ---- values ----

    def name(self, op):
        self.count += 1
        return f'{op.lower()}_{self.count}'

    def data(self, shape, dtype=np.float32):
        if np.dtype(dtype).kind in 'iu':
            return self.rng.integers(-5 if np.dtype(dtype).kind == 'i' else 0, 6, shape).astype(dtype)
        if dtype == np.bool_:
            return self.rng.random(shape) < 0.5
        return np.asarray(self.rng.standard_normal(shape), dtype)

    def add_input(self, name, is_open):
        dtype = self.pick([np.float32, np.float64, np.int64, np.int32, np.uint8, np.bool_],
                          [.84, .04, .04, .04, .02, .02])
        array = self.data(self.shape(), dtype)
        dims = list(array.shape)
        for i, n in enumerate(array.shape):
            if is_open and self.chance(0.5):
                same = [s for s, m in self.symbols.items() if m == n]
                free = [s for s in SYMBOLS if s not in self.symbols]
                if same or free:
                    dims[i] = same[0] if same else free[0]
                    self.symbols[dims[i]] = n
        self.inputs.append((name, dims))
        self.values.append(Value(name, array, True))

    def const(self, array, scale=None):
        """A weight; one of float data is seeded with SCALE where it is a shape."""
        if isinstance(array, (list, tuple)) and scale is not None:
            array = self.data(array) * np.float32(scale)
        v = Value(self.name('c'), np.asarray(array), True, True)
        self.consts.append((v.name, v.array))
        return v

    def ints(self, numbers):
        return self.const(np.asarray(numbers, np.int64))

    def any(self, test=lambda v: True):
        """One of the values, newer ones rather; None if there is none of the kind."""
        fit = [v for v in self.values if test(v)]
        if not fit:
            return None
        weights = np.array([(i + 1) * (3 if v.uses == 0 else 1) for i, v in enumerate(fit)], float)
        return self.pick(fit, weights / weights.sum())

    def f32(self, low=0, high=6):
        return self.any(lambda v: v.array.dtype == np.float32 and low <= v.rank <= high and v.array.size)

    # ---- nodes ----

    def op(self, op, *ins, outputs=1, exact=False, **attrs):
        """Adds a node if ONNX Runtime takes it and the results are sane; its first result, or None."""
        outs = [self.name(op) for _ in range(outputs)]
        ins, more = as_attributes(op, self.opset, ins)
        attrs = {**{k: v for k, v in attrs.items() if NEW_ATTRIBUTES.get(k, 0) <= self.opset}, **more}
        node = h.make_node(op, [v.name if v else '' for v in ins], outs, name=outs[0] + '_node', **attrs)
        used = {v.name: v for v in ins if v}
        infos = [info(n, v.array, v.shape) for n, v in used.items() if not v.is_const]
        consts = [(n, v.array) for n, v in used.items() if v.is_const]
        try:
            model = make_model([node], infos, [onnx.ValueInfoProto(name=o) for o in outs], consts, self.opset)
            arrays = run_model(model, {n: v.array for n, v in used.items() if not v.is_const})
        except Exception:  # whatever it is that ONNX Runtime has against it
            return None
        largest = max((np.abs(v.array).max() for v in used.values() if v.is_float), default=0)
        if not all(self.is_sane(a, largest) for a in arrays):
            return None
        for v in used.values():
            v.uses += 1
        self.nodes.append(node)
        is_exact = exact and all(v.is_exact for v in used.values())
        made = [Value(o, a, is_exact or a.dtype not in FLOATS) for o, a in zip(outs, arrays)]
        self.values += made
        return made[0]

    def is_sane(self, a, largest):
        """Finite, not too large, and not what rounding leaves of operands as large as LARGEST."""
        if a.size == 0 or a.size > MOST[self.is_large] or a.ndim > 6:
            return False
        return a.dtype not in FLOATS or bool(np.isfinite(a).all() and 1e-3 * largest <= np.abs(a).max() < LARGEST)

    # ---- the result ----

    def feeds(self, model, extents=()):
        """Inputs of a MODEL of this network: those it grew with, or others where the open EXTENTS are others."""
        sizes, out = {**self.symbols, **dict(extents)}, {}
        own = {v.name: v.array for v in self.values}
        for i in model.graph.input:
            dims = [sizes.get(d.dim_param, d.dim_value) for d in i.type.tensor_type.shape.dim]
            x = own[i.name]
            out[i.name] = x if list(x.shape) == dims else self.data(dims, x.dtype)
        return out

    def choose_outputs(self):
        """What nobody uses, and sometimes something on the way."""
        made = [v for v in self.values if v.name not in {n for n, _ in self.inputs}]
        return [v for v in made if v.uses == 0 or self.chance(0.08)] or made[-1:]

    def model(self):
        by_name = {v.name: v for v in self.values}
        ins = [info(n, by_name[n].array, dims) for n, dims in self.inputs]
        outs = [info(v.name, v.array, [None] * v.rank) for v in self.outputs]
        used = {n for node in self.nodes for n in node.input}
        ins = [i for i in ins if i.name in used]
        return make_model(self.nodes, ins, outs, [(n, a) for n, a in self.consts if n in used], self.opset)
