"""Makers: quantised values, products of bytes, bits, indices."""
import numpy as np
import onnx

from layers import window
from makers import maker
from maps import partner

@maker(2)
def quantized(net):
    x = net.any(lambda v: v.is_exact and v.array.dtype == np.float32)
    # Dividing by a power of two is exact.
    scale, zero = net.const(np.array(1 / 32, np.float32)), net.const(np.array(net.int(100, 140), np.uint8))
    q = x and net.op('QuantizeLinear', x, scale, zero, exact=True)
    if q and net.chance(0.7):
        net.op('DequantizeLinear', q, scale, zero, exact=True)


def bytes_of(net, low, high):
    """A value of u8; small integers become one."""
    x = net.any(lambda v: v.array.dtype in (np.uint8, np.int64, np.int32) and low <= v.rank <= high)
    return x if not x or x.array.dtype == np.uint8 else net.op('Cast', x, to=onnx.TensorProto.UINT8)


@maker(3)
def integer_product(net):
    x = bytes_of(net, 2, 4)
    if not x:
        return
    dtype = net.pick([np.uint8, np.int8])
    y = net.const(net.data([x.shape[-1], net.width()], dtype))
    zeros = [net.const(np.array(3, np.uint8)), net.const(np.array(1, dtype))][:net.int(0, 2)]
    out = net.op('MatMulInteger', x, y, *zeros)
    if out and net.chance(0.5):
        net.op('Cast', out, to=onnx.TensorProto.FLOAT, exact=True)


@maker(2)
def integer_conv(net):
    x = bytes_of(net, 4, 4)
    if not x:
        return
    w = window(net, x)
    y = net.const(net.data([net.size(20), x.shape[1], *w['kernel_shape']], np.uint8))
    net.op('ConvInteger', x, y, *[net.const(np.array(2, np.uint8))] * net.int(0, 1), **w)


@maker(2)
def bits(net):
    x = net.any(lambda v: v.array.dtype in (np.uint8, np.int64, np.int32))
    if x and net.chance(0.7):
        net.op(net.pick(['BitwiseAnd', 'BitwiseOr', 'BitwiseXor']), x, partner(net, x))
    elif x:
        net.op('BitwiseNot', x)


@maker(2)
def one_hot(net):
    x = net.any(lambda v: v.array.dtype in (np.int64, np.int32) and v.rank < 4)
    if x:
        net.op('OneHot', x, net.ints([net.int(2, 9)]), net.const(np.array([0.5, 2], np.float32)),
               axis=net.int(-1, x.rank), exact=True)
