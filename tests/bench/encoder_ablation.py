"""What each part of the published quality training adds, beside the fastText student.

    python -m tests.bench.encoder_ablation --data DIR --cache FOLDER [--rows NAME ...] [--minutes N]

Every row is a recipe of `train_models --task quality-bert-stages`, measured on the folds of the
bundled models: crawl pages of sites and templates that were not trained on. The encoder is that of
the bundled quality_bert. Of a page at most three segments are learnt and scored, spread over it, so
that a row takes minutes on one core. FOLDER keeps states of segments and finished rows; --minutes
ends a call early, and the same call goes on.

A row named "published labels" learns as the paper does: edited texts of known sources are good, and
random crawl pages are bad, whatever a reader said of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

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
SEGMENTS = 3
"""Segments of a page that are learnt and scored."""
POSITIVES = 400
"""Edited texts that a row with published labels learns, and that are exemplars."""
STUDENT = "fastText student"
JUDGED = ("read", "picked")


@dataclass(frozen=True)
class Row:
    """A recipe."""

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    has_published_labels: bool = False


ROWS = (
    Row("mean, frozen", {"head": "mean", "rounds": 0}),
    Row("mean, frozen, self-training", {"head": "mean"}),
    Row("multi-scale, frozen", {"rounds": 0}),
    Row("multi-scale, frozen, self-training"),
    Row("multi-scale, frozen, self-training without BALD", {"by_ease": False}),
    Row("multi-scale, top layer trained", {"rounds": 0, "frozen_layers": LAYERS - 1, "epochs": 3}),
    Row("published labels, multi-scale, frozen", {"rounds": 0}, True),
    Row("published labels, multi-scale, frozen, self-training", {}, True),
    Row("published labels, mean, frozen, self-training", {"head": "mean"}, True),
)


class OutOfTime(Exception):
    """The minutes of this call are over; what was computed is kept."""


class KeptLayers(FrozenLayers):
    """Frozen layers whose summaries of segments a folder keeps."""

    def __init__(self, start: Start, path: Path, deadline: float) -> None:
        super().__init__(start, LAYERS, "cpu")
        self._path, self._deadline = path, deadline
        kept = load_file(path) if path.exists() else {}
        self._kept: dict[str, Any] = dict(kept)

    def features(self, segments: Sequence[Segment], head: str = "mean") -> list[Any]:
        """Return the summaries of segments; that of ``mean`` is a part of that of multi-scale."""
        names = [hashlib.sha256(json.dumps(list(s)).encode()).hexdigest() for s in segments]
        new = [n for n, name in enumerate(names) if name not in self._kept]
        for count, number in enumerate(new):
            if time.monotonic() > self._deadline:
                self._save()
                raise OutOfTime(f"{len(new) - count:,} segments are left")
            (found,) = super().features([segments[number]], "multi-scale")
            self._kept[names[number]] = found.half()
        if new:
            self._save()
        found = [self._kept[name].float() for name in names]
        size = len(found[0]) // 3 if found else 0
        return [f[size : 2 * size] for f in found] if head == "mean" else found

    def _save(self) -> None:
        save_file(self._kept, self._path.with_suffix(".new"))
        self._path.with_suffix(".new").replace(self._path)


@dataclass(frozen=True)
class Cut:
    """A document and the segments of it that are learnt and scored."""

    document: Document
    segments: tuple[Segment, ...]


def held_out_scores(
    cut: Sequence[Cut], row: Row, frozen: Callable[[EncoderRecipe], FrozenLayers], deadline: float
) -> np.ndarray:
    """The score of every crawl page by an encoder that was trained without its site; else NaN."""
    recipe = replace(EncoderRecipe(start=BUNDLED, head="multi-scale"), **row.changes)
    layers = frozen(recipe)
    two_stage_fit.frozen_layers = lambda recipe, devices=(): layers  # type: ignore[assignment]
    folds = fold_of_units([c.document for c in cut], recipe.folds)
    scores = np.full(len(cut), np.nan)
    for fold in range(recipe.folds):
        if time.monotonic() > deadline:
            raise OutOfTime(f"{row.name}: {fold} of {recipe.folds} folds")
        trained = [c for c in cut if folds[c.document.unit] != fold]
        training = Training(examples(trained, row), recipe)
        while training.is_in_stage_1():
            training.supervised_epoch()
        rng = random.Random(recipe.seed)
        pages = [s for c in trained if c.document.kind in JUDGED for s in c.segments]
        edited = [c.segments[0] for c in trained if c.document.kind == "curated"]
        for _ in range(recipe.rounds):
            chosen = rng.sample(pages, min(recipe.unlabelled_segments, len(pages)))
            training.own_epoch(chosen, rng.sample(edited, min(160, len(edited))))
        training.upper.eval()
        for number, its in enumerate(cut):
            if folds[its.document.unit] == fold and its.document.kind in JUDGED:
                chances = training.upper.chances(its.segments)
                scores[number] = np.average(chances, weights=[len(s) for s in its.segments])
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
        found.append(TrainingText(its.segments, float(is_clean), weight, its.document.unit))
    return found


def student_scores(documents: Sequence[Document]) -> np.ndarray:
    """The same by the fastText student, which reads whole pages."""
    folds = fold_of_units(documents, QUALITY.recipe.folds)
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
            kept = tuple(segments[place] for place in spread(len(segments), SEGMENTS))
            cut.append(Cut(document, kept[:1] if document.kind == "curated" else kept))
    whole = KeptLayers(start, arguments.cache / "states.safetensors", deadline)

    def frozen(recipe: EncoderRecipe) -> FrozenLayers:
        its = start_of(BUNDLED, recipe.layers, recipe.max_tokens, recipe.head, recipe.width)
        if recipe.frozen_layers < LAYERS:
            return FrozenLayers(its, recipe.frozen_layers, "cpu")
        whole.start = its
        return whole

    try:
        print(f"{len(cut):,} documents, {sum(len(c.segments) for c in cut):,} segments", flush=True)
        whole.features([segment for c in cut for segment in c.segments], "multi-scale")
        for name in [name for name in arguments.rows if name not in results]:
            started = time.process_time()
            if name == STUDENT:
                scores, its = student_scores(every), every
            else:
                (row,) = (row for row in ROWS if row.name == name)
                scores = held_out_scores(cut, row, frozen, deadline)
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
