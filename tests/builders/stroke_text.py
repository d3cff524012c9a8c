"""Pictures with Chinese text, drawn from strokes: no font is needed."""

from __future__ import annotations

from PIL import Image, ImageDraw

Stroke = tuple[float, float, float, float]

STROKES: dict[str, tuple[Stroke, ...]] = {
    "中": ((0.2, 0.3, 0.8, 0.3), (0.2, 0.3, 0.2, 0.62), (0.8, 0.3, 0.8, 0.62),
           (0.2, 0.62, 0.8, 0.62), (0.5, 0.08, 0.5, 0.95)),
    "国": ((0.12, 0.1, 0.88, 0.1), (0.12, 0.1, 0.12, 0.92), (0.88, 0.1, 0.88, 0.92),
           (0.12, 0.92, 0.88, 0.92), (0.28, 0.27, 0.72, 0.27), (0.32, 0.48, 0.68, 0.48),
           (0.25, 0.75, 0.75, 0.75), (0.5, 0.27, 0.5, 0.75), (0.58, 0.56, 0.66, 0.66)),
    "山": ((0.5, 0.1, 0.5, 0.85), (0.15, 0.4, 0.15, 0.85), (0.85, 0.4, 0.85, 0.85),
           (0.15, 0.85, 0.85, 0.85)),
    "田": ((0.15, 0.15, 0.85, 0.15), (0.15, 0.15, 0.15, 0.88), (0.85, 0.15, 0.85, 0.88),
           (0.15, 0.88, 0.85, 0.88), (0.5, 0.15, 0.5, 0.88), (0.15, 0.5, 0.85, 0.5)),
    "日": ((0.25, 0.1, 0.75, 0.1), (0.25, 0.1, 0.25, 0.92), (0.75, 0.1, 0.75, 0.92),
           (0.25, 0.92, 0.75, 0.92), (0.25, 0.5, 0.75, 0.5)),
    "王": ((0.15, 0.15, 0.85, 0.15), (0.2, 0.5, 0.8, 0.5), (0.1, 0.88, 0.9, 0.88),
           (0.5, 0.15, 0.5, 0.88)),
    "工": ((0.2, 0.18, 0.8, 0.18), (0.1, 0.85, 0.9, 0.85), (0.5, 0.18, 0.5, 0.85)),
    "大": ((0.1, 0.38, 0.9, 0.38), (0.5, 0.08, 0.48, 0.38), (0.48, 0.38, 0.35, 0.7),
           (0.35, 0.7, 0.1, 0.93), (0.5, 0.38, 0.65, 0.7), (0.65, 0.7, 0.92, 0.93)),
    "人": ((0.5, 0.1, 0.46, 0.4), (0.46, 0.4, 0.32, 0.7), (0.32, 0.7, 0.08, 0.93),
           (0.48, 0.35, 0.66, 0.7), (0.66, 0.7, 0.93, 0.93)),
    "上": ((0.5, 0.1, 0.5, 0.88), (0.5, 0.42, 0.82, 0.42), (0.1, 0.88, 0.9, 0.88)),
    "下": ((0.1, 0.15, 0.9, 0.15), (0.5, 0.15, 0.5, 0.93), (0.52, 0.4, 0.75, 0.58)),
    "土": ((0.2, 0.42, 0.8, 0.42), (0.5, 0.1, 0.5, 0.88), (0.1, 0.88, 0.9, 0.88)),
}  # fmt: skip
"""Character -> its strokes: from (x, y) to (x, y), as shares of its side."""


def draw_text(picture: Image.Image, text: str, left: int, top: int, size: int) -> None:
    """Draw characters of STROKES in a row, in black.

    Args:
        left, top: Of the first character, in pixels.
        size: Side of a character in pixels.
    """
    draw = ImageDraw.Draw(picture)
    for number, character in enumerate(text):
        x = left + 1.08 * size * number
        for x1, y1, x2, y2 in STROKES[character]:
            place = (x + x1 * size, top + y1 * size, x + x2 * size, top + y2 * size)
            draw.line(place, fill=(20, 20, 20), width=max(2, size // 11))


def sign(*lines: str, size: int = 56, width: int = 480, height: int = 320) -> Image.Image:
    """A light picture with lines of text, from above to below."""
    picture = Image.new("RGB", (width, height), (244, 242, 236))
    for number, line in enumerate(lines):
        draw_text(picture, line, size // 2, size // 2 + number * 2 * size, size)
    return picture
