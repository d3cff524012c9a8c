"""Readings through code tables, and counts of them, against those of the codecs."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udfs.base.han import text_plausibility, text_weights
from udfs.base.page_counts import page_counts
from udfs.charset.charset_counts import (
    TENTHS,
    Counts,
    counts_of,
    counts_of_text,
    table_utf8,
    wide_counts_of,
)
from udfs.charset.decode import _to_text

TWO_BYTES = ["gb18030", "big5hkscs", "euc_kr", "cp949", "shift_jis", "cp932", "euc_jp"]
ONE_BYTE = ["cp1252", "cp1251", "koi8-r", "iso8859-7", "cp874", "mac-cyrillic", "iso8859-1"]
# What is not counted: characters of four bytes, of three, and Hangul that is put together.
ODD = {"gb18030": b"\x81\x30\x81\x30", "euc_jp": b"\x8f\xa2\xaf", "euc_kr": b"\xa4\xd4"}
# Pairs that are read as a letter and an accent, or together with what follows; a byte that is.
ODD_PAIRS = {
    "big5hkscs": {b"\x88\x62", b"\x88\x64", b"\x88\xa3", b"\x88\xa5"},
    "euc_kr": {b"\xa4\xd4"},
}
ODD_LEAD = 0x8F

stretches = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.text(max_size=8).map(lambda text: text.encode("gb18030", "ignore")),
        *(
            st.text(letters, max_size=8).map(partial(str.encode, encoding=codec, errors="ignore"))
            for codec, letters in {
                "gbk": "中文漢字かなカЯé。，",
                "big5hkscs": "漢字﹏‧¯⊕￥",
                "shift_jis": "かなカナ・ｶ漢字",
                "euc_jp": "かなカナ・ｶ漢字",
                "euc_kr": "가나다라한국",
            }.items()
        ),
        st.sampled_from(
            [b"<p>" * 60, b" " * 127, b"&#20013;", b"&#x4e2d;", b"&#160;", b"&#", b"&"]
        ),
    ),
    max_size=12,
).map(b"".join)


def counted(text: str) -> Counts:
    """The counts of a text, character by character."""
    high = [character for character in text if ord(character) >= 0x80]
    weights = text_weights()
    weight = sum(round(float(weights[min(ord(character), 0xFFFF)]) * TENTHS) for character in high)
    held = page_counts(text.encode("utf-8", "surrogatepass"))
    return Counts(
        len(high), text.count("\ufffd"), weight, held.ideographs, held.kana, held.references
    )


@pytest.mark.parametrize("codec", TWO_BYTES + ONE_BYTE)
@given(stretches)
@example(b"\xa1")
@example(b"\xa1\n\xa1\xa1\xa1")
@example(b"\xa3\xa0\xa1\x45\xa1\x00")
def test_what_is_counted_is_what_the_codec_reads(codec: str, data: bytes) -> None:
    text = _to_text(data, codec)
    utf8 = table_utf8(data, codec)
    assert utf8 is None or utf8.decode() == text
    counts = counts_of(data, codec)
    if counts is not None:
        assert utf8 is not None
        assert counts == counted(text)
        assert counts.plausibility == pytest.approx(text_plausibility(text), abs=1e-6)


@pytest.mark.parametrize("codec", TWO_BYTES)
def test_every_pair_of_bytes(codec: str) -> None:
    odd = []
    for lead in range(0x80, 0x100):
        pairs = [b"-%c%c-" % (lead, trail) for trail in range(1, 0x100)]
        countable = [pair for pair in pairs if counts_of(pair, codec) is not None]
        odd += [pair[1:-1] for pair in pairs if pair not in countable]
        # Between hyphens, that an error of one pair shows: a sum over all would hide two.
        for stretch in (countable[::2], countable[1::2], countable):
            data = b"\n".join(stretch)
            assert counts_of(data, codec) == counted(_to_text(data, codec))
            assert table_utf8(data, codec) == _to_text(data, codec).encode()
    assert {pair for pair in odd if ODD_LEAD not in pair} == ODD_PAIRS.get(codec, set())
    assert codec == "euc_jp" or not any(ODD_LEAD in pair for pair in odd)


@pytest.mark.parametrize("codec", TWO_BYTES)
@pytest.mark.parametrize("text", ["中文漢字，", "かなカナ漢字", "가나다라한국", "Привет"])
def test_texts_of_the_codec_are_counted(codec: str, text: str) -> None:
    try:
        data = text.encode(codec)
    except UnicodeEncodeError:
        return
    assert (counts_of(data, codec) is None) == any(len(c.encode(codec)) > 2 for c in text)


@pytest.mark.parametrize(("codec", "data"), ODD.items())
def test_what_is_no_matter_of_two_bytes_has_to_be_decoded(codec: str, data: bytes) -> None:
    assert counts_of(b"<p>" + data, codec) is None
    assert table_utf8(b"<p>" + data, codec) is None


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "hz", "iso2022_jp", "utf-32-be"])
def test_other_codecs_have_no_table(codec: str) -> None:
    assert counts_of("中文".encode(codec), codec) is None


def test_zero_bytes_have_to_be_decoded() -> None:
    assert counts_of(b"a\0b", "cp1252") is None


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@given(
    st.one_of(
        st.binary(max_size=40),
        st.text(max_size=12).map(lambda text: text.encode("utf-16-le", "surrogatepass")),
        st.text(max_size=12).map(lambda text: text.encode("utf-16-be", "surrogatepass")),
    )
)
@example(b"\x00\xd8\x00\xdc\x00\xd8")
@example(b"\x00\xdc\x00\xd8")
def test_units_of_two_bytes(codec: str, data: bytes) -> None:
    counts = wide_counts_of(data, codec)
    if counts is not None:
        assert counts[:3] == counted(_to_text(data, codec))[:3]


@given(st.text())
def test_a_text_that_is_there(text: str) -> None:
    assert counts_of_text(text)[:3] == counted(text)[:3]


def test_nothing_is_plausible_and_nothing_is_bad() -> None:
    counts = counts_of(b"plain", "cp1252")
    assert counts is not None
    assert (counts.bad_share, counts.plausibility) == (0.0, 0.0)
