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
from udfs.html.line_words import FRAME_WORD, MOMENT, PAIR, words_of
from udfs.html.page_kinds import HINTS, INDEX, PAGE_KINDS, KindShares, shares_of_kind
from udfs.html.page_lines import Lines
from udfs.html.page_listing import LISTING, is_link_title, listing_share, repeated_blocks

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
    "chars of repeated blocks",
    "links of repeated blocks",
    "moments of repeated blocks",
    "short repeated blocks",
    "length of repeated blocks",
    "moments",
    "pairs",
    "labels",
    "link titles",
    "lines of link titles",
    "chars of link titles",
    "groups of prose",
    "share of longest prose",
)
PAGE_FEATURES = (
    *_SHAPE_FEATURES,
    *(f"{kind} class" for kind in HINTS),
    *(f"{kind} word" for kind in HINTS),
    *(f"{kind} title" for kind in HINTS),
)
# Of each feature for each of PAGE_KINDS, in their order.
_WEIGHTS = """
constant                      -2.63   0.52  -2.81  -0.48   1.69  -0.02   0.92   1.36   1.17   0.79
links                          0.97  -0.80  -0.22  -1.91  -0.37  -1.81   0.35   2.03   3.26  -1.49
lines                          0.83  -0.30   0.58   0.24  -0.72   0.49   0.41  -0.77   0.50  -1.27
prose                          2.34  -1.05   0.37   0.83  -0.20   0.29  -0.18  -0.59  -2.42   0.60
longest prose                  1.04  -0.35   2.27   0.84  -0.25  -1.72  -0.18  -0.60  -3.46   2.41
prose lines                    3.61   0.33   1.43  -0.51  -0.12  -0.51  -0.62  -1.48  -1.83  -0.30
length of prose lines          2.10  -1.35  -1.99   1.55  -1.31  -0.07  -1.38   0.54  -0.48   2.39
list items                    -0.57  -0.43  -1.16   0.41   0.02   1.64   0.05   0.72  -0.73   0.05
paragraphs                     0.31  -0.15   0.20   0.89  -1.04  -1.34   1.62   0.53  -1.41   0.39
digits                        -0.87  -0.77  -0.15  -0.57   3.30  -1.55  -1.64   1.07   2.16  -0.97
copies                         2.32   2.90  -0.94  -2.39   1.22  -1.35  -2.24   1.15  -0.02  -0.65
largest group                  1.99   1.03   0.69  -1.51  -1.65   0.23  -2.19  -1.55   1.29   1.68
repeated blocks                0.87  -2.19  -1.21   1.94  -0.03   0.11  -0.68  -0.18   1.50  -0.13
prose of repeated blocks      -2.65   2.10  -0.67  -2.11   1.81  -0.02   0.87   0.34   1.03  -0.69
chars of repeated blocks      -0.21   0.30  -0.50  -1.03   0.33  -0.43  -1.47  -0.36   2.65   0.70
links of repeated blocks       0.37  -1.39  -0.23  -0.73  -0.67   1.42  -0.64  -1.05   3.00  -0.07
moments of repeated blocks    -0.12   0.62   0.73   0.12   1.80  -1.06  -0.19  -1.42   0.45  -0.93
short repeated blocks          0.47   1.91  -1.06   0.81  -0.55  -0.75   0.08   1.20  -2.01  -0.10
length of repeated blocks      1.48  -0.43   1.85   1.96  -1.62  -0.16  -0.82  -0.50  -0.88  -0.89
moments                       -1.10   0.28   1.25   1.74   0.97   0.75  -1.78  -0.27   1.98  -3.82
pairs                          0.27   0.80  -0.25   0.14  -4.05   1.59   3.96  -0.33  -0.94  -1.20
labels                        -0.30  -0.26  -0.03   0.56   0.08   2.02   2.51  -0.38  -1.43  -2.77
link titles                    0.43  -1.14   1.03  -1.25  -1.15   0.59   0.59  -0.23   1.40  -0.26
lines of link titles           0.48  -0.42   0.13  -0.35   0.26  -0.12  -0.76   0.34   0.75  -0.30
chars of link titles           2.97  -0.62  -0.46  -0.43   0.07   0.05   0.75   0.84  -2.23  -0.94
groups of prose               -1.88  -0.66   1.49   1.50  -0.17   0.01   1.09  -0.27  -1.36   0.24
share of longest prose        -1.29   0.59   0.54  -1.79   1.25  -2.23   1.49   1.52   0.47  -0.56
forum class                   -1.31   5.22   0.95  -0.42  -1.60  -0.49  -1.23  -1.65   0.96  -0.44
question_answer class         -1.74  -1.22   7.24  -0.99  -0.69  -0.30  -0.48  -0.64  -0.97  -0.19
comments class                -1.17   2.68  -0.49   4.98  -0.21  -1.70  -0.79  -1.30  -1.18  -0.83
microblog class                1.79  -0.65  -0.41  -0.75   4.17  -0.39  -0.61  -1.73  -1.14  -0.29
encyclopedia class            -1.98  -0.42  -0.49  -1.03  -0.48   6.51  -0.32  -0.11  -1.21  -0.47
product class                 -0.94  -0.27  -0.24  -0.33  -0.24  -0.28   3.40  -0.64  -0.33  -0.12
video class                   -0.16  -0.79  -0.26  -1.17  -1.15  -0.89  -1.25   7.22  -1.25  -0.30
index class                    3.52  -0.78  -0.26  -0.93  -0.66   0.30  -0.49  -0.16  -0.40  -0.14
chapter class                 -1.04  -0.04  -0.04  -0.07  -0.02  -0.13  -0.09  -0.07  -0.05   1.55
forum word                    -0.15   2.86  -1.13   1.86  -1.11  -0.02  -0.29  -1.29   0.06  -0.79
question_answer word          -1.36  -1.30   5.67  -0.53   0.35  -0.52  -0.90  -1.00   0.08  -0.50
comments word                 -3.43   1.61   0.37   3.70   0.23  -1.79  -1.64   0.55  -0.01   0.42
microblog word                 1.70  -0.86   0.35  -0.80   2.49   0.83  -2.94   1.69  -2.32  -0.14
encyclopedia word             -3.57  -1.90  -1.16   0.27  -0.45   5.72  -0.90  -0.07  -1.35   3.41
product word                   0.77   0.75  -0.63  -0.50  -1.28  -1.32   5.57  -1.56  -0.10  -1.70
video word                    -0.36  -0.83  -1.31  -0.65  -1.82   0.52   0.86   4.54   0.22  -1.17
index word                     1.84  -0.76  -1.36   0.92   0.36  -0.31   0.86  -0.49   0.27  -1.32
chapter word                  -0.31  -1.55  -0.75  -0.10  -0.79  -1.53   0.92  -2.00   0.94   5.16
forum title                    0.49  -0.04  -0.57  -0.36  -0.04  -0.83   0.21  -0.42   0.89   0.67
question_answer title         -0.92  -0.23  -0.16   0.25  -0.46   0.47   0.20   0.57   0.55  -0.29
comments title                -0.52   0.02  -0.38  -0.65   2.04  -0.14  -0.20  -0.46   0.28  -0.00
microblog title               -0.89  -0.72  -0.57   1.83   1.60  -0.21  -0.53  -0.09   0.63  -1.06
encyclopedia title            -1.08   1.32  -0.68   0.82  -0.15   0.25   0.10  -0.52   0.11  -0.16
product title                  0.45  -0.43  -0.23   0.16  -0.18  -0.14  -0.51  -0.43   1.36  -0.04
video title                   -0.67  -0.25  -0.20   0.78  -0.20  -0.55  -0.19  -0.40   1.76  -0.07
index title                   -0.60  -0.03  -0.74  -0.73   0.15   0.04   0.07   0.36   1.42   0.04
chapter title                 -0.50  -0.80  -0.22   0.84  -0.24  -0.24  -0.87  -0.39   1.19   1.24
"""
_SHAPES, _HINTS = len(_SHAPE_FEATURES), len(HINTS)
_GROUPS = np.array([shares_of_kind(kind)[:3] for kind in PAGE_KINDS], dtype=np.float64)

_MANY_LOG2 = 8  # counts of 255 and more are equal
_MANY_CHARS_LOG2 = 14.0
_PROSE_CHARS = 200
_LONG_CHARS = 500
_INDEX_LINKS, _INDEX_LINES = 0.2, 10  # share of characters; fewest lines
_SHORT_CHARS, _MOMENT_DIGITS = 40, 4
_LONG_BLOCK = 1.5  # prose
_SHORT_BLOCK = 0.3


def page_kind(lines: Lines, facts: LineFacts, title: str | None) -> str | None:
    """Return the kind of a page, of `PAGE_KINDS`; None for a page without lines."""
    return kind_and_shares(lines, facts, title)[0]


def kind_and_shares(
    lines: Lines, facts: LineFacts, title: str | None
) -> tuple[str | None, KindShares]:
    """Return the kind of a page, and how likely it is of the groups of kinds."""
    if not len(lines):
        return None, shares_of_kind(None)
    return kind_of(page_features(lines, facts, title), _weights(), listing_share(lines, facts))


def kind_of(
    features: Float64Array, weights: Float64Array, listing: float
) -> tuple[str, KindShares]:
    """Return the likeliest kind, and how likely the page is of the groups of kinds.

    A kind is named only where one of its words is found; the shares do without. Of an index
    `udfs.html.page_listing` decides.

    Args:
        features: PAGE_FEATURES of a page.
        weights: Shape (features, kinds).
        listing: How likely the page only leads to others.
    """
    index = HINTS.index(INDEX)
    kind, prose, thread, scattered = _kind_of(features, weights, _GROUPS, _SHAPES, _HINTS, index)
    shares = KindShares(prose, thread, scattered, listing)
    return INDEX if listing > LISTING else PAGE_KINDS[kind], shares


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
        facts.words.words,
        facts.words.digits,
        facts.words.copies,
        facts.prose,
        facts.groups,
        _SHAPES + 3 * _HINTS,
        _HINTS,
        (FRAME_WORD, PAIR, MOMENT),
    )
    in_title = words_of((title or "").encode("utf-8", "replace"))
    if in_title > FRAME_WORD:
        features[_SHAPES + 2 * _HINTS :] = [in_title >> 1 + hint & 1 for hint in range(_HINTS)]
    return features


@cache
def _weights() -> Float64Array:
    """Return the weights; shape (features, kinds)."""
    rows = {line[:28].strip(): line[28:].split() for line in _WEIGHTS.splitlines() if line.strip()}
    return np.array([rows[name] for name in PAGE_FEATURES], dtype=np.float64)


@compiled
def _kind_of(
    features: Float64Array,
    weights: Float64Array,
    groups: Float64Array,
    shapes: int,
    hints: int,
    index: int,
) -> tuple[int, float, float, float]:
    """`kind_of` by number.

    Args:
        groups: Shape (kinds, 3): whether a kind is of the first groups of `KindShares`.
        shapes: Number of the features that are of no hint; those of hints follow three times.
        hints: Number of the kinds that words hint at, which follow the article.
        index: The place of the index among them.
    """
    scores = np.zeros(hints + 1, dtype=np.float64)
    for kind in range(hints + 1):
        for feature in range(len(features)):
            scores[kind] += features[feature] * weights[feature, kind]
    if features[1] < _INDEX_LINKS or features[2] < _logarithm(_INDEX_LINES):
        scores[index + 1] = -np.inf
    best = 0
    for hint in range(hints):
        is_hinted = False
        for place in range(3):
            is_hinted |= features[shapes + place * hints + hint] > 0
        if is_hinted and hint != index and scores[hint + 1] > scores[best]:
            best = hint + 1
    shares = np.zeros(3, dtype=np.float64)
    total, most = 0.0, scores.max()
    for kind in range(hints + 1):
        likely = math.exp(scores[kind] - most)
        total += likely
        for group in range(3):
            shares[group] += likely * groups[kind, group]
    shares /= total
    return best, shares[0], shares[1], shares[2]


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
    bits: tuple[int, int, int],
) -> Float64Array:
    """PAGE_FEATURES in their order; those of the title are 0.

    Args:
        bits: FRAME_WORD, PAIR and MOMENT.
    """
    frame_word = bits[0]
    features = np.zeros(size, dtype=np.float64)
    of_group = np.zeros(groups.max() + 1, dtype=np.float64)
    of_block = np.zeros((4, len(parents)), dtype=np.float64)
    for row in range(len(chars)):
        is_moment = _is_moment(chars[row], digits[row], words[row], bits[2])
        of_group[groups[row]] += prose[row]
        of_block[0, block[row]] += prose[row]
        of_block[1, block[row]] += chars[row]
        of_block[2, block[row]] += chars[row] * is_link_title(chars[row], link_chars[row])
        of_block[3, block[row]] += is_moment
    all_chars, all_prose = float(chars.sum()), of_group.sum()
    features[0] = 1.0
    features[1] = link_chars.sum() / all_chars
    features[2] = _logarithm(len(chars))
    features[7] = item.sum() / len(chars)
    features[8] = paragraph.sum() / len(chars)
    features[9] = (digits * 3 > chars).sum() / len(chars)
    features[10] = (copies > 0).sum() / len(chars)
    features[11] = of_group.max() / all_prose if all_prose > 0 else 0.0
    features[25] = _logarithm((of_group > 0).sum())
    _of_lines(features, chars, link_chars, punctuation, words, digits, bits)
    _of_repeated_blocks(features[12:19], parents, signatures, of_block, all_prose, all_chars)
    counts = np.zeros(2 * kinds, dtype=np.int64)
    for number in range(len(hints)):
        if hints[number]:
            for kind in range(kinds):
                counts[kind] += hints[number] >> kind & 1
    for row in range(len(words)):
        if words[row] > frame_word:
            for kind in range(kinds):
                counts[kinds + kind] += words[row] >> 1 + kind & 1
    for place in range(2 * kinds):
        features[size - 3 * kinds + place] = _logarithm(counts[place])
    return features


@compiled
def _of_lines(
    features: Float64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    punctuation: Int64Array,
    words: Int64Array,
    digits: Int64Array,
    bits: tuple[int, int, int],
) -> None:
    """Fill in the features of prose, of short lines and of link titles."""
    _, pair, moment = bits
    prose_chars = longest = title_chars = prose_lines = moments = pairs = labels = titles = 0
    for row in range(len(chars)):
        is_short = chars[row] <= _SHORT_CHARS and link_chars[row] * 5 < chars[row] * 4
        if is_link_title(chars[row], link_chars[row]):
            titles += 1
            title_chars += chars[row]
        moments += _is_moment(chars[row], digits[row], words[row], moment)
        pairs += is_short and words[row] & pair != 0
        unlinked = chars[row] - link_chars[row]
        if punctuation[row] and unlinked * 2 > chars[row]:
            prose_lines += 1
            prose_chars += unlinked
            longest = max(longest, unlinked)
        else:
            labels += is_short
    features[3] = min(math.log2(1.0 + prose_chars), _MANY_CHARS_LOG2) / _MANY_CHARS_LOG2
    features[4] = min(longest, _LONG_CHARS) / _LONG_CHARS
    features[5] = _logarithm(prose_lines)
    features[6] = min(prose_chars / max(prose_lines, 1), _PROSE_CHARS) / _PROSE_CHARS
    features[19] = _logarithm(moments)
    features[20] = _logarithm(pairs)
    features[21] = labels / len(chars)
    features[22] = _logarithm(titles)
    features[23] = titles / len(chars)
    features[24] = title_chars / chars.sum()
    features[26] = longest / prose_chars if prose_chars > 0 else 0.0


@compiled
def _is_moment(chars: int, digits: int, words: int, moment: int) -> bool:
    """Whether a line is short and has a day, a time, or a counter of several digits."""
    return bool(chars <= _SHORT_CHARS and (digits >= _MOMENT_DIGITS or words & moment != 0))


@compiled
def _logarithm(count: int | np.int64) -> float:
    """Return the logarithm of one more than a count, as a share of the largest that counts."""
    return min(math.log2(1.0 + count), _MANY_LOG2) / _MANY_LOG2


@compiled
def _of_repeated_blocks(
    features: Float64Array,
    parents: Int64Array,
    signatures: Int64Array,
    of_block: Float64Array,
    all_prose: float,
    all_chars: float,
) -> None:
    """Fill in the features of the siblings with one signature that have the most prose.

    There are such where at least three siblings with prose have one signature.

    Args:
        of_block: Shape (4, blocks): prose, characters, characters of link titles, and moments of
            each block's own lines; those of the blocks inside are added to them.
    """
    prose, chars, titles, moments = of_block[0], of_block[1], of_block[2], of_block[3]
    for block in range(len(parents) - 1, 0, -1):
        parent = parents[block]
        prose[parent] += prose[block]
        chars[parent] += chars[block]
        titles[parent] += titles[block]
        moments[parent] += moments[block]
    first, count, sums = repeated_blocks(parents, signatures, prose)
    if count == 0:
        return
    inside = in_titles = short = with_moment = 0.0
    for block in range(first, len(parents)):
        is_like = parents[block] == parents[first] and signatures[block] == signatures[first]
        if is_like and prose[block] > 0:
            inside += chars[block]
            in_titles += titles[block]
            short += prose[block] < _SHORT_BLOCK
            with_moment += moments[block] > 0
    features[0] = _logarithm(count)
    features[1] = sums / all_prose
    features[2] = inside / all_chars
    features[3] = in_titles / inside
    features[4] = with_moment / count
    features[5] = short / count
    features[6] = min(sums / count, _LONG_BLOCK) / _LONG_BLOCK
