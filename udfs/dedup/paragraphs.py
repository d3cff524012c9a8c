"""Paragraphs that stand in many texts, and texts without them.

Offsets and lengths are code points, of the text as it was before anything was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import StringType

from udfs.base.array_types import Int64Array
from udfs.dedup.minhash import BLOCK_CHARS
from udfs.dedup.normalise import fold_table
from udfs.dedup.paragraph_keys import KEY, find_paragraphs

Policy = Literal["first", "frequent", "measure"]
BatchMap = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

PARAGRAPHS_DDL = (
    "doc_id string, text_chars int, distinct_chars int, "
    "paragraphs array<struct<high:bigint,low:bigint,start:int,length:int,first:int>>"
)
"""text_chars: code points. distinct_chars: what is left of them without paragraphs that repeat one
before them in the same text. high, low: the key. first: start of the first paragraph of this key in
the text; start itself, unless it repeats one."""

CUTS_DDL = (
    "rank string, spans array<struct<start:int,length:int>>, chars_left bigint, "
    "repeated_chars bigint"
)
"""repeated_chars: characters of paragraphs that occur more than once, here or elsewhere."""

_PARAGRAPH = pa.struct(
    [
        ("high", pa.int64()),
        ("low", pa.int64()),
        ("start", pa.int32()),
        ("length", pa.int32()),
        ("first", pa.int32()),
    ]
)
_SPAN = pa.struct([("start", pa.int32()), ("length", pa.int32())])


class Span(NamedTuple):
    """A stretch of a text."""

    start: int
    length: int


class Paragraphs(NamedTuple):
    """The paragraphs of n texts, in order: p of them."""

    text: Int64Array
    """Which text each is of, shape (p,)."""
    start: Int64Array
    """Shape (p,)."""
    length: Int64Array
    """Up to the next line that has text, see `find_paragraphs`; shape (p,)."""
    keys: Int64Array
    """The 128 bits of each as two signed numbers, shape (p, 2)."""
    first: Int64Array
    """Start of the first paragraph with this key in the same text, shape (p,)."""


def paragraphs_of_texts(texts: Sequence[str], min_chars: int) -> Paragraphs:
    """The paragraphs of texts: lines of min_chars folded characters or more.

    >>> found = paragraphs_of_texts(["天气很好\\n\\n好\\n 天气 很好"], min_chars=2)
    >>> found.start.tolist(), found.length.tolist(), found.first.tolist()
    ([0, 8], [6, 7], [0, 0])
    """
    blocks = [_paragraphs_of_block(texts[a:b], min_chars, a) for a, b in _text_blocks(texts)]
    if not blocks:
        none = np.zeros(0, dtype=np.int64)
        return Paragraphs(none, none, none, none.reshape(0, 2), none)
    return Paragraphs(*map(np.concatenate, zip(*blocks, strict=True)))


def _read_texts(column: pa.Array) -> list[str]:
    """Texts of a column; null is the empty text, broken UTF-8 is replaced, not raised."""
    payloads = column.cast(pa.large_binary()).to_pylist()
    return ["" if payload is None else payload.decode("utf-8", "replace") for payload in payloads]


def _text_blocks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut texts into runs (first, last + 1) of about BLOCK_CHARS characters, at least one text."""
    first = 0
    chars = 0
    for index, text in enumerate(texts):
        if chars and chars + len(text) > BLOCK_CHARS:
            yield first, index
            first, chars = index, 0
        chars += len(text)
    if first < len(texts):
        yield first, len(texts)


def _paragraphs_of_block(texts: Sequence[str], min_chars: int, number: int) -> Paragraphs:
    """The paragraphs of a few texts, the first of which has a number."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)), out=offsets[1:])
    text, start, length, words = find_paragraphs(
        codes, offsets, fold_table(), max(min_chars, 1), np.array(KEY, dtype=np.uint64)
    )
    keys = words.view(np.int64)
    order = np.lexsort((keys[:, 1], keys[:, 0], text))  # stable: in order of start where equal
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (text[order[1:]] != text[order[:-1]]) | (keys[order[1:]] != keys[order[:-1]]).any(
        axis=1
    )
    group = np.cumsum(is_new) - 1
    first = np.empty_like(start)
    first[order] = start[order[is_new]][group]
    return Paragraphs(text + number, start, length, keys, first)


def paragraph_batches(min_chars: int) -> BatchMap:
    """A function for mapInArrow from (doc_id, text) to PARAGRAPHS_DDL.

    Batch: one batch out for each batch in. Memory beside the batch: some 80 bytes a paragraph.
    """

    def paragraphs(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield paragraph_batch(batch, min_chars)

    return paragraphs


def paragraph_batch(batch: pa.RecordBatch, min_chars: int) -> pa.RecordBatch:
    """One batch for `paragraph_batches`; rows keep their order, a null text is empty."""
    texts = _read_texts(batch.column("text"))
    found = paragraphs_of_texts(texts, min_chars)
    text_chars = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    repeats = found.first != found.start
    lost = _sums(found.text[repeats], found.length[repeats], len(texts))
    paragraphs = pa.ListArray.from_arrays(
        _list_offsets(found.text, len(texts)),
        pa.StructArray.from_arrays(
            [
                pa.array(found.keys[:, 0]),
                pa.array(found.keys[:, 1]),
                *(pa.array(n, pa.int32()) for n in (found.start, found.length, found.first)),
            ],
            fields=list(_PARAGRAPH),
        ),
    )
    return pa.RecordBatch.from_arrays(
        [
            batch.column("doc_id").cast(pa.string()),
            pa.array(text_chars, pa.int32()),
            pa.array(text_chars - lost, pa.int32()),
            paragraphs,
        ],
        names=["doc_id", "text_chars", "distinct_chars", "paragraphs"],
    )


def cut_batches(policy: Policy) -> BatchMap:
    """A function for mapInArrow to CUTS_DDL.

    Batch: one batch out for each batch in. Columns rank; text_chars and paragraphs as in
    PARAGRAPHS_TYPE; shared, a list of (first, is_cut): the paragraphs that stand in other texts
    too, and whether they are to be cut here. Null is an empty list.

    Args:
        policy: "first" also cuts what repeats inside a text.
    """

    def cut(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield cut_batch(batch, policy)

    return cut


def cut_batch(batch: pa.RecordBatch, policy: Policy) -> pa.RecordBatch:
    """One batch for `cut_batches`; rows keep their order."""
    row, paragraphs = _flat(batch.column("paragraphs"))
    start, length, first = (_integers(paragraphs, name) for name in ("start", "length", "first"))
    shared_row, shared = _flat(batch.column("shared"))
    shared_name = _name(shared_row, _integers(shared, "first"))
    name = _name(row, first)
    repeats = first != start
    is_repeated = np.isin(name, np.concatenate((shared_name, name[repeats])))
    is_cut = np.isin(name, shared_name[_integers(shared, "is_cut").astype(bool)])
    if policy == "first":
        is_cut |= repeats
    chars = batch.column("text_chars").to_numpy(zero_copy_only=False).astype(np.int64)
    # The length of a last line may count a line feed that is not there.
    repeated_chars = _sums(
        row[is_repeated], np.minimum(length, chars[row] - start)[is_repeated], len(chars)
    )
    row, start, length = spans_of(row[is_cut], start[is_cut], length[is_cut], chars)
    spans = pa.ListArray.from_arrays(
        _list_offsets(row, len(chars)),
        pa.StructArray.from_arrays(
            [pa.array(start, pa.int32()), pa.array(length, pa.int32())], fields=list(_SPAN)
        ),
    )
    return pa.RecordBatch.from_arrays(
        [
            batch.column("rank").cast(pa.string()),
            spans,
            pa.array(chars - _sums(row, length, len(chars))),
            pa.array(repeated_chars),
        ],
        names=["rank", "spans", "chars_left", "repeated_chars"],
    )


def spans_of(
    text: Int64Array, start: Int64Array, length: Int64Array, chars: Int64Array
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """The spans of paragraphs that are cut: text, start and length of each.

    They are ascending and disjoint, and no two of a text touch. Where its last line goes, and no
    line feed ends it, the one before it goes in its place: the text ends as it ended.

    Args:
        text: Which text each paragraph is of, ascending.
        start: Ascending in a text.
        length: As `find_paragraphs` gives it.
        chars: Code points of each text.

    >>> zero = np.zeros(2, dtype=np.int64)
    >>> _, start, length = spans_of(zero, np.array([0, 6]), np.array([3, 4]), np.array([9]))
    >>> start.tolist(), length.tolist()
    ([0, 5], [3, 4])
    """
    stop = start + length
    is_first, is_last = np.ones((2, len(text)), dtype=bool)
    is_first[1:] = (text[1:] != text[:-1]) | (start[1:] != stop[:-1])
    is_last[:-1] = is_first[1:]
    text, start, stop = text[is_first], start[is_first], stop[is_last]
    beyond = stop > chars[text]
    stop = stop - beyond
    start = np.maximum(start - beyond, 0)
    return text, start, stop - start


def _flat(lists: pa.ListArray) -> tuple[Int64Array, pa.Array]:
    """The values of all lists, and which list each is of; null is an empty list."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return np.repeat(np.arange(len(lists)), lengths), lists.flatten()


def _integers(structs: pa.StructArray, name: str) -> Int64Array:
    """A field of structs."""
    field: Int64Array = structs.field(name).to_numpy(zero_copy_only=False).astype(np.int64)
    return field


def _name(row: Int64Array, first: Int64Array) -> Int64Array:
    """One number for a row and an offset in its text."""
    return (row << 32) | first


def _sums(row: Int64Array, numbers: Int64Array, rows: int) -> Int64Array:
    """The sum of each row's numbers, exact below 2^53."""
    return np.bincount(row, numbers, rows).astype(np.int64)


def _list_offsets(row: Int64Array, rows: int) -> pa.Array:
    """Offsets of the lists of values that are in order of their rows."""
    return pa.array(np.searchsorted(row, np.arange(rows + 1)), pa.int32())


def cut_spans(text: str, spans: Iterable[Span]) -> str:
    """A text without its spans.

    Args:
        spans: Ascending and disjoint, inside the text.

    >>> cut_spans("天气很好", [Span(1, 2)])
    '天好'
    """
    kept = []
    place = 0
    for start, length in spans:
        kept.append(text[place:start])
        place = start + length
    kept.append(text[place:])
    return "".join(kept)


def cut_text_udf() -> Callable[..., Any]:
    """A UDF: text, starts and lengths of its spans -> what is left of it; null for a null text.

    Batch: any number of rows. Null spans cut nothing.
    """

    @pandas_udf(StringType())  # type: ignore[call-overload, untyped-decorator]
    def cut_text(texts: pd.Series, starts: pd.Series, lengths: pd.Series) -> pd.Series:
        rows = zip(texts, starts, lengths, strict=True)
        return pd.Series([_cut_text(*row) for row in rows], dtype=object)

    # A filter on what comes out would otherwise cut every text twice.
    return cast(Callable[..., Any], cut_text.asNondeterministic())


def _cut_text(text: str | None, starts: Any, lengths: Any) -> str | None:
    if text is None or starts is None:
        return text
    return cut_spans(text, map(Span, starts.tolist(), lengths.tolist()))
