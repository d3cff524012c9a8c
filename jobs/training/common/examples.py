"""Labelled documents for training, and held-out folds of them. No I/O, no Spark.

Documents of one source, or one site, share style, so a random split measures how well a model
knows the source. Whole sources and sites are held out instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Document:
    """One labelled text, already cut into words."""

    line: str
    """Its tokens as the scorer reads them, blanks between; empty where the text is read itself."""
    labels: tuple[str, ...]
    """Labels, the main one first."""
    unit: str
    """Source or site: documents of one unit are held out together."""
    kind: str
    """Which part of the data it is of; figures are given by kind."""
    grade: int = 0
    """What the data say beyond the label (quality: 0 junk, 1 mixed, 2 good)."""
    text: str = ""
    """The text itself, where a task needs it."""
    note: str = ""
    """What the data call it, where a task asks."""
    copies: int = 1
    """Documents of the same words, of which it is the first."""


def distinct(documents: Iterable[Document]) -> list[Document]:
    """The first document of every text: copies of a page on two sites would meet across folds."""
    first: dict[str, Document] = {}
    counts: Counter[str] = Counter()
    for document in documents:
        first.setdefault(document.line, document)
        counts[document.line] += 1
    return [replace(document, copies=counts[line]) for line, document in first.items()]


def fold_of_units(documents: Sequence[Document], folds: int) -> dict[str, int]:
    """Deal units to folds so that the documents of each main label are spread over the folds.

    The largest unit goes first, each to the fold that holds least of its labels, so that every
    label with two units or more is still trained when one of them is held out.

    Returns:
        Fold in [0, folds) of every unit; it depends on the documents only, not on their order.
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
    """The labels with the main one in front."""
    return [main, *(label for label in labels if label != main)]
