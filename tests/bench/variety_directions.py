"""Tunisian of sources never seen, both ways: trained on some sources, measured on others.

    python -m tests.bench.variety_directions --data DIR

Each direction trains the recipe of ``jobs.train_models --task variety`` on the sources on the left,
sets without a free licence among them (no model of these is kept), and measures it on those on the
right. A document is eight lines of one source. T-HSAB is never trained on: its authors removed its
stop words. DIR is laid out as the README of the data says.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jobs.training.common.data_files import read_task
from jobs.training.common.examples import Document, distinct
from jobs.training.variety.fit import VarietyRecipe, fit_variety
from jobs.training.variety.task import (
    VARIETY_TASK,
    script_figures,
    script_of_document,
    variety_answers,
)
from tests.bench.timing import table
from udfs.models.hashed_ngrams import read_hashed_model
from udfs.scorers.variety import MIN_PROBABILITY


@dataclass(frozen=True)
class Direction:
    """Sources that a model is trained on, and sources that it is measured on."""

    label: str
    trained: tuple[str, ...]
    measured: tuple[str, ...]


DIRECTIONS = (
    Direction(
        "aeb_Arab",
        ("tsac", "ta_seg", "barcha_yt", "aoc", "astd", "mac", "fassila"),
        ("thsab", "barcha_fb", "lhsab", "twifil"),
    ),
    Direction(
        "aeb_Arab",
        ("barcha_yt", "aoc", "lhsab", "twifil"),
        ("tsac", "ta_seg", "barcha_fb", "astd", "mac", "fassila"),
    ),
    Direction("aeb_Latn", ("tunizi", "algerian 0", "frcore 0"), ("tsac", "algerian 1", "frcore 1")),
    Direction("aeb_Latn", ("tsac", "algerian 0", "frcore 0"), ("tunizi", "algerian 1", "frcore 1")),
    Direction("aeb_Latn", ("tunizi", "algerian 0"), ("tsac", "algerian 1", "frcore 1", "twifil")),
    Direction("aeb_Latn", ("tsac", "algerian 0"), ("tunizi", "algerian 1", "frcore 1", "twifil")),
)
"""``NAME 0`` and ``NAME 1`` are every second document of a source."""


def documents_of(
    documents: Sequence[Document], sources: Sequence[str], script: str
) -> list[Document]:
    """The documents of sources in one script."""
    found: list[Document] = []
    for source in sources:
        name, _, half = source.partition(" ")
        own = [d for d in documents if d.note == name and script_of_document(d) == script]
        found += own[int(half) :: 2] if half else own
    return found


def measured(documents: Sequence[Document], direction: Direction) -> list[str]:
    """A line of the table."""
    script = direction.label.rpartition("_")[2]
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "variety.hn"
        fit_variety(documents_of(documents, direction.trained, script), path, VarietyRecipe())
        model = read_hashed_model(path)
        asked = documents_of(documents, direction.measured, script)
        scores = variety_answers(model, {}, asked)[:, 0]
    truth = np.array([d.labels[0] == direction.label for d in asked])
    figures = script_figures(asked, truth, scores, MIN_PROBABILITY)
    names = (
        *("documents", "documents_of_others", "auc", "recall_at_precision_0.99"),
        *("precision", "recall", "false_positives"),
    )
    return [
        direction.label,
        " ".join(direction.trained),
        " ".join(direction.measured),
        *(str(figures[name]) for name in names),
    ]


def main() -> None:
    """Print one line for each direction."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    documents = distinct(VARIETY_TASK.documents(read_task(VARIETY_TASK, arguments.data)))
    heads = [
        *("variety", "trained on", "measured on", "documents", "of others", "AUC"),
        *("recall at precision 0.99", "precision from 0.99", "recall from 0.99", "false"),
    ]
    print(table(heads, [measured(documents, direction) for direction in DIRECTIONS]))


if __name__ == "__main__":
    main()
