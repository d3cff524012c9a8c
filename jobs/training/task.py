"""What a training task is: its data, what their rows mean, its recipe and figures. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from jobs.training.examples import Copies, Document
from udfs.fasttext_model import FastTextModel

TRAINED = "training and held-out figures"
FIGURES_ONLY = "figures only"

Rows = Mapping[str, list[dict[str, Any]]]
"""Rows of a task's files, by file."""
Figures = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class DataFile:
    """One labelled file under the data directory."""

    path: str
    needs: tuple[str, ...]
    licence: str
    use: str = TRAINED


@dataclass(frozen=True)
class Recipe:
    """fastText settings of one task; lr, epochs and n-grams start from the papers' values."""

    loss: Literal["softmax", "ova"]
    dim: int = 32
    lr: float = 0.5
    epoch: int = 5
    word_ngrams: int = 2
    min_count: int = 2
    bucket: int = 300_000
    cutoff: int = 60_000
    """Words and n-grams kept when quantising, those with the largest vectors."""
    seed: int = 20_240_601
    folds: int = 5


@dataclass(frozen=True)
class Task:
    """One scorer's training: data in, documents, recipe, figures, and words for the card."""

    name: str
    files: tuple[DataFile, ...]
    documents: Callable[[Rows], list[Document]]
    """Rows by file to documents; their kinds in `only_measured` are never trained on."""
    only_measured: frozenset[str]
    copies: dict[tuple[str, str], Copies]
    recipe: Recipe
    figures: Callable[[Sequence[Document], FastTextModel, npt.NDArray[np.float64]], Figures]
    """Figures of documents by their probabilities; the model gives the order of the labels."""
    purpose: str
    split: str
    weaknesses: str
