"""Texts of a user's own for the task quality-bert-stages: good ones, crawl text, unlabelled text.

Source:
    ChineseWebText 1.0: encyclopedia, news and books against text sampled from a crawl; then
    self-training on crawl text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from jobs.training.common.examples import Document
from jobs.training.common.metrics import (
    THRESHOLDS,
    area_interval,
    binary_figures,
    calibration_table,
)
from jobs.training.common.pages import page_groups
from jobs.training.common.run_sample import SampledText
from jobs.training.common.task import Answers, Figures, Model, Rows, Task, TrainingError
from jobs.training.common.text_files import FileText, ReadTexts
from udfs.scorers import quality

if TYPE_CHECKING:
    from jobs.training.encoder.recipe import EncoderRecipe

POSITIVE, NEGATIVE, UNLABELLED = "positive", "negative", "unlabelled"
"""Kinds of documents."""
OWN_TEXTS = "texts of sites and files never seen, positives against negatives"

_COMPARED_CHARS = 4_000
"""Leading characters of a text that are compared with others for a common template."""


@dataclass(frozen=True)
class OwnTexts:
    """The texts of --positives and --negatives."""

    positives: ReadTexts
    negatives: ReadTexts


def own_task(task: Task, own: OwnTexts) -> Task:
    """Return the task, learning these texts in the place of the labelled files.

    Raises:
        TrainingError: a label has texts of one source alone, so that none can be held out.
    """
    documents = own_documents(own)
    for label, option in ((POSITIVE, "--positives"), (NEGATIVE, "--negatives")):
        units = {d.unit for d in documents if d.kind == label}
        if len(units) < 2:
            raise TrainingError(
                f"{option}: all texts are of one source, {units.pop()}: expected two sites or "
                "files at least, of which each in turn is held out"
            )
    return replace(
        task,
        files=(),
        other_data=(*own.positives.files, *own.negatives.files),
        documents=partial(_same, documents=documents),
        recipe=replace(cast("EncoderRecipe", task.recipe), label_balance=True),
        figures=own_figures,
        headlines=((OWN_TEXTS, "auc"), (OWN_TEXTS, "auc_interval_95")),
        split=(
            "Whole sources are held out in turn: all texts of one site or one template, or of one "
            "file where texts have no address. Every figure is of texts whose source the scoring "
            "model was not trained on. Texts of few sources are told apart by their style: the "
            "figures say nothing about pages that lie between the two kinds."
        ),
        weaknesses=(
            "A label follows from a text's file, and was not given by a reader. All segments of a "
            "text are trained with its label. Line breaks are read as blanks."
        ),
    )


def own_documents(own: OwnTexts) -> list[Document]:
    """Return the texts as documents; those of one site or one template are one unit."""
    texts = [
        *((text, POSITIVE, quality.CLEAN) for text in own.positives.texts),
        *((text, NEGATIVE, quality.DIRTY) for text in own.negatives.texts),
    ]
    units = _units([text for text, *_ in texts])
    return [
        Document(text.text, (label,), unit, kind, text=text.text)
        for (text, kind, label), unit in zip(texts, units, strict=True)
    ]


def _units(texts: Sequence[FileText]) -> list[str]:
    """The site of each text's group of pages; its file where it has no address."""
    pages = [text for text in texts if text.has_url]
    groups = iter(
        page_groups([page.text[:_COMPARED_CHARS] for page in pages], [page.site for page in pages])
    )
    return [next(groups) if text.has_url else text.site for text in texts]


def with_run_texts(task: Task, texts: Sequence[SampledText]) -> Task:
    """Return the task with unlabelled texts of a run for its second stage.

    They are held out with the texts of their site and template.
    """
    return replace(
        task,
        documents=partial(_and_unlabelled, documents=task.documents, texts=texts),
        figures=partial(_figures_of_labelled, figures=task.figures),
        split=task.split
        + " Unlabelled texts are held out with the texts of their site and template.",
    )


def own_figures(documents: Sequence[Document], model: Model, table: Answers) -> Figures:
    """Measure how well held-out positives and negatives are told apart."""
    truth = [d.kind == POSITIVE for d in documents]
    scores = table[:, 0].tolist()
    figures: dict[str, Any] = binary_figures(truth, scores, THRESHOLDS)
    figures["auc_interval_95"] = area_interval(truth, scores, [d.unit for d in documents])
    figures["calibration"] = calibration_table(truth, scores)
    return {OWN_TEXTS: figures}


def _same(rows: Rows, documents: list[Document]) -> list[Document]:
    return documents


def _and_unlabelled(
    rows: Rows, documents: Callable[[Rows], list[Document]], texts: Sequence[SampledText]
) -> list[Document]:
    labelled = documents(rows)
    known = [d for d in labelled if d.kind not in ("curated", "gold", "cwt1")]
    groups = page_groups(
        [text[:_COMPARED_CHARS] for text in (*(d.text for d in known), *(t.text for t in texts))],
        [*(d.unit for d in known), *(t.site for t in texts)],
    )
    group_of: Mapping[str, str] = {d.unit: group for d, group in zip(known, groups, strict=False)}
    return [
        *(replace(d, unit=group_of.get(d.unit, d.unit)) for d in labelled),
        *(
            Document(text.text, (UNLABELLED,), group, UNLABELLED, text=text.text)
            for text, group in zip(texts, groups[len(known) :], strict=True)
        ),
    ]


def _figures_of_labelled(
    documents: Sequence[Document],
    model: Model,
    table: Answers,
    figures: Callable[[Sequence[Document], Any, Answers], Figures],
) -> Figures:
    chosen = [number for number, d in enumerate(documents) if d.kind != UNLABELLED]
    return figures([documents[number] for number in chosen], model, table[chosen])
