#!/usr/bin/env python3
"""Draws digits.png, a row of digits in several fonts, some of which the reader never saw.

	tests/fetch.sh venv pictures && build/venv/bin/python examples/digits/make_picture.py
"""
import pathlib

from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).parent
FONTS = "/usr/share/fonts/truetype/"
GROUND, INK = (244, 241, 230), (52, 40, 92)
# Digits, font, size; the second and the last font were held out of the training.
RUNS = [
    ("31415", "dejavu/DejaVuSans.ttf", 40),
    ("926", "dejavu/DejaVuSerif-Bold.ttf", 36),
    ("5358", "liberation2/LiberationMono-Regular.ttf", 44),
    ("979", "liberation2/LiberationSerif-Bold.ttf", 38),
    ("02", "dejavu/DejaVuSansMono.ttf", 30),
]


def main():
    picture = Image.new("RGB", (600, 80), GROUND)
    pen, left = ImageDraw.Draw(picture), 24
    for digits, font, size in RUNS:
        face = ImageFont.truetype(FONTS + font, size)
        for digit in digits:
            pen.text((left, 56), digit, font=face, fill=INK, anchor="ls")
            left += face.getlength(digit) + 4
        left += 12
    picture.quantize(32, dither=Image.Dither.NONE).save(HERE / "digits.png", optimize=True)
    print(f"digits.png: {(HERE / 'digits.png').stat().st_size} bytes, {left:.0f} of 600 columns")


main()
