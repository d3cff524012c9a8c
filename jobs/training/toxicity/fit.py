"""Fitting the toxicity model: a regression on words, with a threshold for windows. No Spark.

Beside it n-gram models of harmful and of plain text are asked (udfs/scorers/perplexity.py), whose
answer raises the score; where scores begin is found with them, by n-grams that were counted without
the documents in question.

fastText takes the mean of the weights of a line's tokens. Lines of social media have twenty
different words, pages hundreds, and a mean of many is small whatever they say; so a text is judged
by its worst window, here as in udfs/scorers/toxicity.py. The regression itself takes the sum of a
whole text's weights over the root of their number, which has the mean's sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import Floats, Numbers, SparseRows, fit_logistic_by_rows
from jobs.training.common.task import Found, Settings
from jobs.training.toxicity.perplexity_fit import (
    CLEAN,
    HARMFUL,
    HARMFUL_FILE,
    OTHER,
    PLAIN_FILE,
    NGramRecipe,
    estimated,
)
from jobs.training.toxicity.word_space import WordSpace
from udfs.models.char_lm import CharLanguageModel
from udfs.models.char_lm_file import compact_bytes, read_compact
from udfs.scorers.perplexity import perplexities
from udfs.scorers.spans import texts_and_windows
from udfs.scorers.toxicity import (
    BENIGN,
    HARMFUL_WEIGHT,
    MIN_LABEL_SCORE,
    MOST_BY_PERPLEXITY,
    MOST_LIKELIER,
    TOXIC,
    WINDOW_TOKENS,
    discounted_share,
    likelier,
)
from udfs.tokens.tokens import tokens_of_lines

Bools = npt.NDArray[np.bool_]

LINES, PAGES, CURATED = "lines", "crawl", "curated"
"""Kinds of documents: of social media, whole pages of a crawl, and edited texts."""
PLAIN_PAGES = "html"
"""Whole pages that only the n-grams of plain text are counted of."""

NGramFiles = tuple[bytes, bytes]
"""The compact files of the models of harmful and of plain text."""

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
        """The windows that udfs/scorers/toxicity.py looks through by default."""
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
    toxic; one of `MIN_LABEL_SCORE` is passed by so many clean pages at most. What perplexity adds
    is taken from pages again by a discount for each further window, so that 0.5 stays what it is.
    All that is taken from documents that the weights of an inner fold were not fitted on, nor its
    n-grams counted of. The n-gram models of all documents are put beside the file. The weights stay
    numbers of four bytes: one byte each cost 0.003 of the lines' F1.

    Args:
        documents: Of the kinds above. Their note says what the n-grams of a page, or of an edited
            text, are counted for: `HARMFUL`, `CLEAN`, or of any other note for nothing.
        path: The fastText file.
    Returns:
        Offsets, slope, and numbers of documents and tokens.
    """
    examples = [d for d in documents if d.line and d.kind != PLAIN_PAGES]
    plain_pages = [d for d in documents if d.kind == PLAIN_PAGES]
    lines = [example.line for example in examples]
    space = WordSpace.of(lines, recipe.min_lines)
    rows, windows = space.rows(tokens_of_lines(lines)), Windows.of(lines, space)
    folds = fold_of_units(examples, recipe.inner_folds)
    fold_of = np.array([folds[example.unit] for example in examples])
    means = np.zeros(len(windows.owners))
    gains = np.zeros(len(examples))
    for fold in range(recipe.inner_folds):
        inside = np.flatnonzero(fold_of != fold)
        weights = token_weights(rows.picked(inside), [examples[at] for at in inside], recipe)
        held = fold_of[windows.owners] == fold
        means[held] = (windows.rows.dot(weights) / windows.sizes)[held]
        ngrams = ngram_files([*(examples[at] for at in inside), *plain_pages])
        asked = np.flatnonzero(fold_of == fold)
        gains[asked] = likelier_in_harmful([examples[at].text for at in asked], ngrams)
    per_token, per_line = offsets(windows, means, examples)
    means += per_token + per_line / windows.sizes
    slope = slope_to_label(windows, means, examples, recipe.most_false_alarms)
    discount = window_discount(windows, slope * means, HARMFUL_WEIGHT * gains, examples)
    if (ngrams := ngram_files([*examples, *plain_pages])) is not None:
        for name, content in zip((HARMFUL_FILE, PLAIN_FILE), ngrams, strict=True):
            path.with_name(name).write_bytes(content)
    weights = token_weights(rows, examples, recipe) + per_token
    weights[-1] += per_line
    half = slope * weights[:, np.newaxis] / 2
    output = np.array([[-1.0], [1.0]])
    write_linear_model(path, space.words, (BENIGN, TOXIC), half, output, quantised=False)
    return {
        "offset_of_a_token": round(per_token, 4),
        "offset_of_a_line": round(per_line, 4),
        "slope": round(slope, 4),
        "window_discount": round(discount, 4),
        "harmful_weight": HARMFUL_WEIGHT,
        "most_likelier": MOST_LIKELIER,
        "most_by_perplexity": MOST_BY_PERPLEXITY,
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


def ngram_files(documents: Sequence[Document]) -> NGramFiles | None:
    """n-grams of what the notes of documents call harmful and clean; None without the former."""
    noted = [replace(d, labels=(d.note,)) for d in documents if d.note in (HARMFUL, CLEAN, OTHER)]
    if not any(d.labels[0] == HARMFUL for d in noted):
        return None
    harmful, plain = estimated(noted, NGramRecipe())
    return compact_bytes(harmful), compact_bytes(plain)


def likelier_in_harmful(texts: Sequence[str], ngrams: NGramFiles | None) -> Floats:
    """How much likelier texts are in harmful text, as `udfs.scorers.toxicity.likelier` has it.
    Without models nothing is. Shape (texts,)."""
    if ngrams is None:
        return np.zeros(len(texts))
    harmful, plain = (CharLanguageModel(read_compact(content, "a model")) for content in ngrams)
    return np.array([likelier(value) for value in perplexities(texts, harmful, plain).tolist()])


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


def window_discount(
    windows: Windows, logits: Floats, gains: Floats, examples: Sequence[Document]
) -> float:
    """What a text's log odds are lowered by, for each natural logarithm of the number of its
    windows, so that as many pages are likely to be toxic as are; never less than 0.

    Args:
        logits: Of the windows.
        gains: What perplexity adds to each example's.
    """
    is_page = np.array([example.kind == PAGES for example in examples])
    toxic = sum(e.kind == PAGES and e.labels[0] == TOXIC for e in examples)
    counts = np.bincount(windows.owners, minlength=len(examples))
    worst = logits[windows.worst(logits)][is_page]
    judged = worst + gains[is_page]
    logarithms = np.log(counts[is_page]) * discounted_share(worst)
    # Up to which discount a page stays above 0; one of a single window is never lowered.
    enough = np.where(judged > 0, np.inf, -np.inf)
    np.divide(judged, logarithms, out=enough, where=logarithms > 0)
    falling = np.sort(enough)[::-1]
    if not 0 < toxic < len(falling) or not np.isfinite(falling[toxic - 1 : toxic + 1]).all():
        return 0.0
    return max(0.0, float(falling[toxic - 1] + falling[toxic]) / 2)


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
