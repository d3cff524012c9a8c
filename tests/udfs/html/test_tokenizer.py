"""The parts of the tokenizer that look at blocks of bytes equal loops over single bytes."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udfs.base.jit import (
    BLOCK_BYTES,
    bit_count,
    compiled,
    equal_bits,
    first_bit,
    low_bits,
    word_at,
)
from udfs.html.tokenizer import (
    after_declaration,
    find_byte,
    name_end,
    name_hash,
    name_key,
    next_attribute,
)

PAGES = st.lists(
    st.sampled_from([*(bytes([of]) for of in b"<>/=\"' \n\t\x0b\x00\x1fa-!Z"), "长".encode() * 9]),
    max_size=90,
).map(b"".join)
_ATTRIBUTE = re.compile(
    rb"""(.[^=>/ \n\t]*)(?:[ \n\t]*=[ \n\t]*(?=.)(?:"([^"]*)("?)|'([^']*)('?)|([^> \n\t]*)))?""",
    re.DOTALL,
)


@compiled
def _of_block(page: bytes, at: int, byte: int) -> tuple[int, int, int, int]:
    equal, low = equal_bits(page, at, byte), low_bits(page, at, byte)
    return equal, low, bit_count(low), first_bit(equal | np.uint64(1 << 63))


@compiled
def _word(page: bytes, at: int) -> np.uint64:
    return word_at(page, at)


@given(st.binary(min_size=BLOCK_BYTES + 3), st.integers(0, 3), st.integers(0, 255))
def test_bits_of_a_block_are_those_of_its_bytes(page: bytes, at: int, byte: int) -> None:
    block = page[at : at + BLOCK_BYTES]
    equal = sum((of == byte) << place for place, of in enumerate(block))
    low = sum((of <= byte) << place for place, of in enumerate(block))
    first = block.find(byte) if equal else 63
    assert _of_block(page, at, byte) == (equal, low, low.bit_count(), first)
    assert _word(page, at) == int.from_bytes(page[at : at + 8], "little")


@given(PAGES, st.integers(0, 60))
def test_the_next_byte_and_the_end_of_a_name_are_found(page: bytes, at: int) -> None:
    at = min(at, len(page))
    found = page.find(b"<", at)
    assert find_byte(page, at, ord("<")) == (len(page) if found < 0 else found)
    end = re.compile(rb"[>/ \n\t]|\Z").search(page, at)
    assert end is not None
    assert name_end(page, at) == end.start()


@settings(max_examples=500)
@example(b"a" * 40 + b"='" + b"b" * 40 + b"'", 0)
@given(PAGES, st.integers(0, 60))
def test_an_attribute_is_read_as_the_standard_says(page: bytes, at: int) -> None:
    at = min(at, len(page))
    match = _ATTRIBUTE.match(page, at)
    if match is None or page[at : at + 1] in b"/> \n\t":
        return  # no attribute begins here
    stop, begin, end, _, following = next_attribute(page, at)
    assert stop == match.end(1)
    values = [match[number] for number in (2, 4, 6)]
    expected = next((value for value in values if value is not None), b"")
    assert page[begin:end] == expected
    is_cut = (match[2] is not None and not match[3]) or (match[4] is not None and not match[5])
    assert (following > len(page)) is is_cut
    if not is_cut and any(value is not None for value in values):
        assert following == match.end()


@given(st.text(st.characters(max_codepoint=0x3FF), min_size=1, max_size=20), st.binary(max_size=12))
def test_the_key_of_a_name_is_that_of_its_small_letters(name: str, following: bytes) -> None:
    written = name.encode()
    small = bytes(of | 0x20 if 0x41 <= of <= 0x5A else of for of in written).decode()
    key = name_key(b"<" + written + following, 1, 1 + len(written))
    assert key == name_hash(small)
    assert key != name_hash(small + "\0")  # as "src" and a zero byte are another name


@example(b"<!---->a-->")
@example(b"<!---!>a-->")
@example(b"<!--a--!>a-->")
@given(PAGES)
def test_a_comment_ends_as_the_standard_says(page: bytes) -> None:
    comment = re.compile(rb"<!--(?:>|->|.*?(?:-->|--!>))", re.DOTALL)
    page = b"<!--" + page.removeprefix(b"<!--")
    match = comment.match(page)
    assert after_declaration(page, 0) == (len(page) if match is None else match.end())
