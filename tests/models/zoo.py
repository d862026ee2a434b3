"""Networks for tests and benchmarks: real structures with seeded weights.

Weights are scaled so that activations stay sane (He for convolutions, branches
of residual blocks scaled down, batch-norm scale and variance in 0.5..1.5), and
every network is checked by check_sane: one whose output is constant, NaN or
saturated proves nothing.

    python zoo.py NAME FOLDER      writes FOLDER/NAME.onnx
    python zoo.py --list
"""
import hashlib
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh


class Net:
    """A graph under construction; every method returns the name of its result."""

    def __init__(self, name, seed):
        self.name, self.rng = name, np.random.default_rng(seed)
        self.nodes, self.inits, self.n = [], [], 0

    def op(self, op, *inputs, outputs=1, **attrs):
        self.n += 1
        outs = [f'{op.lower()}_{self.n}'] if outputs == 1 else [f'{op.lower()}_{self.n}_{i}' for i in range(outputs)]
        self.nodes.append(h.make_node(op, list(inputs), outs, name=f'{op}_{self.n}', **attrs))
        return outs[0] if outputs == 1 else outs

    def const(self, array, name=None):
        self.n += 1
        name = name or f'c_{self.n}'
        self.inits.append(nh.from_array(np.asarray(array), name))
        return name

    def f32(self, *shape, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def conv(self, x, cin, cout, k, stride=1, group=1, bias=False, gain=1.0, pads=None):
        fan = cin // group * k * k
        w = self.const(self.f32(cout, cin // group, k, k, scale=gain * np.sqrt(2.0 / fan)))
        extra = [self.const(self.f32(cout, scale=0.1))] if bias else []
        return self.op('Conv', x, w, *extra, kernel_shape=[k, k], strides=[stride, stride], group=group,
                       pads=pads or [k // 2] * 4)

    def bn(self, x, c, gain=1.0):
        u = self.rng.uniform
        p = [u(0.5, 1.5, c) * gain, self.rng.standard_normal(c) * 0.1, self.rng.standard_normal(c) * 0.1,
             u(0.5, 1.5, c)]
        return self.op('BatchNormalization', x, *[self.const(a.astype(np.float32)) for a in p], epsilon=1e-5)

    def dense(self, x, n, m, gain=1.0):
        """x @ W + b as exporters write it: MatMul and Add."""
        w = self.const(self.f32(n, m, scale=gain / np.sqrt(n)))
        return self.op('Add', self.op('MatMul', x, w), self.const(self.f32(m, scale=0.02)))

    def model(self, inputs, outputs, opset=17):
        g = h.make_graph(self.nodes, self.name, [h.make_tensor_value_info(n, t, s) for n, t, s in inputs],
                         [h.make_tensor_value_info(n, T.FLOAT, s) for n, s in outputs], self.inits)
        return h.make_model(g, opset_imports=[h.make_opsetid('', opset)], ir_version=8, producer_name='zoo')


def mlp():
    net = Net('mlp', 1)
    x, n = 'x', 784
    for i, m in enumerate((256, 128, 10)):
        w = net.const(net.f32(m, n, scale=np.sqrt(2.0 / n)))
        x = net.op('Gemm', x, w, net.const(net.f32(m, scale=0.1)), transB=1)
        x, n = (net.op('Relu', x) if i < 2 else x), m
    x = net.op('Softmax', x, axis=1)
    return add_logits(net.model([('x', T.FLOAT, [4, 784])], [(x, [4, 10])]))


def small_cnn():
    net = Net('small_cnn', 2)
    x = net.op('Relu', net.bn(net.conv('x', 1, 12, 3), 12))
    x = net.op('MaxPool', x, kernel_shape=[2, 2], strides=[2, 2])
    y = net.op('Relu', net.bn(net.conv(x, 12, 20, 3, stride=2), 20))
    x = net.op('Add', net.conv(y, 20, 20, 3, gain=0.5, bias=True), y)
    x = net.op('Concat', net.op('Sigmoid', x), net.conv(x, 20, 7, 1, bias=True), axis=1)
    x = net.op('Flatten', net.op('GlobalAveragePool', x))
    x = net.op('Gemm', x, net.const(net.f32(27, 10, scale=0.3)), net.const(net.f32(10, scale=0.1)))
    return net.model([('x', T.FLOAT, [1, 1, 28, 28])], [(x, [1, 10])])


def resnet50(batch=1, size=224):
    net = Net('resnet50', 3)
    x = net.op('Relu', net.bn(net.conv('x', 3, 64, 7, stride=2), 64))
    x = net.op('MaxPool', x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    cin = 64
    for stage, (mid, n) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for i in range(n):
            stride = 2 if stage > 0 and i == 0 else 1
            y = net.op('Relu', net.bn(net.conv(x, cin, mid, 1), mid))
            y = net.op('Relu', net.bn(net.conv(y, mid, mid, 3, stride=stride), mid))
            y = net.bn(net.conv(y, mid, mid * 4, 1), mid * 4, gain=0.3)
            if i == 0:
                x = net.bn(net.conv(x, cin, mid * 4, 1, stride=stride, pads=[0] * 4), mid * 4)
            x, cin = net.op('Relu', net.op('Add', y, x)), mid * 4
    x = net.op('Flatten', net.op('GlobalAveragePool', x))
    x = net.op('Gemm', x, net.const(net.f32(1000, 2048, scale=0.02)), net.const(net.f32(1000, scale=0.1)), transB=1)
    return net.model([('x', T.FLOAT, [batch, 3, size, size])], [(x, [batch, 1000])])


def mobilenet_v2():
    net = Net('mobilenet_v2', 4)
    lo, hi = net.const(np.float32(0)), net.const(np.float32(6))

    def block(x, cin, cout, k, stride=1, group=1, act=True, gain=1.0):
        x = net.bn(net.conv(x, cin, cout, k, stride=stride, group=group, pads=[k // 2] * 4), cout, gain)
        return net.op('Clip', x, lo, hi) if act else x

    x, cin = block('x', 3, 32, 3, 2), 32
    for t, c, n, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                       (6, 320, 1, 1)]:
        for i in range(n):
            stride, y, mid = (s if i == 0 else 1), x, cin * t
            if t > 1:
                y = block(y, cin, mid, 1)
            y = block(y, mid, mid, 3, stride, group=mid)
            y = block(y, mid, c, 1, act=False, gain=0.5 if stride == 1 and cin == c else 1.0)
            x, cin = (net.op('Add', x, y) if stride == 1 and cin == c else y), c
    x = net.op('GlobalAveragePool', block(x, 320, 1280, 1))
    x = net.op('Reshape', x, net.const(np.array([0, -1], np.int64)))
    x = net.op('Gemm', x, net.const(net.f32(1000, 1280, scale=0.03)), net.const(net.f32(1000, scale=0.1)), transB=1)
    return net.model([('x', T.FLOAT, [1, 3, 224, 224])], [(x, [1, 1000])])


def layer_norm(net, x, d):
    """As exporters decompose it."""
    mean = net.op('ReduceMean', x, axes=[-1])
    c = net.op('Sub', x, mean)
    var = net.op('ReduceMean', net.op('Pow', c, net.const(np.float32(2))), axes=[-1])
    y = net.op('Div', c, net.op('Sqrt', net.op('Add', var, net.const(np.float32(1e-12)))))
    y = net.op('Mul', y, net.const(net.rng.uniform(0.5, 1.5, d).astype(np.float32)))
    return net.op('Add', y, net.const(net.f32(d, scale=0.1)))


def gelu(net, x):
    y = net.op('Erf', net.op('Div', x, net.const(np.float32(np.sqrt(2)))))
    y = net.op('Mul', x, net.op('Add', y, net.const(np.float32(1))))
    return net.op('Mul', y, net.const(np.float32(0.5)))


def encoder(name, seed, layers, d, heads, ff, seq, vocab=1000, batch=1):
    """A BERT-shaped encoder; SEQ may be a name: then the sequence length is symbolic and the shapes
    are computed in the graph, as exporters do."""
    net = Net(name, seed)
    is_dynamic = isinstance(seq, str)
    i64 = lambda *v: net.const(np.array(v, np.int64))
    x = net.op('Gather', net.const(net.f32(vocab, d, scale=0.5)), 'ids', axis=0)
    if is_dynamic:
        length = net.op('Gather', net.op('Shape', 'ids'), i64(1), axis=0)
        pos = net.op('Slice', net.const(net.f32(1, 512, d, scale=0.1)), i64(0), length, i64(1))
        split = net.op('Concat', i64(batch), length, i64(heads), i64(d // heads), axis=0)
        merge = net.op('Concat', i64(batch), length, i64(d), axis=0)
    else:
        pos = net.const(net.f32(1, seq, d, scale=0.1))
        split, merge = i64(batch, seq, heads, d // heads), i64(batch, seq, d)
    x = layer_norm(net, net.op('Add', x, pos), d)
    mask = net.op('Cast', net.op('Unsqueeze', 'mask', i64(1, 2)), to=T.FLOAT)
    mask = net.op('Mul', net.op('Sub', net.const(np.float32(1)), mask), net.const(np.float32(-10000)))
    for _ in range(layers):
        q, k, v = [net.op('Reshape', net.dense(x, d, d), split) for _ in range(3)]
        q, v = [net.op('Transpose', a, perm=[0, 2, 1, 3]) for a in (q, v)]
        k = net.op('Transpose', k, perm=[0, 2, 3, 1])
        s = net.op('Div', net.op('MatMul', q, k), net.const(np.float32(np.sqrt(d // heads))))
        p = net.op('Softmax', net.op('Add', s, mask), axis=-1)
        a = net.op('Reshape', net.op('Transpose', net.op('MatMul', p, v), perm=[0, 2, 1, 3]), merge)
        x = layer_norm(net, net.op('Add', net.dense(a, d, d, gain=0.5), x), d)
        y = net.dense(gelu(net, net.dense(x, d, ff)), ff, d, gain=0.5)
        x = layer_norm(net, net.op('Add', y, x), d)
    return net.model([('ids', T.INT64, [batch, seq]), ('mask', T.INT64, [batch, seq])], [(x, [batch, seq, d])])


def act(net, x, kind):
    """An activation as exporters write it."""
    if kind == 'hswish':
        return net.op('HardSwish', x)
    if kind == 'swish':
        return net.op('Mul', x, net.op('Sigmoid', x))
    return net.op('Relu', x)


def squeeze_excite(net, x, c, mid):
    s = net.op('Relu', net.conv(net.op('GlobalAveragePool', x), c, mid, 1, bias=True, pads=[0] * 4))
    return net.op('Mul', x, net.op('HardSigmoid', net.conv(s, mid, c, 1, bias=True, pads=[0] * 4), alpha=1 / 6))


def mobilenet_v3(size=96):
    """Squeeze-excite, hard swish, 5x5 depthwise convolutions, odd channel counts."""
    net = Net('mobilenet_v3', 21)
    x, cin = act(net, net.bn(net.conv('x', 3, 16, 3, 2), 16), 'hswish'), 16
    for k, mid, c, se, kind, s in [(3, 16, 16, True, 'relu', 2), (3, 72, 24, False, 'relu', 2),
                                   (3, 88, 24, False, 'relu', 1), (5, 96, 40, True, 'hswish', 2),
                                   (5, 240, 40, True, 'hswish', 1), (5, 120, 48, True, 'hswish', 1)]:
        y = act(net, net.bn(net.conv(x, cin, mid, 1, pads=[0] * 4), mid), kind)
        y = act(net, net.bn(net.conv(y, mid, mid, k, s, group=mid), mid), kind)
        y = squeeze_excite(net, y, mid, mid // 4) if se else y
        y = net.bn(net.conv(y, mid, c, 1, pads=[0] * 4), c, gain=0.5 if s == 1 and cin == c else 1.0)
        x, cin = (net.op('Add', x, y) if s == 1 and cin == c else y), c
    x = net.op('Flatten', net.op('GlobalAveragePool', x))
    return net.model([('x', T.FLOAT, [1, 3, size, size])], [(net.dense(x, cin, 10), [1, 10])])


def shufflenet_v2():
    """Split, channel shuffle by reshape and transpose, concat."""
    net = Net('shufflenet_v2', 22)
    i64 = lambda *v: net.const(np.array(v, np.int64))
    x, c, size = net.op('Relu', net.bn(net.conv('x', 3, 48, 3, 2), 48)), 48, 32
    for _ in range(3):
        a, b = net.op('Split', x, i64(c // 2, c // 2), axis=1, outputs=2)
        b = net.op('Relu', net.bn(net.conv(b, c // 2, c // 2, 1, pads=[0] * 4), c // 2))
        b = net.bn(net.conv(b, c // 2, c // 2, 3, group=c // 2), c // 2)
        b = net.op('Relu', net.bn(net.conv(b, c // 2, c // 2, 1, pads=[0] * 4), c // 2))
        x = net.op('Concat', a, b, axis=1)
        x = net.op('Reshape', x, i64(1, 2, c // 2, size, size))
        x = net.op('Reshape', net.op('Transpose', x, perm=[0, 2, 1, 3, 4]), i64(1, c, size, size))
    x = net.op('ReduceMean', x, axes=[2, 3], keepdims=0)
    return net.model([('x', T.FLOAT, [1, 3, 64, 64])], [(net.dense(x, c, 10), [1, 10])])


def unet():
    """Skip connections, transposed convolutions, resizes."""
    net = Net('unet', 23)
    conv = lambda x, a, b: net.op('Relu', net.bn(net.conv(x, a, b, 3), b))
    a = conv('x', 3, 16)
    b = conv(net.op('MaxPool', a, kernel_shape=[2, 2], strides=[2, 2]), 16, 32)
    c = conv(net.op('MaxPool', b, kernel_shape=[2, 2], strides=[2, 2]), 32, 48)
    w = net.const(net.f32(48, 32, 2, 2, scale=0.1))
    up = net.op('ConvTranspose', c, w, net.const(net.f32(32, scale=0.1)), kernel_shape=[2, 2], strides=[2, 2])
    d = conv(net.op('Concat', up, b, axis=1), 64, 32)
    scales = net.const(np.array([1, 1, 2, 2], np.float32))
    up = net.op('Resize', d, '', scales, mode='linear', coordinate_transformation_mode='half_pixel')
    e = conv(net.op('Concat', up, a, axis=1), 48, 16)
    y = net.op('Sigmoid', net.conv(e, 16, 3, 1, bias=True, pads=[0] * 4))
    return net.model([('x', T.FLOAT, [1, 3, 56, 72])], [(y, [1, 3, 56, 72])])


def yolo():
    """CSP blocks with splits, spatial pyramid of max pools, nearest upsampling, a transposed head."""
    net = Net('yolo', 24)
    i64 = lambda *v: net.const(np.array(v, np.int64))
    conv = lambda x, a, b, k=1, s=1: act(net, net.conv(x, a, b, k, s, bias=True), 'swish')

    def csp(x, c):
        x = conv(x, c, c)
        a, b = net.op('Split', x, i64(c // 2, c // 2), axis=1, outputs=2)
        y = net.op('Add', b, conv(conv(b, c // 2, c // 2, 3), c // 2, c // 2, 3))
        return conv(net.op('Concat', a, b, y, axis=1), c + c // 2, c)

    p3 = csp(conv(conv('x', 3, 16, 3, 2), 16, 32, 3, 2), 32)
    p4 = csp(conv(p3, 32, 64, 3, 2), 64)
    pools = [p4]
    for _ in range(3):
        pools.append(net.op('MaxPool', pools[-1], kernel_shape=[5, 5], pads=[2] * 4))
    p4 = conv(net.op('Concat', *pools, axis=1), 256, 64)
    scales = net.const(np.array([1, 1, 2, 2], np.float32))
    up = net.op('Resize', p4, '', scales, mode='nearest', nearest_mode='floor',
                coordinate_transformation_mode='asymmetric')
    p3 = csp(net.op('Concat', up, p3, axis=1), 96)
    heads = []
    for p, c, n in ((p3, 96, 20 * 24), (p4, 64, 10 * 12)):
        y = net.conv(p, c, 13, 1, bias=True, pads=[0] * 4)
        heads.append(net.op('Reshape', y, i64(1, 13, n)))
    y = net.op('Transpose', net.op('Concat', *heads, axis=2), perm=[0, 2, 1])
    box, score = net.op('Split', y, i64(4, 9), axis=2, outputs=2)
    y = net.op('Concat', net.op('Exp', net.op('Tanh', box)), net.op('Sigmoid', score), axis=2)
    return net.model([('x', T.FLOAT, [1, 3, 80, 96])], [(y, [1, 600, 13])])


def convnext():
    """7x7 depthwise, layer norm over channels in the last place, GELU, layer scale."""
    net = Net('convnext', 25)
    x, c = net.conv('x', 3, 48, 4, 4, bias=True, pads=[0] * 4), 48
    for _ in range(2):
        y = net.op('Transpose', net.conv(x, c, c, 7, group=c, bias=True), perm=[0, 2, 3, 1])
        y = net.dense(gelu(net, net.dense(layer_norm(net, y, c), c, 4 * c)), 4 * c, c, gain=0.5)
        y = net.op('Mul', y, net.const(net.rng.uniform(0.5, 1, c).astype(np.float32)))
        x = net.op('Add', x, net.op('Transpose', y, perm=[0, 3, 1, 2]))
    x = net.op('ReduceMean', x, axes=[2, 3], keepdims=0)
    return net.model([('x', T.FLOAT, [1, 3, 64, 64])], [(net.dense(x, c, 10), [1, 10])])


def vit():
    """Patches, class token, attention from one projection that is split in three."""
    net = Net('vit', 26)
    i64 = lambda *v: net.const(np.array(v, np.int64))
    d, heads, n = 96, 3, 17
    x = net.op('Reshape', net.conv('x', 3, d, 16, 16, bias=True, pads=[0] * 4), i64(1, d, 16))
    x = net.op('Concat', net.const(net.f32(1, 1, d, scale=0.5)), net.op('Transpose', x, perm=[0, 2, 1]), axis=1)
    x = net.op('Add', x, net.const(net.f32(1, n, d, scale=0.1)))
    ln = lambda x: net.op('LayerNormalization', x, net.const(net.rng.uniform(0.5, 1.5, d).astype(np.float32)),
                          net.const(net.f32(d, scale=0.1)), axis=-1)
    for _ in range(2):
        qkv = net.op('Reshape', net.dense(ln(x), d, 3 * d), i64(1, n, 3, heads, d // heads))
        qkv = net.op('Transpose', qkv, perm=[2, 0, 3, 1, 4])
        q, k, v = [net.op('Gather', qkv, net.const(np.int64(i)), axis=0) for i in range(3)]
        s = net.op('MatMul', q, net.op('Transpose', k, perm=[0, 1, 3, 2]))
        p = net.op('Softmax', net.op('Mul', s, net.const(np.float32((d // heads) ** -0.5))), axis=-1)
        a = net.op('Reshape', net.op('Transpose', net.op('MatMul', p, v), perm=[0, 2, 1, 3]), i64(1, n, d))
        x = net.op('Add', x, net.dense(a, d, d, gain=0.5))
        x = net.op('Add', x, net.dense(net.op('Gelu', net.dense(ln(x), d, 4 * d)), 4 * d, d, gain=0.5))
    x = net.op('Gather', ln(x), net.const(np.int64(0)), axis=1)
    return net.model([('x', T.FLOAT, [1, 3, 64, 64])], [(net.dense(x, d, 10), [1, 10])], opset=20)


def gpt():
    """Causal attention with a mask by Where and Trilu, tied embedding, symbolic length."""
    net = Net('gpt', 27)
    i64 = lambda *v: net.const(np.array(v, np.int64))
    d, heads, vocab = 64, 4, 1000
    table = net.const(net.f32(vocab, d, scale=0.5))
    n = net.op('Gather', net.op('Shape', 'ids'), net.const(np.int64(1)), axis=0)
    pos = net.op('Range', net.const(np.int64(0)), n, net.const(np.int64(1)))
    x = net.op('Add', net.op('Gather', table, 'ids', axis=0),
               net.op('Gather', net.const(net.f32(256, d, scale=0.1)), pos, axis=0))
    row, col = net.op('Unsqueeze', pos, i64(1)), net.op('Unsqueeze', pos, i64(0))
    allowed = net.op('LessOrEqual', col, row)
    norm = lambda x: layer_norm(net, x, d)
    for _ in range(2):
        parts = net.op('Split', net.dense(norm(x), d, 3 * d), i64(d, d, d), axis=2, outputs=3)
        q, k, v = [net.op('Transpose', net.op('Reshape', a, i64(0, 0, heads, d // heads)), perm=[0, 2, 1, 3])
                   for a in parts]
        s = net.op('MatMul', q, net.op('Transpose', k, perm=[0, 1, 3, 2]))
        s = net.op('Div', s, net.const(np.float32(np.sqrt(d // heads))))
        p = net.op('Softmax', net.op('Where', allowed, s, net.const(np.float32(-1e9))), axis=-1)
        a = net.op('Reshape', net.op('Transpose', net.op('MatMul', p, v), perm=[0, 2, 1, 3]), i64(0, 0, d))
        x = net.op('Add', x, net.dense(a, d, d, gain=0.5))
        x = net.op('Add', x, net.dense(gelu(net, net.dense(norm(x), d, 4 * d)), 4 * d, d, gain=0.5))
    y = net.op('MatMul', norm(x), net.op('Transpose', table, perm=[1, 0]))
    return net.model([('ids', T.INT64, ['batch', 'seq'])], [(y, ['batch', 'seq', vocab])])


def resnext():
    """Grouped and dilated convolutions, PRelu, instance normalisation, average pooling with padding."""
    net = Net('resnext', 28)
    x = net.op('PRelu', net.conv('x', 3, 32, 3, bias=True), net.const(net.rng.uniform(0, 0.5, (32, 1, 1)).astype(np.float32)))
    y = net.op('Relu', net.bn(net.conv(x, 32, 64, 3, group=4), 64))
    y = net.op('Relu', net.bn(net.conv(y, 64, 64, 3, group=16, stride=2), 64))
    y = net.op('InstanceNormalization', y, net.const(net.rng.uniform(0.5, 1.5, 64).astype(np.float32)),
               net.const(net.f32(64, scale=0.1)))
    w = net.const(net.f32(40, 64, 3, 3, scale=0.05))
    y = net.op('LeakyRelu', net.op('Conv', y, w, kernel_shape=[3, 3], dilations=[2, 2], pads=[2] * 4), alpha=0.1)
    y = net.op('AveragePool', y, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    return net.model([('x', T.FLOAT, [2, 3, 30, 34])], [(y, [2, 40, 8, 9])])


def tcn():
    """Dilated 1-d convolutions over a symbolic length, causal padding, gates."""
    net = Net('tcn', 29)
    x, c = 'x', 10
    for d in (1, 2, 4):
        w = net.const(net.f32(48, c, 3, scale=np.sqrt(1.0 / c / 3)))
        y = net.op('Conv', x, w, net.const(net.f32(48, scale=0.1)), kernel_shape=[3], dilations=[d], pads=[2 * d, 0])
        a, b = net.op('Split', y, net.const(np.array([24, 24], np.int64)), axis=1, outputs=2)
        x, c = net.op('Mul', net.op('Tanh', a), net.op('Sigmoid', b)), 24
    y = net.op('Conv', x, net.const(net.f32(5, 24, 1, scale=0.3)), kernel_shape=[1])
    return net.model([('x', T.FLOAT, [1, 10, 'seq'])], [(y, [1, 5, 'seq'])])


def groups():
    """Group normalisation as exporters write it before opset 21, SiLU, residual; symbolic height and width."""
    net, c = Net('groups', 30), 48
    i64 = lambda *v: net.const(np.array(v, np.int64))

    def norm_silu(x):
        y = net.op('Reshape', x, i64(0, 8, -1))
        y = net.op('InstanceNormalization', y, net.const(np.ones(8, np.float32)), net.const(np.zeros(8, np.float32)))
        y = net.op('Mul', net.op('Reshape', y, net.op('Shape', x)), net.const(1 + net.f32(c, 1, 1, scale=0.2)))
        y = net.op('Add', y, net.const(net.f32(c, 1, 1, scale=0.1)))
        return net.op('Mul', y, net.op('Sigmoid', y))

    x = net.conv('x', 3, c, 3, bias=True)
    for _ in range(2):
        y = net.conv(norm_silu(x), c, c, 3, bias=True)
        x = net.op('Add', x, net.conv(norm_silu(y), c, c, 3, bias=True, gain=0.5))
    return net.model([('x', T.FLOAT, [1, 3, 'h', 'w'])], [(net.conv(norm_silu(x), c, 3, 3, bias=True), [1, 3, 'h', 'w'])])


def spectrogram():
    """Frames by a convolution with long filters behind a reflecting Pad, power, logarithm, normalisation in time."""
    net = Net('spectrogram', 31)
    i64 = lambda *v: net.const(np.array(v, np.int64))
    x = net.op('Pad', net.op('Unsqueeze', 'wave', i64(1)), i64(0, 0, 64, 0, 0, 64), mode='reflect')
    x = net.op('Conv', x, net.const(net.f32(130, 1, 128, scale=0.1)), kernel_shape=[128], strides=[32])
    a, b = net.op('Split', x, i64(65, 65), axis=1, outputs=2)
    x = net.op('Add', net.op('Pow', a, net.const(np.float32(2))), net.op('Pow', b, net.const(np.float32(2))))
    x = net.op('MatMul', net.const(np.abs(net.f32(20, 65, scale=0.1))), x)
    x = net.op('Log', net.op('Clip', x, net.const(np.float32(1e-5))))
    x = net.op('Sub', x, net.op('ReduceMean', x, axes=[2], keepdims=1))
    return net.model([('wave', T.FLOAT, ['batch', 'seq'])], [(x, ['batch', 20, 'frames'])])


def detector():
    """Heads of a detector: boxes by Reshape, Transpose, Split, a grid from Range and Expand, all sizes open."""
    net, outs = Net('detector', 32), []
    i64 = lambda *v: net.const(np.array(v, np.int64))
    dim = lambda x, i: net.op('Unsqueeze', net.op('Gather', net.op('Shape', x), net.const(np.int64(i)), axis=0), i64(0))
    flat = lambda n: net.op('Squeeze', n, i64(0))
    span = lambda n: net.op('Cast', net.op('Range', net.const(np.int64(0)), flat(n), net.const(np.int64(1))), to=T.FLOAT)
    x = net.op('Relu', net.conv('x', 3, 24, 3, stride=2, bias=True))
    for step in (4, 8):
        x = net.op('Relu', net.conv(x, 24, 24, 3, stride=2, bias=True))
        y = net.conv(x, 24, 3 * 11, 1, bias=True)
        n, h, w = (dim(y, i) for i in (0, 2, 3))
        y = net.op('Reshape', y, net.op('Concat', n, i64(3, 11), h, w, axis=0))
        y = net.op('Sigmoid', net.op('Transpose', y, perm=[0, 1, 3, 4, 2]))
        at, size, rest = net.op('Split', y, i64(2, 2, 7), axis=4, outputs=3)
        shape = net.op('Concat', h, w, axis=0)
        grid = [net.op('Unsqueeze', net.op('Expand', g, shape), i64(-1))
                for g in (span(w), net.op('Unsqueeze', span(h), i64(1)))]
        at = net.op('Mul', net.op('Add', at, net.op('Concat', *grid, axis=-1)), net.const(np.float32(step)))
        size = net.op('Mul', net.op('Pow', size, net.const(np.float32(2))), net.const(net.f32(1, 3, 1, 1, 2, scale=9)))
        y = net.op('Concat', at, size, rest, axis=4)
        outs.append(net.op('Reshape', y, net.op('Concat', n, i64(-1, 11), axis=0)))
    return net.model([('x', T.FLOAT, ['batch', 3, 'h', 'w'])], [(net.op('Concat', *outs, axis=1), ['batch', 'boxes', 11])])


def halves():
    """16-bit floats between two Casts, as converters make of a network."""
    net = Net('halves', 33)
    f16 = lambda *shape, scale=1.0: net.const(net.f32(*shape, scale=scale).astype(np.float16))
    x = net.op('Cast', 'x', to=T.FLOAT16)
    x = net.op('Relu', net.op('Conv', x, f16(24, 3, 3, 3, scale=0.3), f16(24, scale=0.1), pads=[1] * 4))
    y = net.op('Conv', x, f16(24, 24, 3, 3, scale=0.1), f16(24, scale=0.1), pads=[1] * 4)
    x = net.op('MaxPool', net.op('Add', x, y), kernel_shape=[2, 2], strides=[2, 2])
    x = net.op('Concat', x, net.op('Sigmoid', x), axis=1)
    x = net.op('Flatten', net.op('GlobalAveragePool', x))
    x = net.op('Gemm', x, f16(10, 48, scale=0.3), f16(10, scale=0.1), transB=1)
    return net.model([('x', T.FLOAT, [2, 3, 18, 20])], [(net.op('Cast', x, to=T.FLOAT), [2, 10])])


LIGHT = {
    'resnet50': 'light_resnet50', 'densenet121': 'light_densenet121', 'inception_v1': 'light_inception_v1',
    'inception_v2': 'light_inception_v2', 'shufflenet': 'light_shufflenet', 'squeezenet': 'light_squeezenet',
    'vgg19': 'light_vgg19', 'zfnet512': 'light_zfnet512', 'alexnet': 'light_bvlc_alexnet',
}


def seeded_weight(rng, shape, node, slot, is_branch):
    """A weight for operand SLOT of NODE; IS_BRANCH: the node ends a residual branch."""
    if node.op_type == 'BatchNormalization':
        gain = 0.3 if is_branch and slot == 1 else 1.0
        return rng.uniform(0.5, 1.5, shape) * gain if slot in (1, 4) else rng.standard_normal(shape) * 0.1
    if len(shape) == 1:
        return rng.standard_normal(shape) * 0.05
    trans = any(a.name == 'transB' and a.i for a in node.attribute)
    fan = int(np.prod(shape[1:])) if node.op_type == 'Conv' or trans else shape[0]
    return rng.standard_normal(shape) * np.sqrt(2.0 / max(fan, 1))


def light(name, seed=11):
    """A light network of the ONNX suite (weights are ConstantOfShape nodes) with seeded weights instead,
    and with the operand of a last Softmax as a second output."""
    base = os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data', 'light')
    m = onnx.load(os.path.join(base, LIGHT[name] + '.onnx'))
    rng, g = np.random.default_rng(seed), m.graph
    shapes = {i.name: nh.to_array(i) for i in g.initializer}
    weights = {n.output[0]: n for n in g.node if n.op_type == 'ConstantOfShape' and n.input[0] in shapes}
    done, added = set(), {x for n in g.node if n.op_type in ('Add', 'Sum') for x in n.input}
    for node in list(g.node):
        for slot, x in enumerate(node.input):
            if x in weights and x not in done:
                done.add(x)
                w = seeded_weight(rng, tuple(int(d) for d in shapes[weights[x].input[0]]), node, slot,
                                  node.output[0] in added)
                g.initializer.append(nh.from_array(w.astype(np.float32), x))
    for x in done:
        g.node.remove(weights[x])
    used = {i for n in g.node for i in n.input}
    for i in [i for i in g.initializer if i.name not in used]:
        g.initializer.remove(i)
    return add_logits(m)


def add_logits(m):
    """If an output is made by a Softmax or a Sigmoid, its operand becomes an output as well: behind
    them little can be seen."""
    makers = {o: n for n in m.graph.node for o in n.output}
    for out in list(m.graph.output):
        n = makers.get(out.name)
        while n and n.op_type == 'Identity':
            n = makers.get(n.input[0])
        if n and n.op_type in ('Softmax', 'Sigmoid'):
            m.graph.output.append(h.make_empty_tensor_value_info(n.input[0]))
            m.graph.output[-1].type.tensor_type.elem_type = T.FLOAT
    return m


ZOO = {
    'mlp': mlp, 'small_cnn': small_cnn, 'resnet50': resnet50, 'mobilenet_v2': mobilenet_v2,
    'bert_base': lambda: encoder('bert_base', 5, 12, 768, 12, 3072, 128),
    'minilm': lambda: encoder('minilm', 6, 6, 384, 12, 1536, 32),
    'minilm_dynamic': lambda: encoder('minilm_dynamic', 6, 6, 384, 12, 1536, 'seq'),
    'mobilenet_v3': mobilenet_v3, 'shufflenet_v2': shufflenet_v2, 'unet': unet, 'yolo': yolo,
    'convnext': convnext, 'vit': vit, 'gpt': gpt, 'resnext': resnext, 'tcn': tcn,
    'groups': groups, 'spectrogram': spectrogram, 'detector': detector, 'halves': halves,
    'tiny_encoder': lambda: encoder('tiny_encoder', 7, 2, 64, 4, 128, 16),
}
for _name in LIGHT:
    ZOO['light_' + _name] = lambda n=_name: light(n)


def random_inputs(model, rng, dims=None):
    """Arrays for the model's inputs; DIMS gives symbolic dimensions by name."""
    init = {i.name for i in model.graph.initializer}
    out = {}
    for v in model.graph.input:
        if v.name in init:
            continue
        t = v.type.tensor_type
        shape = [d.dim_value if d.HasField('dim_value') else (dims or {})[d.dim_param] for d in t.shape.dim]
        if t.elem_type == T.INT64:
            a = np.ones(shape, np.int64) if 'mask' in v.name else rng.integers(0, 1000, shape)
            if 'mask' in v.name and shape[-1] > 4:
                a[..., -3:] = 0
            out[v.name] = a.astype(np.int64)
        else:
            out[v.name] = rng.standard_normal(shape).astype(np.float32)
    return out


def check_sane(outputs):
    """Raises ValueError for outputs that prove nothing. Probabilities may be saturated where what they
    are made of (add_logits) is an output, too."""
    for name, y in outputs.items():
        y = np.asarray(y, np.float64)
        if not np.isfinite(y).all():
            raise ValueError(f'{name} has NaN or infinity')
        room = np.ptp(y)
        if y.size > 1 and room <= 1e-6 * max(np.abs(y).max(), 1e-30):
            raise ValueError(f'{name} is constant')
        ends = np.minimum(y - y.min(), y.max() - y) <= 1e-6 * room
        if y.size > 16 and ends.mean() > 0.9 and len(outputs) == 1:
            raise ValueError(f'{name} is saturated')


def write(name, folder):
    """The path of NAME.onnx, which is made when it isn't there or this file has changed."""
    os.makedirs(folder, exist_ok=True)
    path, key = os.path.join(folder, name + '.onnx'), os.path.join(folder, name + '.key')
    with open(__file__, 'rb') as f:
        now = hashlib.sha256(f.read()).hexdigest()
    if not os.path.exists(path) or not os.path.exists(key) or open(key).read() != now:
        part = f'{path}.{os.getpid()}'
        onnx.save(ZOO[name](), part)
        os.rename(part, path)
        with open(key, 'w') as f:
            f.write(now)
    return path


if __name__ == '__main__':
    if sys.argv[1:] == ['--list']:
        print('\n'.join(ZOO))
    else:
        print(write(sys.argv[1], sys.argv[2]))
