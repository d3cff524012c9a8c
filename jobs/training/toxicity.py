"""Toxicity: insults of people and groups, and offers of gambling, pornography and fraud."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from jobs.training.examples import Copies, Document, make_document
from jobs.training.files import (
    DOMAIN_FILE,
    DOMAIN_TRAIN,
    FREE_LINES,
    GOLD_FILE,
    GOLD_PAGES,
    LINES_FILE,
    PAGE_FILES,
    PAGES_LABELLED,
    PAGES_READ,
    TOXIC_LINES,
)
from jobs.training.metrics import THRESHOLDS, binary_figures
from jobs.training.task import FIGURES_ONLY, Figures, Recipe, Rows, Task
from udfs import toxicity
from udfs.fasttext_model import FastTextModel


def toxicity_documents(rows: Rows) -> list[Document]:
    """Social-media lines, crawl pages as read, and curated text as benign."""
    lines = [
        make_document(
            r["text"],
            [_toxic(r["label"] == 1)],
            r["source"],
            "lines" if r["source"] in FREE_LINES else "other lines",
        )
        for r in rows[TOXIC_LINES]
    ]
    pages = [
        make_document(r["text"], [_toxic(r["toxic"] == 1)], r["site"], "crawl")
        for r in rows[PAGES_READ] + rows[PAGES_LABELLED]
    ]
    curated = [
        make_document(r["text"], [toxicity.BENIGN], r["source"], "curated")
        for r in rows[DOMAIN_TRAIN]
    ]
    gold = [
        make_document(r["text"], [toxicity.BENIGN], r["site"], "gold") for r in rows[GOLD_PAGES]
    ]
    return lines + pages + curated + gold


def toxicity_figures(
    documents: Sequence[Document], model: FastTextModel, table: npt.NDArray[np.float64]
) -> Figures:
    """Figures by source of lines, and of pages; benign text only gives false alarms."""
    scores = table[:, model.column(toxicity.TOXIC)]
    names = {
        "crawl": "crawl pages of sites never seen",
        "gold": "main text of real pages, all benign, never trained on",
        "curated": "curated text of sources never seen, all benign",
    }
    for document in documents:
        if document.kind == "lines":
            names[document.unit] = f"lines of {document.unit}, trained on all other sources"
        elif document.kind == "other lines":
            names[document.unit] = f"lines of {document.unit}, never trained on"
    figures = {}
    for key, name in names.items():
        chosen = [
            (d.labels[0] == toxicity.TOXIC, score)
            for d, score in zip(documents, scores, strict=True)
            if key in (d.kind, d.unit)
        ]
        if chosen:
            figures[name] = binary_figures(
                [p for p, _ in chosen], [s for _, s in chosen], THRESHOLDS
            )
    return figures


def _toxic(is_toxic: bool) -> str:
    return toxicity.TOXIC if is_toxic else toxicity.BENIGN


TOXICITY = Task(
    name="toxicity",
    files=(
        LINES_FILE,
        *PAGE_FILES,
        DOMAIN_FILE,
        dataclasses.replace(GOLD_FILE, use=FIGURES_ONLY),
    ),
    documents=toxicity_documents,
    only_measured=frozenset({"gold", "other lines"}),
    # Toxic lines are short and clean documents long: windows of both keep the model
    # from taking length, or a page's many words, for a sign.
    copies={
        ("crawl", toxicity.TOXIC): Copies(2, 12, 3, 150),
        ("crawl", toxicity.BENIGN): Copies(2, 6, 3, 150),
        ("curated", toxicity.BENIGN): Copies(1, 1, 5, 60, every=3),
    },
    recipe=Recipe(loss="softmax", epoch=3),
    figures=toxicity_figures,
    purpose=(
        "P(toxic): the probability that a text insults a group or a person, or offers "
        "gambling, pornography or fraud."
    ),
    split=(
        "Five folds of whole sites and sources; every figure is of documents whose site "
        "or source the scoring model was not trained on. Sets whose licence forbids "
        "commercial use or derivatives are only measured."
    ),
    weaknesses=(
        "Insults are learnt from two line collections about race, region and gender: "
        "other insults, irony and code words are missed, and lines that merely name such "
        "a group raise the score. Short disguised advertising for gambling, fraud or "
        "pornography, as in ChineseHarm, is not found: ranking there is no better than "
        "chance. One toxic comment under a long article drowns. At 0.99 the label is rare "
        "by design; use the score for a wider net."
    ),
)
