"""Makers: elementwise operators, reductions, normalisations."""
import numpy as np
from onnx import helper as h

from makers import maker

SMOOTH = ['Relu', 'Sigmoid', 'Tanh', 'Exp', 'Abs', 'Neg', 'Sqrt', 'Erf', 'Gelu', 'HardSwish', 'Elu', 'Softplus', 'Sin',
          'Cos', 'LeakyRelu', 'HardSigmoid', 'Selu', 'Mish', 'Softsign', 'Log', 'Reciprocal', 'Identity', 'Atan', 'Celu',
          'ThresholdedRelu', 'Asinh']
KEEP_EXACT = {'Relu', 'Abs', 'Neg', 'Identity'}
JUMPING = ['Floor', 'Ceil', 'Round', 'Sign', 'Not', 'IsNaN', 'IsInf']


@maker(12)
def unary(net):
    op = net.pick(SMOOTH)
    x = net.any() if op in KEEP_EXACT else net.any(lambda v: v.is_float)
    if x and not (op == 'ThresholdedRelu' and not x.is_exact):
        net.op(op, x, exact=op in KEEP_EXACT)


@maker(3)
def jumping(net):
    x = net.any(lambda v: v.is_exact)
    if x:
        net.op(net.pick(JUMPING), x, exact=True)


def partner(net, x):
    """Something to combine X with: a value that broadcasts, or a weight of fewer or narrower dimensions."""
    def fits(v):
        return v.array.dtype == x.array.dtype and v is not x and all(
            a == b or 1 in (a, b) for a, b in zip(reversed(v.shape), reversed(x.shape)))
    y = net.any(fits) if net.chance(0.6) else None
    if y:
        return y
    shape = [1 if net.chance(0.4) else n for n in x.shape][net.int(0, x.rank):]
    return net.const(net.data(shape, x.array.dtype))


@maker(16)
def binary(net):
    x = net.any()
    y = partner(net, x)
    op = net.pick(['Add', 'Mul', 'Sub', 'Div', 'Max', 'Min', 'PRelu', 'Mod', 'And', 'Or', 'Xor', 'Mean', 'Sum'],
                  [.25, .2, .15, .1, .06, .06, .06, .02, .02, .02, .02, .02, .02])
    if op == 'Mod' and x.is_float:
        return
    if op == 'Div' and not x.is_float and not y.array.all():
        return
    if op == 'PRelu' and np.broadcast_shapes(x.shape, y.shape) != x.shape:
        return  # the slope broadcasts, not what it is applied to
    if op != 'PRelu' and net.chance(0.3):
        x, y = y, x
    net.op(op, x, y, exact=op in ('Max', 'Min', 'And', 'Or', 'Xor') or not x.is_float)


@maker(3)
def compare(net):
    x = net.any(lambda v: v.is_exact)
    y = x and partner(net, x)
    if x and y.is_exact:
        net.op(net.pick(['Less', 'Greater', 'Equal', 'LessOrEqual', 'GreaterOrEqual']), x, y)


@maker(3)
def where(net):
    c = net.any(lambda v: v.array.dtype == np.bool_)
    x = net.any(lambda v: v.array.dtype != np.bool_)
    if c and x:
        net.op('Where', c, x, partner(net, x), exact=True)


@maker(3)
def cast(net):
    x = net.any(lambda v: v.is_exact)
    if x:
        to = net.pick([np.float32, np.int64, np.int32, np.bool_, np.uint8, np.float64], [.5, .1, .1, .1, .1, .1])
        if not (x.is_float and np.dtype(to).kind in 'u'):
            net.op('Cast', x, to=h.np_dtype_to_tensor_dtype(np.dtype(to)), exact=True)


@maker(3)
def clip(net):
    x = net.any(lambda v: v.array.dtype != np.bool_)
    if x:
        low, high = (net.const(np.array(n, x.array.dtype)) for n in (0 if net.chance(0.5) else 1, 3))
        net.op('Clip', x, low, high if net.chance(0.7) else None, exact=True)


@maker(2)
def power(net):
    x = net.f32()
    if x:
        net.op('Pow', x, net.const(np.array(net.pick([2, 3, 0.5, -1, 1]), np.float32)))


# ---- reducing ----

REDUCTIONS = ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceLogSumExp',
              'ReduceSumSquare', 'ReduceProd', 'ReduceLogSum']


@maker(9)
def reduce(net):
    x = net.any(lambda v: v.array.dtype != np.bool_ and v.rank > 0)
    if not x:
        return
    op = net.pick(REDUCTIONS, [.25, .2, .15, .1, .06, .08, .06, .06, .02, .02])
    if not x.is_float and op in ('ReduceMean', 'ReduceL2', 'ReduceLogSumExp', 'ReduceLogSum'):
        return  # would jump
    axes = [i for i in range(x.rank) if net.chance(0.4)] or [net.int(-x.rank, x.rank - 1)]
    net.op(op, x, net.ints(axes), keepdims=net.int(0, 1), exact=op in ('ReduceMax', 'ReduceMin') or not x.is_float)


@maker(7)
def softmax(net):
    x = net.any(lambda v: v.is_float and v.rank > 0)
    if x:
        net.op(net.pick(['Softmax', 'Softmax', 'LogSoftmax']), x, axis=net.int(-x.rank, x.rank - 1))


@maker(2)
def arg(net):
    x = net.any(lambda v: v.is_exact and v.rank > 0 and v.array.dtype != np.bool_)
    if x and net.chance(0.8):
        net.op(net.pick(['ArgMax', 'ArgMin']), x, axis=net.int(-x.rank, x.rank - 1), keepdims=net.int(0, 1),
               select_last_index=net.int(0, 1))
    elif x and x.is_float:
        net.op('Hardmax', x, axis=net.int(0, x.rank - 1), exact=True)


@maker(3)
def cumsum(net):
    x = net.any(lambda v: v.array.dtype != np.bool_ and v.rank > 0)
    if x:
        net.op('CumSum', x, net.const(np.array(net.int(0, x.rank - 1), np.int64)), exclusive=net.int(0, 1),
               reverse=net.int(0, 1), exact=not x.is_float)


@maker(6)
def normalize(net):
    x = net.f32(2, 5)
    if not x:
        return
    c = x.shape[1]
    op = net.pick(['LayerNormalization', 'BatchNormalization', 'InstanceNormalization', 'GroupNormalization',
                   'LpNormalization', 'MeanVarianceNormalization', 'LRN'], [.35, .25, .1, .1, .08, .06, .06])
    if op == 'LayerNormalization':
        axis = net.int(max(x.rank - 2, 1), x.rank - 1)
        net.op(op, x, net.const(x.shape[axis:], 1), net.const(x.shape[axis:], 1), axis=axis, epsilon=1e-2)
    elif op == 'BatchNormalization':
        var = net.const(np.abs(net.data([c])) + np.float32(0.5))
        net.op(op, x, *(net.const([c], 1) for _ in range(3)), var)
    elif op == 'InstanceNormalization':
        net.op(op, x, net.const([c], 1), net.const([c], 1), epsilon=1e-2)
    elif op == 'GroupNormalization':
        net.op(op, x, net.const([c], 1), net.const([c], 1), num_groups=net.pick([g for g in (1, 2, 3, 4) if c % g == 0]),
               epsilon=1e-2)
    elif op == 'LpNormalization':
        net.op(op, x, axis=net.int(0, x.rank - 1), p=net.int(1, 2))
    elif op == 'LRN':
        net.op(op, x, size=net.pick([1, 3, 5]))
    else:
        net.op(op, x, axes=[0, 2, 3] if x.rank == 4 else [0])
