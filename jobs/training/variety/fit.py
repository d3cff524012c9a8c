"""Fit the linear model of varieties: for each n-gram, how much likelier a wanted variety is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.task import Found, Settings, TrainingError
from jobs.training.variety.documents import WANTED, WORDS, script_of_document, word_share
from udfs.base.array_types import Float64Array
from udfs.models.hashed_ngrams import HashedModel, count_ngrams, quantised, write_hashed_model
from udfs.scorers.specific_words import SpecificWords, read_specific_words, script_of
from udfs.scorers.variety import MIN_PROBABILITY, evidence


@dataclass(frozen=True, kw_only=True)
class VarietyRecipe(Settings):
    """Settings of the fit."""

    folds: int = 5
    min_ngram: int = 3
    max_ngram: int = 6
    """Characters of n-grams."""
    bits: int = 21
    """Bits of a bucket's number."""
    smoothing: dict[str, float] = field(
        default_factory=lambda: {"aeb_Arab": 0.25, "aeb_Latn": 0.075}
    )
    """Label -> what each count of its n-grams has more; the others get the same share of a whole.
    The fewer wanted documents, the more smoothing."""
    word_weight: float = 4.0
    """What the share of specific words adds to the mean weight of n-grams."""
    most_word_share: float = 0.05
    """Largest share that counts."""
    bonus_from: float = 0.015
    bonuses: dict[str, float] = field(default_factory=lambda: {"aeb_Arab": 20.0, "aeb_Latn": 0.0})
    """Label -> what the share adds beyond bonus_from: one word may be chance, several hardly."""
    prior: float = 100.0
    """n-grams of weight 0 that each text has more: a short text has a score near 0."""
    slopes: dict[str, float] = field(default_factory=lambda: {"aeb_Arab": 42.0, "aeb_Latn": 5.0})
    """Label -> from the score to log odds."""
    offsets: dict[str, float] = field(default_factory=lambda: {"aeb_Latn": -5.5})
    """Label -> log odds at score 0, where the others in the training do not tell them: in Latin
    letters one in a hundred of Algerian comments has MIN_PROBABILITY."""


def fit_variety(documents: Sequence[Document], path: Path, recipe: VarietyRecipe) -> Found:
    """Fit the weights of hashed n-grams and write the model.

    The weight of a bucket is the logarithm of how much more frequent its n-grams are in the wanted
    varieties than in the others: the mean over sources, of wanted ones by the root of their size,
    so that no source's subject decides. The specific words of another variety are one more source
    of others: no text of it need be at hand. A bucket of both scripts has the weight of the one
    that uses it more. It needs no steps and no order of the documents.

    The offset of a label is where the likeliest document of the others has MIN_PROBABILITY, each
    scored by weights that have not learnt its unit.

    Args:
        documents: Of each script some of a wanted variety and some of others, else the script is
            left out.
    Returns:
        Numbers of documents by label.
    Raises:
        TrainingError: no script has both.
    Source:
        Multinomial naive Bayes; McCallum and Nigam 1998. Its likelihood ratio of character n-grams
        separates dialects of sources never seen better than logistic regression on the same ones.
    """
    words = read_specific_words(WORDS)
    sides = {label: _sides(documents, label, words, recipe) for label in WANTED}
    known = {label: side for label, side in sides.items() if side.wanted and side.others}
    if not known:
        raise TrainingError("no script has documents of a wanted variety and of another one")
    numbers = {
        "word_weight": recipe.word_weight,
        "most_word_share": recipe.most_word_share,
        "bonus_from": recipe.bonus_from,
        "prior": recipe.prior,
    }
    whole, most = np.zeros(1 << recipe.bits), np.zeros(1 << recipe.bits)
    for label, side in known.items():
        weights, used = side.weights()
        whole = np.where(used > most, weights, whole)
        most = np.maximum(used, most)
        numbers[f"bonus_{label}"] = recipe.bonuses[label]
        numbers[f"slope_{label}"] = recipe.slopes[label]
        numbers[f"offset_{label}"] = (
            recipe.offsets[label] if label in recipe.offsets else side.offset(numbers)
        )
    write_hashed_model(path, _model(tuple(known), whole, numbers, recipe))
    counts = Counter(document.labels[0] for document in documents)
    return {f"documents_{label}": count for label, count in sorted(counts.items())}


@dataclass(frozen=True)
class _Sides:
    """Documents of one script by source: of a wanted variety and of the others."""

    label: str
    recipe: VarietyRecipe
    specific: frozenset[str]
    wanted: dict[str, list[Document]]
    others: dict[str, list[Document]]
    counts: dict[str, Float64Array]
    """Source -> how often each bucket has an n-gram of it."""
    lists: tuple[Float64Array, ...]
    """Of the words of each other variety, the same."""

    def weights(
        self, held_out: str = "", without: Sequence[Document] = ()
    ) -> tuple[Float64Array, Float64Array]:
        """Weights, and how much of both sides is in each bucket.

        Args:
            held_out: A source of the others that some documents of are left out, without.
        """
        roots = {name: len(own) ** 0.5 for name, own in self.wanted.items()}
        wanted = sum(root * _share(self.counts[name]) for name, root in roots.items())
        wanted = wanted / sum(roots.values())
        counts = {name: self.counts[name] for name in self.others}
        if held_out:
            counts[held_out] = counts[held_out] - _counts(without, self.recipe)
        sources = [*self.lists, *(own for own in counts.values() if own.any())]
        others = sum(map(_share, sources)) / max(len(sources), 1)
        whole = sum(self.counts[name].sum() for name in self.wanted)
        smoothing = self.recipe.smoothing[self.label] / whole
        ratio: Float64Array = np.log(wanted + smoothing) - np.log(others + smoothing)
        return ratio, wanted + others

    def offset(self, numbers: Mapping[str, float]) -> float:
        """Log odds at score 0."""
        scores = []
        for name, documents in self.others.items():
            for unit in sorted({document.unit for document in documents}):
                held_out = [document for document in documents if document.unit == unit]
                weights, _ = self.weights(name, held_out)
                model = _model((), weights, numbers, self.recipe)
                means = model.scores([d.line for d in held_out], self.recipe.prior).tolist()
                scores += [
                    evidence(numbers, self.label, mean, word_share(document.line, self.specific))
                    for document, mean in zip(held_out, means, strict=True)
                ]
        log_odds = math.log(MIN_PROBABILITY / (1 - MIN_PROBABILITY))
        return log_odds - numbers[f"slope_{self.label}"] * max(scores)


def _sides(
    documents: Sequence[Document], label: str, words: SpecificWords, recipe: VarietyRecipe
) -> _Sides:
    script = script_of(label)
    sides: tuple[dict[str, list[Document]], ...] = ({}, {})
    for document in sorted(documents, key=lambda d: (d.note, d.labels[0], d.line)):
        if script_of_document(document) == script:
            side = sides[document.labels[0] != label]
            side.setdefault(f"{document.note} {document.labels[0]}", []).append(document)
    wanted, others = sides
    lists = [
        Document(" ".join(sorted(own)), (variety,), variety, "")
        for variety, own in words.words.items()
        if script_of(variety) == script and variety not in WANTED
    ]
    return _Sides(
        label,
        recipe,
        words.words[label],
        wanted,
        others,
        {name: _counts(own, recipe) for name, own in (wanted | others).items()},
        tuple(_counts([document], recipe) for document in lists),
    )


def _counts(documents: Sequence[Document], recipe: VarietyRecipe) -> Float64Array:
    lines = [document.line for document in documents]
    return count_ngrams(lines, recipe.min_ngram, recipe.max_ngram, 1 << recipe.bits)


def _model(
    labels: tuple[str, ...],
    weights: Float64Array,
    numbers: Mapping[str, float],
    recipe: VarietyRecipe,
) -> HashedModel:
    in_bytes, scale = quantised(weights)
    return HashedModel(labels, recipe.min_ngram, recipe.max_ngram, scale, numbers, in_bytes)


def _share(counts: Float64Array) -> Float64Array:
    shares: Float64Array = counts / max(counts.sum(), 1.0)
    return shares
