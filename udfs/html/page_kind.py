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
from udfs.html.page_kinds import HINTS, INDEX, PAGE_KINDS
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
constant                      -3.18   0.38  -1.89  -0.81   3.23   0.10   2.10   1.88   0.51  -1.30
links                          2.28  -0.99  -0.04  -2.36  -0.06  -1.84   1.11   1.66   2.78  -2.55
lines                          0.83  -0.41   0.85   0.47  -1.82   0.68   0.64  -0.74   1.51  -2.00
prose                          2.76  -1.01   0.36   1.00  -0.72   0.60   0.06  -1.26  -2.42   0.63
longest prose                  0.67   0.71   2.52   1.11  -1.29  -1.73   0.33  -0.69  -3.65   2.03
prose lines                    4.33   0.01   1.32   0.39  -1.28   0.24  -1.52  -1.83  -1.63  -0.03
length of prose lines          2.29  -1.56  -1.78   0.52  -1.20  -0.32  -0.25  -0.10   0.03   2.37
list items                    -0.57  -0.23  -0.97  -0.21  -0.44   1.56   0.71   0.46  -0.75   0.46
paragraphs                     0.33  -0.34   0.36   0.04   0.34  -0.94   1.98   0.40  -2.28   0.11
digits                        -1.10   0.58   0.29  -0.39   1.60  -0.95  -0.91   1.85   1.55  -2.51
copies                         1.94   1.99  -0.37  -1.32   1.31  -1.23  -2.78   1.37   0.77  -1.68
largest group                  1.69   0.47   0.37  -1.47  -1.88   0.05  -2.11  -0.71   1.35   2.25
repeated blocks                0.13   0.14  -1.49   1.80  -0.26   0.02  -0.89  -0.78   1.55  -0.22
prose of repeated blocks      -1.61   2.19   0.34  -1.81   1.66  -0.19  -0.21  -0.76   1.11  -0.73
forum class                   -0.62   3.61   0.71  -0.50  -0.81  -0.58  -0.62  -0.77  -0.03  -0.39
question_answer class         -1.74  -1.29   6.80  -0.77  -0.73  -0.41  -0.46  -0.36  -0.71  -0.33
comments class                -1.15   2.87  -0.35   5.15  -1.28  -1.48  -0.15  -0.83  -1.43  -1.35
microblog class                1.41  -0.66  -0.57  -0.66   4.74  -0.86  -0.89  -1.34  -0.80  -0.34
encyclopedia class            -1.60  -0.54  -0.57  -0.65  -0.72   6.47   0.65  -1.06  -1.33  -0.65
product class                 -0.37  -0.07  -0.05  -0.02  -0.07  -0.09   0.72  -0.22   0.18  -0.02
video class                    0.14  -0.55  -0.03  -1.00  -1.32  -0.51  -1.27   6.13  -1.26  -0.31
index class                    3.93  -0.77   0.02  -1.00  -0.98   0.38  -0.46  -1.21   0.31  -0.22
chapter class                 -1.06  -0.06  -0.08  -0.08  -0.03  -0.19  -0.12  -0.05  -0.05   1.72
forum word                    -0.82   3.71  -1.08   1.35  -0.77   0.11  -0.12  -1.68   0.63  -1.32
question_answer word          -1.81  -0.91   5.33   0.65   0.15  -0.41  -1.43  -0.93   0.13  -0.76
comments word                 -2.96   1.08   0.59   3.19   0.65  -1.52  -1.38   0.29   0.29  -0.23
microblog word                 0.50  -1.98   0.08   0.32   4.23   0.45  -3.09   1.10  -1.34  -0.27
encyclopedia word             -4.00  -1.24  -0.77   0.24  -1.08   5.37  -0.75  -0.48  -0.85   3.56
product word                   0.52  -0.33  -0.48  -0.56  -1.09  -1.61   6.41  -1.25  -0.01  -1.61
video word                    -0.26  -0.55  -0.97  -1.00  -1.81   0.19   0.45   5.32  -0.42  -0.95
index word                     2.23  -0.43  -0.78   0.16   0.10  -0.13   0.59  -0.71  -0.08  -0.94
chapter word                   0.06  -1.45  -0.67   0.10  -0.98  -1.23  -0.57  -1.99   2.16   4.58
forum title                    0.35   0.54  -0.57   0.12   0.31  -0.84   0.31  -0.09  -0.63   0.49
question_answer title         -0.44   0.45   0.01  -0.66   0.66   0.93  -0.99  -0.44   0.75  -0.25
comments title                -0.41  -0.20  -0.07  -0.02   1.44  -0.10  -0.07  -0.12  -0.44  -0.02
microblog title               -0.93  -0.10  -0.59  -0.84  -0.09  -0.14  -0.29   0.94   2.76  -0.71
encyclopedia title            -1.14   0.88  -0.60   0.95   0.10   0.08  -0.02  -0.52   0.29  -0.02
product title                  0.30  -0.40  -0.28   0.40  -0.27  -0.19  -0.39  -0.53   1.51  -0.13
video title                   -0.65  -0.22  -0.22   0.96  -0.19  -0.12  -0.14  -0.41   1.09  -0.10
index title                   -0.57   0.36  -0.97  -0.23   0.38   0.14   0.01   0.12   1.02  -0.28
chapter title                 -0.74  -0.34  -0.29   0.83  -0.29  -0.36  -0.61  -0.28   0.75   1.33
"""
_SHAPES, _HINTS = len(_SHAPE_FEATURES), len(HINTS)

_MANY_LOG2 = 8  # counts of 255 and more are equal
_PROSE_CHARS = 200
_LONG_CHARS = 500
_INDEX_LINKS, _INDEX_LINES = 0.2, 10  # share of characters; fewest lines


def page_kind(lines: Lines, facts: LineFacts, title: str | None) -> str | None:
    """Return the kind of a page, of `PAGE_KINDS`; None for a page without lines."""
    if not len(lines):
        return None
    return kind_of(page_features(lines, facts, title), _weights())


def kind_of(features: Float64Array, weights: Float64Array) -> str:
    """Return the likeliest kind; one that words hint at only where one of its words is found, an
    index only where there are links.

    Args:
        features: PAGE_FEATURES of a page.
        weights: Shape (features, kinds).
    """
    return PAGE_KINDS[_kind_of(features, weights, _SHAPES, _HINTS, HINTS.index(INDEX))]


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
    if in_title:
        features[_SHAPES + 2 * _HINTS :] = [in_title >> hint & 1 for hint in range(_HINTS)]
    return features


@cache
def _weights() -> Float64Array:
    """Return the weights; shape (features, kinds)."""
    rows = {line[:28].strip(): line[28:].split() for line in _WEIGHTS.splitlines() if line.strip()}
    return np.array([rows[name] for name in PAGE_FEATURES], dtype=np.float64)


@compiled
def _kind_of(
    features: Float64Array, weights: Float64Array, shapes: int, hints: int, index: int
) -> int:
    """`kind_of` by number.

    Args:
        shapes: Number of the features that are of no hint; those of hints follow three times.
        hints: Number of the kinds that words hint at, which follow the article.
        index: The place of the index among them.
    """
    best, most = 0, -np.inf
    for kind in range(hints + 1):
        hint = kind - 1
        if hint == index:
            is_possible = features[1] >= _INDEX_LINKS and features[2] >= _logarithm(_INDEX_LINES)
        else:
            is_possible = hint < 0
            for place in range(3):
                is_possible |= hint >= 0 and features[shapes + place * hints + hint] > 0
        if not is_possible:
            continue
        score = 0.0
        for feature in range(len(features)):
            score += features[feature] * weights[feature, kind]
        if score > most:
            best, most = kind, score
    return best


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
        if words[row]:
            for kind in range(kinds):
                counts[kinds + kind] += words[row] >> kind & 1
    for number in range(len(parents)):
        if hints[number]:
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
