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
constant                      -1.79  -0.45  -2.08  -0.27   3.30  -0.14  -1.12   1.57   0.78   0.69
links                          0.68   0.00  -0.25  -1.99  -0.24  -1.38   0.47   1.54   2.57  -1.40
lines                          0.71  -0.08   0.51  -0.05  -1.28   0.32   0.18  -0.39   1.15  -1.07
prose                          2.10  -0.43   0.25   0.55  -0.43   0.44   0.07  -0.97  -2.09   0.50
longest prose                  1.11   0.61   1.92   1.03  -1.09  -1.39  -0.09  -0.80  -3.40   2.09
prose lines                    3.44   0.11   1.11  -0.27  -0.77  -0.14  -0.63  -1.34  -1.20  -0.31
length of prose lines          1.95  -0.37  -1.72   0.70  -1.07  -0.12  -0.38  -0.27  -1.09   2.38
list items                    -0.24  -0.11  -0.94  -0.66  -0.56   1.66   0.77   0.41  -0.61   0.28
paragraphs                     0.22   0.21   0.25  -0.31   0.12  -0.96   1.51   0.74  -2.14   0.35
digits                        -0.65  -0.28   0.01  -0.36   1.35  -1.17  -1.39   1.82   1.59  -0.93
copies                         1.99   1.77  -0.73  -1.55   1.17  -1.33  -2.08   1.24   0.30  -0.77
largest group                  1.64   0.45   0.55  -0.78  -1.74   0.21  -1.85  -1.06   1.04   1.54
repeated blocks                0.58  -1.09  -0.90   0.87  -0.51   0.28  -0.49  -0.30   1.61  -0.05
prose of repeated blocks      -2.04   1.96  -0.24  -2.02   1.28   0.11   0.39  -0.31   1.13  -0.26
chars of repeated blocks      -0.42   0.72  -0.35  -0.87   0.22  -0.38  -1.08  -0.34   1.86   0.63
links of repeated blocks       0.31  -1.23  -0.15  -0.70   0.16   0.96  -1.16  -0.66   2.58  -0.10
moments of repeated blocks    -0.37   0.65   0.46   1.20   1.51  -1.36  -0.66  -0.56   0.22  -1.09
short repeated blocks          0.40   1.75  -0.91   0.50  -0.29  -0.48   0.95   0.35  -2.14  -0.13
length of repeated blocks      1.80  -0.64   1.69   0.87  -1.16   0.09  -0.53  -0.50  -1.00  -0.63
moments                       -0.64   0.59   1.24   0.81  -0.37   1.15  -0.47  -0.20   0.98  -3.10
pairs                         -0.23  -0.85  -0.64   0.53  -3.29   1.26   4.85  -0.04  -0.54  -1.05
labels                         0.24  -0.22   0.34   0.04  -0.50   1.69   2.23  -0.72  -0.76  -2.34
link titles                    0.07  -1.84   0.71   0.20  -1.06   0.21   0.98  -0.03   1.12  -0.35
lines of link titles           0.41  -1.01  -0.07  -0.42   0.97  -0.50   0.15   0.42   0.37  -0.32
chars of link titles           2.74  -0.65  -0.40  -0.77   0.26   0.01   0.90  -0.28  -0.92  -0.89
groups of prose               -1.92  -0.06   1.24   0.74   0.42  -0.06   0.88  -0.34  -1.04   0.13
share of longest prose        -1.42   0.86   0.38  -1.14   0.72  -1.94   1.65   1.02   0.52  -0.64
forum class                   -0.71   3.50   0.76  -0.36  -0.87  -0.39  -0.33  -0.88  -0.32  -0.40
question_answer class         -1.78  -0.95   6.27  -0.86  -0.61  -0.36  -0.44  -0.39  -0.67  -0.21
comments class                -1.33   2.53  -0.70   4.78  -1.23  -1.41  -0.27  -0.70  -0.79  -0.87
microblog class                1.29  -0.68  -0.50  -0.79   4.27  -0.51  -0.48  -1.33  -0.93  -0.34
encyclopedia class            -1.58  -0.34  -0.50  -0.50  -0.41   5.28   0.36  -0.92  -0.97  -0.41
product class                 -0.36  -0.07  -0.04  -0.04  -0.05  -0.06   0.57  -0.17   0.22  -0.00
video class                   -0.00  -0.57  -0.18  -1.12  -1.02  -0.52  -1.01   5.76  -1.07  -0.27
index class                    3.70  -0.51  -0.02  -1.15  -0.69   0.22  -0.42  -1.19   0.19  -0.14
chapter class                 -0.89  -0.06  -0.05  -0.05  -0.03  -0.12  -0.03  -0.04  -0.03   1.29
forum word                    -0.70   3.41  -1.09   0.87  -0.73  -0.09  -0.13  -1.45   0.74  -0.84
question_answer word          -1.67  -0.68   4.94   0.44   0.27  -0.57  -1.31  -0.90   0.03  -0.55
comments word                 -2.70   0.72   0.35   2.87   0.21  -1.06  -1.29   0.29   0.27   0.34
microblog word                 0.55  -1.67  -0.13   0.35   3.53   0.53  -2.52   1.36  -1.72  -0.28
encyclopedia word             -3.66  -0.91  -0.87   0.00  -0.48   4.93  -0.69  -0.40  -0.76   2.84
product word                   0.53  -0.24  -0.58  -0.63  -0.63  -1.34   4.77  -0.91   0.27  -1.24
video word                    -0.42  -0.82  -1.11  -0.92  -1.33   0.13   0.68   5.15  -0.54  -0.81
index word                     2.25  -0.48  -0.98  -0.05   0.13   0.01   0.48  -0.69   0.29  -0.95
chapter word                  -0.23  -0.79  -0.78   0.13  -0.64  -1.25  -1.10  -1.85   2.19   4.32
forum title                    0.31   0.46  -0.49  -0.02   0.19  -0.76   0.32  -0.09  -0.48   0.55
question_answer title         -0.59   0.34   0.24  -0.54   0.50   0.79  -0.60  -0.35   0.33  -0.13
comments title                -0.24  -0.35  -0.04  -0.03   1.11  -0.02  -0.02  -0.07  -0.34  -0.00
microblog title               -0.81  -0.08  -0.42  -0.68  -0.10  -0.15  -0.13   0.71   2.67  -1.01
encyclopedia title            -1.10   0.98  -0.72   0.73   0.07   0.26   0.14  -0.44   0.24  -0.16
product title                  0.23  -0.26  -0.32   0.27  -0.24  -0.20  -0.16  -0.53   1.25  -0.05
video title                   -0.69  -0.18  -0.20   1.02  -0.19  -0.13  -0.06  -0.49   1.02  -0.11
index title                   -0.77   0.51  -0.84  -0.37   0.40  -0.02   0.17   0.24   0.89  -0.21
chapter title                 -0.56  -0.60  -0.18   0.36  -0.16  -0.22  -0.47  -0.26   0.86   1.25
"""
_SHAPES, _HINTS = len(_SHAPE_FEATURES), len(HINTS)
_GROUPS = np.array([shares_of_kind(kind) for kind in PAGE_KINDS], dtype=np.float64)

_MANY_LOG2 = 8  # counts of 255 and more are equal
_MANY_CHARS_LOG2 = 14.0
_PROSE_CHARS = 200
_LONG_CHARS = 500
_INDEX_LINKS, _INDEX_LINES = 0.2, 10  # share of characters; fewest lines
_TITLE_CHARS, _TEASER_REACH = 8, 2
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
    return kind_of(page_features(lines, facts, title), _weights())


def kind_of(features: Float64Array, weights: Float64Array) -> tuple[str, KindShares]:
    """Return the likeliest kind, and how likely the page is of the groups of kinds.

    A kind is named only where one of its words is found; the shares do without. An index has links.

    Args:
        features: PAGE_FEATURES of a page.
        weights: Shape (features, kinds).
    """
    kind, *shares = _kind_of(features, weights, _GROUPS, _SHAPES, _HINTS, HINTS.index(INDEX))
    return PAGE_KINDS[kind], KindShares(*shares)


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
) -> tuple[int, float, float, float, float]:
    """`kind_of` by number.

    Args:
        groups: Shape (kinds, groups): whether a kind is of each group of `KindShares`.
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
        is_hinted = hint == index
        for place in range(3):
            is_hinted |= features[shapes + place * hints + hint] > 0
        if is_hinted and scores[hint + 1] > scores[best]:
            best = hint + 1
    shares = np.zeros(4, dtype=np.float64)
    total, most = 0.0, scores.max()
    for kind in range(hints + 1):
        likely = math.exp(scores[kind] - most)
        total += likely
        for group in range(4):
            shares[group] += likely * groups[kind, group]
    shares /= total
    return best, shares[0], shares[1], shares[2], shares[3]


@compiled
def own_prose(
    chars: Int64Array,
    link_chars: Int64Array,
    punctuation: Int64Array,
    words: Int64Array,
    frame_word: int,
) -> tuple[int, int, int]:
    """Measure the prose of a page that does not follow the title of another page.

    Such a title is a link of at least `_TITLE_CHARS`; the first prose in the `_TEASER_REACH` lines
    behind it belongs to it. Lines with a word of the frame do not count.

    Returns:
        Characters of own prose, those of its longest line, its lines.
    """
    own = longest = count = 0
    since = _TEASER_REACH  # lines behind the title that has no prose yet
    for row in range(len(chars)):
        unlinked = chars[row] - link_chars[row]
        if _is_link_title(chars[row], link_chars[row]):
            since = 0
            continue
        since += 1
        if punctuation[row] and unlinked * 2 > chars[row] and not words[row] & frame_word:
            if since > _TEASER_REACH:
                own += unlinked
                longest = max(longest, unlinked)
                count += 1
            since = _TEASER_REACH
    return own, longest, count


@compiled
def _is_link_title(chars: int, link_chars: int) -> bool:
    return bool(chars >= _TITLE_CHARS and link_chars * 5 >= chars * 4)


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
        of_block[2, block[row]] += chars[row] * _is_link_title(chars[row], link_chars[row])
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
        if _is_link_title(chars[row], link_chars[row]):
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
    first, count, sums = _repeated_blocks(parents, signatures, prose)
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


@compiled
def _repeated_blocks(
    parents: Int64Array, signatures: Int64Array, prose: Float64Array
) -> tuple[np.int64, np.int64, float]:
    """Find the siblings with one signature that have the most prose, where at least three have.

    Args:
        prose: Of each block with the blocks inside.
    Returns:
        The first of them that has prose, how many have, and their prose.
    """
    blocks = len(parents)
    size = 16
    while size < 2 * blocks:
        size *= 2
    keys = np.full(size, -1, dtype=np.int64)
    firsts = np.zeros(size, dtype=np.int64)
    counts = np.zeros(size, dtype=np.int64)
    sums = np.zeros(size, dtype=np.float64)
    for block in range(1, blocks):
        if prose[block] <= 0:
            continue
        key = parents[block] << 10 | signatures[block]
        place = (key ^ key >> 10) & (size - 1)
        while keys[place] != -1 and keys[place] != key:
            place = (place + 1) & (size - 1)
        if keys[place] == -1:
            keys[place], firsts[place] = key, block
        counts[place] += 1
        sums[place] += prose[block]
    best = -1
    for place in range(size):
        if counts[place] >= 3 and (
            best < 0
            or sums[place] > sums[best]
            or (sums[place] == sums[best] and counts[place] > counts[best])
        ):
            best = place
    if best < 0:
        return np.int64(0), np.int64(0), 0.0
    return firsts[best], counts[best], sums[best]
