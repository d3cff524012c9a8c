"""The task quality: a fastText model that separates pages worth keeping from junk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from jobs.training.common.calibration import label_claims
from jobs.training.common.data_files import (
    CWT1,
    CWT1_FILE,
    DOMAIN_FILE,
    DOMAIN_TRAIN,
    GOLD_FILE,
    GOLD_PAGES,
    HTML_FILE,
    HTML_PAGES,
    PAGE_FILES,
    PAGES_LABELLED,
    PAGES_READ,
)
from jobs.training.common.examples import Document
from jobs.training.common.metrics import (
    THRESHOLDS,
    area_interval,
    binary_figures,
    calibration_table,
)
from jobs.training.common.pages import page_groups, whole_page_documents
from jobs.training.common.task import FIGURES_ONLY, Figures, Rows, Task
from jobs.training.quality.fit import QualityRecipe, fit_quality
from udfs.base.array_types import Float64Array
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers import quality
from udfs.tokens.segment import MAX_CHARS
from udfs.tokens.tokenizer import token_lines

_ALL_PAGES = "crawl pages, junk against mixed and good"
_ALL_COPIES = "crawl pages, each copy counted"
_RANDOM_PAGES = "of these, random pages of the crawl"
_GOOD_PAGES = "crawl pages, junk against good"

_CURATED_EVERY = 8
_LEAST_PROSE_CHARS = 150


def quality_documents(rows: Rows) -> list[Document]:
    """Return the documents of the task.

    These are crawl pages as read (mixed pages count as clean), whole pages of news sites and
    forums, and texts that should score as clean: curated texts and main texts.
    """
    ungrouped = [
        *_of(rows[PAGES_READ], "read"),
        *_of(rows[PAGES_LABELLED], "picked"),
        *whole_page_documents(rows[HTML_PAGES]),
    ]
    sites = [document.unit for document in ungrouped]
    groups = page_groups([document.text for document in ungrouped], sites)
    group_of = dict(zip(sites, groups, strict=True))
    pages = [replace(d, unit=group) for d, group in zip(ungrouped, groups, strict=True)]
    main_texts = [
        Document("", (quality.CLEAN,), group_of.get(site, site), "gold", text=r["text"])
        for r in rows[GOLD_PAGES]
        for site in [str(r["site"])]
    ]
    samples = [
        Document("", (_label(r["label"] == "clean"),), r["source"], "cwt1", text=r["text"])
        for r in rows[CWT1]
    ]
    # No mathematics: exercises are not prose that a made page could show under a menu.
    curated = [
        Document("", (quality.CLEAN,), r["source"], "curated", text=r["text"])
        for r in rows[DOMAIN_TRAIN][::_CURATED_EVERY]
        if r["label"] != "math" and len(r["text"]) >= _LEAST_PROSE_CHARS
    ]
    documents = pages + main_texts + samples + curated
    lines = token_lines([d.text[:MAX_CHARS] for d in documents], [quality.bundled_tokenizer()])[0]
    return [replace(d, line=line) for d, line in zip(documents, lines, strict=True)]


def quality_figures(
    documents: Sequence[Document], model: FastTextModel, table: Float64Array
) -> Figures:
    """Measure crawl pages, and whether texts of other kinds pass."""
    scores = table[:, model.column(quality.CLEAN)]

    def of(
        kinds: Sequence[str],
        use: Callable[[Document], bool] = lambda _: True,
        all_copies: bool = False,
    ) -> Any:
        chosen = [
            (d.labels[0] == quality.CLEAN, score, d.unit)
            for d, score in zip(documents, scores.tolist(), strict=True)
            if d.kind in kinds and use(d)
            for _ in range(d.copies if all_copies else 1)
        ]
        truth, values = [p for p, _, _ in chosen], [s for _, s, _ in chosen]
        figures = binary_figures(truth, values, THRESHOLDS)
        if any(truth) and not all(truth):
            interval = area_interval(truth, values, [unit for _, _, unit in chosen])
            figures["auc_interval_95"] = interval
            figures["calibration"] = calibration_table(truth, values)
        return figures

    return {
        _ALL_PAGES: of(["read", "picked"]),
        _RANDOM_PAGES: of(["read"]),
        "of these, pages picked for prose": of(["picked"]),
        _GOOD_PAGES: of(["read", "picked"], lambda d: d.grade != 1),
        _ALL_COPIES: of(["read", "picked"], all_copies=True),
        "ChineseWebText 1.0 samples, dirty against clean": of(["cwt1"]),
        "whole pages of news sites and forums, all of use": of(["html"]),
        "main text of these, all clean": of(["gold"]),
        "curated text of sources never seen, all clean": of(["curated"]),
    }


def _of(rows: Sequence[dict[str, Any]], kind: str) -> list[Document]:
    return [
        Document(
            "", (_label(r["quality"] > 0),), r["site"], kind, r["quality"], r["text"], r["kind"]
        )
        for r in rows
    ]


def _label(is_clean: bool) -> str:
    return quality.CLEAN if is_clean else quality.DIRTY


QUALITY = Task(
    name="quality",
    files=(
        *(replace(file, needs=(*file.needs, "kind")) for file in PAGE_FILES),
        HTML_FILE,
        DOMAIN_FILE,
        replace(GOLD_FILE, use=FIGURES_ONLY),
        replace(CWT1_FILE, use=FIGURES_ONLY),
    ),
    documents=quality_documents,
    only_measured=frozenset(),
    recipe=QualityRecipe(),
    fit=fit_quality,
    curve=((_ALL_PAGES, "auc"), (_ALL_COPIES, "auc")),
    headlines=(
        (_ALL_PAGES, "auc"),
        (_ALL_PAGES, "auc_interval_95"),
        (_ALL_COPIES, "auc"),
        (_RANDOM_PAGES, "auc"),
        (_GOOD_PAGES, "auc"),
    ),
    figures=quality_figures,
    claims=label_claims(
        quality.CLEAN,
        {
            "random pages of the crawl: a reader would keep the page": ("read",),
            "all crawl pages, those picked for prose too: a reader would keep the page": (
                "read",
                "picked",
            ),
        },
        expected="random pages of the crawl: a reader would keep the page",
        kind_of=lambda document: document.note,
    ),
    purpose="P(clean): the probability that a reader would keep the page.",
    split=(
        "Ten folds of whole groups. A group is all pages of one site or one template (pages that "
        "share a fifth of their ten-character windows), or one source. Every figure is of "
        "documents whose group the scoring model was not trained on, directly or as made pages. "
        "The strength of the regression and the calibration are chosen on four inner folds of "
        "each training part. Pages with the same words count once unless stated otherwise. Clean "
        "means good or mixed. The interval comes from 2,000 draws of whole groups."
    ),
    weaknesses=(
        "The measures and the made pages were designed while looking at errors of earlier models "
        "on the same pages, which no fold corrects for: expect slightly lower figures elsewhere. "
        "Mixed pages (prose under a heavy menu) are a matter of taste, and most of the readers' "
        "doubts. Copied prose under a spammer's title passes if the title has no known word. On "
        "the samples of ChineseWebText, which differ in little but their source, the model is at "
        "chance. Scores are calibrated on raw pages of a crawl: of main texts, more are worth "
        "keeping than the scores say. What a score means by kind is measured by the kinds that "
        "readers gave, not by page_kind: that needs a page's HTML, which the labelled pages do "
        "not have, and of those with HTML all are worth keeping. Texts of fewer than 150 "
        "characters are junk to the model, whatever their content. An error page in whole "
        "sentences, of an unknown kind, may score 0.6."
    ),
)
