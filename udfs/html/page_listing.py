"""Whether a page only leads to others: a portal, a list, a search, which have no main text.

A linear model gives the probability, by what such pages have instead of a text: teasers of other
pages (`udfs.html.page_teasers`), prose that is cut off, prose outside of content blocks, no long
run of lines without links, and many like lines. The prose of teasers is not the page's own.

Source:
    Logistic regression. Features and weights are this project's, fitted to made pages and to real
    ones: tests/bench/page_kinds.py --fit.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array, UInt8Array
from udfs.base.jit import compiled
from udfs.html.class_words import KINDS, kinds_of, signatures_of
from udfs.html.line_features import LineFacts
from udfs.html.line_words import FRAME_WORD, MORE
from udfs.html.page_lines import Lines
from udfs.html.page_teasers import is_title, teaser_lines

# Name, and weight.
_WEIGHTS = """
constant                      -1.58
links                          1.35
prose                         -2.23
longest prose                 -1.47
own prose                     -5.41
prose in content              -1.88
prose in frame                 1.53
prose in related               0.72
cut prose                      0.55
lines of cut prose             1.75
longest run                   -2.44
lines of the longest run       1.34
frequent lines                 3.56
chars of repeated blocks       2.91
spread of repeated blocks     -1.39
prose of teasers               1.24
links to the whole text        1.29
"""
LISTING_FEATURES = tuple(line[:28].strip() for line in _WEIGHTS.splitlines() if line.strip())
_FEATURES, _OWN_PROSE = len(LISTING_FEATURES), LISTING_FEATURES.index("own prose")
LISTING = 0.6
"""A page is a listing when it is more likely than this."""

_MANY_LOG2, _MANY_CHARS_LOG2 = 8, 14  # larger counts are equal
_LONG_CHARS = 500
_TITLE_CHARS, _SHORT_CHARS, _TEASER_REACH = 8, 40, 2
_LONG_LINES = 100  # mean characters
_MUCH_OWN_PROSE = math.log2(301) / _MANY_CHARS_LOG2  # of 300 characters
_FREQUENT = 5
_INHERITED = 0.7  # as udfs.html.main_text
_LARGE_SPREAD = 2.0
_SPACE, _DOT = 0x20, 0x2E
_KINDS = np.array([KINDS.index(kind) for kind in ("content", "frame", "related")], dtype=np.int64)


def listing_share(lines: Lines, facts: LineFacts) -> float:
    """Return how likely a page with lines only leads to others, 0 to 1."""
    return share_of(listing_features(lines, facts, _MUCH_OWN_PROSE), _weights())


def share_of(features: Float64Array, weights: Float64Array) -> float:
    """Return how likely a page only leads to others, by its LISTING_FEATURES.

    0 for a page with much prose of its own: a short article above many teasers.
    """
    if features[_OWN_PROSE] >= _MUCH_OWN_PROSE:
        return 0.0
    return 1.0 / (1.0 + math.exp(-float(features @ weights)))


def listing_features(lines: Lines, facts: LineFacts, most_own: float = 2.0) -> Float64Array:
    """Return LISTING_FEATURES of a page with lines; each is 0 to 1.

    Args:
        most_own: Of a page with as much own prose the other features are not needed, and 0.
    """
    return _listing_features(
        np.frombuffer(lines.page, dtype=np.uint8),
        lines.starts,
        lines.ends,
        lines.chars,
        lines.link_chars,
        lines.punctuation,
        lines.block,
        lines.blocks.parents,
        kinds_of(lines.blocks.values),
        signatures_of(lines.blocks.values),
        facts.words.digits,
        facts.words.copies,
        facts.words.words,
        facts.prose,
        facts.groups,
        _teasers(lines, facts),
        _KINDS,
        (FRAME_WORD, MORE),
        _FEATURES,
        most_own,
    )


def _teasers(lines: Lines, facts: LineFacts) -> BoolArray:
    """Return which lines are inside of teasers; shape (lines,)."""
    return teaser_lines(
        lines.ends - lines.starts,
        lines.chars,
        lines.link_chars,
        facts.words.digits,
        facts.words.copies,
        facts.prose,
        lines.block,
        lines.blocks.parents,
        signatures_of(lines.blocks.values),
    )


@cache
def _weights() -> Float64Array:
    """Return the weights; shape (features,)."""
    return np.array([line[28:] for line in _WEIGHTS.splitlines() if line.strip()], dtype=np.float64)


@compiled
def _listing_features(
    page: UInt8Array,
    starts: Int64Array,
    ends: Int64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    punctuation: Int64Array,
    block: Int64Array,
    parents: Int64Array,
    kinds: Int64Array,
    signatures: Int64Array,
    digits: Int64Array,
    copies: Int64Array,
    words: Int64Array,
    prose: Float64Array,
    groups: Int64Array,
    teasers: BoolArray,
    places: Int64Array,
    bits: tuple[int, int],
    size: int,
    most_own: float,
) -> Float64Array:
    """LISTING_FEATURES in their order.

    Args:
        places: Bits of content, frame and related in the kinds of blocks.
        bits: FRAME_WORD and MORE.
    """
    features = np.zeros(size, dtype=np.float64)
    outside = teasers | _in_frames(block, parents, kinds, places[0], places[1])
    sizes = ends - starts
    own = own_prose(sizes, chars, link_chars, punctuation, digits, copies, words, outside, bits[0])
    features[4] = _logarithm(own, _MANY_CHARS_LOG2)
    if features[4] >= most_own:
        return features
    all_chars = float(chars.sum())
    prose_chars = longest = prose_lines = cut_lines = 0
    run = run_lines = most = most_lines = 0  # characters and lines without links; of the longest
    for row in range(len(chars)):
        unlinked = chars[row] - link_chars[row]
        if punctuation[row] and unlinked * 2 > chars[row]:
            prose_lines += 1
            if not teasers[row]:
                prose_chars += unlinked
                longest = max(longest, unlinked)
            cut_lines += _is_cut(page, ends[row])
        if link_chars[row] * 5 < chars[row] and not teasers[row]:
            run, run_lines = run + chars[row], run_lines + 1
        else:
            run = run_lines = 0
        if run > most:
            most, most_lines = run, run_lines
    features[0] = 1.0
    features[1] = link_chars.sum() / all_chars
    features[2] = _logarithm(prose_chars, _MANY_CHARS_LOG2)
    features[3] = min(longest, _LONG_CHARS) / _LONG_CHARS
    features[8] = cut_lines / max(prose_lines, 1)
    features[9] = _logarithm(cut_lines, _MANY_LOG2)
    features[10] = most / all_chars
    features[11] = min(most / max(most_lines, 1), _LONG_LINES) / _LONG_LINES
    features[12] = _frequent_chars(chars, groups) / all_chars
    _prose_of_kinds(features[5:8], prose, teasers, block, parents, kinds, places)
    _of_repeated_blocks(features[13:15], chars, block, parents, signatures, all_chars)
    all_prose = prose.sum()
    features[15] = (prose * teasers).sum() / all_prose if all_prose > 0 else 0.0
    features[16] = _logarithm((words & bits[1] != 0).sum(), _MANY_LOG2)
    return features


@compiled
def _in_frames(
    block: Int64Array, parents: Int64Array, kinds: Int64Array, content: int, frame: int
) -> BoolArray:
    """Whether each line is in a block of the frame, and in none of content inside of it."""
    inside = np.zeros(len(parents), dtype=np.bool_)
    for number in range(1, len(parents)):
        is_frame = inside[parents[number]] or kinds[number] >> frame & 1 != 0
        inside[number] = is_frame and kinds[number] >> content & 1 == 0
    found = np.empty(len(block), dtype=np.bool_)
    for row in range(len(block)):
        found[row] = inside[block[row]]
    return found


@compiled
def _is_cut(page: UInt8Array, end: int) -> bool:
    """Whether the line that ends at a place has three dots or U+2026 at its end."""
    while end > 3 and page[end - 1] <= _SPACE:
        end -= 1
    if end < 3:
        return False
    first, second, third = page[end - 3], page[end - 2], page[end - 1]
    is_dots = first == _DOT and second == _DOT and third == _DOT
    return bool(is_dots or (first == 0xE2 and second == 0x80 and third == 0xA6))


@compiled
def _frequent_chars(chars: Int64Array, groups: Int64Array) -> int:
    """Return the characters of the lines that have at least `_FREQUENT` like ones."""
    of_group = np.zeros(groups.max() + 1, dtype=np.int64)
    for group in groups:
        of_group[group] += 1
    found = 0
    for row in range(len(chars)):
        if of_group[groups[row]] >= _FREQUENT:
            found += chars[row]
    return found


@compiled
def _prose_of_kinds(
    features: Float64Array,
    prose: Float64Array,
    teasers: BoolArray,
    block: Int64Array,
    parents: Int64Array,
    kinds: Int64Array,
    places: Int64Array,
) -> None:
    """Fill in the share of a page's prose that is in blocks of each kind."""
    total = prose.sum()
    if total <= 0:
        return
    values = np.empty(len(parents), dtype=np.float64)
    for place in range(len(places)):
        values[0] = kinds[0] >> places[place] & 1
        for number in range(1, len(parents)):
            own = kinds[number] >> places[place] & 1
            values[number] = own + _INHERITED * values[parents[number]]
        inside = 0.0
        for row in range(len(prose)):
            if not teasers[row]:
                inside += prose[row] * min(values[block[row]], 1.0)
        features[place] = inside / total


@compiled
def _of_repeated_blocks(
    features: Float64Array,
    chars: Int64Array,
    block: Int64Array,
    parents: Int64Array,
    signatures: Int64Array,
    all_chars: float,
) -> None:
    """Fill in the features of the siblings with one signature that have the most characters."""
    of_block = np.zeros(len(parents), dtype=np.float64)
    for row in range(len(chars)):
        of_block[block[row]] += chars[row]
    for number in range(len(parents) - 1, 0, -1):
        of_block[parents[number]] += of_block[number]
    first, count, inside = repeated_blocks(parents, signatures, of_block)
    if count == 0:
        return
    mean, squares = inside / count, 0.0
    for number in range(first, len(parents)):
        is_like = parents[number] == parents[first] and signatures[number] == signatures[first]
        if is_like and of_block[number] > 0:
            squares += (of_block[number] - mean) ** 2
    features[0] = inside / all_chars
    features[1] = min(math.sqrt(squares / count) / mean, _LARGE_SPREAD) / _LARGE_SPREAD


@compiled
def _logarithm(count: int, most: int) -> float:
    """Return the logarithm of one more than a count, as a share of the largest that counts."""
    return min(math.log2(1.0 + count), most) / most


@compiled
def own_prose(
    sizes: Int64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    punctuation: Int64Array,
    digits: Int64Array,
    copies: Int64Array,
    words: Int64Array,
    outside: BoolArray,
    frame_word: int,
) -> int:
    """Return the characters of a page's prose that do not follow the title of another page.

    The first prose in the `_TEASER_REACH` lines behind a title belongs to it. Short lines with a
    word of the frame and lines that are `outside` do not count.
    """
    own = 0
    since = _TEASER_REACH  # lines behind the title that has no prose yet
    for row in range(len(chars)):
        unlinked = chars[row] - link_chars[row]
        if is_title(sizes[row], chars[row], link_chars[row], digits[row], copies[row]):
            since = 0
            continue
        since += 1
        is_frame = chars[row] <= _SHORT_CHARS and words[row] & frame_word != 0
        is_frame |= outside[row]
        if punctuation[row] and unlinked * 2 > chars[row] and not is_frame:
            if since > _TEASER_REACH:
                own += unlinked
            since = _TEASER_REACH
    return int(own)


@compiled
def is_link_title(chars: int, link_chars: int) -> bool:
    """Whether a line is a link that is long enough for the title of another page."""
    return bool(chars >= _TITLE_CHARS and link_chars * 5 >= chars * 4)


@compiled
def repeated_blocks(
    parents: Int64Array, signatures: Int64Array, weights: Float64Array
) -> tuple[np.int64, np.int64, float]:
    """Find the siblings with one signature that weigh most, where at least three have a weight.

    Of equal sums the one of more siblings counts, then the first.

    Args:
        weights: Of each block with the blocks inside.
    Returns:
        The first of them that has a weight, how many have, and their sum; zeros for no such ones.
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
        if weights[block] <= 0:
            continue
        key = parents[block] << 10 | signatures[block]
        place = (key ^ key >> 10) & (size - 1)
        while keys[place] != -1 and keys[place] != key:
            place = (place + 1) & (size - 1)
        if keys[place] == -1:
            keys[place], firsts[place] = key, block
        counts[place] += 1
        sums[place] += weights[block]
    best = -1
    for place in range(size):
        if counts[place] < 3:
            continue
        if best >= 0 and sums[place] == sums[best]:
            is_better = counts[place] > counts[best]
            if counts[place] == counts[best]:
                is_better = firsts[place] < firsts[best]
        else:
            is_better = best < 0 or sums[place] > sums[best]
        if is_better:
            best = place
    if best < 0:
        return np.int64(0), np.int64(0), 0.0
    return firsts[best], counts[best], sums[best]
