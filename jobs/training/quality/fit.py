"""Fitting the quality model: a logistic regression, written as a fastText file. No Spark.

The line of a text is its different words, its shape and its title (udfs/tokens/shape_tokens.py);
fastText takes the mean of the weights of a line's tokens, and so does the regression. A shape token
stands for two measures, whose weights add up: each bucket is a step on the one before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import Fitted, SparseRows, fit_logistic
from jobs.training.common.metrics import area_under_roc
from jobs.training.common.task import Settings
from jobs.training.quality.made_pages import Page, made_pages
from udfs.scorers import quality
from udfs.tokens.segment import MAX_CHARS, STOP_WORDS
from udfs.tokens.shape_measures import NAMES
from udfs.tokens.shape_tokens import BUCKETS, all_shape_tokens
from udfs.tokens.tokenizer import token_lines

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class QualityRecipe(Settings):
    """How the model is fitted."""

    folds: int = 10
    inner_folds: int = 4
    """Folds of the training pages that the strength and the calibration come from."""
    strengths: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2)
    """Of the regression, as `fit_logistic` has it; the inner folds choose."""
    min_lines: int = 5
    """Fewest training lines of a word or title pair that gets a weight."""
    made_weight: float = 0.3
    """What a made page counts; a real one counts the square root of its copies."""
    word_scale: float = 250.0
    shape_scale: float = 80.0
    """Of word and title tokens, and of shape tokens: how easily they take weight."""


SPAM_NOTES = frozenset({"seo_spam", "seo-spam", "gambling", "porn", "video"})
"""What the read pages' field "kind" calls those that are there to lead readers elsewhere."""


@dataclass(frozen=True)
class Example:
    """A line to learn from."""

    line: str
    is_clean: bool
    weight: float
    unit: str
    is_page: bool
    """Whether it is a page of the crawl, which strength and calibration are judged on."""

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each token comes."""
        return Counter(self.line.split())


def fit_quality(documents: Sequence[Document], path: Path, recipe: QualityRecipe) -> dict[str, Any]:
    """Fit the model to some documents and write it.

    Args:
        documents: With their texts. Kinds "read" and "picked" are pages of the crawl, "html" whole
            pages of news sites and forums, "curated" what made pages take their prose from; other
            kinds are not looked at.
        path: The fastText file.
    Returns:
        What the inner folds chose, and numbers of examples and tokens.
    """
    examples = training_examples(documents, recipe)
    folds = fold_of_examples(examples, recipe.inner_folds)
    pages = np.array([example.is_page for example in examples])
    truth = np.array([example.is_clean for example in examples])
    held_out = {strength: np.zeros(len(examples)) for strength in recipe.strengths}
    for fold in range(recipe.inner_folds):
        held = folds == fold
        trained = [example for example, out in zip(examples, held, strict=True) if not out]
        space = LineSpace.of(trained, recipe)
        rows = space.rows(trained)
        asked = space.rows([e for e, out in zip(examples, held, strict=True) if out])
        for strength in recipe.strengths:
            model = _fit(rows, trained, strength)
            held_out[strength][held] = asked.dot(model.weights) + model.bias
    areas = {
        strength: area_under_roc(truth[pages], logits[pages])
        for strength, logits in held_out.items()
    }
    strength = max(recipe.strengths, key=lambda strength: areas[strength])
    slope, offset = calibration(held_out[strength][pages], truth[pages])
    space = LineSpace.of(examples, recipe)
    model = _fit(space.rows(examples), examples, strength)
    words, weights = space.token_weights(model)
    half = (slope * weights + offset)[:, np.newaxis] / 2
    labels = (quality.CLEAN, quality.DIRTY)
    write_linear_model(path, words, labels, half, np.array([[1.0], [-1.0]]))
    return {
        "strength": strength,
        "calibration_slope": round(slope, 4),
        "calibration_offset": round(offset, 4),
        "made_pages": sum(example.weight < 1 for example in examples),
        "tokens": len(words),
        "max_chars": MAX_CHARS,
        "stop_words": len(STOP_WORDS),
    }


def training_examples(documents: Sequence[Document], recipe: QualityRecipe) -> list[Example]:
    """Real pages, and pages made from them."""
    real = [d for d in documents if d.kind in ("read", "picked", "html")]
    pages = [Page(d.text, d.labels[0] == quality.CLEAN, d.note in SPAM_NOTES, d.unit) for d in real]
    by_source: dict[str, list[str]] = {}
    for document in documents:
        if document.kind == "curated":
            by_source.setdefault(document.unit, []).append(document.text)
    prose = [by_source[source] for source in sorted(by_source)]
    made = made_pages(pages, prose, recipe.seed) if prose else []
    lines = token_lines([page.text for page in made], [quality.READING])[0]
    return [
        Example(d.line, d.labels[0] == quality.CLEAN, d.copies**0.5, d.unit, d.kind != "html")
        for d in real
        if d.line
    ] + [
        Example(line, page.is_clean, recipe.made_weight, page.unit, False)
        for line, page in zip(lines, made, strict=True)
        if line
    ]


def fold_of_examples(examples: Sequence[Example], folds: int) -> npt.NDArray[np.int64]:
    """The inner fold of each example; those of a unit are in one."""
    units = fold_of_units(
        [
            Document("", (quality.CLEAN if e.is_clean else quality.DIRTY,), e.unit, "")
            for e in examples
        ],
        folds,
    )
    return np.array([units[example.unit] for example in examples])


def calibration(logits: Floats, truth: Bools) -> tuple[float, float]:
    """Slope and offset after which logits are those of the share of true ones.

    Source:
        Platt 1999, without its smoothing of the targets.
    """
    slope, offset = 1.0, 0.0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(slope * logits + offset)))
        curve = chance * (1 - chance)
        gradient = np.array([((chance - truth) * logits).sum(), (chance - truth).sum()])
        mixed = (curve * logits).sum()
        hessian = np.array([[(curve * logits**2).sum(), mixed], [mixed, curve.sum()]])
        step = np.linalg.solve(hessian + 1e-6 * np.eye(2), gradient)
        slope, offset = slope - float(step[0]), offset - float(step[1])
        if float(np.abs(step).max()) < 1e-9:
            break
    return slope, offset


@dataclass(frozen=True)
class LineSpace:
    """The columns of the regression: steps of the measures, then words and title pairs."""

    words: tuple[str, ...]
    recipe: QualityRecipe

    @classmethod
    def of(cls, examples: Sequence[Example], recipe: QualityRecipe) -> LineSpace:
        """The space of the words of some examples, the commonest first, level ones by letters."""
        counts: Counter[str] = Counter()
        for example in examples:
            counts.update(example.counts.keys())
        shape = _shape_steps()
        kept = [w for w, n in counts.items() if n >= recipe.min_lines and w not in shape]
        return cls(tuple(sorted(kept, key=lambda word: (-counts[word], word))), recipe)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {word: _FIRST_WORD + number for number, word in enumerate(self.words)}

    def rows(self, examples: Sequence[Example]) -> SparseRows:
        """One row an example: the share of each token in the line, scaled."""
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

    def token_weights(self, model: Fitted) -> tuple[list[str], Floats]:
        """All tokens, and what each adds to the mean that is the logit.

        The bias is in every token: a mean of more with the same in each is more by that.
        """
        shape = _shape_steps()
        of_words = self.recipe.word_scale * model.weights[_FIRST_WORD:]
        of_shape = [
            self.recipe.shape_scale * sum(model.weights[step] for step in steps)
            for steps in shape.values()
        ]
        words = [*self.words, *shape]
        return words, np.concatenate([of_words, np.array(of_shape)]) + model.bias


def _steps() -> npt.NDArray[np.int64]:
    """The first column of each measure's steps, and the one behind the last's."""
    return np.cumsum([0, *(len(BUCKETS[name]) for name in NAMES)])


_FIRST_WORD = int(_steps()[-1])


def _shape_steps() -> dict[str, list[int]]:
    """Shape token -> the steps that it is above."""
    first = _steps().tolist()
    return {
        token: [
            first[m] + step
            for m, bucket in zip(measures, buckets, strict=True)
            for step in range(bucket)
        ]
        for token, measures, buckets in all_shape_tokens()
    }


def _fit(rows: SparseRows, examples: Sequence[Example], strength: float) -> Fitted:
    truth = np.array([example.is_clean for example in examples])
    weights = np.array([example.weight for example in examples])
    return fit_logistic(rows, truth, weights, strength)
