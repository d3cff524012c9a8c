"""What a training task is: its data files, how rows become documents, its recipe and figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import fasttext

from jobs.training.common.calibration import Claims, no_claims
from jobs.training.common.examples import Document
from udfs.base.array_types import Float64Array
from udfs.models.fasttext_model import FastTextModel

TRAINED = "training and held-out figures"
FIGURES_ONLY = "figures only"

Rows = Mapping[str, list[dict[str, Any]]]
"""File, from the data directory -> its rows."""
Figures = dict[str, dict[str, Any]]
"""Name of a table of figures -> measure -> value."""
Answers = Float64Array
"""What a model says of documents, shape (documents, columns)."""
Found = dict[str, Any]
"""What a fit chose or counted, for the card."""


class TrainingError(ValueError):
    """Training cannot start or continue; the message names the file or option, and the cause."""


class OptionError(ValueError):
    """Command-line options that do not fit together."""


class Model(Protocol):
    """A trained model as a task's functions see it."""

    labels: tuple[str, ...]
    """The classes that it distinguishes."""


@dataclass(frozen=True)
class DataFile:
    """One labelled file under the data directory."""

    path: str
    needs: tuple[str, ...]
    """Fields that every row has."""
    licence: str
    use: str = TRAINED
    attachment: str | None = None
    """Field with the path of another file, relative to this one's folder; a row gets its content
    as "bytes"."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings that every recipe has."""

    seed: int = 20_240_601
    folds: int = 5


def load_model(path: Path) -> FastTextModel:
    """Load a model file with the fastText library."""
    return FastTextModel(fasttext.load_model(str(path)))


def probabilities(model: FastTextModel, found: Found, documents: Sequence[Document]) -> Answers:
    """Return the probability of every label of a fastText model, shape (documents, labels)."""
    return model.probabilities([document.line for document in documents])


def no_report(metrics: Mapping[str, Any], folder: Path) -> Iterable[str]:
    """Report nothing beyond the model's size and digest."""
    return ()


@dataclass(frozen=True)
class Task:
    """Training of one scorer's model."""

    name: str
    files: tuple[DataFile, ...]
    documents: Callable[[Rows], list[Document]]
    """Turns rows into documents; those of a kind in `only_measured` are never trained on."""
    only_measured: frozenset[str]
    recipe: Settings
    fit: Callable[..., Found]
    """Called with documents, a path and the recipe: fits a model and writes it to the path. A model
    of several files writes the others beside it."""
    figures: Callable[[Sequence[Document], Any, Answers], Figures]
    """Figures of documents from a model's answers; the model gives the order of the labels."""
    purpose: str
    split: str
    weaknesses: str
    apart: frozenset[str] = frozenset()
    """Kinds of documents whose units are spread over the folds by themselves, so that the folds of
    all others do not depend on them."""
    always: frozenset[str] = frozenset()
    """Kinds of documents that every fold trains on, and that no figure is of."""
    written: tuple[str, ...] = ()
    """Names of the model's files, that of `fit`'s path first; empty for NAME.ftz."""
    load: Callable[[Path], Model] = load_model
    answers: Callable[[Any, Found, Sequence[Document]], Answers] = probabilities
    """Called with a model, what its fit found, and documents."""
    other_data: tuple[Mapping[str, Any], ...] = ()
    """Data of no file in `files`: file, rows, use, licence and sha256 of each, for the card."""
    command_options: str = ""
    """Options of the training command behind the task's name, with a leading blank."""
    claims: Claims = no_claims
    """What the scores claim of held-out documents: see `jobs.training.common.calibration`."""
    curve: tuple[tuple[str, str], ...] = ()
    """(table of figures, measure) pairs that the learning curve shows."""
    headlines: tuple[tuple[str, str], ...] = ()
    """(table of figures, measure) pairs that an evaluation prints."""
    report: Callable[[Mapping[str, Any], Path], Iterable[str]] = no_report
    """Further lines to print after training, from metrics.json and the model's folder."""
    instead: Callable[[Task, Rows], None] | None = None
    """What the command does with the task's rows in place of training; None to train."""

    @property
    def model_files(self) -> tuple[str, ...]:
        """Names of the model's files; the first is the one that `load` takes."""
        return self.written or (f"{self.name}.ftz",)


def same_task(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task unchanged."""
    return task


@dataclass(frozen=True)
class TaskOptions:
    """Command-line options that only some tasks have."""

    flags: Mapping[str, Mapping[str, Any]]
    """Flag -> keyword arguments of `argparse.ArgumentParser.add_argument`."""
    apply: Callable[[Task, argparse.Namespace], Task] = same_task
    """Returns the task changed as the options say. Raises OptionError, TrainingError."""

    def given(self, arguments: argparse.Namespace) -> list[str]:
        """The flags whose value is not the default."""
        return [
            flag
            for flag, settings in self.flags.items()
            if getattr(arguments, flag[2:].replace("-", "_")) != settings.get("default")
        ]
