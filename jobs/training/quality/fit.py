"""Fit the quality model: a logistic regression, written as a fastText file.

The line of a text holds its distinct words, its shape and its title (udfs/tokens/shape_tokens.py).
fastText takes the mean of the weights of a line's tokens, and so does the regression. A shape token
encodes the buckets of two measures; each bucket adds a step to the one before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import Fitted, SparseRows, fit_logistic
from jobs.training.common.metrics import area_under_roc
from jobs.training.common.task import Found, Settings
from jobs.training.quality.made_pages import LabelledPage, MadePage, made_pages
from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.scorers import quality
from udfs.tokens.segment import MAX_CHARS, STOP_WORDS
from udfs.tokens.shape_measures import NAMES
from udfs.tokens.shape_tokens import BUCKETS, all_shape_tokens
from udfs.tokens.tokenizer import token_lines


@dataclass(frozen=True, kw_only=True)
class QualityRecipe(Settings):
    """Settings of the fit."""

    folds: int = 10
    inner_folds: int = 4
    """Folds of the training pages that choose strength and calibration."""
    strengths: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2)
    """Strengths of `fit_logistic` that the inner folds choose from."""
    min_lines: int = 5
    """Fewest training lines of a word or title pair that gets a weight."""
    made_weight: float = 0.3
    """Weight of a made page; a real one weighs the square root of its number of copies."""
    word_scale: float = 250.0
    """Scale of word and title tokens: the larger, the less the penalty holds their weights back."""
    shape_scale: float = 80.0
    """Scale of shape tokens."""


SPAM_NOTES = frozenset({"seo_spam", "seo-spam", "gambling", "porn", "video"})
"""Values of the field "kind" of read pages that are there to lead readers elsewhere."""


@dataclass(frozen=True)
class TrainingLine:
    """A training line."""

    line: str
    is_clean: bool
    weight: float
    unit: str
    is_page: bool
    """Whether it is a page of the crawl: those choose strength and calibration."""

    @cached_property
    def counts(self) -> Counter[str]:
        """Occurrences of each token."""
        return Counter(self.line.split())


def fit_quality(documents: Sequence[Document], path: Path, recipe: QualityRecipe) -> Found:
    """Fit the model to documents and write it.

    Args:
        documents: With their texts. Kinds "read" and "picked" are pages of the crawl, "html" whole
            pages of news sites and forums, "curated" the source of the prose of made pages; other
            kinds are ignored.
        path: The fastText file.
    Returns:
        What the inner folds chose, and numbers of examples and tokens.
    """
    examples = training_examples(documents, recipe)
    fitted = fit_lines(examples, *page_judge(examples), recipe)
    fitted.write(path)
    return {
        "strength": fitted.strength,
        "calibration_slope": round(fitted.slope, 4),
        "calibration_offset": round(fitted.offset, 4),
        "made_pages": sum(example.weight < 1 for example in examples),
        "tokens": len(fitted.words),
        "max_chars": MAX_CHARS,
        "stop_words": len(STOP_WORDS),
    }


@dataclass(frozen=True)
class FittedLines:
    """A regression on lines whose strength and calibration the inner folds chose."""

    strength: float
    slope: float
    offset: float
    """Calibration: slope * logit + offset is the log odds of clean."""
    words: list[str]
    weights: Float64Array
    """What each word adds to the mean that is the uncalibrated logit, the bias included."""

    def write(self, path: Path) -> None:
        """Write the calibrated model as a fastText file."""
        half = (self.slope * self.weights + self.offset)[:, np.newaxis] / 2
        labels = (quality.CLEAN, quality.DIRTY)
        write_linear_model(path, self.words, labels, half, np.array([[1.0], [-1.0]]))


def fit_lines(
    examples: Sequence[TrainingLine],
    targets: Float64Array,
    is_judged: BoolArray,
    goodness: Callable[[Float64Array], float],
    recipe: QualityRecipe,
) -> FittedLines:
    """Choose strength and calibration on inner folds, then fit all examples.

    Args:
        examples: Those of a unit are held out together.
        targets: The probability of clean of each example; with any strictly between 0 and 1 every
            example is learnt twice, as clean and as junk, weighted by its target.
        is_judged: The examples that strength and calibration are chosen on.
        goodness: Rates the held-out logits of the judged examples; the largest value wins.
    """
    folds = fold_of_examples(examples, recipe.inner_folds)
    held_out = {strength: np.zeros(len(examples)) for strength in recipe.strengths}
    for fold in range(recipe.inner_folds):
        held = folds == fold
        trained = [example for example, out in zip(examples, held, strict=True) if not out]
        space = LineSpace.of(trained, recipe)
        fit_strength = _fitter(space, trained, targets[~held])
        asked = space.rows([e for e, out in zip(examples, held, strict=True) if out])
        for strength in recipe.strengths:
            model = fit_strength(strength)
            held_out[strength][held] = asked.dot(model.weights) + model.bias
    strength = max(recipe.strengths, key=lambda strength: goodness(held_out[strength][is_judged]))
    slope, offset = calibration(held_out[strength][is_judged], targets[is_judged])
    space = LineSpace.of(examples, recipe)
    model = _fitter(space, examples, targets)(strength)
    words, weights = space.token_weights(model)
    return FittedLines(strength, slope, offset, words, weights)


def page_judge(
    examples: Sequence[TrainingLine],
) -> tuple[Float64Array, BoolArray, Callable[[Float64Array], float]]:
    """Return what `fit_lines` takes to judge by the area under the ROC curve on pages of the crawl.

    Returns:
        The targets, which examples are judged, and their goodness.
    """
    is_page = np.array([example.is_page for example in examples])
    truth = np.array([example.is_clean for example in examples])
    return truth.astype(np.float64), is_page, partial(area_under_roc, truth[is_page])


def training_examples(documents: Sequence[Document], recipe: QualityRecipe) -> list[TrainingLine]:
    """Return the real pages of some documents, in order, and pages made from them."""
    real = [d for d in documents if d.kind in ("read", "picked", "html")]
    curated = [d for d in documents if d.kind == "curated"]
    made = pages_made_of(real, curated, recipe.seed)
    lines = token_lines([page.text for page in made], [quality.bundled_tokenizer()])[0]
    return [
        TrainingLine(d.line, d.labels[0] == quality.CLEAN, d.copies**0.5, d.unit, d.kind != "html")
        for d in real
        if d.line
    ] + [
        TrainingLine(line, page.is_clean, recipe.made_weight, page.unit, False)
        for line, page in zip(lines, made, strict=True)
        if line
    ]


def pages_made_of(
    pages: Sequence[Document], curated: Sequence[Document], seed: int
) -> list[MadePage]:
    """Make pages from labelled pages and the prose of curated documents; none without prose."""
    by_source: dict[str, list[str]] = {}
    for document in curated:
        by_source.setdefault(document.unit, []).append(document.text)
    labelled = [
        LabelledPage(d.text, d.labels[0] == quality.CLEAN, d.note in SPAM_NOTES, d.unit)
        for d in pages
    ]
    prose = [by_source[source] for source in sorted(by_source)]
    return made_pages(labelled, prose, seed) if prose else []


def fold_of_examples(examples: Sequence[TrainingLine], folds: int) -> Int64Array:
    """Return the fold of each example, (examples,); those of a unit are in one fold."""
    units = fold_of_units(
        [
            Document("", (quality.CLEAN if e.is_clean else quality.DIRTY,), e.unit, "")
            for e in examples
        ],
        folds,
    )
    return np.array([units[example.unit] for example in examples])


def calibration(logits: Float64Array, targets: Float64Array) -> tuple[float, float]:
    """Fit slope and offset so that slope * logit + offset is the log odds of the targets.

    Args:
        targets: Probabilities, (logits,).
    Source:
        Platt 1999, without its smoothing of the targets.
    """
    slope, offset = 1.0, 0.0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(slope * logits + offset)))
        curve = chance * (1 - chance)
        gradient = np.array([((chance - targets) * logits).sum(), (chance - targets).sum()])
        mixed = (curve * logits).sum()
        hessian = np.array([[(curve * logits**2).sum(), mixed], [mixed, curve.sum()]])
        step = np.linalg.solve(hessian + 1e-6 * np.eye(2), gradient)
        slope, offset = slope - float(step[0]), offset - float(step[1])
        if float(np.abs(step).max()) < 1e-9:
            break
    return slope, offset


@dataclass(frozen=True)
class LineSpace:
    """Columns of the regression: steps of the measures, then words and title pairs."""

    words: tuple[str, ...]
    recipe: QualityRecipe

    @classmethod
    def of(cls, examples: Sequence[TrainingLine], recipe: QualityRecipe) -> LineSpace:
        """Return the space of the words of some examples, by falling count, then by word."""
        counts: Counter[str] = Counter()
        for example in examples:
            counts.update(example.counts.keys())
        shape = _shape_steps()
        kept = [w for w, n in counts.items() if n >= recipe.min_lines and w not in shape]
        return cls(tuple(sorted(kept, key=lambda word: (-counts[word], word))), recipe)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {word: _FIRST_WORD + number for number, word in enumerate(self.words)}

    def rows(self, examples: Sequence[TrainingLine]) -> SparseRows:
        """Return one row an example: the share of each token in the line, scaled."""
        shape, columns = _shape_steps(), self._columns
        bounds, where, values = [0], [], []
        for example in examples:
            known = [
                (token, count)
                for token, count in example.counts.items()
                if token in columns or token in shape
            ]
            whole = max(1, sum(count for _, count in known))
            for token, count in known:
                if token in columns:
                    where.append(columns[token])
                    values.append(self.recipe.word_scale * count / whole)
                else:
                    where += shape[token]
                    values += [self.recipe.shape_scale * count / whole] * len(shape[token])
            bounds.append(len(where))
        return SparseRows(
            np.array(bounds, dtype=np.int64),
            np.array(where, dtype=np.int32),
            np.array(values, dtype=np.float32),
            _FIRST_WORD + len(self.words),
        )

    def token_weights(self, model: Fitted) -> tuple[list[str], Float64Array]:
        """Return all tokens, and what each adds to the mean that is the logit.

        The bias is added to every token, which adds it to any mean of tokens.
        """
        shape = _shape_steps()
        of_words = self.recipe.word_scale * model.weights[_FIRST_WORD:]
        of_shape = [
            self.recipe.shape_scale * sum(model.weights[step] for step in steps)
            for steps in shape.values()
        ]
        words = [*self.words, *shape]
        return words, np.concatenate([of_words, np.array(of_shape)]) + model.bias


def _steps() -> Int64Array:
    """First column of each measure's steps, and the number of all steps."""
    return np.cumsum([0, *(len(BUCKETS[name]) for name in NAMES)])


_FIRST_WORD = int(_steps()[-1])


def _shape_steps() -> dict[str, list[int]]:
    """Shape token -> columns of the steps up to its buckets."""
    first = _steps().tolist()
    return {
        token: [
            first[m] + step
            for m, bucket in zip(measures, buckets, strict=True)
            for step in range(bucket)
        ]
        for token, measures, buckets in all_shape_tokens()
    }


def _fitter(
    space: LineSpace, examples: Sequence[TrainingLine], targets: Float64Array
) -> Callable[[float], Fitted]:
    """A function from strength to the model fitted to the examples."""
    weights = np.array([example.weight for example in examples])
    truth = targets == 1
    if not ((targets == 0) | truth).all():
        examples = [*examples, *examples]
        truth = np.repeat([True, False], len(weights))
        weights = np.concatenate([targets, 1 - targets]) * np.tile(weights, 2)
    return partial(fit_logistic, space.rows(examples), truth, weights)
