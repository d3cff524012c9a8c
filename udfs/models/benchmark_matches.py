"""The questions of benchmarks that stand in texts, in one compiled pass over the texts' n-grams.

A question is found in a text where the text has enough of its n-grams (`enough`). What it shares
with a text is where these n-grams are; an edited word or a line between two of them belongs to it.

A text of N characters takes N look-ups for each length of n-grams, most of them in a filter of a
byte a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import (
    BoolArray,
    Int32Array,
    Int64Array,
    UInt8Array,
    UInt32Array,
    UInt64Array,
)
from udfs.base.code_points import encode_texts
from udfs.base.jit import compiled
from udfs.models.benchmark_index import SHARED, BenchmarkIndex
from udfs.models.overlap_text import (
    final_key,
    fold_table,
    fold_texts,
    mixed,
    power_of_base,
    with_next,
)

MIN_FOUND = 8
"""Fewest n-grams that are found of a question that has so many; of a shorter one all must be. With
n-grams of 13 characters these are 20 characters in a row."""

_ROUNDING = 1e-9  # 0.1 * 30 is above 3
_OPENING = "“‘「『（《〈【〔([{<«"
"""Signs that belong to what comes behind them."""


class Matches(NamedTuple):
    """What a text shares with benchmarks."""

    questions: Int64Array
    """Numbers of the questions that are found, most n-grams first; shape (questions,)."""
    found: Int64Array
    """Different n-grams of each that the text has."""
    spans: Int64Array
    """Start and end of the passages, in code points of the text; ascending, disjoint.
    Shape (spans, 2)."""


NO_MATCHES = Matches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2), np.int64))


@compiled
def enough(total: int | np.int64, min_share: float, min_found: int = MIN_FOUND) -> int:
    """How many of a question's n-grams a text must have.

    >>> enough(100, 0.5), enough(3, 0.5), enough(3, 0.0), enough(100, 0.0)
    (50, 3, 3, 8)
    """
    least = int(np.ceil(min_share * total - _ROUNDING))
    return max(least, int(min(total, min_found)))


def find_matches(
    texts: Sequence[str], index: BenchmarkIndex, min_share: float, min_found: int = MIN_FOUND
) -> list[Matches]:
    """Find questions in texts.

    Args:
        min_share: Least share of a question's n-grams that a text has, see `enough`.
        min_found: Fewest of them, or all of a question with fewer.
    Returns:
        One for each text.
    """
    encoded = encode_texts(texts)
    folded = fold_texts(encoded.codes, encoded.starts, encoded.stops)
    hits = Hits(
        *_find_grams(
            folded.codes,
            folded.offsets,
            np.array(index.sizes, dtype=np.int64),
            index.keys,
            index.buckets,
            index.filter,
        )
    )
    found = [NO_MATCHES] * len(texts)
    firsts = np.flatnonzero(np.diff(hits.texts, prepend=-1))
    ends = np.append(firsts, len(hits.texts))[1:]
    for first, last in zip(firsts.tolist(), ends.tolist(), strict=True):
        text = int(hits.texts[first])
        own = slice(first, last)
        questions, counts, is_matched = _matched_questions(
            hits.grams[own], index.owners, index.shared, index.totals, min_share, min_found
        )
        if not len(questions):
            continue
        begin, end = folded.offsets[text], folded.offsets[text + 1]
        spans = _spans(
            hits.starts[own][is_matched],
            hits.sizes[own][is_matched],
            folded.places[begin:end],
            index.size,
            encoded.codes[encoded.starts[text] : encoded.stops[text]],
            fold_table().singles,
            np.array([ord(sign) for sign in _OPENING], dtype=np.uint32),
        )
        order = np.lexsort((questions, -counts))
        found[text] = Matches(questions[order], counts[order], spans)
    return found


class Hits(NamedTuple):
    """N-grams of texts that are in an index, by text; each of shape (hits,)."""

    texts: Int64Array
    grams: Int64Array
    """Place of the n-gram in the index."""
    starts: Int64Array
    """First folded character of the text."""
    sizes: Int64Array
    """Folded characters."""


@compiled
def _place_of(
    key: np.uint64,
    keys: UInt64Array,
    buckets: UInt32Array,
    bucket_shift: np.uint64,
) -> int:
    """The place of a key; -1 where it is not there."""
    bucket = np.int64(key >> bucket_shift)
    for at in range(np.int64(buckets[bucket]), np.int64(buckets[bucket + 1])):
        if keys[at] == key:
            return at
    return -1


@compiled
def _shift_of(values: int) -> np.uint64:
    """What a key is shifted by, so that it has so many values, a power of two."""
    shift = 64
    while values > 1:
        values >>= 1
        shift -= 1
    return np.uint64(shift)


@compiled
def _find_grams(
    codes: UInt32Array,
    offsets: Int64Array,
    sizes: Int64Array,
    keys: UInt64Array,
    buckets: UInt32Array,
    filter_bytes: UInt8Array,
) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """`Hits` of folded texts that lie end to end."""
    bucket_shift = _shift_of(len(buckets) - 1)
    filter_shift = _shift_of(8 * len(filter_bytes))
    room = 256
    found = np.empty((room, 4), dtype=np.int64)
    count = 0
    powers = np.empty(len(sizes), dtype=np.uint64)
    for number in range(len(sizes)):
        powers[number] = power_of_base(sizes[number])
    for text in range(len(offsets) - 1):
        begin, end = offsets[text], offsets[text + 1]
        for number in range(len(sizes)):
            size, leaving = sizes[number], powers[number]
            if end - begin < size:
                continue
            total = np.uint64(0)
            for at in range(begin, begin + size - 1):
                total = with_next(total, codes[at])
            for at in range(begin + size - 1, end):
                total = with_next(total, codes[at])
                if at - begin >= size:
                    total -= mixed(codes[at - size]) * leaving
                key = final_key(total, size)
                bit = key >> filter_shift
                if not (
                    filter_bytes[np.int64(bit >> np.uint64(3))] >> np.uint8(bit & np.uint64(7))
                ) & np.uint8(1):
                    continue
                place = _place_of(key, keys, buckets, bucket_shift)
                if place < 0:
                    continue
                if count == room:
                    room *= 2
                    larger = np.empty((room, 4), dtype=np.int64)
                    larger[:count] = found
                    found = larger
                found[count, 0] = text
                found[count, 1] = place
                found[count, 2] = at - begin - size + 1
                found[count, 3] = size
                count += 1
    kept = found[:count]
    return kept[:, 0].copy(), kept[:, 1].copy(), kept[:, 2].copy(), kept[:, 3].copy()


@compiled
def _matched_questions(
    grams: Int64Array,
    owners: UInt32Array,
    shared: UInt32Array,
    totals: UInt32Array,
    min_share: float,
    min_found: int,
) -> tuple[Int64Array, Int64Array, BoolArray]:
    """The questions that are found, ascending; their n-grams that the text has; and whether each
    n-gram is one of theirs."""
    distinct = np.unique(grams)
    size = 0
    for gram in distinct:
        owner = np.int64(owners[gram])
        size += 1 if owner < SHARED else int(shared[owner - SHARED])
    pairs = np.empty(size, dtype=np.int64)
    size = 0
    for gram in distinct:
        owner = np.int64(owners[gram])
        if owner < SHARED:
            pairs[size] = owner
            size += 1
        else:
            place = owner - SHARED
            for number in range(np.int64(shared[place])):
                pairs[size] = np.int64(shared[place + 1 + number])
                size += 1
    pairs.sort()
    questions = np.empty(size, dtype=np.int64)
    counts = np.empty(size, dtype=np.int64)
    matched = 0
    at = 0
    while at < size:
        last = at
        while last < size and pairs[last] == pairs[at]:
            last += 1
        if last - at >= enough(np.int64(totals[pairs[at]]), min_share, min_found):
            questions[matched], counts[matched] = pairs[at], last - at
            matched += 1
        at = last
    questions, counts = questions[:matched], counts[:matched]
    is_theirs = np.zeros(len(grams), dtype=np.bool_)
    for hit in range(len(grams) if matched else 0):
        owner = np.int64(owners[grams[hit]])
        if owner < SHARED:
            is_theirs[hit] = _has(questions, owner)
            continue
        place = owner - SHARED
        for number in range(np.int64(shared[place])):
            if _has(questions, np.int64(shared[place + 1 + number])):
                is_theirs[hit] = True
                break
    return questions, counts, is_theirs


@compiled
def _has(ascending: Int64Array, value: int | np.int64) -> bool:
    place = np.searchsorted(ascending, value)
    return bool(place < len(ascending) and ascending[place] == value)


@compiled
def _spans(
    starts: Int64Array,
    sizes: Int64Array,
    places: Int32Array,
    most_between: int,
    codes: UInt32Array,
    singles: UInt32Array,
    opening: UInt32Array,
) -> Int64Array:
    """The passages of a text that n-grams cover, as start and end in its code points.

    Args:
        starts: First folded character of each n-gram, one or more.
        sizes: Folded characters of each.
        places: The code point of each folded character of the text.
        most_between: Folded characters between two n-grams of one passage, at most.
        codes: The text.
        singles: Of the `FoldTable`.
        opening: Signs that never end a passage.
    """
    depth = np.zeros(len(places) + 1, dtype=np.int32)
    for hit in range(len(starts)):
        depth[starts[hit]] += 1
        depth[starts[hit] + sizes[hit]] -= 1
    spans = np.empty((len(starts), 2), dtype=np.int64)
    count = 0
    covering = 0
    last_covered = -1
    for at in range(len(places)):
        covering += depth[at]
        if covering == 0:
            continue
        is_apart = count == 0 or at - last_covered - 1 > most_between
        # A sign that folds to many letters may be in two passages at once.
        if is_apart and (count == 0 or places[at] >= spans[count - 1, 1]):
            spans[count, 0] = places[at]
            count += 1
        spans[count - 1, 1] = places[at] + 1
        last_covered = at
    for number in range(count):  # signs directly behind it: its full stop, its bracket
        end = spans[number, 1]
        limit = spans[number + 1, 0] if number + 1 < count else len(codes)
        while end < limit and singles[codes[end]] == 0 and not _ends_span(codes[end], opening):
            end += 1
        spans[number, 1] = end
    return spans[:count].copy()


@compiled
def _ends_span(code: np.uint32, opening: UInt32Array) -> bool:
    """Whether a character that is no letter or digit is white space, or opens what follows."""
    if code <= 0x20 or code == 0x85 or code == 0xA0 or code == 0x3000:
        return True
    if 0x2000 <= code <= 0x200A or 0x2028 <= code <= 0x202F or code == 0x205F or code == 0x1680:
        return True
    return bool((opening == code).any())
