"""Fit the domain model: keywords first, then a regression on the labelled sources.

The labels of the curated documents follow from their sources, and a label has only three to seven.
An unconstrained model learns the style of the sources instead of the subject. So this one starts
from keywords written for the labels, whose weights the documents may only scale, and adds a
penalised regression on all words, whose targets are partly the keywords' predictions. Sources count
by the root of their size, and each with a limited number of documents.

Logits are means over a line's tokens, as in fastText; the offset of the calibration is added to
every token, which adds it to any mean.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import SparseRows
from jobs.training.common.linear_classes import class_logits, fit_multipliers, fit_softmax, softmax
from jobs.training.common.task import Settings
from jobs.training.domain.keywords import KEYWORDS, Keywords, read_keywords
from udfs.base import model_constants
from udfs.base.array_types import BoolArray, Float64Array
from udfs.files.artifacts import sha256_of
from udfs.scorers.domain import HOST_WEIGHT, LABELS, MIN_PROBABILITY, DomainSettings
from udfs.tokens.forms import MARK

PAGES = "crawl"
"""The kind of documents whose units are sites, too small to be weighted one by one."""

_OFFSET = float(np.log(MIN_PROBABILITY / (1 - MIN_PROBABILITY)))
"""Log odds of a label whose logit is the threshold."""


@dataclass(frozen=True, kw_only=True)
class DomainRecipe(Settings):
    """Settings of the fit."""

    folds: int = 8
    inner_folds: int = 3
    """Folds of the training units that threshold and slope are chosen on."""
    cell_documents: int = 200
    """Most documents of one label of one source."""
    pages_weight: float = 0.5
    """Weight of all crawl pages of a label; a source of it weighs 1."""
    main_share: float = 0.6
    """Share of the main label in the target of a document with several."""
    min_lines: int = 5
    """Fewest training lines of a word, other than a keyword, that gets a weight."""
    keyword_scale: float = 8.0
    """Factor of the listed weights."""
    form_scale: float = 5.0
    """Further factor of a form token; that of a keyword is its rarity."""
    keyword_hold: float = 10.0
    """Penalty that pulls the multipliers of keyword weights to 1."""
    most_scaled: float = 4.0
    """Largest multiplier."""
    keyword_steps: int = 40
    """Steps of `fit_multipliers`."""
    word_scale: float = 15.0
    """Scale of words in the regression."""
    rarity_power: float = 0.7
    """Exponent of a word's rarity, a further factor of its scale."""
    word_penalty: float = 1.0
    word_steps: int = 12
    """Penalty and steps of `fit_softmax`."""
    truth_share: float = 0.75
    """Share of the labels in the regression's targets; the rest is the keywords' prediction."""
    thresholds: tuple[float, ...] = (1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5)
    """Logits to choose from as the least one of a label that is given."""
    slopes: tuple[float, ...] = (0.3, 0.4, 0.5, 0.6, 0.7)
    """Slopes to choose from; steeper ones exceed fastText's table of the logistic function, which
    ends at 8."""

    def kind_weight(self, kind: str) -> float | None:
        """Return the weight of all documents of a kind of one label; None for a kind whose sources
        are weighed one by one, and are cut at `cell_documents`."""
        return self.pages_weight if kind == PAGES else None


@dataclass(frozen=True)
class Space:
    """Tokens that have a weight, and the weights of the keywords."""

    words: tuple[str, ...]
    rarity: Float64Array
    """Logarithm of the number of lines over the number of those with the word, (words,)."""
    given: Float64Array
    """Weights of the keywords, shape (words, labels)."""

    @classmethod
    def of(cls, lines: Sequence[str], keywords: Keywords, recipe: DomainRecipe) -> Space:
        """Return the space of keywords and frequent words, by falling count, then by word."""
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(set(line.split(" ")))
        kept = {w for w, n in counts.items() if w and (n >= recipe.min_lines or w in keywords)}
        words = tuple(sorted(kept | keywords.keys(), key=lambda word: (-counts[word], word)))
        found = np.array([counts[word] for word in words], dtype=np.float64)
        given = np.zeros((len(words), len(LABELS)))
        for place, word in enumerate(words):
            weights = keywords.get(word, {})
            rarity = max(0.0, float(np.log(len(lines) / (1 + counts[word]))))
            by_rarity = rarity / max(1.0, sum(weights.values()))
            shared = recipe.form_scale if word[0] == MARK else by_rarity
            for label, weight in weights.items():
                given[place, LABELS.index(label)] = recipe.keyword_scale * weight * shared
        return cls(words, np.log(len(lines) / np.maximum(found, 1)), given)

    def rows(self, lines: Sequence[str]) -> SparseRows:
        """Return one row a line: the share of each token among the known ones of the line."""
        places = {word: place for place, word in enumerate(self.words)}
        bounds, columns, values = [0], list[int](), list[float]()
        for line in lines:
            known = Counter(places[word] for word in line.split(" ") if word in places)
            whole = max(1, known.total())
            columns += known.keys()
            values += [count / whole for count in known.values()]
            bounds.append(len(columns))
        return SparseRows(
            np.array(bounds, dtype=np.int64),
            np.array(columns, dtype=np.int32),
            np.array(values, dtype=np.float32),
            len(self.words),
        )


def fit_domain(documents: Sequence[Document], path: Path, recipe: DomainRecipe) -> dict[str, Any]:
    """Fit the model to documents and write it.

    Args:
        documents: Curated ones, whose units are sources, and crawl pages, whose units are sites.
        path: The fastText file.
    Returns:
        What the inner folds chose, numbers of documents and tokens, and the keywords' digest.
    """
    chosen = limited(documents, recipe)
    keywords = read_keywords(KEYWORDS, LABELS)
    space = Space.of([document.line for document in chosen], keywords, recipe)
    rows = space.rows([document.line for document in chosen])
    threshold, slope = inner_calibration(chosen, rows, space, recipe)
    weights = fit_weights(chosen, rows, space, recipe)
    write_domain(path, space.words, weights, threshold, slope)
    return found_of(threshold, slope, len(chosen), keywords) | {"tokens": len(space.words)}


def found_of(threshold: float, slope: float, documents: int, keywords: Keywords) -> dict[str, Any]:
    """Return what a fit chose and counted, for the card."""
    return {
        "max_chars": DomainSettings().max_chars,
        "form_tokens": model_constants.FORM_TOKENS,
        "host_weight": HOST_WEIGHT,
        "threshold": threshold,
        "slope": slope,
        "documents": documents,
        "keywords": sum(map(len, keywords.values())),
        "keywords_sha256": sha256_of(KEYWORDS),
    }


def write_domain(
    path: Path, words: Sequence[str], weights: Float64Array, threshold: float, slope: float
) -> None:
    """Write a model whose labels have MIN_PROBABILITY from a logit of the threshold on."""
    calibrated = slope * (weights - threshold) + _OFFSET
    write_linear_model(path, words, LABELS, calibrated, np.eye(len(LABELS)), loss="ova")


def chances_of(logits: Float64Array, threshold: float, slope: float) -> Float64Array:
    """Return the probabilities that a written model gives for logits."""
    chances: Float64Array = 1 / (1 + np.exp(-(slope * (logits - threshold) + _OFFSET)))
    return chances


def limited(documents: Sequence[Document], recipe: DomainRecipe) -> list[Document]:
    """Draw at most `cell_documents` documents of each label of each source, and take all pages.

    Documents without words are dropped.
    """
    order = [document for document in documents if document.line]
    random.Random(recipe.seed).shuffle(order)
    seen: Counter[tuple[str, str]] = Counter()
    chosen = []
    for document in order:
        cell = _cell(document, recipe)
        seen[cell] += 1
        if cell[1] == document.kind or seen[cell] <= recipe.cell_documents:
            chosen.append(document)
    return chosen


def fit_weights(
    documents: Sequence[Document], rows: SparseRows, space: Space, recipe: DomainRecipe
) -> Float64Array:
    """Fit the weight of every token for every label, (words, labels).

    The logits of a line are the means of its tokens' weights.
    """
    targets = _targets(documents, recipe)
    counts = row_weights(documents, recipe)
    is_form = np.array([word[0] == MARK for word in space.words])
    given = fit_multipliers(
        rows, targets, counts, space.given, is_form, recipe.keyword_hold, recipe.most_scaled,
        recipe.keyword_steps,
    )  # fmt: skip
    predicted = softmax(class_logits(rows, given))
    # Forms are part of a source's style too: form tokens keep their listed weights.
    scale = np.where(is_form, 0.0, recipe.word_scale * space.rarity**recipe.rarity_power)
    added = fit_softmax(
        rows.scaled(np.ones(len(rows)), scale),
        recipe.truth_share * targets + (1 - recipe.truth_share) * predicted,
        counts,
        recipe.word_penalty,
        recipe.word_steps,
    )
    return given + added * scale[:, None]


def inner_calibration(
    documents: Sequence[Document], rows: SparseRows, space: Space, recipe: DomainRecipe
) -> tuple[float, float]:
    """Choose the least logit of a label that is given, by the F1 of label sets, and the slope.

    Both are chosen on documents whose unit the weights were not fitted on, the slope by its
    likelihood.
    """
    return calibration(inner_logits(documents, rows, space, recipe), documents, recipe)


def inner_logits(
    documents: Sequence[Document], rows: SparseRows, space: Space, recipe: DomainRecipe
) -> Float64Array:
    """Return logits of documents by weights fitted without their unit, (documents, labels)."""
    folds = fold_of_units(documents, recipe.inner_folds)
    fold_of = np.array([folds[document.unit] for document in documents])
    logits = np.zeros((len(documents), len(LABELS)))
    for fold in range(recipe.inner_folds):
        inside, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        if len(inside) and len(held):
            trained = [documents[place] for place in inside.tolist()]
            weights = fit_weights(trained, rows.picked(inside), space, recipe)
            logits[held] = class_logits(rows.picked(held), weights)
    return logits


def calibration(
    logits: Float64Array, documents: Sequence[Document], recipe: DomainRecipe
) -> tuple[float, float]:
    """Choose threshold and slope, as `inner_calibration` does, from the logits of documents."""
    truth, counts = truth_of(documents), row_weights(documents, recipe)
    threshold = max(recipe.thresholds, key=lambda t: set_f1(logits, truth, counts, t))

    def likelihood(slope: float) -> float:
        scaled = slope * (logits - threshold) + _OFFSET
        signs = np.where(truth, -1.0, 1.0)
        return -float((counts[:, None] * np.logaddexp(0.0, signs * scaled)).sum())

    return threshold, max(recipe.slopes, key=likelihood)


def _cell(document: Document, recipe: DomainRecipe) -> tuple[str, str]:
    """Main label and source of a document, or its kind where the units are small."""
    is_whole = recipe.kind_weight(document.kind) is not None
    return document.labels[0], document.kind if is_whole else document.unit


def _targets(documents: Sequence[Document], recipe: DomainRecipe) -> Float64Array:
    targets = np.zeros((len(documents), len(LABELS)))
    for row, document in zip(targets, documents, strict=True):
        main, *others = (LABELS.index(label) for label in document.labels)
        row[main] = recipe.main_share if others else 1.0
        row[others] = (1 - recipe.main_share) / max(1, len(others))
    return targets


def row_weights(documents: Sequence[Document], recipe: DomainRecipe) -> Float64Array:
    """Return the weight of each document, (documents,); their sum is the number of documents.

    Labels weigh the same, and the sources of a label by the root of their size.
    """
    cells = [_cell(document, recipe) for document in documents]
    sizes = Counter(cells)
    parts = {}
    for cell, size in sizes.items():
        weight = recipe.kind_weight(cell[1])
        parts[cell] = np.sqrt(size) * (1.0 if weight is None else weight)
    of_label: Counter[str] = Counter()
    for (label, _), part in sorted(parts.items()):
        of_label[label] += part
    weights = np.array([parts[cell] / sizes[cell] / of_label[cell[0]] for cell in cells])
    scaled: Float64Array = weights / weights.sum() * len(documents)
    return scaled


def truth_of(documents: Sequence[Document]) -> BoolArray:
    """Return which labels each document has, (documents, labels)."""
    return np.array([[label in d.labels for label in LABELS] for d in documents])


def set_f1(logits: Float64Array, truth: BoolArray, counts: Float64Array, threshold: float) -> float:
    """Return micro-F1 + macro-F1 of label sets: labels from the threshold on, and the top one."""
    chosen = logits >= threshold
    chosen[np.arange(len(chosen)), logits.argmax(axis=1)] = True
    hits = (counts[:, None] * (chosen & truth)).sum(axis=0)
    sizes = (counts[:, None] * chosen).sum(axis=0) + (counts[:, None] * truth).sum(axis=0)
    there = truth.any(axis=0)
    macro = (2 * hits / np.maximum(sizes, 1e-9))[there].mean()
    return float(2 * hits.sum() / max(sizes.sum(), 1e-9) + macro)
