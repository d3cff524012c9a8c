"""The kind of a page: an article, a thread of a forum, a shop's product, and so on.

A linear model gives every kind a score, by the shares of links and prose, repeated blocks, and the
words of lines, classes and title that hint at a kind; the largest score decides.

Source:
    Multinomial logistic regression. Features and weights are this project's, fitted to made pages
    of each kind and to real articles: tests/bench/page_kinds.py --fit.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.base.jit import compiled
from udfs.html.class_words import hints_of, signatures_of
from udfs.html.line_features import LineFacts
from udfs.html.line_words import FRAME_WORD, words_of
from udfs.html.page_kinds import HINTS, PAGE_KINDS
from udfs.html.page_lines import Lines

_SHAPE_FEATURES = (
    "constant",
    "links",
    "lines",
    "prose",
    "longest prose",
    "prose lines",
    "length of prose lines",
    "list items",
    "paragraphs",
    "digits",
    "copies",
    "largest group",
    "repeated blocks",
    "prose of repeated blocks",
)
PAGE_FEATURES = (
    *_SHAPE_FEATURES,
    *(f"{kind} class" for kind in HINTS),
    *(f"{kind} word" for kind in HINTS),
    *(f"{kind} title" for kind in HINTS),
)
# Of each feature for each of PAGE_KINDS, in their order.
_WEIGHTS = """
@@
"""
_SHAPES, _HINTS = len(_SHAPE_FEATURES), len(HINTS)

_MANY_LOG2 = 8  # counts of 255 and more are equal
_PROSE_CHARS = 200
_LONG_CHARS = 500


def page_kind(lines: Lines, facts: LineFacts, title: str | None) -> str | None:
    """Return the kind of a page, of `PAGE_KINDS`; None for a page without lines."""
    if not len(lines):
        return None
    scores = page_features(lines, facts, title) @ _weights()
    return PAGE_KINDS[int(scores.argmax())]


def page_features(lines: Lines, facts: LineFacts, title: str | None) -> Float64Array:
    """Return PAGE_FEATURES of a page with lines; each is 0 to 1."""
    features = _page_features(
        lines.chars,
        lines.link_chars,
        lines.punctuation,
        lines.item,
        lines.paragraph,
        lines.block,
        lines.blocks.parents,
        signatures_of(lines.blocks.values),
        hints_of(lines.blocks.values),
        facts.words.words // (2 * FRAME_WORD),
        facts.words.digits,
        facts.words.copies,
        facts.prose,
        facts.groups,
        _SHAPES + 3 * _HINTS,
        _HINTS,
    )
    in_title = words_of((title or "").encode("utf-8", "replace")) // (2 * FRAME_WORD)
    for hint in range(_HINTS):
        features[_SHAPES + 2 * _HINTS + hint] = in_title >> hint & 1
    return features


@cache
def _weights() -> Float64Array:
    """Return the weights; shape (features, kinds)."""
    rows = {line[:28].strip(): line[28:].split() for line in _WEIGHTS.splitlines() if line.strip()}
    return np.array([rows[name] for name in PAGE_FEATURES], dtype=np.float64)


@compiled
def _page_features(
    chars: Int64Array,
    link_chars: Int64Array,
    punctuation: Int64Array,
    item: BoolArray,
    paragraph: BoolArray,
    block: Int64Array,
    parents: Int64Array,
    signatures: Int64Array,
    hints: Int64Array,
    words: Int64Array,
    digits: Int64Array,
    copies: Int64Array,
    prose: Float64Array,
    groups: Int64Array,
    size: int,
    kinds: int,
) -> Float64Array:
    """PAGE_FEATURES in their order; those of the title are 0."""
    lines = len(chars)
    features = np.zeros(size, dtype=np.float64)
    all_chars = all_links = all_prose = prose_chars = longest = 0.0
    items = paragraphs = digit_lines = copied = prose_lines = 0
    counts = np.zeros(2 * kinds, dtype=np.int64)
    of_group = np.zeros(groups.max() + 1, dtype=np.float64)
    of_block = np.zeros(len(parents), dtype=np.float64)
    for row in range(lines):
        all_chars += chars[row]
        all_links += link_chars[row]
        all_prose += prose[row]
        of_group[groups[row]] += prose[row]
        of_block[block[row]] += prose[row]
        items += item[row]
        paragraphs += paragraph[row]
        digit_lines += digits[row] * 3 > chars[row]
        copied += copies[row] > 0
        unlinked = chars[row] - link_chars[row]
        if punctuation[row] and unlinked * 2 > chars[row]:
            prose_lines += 1
            prose_chars += unlinked
            longest = max(longest, unlinked)
        for kind in range(kinds):
            counts[kinds + kind] += words[row] >> kind & 1
    for number in range(len(parents)):
        for kind in range(kinds):
            counts[kind] += hints[number] >> kind & 1
    repeated, repeated_prose = _repeated_blocks(parents, signatures, of_block)
    features[0] = 1.0
    features[1] = all_links / all_chars
    features[2] = _logarithm(lines)
    features[3] = min(math.log2(1.0 + prose_chars), 14.0) / 14.0
    features[4] = min(longest, _LONG_CHARS) / _LONG_CHARS
    features[5] = _logarithm(prose_lines)
    features[6] = min(prose_chars / max(prose_lines, 1), _PROSE_CHARS) / _PROSE_CHARS
    features[7] = items / lines
    features[8] = paragraphs / lines
    features[9] = digit_lines / lines
    features[10] = copied / lines
    features[11] = of_group.max() / all_prose if all_prose > 0 else 0.0
    features[12] = _logarithm(repeated)
    features[13] = repeated_prose / all_prose if all_prose > 0 else 0.0
    for place in range(2 * kinds):
        features[size - 3 * kinds + place] = _logarithm(counts[place])
    return features


@compiled
def _logarithm(count: int) -> float:
    """Return the logarithm of one more than a count, as a share of the largest that counts."""
    return min(math.log2(1.0 + count), _MANY_LOG2) / _MANY_LOG2


@compiled
def _repeated_blocks(
    parents: Int64Array, signatures: Int64Array, prose: Float64Array
) -> tuple[int, float]:
    """Find the siblings with one signature that have the most prose, where at least three have.

    Args:
        prose: Of each block's own lines; that of the blocks inside is added to it.
    Returns:
        How many of them have prose, and their prose.
    """
    blocks = len(parents)
    for block in range(blocks - 1, 0, -1):
        prose[parents[block]] += prose[block]
    size = 16
    while size < 2 * blocks:
        size *= 2
    keys = np.full(size, -1, dtype=np.int64)
    counts = np.zeros(size, dtype=np.int64)
    sums = np.zeros(size, dtype=np.float64)
    for block in range(1, blocks):
        if prose[block] <= 0:
            continue
        key = parents[block] << 10 | signatures[block]
        place = (key ^ key >> 10) & (size - 1)
        while keys[place] != -1 and keys[place] != key:
            place = (place + 1) & (size - 1)
        keys[place] = key
        counts[place] += 1
        sums[place] += prose[block]
    best, most = 0, 0.0
    for place in range(size):
        is_more = sums[place] > most or (sums[place] == most and counts[place] > best)
        if counts[place] >= 3 and is_more:
            best, most = counts[place], sums[place]
    return best, most
