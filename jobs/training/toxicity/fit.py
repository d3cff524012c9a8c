"""Fit the toxicity model: a regression on words whose scores are calibrated on windows.

Language models of harmful and of plain text (udfs/scorers/perplexity.py) raise the score. The
calibration includes them, estimated without the documents that it is fitted on.

fastText takes the mean of the weights of a line's tokens. Lines of social media have twenty
distinct words, pages hundreds, and the mean of many words is small whatever they are; so a text is
scored by its worst window, here as in udfs/scorers/toxicity.py. The regression itself takes the sum
of a text's weights divided by the root of their number, which has the mean's sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import SparseRows, fit_logistic_by_rows
from jobs.training.common.task import Found, Settings
from jobs.training.toxicity.made import MADE
from jobs.training.toxicity.perplexity_fit import (
    CLEAN,
    HARMFUL,
    HARMFUL_FILE,
    OTHER,
    PLAIN_FILE,
    LanguageModelRecipe,
    estimated,
)
from jobs.training.toxicity.word_space import WordSpace
from udfs.base.array_types import BoolArray, Float64Array, Int64Array
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

LINES, PAGES, CURATED = "lines", "crawl", "curated"
"""Kinds of documents: lines of social media, whole pages of a crawl, and edited texts; that of made
messages is `jobs.training.toxicity.made.MADE`."""
PLAIN_PAGES = "html"
"""Kind of whole pages that train only the language model of plain text."""

LanguageModelFiles = tuple[bytes, bytes]
"""Compact files of the language models of harmful and of plain text."""

_LEAST_LIMIT = 0.01
"""Lower bound of the limit of clean pages, which bounds the slope."""


@dataclass(frozen=True, kw_only=True)
class ToxicityRecipe(Settings):
    """Settings of the fit."""

    inner_folds: int = 3
    """Folds of the training documents that offsets, slope and discount are fitted on."""
    strength: float = 4.0
    """Strength of `fit_logistic_by_rows`."""
    passes: int = 12
    """Passes of `fit_logistic_by_rows`."""
    page_weight: float = 16.0
    """Weight of a page's loss; that of a line is 1."""
    curated_weight: float = 3.0
    """Weight of an edited text's loss."""
    made_weight: float = 1.0
    """Weight of a made message's loss in the model of short texts."""
    page_count: float = 4.0
    """Lines that a page or an edited text counts as where words are counted by class."""
    min_lines: int = 3
    """Fewest training documents of a word that gets a weight."""
    end_scale: float = 5.0
    """Scale of the end of a line."""
    length_scale: float = 0.06
    """Scale of the number of words."""
    most_false_alarms: float = 0.005
    """Share of clean pages of the inner folds that may reach `MIN_LABEL_SCORE`: half of the 1 % of
    errors that label 1 may have, as so few pages are a rough estimate."""
    most_short_false_alarms: float = 0.01
    """Share of benign lines and ordinary messages of the inner folds that may reach it."""


@dataclass(frozen=True)
class Windows:
    """The windows that texts are scored by; a short text is one window."""

    rows: SparseRows
    owners: Int64Array
    """The text of each window, ascending; every text has a window."""

    @classmethod
    def of(cls, lines: Sequence[str], space: WordSpace) -> Windows:
        """Return the windows that the scorer uses by default."""
        tokens = tokens_of_lines(lines)
        spans, bounds = texts_and_windows(tokens.bounds, WINDOW_TOKENS)
        counts = np.diff(bounds)
        owners = np.repeat(np.arange(len(lines)), counts)
        is_window = np.ones(len(spans), dtype=np.bool_)
        is_window[bounds[:-1][counts > 1]] = False
        return cls(space.rows(tokens, spans[is_window]), owners[is_window])

    @property
    def sizes(self) -> Int64Array:
        """Number of known tokens of each window."""
        return np.diff(self.rows.bounds)

    def worst(self, means: Float64Array) -> Int64Array:
        """Return the window with the highest mean of each text, (texts,)."""
        order = np.lexsort((-means, self.owners))
        places: Int64Array = order[np.searchsorted(self.owners, np.unique(self.owners))]
        return places


def fit_toxicity(documents: Sequence[Document], path: Path, recipe: ToxicityRecipe) -> Found:
    """Fit the model to documents and write it, with its language models beside it.

    At a score of 0.5 the number of lines above equals that of toxic lines, and likewise for pages
    by their worst window; at most `most_false_alarms` of the clean pages reach `MIN_LABEL_SCORE`. A
    discount for each further window compensates what perplexity adds to pages, which keeps the
    meaning of 0.5. Both are fitted on documents that the model of their inner fold, and its
    language models, were not trained on. Weights are stored in four bytes: one byte each costs
    0.003 of the lines' F1.

    Args:
        documents: Of the kinds above, each labelled `TOXIC` or `BENIGN`; made messages are left out
            (`jobs.training.toxicity.short_fit` learns them). The note of a page or an edited text
            says which language model it trains: `HARMFUL`, `CLEAN`; any other note means none.
        path: The fastText file.
    Returns:
        Offsets, slope, discount, and numbers of documents and tokens.
    """
    examples = [d for d in documents if d.line and d.kind not in (PLAIN_PAGES, MADE)]
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
        files = language_model_files([*(examples[at] for at in inside), *plain_pages])
        asked = np.flatnonzero(fold_of == fold)
        gains[asked] = likelier_in_harmful([examples[at].text for at in asked], files)
    per_token, per_line = offsets(windows, means, examples)
    means += per_token + per_line / windows.sizes
    slope = slope_to_label(windows, means, examples, recipe.most_false_alarms)
    discount = window_discount(windows, slope * means, HARMFUL_WEIGHT * gains, examples)
    if (files := language_model_files([*examples, *plain_pages])) is not None:
        for name, content in zip((HARMFUL_FILE, PLAIN_FILE), files, strict=True):
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


def is_toxic(document: Document) -> bool:
    """Whether a document is an example of toxic text."""
    return TOXIC in document.labels


def token_weights(
    rows: SparseRows, examples: Sequence[Document], recipe: ToxicityRecipe
) -> Float64Array:
    """Fit the weight of each known token, the end of a line last, (tokens,).

    Source:
        Wang, Manning 2012: Baselines and bigrams (NB-SVM), for the scales of the words.
    """
    truth = np.array([is_toxic(example) for example in examples])
    is_short = np.array([example.kind in (LINES, MADE) for example in examples])
    counts = np.where(is_short, 1.0, recipe.page_count)
    toxic, benign = (
        rows.transposed_dot(np.where(side, counts, 0.0)) + 1 for side in (truth, ~truth)
    )
    scales = np.log(toxic / toxic.sum()) - np.log(benign / benign.sum())
    scales[-1] = recipe.end_scale
    sizes = np.diff(rows.bounds)
    # A last column for the number of tokens.
    ends = rows.bounds[1:]
    counted = SparseRows(
        rows.bounds + np.arange(len(rows) + 1),
        np.insert(rows.columns, ends, rows.width),
        np.insert(rows.values, ends, sizes),
        rows.width + 1,
    )
    scales = np.append(scales, recipe.length_scale)
    weight_of = {LINES: 1.0, MADE: recipe.made_weight, CURATED: recipe.curated_weight}
    weights = np.array([weight_of.get(d.kind, recipe.page_weight) for d in examples])
    fitted = fit_logistic_by_rows(
        counted.scaled(1 / np.sqrt(sizes), scales), truth, weights, recipe.strength,
        recipe.passes, recipe.seed,
    )  # fmt: skip
    scaled = fitted * scales
    added: Float64Array = scaled[:-1] + scaled[-1]
    return added


def language_model_files(documents: Sequence[Document]) -> LanguageModelFiles | None:
    """Estimate the language models from documents by their notes; None without harmful ones."""
    noted = [replace(d, labels=(d.note,)) for d in documents if d.note in (HARMFUL, CLEAN, OTHER)]
    if not any(d.labels[0] == HARMFUL for d in noted):
        return None
    harmful, plain = estimated(noted, LanguageModelRecipe())
    return compact_bytes(harmful), compact_bytes(plain)


def likelier_in_harmful(texts: Sequence[str], files: LanguageModelFiles | None) -> Float64Array:
    """Compute `udfs.scorers.toxicity.likelier` of texts, (texts,); zeros without models."""
    if files is None:
        return np.zeros(len(texts))
    harmful, plain = (CharLanguageModel(read_compact(content, "a model")) for content in files)
    return np.array([likelier(value) for value in perplexities(texts, harmful, plain).tolist()])


def offsets(
    windows: Windows, means: Float64Array, examples: Sequence[Document]
) -> tuple[float, float]:
    """Return the offsets for each token and for each line that move the `even_threshold` of lines
    and of pages, whose worst windows have more tokens, to 0."""
    worst = windows.worst(means)
    truth = np.array([is_toxic(example) for example in examples])
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
    windows: Windows, logits: Float64Array, gains: Float64Array, examples: Sequence[Document]
) -> float:
    """Fit the discount of a text's log odds, a factor of the natural logarithm of its windows.

    With it the number of pages above 0 equals that of toxic pages.

    Args:
        logits: Logits of the windows.
        gains: What perplexity adds to the log odds of each example.
    Returns:
        At least 0.
    """
    is_page = np.array([example.kind == PAGES for example in examples])
    toxic = sum(e.kind == PAGES and is_toxic(e) for e in examples)
    counts = np.bincount(windows.owners, minlength=len(examples))
    worst = logits[windows.worst(logits)][is_page]
    judged = worst + gains[is_page]
    logarithms = np.log(counts[is_page]) * discounted_share(worst)
    # The discount up to which a page stays above 0; a page of one window is not discounted.
    enough = np.where(judged > 0, np.inf, -np.inf)
    np.divide(judged, logarithms, out=enough, where=logarithms > 0)
    falling = np.sort(enough)[::-1]
    if not 0 < toxic < len(falling) or not np.isfinite(falling[toxic - 1 : toxic + 1]).all():
        return 0.0
    return max(0.0, float(falling[toxic - 1] + falling[toxic]) / 2)


def even_threshold(scores: Float64Array, truth: BoolArray) -> float:
    """Return the threshold with as many scores above it as are true.

    Precision equals recall there, and F1 is near its maximum, whose exact place on the flat curve
    depends on chance.
    """
    falling = np.sort(scores)[::-1]
    last = int(truth.sum()) - 1
    return float(falling[last] + falling[min(last + 1, len(falling) - 1)]) / 2


def slope_to_label(
    windows: Windows, means: Float64Array, examples: Sequence[Document], most: float
) -> float:
    """Return the slope with which at most this share of clean pages reaches `MIN_LABEL_SCORE`."""
    is_clean_page = np.array([e.kind == PAGES and not is_toxic(e) for e in examples])
    scores = np.sort(means[windows.worst(means)[is_clean_page]])[::-1]
    limit = float(scores[int(most * len(scores))]) if len(scores) else 0.0
    return float(np.log(MIN_LABEL_SCORE / (1 - MIN_LABEL_SCORE))) / max(limit, _LEAST_LIMIT)
