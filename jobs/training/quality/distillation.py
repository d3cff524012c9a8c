"""The fastText quality model as a student: it learns from an encoder's scores and the read pages.

A score is a soft target: a text counts as clean with weight score, and as junk with 1 - score.

Source:
    ChineseWebText 1.0: its fastText classifier learns from BERTEval's scores of crawl text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.metrics import area_under_roc, share
from jobs.training.common.pages import page_groups
from jobs.training.common.task import Figures, Found, Rows, Task
from jobs.training.quality.fit import QualityRecipe, TrainingLine, fit_lines, training_examples
from jobs.training.quality.supervised import (
    SCORED,
    SupervisedRecipe,
    fit_supervised,
    with_plain_words,
)
from jobs.training.quality.task import QUALITY
from udfs.base.array_types import Float64Array
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers import quality
from udfs.tokens.segment import MAX_CHARS
from udfs.tokens.tokenizer import token_lines

AGREEMENT = "scored text of sites never seen, student against teacher"

_DECISION = 0.5
_DIGITS = 4
_RATED = (
    "The area under the ROC curve on them rates the student's score against the teacher's decision "
    f"(score >= {_DECISION})."
)


@dataclass(frozen=True)
class ScoredText:
    """A text and the teacher's score of it."""

    doc_id: str
    site: str
    text: str
    score: float
    """In [0, 1]."""


@dataclass(frozen=True)
class ScoredDocument(Document):
    """A document that only the teacher has labelled."""

    score: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DistilledRecipe(QualityRecipe):
    """Settings of the fit to pages and to a teacher's scores."""

    taught_weight: float = 0.3
    """Weight of a text that the teacher scored; a page that was read weighs 1."""


def distilled_quality(
    scored: Sequence[ScoredText],
    teacher: str,
    recipe: QualityRecipe | None = None,
    with_labelled_files: bool = True,
) -> Task:
    """Return the task quality, learning from a teacher's scores too, or from these alone.

    Args:
        recipe: Recipe of the task without a teacher; None for the default.
        with_labelled_files: Whether the labelled files are learnt too.
    """
    of_agreement = ((AGREEMENT, "rank_correlation"), (AGREEMENT, "auc"))
    task = replace(
        QUALITY,
        documents=partial(documents_and_scored_texts, scored=scored),
        recipe=DistilledRecipe(**vars(recipe or QualityRecipe())),
        fit=partial(fit_distilled, teacher=teacher),
        figures=figures_and_agreement,
        curve=(),  # would take thirty more fits
        command_options=" --teacher OUTPUT",
        headlines=(*QUALITY.headlines, *of_agreement),
        split=QUALITY.split
        + " Texts that the teacher scored are held out with the pages of their site and template; "
        f"strength and calibration are chosen on them too. {_RATED}",
    )
    if with_labelled_files:
        return task
    return replace(
        task,
        files=(),
        headlines=of_agreement,
        purpose="P(clean), as the teacher gave it: no reader has labelled a text.",
        split="Ten folds of whole groups, all texts of one site or one template. Every figure is "
        f"of texts whose group the scoring model was not trained on. {_RATED}",
        weaknesses="The student learns the teacher's errors with its scores.",
    )


def supervised_quality(task: Task, teacher: str, lines: Path | None = None) -> Task:
    """Return a task of `distilled_quality` with the student that fastText itself trains.

    Args:
        lines: File that gets the labelled lines; None for none.
    """
    return replace(
        task,
        documents=partial(_plain_documents, documents=task.documents),
        recipe=SupervisedRecipe(),
        fit=partial(fit_supervised, teacher=teacher, lines=lines),
        written=("quality.bin",),
        command_options=f"{task.command_options} --student fasttext",
    )


def _plain_documents(rows: Rows, documents: Callable[[Rows], list[Document]]) -> list[Document]:
    return with_plain_words(documents(rows))


def documents_and_scored_texts(rows: Rows, scored: Sequence[ScoredText]) -> list[Document]:
    """Return the documents of the labelled files, if any, and those of the scored texts, grouped by
    site and template together."""
    labelled = QUALITY.documents(rows) if rows else []
    pages = [d for d in labelled if d.kind in ("read", "picked", "html")]
    texts = [*(d.text for d in pages), *(t.text for t in scored)]
    groups = page_groups(texts, [*(d.unit for d in pages), *(t.site for t in scored)])
    group_of = {d.unit: group for d, group in zip(pages, groups, strict=False)}
    lines = token_lines([t.text[:MAX_CHARS] for t in scored], [quality.bundled_tokenizer()])[0]
    return [replace(d, unit=group_of.get(d.unit, d.unit)) for d in labelled] + [
        ScoredDocument(
            line=line,
            labels=(quality.CLEAN if t.score >= _DECISION else quality.DIRTY,),
            unit=group,
            kind=SCORED,
            text=t.text,
            score=t.score,
        )
        for t, line, group in zip(scored, lines, groups[len(pages) :], strict=True)
    ]


def fit_distilled(
    documents: Sequence[Document], path: Path, recipe: DistilledRecipe, *, teacher: str
) -> Found:
    """Fit the student to pages and scores, and write it.

    Args:
        documents: As for `jobs.training.quality.fit.fit_quality`, and scored ones.
        teacher: Name of the model that gave the scores.
    Returns:
        What the inner folds chose, and numbers of examples and tokens.
    """
    pages = training_examples(documents, recipe)
    scored = [d for d in documents if isinstance(d, ScoredDocument) and d.line]
    examples = pages + [
        TrainingLine(
            d.line, d.score >= _DECISION, recipe.taught_weight * d.copies**0.5, d.unit, False
        )
        for d in scored
    ]
    targets = np.array([*(float(e.is_clean) for e in pages), *(d.score for d in scored)])
    is_judged = np.array([*(e.is_page for e in pages), *(True for _ in scored)])
    weights = np.array([example.weight for example in examples])[is_judged]

    def likelihood(logits: Float64Array) -> float:
        losses = np.logaddexp(0, logits) - targets[is_judged] * logits
        return -float(np.average(losses, weights=weights))

    fitted = fit_lines(examples, targets, is_judged, likelihood, recipe)
    fitted.write(path)
    return {
        "strength": fitted.strength,
        "calibration_slope": round(fitted.slope, _DIGITS),
        "calibration_offset": round(fitted.offset, _DIGITS),
        "examples": len(examples),
        "taught_texts": sum(isinstance(d, ScoredDocument) for d in documents),
        "teacher": teacher,
        "tokens": len(fitted.words),
    }


def figures_and_agreement(
    documents: Sequence[Document], model: FastTextModel, table: Float64Array
) -> Figures:
    """Measure the labelled documents, and how far student and teacher agree on the scored ones."""
    is_scored = np.array([isinstance(d, ScoredDocument) for d in documents])
    labelled = [d for d in documents if not isinstance(d, ScoredDocument)]
    student = table[is_scored, model.column(quality.CLEAN)]
    teacher = np.array([d.score for d in documents if isinstance(d, ScoredDocument)])
    return {
        **(QUALITY.figures(labelled, model, table[~is_scored]) if labelled else {}),
        AGREEMENT: agreement(teacher, student),
    }


def agreement(teacher: Float64Array, student: Float64Array) -> dict[str, Any]:
    """Measure how far two scores of the same texts agree.

    Returns:
        A measure is None where it is undefined: without texts, or with a constant score.
    """
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


def rank_correlation(one: Float64Array, other: Float64Array) -> float:
    """Compute Spearman's rank correlation, ties sharing their mean rank; NaN for a constant input.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.3, 0.4]))
    1.0
    """
    middle = (len(one) + 1) / 2
    ranks = [_ranks(values) - middle for values in (one, other)]
    size = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float((ranks[0] * ranks[1]).sum()) / size if size else float("nan")


def _ranks(values: Float64Array) -> Float64Array:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Float64Array = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks
