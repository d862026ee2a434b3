"""Makers: operators that move elements."""
import numpy as np

from makers import maker

@maker(8)
def transpose(net):
    x = net.any(lambda v: v.rank > 1)
    if x:
        net.op('Transpose', x, perm=[int(i) for i in net.rng.permutation(x.rank)], exact=True)


def regroup(net, dims):
    """The extents DIMS with some of them joined and some divided."""
    out = []
    for n in dims:
        if out and net.chance(0.35):
            out[-1] *= n
        else:
            out.append(n)
    for i in range(len(out)):
        factors = [f for f in (2, 3, 4, 5, 8, 16) if out[i] % f == 0]
        if factors and net.chance(0.35) and len(out) < 6:
            f = net.pick(factors)
            out[i:i + 1] = [f, out[i] // f] if net.chance(0.5) else [out[i] // f, f]
    return out


@maker(9)
def reshape(net):
    x = net.any()
    to = regroup(net, x.shape)
    if to and net.chance(0.6):
        to[net.int(0, len(to) - 1)] = -1
    net.op('Reshape', x, net.ints(to), exact=True)


@maker(2)
def flatten(net):
    x = net.any()
    net.op('Flatten', x, axis=net.int(0, x.rank), exact=True)


@maker(4)
def squeeze(net):
    x = net.any()
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    if ones and net.chance(0.6):
        net.op('Squeeze', x, net.ints([net.pick(ones)]), exact=True)
    else:
        net.op('Unsqueeze', x, net.ints([net.int(0, x.rank)]), exact=True)


@maker(8)
def slice_(net):
    x = net.any(lambda v: v.rank > 0)
    if not x:
        return
    axes = [i for i in range(x.rank) if net.chance(0.5)] or [net.int(0, x.rank - 1)]
    starts, ends, steps = [], [], []
    for a in axes:
        n, step = x.shape[a], net.pick([1, 1, 1, 2, 3, -1, -2])
        low = net.int(0, max(n - 1, 0) // 2)
        high = net.int(low, n - 1) + 1
        starts.append(low if step > 0 else high - 1)
        ends.append(net.pick([high, high - n if high < n else 2 ** 40]) if step > 0 else low - 1 - (n if low == 0 else 0))
        steps.append(step)
    net.op('Slice', x, *(net.ints(t) for t in (starts, ends, axes, steps)), exact=True)


@maker(7)
def concat(net):
    x = net.any(lambda v: v.rank > 0)
    if not x:
        return
    axis = net.int(0, x.rank - 1)

    def fits(v):
        return v.rank == x.rank and v.array.dtype == x.array.dtype and all(
            a == b for i, (a, b) in enumerate(zip(v.shape, x.shape)) if i != axis)
    parts = [net.any(fits) for _ in range(net.int(1, 3))]
    if net.chance(0.3):
        shape = list(x.shape)
        shape[axis] = net.int(1, 4)
        parts.append(net.const(net.data(shape, x.array.dtype)))
    net.op('Concat', *[x, *parts], axis=axis, exact=True)


@maker(4)
def split(net):
    x = net.any(lambda v: v.rank > 0 and max(v.shape) > 1)
    if not x:
        return
    axis = net.pick([i for i, n in enumerate(x.shape) if n > 1])
    at = net.int(1, x.shape[axis] - 1)
    if x.shape[axis] % 2 == 0 and net.chance(0.5):
        net.op('Split', x, outputs=2, axis=axis, num_outputs=2, exact=True)
    else:
        net.op('Split', x, net.ints([at, x.shape[axis] - at]), outputs=2, axis=axis, exact=True)


@maker(5)
def pad(net):
    x = net.any(lambda v: v.rank > 0)
    if not x:
        return
    mode = net.pick(['constant', 'reflect', 'edge', 'wrap'], [.6, .2, .15, .05])
    pads = [net.int(0, 3) if net.chance(0.5) else 0 for _ in range(2 * x.rank)]
    if mode == 'constant' and net.chance(0.2):
        pads[net.int(0, len(pads) - 1)] = -1
    net.op('Pad', x, net.ints(pads), *([net.const(np.array(2, x.array.dtype))] if net.chance(0.4) else []), mode=mode,
           exact=True)


@maker(3)
def tile(net):
    x = net.any(lambda v: v.rank > 0)
    if x:
        net.op('Tile', x, net.ints([net.pick([1, 1, 2, 3]) for _ in x.shape]), exact=True)


@maker(3)
def expand(net):
    x = net.any()
    shape = [net.size(16) if n == 1 else 1 if net.chance(0.5) else n for n in x.shape]
    net.op('Expand', x, net.ints(([net.int(1, 3)] if net.chance(0.3) else []) + shape), exact=True)


@maker(5)
def gather(net):
    x = net.any(lambda v: v.rank > 0)
    if not x:
        return
    axis = net.int(0, x.rank - 1)
    n = x.shape[axis]
    shape = net.pick([[], [3], [2, 5], [n]])
    net.op('Gather', x, net.ints(net.rng.integers(-n, n, shape)), axis=axis, exact=True)


@maker(2)
def gather_elements(net):
    x = net.any(lambda v: v.rank > 0)
    if not x:
        return
    axis = net.int(0, x.rank - 1)
    shape = [net.int(1, n) for n in x.shape]
    net.op('GatherElements', x, net.ints(net.rng.integers(0, x.shape[axis], shape)), axis=axis, exact=True)


@maker(1)
def gather_nd(net):
    x = net.any(lambda v: v.rank > 1)
    if x:
        net.op('GatherND', x, net.ints(np.stack([net.rng.integers(0, n, 7) for n in x.shape[:2]], 1)), exact=True)


@maker(2)
def depth(net):
    x = net.any(lambda v: v.rank == 4)
    if x and net.chance(0.5):
        net.op('DepthToSpace', x, blocksize=net.pick([2, 3]), mode=net.pick(['DCR', 'CRD']), exact=True)
    elif x:
        net.op('SpaceToDepth', x, blocksize=net.pick([2, 3]), exact=True)


@maker(1)
def reverse_sequence(net):
    x = net.any(lambda v: v.rank > 1)
    if x:
        t = net.int(0, 1)
        lengths = net.rng.integers(1, x.shape[t] + 1, x.shape[1 - t])
        net.op('ReverseSequence', x, net.ints(lengths), time_axis=t, batch_axis=1 - t, exact=True)


@maker(1)
def crop_or_pad(net):
    x = net.any(lambda v: v.rank > 0)
    if x:
        net.op('CenterCropPad', x, net.ints([net.size(40) for _ in x.shape]), exact=True)


@maker(1)
def grid_sample(net):
    x = net.f32(4, 4)
    if x:
        grid = net.const(net.rng.uniform(-1.2, 1.2, [x.shape[0], 5, 7, 2]).astype(np.float32))
        mode = net.pick(['linear', 'cubic'])
        # A cubic's border: ONNX's own implementation brings the coordinate inside, ONNX Runtime each tap.
        padding = net.pick(['zeros', 'reflection'] + ['border'] * (mode == 'linear'))
        net.op('GridSample', x, grid, mode=mode, align_corners=net.int(0, 1), padding_mode=padding)


@maker(2)
def trilu(net):
    x = net.any(lambda v: v.rank > 1)
    if x:
        net.op('Trilu', x, net.ints(net.int(-2, 2)), upper=net.int(0, 1), exact=True)


@maker(3)
def resize(net):
    x = net.f32(3, 4)
    if not x:
        return
    mode = net.pick(['nearest', 'linear', 'cubic'])
    scales = [1.0, 1.0] + [net.pick([0.5, 1.0, 2.0, 1.5, 3.0]) for _ in x.shape[2:]]
    how = net.pick(['half_pixel', 'asymmetric', 'align_corners'])
    if how == 'align_corners' and any(s * n % 1 for s, n in zip(scales, x.shape)):
        return  # ONNX goes on with the fraction, ONNX Runtime without it
    net.op('Resize', x, None, net.const(np.array(scales, np.float32)), mode=mode, coordinate_transformation_mode=how,
           **({'nearest_mode': net.pick(['floor', 'ceil', 'round_prefer_floor'])} if mode == 'nearest' else {}),
           exact=mode == 'nearest')
