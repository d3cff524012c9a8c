"""Fit the linear model of varieties: for each n-gram, how much likelier a wanted variety is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.task import Found, Settings, TrainingError
from jobs.training.variety.documents import WANTED, script_of_document
from udfs.base.array_types import Float64Array
from udfs.models.hashed_ngrams import HashedModel, count_ngrams, quantised, write_hashed_model

_WHOLE = 1e6
"""n-grams that the counts of each side are scaled to, before smoothing."""


@dataclass(frozen=True, kw_only=True)
class VarietyRecipe(Settings):
    """Settings of the fit."""

    folds: int = 5
    min_ngram: int = 3
    max_ngram: int = 6
    """Characters of n-grams."""
    bits: int = 20
    """Bits of a bucket's number."""
    smoothing: float = 0.05
    """Added to the counts of n-grams in a million."""
    word_weight: float = 4.0
    """What the share of specific words adds to the mean weight of n-grams."""
    most_word_share: float = 0.05
    """Largest share that counts."""
    prior: float = 100.0
    """n-grams of weight 0 that each text has more: a short text has a score near 0."""
    slopes: dict[str, float] = field(default_factory=lambda: {"aeb_Arab": 42.0, "aeb_Latn": 5.0})
    offsets: dict[str, float] = field(default_factory=lambda: {"aeb_Arab": -0.4, "aeb_Latn": -4.6})
    """Label -> from the score to log odds. 0.99 is set where one document of others in a thousand
    has it, of Latin script where one in a hundred of Algerian comments has."""


def fit_variety(documents: Sequence[Document], path: Path, recipe: VarietyRecipe) -> Found:
    """Fit the weights of hashed n-grams and write the model.

    The weight of a bucket is the logarithm of how much more frequent its n-grams are in the wanted
    varieties than in the others: the mean over sources, of wanted ones by the root of their size,
    so that no source's subject decides. It needs no steps and no order of the documents.

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
    buckets = 1 << recipe.bits
    wanted, other = np.zeros(buckets), np.zeros(buckets)
    labels = []
    for label in WANTED:
        of_script = [d for d in documents if script_of_document(d) == label.rpartition("_")[2]]
        ours = [d for d in of_script if d.labels[0] == label]
        theirs = [d for d in of_script if d.labels[0] != label]
        if ours and theirs:
            labels.append(label)
            wanted += _shares(ours, recipe, power=0.5)
            other += _shares(theirs, recipe, power=0.0)
    if not labels:
        raise TrainingError("no script has documents of a wanted variety and of another one")
    weights, scale = quantised(np.log(wanted + recipe.smoothing) - np.log(other + recipe.smoothing))
    numbers = {
        "word_weight": recipe.word_weight,
        "most_word_share": recipe.most_word_share,
        "prior": recipe.prior,
        **{f"slope_{label}": recipe.slopes[label] for label in labels},
        **{f"offset_{label}": recipe.offsets[label] for label in labels},
    }
    write_hashed_model(
        path,
        HashedModel(tuple(labels), recipe.min_ngram, recipe.max_ngram, scale, numbers, weights),
    )
    counts = Counter(document.labels[0] for document in documents)
    return {f"documents_{label}": count for label, count in sorted(counts.items())}


def _shares(documents: Sequence[Document], recipe: VarietyRecipe, power: float) -> Float64Array:
    """Return n-grams in a million by bucket: the mean over sources and labels, weighted by their
    number of documents to a power."""
    groups: dict[tuple[str, str], list[str]] = {}
    for document in documents:
        groups.setdefault((document.note, document.labels[0]), []).append(document.line)
    total, whole = np.zeros(1 << recipe.bits), 0.0
    for _, lines in sorted(groups.items()):
        counts = count_ngrams(lines, recipe.min_ngram, recipe.max_ngram, len(total))
        weight = len(lines) ** power
        total += weight * counts / max(counts.sum(), 1.0)
        whole += weight
    shares: Float64Array = _WHOLE * total / whole
    return shares
