"""A sample of a page, on which charsets are compared: pieces with its non-ASCII characters.

Decoding a whole page with a wrong charset is slow (every bad byte calls the error handler) and adds
nothing.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int64Array, UInt8Array
from udfs.base.jit import compiled

_SAMPLE_PIECES = 8
_PIECE_BYTES = 768
_BLOCK = 128  # counts of one fit in a byte
_NEAR = 32
_LOOK_BACK = 2  # bytes that decide whether a run begins at the next


def sample_of(payload: bytes) -> bytes:
    """Return pieces from the whole length of a page that contain its non-ASCII characters.

    Every byte above 0x7F is kept with the byte after it, which may be the second byte of its
    character; a piece begins where such a run begins, so that pairs stay together.
    """
    page = np.frombuffer(payload, dtype=np.uint8)
    kept, runs, places = _runs(page, _SAMPLE_PIECES)
    if kept <= _SAMPLE_PIECES * _PIECE_BYTES or runs < _SAMPLE_PIECES:
        return _kept(page, 0, 4 * _SAMPLE_PIECES * _PIECE_BYTES).tobytes()
    return b"\n".join([_kept(page, place, _PIECE_BYTES).tobytes() for place in places.tolist()])


@compiled
def _runs(page: UInt8Array, pieces: int) -> tuple[int, int, Int64Array]:
    """Count the kept bytes (above 0x7F, or behind one) and their runs that do not begin the page.

    Returns:
        The bytes, the runs, and the starts of `pieces` runs at equal distances in runs.
    """
    size = len(page)
    blocks = max(size - _LOOK_BACK + _BLOCK - 1, 0) // _BLOCK
    runs_by_block = np.zeros(blocks + 1, dtype=np.int64)
    kept = runs = 0
    for at in range(min(_LOOK_BACK, size)):
        is_high, follows = page[at] >= 0x80, at > 0 and page[0] >= 0x80
        kept += is_high or follows
        runs += at > 0 and is_high and not follows
    runs_by_block[0] = runs
    for block in range(blocks):
        first = _LOOK_BACK + block * _BLOCK
        end = min(first + _BLOCK, size)
        here, before, two_before = page[first:end], page[first - 1 :], page[first - 2 :]
        more_kept = more_runs = np.uint8(0)
        for at in range(len(here)):
            is_high = here[at] >= 0x80
            follows = before[at] >= 0x80
            more_kept = np.uint8(more_kept + (is_high | follows))
            begins = is_high & (not follows) & (two_before[at] < 0x80)
            more_runs = np.uint8(more_runs + begins)
        kept += int(more_kept)
        runs += int(more_runs)
        runs_by_block[block + 1] = runs
    places = np.zeros(pieces, dtype=np.int64)
    block = 0
    for piece in range(pieces if runs else 0):
        number = piece * runs // pieces
        while runs_by_block[block] <= number:
            block += 1
        at = 1 if block == 0 else _LOOK_BACK + (block - 1) * _BLOCK
        left = number - (runs_by_block[block - 1] if block else 0)
        while True:
            if page[at] >= 0x80 and page[at - 1] < 0x80 and (at < 2 or page[at - 2] < 0x80):
                if left == 0:
                    break
                left -= 1
            at += 1
        places[piece] = at
    return kept, runs, places


@compiled
def _kept(page: UInt8Array, at: int, most: int) -> UInt8Array:
    """Return the kept bytes from a place on, at most `most`."""
    size = len(page)
    kept = np.empty(min(most, size), dtype=np.uint8)
    count = 0
    while at < size and count < len(kept):
        near = min(at + _NEAR, size)
        while at < near and page[at] < 0x80:
            at += 1
        if at == near:
            while at + _BLOCK <= size and not _any_high(page[at : at + _BLOCK]):
                at += _BLOCK
            continue
        follows = True
        while follows and at < size and count < len(kept):
            kept[count] = page[at]
            count += 1
            follows = page[at] >= 0x80
            at += 1
            follows |= at < size and page[at] >= 0x80
    return kept[:count]


@compiled
def _any_high(block: UInt8Array) -> bool:
    found = False
    for byte in block:
        found |= byte >= 0x80
    return found
