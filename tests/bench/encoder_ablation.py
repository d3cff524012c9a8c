"""What each part of the published quality training adds, beside the fastText student.

    python -m tests.bench.encoder_ablation --data DIR --cache FOLDER [--rows NAME ...] [--minutes N]

Every row is a recipe of `train_models --task quality-bert-stages`, measured on the folds of the
bundled models: crawl pages of sites and templates that were not trained on. The encoder is that of
the bundled quality_bert. FOLDER keeps what heads see of segments, and finished rows; --minutes ends
a call early, and the same call goes on.

Rows of "three windows" learn and score at most three segments of a page, spread over it. Training
the top layer costs most: five rows show what it adds, over the first window of a page and over
whole pages, on three of the ten folds. A row named "published labels" learns as the paper does:
edited texts of known sources are good, and random crawl pages are bad, whatever a reader said of
them.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jobs.training.common.data_files import read_task
from jobs.training.common.examples import Document, distinct, fold_of_units
from jobs.training.common.metrics import area_interval, area_under_roc
from jobs.training.common.train import fit
from jobs.training.encoder import two_stage_fit
from jobs.training.encoder.network import FrozenLayers
from jobs.training.encoder.recipe import BUNDLED, EncoderRecipe
from jobs.training.encoder.start import Start, start_of
from jobs.training.encoder.two_stage_fit import Training, TrainingText
from jobs.training.encoder.two_stage_task import spread
from jobs.training.quality.task import QUALITY
from udfs.encoder.batches import Segment
from udfs.encoder.inputs import InputMaker
from udfs.scorers import quality

LAYERS = 7
WINDOWS = 3
"""Segments of a page that are learnt and scored by most rows."""
POSITIVES = 400
"""Edited texts that a row with published labels learns, and that are exemplars."""
STUDENT = "fastText student"
JUDGED = ("read", "picked")

_AT_ONCE = 200


@dataclass(frozen=True)
class Row:
    """A recipe."""

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    has_published_labels: bool = False
    windows: int | None = WINDOWS
    """Segments of a page; None for all."""
    folds: int = 10
    """The first folds, on which it is measured."""


_FIRST = {"rounds": 0, "epochs": 3}
ROWS = (
    Row("mean, three windows", {"head": "mean", "rounds": 0}),
    Row("mean, three windows, self-training", {"head": "mean"}),
    Row("mean, whole pages", {"head": "mean", "rounds": 0}, windows=None),
    Row("multi-scale, three windows", {"rounds": 0}),
    Row("multi-scale, three windows, self-training"),
    Row("multi-scale, three windows, self-training without BALD", {"by_ease": False}),
    Row("multi-scale, whole pages", {"rounds": 0}, windows=None),
    Row("published head, three windows", {"head": "published", "rounds": 0}),
    Row("published head, whole pages", {"head": "published", "rounds": 0}, windows=None),
    Row("first window, three folds", {"rounds": 0}, windows=1, folds=3),
    Row("first window, three folds, three epochs", _FIRST, windows=1, folds=3),
    Row(
        "first window, three folds, three epochs, top layer trained",
        {**_FIRST, "frozen_layers": LAYERS - 1},
        windows=1,
        folds=3,
    ),
    Row("whole pages, three folds, three epochs", _FIRST, windows=None, folds=3),
    Row(
        "whole pages, three folds, three epochs, top layer trained",
        {**_FIRST, "frozen_layers": LAYERS - 1},
        windows=None,
        folds=3,
    ),
    Row("published labels, multi-scale, three windows", {"rounds": 0}, True),
    Row("published labels, multi-scale, three windows, self-training", {}, True),
    Row("published labels, mean, three windows, self-training", {"head": "mean"}, True),
)


class OutOfTime(Exception):
    """The minutes of this call are over; what was computed is kept."""


class KeptLayers(FrozenLayers):
    """Frozen layers whose summaries of segments a folder keeps, of all heads as of multi-scale."""

    def __init__(self, start: Start, folder: Path, deadline: float) -> None:
        super().__init__(start, LAYERS, "cpu")
        self._deadline = deadline
        self.keep_in(folder)

    def features(self, segments: Sequence[Segment], head: str = "mean") -> list[Any]:
        """Return the summaries of segments; those of other heads are parts of multi-scale's."""
        for place in range(0, len(segments), _AT_ONCE):
            if time.monotonic() > self._deadline:
                raise OutOfTime(f"{len(segments) - place:,} segments are left to look at")
            super().features(segments[place : place + _AT_ONCE], "multi-scale")
        found = super().features(segments, "multi-scale")
        if head == "multi-scale":
            return found
        parts = [summary.chunk(3) for summary in found]
        return [mean if head == "mean" else torch.cat([best, first]) for best, mean, first in parts]


@dataclass(frozen=True)
class Cut:
    """A document and its segments."""

    document: Document
    segments: tuple[Segment, ...]

    def windows(self, most: int | None) -> tuple[Segment, ...]:
        """The segments that are learnt and scored; None for all. Of an edited text the first."""
        if self.document.kind == "curated":
            return self.segments[:1]
        if most is None:
            return self.segments
        return tuple(self.segments[place] for place in spread(len(self.segments), most))


def held_out_scores(
    cut: Sequence[Cut],
    row: Row,
    frozen: Callable[[EncoderRecipe], FrozenLayers],
    folds: Mapping[str, int],
    deadline: float,
) -> np.ndarray:
    """The score of every crawl page by an encoder that was trained without its site; else NaN.

    Args:
        folds: The fold of each unit, as the student has them.
    """
    recipe = replace(EncoderRecipe(start=BUNDLED, head="multi-scale"), **row.changes)
    layers = frozen(recipe)
    two_stage_fit.frozen_layers = lambda recipe, devices=(): layers  # type: ignore[assignment]
    scores = np.full(len(cut), np.nan)
    for fold in range(row.folds):
        if time.monotonic() > deadline:
            raise OutOfTime(f"{row.name}: {fold} of {row.folds} folds")
        trained = [c for c in cut if folds[c.document.unit] != fold]
        training = Training(examples(trained, row), recipe)
        while training.is_in_stage_1():
            training.supervised_epoch()
        rng = random.Random(recipe.seed)
        pages = [s for c in trained if c.document.kind in JUDGED for s in c.windows(row.windows)]
        edited = [c.segments[0] for c in trained if c.document.kind == "curated"]
        for _ in range(recipe.rounds):
            chosen = rng.sample(pages, min(recipe.unlabelled_segments, len(pages)))
            training.own_epoch(chosen, rng.sample(edited, min(160, len(edited))))
        training.upper.eval()
        for number, its in enumerate(cut):
            if folds[its.document.unit] == fold and its.document.kind in JUDGED:
                windows = its.windows(row.windows)
                chances = training.upper.chances(windows)
                scores[number] = np.average(chances, weights=[len(s) for s in windows])
    return scores


def examples(cut: Sequence[Cut], row: Row) -> list[TrainingText]:
    """What a recipe learns of documents."""
    found = []
    for its in cut:
        kind, is_clean = its.document.kind, its.document.labels[0] == quality.CLEAN
        if row.has_published_labels:
            if kind not in ("curated", "read"):
                continue
            is_clean = kind == "curated"
        elif kind == "curated":
            continue
        weight = its.document.copies**0.5
        windows = its.windows(row.windows)
        found.append(TrainingText(windows, float(is_clean), weight, its.document.unit))
    return found


def student_scores(documents: Sequence[Document], folds: Mapping[str, int]) -> np.ndarray:
    """The same by the fastText student, which reads whole pages."""
    scores = np.full(len(documents), np.nan)
    for fold in range(QUALITY.recipe.folds):
        model, found = fit(QUALITY, [d for d in documents if folds[d.unit] != fold])
        asked = [n for n, d in enumerate(documents) if folds[d.unit] == fold and d.kind in JUDGED]
        table = QUALITY.answers(model, found, [documents[n] for n in asked])
        scores[asked] = table[:, model.column(quality.CLEAN)]  # type: ignore[attr-defined]
    return scores


def measured(documents: Sequence[Document], scores: np.ndarray, seconds: float) -> dict[str, Any]:
    """The area under the ROC curve of crawl pages, its interval, and the time of a row."""
    asked = [n for n, d in enumerate(documents) if d.kind in JUDGED and not np.isnan(scores[n])]
    truth = np.array([documents[n].labels[0] == quality.CLEAN for n in asked])
    units = [documents[n].unit for n in asked]
    area = area_under_roc(truth, scores[asked])
    return {
        "pages": len(asked),
        "auc": round(area, 4),
        "interval_95": area_interval(truth.tolist(), scores[asked].tolist(), units),
        "seconds": round(seconds),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Compute rows that are not there yet, and print all that are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [STUDENT, *(row.name for row in ROWS)]
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--rows", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--minutes", type=float, default=1e6)
    arguments = parser.parse_args(argv)
    deadline = time.monotonic() + 60 * arguments.minutes
    torch.set_num_threads(1)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    results_file = arguments.cache / "rows.json"
    results = json.loads(results_file.read_text("utf-8")) if results_file.exists() else {}
    every = distinct(QUALITY.documents(read_task(QUALITY, arguments.data)))
    folds = fold_of_units(every, QUALITY.recipe.folds)
    curated = [d for d in every if d.kind == "curated"]
    documents = [d for d in every if d.kind in (*JUDGED, "html")]
    documents += random.Random(1).sample(curated, min(POSITIVES, len(curated)))
    start = start_of(BUNDLED, tuple(range(LAYERS)), 384, "multi-scale", 128)
    maker = InputMaker(start.header)
    cut = []
    for document, (_, segments) in zip(
        documents, maker.of_texts([d.text for d in documents]), strict=True
    ):
        if segments:
            cut.append(Cut(document, tuple(segments)))
    whole = KeptLayers(start, arguments.cache, deadline)

    def frozen(recipe: EncoderRecipe) -> FrozenLayers:
        its = start_of(BUNDLED, recipe.layers, recipe.max_tokens, recipe.head, recipe.width)
        if recipe.frozen_layers < LAYERS:
            return FrozenLayers(its, recipe.frozen_layers, "cpu")
        whole.start = its
        return whole

    try:
        print(f"{len(cut):,} documents, {sum(len(c.segments) for c in cut):,} segments", flush=True)
        whole.features([segment for c in cut for segment in c.windows(None)], "multi-scale")
        for name in [name for name in arguments.rows if name not in results]:
            started = time.process_time()
            if name == STUDENT:
                scores, its = student_scores(every, folds), every
            else:
                (row,) = (row for row in ROWS if row.name == name)
                scores = held_out_scores(cut, row, frozen, folds, deadline)
                its = [c.document for c in cut]
            results[name] = measured(its, scores, time.process_time() - started)
            results_file.write_text(json.dumps(results, indent=2), encoding="utf-8")
            print(name, results[name], flush=True)
    except OutOfTime as stopped:
        print(f"stopped: {stopped}: the same command goes on")
    print("| recipe | AUC | 95 % | seconds |\n|---|---|---|---|")
    for name in filter(results.__contains__, names):
        its = results[name]
        low, high = its["interval_95"]
        print(f"| {name} | {its['auc']} | {low} to {high} | {its['seconds']} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
