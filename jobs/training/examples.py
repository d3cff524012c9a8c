"""Labelled documents for training: held-out folds, crops and fastText's lines. No I/O, no Spark.

Documents of one source, or one site, share style, so a random split measures how well a model
knows the source. Whole sources and sites are held out instead.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from udfs.fasttext_model import LABEL_PREFIX
from udfs.segment import tokens_for_fasttext


@dataclass(frozen=True)
class Document:
    """One labelled text, already cut into words."""

    line: str
    """Its words, as `udfs.segment.tokens_for_fasttext` makes them."""
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


@dataclass(frozen=True)
class Copies:
    """How a document of some kind and label enters a training set."""

    whole: int = 1
    """Copies of the whole document, with all its labels."""
    crops: int = 0
    """Copies of a window of its words, with the main label only, which ranks it first."""
    min_words: int = 8
    """Fewest words of a window."""
    max_words: int = 120
    """Most words of a window."""
    every: int = 1
    """Only each n-th such document enters."""


def make_document(
    text: str, labels: Sequence[str], unit: str, kind: str, grade: int = 0
) -> Document:
    """A document from its text, with the segmentation that scoring uses."""
    return Document(tokens_for_fasttext(text), tuple(labels), unit, kind, grade)


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


def training_lines(
    documents: Sequence[Document], copies: dict[tuple[str, str], Copies], seed: int
) -> list[str]:
    """Lines for fastText, shuffled: its gradient steps follow the order of the file.

    Args:
        documents: Documents to train on.
        copies: By (kind, main label); what is not named enters once, whole.
        seed: Of the windows and of the shuffle.
    """
    rng = random.Random(seed)
    lines = []
    seen: Counter[tuple[str, str]] = Counter()
    for document in documents:
        if not document.line:
            continue
        key = (document.kind, document.labels[0])
        plan = copies.get(key, Copies())
        seen[key] += 1
        if (seen[key] - 1) % plan.every:
            continue
        lines += [_labelled(document)] * plan.whole
        lines += [_labelled(_crop(document, plan, rng)) for _ in range(plan.crops)]
    rng.shuffle(lines)
    return lines


def _crop(document: Document, plan: Copies, rng: random.Random) -> Document:
    words = document.line.split(" ")
    length = rng.randint(plan.min_words, plan.max_words)
    start = rng.randrange(max(1, len(words) - length + 1))
    window = " ".join(words[start : start + length])
    return replace(document, line=window, labels=document.labels[:1])


def _labelled(document: Document) -> str:
    return " ".join([*(LABEL_PREFIX + label for label in document.labels), document.line])
