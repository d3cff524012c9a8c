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
constant                      -1.83  -0.43  -2.08  -0.18   3.32  -0.05  -1.08   1.71   0.38   0.75
links                          0.72   0.04  -0.24  -2.07  -0.15  -1.42   0.48   1.55   2.51  -1.41
lines                          0.79  -0.06   0.53  -0.02  -1.21   0.35   0.24  -0.39   0.85  -1.08
prose                          2.08  -0.48   0.27   0.55  -0.48   0.41   0.01  -0.93  -1.94   0.51
longest prose                  1.09   0.63   1.99   1.03  -1.15  -1.48  -0.09  -0.80  -3.32   2.11
prose lines                    3.48   0.15   1.18  -0.30  -0.81  -0.17  -0.63  -1.28  -1.32  -0.31
length of prose lines          1.99  -0.35  -1.78   0.69  -1.11  -0.14  -0.44  -0.27  -0.97   2.38
list items                    -0.30   0.00  -0.99  -0.69  -0.63   1.65   0.74   0.44  -0.46   0.24
paragraphs                     0.11   0.27   0.20  -0.41   0.10  -1.02   1.39   0.39  -1.34   0.31
digits                        -0.73  -0.21  -0.02  -0.33   1.40  -1.17  -1.51   1.81   1.66  -0.91
copies                         2.02   1.95  -0.81  -1.61   1.17  -1.37  -2.11   1.17   0.37  -0.77
largest group                  1.70   0.32   0.51  -0.80  -1.89   0.24  -1.84  -1.03   1.21   1.58
repeated blocks                0.76  -1.12  -0.89   0.94  -0.45   0.30  -0.51  -0.31   1.31  -0.03
prose of repeated blocks      -2.13   1.97  -0.28  -2.07   1.36   0.12   0.40  -0.31   1.21  -0.27
chars of repeated blocks      -0.26   0.70  -0.32  -0.91   0.26  -0.34  -1.12  -0.34   1.65   0.68
links of repeated blocks       0.42  -1.33  -0.19  -0.71   0.32   1.05  -1.13  -0.63   2.29  -0.10
moments of repeated blocks    -0.44   0.51   0.41   1.14   1.42  -1.42  -0.67  -0.55   0.72  -1.13
short repeated blocks          0.33   1.72  -1.04   0.47  -0.39  -0.54   0.94   0.39  -1.76  -0.13
length of repeated blocks      1.76  -0.61   1.76   0.95  -1.27   0.08  -0.55  -0.56  -0.90  -0.65
moments                       -0.61   0.62   1.26   0.81  -0.31   1.16  -0.51  -0.37   1.16  -3.21
pairs                         -0.23  -0.84  -0.62   0.57  -3.36   1.29   4.99  -0.01  -0.69  -1.09
labels                         0.19  -0.22   0.32  -0.01  -0.54   1.72   2.28  -0.66  -0.66  -2.41
link titles                    0.11  -1.95   0.73   0.20  -1.12   0.22   1.02  -0.17   1.27  -0.34
lines of link titles           0.44  -1.09  -0.05  -0.43   1.01  -0.47   0.08   0.42   0.40  -0.31
chars of link titles           2.77  -0.71  -0.44  -0.83   0.19   0.04   0.89  -0.33  -0.69  -0.90
groups of prose               -2.02  -0.11   1.28   0.77   0.45  -0.10   0.90  -0.24  -1.04   0.12
share of longest prose        -1.50   0.95   0.37  -1.18   0.80  -2.05   1.60   0.98   0.68  -0.66
forum class                   -0.92   3.58   0.80  -0.34  -0.94  -0.45  -0.66  -1.10   0.45  -0.42
question_answer class         -1.79  -0.95   6.47  -0.90  -0.60  -0.36  -0.44  -0.41  -0.80  -0.21
comments class                -1.39   2.69  -0.72   4.92  -1.16  -1.44  -0.23  -0.63  -1.13  -0.90
microblog class                1.35  -0.69  -0.49  -0.81   4.42  -0.51  -0.48  -1.38  -1.07  -0.34
encyclopedia class            -1.71  -0.34  -0.50  -0.52  -0.42   5.41   0.41  -0.96  -0.93  -0.43
product class                 -0.36  -0.07  -0.04  -0.04  -0.04  -0.06   0.59  -0.16   0.18  -0.00
video class                   -0.08  -0.62  -0.21  -1.16  -1.10  -0.56  -1.07   6.10  -1.04  -0.27
index class                    3.72  -0.49  -0.02  -1.18  -0.69   0.26  -0.38  -1.19   0.10  -0.14
chapter class                 -0.92  -0.05  -0.05  -0.05  -0.02  -0.12  -0.03  -0.04  -0.03   1.32
forum word                    -0.63   3.56  -1.14   0.96  -0.77  -0.08  -0.13  -1.43   0.52  -0.86
question_answer word          -1.72  -0.84   4.96   0.44   0.10  -0.63  -1.27  -0.93   0.46  -0.58
comments word                 -2.87   1.00   0.33   3.02   0.31  -1.06  -1.38   0.31  -0.05   0.38
microblog word                 0.77  -1.47  -0.03   0.44   3.96   0.58  -2.63   1.49  -2.85  -0.27
encyclopedia word             -3.66  -1.01  -0.94   0.02  -0.54   5.04  -0.74  -0.34  -0.76   2.93
product word                   0.60  -0.16  -0.57  -0.64  -0.60  -1.34   5.00  -0.82  -0.20  -1.28
video word                    -0.49  -0.80  -1.15  -0.99  -1.36   0.10   0.71   4.86  -0.02  -0.86
index word                     2.28  -0.53  -1.02  -0.03   0.22   0.02   0.55  -0.67   0.16  -0.99
chapter word                  -0.27  -0.75  -0.74   0.16  -0.51  -1.27  -1.09  -1.88   1.83   4.50
forum title                    0.28   0.23  -0.54  -0.13  -0.00  -0.79   0.37  -0.09   0.16   0.52
question_answer title         -0.55   0.12   0.09  -0.61   0.32   0.83  -0.54  -0.36   0.84  -0.13
comments title                -0.24  -0.32  -0.04  -0.02   1.15  -0.02  -0.01  -0.08  -0.42   0.00
microblog title               -0.83  -0.07  -0.42  -0.68  -0.10  -0.14  -0.12   0.71   2.67  -1.02
encyclopedia title            -1.13   1.00  -0.71   0.77   0.09   0.27   0.14  -0.43   0.15  -0.15
product title                  0.26  -0.28  -0.31   0.27  -0.23  -0.19  -0.16  -0.51   1.20  -0.05
video title                   -0.69  -0.19  -0.21   1.07  -0.18  -0.12  -0.09  -1.60   2.11  -0.10
index title                   -0.77   0.34  -0.89  -0.42   0.33  -0.08   0.02   0.18   1.45  -0.17
chapter title                 -0.55  -0.62  -0.20   0.34  -0.19  -0.23  -0.48  -0.25   0.92   1.27
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
