"""Fit the register model: first to machine translations, then to Chinese documents near it.

The translations are many and the Chinese documents few, and both differ in what they are about, in
wording and in the share of each label. So the second fit starts at the weights of the first, and is
pulled to them: a document changes the weights of its words only as far as its labels ask for it. A
label of which there are hardly any Chinese documents keeps the weights of the first.

Logits are means over a line's tokens, as in fastText. The constant is added to every token, which
adds it to any mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import SparseRows
from jobs.training.common.linear_classes import fit_sigmoid
from jobs.training.common.task import Found, Settings, TrainingError
from udfs.base.array_types import Float64Array
from udfs.scorers.register import REGISTERS, SUBREGISTERS

SILVER, READ, ORIGINALS = "silver", "read", "originals"
"""Kinds of documents: machine translations, Chinese pages that a language model read, and Chinese
documents that people labelled."""


@dataclass(frozen=True, kw_only=True)
class RegisterRecipe(Settings):
    """Settings of the fit."""

    folds: int = 10
    min_documents: int = 100
    """Fewest translations of a sub-label that the model knows."""
    min_lines: int = 8
    """Fewest translations and read pages with a word that gets a weight."""
    scale: float = 12.0
    """Factor of a word's share of its line."""
    rarity_power: float = 0.5
    """Exponent of a word's rarity, a further factor."""
    silver_penalty: float = 0.1
    silver_steps: int = 30
    """Penalty and steps of the fit to translations."""
    penalty: float = 0.033
    steps: int = 60
    """Penalty of the distance from these weights, and steps, of the fit to Chinese documents."""
    read_weight: float = 0.5
    """Weight of a page that was read; one that people labelled weighs 1."""
    min_chinese: int = 12
    """Fewest Chinese documents of a label that are learnt from: others stay as translations have
    taught them."""


@dataclass(frozen=True)
class RegisterWords:
    """The words that have a weight."""

    words: tuple[str, ...]
    factors: Float64Array
    """Of each word, (words,)."""

    @classmethod
    def of(cls, documents: Sequence[Document], recipe: RegisterRecipe) -> RegisterWords:
        """Return the frequent words of documents, by falling count, then by word."""
        counts: Counter[str] = Counter()
        for document in documents:
            counts.update(set(document.line.split()))
        kept = [word for word, count in counts.items() if count >= recipe.min_lines]
        words = tuple(sorted(kept, key=lambda word: (-counts[word], word)))
        rarity = np.log(len(documents) / np.array([counts[word] for word in words]))
        return cls(words, recipe.scale * rarity**recipe.rarity_power)

    def rows(self, documents: Sequence[Document]) -> SparseRows:
        """Return the share of each word among the known ones of each line, times its factor, and 1
        in a last column."""
        places = {word: place for place, word in enumerate(self.words)}
        bounds, columns, values = [0], list[int](), list[float]()
        for document in documents:
            known = Counter(places[word] for word in document.line.split() if word in places)
            whole = max(1, known.total())
            columns += [*known, len(self.words)]
            values += [n / whole * self.factors[word] for word, n in known.items()] + [1.0]
            bounds.append(len(columns))
        return SparseRows(
            np.array(bounds, dtype=np.int64),
            np.array(columns, dtype=np.int32),
            np.array(values, dtype=np.float32),
            len(self.words) + 1,
        )


def fit_register(documents: Sequence[Document], path: Path, recipe: RegisterRecipe) -> Found:
    """Fit one-vs-rest regressions on the words of documents, and write them as a fastText file.

    Args:
        documents: Of kind SILVER, and any others.
        path: The file.
    Returns:
        Numbers of documents and words.
    Raises:
        TrainingError: there is no translation, or no Chinese document.
    """
    silver = [d for d in documents if d.kind == SILVER and d.line]
    others = [d for d in documents if d.kind != SILVER and d.line]
    if not silver or not others:
        raise TrainingError("translations and Chinese documents are both needed")
    read = tuple(d for d in documents if d.kind == READ)
    space, labels, start = _fitted_to_silver(tuple(silver), read, recipe)
    truth = _truth(others, labels)
    row_weights = np.array([recipe.read_weight if d.kind == READ else 1.0 for d in others])
    weights = fit_sigmoid(
        space.rows(others), truth, row_weights, recipe.penalty, recipe.steps, start
    )
    is_known = truth.sum(axis=0) >= recipe.min_chinese
    weights = np.where(is_known, weights, start)
    of_words = weights[:-1] * space.factors[:, None] + weights[-1]
    write_linear_model(path, space.words, labels, of_words, np.eye(len(labels)), loss="ova")
    kinds = Counter(d.kind for d in documents)
    counted = {f"documents_{kind}": kinds[kind] for kind in sorted(kinds)}
    return {**counted, "words": len(space.words)}


@lru_cache(maxsize=1)
def _fitted_to_silver(
    silver: tuple[Document, ...], read: tuple[Document, ...], recipe: RegisterRecipe
) -> tuple[RegisterWords, list[str], Float64Array]:
    """The words that have a weight, the labels, and the weights of a fit to translations: the same
    for all folds, which differ in originals alone."""
    counts = Counter(label for document in silver for label in document.labels)
    labels = [*REGISTERS, *(s for s in SUBREGISTERS if counts[s] >= recipe.min_documents)]
    space = RegisterWords.of([*silver, *read], recipe)
    weights = fit_sigmoid(
        space.rows(silver), _truth(silver, labels), np.ones(len(silver)), recipe.silver_penalty,
        recipe.silver_steps,
    )  # fmt: skip
    return space, labels, weights


def _truth(documents: Sequence[Document], labels: Sequence[str]) -> Float64Array:
    return np.array([[float(label in d.labels) for label in labels] for d in documents])
