"""The task perplexity: language models that separate gambling and pornography from other text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.training.common.data_files import (
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
from jobs.training.common.metrics import area_interval, area_under_roc, at_threshold
from jobs.training.common.pages import page_groups, whole_page_documents
from jobs.training.common.task import FIGURES_ONLY, Answers, Figures, Found, Rows, Task
from jobs.training.toxicity.perplexity_fit import (
    CLEAN,
    HARMFUL,
    HARMFUL_FILE,
    OTHER,
    PLAIN_FILE,
    LanguageModelRecipe,
    LanguageModels,
    fit_perplexity,
    load_language_models,
)
from udfs.base.array_types import BoolArray, Float64Array

_RECIPE = LanguageModelRecipe()
_AGAINST_CLEAN = "gambling and pornography pages against clean ones, all that a corpus wants"
_AGAINST_CLEAN_CRAWL = "against clean pages of the crawl alone"
_HARMFUL_KINDS = ("gambling", "porn")
_WANTED = 1
"""Grade of a text that belongs in a corpus."""


def perplexity_documents(rows: Rows) -> list[Document]:
    """Return pages of the crawl labelled by what they offer, and harmless texts.

    The grade is 1 for texts that belong in a corpus.
    """
    read = [_crawl_page(row) for row in (*rows[PAGES_READ], *rows[PAGES_LABELLED])]
    html = [replace(d, labels=(CLEAN,)) for d in whole_page_documents(rows[HTML_PAGES])]
    sites = [d.unit for d in (*read, *html)]
    groups = page_groups([d.text for d in (*read, *html)], sites)
    group_of = dict(zip(sites, groups, strict=True))
    pages = [replace(d, unit=group) for d, group in zip((*read, *html), groups, strict=True)]
    gold = [
        Document("", (CLEAN,), group_of.get(r["site"]) or r["site"], "gold", _WANTED, r["text"])
        for r in rows[GOLD_PAGES]
    ]
    curated = [
        Document("", (CLEAN,), r["source"], "curated", _WANTED, r["text"])
        for r in rows[DOMAIN_TRAIN][:: _RECIPE.curated_every]
    ]
    return [replace(d, line=" ".join(d.text.split())) for d in (*pages, *gold, *curated)]


def perplexity_figures(
    documents: Sequence[Document], models: LanguageModels, answers: npt.NDArray[Any]
) -> Figures:
    """Measure harmful pages against texts that belong in a corpus, and against all harmless ones.

    Args:
        answers: Of each document its perplexity, and 1 if that is under the limit, else 0.
    """
    scores, flags = answers[:, 0], answers[:, 1] == 1
    harmful, clean = (
        np.array([d.labels[0] == name for d in documents]) for name in (HARMFUL, CLEAN)
    )
    wanted = clean & np.array([d.grade >= _WANTED for d in documents])
    kinds = np.array([d.kind for d in documents])
    units = [d.unit for d in documents]

    def against(negative: BoolArray) -> dict[str, Any]:
        chosen = np.flatnonzero(harmful | negative)
        truth, values = harmful[chosen], -scores[chosen]
        return {
            "rows": len(chosen),
            "harmful": int(truth.sum()),
            "auc": round(area_under_roc(truth, values), 4),
            "auc_interval_95": area_interval(
                truth.tolist(), values.tolist(), [units[at] for at in chosen]
            ),
            "precision_at_recall_0.9": _precision_at(truth, values, 0.9),
            "at": [
                {
                    **at_threshold(truth, flags[chosen].astype(np.float64), 0.5),
                    "threshold": "of the inner folds",
                }
            ],
        }

    def alone(chosen: BoolArray) -> dict[str, Any]:
        quantiles = np.quantile(scores[chosen], [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
        return {
            "rows": int(chosen.sum()),
            "flagged_share": round(float(flags[chosen].mean()), 4),
            "perplexity_quantiles_5_25_50_75_95": [round(value, 4) for value in quantiles],
        }

    crawl = kinds == "crawl"
    negatives = {
        _AGAINST_CLEAN: wanted,
        _AGAINST_CLEAN_CRAWL: wanted & crawl,
        "against all other pages of the crawl, most of them junk": clean & crawl,
    }
    parts = {
        "harmful pages": harmful,
        "clean pages of the crawl": wanted & crawl,
        "other pages of the crawl, all junk": clean & ~wanted & crawl,
        "whole pages of news sites and forums": kinds == "html",
        "main text of these": kinds == "gold",
        "curated text of sources never seen": kinds == "curated",
    }
    return {name: against(rows) for name, rows in negatives.items() if rows.any()} | {
        name: alone(rows) for name, rows in parts.items() if rows.any()
    }


def _precision_at(truth: BoolArray, values: Float64Array, recall: float) -> float:
    """Precision at the highest limit with this recall."""
    needed = int(np.ceil(recall * truth.sum()))
    limit = np.sort(values[truth])[::-1][needed - 1]
    return round(float(truth[values >= limit].mean()), 4)


def harm_of(row: dict[str, Any]) -> str:
    """Return the label of a read page: `HARMFUL` (gambling, pornography), `OTHER` or `CLEAN`."""
    kind = row.get("toxic_kind", row["kind"])
    return CLEAN if not row["toxic"] else HARMFUL if kind in _HARMFUL_KINDS else OTHER


def _crawl_page(row: dict[str, Any]) -> Document:
    label = harm_of(row)
    grade = _WANTED if row["quality"] > 0 and not row["toxic"] else 0
    return Document("", (label,), row["site"], "crawl", grade, row["text"])


def _answers(models: LanguageModels, found: Found, documents: Sequence[Document]) -> Answers:
    scores = models.perplexities(documents)
    answers: Answers = np.stack([scores, scores < found["max_perplexity"]], axis=1)
    return answers


PERPLEXITY = Task(
    name="perplexity",
    files=(
        *(replace(file, needs=(*file.needs, "kind")) for file in PAGE_FILES),
        HTML_FILE,
        DOMAIN_FILE,
        replace(GOLD_FILE, use=FIGURES_ONLY),
    ),
    documents=perplexity_documents,
    only_measured=frozenset(),
    recipe=_RECIPE,
    fit=fit_perplexity,
    written=(HARMFUL_FILE, PLAIN_FILE),
    load=load_language_models,
    answers=_answers,
    figures=perplexity_figures,
    headlines=(
        (_AGAINST_CLEAN, "precision_at_recall_0.9"),
        (_AGAINST_CLEAN_CRAWL, "precision_at_recall_0.9"),
    ),
    purpose=(
        "The perplexity of a text under a character 5-gram language model of gambling and "
        "pornography pages, relative to that under a language model of plain text: 1 where no part "
        "is likelier in harmful text, and lower the more of the text is. The plain model is a "
        "second file and may be omitted; the perplexity is then that of the harmful model alone."
    ),
    split=(
        "Five folds of whole groups. A group is all pages of one site or one template (pages that "
        "share a fifth of their ten-character windows), or one source. Every figure is of "
        "documents whose group neither model was trained on; the limit is chosen on four inner "
        "folds of each training part. Clean pages are those that were read as good or mixed and "
        "not toxic; pages with other harm (fraud, drugs, weapons) are left out. Main text is never "
        "trained on. The interval comes from 2,000 draws of whole groups."
    ),
    weaknesses=(
        "How pieces are cut and weighted was designed while looking at errors of earlier models on "
        "the same pages, which no fold corrects for: expect slightly lower figures elsewhere. Of "
        "pages that are neither clean nor harmful (lists of films, downloads, a spammer's other "
        "titles) one in five is flagged; many name what they lead to. With groups assigned to "
        "other folds the first two figures of precision are 0.87 and 0.97. A hijacked company "
        "page that is harmful only in its title is missed if no word of the title is known. Short "
        "lines that advertise in code words are not found. The model of harmful text alone, as in "
        "the paper, does not separate such pages from clean ones: they are mostly menus and "
        "copied prose."
    ),
)
