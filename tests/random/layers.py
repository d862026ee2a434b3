"""Makers: products, convolutions, pools, and whole pieces of networks."""
import numpy as np

from makers import maker

@maker(9)
def matmul(net):
    x = net.f32(1, 5)
    if not x:
        return
    k = x.shape[-1]
    y = net.any(lambda v: v.rank > 1 and v.array.dtype == np.float32 and v.shape[-2] == k) if net.chance(0.4) else None
    if not y:
        batch = list(x.shape[:-2]) if net.chance(0.15) else []
        y = net.const(batch + [k, net.width()], k ** -0.5)
    out = net.op('MatMul', x, y)
    if out and out.rank and net.chance(0.5):
        out = net.op('Add', out, net.const([out.shape[-1]], 1))
    if out and net.chance(0.4):
        net.op(net.pick(['Relu', 'Gelu', 'Tanh', 'Sigmoid']), out)


@maker(3)
def product_of_itself(net):
    """X times its transpose, as attention has it."""
    x = net.f32(2, 4)
    if not x:
        return
    perm = [*range(x.rank - 2), x.rank - 1, x.rank - 2]
    t = net.op('Transpose', x, perm=perm)
    s = t and net.op('MatMul', x, t)
    s = s and net.op('Mul', s, net.const(np.float32(x.shape[-1] ** -0.5)))
    s = s and net.op('Softmax', s, axis=-1)
    if s:
        net.op('MatMul', s, x)


@maker(4)
def gemm(net):
    x = net.f32(2, 2)
    if not x:
        return
    ta, tb = net.int(0, 1), net.int(0, 1)
    k, n = x.shape[0 if ta else 1], net.width()
    c = [] if net.chance(0.3) else [net.const(net.pick([[n], [1, n], [x.shape[1 if ta else 0], 1], [1]]), 1)]
    net.op('Gemm', x, net.const([n, k] if tb else [k, n], k ** -0.5), *c, transA=ta, transB=tb,
           alpha=net.pick([1.0, 0.5]), beta=net.pick([1.0, 2.0]))


def window(net, x):
    """Attributes of a window over the extents behind the first two; it fits into them, since ONNX Runtime makes one
    result of one that doesn't."""
    n = x.rank - 2
    k = [net.int(1, min(4, s)) for s in x.shape[2:]]
    out = {'kernel_shape': k, 'strides': [net.pick([1, 1, 1, 2, 3]) for _ in range(n)]}
    if net.chance(0.25):
        out['dilations'] = [net.int(1, 2) if 2 * k[i] - 1 <= x.shape[2 + i] else 1 for i in range(n)]
    if net.chance(0.2) and 'dilations' not in out:
        out['auto_pad'] = net.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID'])
    elif net.chance(0.7):
        out['pads'] = [net.int(0, k[i % n] - 1) for i in range(2 * n)]
    return out


@maker(12)
def conv(net):
    x = net.f32(3, 5)
    if not x:
        return
    c = x.shape[1]
    group = net.pick([g for g in (1, 1, 1, 2, 3, c) if c % g == 0])
    m = group * net.pick([1, 2, 3]) if group > 1 else net.width()
    w = window(net, x)
    weight = net.const([m, c // group, *w['kernel_shape']], (c // group * np.prod(w['kernel_shape'])) ** -0.5)
    out = net.op('Conv', x, weight, *([net.const([m], 1)] if net.chance(0.5) else []), group=group, **w)
    if out and net.chance(0.3):
        var = net.const(np.abs(net.data([m])) + np.float32(0.5))
        out = net.op('BatchNormalization', out, *(net.const([m], 1) for _ in range(3)), var)
    if out and net.chance(0.5):
        out = net.op(net.pick(['Relu', 'HardSwish', 'Sigmoid', 'LeakyRelu']), out)
    if out and out.shape == x.shape and net.chance(0.5):
        net.op('Add', x, out)


@maker(3)
def conv_transpose(net):
    x = net.f32(3, 4)
    if not x:
        return
    c = x.shape[1]
    group = net.pick([g for g in (1, 1, 2, c) if c % g == 0])
    m = net.int(1, 5)
    w = window(net, x)
    if 'auto_pad' in w:
        return
    if net.chance(0.3):
        w['output_padding'] = [net.int(0, s - 1) for s in w['strides']]
    weight = net.const([c, m, *w['kernel_shape']], (c * np.prod(w['kernel_shape'])) ** -0.5)
    net.op('ConvTranspose', x, weight, *([net.const([m * group], 1)] if net.chance(0.5) else []), group=group, **w)


EQUATIONS = ['ij,jk->ik', 'bij,bjk->bik', 'ij->ji', 'bhid,bhjd->bhij', 'ij,kj->ik', 'bi,bi->b', 'ijk->k', 'ii->i']


@maker(2)
def einsum(net):
    equation = net.pick(EQUATIONS)
    terms = equation.split('->')[0].split(',')
    x = net.f32(len(terms[0]), len(terms[0]))
    if x:
        extents = dict(zip(terms[0], x.shape))
        more = [net.const([extents.setdefault(c, net.size(20)) for c in t], 0.3) for t in terms[1:]]
        net.op('Einsum', x, *more, equation=equation)


@maker(6)
def pool(net):
    x = net.f32(3, 5)
    if not x:
        return
    op, w = net.pick(['MaxPool', 'AveragePool', 'LpPool', 'GlobalAveragePool', 'GlobalMaxPool'],
                     [.35, .35, .05, .15, .1]), window(net, x)
    if op.startswith('Global'):
        net.op(op, x, exact=op == 'GlobalMaxPool')
        return
    if 'auto_pad' not in w and net.chance(0.3):
        w['ceil_mode'] = 1
    if op == 'AveragePool':
        w['count_include_pad'] = net.int(0, 1)
    net.op(op, x, exact=op == 'MaxPool', **w)


# ---- whole pieces ----

@maker(2)
def squeeze_and_excite(net):
    x = net.f32(4, 4)
    s = x and net.op('GlobalAveragePool', x)
    s = s and net.op('Conv', s, net.const([4, x.shape[1], 1, 1], 0.3))
    s = s and net.op('Relu', s)
    s = s and net.op('Conv', s, net.const([x.shape[1], 4, 1, 1], 0.3))
    s = s and net.op('Sigmoid', s)
    if s:
        net.op('Mul', x, s)


@maker(2)
def by_hand_norm(net):
    """Layer norm in the pieces that exporters make of it."""
    x = net.f32(1, 4)
    m = x and net.op('ReduceMean', x, net.ints([-1]))
    d = m and net.op('Sub', x, m)
    q = d and net.op('Mul', d, d)
    v = q and net.op('ReduceMean', q, net.ints([-1]))
    v = v and net.op('Add', v, net.const(np.float32(1e-2)))
    v = v and net.op('Sqrt', v)
    if v:
        net.op('Div', d, v)


@maker(2)
def shape_of(net):
    """A reshape by what Shape says, as exporters write it for open sizes."""
    x = net.any(lambda v: v.rank > 1)
    s = x and net.op('Shape', x)
    first = s and net.op('Gather', s, net.ints([0]), axis=0)
    to = first and net.op('Concat', first, net.ints([-1]), axis=0)
    if to:
        net.op('Reshape', x, to, exact=True)
