"""The shape of a text as tokens, so that a bag-of-words model sees it too.

A fastText model takes the mean of its tokens, in which a handful of shape tokens would drown: they
come in as many copies as keeps their share of a line the same, however many words it has.

To make other tokens is another `udfs.base.model_constants.SHAPE_TOKENS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt16Array, UInt32Array, UInt64Array
from udfs.base.code_points import EncodedTexts, encode_texts
from udfs.base.jit import compiled
from udfs.tokens.shape_measures import NAMES, SPACE, character_bits, measures_of
from udfs.tokens.token_hashes import hash_bytes, hash_characters
from udfs.tokens.tokens import Places, Tokens

BUCKETS: dict[str, tuple[float, ...]] = {
    "chars": (60, 120, 250, 500, 1000, 2000, 4000),
    "longest_line": (30, 60, 80, 110, 160, 300, 500),
    "long_prose_chars": (80, 160, 320, 640, 1280, 2560),
    "clean_prose_chars": (30, 60, 120, 240, 480, 960, 1920),
    "clean_prose_share": (0.01, 0.03, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8),
    "prose_sentences": (1, 2, 4, 8, 16, 32),
    "prose_function_share": (0.005, 0.03, 0.05, 0.07, 0.09, 0.12),
    "prose_comma_share": (0.002, 0.02, 0.03, 0.036, 0.048),
    "prose_stop_share": (0.001, 0.008, 0.014, 0.018, 0.026),
    "prose_variety": (4, 5.5, 7, 8.5, 10, 11.5, 13),
    "prose_top_window": (2, 3, 4, 6, 8, 16),
    "prose_repeats_share": (0.001, 0.02, 0.06, 0.12, 0.25),
    "function_share": (0.006, 0.013, 0.02, 0.027, 0.036, 0.058, 0.073, 0.1),
    "mark_share": (0.005, 0.01, 0.018, 0.026, 0.036, 0.045, 0.06, 0.08),
    "han_share": (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8),
    "bar_share": (0.005, 0.01, 0.015, 0.02, 0.03, 0.04),
    "rare_share": (0.001, 0.003, 0.005, 0.008, 0.015, 0.03),
    "open_lines_share": (0.3, 0.5, 0.85, 0.93, 0.96, 0.99),
    "short_lines_share": (0.1, 0.2, 0.3, 0.4, 0.5, 0.65),
    "lines_before_prose_share": (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.95),
    "gambling_words": (1, 2, 4, 8),
    "porn_words": (1, 2, 4, 8),
    "game_words": (1, 3),
    "seo_words": (1, 2, 4, 8),
    "shop_words": (1, 2, 4, 8),
    "error_words": (1, 2, 3, 5),
    "plain_words": (1, 2, 4, 8, 12, 18, 25),
    "foot_words": (1, 2, 4),
}
"""Measure -> where its buckets begin but the first; about a seventh of raw crawl pages in each."""

MARK = "§"
"""What shape tokens begin with: a sign that no word of a segmenter begins with."""

WORDS_A_COPY = 50
"""Words of a line for each copy of its shape tokens."""
WORDS_A_TITLE = 15
"""Words of a line for each square root of a title's pairs, and copy of those pairs."""
TITLE_CHARS = 60

_PAIRS = [(first, first + 1) for first in range(0, len(NAMES), 2)]


def shape_tokens(texts: Sequence[str], counts: Sequence[int]) -> Tokens:
    """Tokens for the shape of each text, and for pairs of characters of its first line.

    Args:
        texts: As they are scored.
        counts: Words of each text that its line has already; a text of none gets no tokens.
    Returns:
        Tokens that begin with MARK, without white space. Each names the buckets of two measures,
        `§f13` those of the measures 10 and 11; or is a pair of the title's characters, `§:新闻`,
        with 0 for every digit and _ for white space. All the shape tokens of a text come equally
        often, and all of its pairs do.
    """
    encoded = encode_texts(texts)
    names = _names()
    buckets = shape_buckets(encoded)
    shapes = names.offsets + buckets[:, ::2] * names.widths + buckets[:, 1::2]
    words = np.array(counts, dtype=np.int64)
    copies = np.maximum(1, np.rint(words / WORDS_A_COPY)).astype(np.int64)
    numbers, bounds, pairs = _lay_out(
        encoded.codes, encoded.starts, encoded.stops, character_bits(), SPACE, words, copies,
        shapes, len(names.hashes), TITLE_CHARS, WORDS_A_TITLE, ord(MARK),
    )  # fmt: skip
    hashes, keys = _hashes_of(pairs)
    begins = len(names.codes) + pairs.shape[1] * np.arange(len(pairs))
    lengths = np.full(len(pairs), pairs.shape[1], dtype=np.int32)
    nowhere = np.zeros(len(names.lengths) + len(pairs), dtype=np.int32)
    places = Places(
        np.concatenate([names.codes, pairs.ravel()]),
        np.concatenate([names.begins, begins]),
        np.concatenate([names.lengths, lengths]),
        nowhere,
        nowhere,
    )
    return Tokens(
        lambda wanted: places.of(numbers[wanted]),
        np.concatenate([names.hashes, hashes])[numbers],
        np.concatenate([names.keys, keys])[numbers],
        bounds,
    )


def shape_buckets(encoded: EncodedTexts) -> Int64Array:
    """The bucket of each measure of each text, shape (texts, measures), from 0 on."""
    measures = measures_of(encoded)
    buckets = np.empty(measures.shape, dtype=np.int64)
    for column, name in enumerate(NAMES):
        buckets[:, column] = np.searchsorted(BUCKETS[name], measures[:, column], side="right")
    return buckets


def all_shape_tokens() -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Every shape token there is, with its two measures and their buckets."""
    for number, (first, second) in enumerate(_PAIRS):
        for one in range(len(BUCKETS[NAMES[first]]) + 1):
            for other in range(len(BUCKETS[NAMES[second]]) + 1):
                token = f"{MARK}{chr(ord('a') + number)}{one}{other}"
                yield token, (first, second), (one, other)


@dataclass(frozen=True)
class _Names:
    """The shape tokens, in the order of `all_shape_tokens`."""

    codes: UInt32Array
    begins: Int64Array
    lengths: Int32Array
    hashes: UInt32Array
    keys: UInt64Array
    offsets: Int64Array
    """Number of the first token of each pair of measures."""
    widths: Int64Array
    """Buckets of the second measure of each pair."""


@lru_cache(maxsize=1)
def _names() -> _Names:
    tokens = [token for token, _, _ in all_shape_tokens()]
    hashes, keys = hash_bytes([token.encode() for token in tokens])
    lengths = np.array([len(token) for token in tokens], dtype=np.int32)
    sizes = np.array([len(BUCKETS[name]) + 1 for name in NAMES])
    offsets = np.cumsum(sizes[::2] * sizes[1::2])
    return _Names(
        np.frombuffer("".join(tokens).encode("utf-32-le"), dtype=np.uint32),
        np.cumsum(lengths, dtype=np.int64) - lengths,
        lengths,
        hashes,
        keys,
        np.concatenate([[0], offsets[:-1]]),
        sizes[1::2],
    )


@compiled
def _lay_out(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    bits: UInt16Array,
    space: int,
    words: Int64Array,
    copies: Int64Array,
    shapes: Int64Array,
    first_pair: int,
    title_chars: int,
    words_a_title: int,
    mark: int,
) -> tuple[Int32Array, Int64Array, UInt32Array]:
    """Numbers of the tokens, where those of each text begin, and the title pairs as tokens."""
    most = 0
    for text in range(len(starts)):
        most += shapes.shape[1] * copies[text] + words[text] + title_chars
    numbers = np.empty(most, dtype=np.int32)
    bounds = np.zeros(len(starts) + 1, dtype=np.int64)
    pairs = np.empty((len(starts) * title_chars, 4), dtype=np.uint32)
    title = np.empty(title_chars, dtype=np.uint32)
    count = pair_count = 0
    for text in range(len(starts)):
        bounds[text + 1] = count
        if words[text] == 0:
            continue
        at = starts[text]
        while at < stops[text] and (bits[codes[at]] & space or codes[at] == 10):
            at += 1
        length = 0
        is_behind_space = False
        while at < stops[text] and codes[at] != 10 and length < title_chars:
            code = codes[at]
            at += 1
            if bits[code] & space:
                is_behind_space = True
                continue
            if is_behind_space:
                is_behind_space = False
                title[length] = 0x5F
                length += 1
                if length == title_chars:
                    break
            if 0x30 <= code <= 0x39 or 0xFF10 <= code <= 0xFF19:
                code = 0x30
            title[length] = code
            length += 1
        own = pair_count
        for place in range(length - 1):
            is_new = True
            for other in range(own, pair_count):
                if pairs[other, 2] == title[place] and pairs[other, 3] == title[place + 1]:
                    is_new = False
                    break
            if is_new:
                pairs[pair_count, 0], pairs[pair_count, 1] = mark, 0x3A
                pairs[pair_count, 2], pairs[pair_count, 3] = title[place], title[place + 1]
                pair_count += 1
        for _ in range(copies[text]):
            for shape in shapes[text]:
                numbers[count] = shape
                count += 1
        root = np.sqrt(max(1, pair_count - own))
        for _ in range(max(1, int(np.rint(words[text] / (words_a_title * root))))):
            for pair in range(own, pair_count):
                numbers[count] = first_pair + pair
                count += 1
        bounds[text + 1] = count
    return numbers[:count].copy(), bounds, pairs[:pair_count].copy()


@compiled
def _hashes_of(tokens: UInt32Array) -> tuple[UInt32Array, UInt64Array]:
    """Hashes and keys of tokens of as many characters each, shape (tokens, characters)."""
    count, length = tokens.shape
    hashes = np.empty(count, dtype=np.uint32)
    keys = np.empty(count, dtype=np.uint64)
    codes = tokens.ravel()
    for number in range(count):
        hashes[number], keys[number] = hash_characters(codes, number * length, length)
    return hashes, keys
