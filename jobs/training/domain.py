"""The domain labels: eleven subjects of a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from jobs.training.examples import Copies, Document, main_first, make_document
from jobs.training.files import (
    DOMAIN_FILE,
    DOMAIN_TRAIN,
    GOLD_FILE,
    GOLD_PAGES,
    PAGE_FILES,
    PAGES_LABELLED,
    PAGES_READ,
)
from jobs.training.metrics import label_figures
from jobs.training.task import FIGURES_ONLY, Figures, Recipe, Rows, Task
from udfs import domain
from udfs.fasttext_model import FastTextModel


def domain_documents(rows: Rows) -> list[Document]:
    """Documents labelled by their source, crawl pages and real pages labelled by reading."""
    curated = [
        make_document(r["text"], main_first(r["label"], r["labels"]), r["source"], "curated")
        for r in rows[DOMAIN_TRAIN]
    ]
    # Pages too junky to have a subject carry none, or are a line of menu words.
    pages = [
        make_document(r["text"], r.get("domains") or [r["domain"]], r["site"], "crawl")
        for r in rows[PAGES_READ] + rows[PAGES_LABELLED]
        if r["domain"] and len(r["text"]) > 200
    ]
    gold = [
        make_document(r["text"], main_first(r["label"], r["labels"]), r["site"], "gold")
        for r in rows[GOLD_PAGES]
    ]
    return curated + pages + gold


def domain_figures(
    documents: Sequence[Document], model: FastTextModel, table: npt.NDArray[np.float64]
) -> Figures:
    """Multi-label figures with the default threshold, as the scorer decides."""
    names = {
        "curated": "sources never seen",
        "crawl": "crawl pages of sites never seen",
        "gold": "main text of real pages, never trained on",
    }
    predicted = [
        domain.labels_of(dict(zip(model.labels, row, strict=True)), domain.MIN_PROBABILITY)
        for row in table.tolist()
    ]
    figures = {}
    for kind, name in names.items():
        chosen = [i for i, d in enumerate(documents) if d.kind == kind]
        if chosen:
            figures[name] = label_figures(
                [documents[i].labels for i in chosen],
                [predicted[i] for i in chosen],
                domain.LABELS,
            )
    return figures


DOMAIN = Task(
    name="domain",
    files=(DOMAIN_FILE, *PAGE_FILES, dataclasses.replace(GOLD_FILE, use=FIGURES_ONLY)),
    documents=domain_documents,
    only_measured=frozenset({"gold"}),
    # Windows of all lengths, so that a label does not hang on a source's usual length;
    # non-general crawl pages are few and are shown more often.
    copies={
        **{("curated", label): Copies(1, 1) for label in domain.LABELS},
        **{("crawl", label): Copies(1, 3, 50, 400) for label in domain.LABELS},
        ("crawl", domain.GENERAL): Copies(0, 1, 50, 400, every=3),
    },
    recipe=Recipe(loss="ova", epoch=3, folds=3, cutoff=80_000),
    figures=domain_figures,
    purpose=(
        "Independent probabilities of eleven subjects (one-vs-all), for a main label and "
        "a set of labels."
    ),
    split=(
        "Three folds of whole sources and sites; every figure is of documents whose "
        "source or site the scoring model was not trained on. The real pages are never "
        "trained on. The set of labels is all of probability 0.3 or more, and the top one."
    ),
    weaknesses=(
        "Labels of the curated documents follow from their source, so the model partly "
        "learns sources: a subject in a style it has not seen is often missed (dialogue "
        "and general most). General has no words of its own; the probabilities are not "
        "calibrated by label."
    ),
)
