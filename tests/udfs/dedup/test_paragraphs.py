"""Paragraphs, their keys and cuts, against what one would write without arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.plain_paragraphs import lines_of, span_after_cuts, without
from udfs.dedup.normalise import fold_table
from udfs.dedup.paragraph_keys import KEY, find_paragraphs
from udfs.dedup.paragraphs import (
    Policy,
    Span,
    cut_batch,
    cut_spans,
    paragraph_batch,
    paragraphs_of_texts,
    spans_of,
)

MASK = (1 << 64) - 1

# Few characters, so that lines repeat; blank, dropped, folded and astral ones among them.
TEXTS = st.lists(st.text(alphabet="ab天Ａ \n\r\u200b\u3000\U00020000", max_size=40), max_size=8)


def siphash_128(key: tuple[int, int], message: bytes) -> tuple[int, int]:
    """SipHash-2-4 with 128 bits, on Python's numbers."""

    def turned(value: int, bits: int) -> int:
        return (value << bits | value >> (64 - bits)) & MASK

    v = [
        key[0] ^ 0x736F6D6570736575,
        key[1] ^ 0x646F72616E646F6D ^ 0xEE,
        key[0] ^ 0x6C7967656E657261,
        key[1] ^ 0x7465646279746573,
    ]

    def rounds(count: int) -> None:
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = turned(v[1], 13) ^ v[0]
            v[0] = turned(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = turned(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = turned(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = turned(v[1], 17) ^ v[2]
            v[2] = turned(v[2], 32)

    whole = len(message) // 8 * 8
    words = [int.from_bytes(message[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(message[whole:], "little") | (len(message) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return first, v[0] ^ v[1] ^ v[2] ^ v[3]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, "a3817f04ba25a8e66df67214c7550293"),
        (1, "da87c1d86b99af44347659119b22fc45"),
    ],
)
def test_the_plain_hash_is_siphash(length: int, expected: str) -> None:
    """Source: vectors of the reference implementation, key and message 00 01 02 and so on."""
    key = bytes(range(16))
    halves = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    digest = siphash_128(halves, bytes(range(length)))
    assert b"".join(half.to_bytes(8, "little") for half in digest).hex() == expected


@given(TEXTS, st.integers(1, 4))
def test_paragraphs_are_the_lines_that_have_text(texts: list[str], min_chars: int) -> None:
    found = paragraphs_of_texts(texts, min_chars)
    expected = []
    for number, text in enumerate(texts):
        firsts: dict[str, int] = {}
        for line in lines_of(text):
            if len(line.folded) >= min_chars:
                digest = siphash_128(KEY, line.folded.encode("utf-32-le"))
                at_end = line.stop == len(text) and not text.endswith("\n")
                length = line.stop - line.start + at_end
                first = firsts.setdefault(line.folded, line.start)
                expected.append((number, line.start, length, digest, first))
    keys = [tuple(map(int, key)) for key in found.keys.view(np.uint64)]
    columns = (found.text, found.start, found.length)
    actual = zip(*(column.tolist() for column in columns), keys, found.first.tolist(), strict=True)
    assert list(actual) == expected


def test_keys_of_long_lines_are_siphash_too() -> None:
    lines = ["天" * length + "气" for length in range(300)]
    found = paragraphs_of_texts(["\n".join(lines)], 1)
    expected = [siphash_128(KEY, line.encode("utf-32-le")) for line in lines]
    assert [tuple(map(int, key)) for key in found.keys.view(np.uint64)] == expected


def test_texts_over_many_blocks_keep_their_numbers() -> None:
    texts = [f"第{number}篇" + "文" * 20_000 for number in range(12)]
    found = paragraphs_of_texts(texts, 20)
    assert found.text.tolist() == list(range(12))
    assert len({tuple(key) for key in found.keys.tolist()}) == 12


def test_only_a_line_of_the_same_text_comes_first() -> None:
    found = paragraphs_of_texts(["天气", "\n天气\n天气"], 1)
    assert found.start.tolist() == [0, 1, 4]
    assert found.first.tolist() == [0, 1, 1]
    assert len({tuple(key) for key in found.keys.tolist()}) == 1


def test_no_text_has_no_paragraph() -> None:
    for texts in ([], [""], ["\n \n\u200b"]):
        found = paragraphs_of_texts(texts, 1)
        assert len(found.start) == 0


@given(TEXTS, st.data())
def test_cuts_leave_the_other_lines(texts: list[str], data: st.DataObject) -> None:
    found = paragraphs_of_texts(texts, 1)
    lines = [line for text in texts for line in lines_of(text)]
    drawn = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    flags = np.array(drawn, dtype=bool)
    chars = np.array([len(text) for text in texts], dtype=np.int64)
    columns = spans_of(found.text[flags], found.start[flags], found.length[flags], chars)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    for number, text in enumerate(texts):
        spans = [Span(start, length) for of, start, length in rows if of == number]
        mine = found.text == number
        cut = [line for line, of in zip(lines, mine & flags, strict=True) if of]
        rest = cut_spans(text, spans)
        assert rest == without(text, cut)
        assert len(rest) == max(len(text) - int(found.length[mine & flags].sum()), 0)
        check_spans(spans, text)
        assert put_back(rest, text, spans) == text


def check_spans(spans: Sequence[Span], text: str) -> None:
    """Ascending, disjoint, inside the text, none empty, no two that could be one."""
    assert all(span.length > 0 and span.start >= 0 for span in spans)
    ends = [span.start + span.length for span in spans]
    assert all(end < span.start for end, span in zip(ends, spans[1:], strict=False))
    assert not ends or ends[-1] <= len(text)


def put_back(rest: str, original: str, spans: Sequence[Span]) -> str:
    """The original from what is left of it and the spans of it that were cut."""
    place = 0
    parts = []
    for start, length in spans:
        kept = start - sum(map(len, parts))
        parts += [rest[place : place + kept], original[start : start + length]]
        place += kept
    return "".join([*parts, rest[place:]])


SPANS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), max_size=5)


@given(SPANS, st.integers(0, 30), st.integers(1, 6))
def test_spans_after_cuts(gaps: list[tuple[int, int]], start: int, length: int) -> None:
    cuts = []
    place = 0
    for gap, size in gaps:
        cuts.append(Span(place + gap, size))
        place += gap + size
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 40)))
    wanted = text[start : start + length]
    rest = cut_spans(text, cuts)
    moved = span_after_cuts(Span(start, length), cuts)
    touched = any(cut.start < start + length and start < cut.start + cut.length for cut in cuts)
    assert (moved is None) == touched
    if moved is not None:
        assert rest[moved.start : moved.start + moved.length] == wanted


def test_a_batch_of_paragraphs() -> None:
    batch = pa.RecordBatch.from_pydict(
        {"doc_id": ["a", "b"], "text": [None, "天气很好\n\n天气 很好\n好"]}
    )
    rows = paragraph_batch(batch, 2).to_pylist()
    assert rows[0] == {"doc_id": "a", "text_chars": 0, "distinct_chars": 0, "paragraphs": []}
    assert (rows[1]["text_chars"], rows[1]["distinct_chars"]) == (13, 7)
    assert [(p["start"], p["length"], p["first"]) for p in rows[1]["paragraphs"]] == [
        (0, 6, 0),
        (6, 6, 0),
    ]


@pytest.mark.parametrize(
    ("policy", "rest", "span"),
    [
        ("first", "天气很好\n", Span(5, 9)),
        ("frequent", "天气很好\n\n天气很好", Span(10, 4)),
    ],
)
def test_a_cut_batch(policy: Policy, rest: str, span: Span) -> None:
    text = "天气很好\n\n天气很好\n今天好"
    cut = cut_with(text, "今天好", policy)
    assert cut["spans"] == [span._asdict()]
    assert cut_spans(text, [span]) == rest
    assert cut["chars_left"] == len(rest)
    assert cut["repeated_chars"] == len(text)


def test_rows_of_a_batch_are_cut_by_themselves() -> None:
    texts = ["天气很好\n今天好", None, "今天好\n天气很好", "天气很好\n今天好"]
    batch = pa.RecordBatch.from_pydict({"doc_id": list("abcd"), "text": texts})
    rows = paragraph_batch(batch, 2).to_pylist()
    shared = [[(0, False), (5, True)], None, [(0, True)], []]
    for row, pairs in zip(rows, shared, strict=True):
        row["rank"] = row.pop("doc_id")
        row["shared"] = pairs and [{"first": first, "is_cut": cut} for first, cut in pairs]
    cut = cut_batch(pa.RecordBatch.from_pylist(rows), "first").to_pylist()
    assert [row["spans"] for row in cut] == [
        [{"start": 4, "length": 4}],
        [],
        [{"start": 0, "length": 4}],
        [],
    ]
    assert [row["chars_left"] for row in cut] == [4, 0, 4, 8]
    assert [row["repeated_chars"] for row in cut] == [8, 0, 4, 0]


def test_paragraphs_that_only_others_have_are_not_repeated_here() -> None:
    cut = cut_with("天气很好\n昨天好\n今天好", "今天好", "frequent")
    assert cut["repeated_chars"] == 3
    assert cut["chars_left"] == 8


def cut_with(text: str, shared: str, policy: Policy) -> dict[str, Any]:
    """What `cut_batch` says of a text whose paragraph `shared` is to be cut."""
    batch = pa.RecordBatch.from_pydict({"doc_id": ["a"], "text": [text]})
    (row,) = paragraph_batch(batch, 2).to_pylist()
    row["rank"] = row.pop("doc_id")
    row["shared"] = [{"first": text.index(shared), "is_cut": True}]
    (cut,) = cut_batch(pa.RecordBatch.from_pylist([row]), policy).to_pylist()
    return dict(cut)


def test_null_is_no_shared_paragraph() -> None:
    batch = pa.RecordBatch.from_pydict({"doc_id": ["a"], "text": ["天气很好\n天气很好"]})
    (row,) = paragraph_batch(batch, 2).to_pylist()
    row["rank"] = row.pop("doc_id")
    shared = pa.array([None], pa.list_(pa.struct([("first", pa.int32()), ("is_cut", pa.bool_())])))
    table = pa.RecordBatch.from_pylist([row]).append_column("shared", shared)
    (cut,) = cut_batch(table, "first").to_pylist()
    assert cut == {
        "rank": "a",
        "spans": [{"start": 4, "length": 5}],
        "chars_left": 4,
        "repeated_chars": 9,
    }


def test_the_first_text_of_a_block_begins_at_its_offset() -> None:
    """The kernel by itself: a text that is empty between two others takes nothing of them."""
    texts = ["天气", "", "气\n"]
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    offsets = np.array([0, 2, 2, 4])
    key = np.array(KEY, dtype=np.uint64)
    text, start, length, _ = find_paragraphs(codes, offsets, fold_table(), 1, key)
    assert (text.tolist(), start.tolist(), length.tolist()) == ([0, 2], [0, 0], [3, 2])
