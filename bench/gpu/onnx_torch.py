"""An ONNX graph, node by node in PyTorch: the peer of bench/gpu/bench_gpu.py, eager as a user of
PyTorch would write it. Only what the networks there need; anything else is an error.
"""
import numpy as np
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

TORCH = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float16, 11: torch.float64}


def ints(t):
    return [int(v) for v in t.flatten().tolist()]


def conv(x, w, b=None, strides=(1, 1), pads=(0, 0, 0, 0), group=1, dilations=(1, 1), **_):
    assert list(pads[:2]) == list(pads[2:])
    return F.conv2d(x, w, b, tuple(strides), tuple(pads[:2]), tuple(dilations), group)


def max_pool(x, kernel_shape, strides, pads=(0, 0, 0, 0), **_):
    return F.max_pool2d(x, tuple(kernel_shape), tuple(strides), tuple(pads[:2]))


def gemm(a, b, c=None, alpha=1.0, beta=1.0, transA=0, transB=0):
    y = (a.t() if transA else a) @ (b.t() if transB else b)
    return alpha * y if c is None else torch.addmm(c, a.t() if transA else a, b.t() if transB else b) \
        if alpha == beta == 1 else alpha * y + beta * c


def reduce_mean(x, axes=None, keepdims=1, **_):
    return x.mean(dim=list(axes), keepdim=bool(keepdims))


def unsqueeze(x, axes):
    for a in sorted(ints(axes)):
        x = x.unsqueeze(a)
    return x


def gather(x, i, axis=0):
    return F.embedding(i, x) if axis == 0 and x.dim() == 2 else torch.index_select(x, axis, i.flatten())


OPS = {
    'Conv': conv, 'MaxPool': max_pool, 'Gemm': gemm, 'MatMul': torch.matmul, 'Relu': torch.relu,
    'BatchNormalization': lambda x, s, b, m, v, epsilon=1e-5, **_: F.batch_norm(x, m, v, s, b, eps=epsilon),
    'Add': torch.add, 'Sub': torch.sub, 'Mul': torch.mul, 'Div': torch.div, 'Pow': torch.pow, 'Sqrt': torch.sqrt,
    'Erf': torch.erf, 'Softmax': lambda x, axis=-1: torch.softmax(x, axis),
    'LayerNormalization': lambda x, s, b=None, axis=-1, epsilon=1e-5: F.layer_norm(x, x.shape[axis:], s, b, epsilon),
    'GlobalAveragePool': lambda x: x.mean(dim=(2, 3), keepdim=True),
    'Flatten': lambda x, axis=1: torch.flatten(x, axis),
    'Reshape': lambda x, s, **_: x.reshape([d if d else x.shape[i] for i, d in enumerate(ints(s))]),
    'Transpose': lambda x, perm: x.permute(*perm), 'ReduceMean': reduce_mean, 'Unsqueeze': unsqueeze,
    'Gather': gather, 'Cast': lambda x, to, **_: x.to(TORCH[to]),
}


class Eager:
    """MODEL's nodes as PyTorch calls; weights on DEVICE, integers that shapes are made of on the host."""

    def __init__(self, model, device='cuda'):
        self.graph, self.device, self.weights = model.graph, device, {}
        for i in model.graph.initializer:
            a = numpy_helper.to_array(i)
            on_host = a.dtype == np.int64 and a.size <= 16
            self.weights[i.name] = torch.from_numpy(a.copy()).to('cpu' if on_host else device)
        self.calls = [(OPS[n.op_type], list(n.input), n.output[0],
                       {a.name: helper.get_attribute_value(a) for a in n.attribute}) for n in model.graph.node]

    @torch.no_grad()
    def __call__(self, feeds):
        v = dict(self.weights, **feeds)
        for f, inputs, output, attrs in self.calls:
            v[output] = f(*[v[i] for i in inputs], **attrs)
        return [v[o.name] for o in self.graph.output]
