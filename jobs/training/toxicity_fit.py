"""Fitting the toxicity model: a regression on words, with a threshold for windows. No Spark.

fastText takes the mean of the weights of a line's tokens. Lines of social media have twenty
different words, pages hundreds, and a mean of many is small whatever they say; so a text is judged
by its worst window, here as in udfs/toxicity.py. The regression itself takes the sum of a whole
text's weights over the root of their number, which has the mean's sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.training.domain_fit import picked
from jobs.training.examples import Document, fold_of_units
from jobs.training.fasttext_writer import write_linear_model
from jobs.training.line_features import WordSpace
from jobs.training.linear import Floats, Numbers, SparseRows, fit_logistic_by_rows
from jobs.training.task import Found, Settings
from udfs.tokens import tokens_of_lines
from udfs.toxicity import BENIGN, MIN_LABEL_SCORE, TOXIC, WINDOW_TOKENS
from udfs.windows import texts_and_windows

Bools = npt.NDArray[np.bool_]

LINES, PAGES, CURATED = "lines", "crawl", "curated"
"""Kinds of documents: of social media, whole pages of a crawl, and edited texts."""

_LEAST_LIMIT = 0.01
"""Where clean pages end, at least: without any above 0 the slope would have no bound."""


@dataclass(frozen=True, kw_only=True)
class ToxicityRecipe(Settings):
    """How the model is fitted."""

    inner_folds: int = 3
    """Folds of the training documents that offsets and slope come from."""
    strength: float = 4.0
    """Of the regression, as `fit_logistic_by_rows` has it."""
    passes: int = 12
    page_weight: float = 16.0
    """What a page counts; a line counts 1."""
    curated_weight: float = 3.0
    page_count: float = 4.0
    """How many lines a page or an edited text is where words are counted by class."""
    min_lines: int = 3
    """Fewest training documents of a word that gets a weight."""
    end_scale: float = 5.0
    length_scale: float = 0.06
    """How easily the end of a line, and each of its words as such, take weight."""
    most_false_alarms: float = 0.005
    """Share of clean pages of the inner folds that pass `MIN_LABEL_SCORE`: half of the one in a
    hundred that label 1 may be wrong of, as those few say little of others."""


@dataclass(frozen=True)
class Windows:
    """What texts are judged by: the windows of long ones, and short ones whole."""

    rows: SparseRows
    owners: Numbers
    """The text of each, ascending; every text has one."""

    @classmethod
    def of(cls, lines: Sequence[str], space: WordSpace) -> Windows:
        """The windows that udfs/toxicity.py looks through by default."""
        tokens = tokens_of_lines(lines)
        spans, bounds = texts_and_windows(tokens.bounds, WINDOW_TOKENS)
        counts = np.diff(bounds)
        owners = np.repeat(np.arange(len(lines)), counts)
        is_window = np.ones(len(spans), dtype=np.bool_)
        is_window[bounds[:-1][counts > 1]] = False
        return cls(space.rows(tokens, spans[is_window]), owners[is_window])

    @property
    def sizes(self) -> Numbers:
        """The known tokens of each."""
        return np.diff(self.rows.bounds)

    def worst(self, means: Floats) -> Numbers:
        """The place of each text's highest mean."""
        order = np.lexsort((-means, self.owners))
        places: Numbers = order[np.searchsorted(self.owners, np.unique(self.owners))]
        return places


def fit_toxicity(documents: Sequence[Document], path: Path, recipe: ToxicityRecipe) -> Found:
    """Fit the model to some documents and write it.

    A score of 0.5 is where as many lines, and as many pages by their worst window, are above as are
    toxic; one of `MIN_LABEL_SCORE` is passed by so many clean pages at most. Both are taken from
    documents that the weights of an inner fold were not fitted on. The weights stay numbers of
    four bytes: one byte each cost 0.003 of the lines' F1.

    Args:
        documents: Of the kinds above.
        path: The fastText file.
    Returns:
        Offsets, slope, and numbers of documents and tokens.
    """
    examples = [document for document in documents if document.line]
    lines = [example.line for example in examples]
    space = WordSpace.of(lines, recipe.min_lines)
    rows, windows = space.rows(tokens_of_lines(lines)), Windows.of(lines, space)
    folds = fold_of_units(examples, recipe.inner_folds)
    fold_of = np.array([folds[example.unit] for example in examples])
    means = np.zeros(len(windows.owners))
    for fold in range(recipe.inner_folds):
        inside = np.flatnonzero(fold_of != fold)
        weights = token_weights(picked(rows, inside), [examples[at] for at in inside], recipe)
        held = fold_of[windows.owners] == fold
        means[held] = (windows.rows.dot(weights) / windows.sizes)[held]
    per_token, per_line = offsets(windows, means, examples)
    means += per_token + per_line / windows.sizes
    slope = slope_to_label(windows, means, examples, recipe.most_false_alarms)
    weights = token_weights(rows, examples, recipe) + per_token
    weights[-1] += per_line
    half = slope * weights[:, np.newaxis] / 2
    output = np.array([[-1.0], [1.0]])
    write_linear_model(path, space.words, (BENIGN, TOXIC), half, output, quantised=False)
    return {
        "offset_of_a_token": round(per_token, 4),
        "offset_of_a_line": round(per_line, 4),
        "slope": round(slope, 4),
        "documents": len(examples),
        "tokens": len(space.words),
    }


def token_weights(rows: SparseRows, examples: Sequence[Document], recipe: ToxicityRecipe) -> Floats:
    """What each known token of a line, the last one its end, adds to the sum that is judged.

    Source:
        Wang, Manning 2012: Baselines and bigrams (NB-SVM), for the scales of the words.
    """
    truth = np.array([example.labels[0] == TOXIC for example in examples])
    is_line = np.array([example.kind == LINES for example in examples])
    is_curated = np.array([example.kind == CURATED for example in examples])
    counts = np.where(is_line, 1.0, recipe.page_count)
    toxic, benign = (
        rows.transposed_dot(np.where(side, counts, 0.0)) + 1 for side in (truth, ~truth)
    )
    scales = np.log(toxic / toxic.sum()) - np.log(benign / benign.sum())
    scales[-1] = recipe.end_scale
    sizes = np.diff(rows.bounds)
    # The last column is how many tokens there are.
    ends = rows.bounds[1:]
    counted = SparseRows(
        rows.bounds + np.arange(len(rows) + 1),
        np.insert(rows.columns, ends, rows.width),
        np.insert(rows.values, ends, sizes),
        rows.width + 1,
    )
    scales = np.append(scales, recipe.length_scale)
    weights = np.where(
        is_line, 1.0, np.where(is_curated, recipe.curated_weight, recipe.page_weight)
    )
    fitted = fit_logistic_by_rows(
        counted.scaled(1 / np.sqrt(sizes), scales), truth, weights, recipe.strength,
        recipe.passes, recipe.seed,
    )  # fmt: skip
    scaled = fitted * scales
    added: Floats = scaled[:-1] + scaled[-1]
    return added


def offsets(windows: Windows, means: Floats, examples: Sequence[Document]) -> tuple[float, float]:
    """What to add for each token, and once a line, so that 0 is the `even_threshold` of lines and
    of pages, whose worst windows have more tokens."""
    worst = windows.worst(means)
    truth = np.array([example.labels[0] == TOXIC for example in examples])
    shares, thresholds = [], []
    for kind in (LINES, PAGES):
        chosen = np.array([example.kind == kind for example in examples])
        if (truth & chosen).any():
            shares.append(1 / float(np.median(windows.sizes[worst[chosen]])))
            thresholds.append(even_threshold(means[worst[chosen]], truth[chosen]))
    if len(shares) < 2 or shares[0] == shares[1]:
        return -float(np.mean(thresholds)), 0.0
    per_line = (thresholds[1] - thresholds[0]) / (shares[0] - shares[1])
    return -thresholds[0] - per_line * shares[0], per_line


def even_threshold(scores: Floats, truth: Bools) -> float:
    """From where on as many are taken as are true: precision is recall there, and F1 near its best,
    whose own place in so flat a curve is chance."""
    falling = np.sort(scores)[::-1]
    last = int(truth.sum()) - 1
    return float(falling[last] + falling[min(last + 1, len(falling) - 1)]) / 2


def slope_to_label(
    windows: Windows, means: Floats, examples: Sequence[Document], most: float
) -> float:
    """The slope after which so many clean pages at most score `MIN_LABEL_SCORE`."""
    is_clean_page = np.array([e.kind == PAGES and e.labels[0] == BENIGN for e in examples])
    scores = np.sort(means[windows.worst(means)[is_clean_page]])[::-1]
    limit = float(scores[int(most * len(scores))]) if len(scores) else 0.0
    return float(np.log(MIN_LABEL_SCORE / (1 - MIN_LABEL_SCORE))) / max(limit, _LEAST_LIMIT)
