"""The structure of an image file, read before any decoder sees it.

A decoder allocates what a header states, walks as many blocks as there are, and never looks behind
the end. So width, height, frames, blocks and the end of the image are read here, in one compiled
pass over the bytes that decodes no pixel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from udfs.base.array_types import UInt8Array
from udfs.base.jit import BLOCK_BYTES, compiled, equal_bits, first_bit

_Fields = tuple[int, int, int, int, int, int]
_SHORT_BLOCK = 64
"""A block of a GIF's data that is shorter, and not the last of its series, counts as a block of
the file: encoders fill them up to 255 bytes, and one of one-byte blocks takes minutes to read."""


class Structure(NamedTuple):
    """What the headers of an image file state."""

    width: int
    """Pixels of the first frame or of the canvas, whichever is larger; 0 where it is not read."""
    height: int
    frames: int
    """Images in the file; 1 where the format has no count before it is decoded."""
    end: int
    """Place behind the image's last byte; -1 where the bytes end before the image does."""
    blocks: int
    """Segments, chunks or blocks of the file."""
    scans: int
    """Passes over the picture of a progressive JPEG; each costs as much as a whole baseline one."""


def read_structure(body: bytes, name: str) -> Structure:
    """Read the structure of an image of a format of `formats.SUPPORTED`.

    Linear in the length, whatever the bytes are. AVIF is left to its decoder, which reads sizes
    before it decodes: width and height are 0 then.
    """
    data = np.frombuffer(body, dtype=np.uint8)
    if name == "jpeg":
        return Structure(*_jpeg(data))
    if name == "png":
        return Structure(*_png(data))
    if name == "gif":
        return Structure(*_gif(data, _SHORT_BLOCK))
    if name == "webp":
        return Structure(*_webp(data))
    if name == "bmp":
        return _bmp(body)
    return Structure(0, 0, 1, len(body), 0, 0)


@compiled
def _next_marker(data: UInt8Array, at: int) -> int:
    """Return the place of the next byte of a JPEG file that begins a marker, or the file's end.

    A scan's data stores 255 as 255 and 0, which a comparison of whole blocks skips.
    """
    size = len(data)
    while at + BLOCK_BYTES < size:
        bits = equal_bits(data, at, 0xFF) & ~equal_bits(data, at + 1, 0)
        if bits:
            return at + first_bit(bits)
        at += BLOCK_BYTES
    while at < size and data[at] != 0xFF:
        at += 1
    return at


@compiled
def _jpeg(data: UInt8Array) -> _Fields:
    size = len(data)
    width = height = blocks = scans = 0
    at = 2
    while at < size:
        at = _next_marker(data, at)
        while at < size and data[at] == 0xFF:
            at += 1
        if at >= size:
            break
        marker = data[at]
        at += 1
        if marker == 0xD9:
            return width, height, 1, at, blocks, scans
        if marker <= 0x01 or (marker >= 0xD0 and marker <= 0xD8):  # without a length
            continue
        blocks += 1
        if at + 2 > size:
            break
        length = (int(data[at]) << 8) | data[at + 1]
        is_frame = marker >= 0xC0 and marker <= 0xCF
        if is_frame and marker != 0xC4 and marker != 0xC8 and marker != 0xCC and at + 7 <= size:
            height = max(height, (int(data[at + 3]) << 8) | data[at + 4])
            width = max(width, (int(data[at + 5]) << 8) | data[at + 6])
        if marker == 0xDA:
            scans += 1
        at += length
    return width, height, 1, -1, blocks, scans


@compiled
def _big_endian(data: UInt8Array, at: int) -> int:
    number = 0
    for place in range(at, at + 4):
        number = (number << 8) | int(data[place])
    return number


@compiled
def _little_endian(data: UInt8Array, at: int, count: int) -> int:
    number = 0
    for place in range(at + count - 1, at - 1, -1):
        number = (number << 8) | int(data[place])
    return number


@compiled
def _png(data: UInt8Array) -> _Fields:
    size = len(data)
    width = height = blocks = 0
    frames = 1
    at = 8
    while at + 12 <= size:
        length = _big_endian(data, at)
        kind = _big_endian(data, at + 4)
        blocks += 1
        if at + 12 + length > size:
            break
        if kind == 0x49484452 and length >= 8:  # IHDR
            width = max(width, _big_endian(data, at + 8))
            height = max(height, _big_endian(data, at + 12))
        elif kind == 0x6163544C and length >= 4:  # acTL
            frames = max(frames, _big_endian(data, at + 8))
        at += 12 + length
        if kind == 0x49454E44:  # IEND
            return width, height, frames, at, blocks, 0
    return width, height, frames, -1, blocks, 0


@compiled
def _gif(data: UInt8Array, short_block: int) -> _Fields:
    size = len(data)
    if size < 13:
        return 0, 0, 0, -1, 0, 0
    width, height = _little_endian(data, 6, 2), _little_endian(data, 8, 2)
    frames = blocks = 0
    at = 13
    if data[10] & 0x80:
        at += 3 << ((data[10] & 7) + 1)
    while at < size:
        kind = data[at]
        at += 1
        blocks += 1
        if kind == 0x3B:
            return width, height, frames, at, blocks, 0
        if kind == 0x2C:
            if at + 10 > size:
                return width, height, frames, -1, blocks, 0
            if frames == 0:  # decoders let the first image widen the canvas
                right = _little_endian(data, at, 2) + _little_endian(data, at + 4, 2)
                below = _little_endian(data, at + 2, 2) + _little_endian(data, at + 6, 2)
                width, height = max(width, right), max(height, below)
            flags = data[at + 8]
            at += 9
            if flags & 0x80:
                at += 3 << ((flags & 7) + 1)
            at += 1
            frames += 1
        elif kind == 0x21:
            at += 1
        else:
            continue
        while True:
            if at >= size:
                return width, height, frames, -1, blocks, 0
            length = int(data[at])
            at += 1 + length
            if length == 0:
                break
            if length < short_block and at < size and data[at] != 0:
                blocks += 1
    # The trailer is missing, as in many a file, and every block is there.
    return width, height, frames, size if at == size and frames else -1, blocks, 0


@compiled
def _webp(data: UInt8Array) -> _Fields:
    size = len(data)
    if size < 20:
        return 0, 0, 0, -1, 0, 0
    end = 8 + _little_endian(data, 4, 4)
    width = height = frames = blocks = 0
    if end > size:
        return 0, 0, 0, -1, 0, 0
    at = 12
    while at + 8 <= end:
        kind, length = _big_endian(data, at), _little_endian(data, at + 4, 4)
        blocks += 1
        body = at + 8
        if body + length > end:
            return width, height, frames, -1, blocks, 0
        if kind == 0x56503858 and length >= 10:  # VP8X
            width = max(width, _little_endian(data, body + 4, 3) + 1)
            height = max(height, _little_endian(data, body + 7, 3) + 1)
        elif kind == 0x56503820 and length >= 10:  # VP8, lossy
            width = max(width, _little_endian(data, body + 6, 2) & 0x3FFF)
            height = max(height, _little_endian(data, body + 8, 2) & 0x3FFF)
        elif kind == 0x5650384C and length >= 5:  # VP8L, lossless
            bits = _little_endian(data, body + 1, 4)
            width = max(width, (bits & 0x3FFF) + 1)
            height = max(height, ((bits >> 14) & 0x3FFF) + 1)
        elif kind == 0x414E4D46:  # ANMF
            frames += 1
        at = body + length + (length & 1)
    return width, height, max(frames, 1), end, blocks, 0


def _bmp(body: bytes) -> Structure:
    """The sizes of a bitmap; its stated length counts only where the bytes reach so far."""
    header = int.from_bytes(body[14:18], "little")
    sides = ((18, 20), (20, 22)) if header < 40 else ((18, 22), (22, 26))
    width, height = (
        abs(int.from_bytes(body[start:stop], "little", signed=header >= 40))
        for start, stop in sides
    )
    stated, pixels = (int.from_bytes(body[at : at + 4], "little") for at in (2, 10))
    end = stated if pixels < stated <= len(body) else len(body)
    return Structure(width, height, 1, end if pixels < len(body) else -1, 0, 0)
