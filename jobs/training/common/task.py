"""What a training task is: its data, what their rows mean, its recipe and figures. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import fasttext
import numpy as np
import numpy.typing as npt

from jobs.training.common.examples import Document
from udfs.models.fasttext_model import FastTextModel

TRAINED = "training and held-out figures"
FIGURES_ONLY = "figures only"

Rows = Mapping[str, list[dict[str, Any]]]
"""Rows of a task's files, by file."""
Figures = dict[str, dict[str, Any]]
Answers = npt.NDArray[np.float64]
"""One row a document."""
Found = dict[str, Any]
"""What a training found out, for the card."""


class Model(Protocol):
    """A trained model as a task's functions know it."""

    labels: tuple[str, ...]
    """What it tells apart."""


@dataclass(frozen=True)
class DataFile:
    """One labelled file under the data directory."""

    path: str
    needs: tuple[str, ...]
    licence: str
    use: str = TRAINED
    attachment: str | None = None
    """Field with the path of a file, from this one's folder, whose bytes a row gets as "bytes"."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every recipe says."""

    seed: int = 20_240_601
    folds: int = 5


def load_model(path: Path) -> FastTextModel:
    """A model's file, to be answered by fastText itself."""
    return FastTextModel(fasttext.load_model(str(path)))


def probabilities(model: FastTextModel, found: Found, documents: Sequence[Document]) -> Answers:
    """The probability of every label of a fastText model for every document."""
    return model.probabilities([document.line for document in documents])


@dataclass(frozen=True)
class Task:
    """One scorer's training: data in, documents, recipe, figures, and words for the card."""

    name: str
    files: tuple[DataFile, ...]
    documents: Callable[[Rows], list[Document]]
    """Rows by file to documents; their kinds in `only_measured` are never trained on."""
    only_measured: frozenset[str]
    recipe: Settings
    fit: Callable[[Sequence[Document], Path, Any], Found]
    """Writes the model of some documents by the recipe, where it has several files the others
    beside the path."""
    figures: Callable[[Sequence[Document], Any, Answers], Figures]
    """Figures of documents by what a model answers; the model gives the order of the labels."""
    purpose: str
    split: str
    weaknesses: str
    written: tuple[str, ...] = ()
    """Names of the files of a model, that of the path first; empty for NAME.ftz."""
    load: Callable[[Path], Model] = load_model
    answers: Callable[[Any, Found, Sequence[Document]], Answers] = probabilities
    """What a model, and what its training found out, says of documents."""
    options: str = ""
    """What the command that trains it has beyond the task's name, a blank in front."""
    curve: tuple[tuple[str, str], ...] = ()
    """Names of figures and the measure in them that are told for parts of the data, too."""
    headlines: tuple[tuple[str, str], ...] = ()
    """Names of figures and the measure in them that stand for the model in a table of all."""

    @property
    def model_files(self) -> tuple[str, ...]:
        """Names of the files that a model has, the first the one it is loaded from."""
        return self.written or (f"{self.name}.ftz",)
