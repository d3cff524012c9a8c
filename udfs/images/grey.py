"""A decoded picture as 32 x 32 shades of grey: Pillow's conversion and reduction in one pass.

Pillow makes a grey copy of the picture, then reduces it with one multiplication at a time; both
took as long as two thirds of decoding. The same whole numbers are computed here from the decoder's
own memory, a row at a time, in loops that the compiler makes vectors of: in 0.4 of the time.

Source: Pillow's Convert.c (rgb2l) and Resample.c (precompute_coeffs, normalize_coeffs_8bpc,
ImagingResampleHorizontal_8bpc, ImagingResampleVertical_8bpc).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from udfs.base.array_types import Int32Array, UInt8Array, UInt32Array
from udfs.base.jit import compiled, inlined

SIDE = 32
"""Pixels of the reduced picture's sides."""

_COLOURED = ("RGB", "RGBA", "RGBX")
"""Modes whose pixels are red, green, blue and a fourth byte that grey does not follow from."""
_STRIP_BYTES = 8 << 20
"""Bytes of a part of a picture; Pillow has more than 16 MB of one in several blocks."""
_SUPPORT = 3
"""Pixels of the reduced picture on each side that a Lanczos filter looks at."""
_BITS = 22
"""Of the fraction of a weight."""


def grey_thumbnail(image: Image.Image) -> UInt8Array:
    """Return ``image.convert("L").resize((32, 32), LANCZOS)``, shape (32, 32), bit for bit.

    Args:
        image: Loaded, at least one pixel a side.
    """
    if image.mode != "L" and image.mode not in _COLOURED:
        image = image.convert("L")
    width, height = image.size
    if height > max(SIDE, 2 * width - SIDE):  # Pillow 13 reduces such a height before the width
        grey = image if image.mode == "L" else image.convert("L")
        return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    starts, weights = _weights(width)
    rows = np.empty((height, SIDE), np.uint8)
    above = 0
    for strip in _strips(image):
        below = above + strip.size[1]
        pixels = _pixels(strip)
        if strip.mode == "L":
            _reduce_grey(pixels, starts, weights, rows[above:below])
        else:
            _reduce_colours(pixels, starts, weights, rows[above:below])
        above = below
    return _reduce_height(rows, *_weights(height))


def _strips(image: Image.Image) -> Iterator[Image.Image]:
    """Yield an image, or parts of it from top to bottom, whose pixels lie in one piece."""
    width, height = image.size
    step = max(1, _STRIP_BYTES // (4 * width))
    if step >= height:
        yield image
        return
    for top in range(0, height, step):
        yield image.crop((0, top, width, min(top + step, height)))


def _pixels(image: Image.Image) -> Any:
    """The memory of an image, not copied: shape (height, width), a byte or four of each pixel."""
    width, height = image.size
    found = pa.array(image)
    if image.mode == "L":
        return found.to_numpy().reshape(height, width)
    return found.flatten().to_numpy().view(np.uint32).reshape(height, width)


@compiled
def _lanczos(x: float) -> float:
    if x == 0.0:
        return 1.0
    if x < -3.0 or x >= 3.0:
        return 0.0
    third = x * (math.pi / 3)
    sine = math.sin(third)
    return (3 - 4 * sine * sine) * sine / (3 * third) * (sine / third)  # sin(3t) by sin(t)


@compiled
def _weights(size: int) -> tuple[Int32Array, Int32Array]:
    """Return where the window of each reduced pixel begins, shape (32,), and the weights in it,
    shape (32, longest); behind a window's end they are 0, and no window leaves the picture."""
    scale = size / SIDE
    stretch = max(scale, 1.0)
    support = _SUPPORT * stretch
    longest = min(math.ceil(support) * 2 + 1, size)
    starts = np.zeros(SIDE, np.int32)
    weights = np.zeros((SIDE, longest), np.int32)
    window = np.zeros(longest, np.float64)
    for place in range(SIDE):
        centre = (place + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        end = min(int(centre + support + 0.5), size)
        total = 0.0
        for at in range(end - first):
            window[at] = _lanczos((at + first - centre + 0.5) * (1.0 / stretch))
            total += window[at]
        # A window at the right edge begins earlier, so that all have one length.
        start = min(first, size - longest)
        starts[place] = start
        for at in range(end - first):
            weight = (window[at] / total if total != 0.0 else window[at]) * (1 << _BITS)
            weights[place, at + first - start] = int(weight - 0.5 if weight < 0 else weight + 0.5)
    return starts, weights


@inlined
def _shade(total: Any) -> Any:
    """A sum of weighted shades without its fraction, within a byte."""
    return min(max(total >> _BITS, 0), 255)


@compiled
def _reduce_row(row: Int32Array, starts: Int32Array, weights: Int32Array, out: UInt8Array) -> None:
    # Unsigned places and sums of 32 bits: else the loop is no vectors.
    length = np.uint64(weights.shape[1])
    for place in range(SIDE):
        start, of_place = np.uint64(starts[place]), np.uint64(place)
        total = np.int32(1 << (_BITS - 1))
        for at in range(length):
            total = np.int32(total + row[start + at] * weights[of_place, at])
        out[place] = _shade(total)


@compiled
def _reduce_grey(
    pixels: UInt8Array, starts: Int32Array, weights: Int32Array, out: UInt8Array
) -> None:
    height, width = pixels.shape
    grey = np.empty(width, np.int32)
    for row in range(height):
        grey[:] = pixels[row]
        _reduce_row(grey, starts, weights, out[row])


@compiled
def _reduce_colours(
    pixels: UInt32Array, starts: Int32Array, weights: Int32Array, out: UInt8Array
) -> None:
    height, width = pixels.shape
    byte = np.uint32(255)
    grey = np.empty(width, np.int32)
    for row in range(height):
        for at in range(width):
            colour = pixels[row, at]
            red = (colour & byte) * np.uint32(19595)
            green = ((colour >> np.uint32(8)) & byte) * np.uint32(38470)
            blue = ((colour >> np.uint32(16)) & byte) * np.uint32(7471)
            grey[at] = np.uint32(red + green + blue + np.uint32(0x8000)) >> np.uint32(16)
        _reduce_row(grey, starts, weights, out[row])


@compiled
def _reduce_height(rows: UInt8Array, starts: Int32Array, weights: Int32Array) -> UInt8Array:
    length = weights.shape[1]
    out = np.empty((SIDE, SIDE), np.uint8)
    totals = np.empty(SIDE, np.int32)
    for place in range(SIDE):
        totals[:] = 1 << (_BITS - 1)
        for at in range(length):
            weight = weights[place, at]
            row = rows[starts[place] + at]
            for column in range(SIDE):
                totals[column] = np.int32(totals[column] + np.int32(row[column]) * weight)
        for column in range(SIDE):
            out[place, column] = _shade(totals[column])
    return out
