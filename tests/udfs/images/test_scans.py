"""Searches of a file's bytes by blocks find what a step from byte to byte finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.images import image_bytes
from udfs.images.containers import Structure, read_structure
from udfs.images.measure import _MARKUP, _markup_place

_PARTS = (b"<", b"s", b"SC", b"cript", b"html", b"!doctype  html", b"?PHP", b"?p", b"<iF", b"x")
_MARKER_BYTES = (0x00, 0x01, 0x07, 0xC0, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA, 0xFF)
_BASELINE = image_bytes("jpeg", 40, 30, 1)


def plain_structure(data: bytes) -> Structure:
    """The markers of a JPEG file, one byte at a time."""
    width = height = blocks = scans = 0
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        while data[at : at + 1] == b"\xff":
            at += 1
        if at >= len(data):
            break
        marker = data[at]
        at += 1
        if marker == 0xD9:
            return Structure(width, height, 1, at, blocks, scans)
        if marker <= 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        blocks += 1
        if at + 2 > len(data):
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 7 <= len(data):
            height = max(height, int.from_bytes(data[at + 3 : at + 5], "big"))
            width = max(width, int.from_bytes(data[at + 5 : at + 7], "big"))
        scans += marker == 0xDA
        at += int.from_bytes(data[at : at + 2], "big")
    return Structure(width, height, 1, -1, blocks, scans)


@given(st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(_MARKER_BYTES)), max_size=8))
def test_markers_of_a_jpeg_file(changes: list[tuple[int, int]]) -> None:
    body = bytearray(_BASELINE)
    for place, byte in changes:
        body[place % len(body)] = byte
    assert read_structure(bytes(body), "jpeg") == plain_structure(bytes(body))


@given(st.lists(st.sampled_from(_MARKER_BYTES), max_size=200))
def test_markers_beside_markers(found: list[int]) -> None:
    assert read_structure(bytes(found), "jpeg") == plain_structure(bytes(found))


@given(st.lists(st.sampled_from(_PARTS), max_size=30), st.integers(0, 40))
def test_markup_is_found_where_the_expression_finds_it(parts: list[bytes], before: int) -> None:
    body = bytes(before) + b"".join(parts)
    place = _markup_place(np.frombuffer(body, np.uint8))
    found = _MARKUP.search(body)
    assert (found is None) or (0 <= place <= found.start())
    assert place < 0 or body[place : place + 1] == b"<"
    after = None if place < 0 else _MARKUP.search(body, place)
    assert (after is None) == (found is None)
    assert found is None or after is None or found.span() == after.span()
