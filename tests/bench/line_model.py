"""Fits the line model of udfs/html/main_text.py to pages whose main text is known.

Everything that is fitted, weights and thresholds, is fitted by `fit` alone: a cross-validation
that calls it for every fold has seen nothing of the pages that it is judged on.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from tests.bench.gold_pages import GoldPage, grams, mean_scores, scores
from tests.udfs.html.plain_main_text import block_features
from udfs.html.class_words import KINDS
from udfs.html.main_text import (
    LINE_FEATURES,
    LineModel,
    line_features,
    main_text,
)
from udfs.html.markers import marked, unmarked
from udfs.html.page_lines import Lines, body_text, lines_of_text, parsed
from udfs.html.page_text import clean_text
from udfs.html.tags import find_tags

_RIDGE = 100.0  # against a weight of 100 for each page
_PAGE_WEIGHT = 100.0
_MIN_LINE_CHARS = 8
_THRESHOLDS = (0.45, 0.5)
_NOT_TEXT = (0.25,)
_OTHER_RUNS = (0.2, 0.3)
_IS_TEXT = 0.5  # a line is text when more of its 4-grams than this are in the known text
_SHORT = 10  # characters; a shorter line must also stand where the known text has it


@dataclass(frozen=True)
class Example:
    """A page, ready to fit: features and truth of its lines. `weight` sums to 100."""

    page: GoldPage
    gold: Counter[str]
    lines: Lines
    features: npt.NDArray[np.float64]
    is_text: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]


def example(page: GoldPage) -> Example:
    """A page with the features and the truth of its lines."""
    tags = find_tags(unmarked(page.html.encode("utf-8", "replace")))
    lines = lines_of_text(body_text(parsed(marked(tags))))
    texts = lines.page.decode().split("\n")
    weight = np.sqrt(np.maximum(lines.chars, _MIN_LINE_CHARS))
    return Example(
        page=page,
        gold=grams(page.gold),
        lines=lines,
        features=np.concatenate([line_features(lines), block_features(lines)], axis=1),
        is_text=np.array(_truth([texts[number] for number in lines.numbers], page.gold), float),
        weight=weight / weight.sum() * _PAGE_WEIGHT,
    )


def fit(examples: Sequence[Example]) -> LineModel:
    """The model of some pages: ridge regression of the logit, then the best thresholds."""
    weights = _logistic(
        np.concatenate([page.features for page in examples]),
        np.concatenate([page.is_text for page in examples]),
        np.concatenate([page.weight for page in examples]),
    )
    model = LineModel(
        line_weights=np.round(weights[: len(LINE_FEATURES)], 2),
        block_weights=np.round(weights[len(LINE_FEATURES) :], 2),
        threshold=0.0,
        not_text=0.0,
        other_run=0.0,
    )
    tried = [
        replace(model, threshold=threshold, not_text=not_text, other_run=other_run)
        for threshold, not_text, other_run in product(_THRESHOLDS, _NOT_TEXT, _OTHER_RUNS)
    ]
    return max(tried, key=lambda model: mean_scores(judged(model, examples))[2])


def judged(model: LineModel, examples: Sequence[Example]) -> list[tuple[float, float, float]]:
    """Precision, recall and F1 of each page."""
    return [scores(clean_text(main_text(page.lines, model)), page.gold) for page in examples]


def cross_validated(
    examples: Sequence[Example], folds: int, seed: int
) -> list[tuple[float, float, float]]:
    """Precision, recall and F1 of each page, by a model that saw no page of its site."""
    fold_of = _folds({page.page.site for page in examples}, folds, seed)
    found: dict[str, tuple[float, float, float]] = {}
    for fold in range(folds):
        model = fit([page for page in examples if fold_of[page.page.site] != fold])
        held_out = [page for page in examples if fold_of[page.page.site] == fold]
        for page, judgement in zip(held_out, judged(model, held_out), strict=True):
            found[page.page.name] = judgement
    return [found[page.page.name] for page in examples]


def constants(model: LineModel) -> Iterator[str]:
    """The model as udfs/html/main_text.py has it."""
    for title, names, weights in (
        ("line_weights", LINE_FEATURES, model.line_weights),
        ("block_weights", KINDS, model.block_weights),
    ):
        yield f"    {title}=np.array(\n        [\n"
        for name, weight in zip(names, weights, strict=True):
            yield f"            {weight:.2f},  # {name}\n"
        yield "        ]\n    ),\n"
    yield f"    threshold={model.threshold},\n    not_text={model.not_text},\n"
    yield f"    other_run={model.other_run},\n"


def _folds(sites: set[str], folds: int, seed: int) -> dict[str, int]:
    shuffled = sorted(sites)
    random.Random(seed).shuffle(shuffled)
    return {site: place % folds for place, site in enumerate(shuffled)}


def _logistic(
    features: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Newton's method; the first feature is the constant, and goes free of the ridge."""
    ridge = np.eye(features.shape[1]) * _RIDGE
    ridge[0, 0] = 1e-6
    found = np.zeros(features.shape[1])
    for _ in range(30):
        likely = 1.0 / (1.0 + np.exp(-(features @ found)))
        slope = features.T @ (weight * (likely - truth)) + ridge @ found
        curve = (features * (weight * likely * (1 - likely))[:, None]).T @ features + ridge
        step = np.linalg.solve(curve, slope)
        found -= step
        if np.abs(step).max() < 1e-6:
            break
    return found


def _truth(lines: Sequence[str], gold: str) -> list[bool]:
    """Whether each line belongs to the known text."""
    gold = "".join(gold.split())
    in_gold = grams(gold)
    stripped = ["".join(line.split()) for line in lines]
    found = [
        line in gold
        if len(line) < 4
        else sum(gram in in_gold for gram in grams(line).elements()) > _IS_TEXT * (len(line) - 3)
        for line in stripped
    ]
    places = [
        gold.find(line[:20]) if is_text and len(line) >= _SHORT else -1
        for line, is_text in zip(stripped, found, strict=True)
    ]
    for row, line in enumerate(stripped):
        if found[row] and len(line) < _SHORT:
            before = next((at for at in range(row - 1, -1, -1) if places[at] >= 0), None)
            after = next((at for at in range(row + 1, len(lines)) if places[at] >= 0), None)
            start = 0 if before is None else places[before] + len(stripped[before])
            end = len(gold) if after is None else places[after]
            found[row] = start <= end + _SHORT and line in gold[max(0, start - 10) : end + 10]
    return found
