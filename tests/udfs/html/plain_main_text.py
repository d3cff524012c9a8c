"""What ``udfs.html.main_text`` computes of lines, in numpy and plain Python.

It is the twin of the compiled loops there, and shares with them the model and the words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float64Array
from udfs.html.class_words import KINDS
from udfs.html.main_text import _FRAME_WORDS, LINE_FEATURES, LineModel, inherited
from udfs.html.page_lines import Blocks, Lines

_REACH = 3
_AROUND = np.array([1, 1, 1, 0, 1, 1, 1]) / _REACH
_INHERITED = 0.7
_MIN_LINE_CHARS = 8
_PROSE_CHARS = 200
_FRAME_BYTES = 600


def plain_rows(lines: Lines, probability: Float64Array, model: LineModel) -> list[int]:
    """Indices of the lines of the main text of a page with lines."""
    likeliest = int(probability.argmax())
    if probability[likeliest] < model.not_text:
        # No line looks like prose: a list of goods, a portal. Keep all but the navigation.
        return np.flatnonzero(lines.link_chars < lines.chars / 2).tolist() or [likeliest]
    weight = np.maximum(lines.chars, _MIN_LINE_CHARS) ** 0.5
    threshold = model.threshold * probability[likeliest]
    runs = plain_runs(((probability - threshold) * weight).tolist())
    least = model.other_run * max(total for _, _, total in runs)
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
    features = np.empty((len(LINE_FEATURES), len(chars)))
    features[0] = 1.0
    features[1] = links
    features[2] = punctuated
    features[3] = np.minimum(lines.punctuation, 8) / 8
    features[4] = plain_frame_words(lines)
    features[5] = lines.paragraph
    features[6] = lines.item
    prose = np.minimum(chars, _PROSE_CHARS) / _PROSE_CHARS * (1 - links) * punctuated
    features[7] = np.convolve(prose, _AROUND)[_REACH:-_REACH]
    features[8] = np.convolve(links, _AROUND)[_REACH:-_REACH]
    return features.T


def block_features(lines: Lines) -> Float64Array:
    """What the blocks around each line say, by `KINDS`; shape (lines, kinds)."""
    kinds = np.arange(256)[None, :] >> np.arange(len(KINDS))[:, None] & 1
    values = [inherited(lines.blocks, kind) for kind in kinds.astype(np.float64)]
    return np.stack([value[lines.block] for value in values], axis=1)


def plain_inherited(blocks: Blocks, value_of_kinds: Float64Array) -> Float64Array:
    """What each block and, fading, those around it say."""
    own = value_of_kinds[blocks.kinds].tolist()
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


def plain_frame_words(lines: Lines) -> npt.NDArray[np.bool_]:
    """The lines with a frame word that begins near their beginning."""
    words = [word.encode() for word in _FRAME_WORDS.split()]
    texts = [lines.page[start:end] for start, end in zip(lines.starts, lines.ends, strict=True)]
    return np.array([any(-1 < text.find(word) < _FRAME_BYTES for word in words) for text in texts])
