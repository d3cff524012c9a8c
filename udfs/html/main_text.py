"""The main text of a page: which of its lines belong to it.

A linear model gives every line of the visible text a score, by its length, links, punctuation,
words, neighbours, like lines, and the blocks around it; a second one gives it a probability, by
its score and the probabilities of its neighbours and like lines by theirs. The main text is the
runs of lines whose sum of (probability - threshold) is large, without their least likely lines.

Source:
    The runs are maximal scoring subsequences (Ruzzo and Tompa, ISMB 1999; for pages Pasternack and
    Roth, WWW 2009). Two models in a row are stacked generalization (Wolpert, 1992). Models and
    features are this project's, fitted by logistic regression on 87 Chinese pages with known text
    and on made pages: tests/bench/extraction_quality.py --fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from udfs.base.array_types import Float64Array, Int64Array
from udfs.base.jit import compiled
from udfs.html.class_words import KINDS, kinds_of
from udfs.html.line_features import (
    OWN_FEATURES,
    LineFacts,
    context_features,
    line_facts,
    line_features,
)
from udfs.html.page_kinds import KindShares, shares_of_kind
from udfs.html.page_lines import Blocks, Lines, lines_text
from udfs.html.page_listing import LISTING


@dataclass(frozen=True)
class LineModel:
    """Fitted weights and thresholds.

    Attributes:
        line_weights: In the order of `udfs.html.line_features.LINE_FEATURES`; of all, or of the
            first OWN_FEATURES alone.
        block_weights: In the order of `udfs.html.class_words.KINDS`.
        context_weights: In the order of `udfs.html.line_features.CONTEXT_FEATURES`; None where a
            line's score decides alone.
        threshold: Share of the most likely line's probability; lines above it increase a run's
            sum, lines below decrease it. Pages of code, tables or short lines have no likely line.
        lowered: By how much the threshold is lower on a page that is certainly an article or a
            chapter, and on one that is certainly a thread of posts; in proportion on others.
        not_text: A line inside a run is dropped when its probability is lower. When all lines'
            are, all lines are kept that are not mostly links.
        other_run: A further run is kept when its sum is at least this share of the best run's.
            Of pages that are likely of `udfs.html.page_kinds.SCATTERED` all runs are kept.
    """

    line_weights: Float64Array
    block_weights: Float64Array
    context_weights: Float64Array | None
    threshold: float
    lowered: tuple[float, float]
    not_text: float
    other_run: float

    @cached_property
    def value_of_kinds(self) -> Float64Array:
        """Shape (256,): what a block adds by the bits of its kinds."""
        return _kind_bits() @ self.block_weights


MODEL = LineModel(
    line_weights=np.array(
        [
            -0.60,  # constant
            -0.87,  # links
            1.04,  # has punctuation
            0.84,  # much punctuation
            -0.53,  # frame word
            0.73,  # paragraph
            -0.51,  # list item
            1.03,  # prose around
            -1.20,  # links around
        ]
    ),
    block_weights=np.array(
        [
            0.30,  # content
            -0.48,  # frame
            -0.30,  # side
            -0.55,  # related
            0.04,  # comment
            -0.57,  # tool
            -0.14,  # hidden
        ]
    ),
    context_weights=None,
    threshold=0.5,
    lowered=(0.0, 0.0),
    not_text=0.25,
    other_run=0.3,
)
"""The model of articles and chapters: by the lines themselves and their neighbours."""

OTHER_MODEL = LineModel(
    line_weights=np.array(
        [
            -1.86,  # constant
            -0.91,  # links
            1.41,  # has punctuation
            0.94,  # much punctuation
            -0.81,  # frame word
            0.22,  # paragraph
            -0.68,  # list item
            0.99,  # prose around
            -0.66,  # links around
            0.20,  # length
            -0.85,  # digits
            -0.29,  # copies
            -0.67,  # hint word
            1.10,  # prose of like lines
            -0.95,  # links of like lines
            0.85,  # number of like lines
        ]
    ),
    block_weights=np.array(
        [
            0.79,  # content
            -0.88,  # frame
            -0.28,  # side
            -0.58,  # related
            -0.51,  # comment
            -0.39,  # tool
            -0.08,  # hidden
        ]
    ),
    context_weights=np.array(
        [
            -1.23,  # constant
            0.92,  # score
            0.57,  # next lines
            0.48,  # lines around
            0.76,  # like lines
            0.55,  # likeliest like line
            0.50,  # in title
            0.57,  # thread
            0.39,  # thread: in title
            0.09,  # thread: score
            0.57,  # thread: like lines
            0.62,  # thread: likeliest like line
            -0.70,  # likely lines before
            -0.20,  # comment
            0.50,  # thread: comment
            -0.37,  # beside a time
            0.59,  # thread: beside a time
            -0.36,  # a time
            -0.45,  # times of like lines
            -0.46,  # digits of like lines
            0.56,  # lines after
            0.21,  # below a heading
        ]
    ),
    threshold=0.65,
    lowered=(0.1, 0.15),
    not_text=0.2,
    other_run=0.5,
)
"""The model of pages of all other kinds: by like lines and their probabilities, too."""

_INHERITED = 0.7  # share of a block's value that the blocks inside it inherit
_MIN_LINE_CHARS = 8  # shorter lines weigh as much in a run
_IS_PROSE, _IS_SCATTERED = 0.6, 0.35  # shares of kinds that decide
_REPEATED_BYTES = 150  # a line of at least this length that was kept before is a repetition


def main_text(
    lines: Lines,
    model: LineModel | None = None,
    facts: LineFacts | None = None,
    shares: KindShares | None = None,
) -> str:
    """Return the main text of a page, a line for each block; "" for a page without text.

    So is that of a portal or a list.

    A long line that is repeated is left out: pages have the same article again for telephones or
    for printing.

    Args:
        facts: Of the lines, where they are known.
        shares: How likely the page is of which kinds; None for an article.
    """
    facts = facts or line_facts(lines)
    shares = shares or shares_of_kind(None)
    if shares.listing > LISTING:
        return ""
    rows = main_rows(lines, facts, model or model_of(shares), shares)
    starts, ends = lines.starts[rows], lines.ends[rows]
    long = np.flatnonzero(ends - starts >= _REPEATED_BYTES)
    if len(long) > 1:
        seen: set[bytes] = set()
        again: list[int] = []
        for place, start, end in zip(
            long.tolist(), starts[long].tolist(), ends[long].tolist(), strict=True
        ):
            text = lines.page[start:end]
            if text in seen:
                again.append(place)
            seen.add(text)
        rows = np.delete(rows, again) if again else rows
    return lines_text(lines, rows)


def model_of(shares: KindShares) -> LineModel:
    """Return the model for pages that are so likely of which kinds."""
    return MODEL if shares.prose > _IS_PROSE else OTHER_MODEL


def main_rows(
    lines: Lines, facts: LineFacts, model: LineModel, shares: KindShares | None = None
) -> Int64Array:
    """Return the indices of the main text's lines, in order; at least one for a page with lines."""
    if not len(lines):
        return np.zeros(0, dtype=np.int64)
    shares = shares or shares_of_kind(None)
    of_prose, of_threads = model.lowered
    return _main_rows(
        line_probabilities(lines, facts, model, shares),
        lines.chars,
        lines.link_chars,
        float(model.threshold - of_prose * shares.prose - of_threads * shares.thread),
        float(model.not_text),
        0.0 if shares.scattered > _IS_SCATTERED else float(model.other_run),
    )


def line_probabilities(
    lines: Lines, facts: LineFacts, model: LineModel, shares: KindShares | None = None
) -> Float64Array:
    """Return the probability that each line is main text; shape (lines,), in [0, 1]."""
    scores = line_scores(lines, facts, model)
    if model.context_weights is None:
        return _probabilities(scores)
    thread = shares.thread if shares else 0.0
    return _context_probabilities(
        context_features(scores, lines, facts, thread), model.context_weights
    )


def line_scores(lines: Lines, facts: LineFacts, model: LineModel) -> Float64Array:
    """Return the score of each line by its own features and its blocks; shape (lines,)."""
    is_own = len(model.line_weights) == OWN_FEATURES
    return _scores(
        facts.features if is_own else line_features(lines, facts),
        model.line_weights,
        lines.block,
        lines.blocks.parents,
        kinds_of(lines.blocks.values),
        model.value_of_kinds,
    )


def inherited(blocks: Blocks, value_of_kinds: Float64Array) -> Float64Array:
    """Return the value of each block with what it inherits from those around it; shape (blocks,).

    Args:
        value_of_kinds: Shape (256,), by the bits of a block's kinds.
    """
    return _inherited(blocks.parents, kinds_of(blocks.values), value_of_kinds)


@compiled
def _main_rows(
    probability: Float64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    threshold: float,
    not_text: float,
    other_run: float,
) -> Int64Array:
    """Return the indices of the main text's lines of a page with lines; limits as in LineModel."""
    lines = len(chars)
    likeliest = probability.argmax()
    rows = np.empty(lines, dtype=np.int64)
    kept = 0
    if probability[likeliest] < not_text:
        # No line looks like prose: a list of goods, a portal. Keep all except the navigation.
        for row in range(lines):
            if link_chars[row] < chars[row] / 2:
                rows[kept] = row
                kept += 1
        if kept == 0:
            rows[0] = likeliest
            kept = 1
        return rows[:kept]
    threshold *= probability[likeliest]
    gains = np.empty(lines, dtype=np.float64)
    for row in range(lines):
        weight = math.sqrt(max(chars[row], _MIN_LINE_CHARS))
        gains[row] = (probability[row] - threshold) * weight
    firsts, ends, sums = scoring_runs(gains)
    least = other_run * sums.max()
    likely = min(not_text, threshold)
    for run in range(len(sums)):
        if sums[run] >= least:
            for row in range(firsts[run], ends[run]):
                if probability[row] >= likely:
                    rows[kept] = row
                    kept += 1
    return rows[:kept]


@compiled
def _scores(
    features: Float64Array,
    weights: Float64Array,
    block: Int64Array,
    parents: Int64Array,
    kinds: Int64Array,
    value_of_kinds: Float64Array,
) -> Float64Array:
    """The weighted sum of each line's features, and the value of its block."""
    value_of_blocks = _inherited(parents, kinds, value_of_kinds)
    scores = np.empty(len(block), dtype=np.float64)
    for row in range(len(block)):
        score = 0.0
        for feature in range(len(weights)):
            score += features[row, feature] * weights[feature]
        scores[row] = score + value_of_blocks[block[row]]
    return scores


@compiled
def _probabilities(scores: Float64Array) -> Float64Array:
    """The logistic function of each score."""
    probability = np.empty(len(scores), dtype=np.float64)
    for row in range(len(scores)):
        probability[row] = 1.0 / (1.0 + math.exp(-scores[row]))
    return probability


@compiled
def _context_probabilities(features: Float64Array, weights: Float64Array) -> Float64Array:
    """The logistic function of the weighted sum of each line's features."""
    scores = np.empty(len(features), dtype=np.float64)
    for row in range(len(features)):
        score = 0.0
        for feature in range(len(weights)):
            score += features[row, feature] * weights[feature]
        scores[row] = score
    return _probabilities(scores)


@compiled
def _inherited(
    parents: Int64Array, kinds: Int64Array, value_of_kinds: Float64Array
) -> Float64Array:
    """Return each block's own value plus a share of its parent's; parents come first."""
    values = np.empty(len(parents), dtype=np.float64)
    values[0] = value_of_kinds[kinds[0]]
    for block in range(1, len(parents)):
        values[block] = value_of_kinds[kinds[block]] + _INHERITED * values[parents[block]]
    return values


@compiled
def scoring_runs(gains: Float64Array) -> tuple[Int64Array, Int64Array, Float64Array]:
    """First, end and sum of each maximal scoring run, in order: three arrays, shape (runs,).

    Source:
        Ruzzo and Tompa (ISMB 1999), in linear time.
    """
    # Of each candidate: first, end, the last candidate before it that began lower; the sum of all
    # gains before it, and with it.
    firsts, ends, lowers = np.empty((3, len(gains)), dtype=np.int64)
    sums_before, sums_with = np.empty((2, len(gains)), dtype=np.float64)
    found = 0
    total = 0.0
    for row in range(len(gains)):
        before = total
        total += gains[row]
        if gains[row] <= 0:
            continue
        first, lower = row, found - 1
        while True:
            while lower >= 0 and sums_before[lower] >= before:
                lower = lowers[lower]
            if lower < 0 or sums_with[lower] >= total:
                break
            first, before = firsts[lower], sums_before[lower]
            found = lower
            lower = lowers[lower]
        firsts[found], ends[found], lowers[found] = first, row + 1, lower
        sums_before[found], sums_with[found] = before, total
        found += 1
    return firsts[:found], ends[:found], sums_with[:found] - sums_before[:found]


@cache
def _kind_bits() -> Float64Array:
    """Shape (256, kinds): the kinds of each pattern of bits."""
    return (np.arange(256)[:, None] >> np.arange(len(KINDS)) & 1).astype(np.float64)
