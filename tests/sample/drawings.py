"""Pictures of the sample's pages, drawn when the sample is built: no file of one is committed.

The same drawing gives the same bytes on every run of one environment; another version of Pillow may
compress it otherwise.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


def _sky(width: int, height: int, above: Colour, below: Colour) -> Image.Image:
    """A picture that goes from one colour to another, from above to below."""
    shade = Image.linear_gradient("L").resize((width, height))
    ends = [Image.new("RGB", (width, height), colour) for colour in (below, above)]
    return Image.composite(ends[0], ends[1], shade)


def _hill(width: int, height: int, top: float, swing: float, waves: float) -> list[tuple[int, int]]:
    """Corners of a hill whose edge swings around a height, both as shares of the picture's."""
    edge = [
        (x, round(height * (top + swing * math.sin(2 * math.pi * waves * x / width))))
        for x in range(0, width + 8, 8)
    ]
    return [*edge, (width, height), (0, height)]


def terraces() -> Image.Image:
    """Rice terraces below morning mist."""
    picture = _sky(720, 480, (150, 180, 210), (245, 235, 220))
    draw = ImageDraw.Draw(picture)
    for step in range(9):
        colour = (60 + 9 * step, 140 - 7 * step, 90 - 5 * step)
        hill = _hill(720, 480, 0.35 + 0.075 * step, 0.05 - 0.004 * step, 1.3 + 0.2 * step)
        draw.polygon(hill, fill=colour)
        draw.line(hill[:-2], fill=(230, 238, 240), width=3)
    return picture


def mist() -> Image.Image:
    """Fog between two ridges, and the sun."""
    picture = _sky(640, 427, (240, 200, 150), (250, 245, 235))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((430, 60, 510, 140), fill=(255, 225, 150))
    draw.polygon(_hill(640, 427, 0.55, 0.12, 0.8), fill=(110, 125, 140))
    draw.polygon(_hill(640, 427, 0.78, 0.08, 1.7), fill=(70, 85, 100))
    return picture


def buffalo() -> Image.Image:
    """A water buffalo on a field path, from the side."""
    picture = _sky(600, 450, (190, 210, 190), (120, 160, 90))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((160, 180, 430, 330), fill=(70, 62, 58))
    draw.ellipse((390, 170, 480, 250), fill=(80, 70, 64))
    draw.arc((400, 120, 520, 220), 200, 330, fill=(40, 36, 34), width=10)
    for x in (200, 250, 350, 395):
        draw.rectangle((x, 300, x + 24, 400), fill=(66, 58, 54))
    draw.polygon([(0, 395), (600, 380), (600, 450), (0, 450)], fill=(150, 120, 80))
    return picture


def noodles() -> Image.Image:
    """A bowl of noodles seen from above."""
    picture = Image.new("RGB", (640, 640), (120, 82, 52))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 60, 580, 580), fill=(238, 238, 232))
    draw.ellipse((105, 105, 535, 535), fill=(196, 120, 58))
    for turn in range(14):
        inset = 130 + 12 * turn
        box = (inset, inset + 5, 640 - inset, 635 - inset)
        draw.arc(box, 37 * turn, 37 * turn + 250, fill=(244, 222, 160), width=7)
    for place in range(18):
        angle, radius = place * 2.4, 30 + 9 * place
        x, y = 320 + radius * math.cos(angle), 320 + radius * math.sin(angle)
        draw.ellipse((x - 6, y - 6, x + 6, y + 6), fill=(70, 150, 60))
    return picture


def dough() -> Image.Image:
    """Dough on a board, and a rolling pin."""
    picture = _sky(640, 480, (214, 186, 144), (196, 164, 120))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((90, 150, 400, 420), fill=(248, 240, 222))
    draw.line([(330, 90), (600, 380)], fill=(150, 96, 52), width=44)
    draw.line([(330, 90), (600, 380)], fill=(176, 120, 70), width=20)
    return picture


def teapot() -> Image.Image:
    """A clay teapot on a table."""
    picture = _sky(800, 600, (230, 226, 216), (180, 170, 155))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 470, 800, 600), fill=(110, 78, 56))
    draw.ellipse((230, 220, 570, 490), fill=(128, 62, 44))
    draw.polygon([(560, 330), (680, 240), (700, 262), (560, 400)], fill=(120, 56, 40))
    draw.arc((130, 250, 290, 440), 60, 300, fill=(120, 56, 40), width=26)
    draw.ellipse((320, 200, 480, 250), fill=(140, 72, 52))
    draw.ellipse((385, 170, 415, 205), fill=(140, 72, 52))
    return picture


def seal() -> Image.Image:
    """A potter's square seal: the small picture that a page has in a data: URI."""
    picture = Image.new("RGB", (160, 160), (246, 240, 228))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((8, 8, 151, 151), outline=(178, 34, 34), width=8)
    for row in range(4):
        for column in range(4):
            if (row * 5 + column * 3) % 4:
                x, y = 26 + 28 * column, 26 + 28 * row
                draw.rectangle((x, y, x + 18, y + 9 + 3 * row), fill=(178, 34, 34))
    for grain in range(900):  # ink takes on paper unevenly
        draw.point((grain * 37 % 160, grain * grain * 11 % 157), fill=(225, 190, 170))
    return picture


def logo() -> Image.Image:
    """The mark of a site: wide and low."""
    picture = Image.new("RGB", (240, 60), (24, 80, 130))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(14, 50), (40, 10), (66, 50)], fill=(255, 255, 255))
    for bar in range(5):
        draw.rectangle((84 + 30 * bar, 22, 104 + 30 * bar, 40), fill=(255, 255, 255))
    return picture


def dot() -> Image.Image:
    """One pixel, as counters and lazy loading use it."""
    return Image.new("P", (1, 1))


DRAWINGS: dict[str, Callable[[], Image.Image]] = {
    drawing.__name__: drawing
    for drawing in (terraces, mist, buffalo, noodles, dough, teapot, seal, logo, dot)
}


def drawn_bytes(name: str, media_type: str) -> bytes:
    """Draw a picture and return its file.

    Raises:
        KeyError: there is no such drawing.
        ValueError: the type is none that is written here.
    """
    formats = {kind: name for name, kind in _MEDIA_TYPES.items()}
    if media_type not in formats:
        raise ValueError(f"drawing {name!r}: type {media_type!r} is none of {sorted(formats)}")
    file = io.BytesIO()
    DRAWINGS[name]().save(file, formats[media_type])
    return file.getvalue()


def data_uri(name: str) -> str:
    """A drawing as the data: URI of a PNG file."""
    return f"data:image/png;base64,{base64.b64encode(drawn_bytes(name, 'image/png')).decode()}"
