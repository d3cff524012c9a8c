"""The fastText quality student, taught by the scores of an encoder beside the read pages. No I/O.

A score is a soft target: a text counts as clean by its score, and as junk by what that lacks to 1.

Source:
    ChineseWebText 1.0, whose fastText classifier learns what BERTEval said of crawl text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import Fitted, fit_logistic
from jobs.training.common.metrics import area_under_roc, share
from jobs.training.common.pages import page_groups
from jobs.training.common.task import Figures, Found, Rows, Task
from jobs.training.quality.fit import (
    Example,
    LineSpace,
    QualityRecipe,
    calibration,
    training_examples,
)
from jobs.training.quality.task import QUALITY
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers import quality
from udfs.tokens.segment import MAX_CHARS
from udfs.tokens.tokenizer import token_lines

Floats = npt.NDArray[np.float64]

TAUGHT = "taught"
"""The kind of documents that only the teacher has labelled."""
AGREEMENT = "scored text of sites never seen, student against teacher"

_DECISION = 0.5
_DIGITS = 4


@dataclass(frozen=True)
class Taught:
    """A text and what the teacher says of it."""

    doc_id: str
    site: str
    text: str
    score: float
    """In [0, 1]."""


@dataclass(frozen=True)
class TaughtDocument(Document):
    """A document that only the teacher has labelled."""

    score: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DistilledRecipe(QualityRecipe):
    """How the student is fitted to pages and to a teacher's scores."""

    taught_weight: float = 0.3
    """What a text that the teacher scored counts, beside 1 for a page that was read."""


def distilled_quality(
    taught: Sequence[Taught], teacher: str, recipe: QualityRecipe | None = None
) -> Task:
    """The task of quality, learning from a teacher's scores too.

    Args:
        recipe: That of the task without a teacher; None for its own.
    """
    return replace(
        QUALITY,
        documents=partial(documents_and_taught, taught=taught),
        recipe=DistilledRecipe(**vars(recipe or QualityRecipe())),
        fit=partial(fit_distilled, teacher=teacher),
        figures=figures_and_agreement,
        curve=(),  # it would take thirty more fits
        options=" --teacher OUTPUT",
        headlines=(*QUALITY.headlines, (AGREEMENT, "rank_correlation"), (AGREEMENT, "auc")),
        split=QUALITY.split
        + " Texts that the teacher scored are held out with the pages of their site and template; "
        "strength and calibration are judged on them too. The area under the ROC curve on them is "
        f"that of the student's score for the teacher's decision, a score of {_DECISION} or more.",
    )


def documents_and_taught(rows: Rows, taught: Sequence[Taught]) -> list[Document]:
    """The documents of the labelled files, and the texts that the teacher scored."""
    labelled = QUALITY.documents(rows)
    pages = [d for d in labelled if d.kind in ("read", "picked", "html")]
    texts = [*(d.text for d in pages), *(t.text for t in taught)]
    groups = page_groups(texts, [*(d.unit for d in pages), *(t.site for t in taught)])
    group_of = {d.unit: group for d, group in zip(pages, groups, strict=False)}
    lines = token_lines([t.text[:MAX_CHARS] for t in taught], [quality.READING])[0]
    return [replace(d, unit=group_of.get(d.unit, d.unit)) for d in labelled] + [
        TaughtDocument(
            line=line,
            labels=(quality.CLEAN if t.score >= _DECISION else quality.DIRTY,),
            unit=group,
            kind=TAUGHT,
            text=t.text,
            score=t.score,
        )
        for t, line, group in zip(taught, lines, groups[len(pages) :], strict=True)
    ]


def fit_distilled(
    documents: Sequence[Document], path: Path, recipe: DistilledRecipe, *, teacher: str
) -> Found:
    """Fit the student to pages and scores, and write it.

    Args:
        documents: As `jobs.training.quality.fit.fit_quality` takes them, and taught ones.
        teacher: What the scores are of.
    Returns:
        What the inner folds chose, and numbers of examples and tokens.
    """
    lesson = _Lesson.of(documents, recipe)
    folds = lesson.folds(recipe.inner_folds)
    held_out = {strength: np.zeros(len(folds)) for strength in recipe.strengths}
    for fold in range(recipe.inner_folds):
        held = folds == fold
        trained = lesson.part(~held)
        space = LineSpace.of(trained.examples, recipe)
        asked = space.rows(lesson.part(held).examples)
        for strength in recipe.strengths:
            model = trained.fitted(space, strength)
            held_out[strength][held] = asked.dot(model.weights) + model.bias
    judged = lesson.is_judged
    strength = min(
        recipe.strengths,
        key=lambda strength: lesson.part(judged).loss(held_out[strength][judged]),
    )
    slope, offset = calibration(held_out[strength][judged], lesson.targets[judged])  # type: ignore[arg-type]
    space = LineSpace.of(lesson.examples, recipe)
    words, weights = space.token_weights(lesson.fitted(space, strength))
    half = (slope * weights + offset)[:, np.newaxis] / 2
    labels = (quality.CLEAN, quality.DIRTY)
    write_linear_model(path, words, labels, half, np.array([[1.0], [-1.0]]))
    return {
        "strength": strength,
        "calibration_slope": round(slope, _DIGITS),
        "calibration_offset": round(offset, _DIGITS),
        "examples": len(lesson.examples),
        "taught_texts": sum(isinstance(d, TaughtDocument) for d in documents),
        "teacher": teacher,
        "tokens": len(words),
    }


@dataclass(frozen=True)
class _Lesson:
    """Examples with what each should be said to be."""

    examples: list[Example]
    targets: Floats
    """The probability of clean."""
    is_judged: npt.NDArray[np.bool_]
    """Whether strength and calibration are decided on it: pages as they are, and scored texts."""

    @classmethod
    def of(cls, documents: Sequence[Document], recipe: DistilledRecipe) -> _Lesson:
        pages = training_examples(documents, recipe)
        taught = [d for d in documents if isinstance(d, TaughtDocument) and d.line]
        texts = [
            Example(
                d.line, d.score >= _DECISION, recipe.taught_weight * d.copies**0.5, d.unit, False
            )
            for d in taught
        ]
        return cls(
            pages + texts,
            np.array([*(float(e.is_clean) for e in pages), *(d.score for d in taught)]),
            np.array([*(e.is_page for e in pages), *(True for _ in taught)]),
        )

    def part(self, chosen: npt.NDArray[np.bool_]) -> _Lesson:
        examples = [self.examples[place] for place in np.flatnonzero(chosen)]
        return _Lesson(examples, self.targets[chosen], self.is_judged[chosen])

    def folds(self, count: int) -> npt.NDArray[np.int64]:
        """The inner fold of each example; those of a unit are in one."""
        labels = (quality.DIRTY, quality.CLEAN)
        fold_of = fold_of_units(
            [Document("", (labels[e.is_clean],), e.unit, "") for e in self.examples], count
        )
        return np.array([fold_of[e.unit] for e in self.examples])

    def fitted(self, space: LineSpace, strength: float) -> Fitted:
        """Each example is there twice, as clean and as junk, by its target."""
        rows = space.rows([*self.examples, *self.examples])
        weights = np.array([example.weight for example in self.examples])
        shares = np.concatenate([self.targets, 1 - self.targets]) * np.tile(weights, 2)
        truth = np.repeat([True, False], len(weights))
        return fit_logistic(rows, truth, shares, strength)

    def loss(self, logits: Floats) -> float:
        """The mean logistic loss, by the weights."""
        losses = np.logaddexp(0, logits) - self.targets * logits
        return float(np.average(losses, weights=[example.weight for example in self.examples]))


def figures_and_agreement(
    documents: Sequence[Document], model: FastTextModel, table: Floats
) -> Figures:
    """Figures of the labelled documents, and how far the student says what the teacher does."""
    is_taught = np.array([isinstance(d, TaughtDocument) for d in documents])
    labelled = [d for d in documents if not isinstance(d, TaughtDocument)]
    student = table[is_taught, model.column(quality.CLEAN)]
    teacher = np.array([d.score for d in documents if isinstance(d, TaughtDocument)])
    return {
        **QUALITY.figures(labelled, model, table[~is_taught]),
        AGREEMENT: agreement(teacher, student),
    }


def agreement(teacher: Floats, student: Floats) -> dict[str, Any]:
    """How far two scores of the same texts agree; null where that is not defined: without texts, or
    where one of the scores is constant."""
    decided = teacher >= _DECISION
    area = area_under_roc(decided, student)
    correlation = rank_correlation(teacher, student)
    return {
        "rows": len(teacher),
        "positive": int(decided.sum()),
        "rank_correlation": None if np.isnan(correlation) else round(correlation, _DIGITS),
        "auc": None if np.isnan(area) else round(area, _DIGITS),
        "same_decision_share": share(int((decided == (student >= _DECISION)).sum()), len(teacher)),
        "mean_difference": round(float(np.abs(teacher - student).mean()), _DIGITS)
        if len(teacher)
        else None,
    }


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's: that of the ranks, of which level values share the mean; NaN where one is
    constant.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.3, 0.4]))
    1.0
    """
    middle = (len(one) + 1) / 2
    ranks = [_ranks(values) - middle for values in (one, other)]
    size = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float((ranks[0] * ranks[1]).sum()) / size if size else float("nan")


def _ranks(values: Floats) -> Floats:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks
