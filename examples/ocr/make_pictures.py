#!/usr/bin/env python3
"""Draws the pictures of the text reader: hello.png and the same text turned by 5 degrees.

	tests/fetch.sh venv pictures && build/venv/bin/python examples/ocr/make_pictures.py

The fonts are those of Debian's fonts-dejavu-core.
"""
import pathlib

from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).parent
FONTS = "/usr/share/fonts/truetype/dejavu/"
SIZE = (640, 320)
GROUND, INK, BOARD, CHALK = (250, 248, 240), (32, 36, 48), (36, 62, 92), (245, 245, 245)

# Text, font, size, left, top, colour.
LINES = [
    ("Networks become C", "DejaVuSans-Bold.ttf", 34, 28, 14, INK),
    ("A compiler reads a model, thinks once,", "DejaVuSerif.ttf", 22, 30, 70, INK),
    ("and writes a program that runs anywhere.", "DejaVuSerif.ttf", 22, 30, 104, INK),
    ("Two of them read this page: 20 November 2026", "DejaVuSans.ttf", 18, 30, 150, INK),
    ("for (i = 0; i < 48; i++)", "DejaVuSansMono.ttf", 20, 44, 212, CHALK),
    ("sum += weight[i] * pixel[i];", "DejaVuSansMono.ttf", 20, 76, 252, CHALK),
    ("page 7", "DejaVuSans.ttf", 16, 530, 286, CHALK),
]


def draw():
    picture = Image.new("RGB", SIZE, GROUND)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 192, SIZE[0], SIZE[1]), fill=BOARD)
    for text, font, size, left, top, colour in LINES:
        pen.text((left, top), text, font=ImageFont.truetype(FONTS + font, size), fill=colour)
    return picture


def save(picture, name, colours):
    """Few colours are enough for letters and make a small file."""
    picture.quantize(colours, dither=Image.Dither.NONE).save(HERE / name, optimize=True)
    print(f"{name}: {(HERE / name).stat().st_size} bytes")


def main():
    page = draw()
    save(page, "hello.png", 32)
    save(page.rotate(5, Image.Resampling.BICUBIC, expand=True, fillcolor=GROUND), "tilted.png", 32)


main()
