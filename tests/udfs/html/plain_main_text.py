"""What ``udfs.html.main_text`` and ``line_features`` compute of lines, in numpy and plain Python.

It is the twin of the compiled loops there, and shares with them the model and the words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float64Array
from udfs.html.class_words import KINDS, kinds_of, signatures_of
from udfs.html.line_features import CONTEXT_FEATURES, LINE_FEATURES
from udfs.html.line_words import ABOUT, ALL_HINTS, FRAME_WORD, MOMENT, bits_of_words
from udfs.html.main_text import LineModel, inherited
from udfs.html.page_lines import Blocks, Lines

_REACH = 3
_INHERITED = 0.7
_MIN_LINE_CHARS = 8
_PROSE_CHARS = 200
_FRAME_BYTES = 600
_SHORT_CHARS = 40
_TITLE_CHARS = 4


def plain_rows(
    lines: Lines, probability: Float64Array, model: LineModel, *, is_scattered: bool = False
) -> list[int]:
    """Indices of the lines of the main text of a page with lines; what is scattered is no prose."""
    likeliest = int(probability.argmax())
    if probability[likeliest] < model.not_text:
        # No line looks like prose: a list of goods, a portal. Keep all but the navigation.
        return np.flatnonzero(lines.link_chars < lines.chars / 2).tolist() or [likeliest]
    weight = np.maximum(lines.chars, _MIN_LINE_CHARS) ** 0.5
    threshold = model.threshold - model.lowered[1 if is_scattered else 0]
    threshold *= probability[likeliest]
    runs = plain_runs(((probability - threshold) * weight).tolist())
    least = 0 if is_scattered else model.other_run * max(total for _, _, total in runs)
    likely = (probability >= min(model.not_text, threshold)).tolist()
    return [
        row
        for first, end, total in runs
        if total >= least
        for row in range(first, end)
        if likely[row]
    ]


def plain_features(lines: Lines) -> Float64Array:
    """LINE_FEATURES of each line; shape (lines, features)."""
    chars = lines.chars.astype(np.float64)
    links = lines.link_chars / chars
    punctuated = lines.punctuation > 0
    is_short = chars <= _SHORT_CHARS
    words = plain_words(lines)
    groups = plain_groups(lines.blocks)[lines.block]
    features = np.empty((len(LINE_FEATURES), len(chars)))
    features[0] = 1.0
    features[1] = links
    features[2] = punctuated
    features[3] = np.minimum(lines.punctuation, 8) / 8
    features[4] = words & FRAME_WORD
    features[5] = lines.paragraph
    features[6] = lines.item
    prose = np.minimum(chars, _PROSE_CHARS) / _PROSE_CHARS * (1 - links) * punctuated
    features[7] = _around(prose, _REACH)
    features[8] = _around(links, _REACH)
    features[9] = np.minimum(chars, _SHORT_CHARS) / _SHORT_CHARS
    features[10] = np.where(is_short, plain_digits(lines) / chars, 0)
    features[11] = np.minimum(plain_copies(lines), 3) / 3
    features[12] = is_short & (words & ALL_HINTS != 0)
    for row, group in enumerate(groups):
        like = groups == group
        features[13:, row] = (
            prose[like].mean(),
            lines.link_chars[like].sum() / chars[like].sum(),
            min(np.log2(like.sum()), 6) / 6,
        )
    return features.T


def plain_context(
    scores: Float64Array, lines: Lines, title: str = "", *, is_thread: bool = False
) -> Float64Array:
    """CONTEXT_FEATURES of each line; shape (lines, features)."""
    chars = lines.chars.astype(np.float64)
    groups = plain_groups(lines.blocks)[lines.block]
    likely = 1 / (1 + np.exp(-scores))
    weight = np.sqrt(np.maximum(chars, _MIN_LINE_CHARS))
    features = np.empty((len(CONTEXT_FEATURES), len(scores)))
    features[0] = 1.0
    features[1] = scores
    features[2] = _around(likely, 1) / 2
    features[3] = _around(likely, 4) / 2
    for row, group in enumerate(groups):
        like = groups == group
        features[4:6, row] = np.average(likely[like], weights=weight[like]), likely[like].max()
    compact = "".join(title.split()).encode()
    texts = [re.sub(rb"[\0- ]", b"", text) for text in _texts(lines)]
    features[6] = [
        size >= _TITLE_CHARS and text in compact for size, text in zip(chars, texts, strict=True)
    ]
    features[7] = is_thread
    features[8:12] = features[[6, 1, 4, 5]] * is_thread
    features[12] = np.minimum(np.cumsum(likely) - likely, 4) / 4
    features[13] = _in_comments(lines.blocks)[lines.block]
    words, digits = plain_words(lines), plain_digits(lines)
    times = np.flatnonzero((chars <= _SHORT_CHARS) & ((digits >= 4) | (words & MOMENT != 0)))
    features[15] = [any(0 < abs(row - time) <= 2 for time in times) for row in range(len(chars))]
    features[[14, 16]] = features[[13, 15]] * is_thread
    features[17] = np.isin(np.arange(len(chars)), times)
    for row, group in enumerate(groups):
        like = groups == group
        features[18, row] = features[17, like].mean()
        features[19, row] = np.minimum(digits, chars)[like].sum() / chars[like].sum()
    rows = np.arange(len(chars))
    features[20] = np.minimum(rows[::-1], 10) / 10
    headings = (chars <= 20) & (words & ABOUT != 0)
    features[21] = [headings[max(row - 3, 0) : row].any() for row in rows]
    return features.T


def _in_comments(blocks: Blocks) -> Float64Array:
    """How near the blocks of comments around each block are."""
    own = kinds_of(blocks.values) >> KINDS.index("comment") & 1
    found = [0.0]
    for parent, value in zip(blocks.parents[1:].tolist(), own[1:].tolist(), strict=True):
        found.append(max(value, _INHERITED * found[parent]))
    return np.array(found)


def _around(values: Float64Array, reach: int) -> Float64Array:
    """The sum of the values of the neighbours of each row, as a share of those on one side."""
    padded = np.pad(values, reach)
    around = [
        padded[reach + step : len(padded) - reach + step] for step in range(-reach, reach + 1)
    ]
    return np.asarray((sum(around) - values) / reach)


def plain_groups(blocks: Blocks) -> npt.NDArray[np.int64]:
    """The first block that is like each block."""
    signatures = signatures_of(blocks.values).tolist()
    parents = blocks.parents.tolist()
    keys = [
        (signatures[block], signatures[parent], signatures[parents[parent]])
        for block, parent in enumerate(parents)
    ]
    return np.array([keys.index(key) for key in keys])


def block_features(lines: Lines) -> Float64Array:
    """What the blocks around each line say, by `KINDS`; shape (lines, kinds)."""
    kinds = np.arange(256)[None, :] >> np.arange(len(KINDS))[:, None] & 1
    values = [inherited(lines.blocks, kind) for kind in kinds.astype(np.float64)]
    return np.stack([value[lines.block] for value in values], axis=1)


def plain_inherited(blocks: Blocks, value_of_kinds: Float64Array) -> Float64Array:
    """What each block and, fading, those around it say."""
    own = value_of_kinds[kinds_of(blocks.values)].tolist()
    values = own[:1]
    for parent, value in zip(blocks.parents[1:].tolist(), own[1:], strict=True):
        values.append(value + _INHERITED * values[parent])
    return np.array(values)


def plain_runs(gains: Sequence[float]) -> list[tuple[int, int, float]]:
    """(first, end, sum) of all maximal scoring runs, in order."""
    # Of each candidate: first, end, sum before it, sum with it, the last one that began lower.
    found: list[tuple[int, int, float, float, int]] = []
    total = 0.0
    for row, gain in enumerate(gains):
        before, total = total, total + gain
        if gain <= 0:
            continue
        first, lower = row, len(found) - 1
        while True:
            while lower >= 0 and found[lower][2] >= before:
                lower = found[lower][4]
            if lower < 0 or found[lower][3] >= total:
                break
            first, _, before, _, next_lower = found[lower]
            del found[lower:]
            lower = next_lower
        found.append((first, row + 1, before, total, lower))
    return [(first, end, total - before) for first, end, before, total, _ in found]


def plain_words(lines: Lines) -> npt.NDArray[np.int64]:
    """The bits of the words that begin near the beginning of each line."""
    words = [(word.encode(), bits) for word, bits in bits_of_words().items()]
    found = np.zeros(len(lines), dtype=np.int64)
    for row, text in enumerate(_texts(lines)):
        for word, bits in words:
            found[row] |= bits * (-1 < text.find(word) < _FRAME_BYTES)
    return found


def plain_digits(lines: Lines) -> npt.NDArray[np.int64]:
    """The digits near the beginning of each line."""
    return np.array([len(re.findall(rb"[0-9]", text[:_FRAME_BYTES])) for text in _texts(lines)])


def plain_copies(lines: Lines) -> npt.NDArray[np.int64]:
    """The other short lines with the same characters, digits being equal."""
    keys = [
        re.sub("[\0- \U00010000-\U0010ffff]", "", re.sub("[0-9]", "0", text.decode()))
        if chars <= _SHORT_CHARS and len(text) <= _FRAME_BYTES
        else number
        for number, (text, chars) in enumerate(zip(_texts(lines), lines.chars, strict=True))
    ]
    counts = Counter(keys)
    return np.array([counts[key] - 1 for key in keys])


def _texts(lines: Lines) -> list[bytes]:
    return [lines.page[start:end] for start, end in zip(lines.starts, lines.ends, strict=True)]
