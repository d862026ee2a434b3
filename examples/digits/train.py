#!/usr/bin/env python3
"""Trains the digit reader on digits that it renders itself, and writes digits.onnx.

	tests/fetch.sh venv pictures && build/venv/bin/python examples/digits/train.py

A small convolutional network, in numpy alone: forward, backward and Adam are below. Everything
is seeded; the last digits of the weights depend on the machine's matrix products. Two of the
fonts are held out: the accuracy printed last is on renderings in fonts that were never trained on.
The fonts are those of Debian's fonts-dejavu-core and fonts-liberation2.
"""
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = pathlib.Path(__file__).parent
FONTS = "/usr/share/fonts/truetype/"
TRAINED = [
    "dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf", "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSansMono.ttf", "dejavu/DejaVuSansMono-Bold.ttf",
    "liberation2/LiberationSans-Regular.ttf", "liberation2/LiberationSans-BoldItalic.ttf",
    "liberation2/LiberationSerif-Regular.ttf", "liberation2/LiberationSerif-Italic.ttf",
    "liberation2/LiberationMono-Regular.ttf", "liberation2/LiberationSans-Italic.ttf",
]
HELD_OUT = ["dejavu/DejaVuSerif-Bold.ttf", "liberation2/LiberationSerif-Bold.ttf"]
SIDE, INNER = 28, 20
TRAIN, TEST, EPOCHS, BATCH = 24000, 4000, 5, 64


# ---- data ----

def distorted(rng, fonts, digit):
    """A digit, white on black, turned, sheared, blurred, with noise: what a segmenter would find."""
    size = int(rng.integers(14, 64))
    font = ImageFont.truetype(FONTS + fonts[rng.integers(len(fonts))], size)
    side = 2 * size
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).text((side / 2, side / 2), str(digit), font=font, fill=255, anchor="mm")
    angle, shear, stretch = rng.normal(0, 0.1), rng.normal(0, 0.12), np.exp(rng.normal(0, 0.1))
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([[c, -s], [s, c]]) @ np.array([[stretch, shear], [0, 1]])
    offset = side / 2 - matrix @ np.array([side / 2, side / 2])
    picture = picture.transform(picture.size, Image.Transform.AFFINE,
                                (*matrix[0], offset[0], *matrix[1], offset[1]),
                                Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.random() * size / 24))
    pixels = np.asarray(picture, np.float32) / 255
    pixels = pixels + rng.normal(0, 0.08 * rng.random(), pixels.shape)
    return np.clip(pixels, 0, 1).astype(np.float32)


def normalised(pixels):
    """The digit's box, its longer side 20 pixels, in the middle of 28 x 28 (as digits.c does it)."""
    ys, xs = np.nonzero(pixels > 0.5 * pixels.max())
    crop = pixels[ys.min():ys.max() + 1, xs.min():xs.max() + 1]
    h, w = crop.shape
    scale = INNER / max(h, w)
    h, w = max(1, round(h * scale)), max(1, round(w * scale))
    small = Image.fromarray((crop * 255).astype(np.uint8)).resize((w, h), Image.Resampling.BOX)
    out = np.zeros((SIDE, SIDE), np.float32)
    top, left = (SIDE - h) // 2, (SIDE - w) // 2
    out[top:top + h, left:left + w] = np.asarray(small, np.float32) / 255
    return out


def shifted(rng, picture):
    return np.roll(picture, rng.integers(-1, 2, 2), (0, 1))


def render(rng, fonts, count):
    labels = rng.integers(0, 10, count)
    pictures = [shifted(rng, normalised(distorted(rng, fonts, d))) for d in labels]
    return np.stack(pictures)[:, None], labels


# ---- network: conv 8, pool, conv 16, pool, dense 10 ----

def initial(rng):
    def he(*shape):
        return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)

    shapes = {"conv1": (8, 1, 3, 3), "conv2": (16, 8, 3, 3), "dense": (10, 16 * 7 * 7)}
    weights = {}
    for name, shape in shapes.items():
        weights[name + ".weight"] = he(*shape)
        weights[name + ".bias"] = np.zeros(shape[0], np.float32)
    return weights


def columns(x):
    """[N,C,H,W] -> [N,C*9,H*W], the 3x3 windows with a border of one."""
    n, c, h, w = x.shape
    p = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    taps = [p[:, :, i:i + h, j:j + w] for i in range(3) for j in range(3)]
    return np.stack(taps, 2).reshape(n, c * 9, h * w)


def conv(x, w, b):
    n, _, h, width = x.shape
    cols = columns(x)
    y = w.reshape(len(w), -1) @ cols + b[:, None]
    return y.reshape(n, len(w), h, width), cols


def conv_back(dy, cols, w, shape):
    n, c, h, width = shape
    dy = dy.reshape(n, len(w), -1)
    dw = np.einsum("nop,nkp->ok", dy, cols, optimize=True).reshape(w.shape)
    dcols = (w.reshape(len(w), -1).T @ dy).reshape(n, c, 9, h, width)
    dx = np.zeros((n, c, h + 2, width + 2), np.float32)
    for tap in range(9):
        i, j = divmod(tap, 3)
        dx[:, :, i:i + h, j:j + width] += dcols[:, :, tap]
    return dx[:, :, 1:-1, 1:-1], dw, dy.sum((0, 2))


def pool(x):
    n, c, h, w = x.shape
    windows = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    windows = windows.reshape(n, c, h // 2, w // 2, 4)
    best = windows.argmax(-1)
    return np.take_along_axis(windows, best[..., None], -1)[..., 0], best


def pool_back(dy, best):
    n, c, h, w = dy.shape
    dx = np.zeros((n, c, h, w, 4), np.float32)
    np.put_along_axis(dx, best[..., None], dy[..., None], -1)
    return dx.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * h, 2 * w)


def forward(p, x):
    """Logits, and what backward needs."""
    a1, cols1 = conv(x, p["conv1.weight"], p["conv1.bias"])
    r1 = np.maximum(a1, 0)
    p1, best1 = pool(r1)
    a2, cols2 = conv(p1, p["conv2.weight"], p["conv2.bias"])
    r2 = np.maximum(a2, 0)
    p2, best2 = pool(r2)
    flat = p2.reshape(len(x), -1)
    return flat @ p["dense.weight"].T + p["dense.bias"], (x, a1, cols1, best1, p1, a2, cols2, best2, flat)


def backward(p, kept, dlogits):
    x, a1, cols1, best1, p1, a2, cols2, best2, flat = kept
    g = {"dense.weight": dlogits.T @ flat, "dense.bias": dlogits.sum(0)}
    d = (dlogits @ p["dense.weight"]).reshape(len(x), 16, 7, 7)
    d = pool_back(d, best2) * (a2 > 0)
    d, g["conv2.weight"], g["conv2.bias"] = conv_back(d, cols2, p["conv2.weight"], p1.shape)
    d = pool_back(d, best1) * (a1 > 0)
    _, g["conv1.weight"], g["conv1.bias"] = conv_back(d, cols1, p["conv1.weight"], x.shape)
    return g


def loss_gradient(logits, labels):
    e = np.exp(logits - logits.max(1, keepdims=True))
    q = e / e.sum(1, keepdims=True)
    loss = -np.log(q[np.arange(len(labels)), labels] + 1e-12).mean()
    q[np.arange(len(labels)), labels] -= 1
    return loss, q / len(labels)


def train(rng, p, x, labels):
    m = {k: np.zeros_like(v) for k, v in p.items()}
    v = {k: np.zeros_like(w) for k, w in p.items()}
    step, steps = 0, EPOCHS * (len(x) // BATCH)
    for epoch in range(EPOCHS):
        order, total = rng.permutation(len(x)), 0.0
        for at in range(0, len(x) - BATCH + 1, BATCH):
            take = order[at:at + BATCH]
            logits, kept = forward(p, x[take])
            loss, dlogits = loss_gradient(logits, labels[take])
            step, total = step + 1, total + loss
            rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k, g in backward(p, kept, dlogits.astype(np.float32)).items():
                m[k] = 0.9 * m[k] + 0.1 * g
                v[k] = 0.999 * v[k] + 0.001 * g * g
                mean, square = m[k] / (1 - 0.9 ** step), v[k] / (1 - 0.999 ** step)
                p[k] = (p[k] - rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total / (len(x) // BATCH):.4f}", flush=True)


def accuracy(p, x, labels):
    hits = sum((forward(p, x[i:i + 500])[0].argmax(1) == labels[i:i + 500]).sum()
               for i in range(0, len(x), 500))
    return hits / len(x)


def export(p, path, note):
    nodes = [
        helper.make_node("Conv", ["x", "conv1.weight", "conv1.bias"], ["c1"], "conv1", pads=[1] * 4),
        helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
        helper.make_node("MaxPool", ["r1"], ["p1"], "pool1", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "conv2.weight", "conv2.bias"], ["c2"], "conv2", pads=[1] * 4),
        helper.make_node("Relu", ["c2"], ["r2"], "relu2"),
        helper.make_node("MaxPool", ["r2"], ["p2"], "pool2", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p2"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "dense.weight", "dense.bias"], ["logits"], "dense", transB=1),
        helper.make_node("Softmax", ["logits"], ["likely"], "softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("likely", TensorProto.FLOAT, ["N", 10])],
        [numpy_helper.from_array(a, k) for k, a in p.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="examples/digits/train.py", doc_string=note)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def main():
    rng = np.random.default_rng(2026)
    print(f"rendering {TRAIN} digits", flush=True)
    x, labels = render(rng, TRAINED, TRAIN)
    p = initial(rng)
    train(rng, p, x, labels)
    rng = np.random.default_rng(7)
    known = accuracy(p, *render(rng, TRAINED, TEST))
    unknown = accuracy(p, *render(rng, HELD_OUT, TEST))
    note = (f"accuracy on {TEST} new renderings: {known:.2%} in the fonts of the training, "
            f"{unknown:.2%} in two others")
    export(p, HERE / "digits.onnx", note)
    print(f"digits.onnx: {(HERE / 'digits.onnx').stat().st_size} bytes; {note}")


if __name__ == "__main__":
    main()
