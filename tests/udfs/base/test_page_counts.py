"""What a page's bytes hold, against counting with Python's own decoder."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udfs.base.page_counts import PageCounts, page_counts

_REFERENCE = re.compile(rb"&#(?=.{3}[0-9a-fA-F]{2})", re.DOTALL)
EDGES = [
    "\x7f", "\x80", "\u07ff", "\u0800", "\u2fff", "\u3040", "\u30fa", "\u30fb", "\u30fc", "\u30ff",
    "\u3100", "\u33ff", "\u3400", "\u3fff", "\u4000", "\u9fff", "\ua000", "\ud7ff", "\ue000",
    "\uf8ff", "\uf900", "\ufaff", "\ufb00", "\uffff", "\U00010000", "\U0001ffff", "\U00020000",
    "\U0003ffff", "\U00040000", "\U0010ffff",
]  # fmt: skip
BYTES = [
    b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xc2", b"\xe0\x9f\xbf", b"\xe4\xb8",
    b"\xed\xa0\x80", b"\xed\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80", b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80", b"\xff", b"\0", b"\x1b", b"~", b"{", b"~{", b"&", b"#", b"&#", b"&#39;",
    b"&#x4e2d;", b"&#20013", b"&#8217;", b"&#xa0;", b" ",
]  # fmt: skip
STRETCH = st.lists(
    st.one_of(
        st.sampled_from([character.encode() for character in EDGES]),
        st.sampled_from(BYTES),
        st.sampled_from([b"a" * 40, "かな".encode() * 20, "漢字".encode() * 30]),
    ),
    max_size=30,
).map(b"".join)


def is_kana(character: str) -> bool:
    return "\u3040" <= character <= "\u30ff" and character != "\u30fb"


def is_ideograph(character: str) -> bool:
    code = ord(character)
    return 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF


def check(page: bytes) -> None:
    found = page_counts(page)
    try:
        text: str | None = page.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None:
        found_of_text = found
    else:
        # What is no UTF-8 is only known to be none.
        text, found_of_text = "", found._replace(continuations=0, ideographs=0, kana=0)
    assert found_of_text == PageCounts(
        is_ascii=page.isascii(),
        has_shift=b"\0" in page or b"\x1b" in page or b"~{" in page,
        references=len(_REFERENCE.findall(page)),
        is_utf8=text != "" or not page,
        continuations=len(text.encode()) - len(text),
        ideographs=sum(map(is_ideograph, text)),
        kana=sum(map(is_kana, text)),
    )


@settings(max_examples=1000, deadline=None)
@given(STRETCH)
@example(b"")
@example("中".encode() * 2000)
@example("か".encode() * 2000)
@example(b"&#x4e2d" * 2000)
@example(b"&#" * 2000)
def test_any_stretch(stretch: bytes) -> None:
    check(stretch)


@settings(max_examples=300, deadline=None)
@given(STRETCH, st.sampled_from([256, 512, 1024, 2048]), st.integers(-8, 8))
def test_over_the_borders_of_blocks(stretch: bytes, border: int, shift: int) -> None:
    check(b"x" * (border + shift) + stretch)
    check(b"x" * (border + shift - len(stretch)) + stretch)
    check("字".encode() * (border // 3) + b"x" * (shift % 3) + stretch)


@pytest.mark.parametrize("character", EDGES)
def test_the_edges_of_ranges_at_every_place(character: str) -> None:
    encoded = character.encode()
    for place in [*range(20), *range(240, 270), *range(1010, 1040)]:
        check(b"x" * place + encoded + b"y" * 20)
        check(b"x" * place + encoded[:-1])


@settings(max_examples=300, deadline=None)
@given(STRETCH, STRETCH, STRETCH)
def test_what_is_around_a_page_is_not_looked_at(before: bytes, page: bytes, behind: bytes) -> None:
    data = before + page + behind
    assert page_counts(data, len(before), len(before) + len(page)) == page_counts(page)
