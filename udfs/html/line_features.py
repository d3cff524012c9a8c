"""Features of a page's lines, by themselves, by their neighbours, and by the lines of like blocks.

Blocks are alike when they, their parents and the parents of these have the same signatures
(`udfs.html.class_words`): the posts of a thread, the names of their authors, the entries of a list.
A short post is text because other lines in like blocks are prose; an author's name is not.

Source:
    Features of a line and its neighbours after Kohlschütter et al., Boilerplate detection using
    shallow text features (WSDM 2010); like blocks after the templates of Yi, Liu and Li,
    Eliminating noisy information in web pages (KDD 2003), within one page.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.base.jit import compiled
from udfs.html.class_words import KINDS, kinds_of, signatures_of
from udfs.html.line_words import (
    ABOUT,
    ALL_HINTS,
    FRAME_WORD,
    MOMENT,
    LineWords,
    line_words,
    lines_in_title,
)
from udfs.html.page_lines import Blocks, Lines

LINE_FEATURES = (
    "constant",
    "links",
    "has punctuation",
    "much punctuation",
    "frame word",
    "paragraph",
    "list item",
    "prose around",
    "links around",
    "length",
    "digits",
    "copies",
    "hint word",
    "prose of like lines",
    "links of like lines",
    "number of like lines",
)
OWN_FEATURES = 9
"""The first of LINE_FEATURES: those of a line and its neighbours, which articles need."""
_FEATURES = len(LINE_FEATURES)
CONTEXT_FEATURES = (
    "constant",
    "score",
    "next lines",
    "lines around",
    "like lines",
    "likeliest like line",
    "in title",
    "thread",
    "thread: in title",
    "thread: score",
    "thread: like lines",
    "thread: likeliest like line",
    "likely lines before",
    "comment",
    "thread: comment",
    "beside a time",
    "thread: beside a time",
    "a time",
    "times of like lines",
    "digits of like lines",
    "lines after",
    "below a heading",
)
_CONTEXT = len(CONTEXT_FEATURES)

_REACH = 3  # lines before and after that count as neighbours
_CONTEXT_REACH = 4
_MUCH_PUNCTUATION = 8  # marks; further ones add nothing
_PROSE_CHARS = 200  # characters from which a line counts as prose fully
_SHORT_CHARS = 40  # longer lines have no feature of digits or hint words
_MANY_COPIES, _MANY_LINES_LOG2 = 3, 6
_MIN_LINE_CHARS = 8  # shorter lines weigh as much
_SIGNATURE_BITS = 10
_MANY_BEFORE = 4.0  # sum of probabilities
_BESIDE, _MOMENT_DIGITS = 2, 4
_MANY_AFTER = 10.0  # lines
_HEADING_CHARS, _BELOW = 20, 3  # of a heading; lines below it
_INHERITED = 0.7  # as udfs.html.main_text
_COMMENT = KINDS.index("comment")


class LineFacts(NamedTuple):
    """What is computed of the lines of a page once; for the line model and the page kind.

    Attributes:
        words: Words, digits and copies of each line.
        prose: Shape (lines,): how much of a line is prose, 0 to 1: its length up to
            `_PROSE_CHARS`, without links; 0 without punctuation.
        groups: Shape (lines,): number of the group of like lines that each belongs to.
        features: Shape (lines, OWN_FEATURES).
        title: Of the page.
    """

    words: LineWords
    prose: Float64Array
    groups: Int64Array
    features: Float64Array
    title: str | None


def line_facts(lines: Lines, title: str | None = None) -> LineFacts:
    """Compute what all models need to know of the lines of a page with this title."""
    words = line_words(lines)
    groups, prose, features = _line_facts(
        lines.chars,
        lines.link_chars,
        lines.punctuation,
        words.words,
        lines.paragraph,
        lines.item,
        lines.block,
        lines.blocks.parents,
        signatures_of(lines.blocks.values),
        FRAME_WORD,
    )
    return LineFacts(words, prose, groups, features, title)


def line_features(lines: Lines, facts: LineFacts) -> Float64Array:
    """Return LINE_FEATURES of each line; shape (lines, features)."""
    return _line_features(
        facts.features,
        facts.prose,
        lines.chars,
        lines.link_chars,
        facts.words.words & ALL_HINTS,
        facts.words.digits,
        facts.words.copies,
        facts.groups,
    )


def groups_of_blocks(blocks: Blocks) -> Int64Array:
    """Return a number below the number of blocks for each block, the same for like blocks."""
    return _groups_of_blocks(blocks.parents, signatures_of(blocks.values))


def context_features(
    scores: Float64Array, lines: Lines, facts: LineFacts, thread: float
) -> Float64Array:
    """Return CONTEXT_FEATURES of each line; shape (lines, features).

    Args:
        scores: Of each line by its own features: the logit of its probability.
        thread: How likely the page is a thread of posts, 0 to 1.
    """
    in_title = lines_in_title(lines, facts.title)
    return _context_features(
        scores,
        lines.chars,
        facts.words.digits,
        facts.words.words & MOMENT,
        facts.words.words & ABOUT,
        facts.groups,
        in_title,
        lines.block,
        lines.blocks.parents,
        kinds_of(lines.blocks.values) >> _COMMENT & 1,
        float(thread),
    )


@compiled
def _groups_of_blocks(parents: Int64Array, signatures: Int64Array) -> Int64Array:
    """`groups_of_blocks`: the first block of each group gives its number."""
    blocks = len(parents)
    size = 16
    while size < 2 * blocks:
        size *= 2
    keys = np.full(size, -1, dtype=np.int64)
    numbers = np.empty(size, dtype=np.int64)
    groups = np.empty(blocks, dtype=np.int64)
    for block in range(blocks):
        parent = parents[block]
        key = signatures[block] | signatures[parent] << _SIGNATURE_BITS
        key |= signatures[parents[parent]] << 2 * _SIGNATURE_BITS
        place = (key ^ key >> 7 ^ key >> 15) & (size - 1)
        while keys[place] != -1 and keys[place] != key:
            place = (place + 1) & (size - 1)
        if keys[place] == -1:
            keys[place], numbers[place] = key, block
        groups[block] = numbers[place]
    return groups


@compiled
def _line_facts(
    chars: Int64Array,
    link_chars: Int64Array,
    punctuation: Int64Array,
    words: Int64Array,
    paragraph: BoolArray,
    item: BoolArray,
    block: Int64Array,
    parents: Int64Array,
    signatures: Int64Array,
    frame_word: int,
) -> tuple[Int64Array, Float64Array, Float64Array]:
    """Return the group and the prose of each line, and the first OWN_FEATURES in their order."""
    lines = len(chars)
    groups_of_blocks = _groups_of_blocks(parents, signatures)
    groups = np.empty(lines, dtype=np.int64)
    features = np.empty((lines, OWN_FEATURES), dtype=np.float64)
    prose = np.empty(lines, dtype=np.float64)
    links_of = np.empty(lines, dtype=np.float64)
    for row in range(lines):
        groups[row] = groups_of_blocks[block[row]]
        links = link_chars[row] / chars[row]
        links_of[row] = links
        punctuated = 1.0 if punctuation[row] else 0.0
        features[row, 0] = 1.0
        features[row, 1] = links
        features[row, 2] = punctuated
        features[row, 3] = min(punctuation[row], _MUCH_PUNCTUATION) / _MUCH_PUNCTUATION
        features[row, 4] = words[row] & frame_word
        features[row, 5] = paragraph[row]
        features[row, 6] = item[row]
        length = min(chars[row], _PROSE_CHARS) / _PROSE_CHARS
        prose[row] = length * (1.0 - links) * punctuated
    for row in range(lines):
        features[row, 7] = _around(prose, row, _REACH) / _REACH
        features[row, 8] = _around(links_of, row, _REACH) / _REACH
    return groups, prose, features


@compiled
def _line_features(
    own: Float64Array,
    prose: Float64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    hints: Int64Array,
    digits: Int64Array,
    copies: Int64Array,
    groups: Int64Array,
) -> Float64Array:
    """LINE_FEATURES in their order.

    Args:
        own: The first OWN_FEATURES.
        hints: Bits of the hint words of each line.
    """
    lines = len(chars)
    features = np.empty((lines, _FEATURES), dtype=np.float64)
    features[:, :OWN_FEATURES] = own
    for row in range(lines):
        is_short = chars[row] <= _SHORT_CHARS
        features[row, 9] = min(chars[row], _SHORT_CHARS) / _SHORT_CHARS
        features[row, 10] = digits[row] / chars[row] if is_short else 0.0
        features[row, 11] = min(copies[row], _MANY_COPIES) / _MANY_COPIES
        features[row, 12] = 1.0 if is_short and hints[row] else 0.0
    _of_like_lines(features, prose, chars, link_chars, groups)
    return features


@compiled
def _around(values: Float64Array, row: int, reach: int) -> float:
    """Return the sum of the values of a row's neighbours."""
    found = 0.0
    for other in range(max(row - reach, 0), min(row + reach + 1, len(values))):
        found += values[other]
    return float(found - values[row])


@compiled
def _of_like_lines(
    features: Float64Array,
    prose: Float64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    groups: Int64Array,
) -> None:
    """Fill in the features of a line's group."""
    room = groups.max() + 1 if len(groups) else 0
    of_prose, of_chars, of_links, of_lines = np.zeros((4, room), dtype=np.float64)
    for row in range(len(groups)):
        group = groups[row]
        of_prose[group] += prose[row]
        of_chars[group] += chars[row]
        of_links[group] += link_chars[row]
        of_lines[group] += 1
    for row in range(len(groups)):
        group = groups[row]
        features[row, 13] = of_prose[group] / of_lines[group]
        features[row, 14] = of_links[group] / of_chars[group]
        many = np.log2(of_lines[group])
        features[row, 15] = min(many, _MANY_LINES_LOG2) / _MANY_LINES_LOG2


@compiled
def _context_features(
    scores: Float64Array,
    chars: Int64Array,
    digits: Int64Array,
    moments: Int64Array,
    about: Int64Array,
    groups: Int64Array,
    in_title: BoolArray,
    block: Int64Array,
    parents: Int64Array,
    comments: Int64Array,
    thread: float,
) -> Float64Array:
    """CONTEXT_FEATURES of each line, in their order.

    Args:
        moments: Not 0 for a line with a word for a time before now.
        about: Not 0 for a line with a word of headings above what describes a thing.
        comments: Shape (blocks,): 1 for blocks of comments.
    """
    lines = len(scores)
    features = np.empty((lines, _CONTEXT), dtype=np.float64)
    probability = np.empty(lines, dtype=np.float64)
    room = groups.max() + 1 if lines else 0
    likely, weights, most = np.zeros((3, room), dtype=np.float64)
    for row in range(lines):
        probability[row] = 1.0 / (1.0 + np.exp(-scores[row]))
        weight = np.sqrt(max(chars[row], _MIN_LINE_CHARS))
        group = groups[row]
        likely[group] += weight * probability[row]
        weights[group] += weight
        most[group] = max(most[group], probability[row])
    for row in range(lines):
        group = groups[row]
        features[row, 0] = 1.0
        features[row, 1] = scores[row]
        features[row, 2] = _around(probability, row, 1) / 2
        features[row, 3] = _around(probability, row, _CONTEXT_REACH) / (2 * _CONTEXT_REACH)
        features[row, 4] = likely[group] / weights[group]
        features[row, 5] = most[group]
        features[row, 6] = in_title[row]
        features[row, 7] = thread
        features[row, 8] = thread * in_title[row]
        features[row, 9] = thread * scores[row]
        features[row, 10] = thread * features[row, 4]
        features[row, 11] = thread * most[group]
    _of_remarks(features[:, 12:], probability, chars, digits, moments, thread)
    _of_comments(features[:, 13:15], block, parents, comments, thread)
    _of_times(features[:, 17:20], chars, digits, moments, groups)
    _of_places(features[:, 20:22], chars, about)
    return features


@compiled
def _of_remarks(
    features: Float64Array,
    probability: Float64Array,
    chars: Int64Array,
    digits: Int64Array,
    moments: Int64Array,
    thread: float,
) -> None:
    """Fill in what tells readers' remarks: likely lines are before them, times are beside them."""
    before = 0.0
    since = _BESIDE + 1  # lines since the last one with a time
    for row in range(len(chars)):
        features[row, 0] = min(before, _MANY_BEFORE) / _MANY_BEFORE
        before += probability[row]
        since += 1
        features[row, 3] = 1.0 if since <= _BESIDE else 0.0
        if _is_time(chars[row], digits[row], moments[row]):
            since = 0
            for other in range(max(row - _BESIDE, 0), row):
                features[other, 3] = 1.0
    for row in range(len(chars)):
        features[row, 4] = thread * features[row, 3]


@compiled
def _of_comments(
    features: Float64Array,
    block: Int64Array,
    parents: Int64Array,
    comments: Int64Array,
    thread: float,
) -> None:
    """Fill in how near the blocks of comments around each line are."""
    inside = np.zeros(len(parents), dtype=np.float64)
    for number in range(1, len(parents)):
        inside[number] = max(float(comments[number]), _INHERITED * inside[parents[number]])
    for row in range(len(block)):
        features[row, 0] = inside[block[row]]
        features[row, 1] = thread * features[row, 0]


@compiled
def _is_time(chars: np.int64, digits: np.int64, moment: np.int64) -> bool:
    """Whether a line is short and has a time: as many digits as a year, or a word for it."""
    return bool(chars <= _SHORT_CHARS and (digits >= _MOMENT_DIGITS or moment != 0))


@compiled
def _of_times(
    features: Float64Array,
    chars: Int64Array,
    digits: Int64Array,
    moments: Int64Array,
    groups: Int64Array,
) -> None:
    """Fill in what tells names, times and counters: like lines have times and digits, too."""
    room = groups.max() + 1 if len(groups) else 0
    of_times, of_digits, of_chars, of_lines = np.zeros((4, room), dtype=np.float64)
    for row in range(len(chars)):
        group = groups[row]
        features[row, 0] = 1.0 if _is_time(chars[row], digits[row], moments[row]) else 0.0
        of_times[group] += features[row, 0]
        of_digits[group] += min(digits[row], chars[row])
        of_chars[group] += chars[row]
        of_lines[group] += 1
    for row in range(len(chars)):
        group = groups[row]
        features[row, 1] = of_times[group] / of_lines[group]
        features[row, 2] = of_digits[group] / of_chars[group]


@compiled
def _of_places(features: Float64Array, chars: Int64Array, about: Int64Array) -> None:
    """Fill in how far each line is from the page's end, and whether a heading is above it."""
    lines = len(chars)
    since = _BELOW  # lines since the last heading
    for row in range(lines):
        features[row, 0] = min(lines - 1 - row, _MANY_AFTER) / _MANY_AFTER
        features[row, 1] = 1.0 if since < _BELOW else 0.0
        since += 1
        if chars[row] <= _HEADING_CHARS and about[row]:
            since = 0
