"""A decoded picture as 32 x 32 shades of grey: Pillow's conversion and reduction in one pass.

Pillow makes a grey copy of the picture, then reduces it with one multiplication at a time; both
took as long as two thirds of decoding. The same whole numbers are computed here from the decoder's
own memory, four rows at a time, in loops that the compiler makes vectors of: in a quarter of the
time.

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
_LANES = 32
"""Weights that the compiled loop takes at once, with none left over."""
_ROWS = 4
"""Rows that are multiplied by a weight once it is loaded."""


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
    columns = np.empty((SIDE, height + _window_length(height)), np.int32)
    top = 0
    for strip in _strips(image):
        _reduce_width(_pixels(strip), columns, top)
        top += strip.size[1]
    reduced = np.empty((SIDE, SIDE), np.uint8)
    _reduce_height(columns, height, reduced)
    return reduced


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
    memory = pa.array(image).buffers()[-1]
    kind = np.uint8 if image.mode == "L" else np.uint32
    return np.frombuffer(memory, kind).reshape(height, width)


@compiled
def _window_length(size: int) -> int:
    """Weights of a window, rounded up to a multiple of _LANES."""
    longest = min(math.ceil(_SUPPORT * max(size / SIDE, 1.0)) * 2 + 1, size)
    return -(-longest // _LANES) * _LANES


@compiled
def _weights(size: int) -> tuple[Int32Array, Int32Array]:
    """Return where the window of each reduced pixel begins, shape (32,), and the weights in it,
    shape (32, _window_length(size)); behind a window's end, and the picture's, they are 0."""
    scale = size / SIDE
    stretch = max(scale, 1.0)
    support = _SUPPORT * stretch
    longest = _window_length(size)
    starts = np.zeros(SIDE, np.int32)
    weights = np.zeros((SIDE, longest), np.int32)
    window = np.empty(longest, np.float64)
    # The sine of a sum by those of its parts: one call for a place and one for a step.
    step = math.pi / 3 / stretch
    sines, cosines = np.empty(longest, np.float64), np.empty(longest, np.float64)
    for at in range(longest):
        sines[at], cosines[at] = math.sin(at * step), math.cos(at * step)
    for place in range(SIDE):
        centre = (place + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        length = min(int(centre + support + 0.5), size) - first
        begin = first - centre + 0.5
        begin_sine, begin_cosine = math.sin(begin * step), math.cos(begin * step)
        for at in range(length):
            x = (at + begin) * (1.0 / stretch)
            third = x * (math.pi / 3)
            sine = begin_sine * cosines[at] + begin_cosine * sines[at]
            square = sine * sine  # sin(3t) = (3 - 4 sin(t)^2) sin(t)
            value = (3 - 4 * square) * square / (3 * third * third) if x != 0.0 else 1.0
            window[at] = value if x >= -3.0 and x < 3.0 else 0.0
        total = 0.0
        for at in range(length):
            total += window[at]
        starts[place] = first
        share = total if total != 0.0 else 1.0
        for at in range(length):
            weight = window[at] / share * (1 << _BITS)
            weights[place, at] = int(weight - 0.5 if weight < 0 else weight + 0.5)
    return starts, weights


@inlined
def _shade(total: Any) -> Any:
    """A sum of weighted shades without its fraction, within a byte."""
    return min(max(total >> _BITS, 0), 255)


@compiled
def _grey_row(pixels: UInt32Array | UInt8Array, grey: Int32Array) -> None:
    if pixels.itemsize == 1:
        for at in range(np.uint64(len(pixels))):
            grey[at] = pixels[at]
    else:
        byte = np.uint32(255)
        for at in range(np.uint64(len(pixels))):
            colour = pixels[at]
            red = (colour & byte) * np.uint32(19595)
            green = ((colour >> np.uint32(8)) & byte) * np.uint32(38470)
            blue = ((colour >> np.uint32(16)) & byte) * np.uint32(7471)
            grey[at] = np.uint32(red + green + blue + np.uint32(0x8000)) >> np.uint32(16)


@compiled
def _reduce_rows(
    rows: Int32Array, starts: Int32Array, weights: Int32Array, out: Int32Array | UInt8Array
) -> None:
    """Reduce _ROWS rows, which reach as far behind the picture as a window does: what is there is
    multiplied by 0. The result has a column for each row."""
    # Unsigned places and sums of 32 bits: else the loop is no vectors.
    one, two, three, four = rows[0], rows[1], rows[2], rows[3]
    length = np.uint64(weights.shape[1])
    for place in range(SIDE):
        start, of_place = np.uint64(starts[place]), np.uint64(place)
        first = second = third = fourth = np.int32(1 << (_BITS - 1))
        for at in range(length):
            weight = weights[of_place, at]
            first = np.int32(first + one[start + at] * weight)
            second = np.int32(second + two[start + at] * weight)
            third = np.int32(third + three[start + at] * weight)
            fourth = np.int32(fourth + four[start + at] * weight)
        out[place, 0], out[place, 1] = _shade(first), _shade(second)
        out[place, 2], out[place, 3] = _shade(third), _shade(fourth)


@compiled
def _reduce_width(pixels: UInt32Array | UInt8Array, columns: Int32Array, left: int) -> None:
    """Write 32 shades of each row into a column, from a place on. Up to _ROWS - 1 columns behind
    the last one are overwritten too."""
    height, width = pixels.shape
    starts, weights = _weights(width)
    grey = np.zeros((_ROWS, width + weights.shape[1]), np.int32)
    for top in range(0, height, _ROWS):
        for row in range(top, min(top + _ROWS, height)):
            _grey_row(pixels[row], grey[row - top])
        _reduce_rows(grey, starts, weights, columns[:, left + top : left + top + _ROWS])


@compiled
def _reduce_height(columns: Int32Array, height: int, out: UInt8Array) -> None:
    starts, weights = _weights(height)
    for left in range(0, SIDE, _ROWS):
        rows = columns[left : left + _ROWS]
        _reduce_rows(rows, starts, weights, out[:, left : left + _ROWS])
