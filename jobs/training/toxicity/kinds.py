"""The task kinds: which kind of harm a toxic text is."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.data_files import (
    FREE_LINES,
    LINES_FILE,
    PAGE_FILES,
    PAGES_LABELLED,
    PAGES_READ,
    TOXIC_LINES,
)
from jobs.training.common.examples import Document
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import SparseRows
from jobs.training.common.linear_classes import fit_softmax
from jobs.training.common.metrics import label_figures
from jobs.training.common.pages import page_groups
from jobs.training.common.task import Answers, Figures, Found, Rows, Settings, Task
from jobs.training.toxicity.fit import LINES, PAGES
from jobs.training.toxicity.made import MADE, described_grammar, made_documents
from jobs.training.toxicity.perplexity_fit import has_harmful_word, pieces
from jobs.training.toxicity.short_fit import gram_line
from jobs.training.toxicity.task import part_of_line
from jobs.training.toxicity.word_space import WordSpace
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers.toxic_kinds import (
    BLACK_MARKET,
    FRAUD,
    GAMBLING,
    INSULT,
    KINDS,
    PORNOGRAPHY,
)
from udfs.tokens.tokens import tokens_of_lines

OTHER_LINES = "other lines"
"""Kind of lines whose licence forbids training."""
LABELS = tuple(sorted(KINDS))

_PAGE_KINDS = {
    "gambling": GAMBLING, "porn": PORNOGRAPHY, "fraud": FRAUD, "drugs": BLACK_MARKET,
    "weapons": BLACK_MARKET,
}  # fmt: skip
"""toxic_kind of a read page -> kind; other pages are left out."""
_LINE_KINDS = {
    "abuse": INSULT, "gambling": GAMBLING, "porn": PORNOGRAPHY, "fraud": FRAUD,
    "black-market ad": BLACK_MARKET,
}  # fmt: skip
"""type of a line of ChineseHarm -> kind; toxic lines of the other sources are insults."""
_NAMES = {
    MADE: "made messages of template families never seen",
    PAGES: "crawl pages of sites and templates never seen",
    LINES: "lines of cold and swsr, held-out parts",
}


@dataclass(frozen=True, kw_only=True)
class KindsRecipe(Settings):
    """Settings of the fit."""

    min_lines: int = 4
    """Fewest training documents of a gram that gets a weight."""
    scale: float = 10.0
    """Factor of the values of the regression; the larger, the closer the fit."""
    penalty: float = 1.0
    steps: int = 60
    """Penalty and steps of `fit_softmax`."""
    page_chars: int = 400
    """Characters of a page's harmful pieces that are read: windows are of this size."""


def kinds_documents(rows: Rows) -> list[Document]:
    """Return toxic lines, pages and made messages, labelled with their kind of harm."""
    pages = [
        row
        for row in (*rows[PAGES_READ], *rows[PAGES_LABELLED])
        if row["toxic"] and _page_kind(row)
    ]
    groups = page_groups([r["text"] for r in pages], [r["site"] for r in pages])
    found = [
        (harmful_part(r["text"]), str(_page_kind(r)), g, PAGES)
        for r, g in zip(pages, groups, strict=True)
    ]
    for row in rows[TOXIC_LINES]:
        if row["label"] == 1:
            kind = LINES if row["source"] in FREE_LINES else OTHER_LINES
            label = _LINE_KINDS.get(row.get("type", ""), INSULT)
            found.append((row["text"], label, part_of_line(row), kind))
    for made in made_documents():
        if made.note in KINDS:
            found.append((made.text, made.note, made.unit, MADE))
    return [
        Document(gram_line(text), (label,), unit, kind, text=text, note=unit.split()[0])
        for text, label, unit, kind in found
    ]


def harmful_part(text: str) -> str:
    """Return the pieces of a page with a word of gambling or pornography, as a window of it would
    have them; the beginning of a page without one."""
    most = KindsRecipe().page_chars
    harmful = dict.fromkeys(filter(has_harmful_word, pieces(text)))
    return (" ".join(harmful) or text)[:most]


def fit_kinds(documents: Sequence[Document], path: Path, recipe: KindsRecipe) -> Found:
    """Fit a softmax regression on the grams of documents, each kind of equal weight, and write it.

    Args:
        documents: Labelled with their kind.
        path: The fastText file.
    Returns:
        Numbers of documents by kind and of grams, and what the made messages came from.
    """
    examples = [d for d in documents if d.line]
    lines = [d.line for d in examples]
    space = WordSpace.of(lines, recipe.min_lines)
    rows = space.rows(tokens_of_lines(lines))
    sizes = np.diff(rows.bounds)
    values = rows.values * np.repeat(recipe.scale / np.sqrt(sizes), sizes)
    scaled = SparseRows(rows.bounds, rows.columns, values.astype(np.float32), rows.width)
    counts = Counter(d.labels[0] for d in examples)
    truth = np.array([LABELS.index(d.labels[0]) for d in examples])
    weights = np.array([1_000 / counts[d.labels[0]] for d in examples])
    fitted = fit_softmax(scaled, np.eye(len(LABELS))[truth], weights, recipe.penalty, recipe.steps)
    write_linear_model(path, space.words, LABELS, recipe.scale * fitted, np.eye(len(LABELS)))
    by_kind = {f"documents_{kind}": counts[kind] for kind in LABELS}
    return {**by_kind, "grams": len(space.words), **described_grammar()}


def kinds_answers(model: FastTextModel, found: Found, documents: Sequence[Document]) -> Answers:
    """Return the probability of each kind, of the whole of short texts and a part of pages."""
    return model.probabilities([d.line for d in documents])


def kinds_figures(documents: Sequence[Document], model: FastTextModel, table: Answers) -> Figures:
    """Measure made messages, pages, lines, and the sources of lines that are never trained on."""
    predicted = [model.labels[column] for column in table.argmax(axis=1).tolist()]
    names = dict(_NAMES)
    for document in documents:
        if document.kind == OTHER_LINES:
            names[document.note] = f"lines of {document.note}, never trained on"
    figures: Figures = {}
    for key, name in names.items():
        chosen = [at for at, d in enumerate(documents) if key in (d.kind, d.note)]
        if chosen:
            figures[name] = label_figures(
                [documents[at].labels for at in chosen], [[predicted[at]] for at in chosen], LABELS
            )
    return figures


def _page_kind(row: dict[str, Any]) -> str | None:
    return _PAGE_KINDS.get(row.get("toxic_kind", row["kind"]))


KINDS_TASK = Task(
    name="kinds",
    files=(
        LINES_FILE,
        *(dataclasses.replace(file, needs=(*file.needs, "kind")) for file in PAGE_FILES),
    ),
    documents=kinds_documents,
    only_measured=frozenset({OTHER_LINES}),
    apart=frozenset({MADE}),
    recipe=KindsRecipe(),
    fit=fit_kinds,
    answers=kinds_answers,
    figures=kinds_figures,
    headlines=(
        (_NAMES[MADE], "main_accuracy"),
        (_NAMES[PAGES], "main_accuracy"),
        ("lines of chineseharm, never trained on", "main_accuracy"),
    ),
    purpose=(
        "Which kind of harm a toxic text is: insult (of a person or a group), gambling, "
        "pornography (sexual offers), fraud (offers by which people are cheated of money) or "
        "black_market (offers of what is forbidden to sell: accounts, invoices, clicks, "
        "certificates, fakes). It is read of the worst span of a text, and only where toxicity has "
        "label 1. A linear model of characters and pairs of neighbours, written as a fastText file."
    ),
    split=(
        "Five folds of whole units, as for toxicity: the unit of a made message is its family of "
        "templates, that of a page all pages of its site and template, that of a line one of 40 "
        "parts of its source. Every figure is of documents whose unit the model was not trained "
        "on. Only toxic documents are measured, by their true label. Sets whose licence forbids "
        "commercial use or derivatives are only measured."
    ),
    weaknesses=(
        "Fraud and black_market share their words, and are often taken for one another. Both are "
        "known from made messages and a few pages. A text has one kind, that of its worst span. "
        "The kind says nothing of whether a text is harmful at all."
    ),
)
