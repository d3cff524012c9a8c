"""The fastText quality student: pages that a reader would keep against junk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.training.examples import Copies, Document, make_document
from jobs.training.files import (
    CWT1,
    CWT1_FILE,
    DOMAIN_FILE,
    DOMAIN_TRAIN,
    GOLD_FILE,
    GOLD_PAGES,
    PAGE_FILES,
    PAGES_LABELLED,
    PAGES_READ,
)
from jobs.training.metrics import THRESHOLDS, binary_figures
from jobs.training.task import Figures, Recipe, Rows, Task
from udfs import quality
from udfs.fasttext_model import FastTextModel


def quality_documents(rows: Rows) -> list[Document]:
    """Crawl pages as read (mixed pages count as clean), and curated text as clean."""
    pages = [
        make_document(r["text"], [_clean(r["quality"] > 0)], r["site"], "crawl", r["quality"])
        for r in rows[PAGES_READ] + rows[PAGES_LABELLED]
    ]
    samples = [
        make_document(r["text"], [_clean(r["label"] == "clean")], r["source"], "cwt1")
        for r in rows[CWT1]
    ]
    curated = [
        make_document(r["text"], [quality.CLEAN], r["source"], "curated")
        for r in rows[DOMAIN_TRAIN]
    ]
    gold = [make_document(r["text"], [quality.CLEAN], r["site"], "gold") for r in rows[GOLD_PAGES]]
    return pages + samples + curated + gold


def quality_figures(
    documents: Sequence[Document], model: FastTextModel, table: npt.NDArray[np.float64]
) -> Figures:
    """Crawl pages decide; curated text is only asked whether it passes."""
    scores = table[:, model.column(quality.CLEAN)]

    def of(kinds: Sequence[str], positive: Callable[[Document], bool], skip: int | None) -> Any:
        chosen = [
            (positive(d), score)
            for d, score in zip(documents, scores, strict=True)
            if d.kind in kinds and (skip is None or d.grade != skip)
        ]
        return binary_figures([p for p, _ in chosen], [s for _, s in chosen], THRESHOLDS)

    def is_clean(document: Document) -> bool:
        return document.labels[0] == quality.CLEAN

    return {
        "crawl pages, junk against mixed and good": of(["crawl"], is_clean, None),
        "crawl pages, junk against good": of(["crawl"], is_clean, 1),
        "ChineseWebText 1.0 samples, dirty against clean": of(["cwt1"], is_clean, None),
        "main text of real pages, all clean": of(["gold"], is_clean, None),
        "curated text, all clean": of(["curated"], is_clean, None),
    }


def _clean(is_clean: bool) -> str:
    return quality.CLEAN if is_clean else quality.DIRTY


QUALITY = Task(
    name="quality",
    files=(
        *PAGE_FILES,
        CWT1_FILE,
        DOMAIN_FILE,
        GOLD_FILE,
    ),
    documents=quality_documents,
    only_measured=frozenset(),
    # Crawl pages come often and curated text seldom: else the model learns to tell
    # edited prose from the web, and not junk from the rest of the web.
    copies={
        ("crawl", quality.CLEAN): Copies(1, 8, min_words=100, max_words=300),
        ("crawl", quality.DIRTY): Copies(1, 2, min_words=100, max_words=300),
        ("cwt1", quality.CLEAN): Copies(1, 2, min_words=100, max_words=300),
        ("cwt1", quality.DIRTY): Copies(1, 2, min_words=100, max_words=300),
        ("gold", quality.CLEAN): Copies(0, 3, min_words=100, max_words=300),
        ("curated", quality.CLEAN): Copies(0, 1, min_words=100, max_words=300, every=10),
    },
    recipe=Recipe(loss="softmax", lr=0.2, epoch=3),
    figures=quality_figures,
    purpose="P(clean): the probability that a reader would call a text worth keeping.",
    split=(
        "Five folds of whole sites and sources; every figure is of documents whose site "
        "or source the scoring model was not trained on. Pages with the same words count "
        "once. Clean means good or mixed."
    ),
    weaknesses=(
        "Clean pages are few (a tenth of the pages read), so precision on a raw crawl is "
        "low at 0.5; raise select.min_quality for a purer corpus. Mixed pages, prose "
        "under a heavy menu, are scored between. Text is read as a bag of words and word "
        "pairs: order, layout and length are invisible to the model, and fluent but "
        "worthless prose passes (the ChineseWebText samples are at chance). A text of a "
        "few words gets an extreme score that means nothing; the length rule removes "
        "such texts first."
    ),
)
