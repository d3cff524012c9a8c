"""The three training tasks: their files, what their rows mean, recipes and figures. No I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from jobs.transforms.training_examples import Copies, Document, make_document
from jobs.transforms.training_metrics import binary_figures, label_figures
from udfs import domain, quality, toxicity
from udfs.fasttext_model import FastTextModel

THRESHOLDS = (0.3, 0.5, 0.7, 0.9, 0.99)

TRAINED = "training and held-out figures"
FIGURES_ONLY = "figures only"

Figures = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class DataFile:
    """One labelled file under the data directory."""

    path: str
    needs: tuple[str, ...]
    licence: str
    use: str = TRAINED


@dataclass(frozen=True)
class Recipe:
    """fastText settings of one task; lr, epochs and n-grams start from the papers' values."""

    loss: Literal["softmax", "ova"]
    dim: int = 32
    lr: float = 0.5
    epoch: int = 5
    word_ngrams: int = 2
    min_count: int = 2
    bucket: int = 300_000
    cutoff: int = 60_000
    """Words and n-grams kept when quantising, those with the largest vectors."""
    seed: int = 20_240_601
    folds: int = 5


@dataclass(frozen=True)
class Task:
    """One scorer's training: data in, documents, recipe, figures, and words for the card."""

    name: str
    files: tuple[DataFile, ...]
    documents: Callable[[Mapping[str, list[dict[str, Any]]]], list[Document]]
    """Rows by file to documents; their kinds in `only_measured` are never trained on."""
    only_measured: frozenset[str]
    copies: dict[tuple[str, str], Copies]
    recipe: Recipe
    figures: Callable[[Sequence[Document], FastTextModel, npt.NDArray[np.float64]], Figures]
    """Figures of documents by their probabilities; the model gives the order of the labels."""
    purpose: str
    split: str
    weaknesses: str


PAGES_READ = "quality/hplt_web_read.jsonl.gz"
PAGES_LABELLED = "quality/hplt_web_labelled.jsonl.gz"
CWT1 = "quality/cwt1_clean_dirty.jsonl.gz"
DOMAIN_TRAIN = "domain/train.jsonl.gz"
GOLD_PAGES = "domain/web_pages.jsonl.gz"
TOXIC_LINES = "toxicity/lines.jsonl.gz"

_PAGE_FIELDS = ("text", "site", "quality", "toxic")
_HPLT = "MIT repository; texts their authors'"
_DOMAIN = (
    "by source: agieval, laws, xwlb, tal MIT; kdconv, cmedqa, gaokao Apache-2.0; cmrc, drcd "
    "CC BY-SA; the others none stated"
)
# Sources whose licence allows a shipped model; the rest of the file only measures.
_FREE_LINES = ("cold", "swsr")
_LINES = (
    "COLD Apache-2.0 and SWSR MIT trained on; ToxiCN CC BY-NC-ND and ChineseHarm CC BY-NC "
    "figures only"
)


def quality_documents(rows: Mapping[str, list[dict[str, Any]]]) -> list[Document]:
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


def domain_documents(rows: Mapping[str, list[dict[str, Any]]]) -> list[Document]:
    """Documents labelled by their source, crawl pages and real pages labelled by reading."""
    curated = [
        make_document(r["text"], _main_first(r["label"], r["labels"]), r["source"], "curated")
        for r in rows[DOMAIN_TRAIN]
    ]
    # Pages too junky to have a subject carry none, or are a line of menu words.
    pages = [
        make_document(r["text"], r.get("domains") or [r["domain"]], r["site"], "crawl")
        for r in rows[PAGES_READ] + rows[PAGES_LABELLED]
        if r["domain"] and len(r["text"]) > 200
    ]
    gold = [
        make_document(r["text"], _main_first(r["label"], r["labels"]), r["site"], "gold")
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


def toxicity_documents(rows: Mapping[str, list[dict[str, Any]]]) -> list[Document]:
    """Social-media lines, crawl pages as read, and curated text as benign."""
    lines = [
        make_document(
            r["text"],
            [_toxic(r["label"] == 1)],
            r["source"],
            "lines" if r["source"] in _FREE_LINES else "other lines",
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


def _clean(is_clean: bool) -> str:
    return quality.CLEAN if is_clean else quality.DIRTY


def _toxic(is_toxic: bool) -> str:
    return toxicity.TOXIC if is_toxic else toxicity.BENIGN


def _main_first(main: str, labels: Sequence[str]) -> list[str]:
    return [main, *(label for label in labels if label != main)]


_PAGE_FILES = (
    DataFile(PAGES_READ, (*_PAGE_FIELDS, "domain"), _HPLT),
    DataFile(PAGES_LABELLED, (*_PAGE_FIELDS, "domain"), _HPLT),
)
_DOMAIN_FILE = DataFile(DOMAIN_TRAIN, ("text", "label", "labels", "source"), _DOMAIN)
_GOLD_FILE = DataFile(GOLD_PAGES, ("text", "label", "labels", "site"), "the pages' own")

TASKS = {
    task.name: task
    for task in (
        Task(
            name="quality",
            files=(
                *_PAGE_FILES,
                DataFile(CWT1, ("text", "label", "source"), "none stated"),
                _DOMAIN_FILE,
                _GOLD_FILE,
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
        ),
        Task(
            name="domain",
            files=(_DOMAIN_FILE, *_PAGE_FILES, dataclasses.replace(_GOLD_FILE, use=FIGURES_ONLY)),
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
        ),
        Task(
            name="toxicity",
            files=(
                DataFile(TOXIC_LINES, ("text", "label", "source"), _LINES),
                *_PAGE_FILES,
                _DOMAIN_FILE,
                dataclasses.replace(_GOLD_FILE, use=FIGURES_ONLY),
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
        ),
    )
}
