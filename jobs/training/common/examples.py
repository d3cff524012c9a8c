"""Labelled documents for training, and held-out folds of them.

Documents of one source, or one site, share a style, so a random split measures how well a model
knows the source. Whole sources and sites are held out instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Document:
    """One labelled text with its token line."""

    line: str
    """Its tokens as the scorer reads them, separated by blanks."""
    labels: tuple[str, ...]
    """Labels, the main one first."""
    unit: str
    """Source or site: documents of one unit are held out together."""
    kind: str
    """The part of the data that it belongs to; figures are given by kind."""
    grade: int = 0
    """A finer label (quality: 0 junk, 1 mixed, 2 good; perplexity: 1 if it belongs in a corpus)."""
    text: str = ""
    """The text, where a task needs it."""
    note: str = ""
    """A further field of the data, where a task needs one."""
    copies: int = 1
    """Number of documents with the same line, of which it is the first."""


def distinct(documents: Iterable[Document]) -> list[Document]:
    """Return the first document of every line, so that copies on two sites do not span folds."""
    first: dict[str, Document] = {}
    counts: Counter[str] = Counter()
    for document in documents:
        first.setdefault(document.line, document)
        counts[document.line] += 1
    return [replace(document, copies=counts[line]) for line, document in first.items()]


def fold_of_units(documents: Sequence[Document], folds: int) -> dict[str, int]:
    """Assign units to folds so that the documents of each main label are spread over the folds.

    The largest unit comes first, each in the fold that holds least of its labels, so that every
    label with two units or more is still trained when one of them is held out.

    Returns:
        Fold in [0, folds) of every unit; it does not depend on the documents' order.
    """
    counts: dict[str, Counter[str]] = {}
    for document in documents:
        counts.setdefault(document.unit, Counter())[document.labels[0]] += 1
    held: list[Counter[str]] = [Counter() for _ in range(folds)]
    fold_of: dict[str, int] = {}
    for unit in sorted(counts, key=lambda unit: (-counts[unit].total(), unit)):
        labels = counts[unit]
        loads = [
            (sum(fold[label] * n for label, n in labels.items()), fold.total()) for fold in held
        ]
        fold_of[unit] = loads.index(min(loads))
        held[fold_of[unit]] += labels
    return fold_of


def main_first(main: str, labels: Sequence[str]) -> list[str]:
    """Return the labels with the main one first."""
    return [main, *(label for label in labels if label != main)]
