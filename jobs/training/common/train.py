"""Measure a task's recipe on held-out folds, train the shipped model and write its folder."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.calibration import calibration_of
from jobs.training.common.card import render_card
from jobs.training.common.examples import Document, distinct, fold_of_units
from jobs.training.common.learning_curve import learning_curve, units_of_share
from jobs.training.common.task import (
    Answers,
    DataFile,
    Figures,
    Found,
    Model,
    Rows,
    Task,
    TrainingError,
)
from udfs.files.artifacts import sha256_of

METRICS, CARD = "metrics.json", "CARD.md"


def train_task(task: Task, rows: Rows, data: Path, output: Path) -> dict[str, Any]:
    """Measure a task's recipe, train the model on all documents, write model, metrics and card.

    Args:
        rows: Those of the task's files.
        data: The data directory, for the digests of its files.
        output: Directory that gets the folder of the task's name.
    Returns:
        The content of metrics.json.
    Raises:
        TrainingError: something that the fit needs is missing.
    """
    documents = distinct(task.documents(rows))
    trained = [d for d in documents if d.kind not in task.only_measured]
    measured = [d for d in documents if d.kind in task.only_measured]
    folder = output / task.name
    folder.mkdir(parents=True, exist_ok=True)
    figures, calibration = measured_on_folds(task, trained)
    figures.update(learning_curve(task, trained, figures, held_out_figures))
    model, found = fit(task, trained, folder)
    if measured:
        model = task.load(folder / task.model_files[0])  # as an evaluation loads it
        figures.update(task.figures(measured, model, task.answers(model, found, measured)))
    path, *others = [folder / name for name in task.model_files]
    metrics = {
        "task": task.name,
        "command": f"python -m jobs.train_models {'--data DATA ' if task.files else ''}"
        f"--output conf/artifacts --task {task.name.replace('_', '-')}{task.command_options}",
        "model": {**_described(path), "labels": list(model.labels)},
        "other_files": [_described(other) for other in others],
        "recipe": {**dataclasses.asdict(task.recipe), **found},
        "data": _data_of(task, rows, data),
        "figures": figures,
        "calibration": calibration,
    }
    _write_metrics(folder, metrics)
    _write_card(task, folder, metrics)
    return metrics


def write_card(task: Task, folder: Path) -> Path:
    """Write a model's card again from the metrics beside it, without training.

    Returns:
        The card's path.
    Raises:
        TrainingError: metrics.json cannot be read.
    """
    return _write_card(task, folder, _read_metrics(folder))


def remeasure_task(task: Task, rows: Rows, data: Path, output: Path) -> dict[str, Any]:
    """Measure a trained model's recipe again on held-out folds; write metrics.json and CARD.md.

    The model stays, and so does its learning curve. A model of a user's own texts needs the options
    that name them, as its training did.

    Returns:
        The content of metrics.json.
    Raises:
        TrainingError: metrics.json cannot be read, or names other data, another recipe or another
            model than there are.
    """
    folder = output / task.name
    metrics = _read_metrics(folder)
    path = folder / task.model_files[0]
    recipe = json.loads(json.dumps(dataclasses.asdict(task.recipe)))
    stored_data, data_now = _different(metrics["data"], _data_of(task, rows, data))
    for name, stored, found in (
        ("data", stored_data, data_now),
        ("recipe", {name: metrics["recipe"].get(name) for name in recipe}, recipe),
        ("model", metrics["model"]["sha256"], sha256_of(path)),
    ):
        if stored != found:
            raise TrainingError(
                f"{folder / METRICS}: {name}: {stored}: differs from {found}: give the options "
                f"that it was trained with ({metrics['command']}), or train the task again"
            )
    documents = distinct(task.documents(rows))
    trained = [d for d in documents if d.kind not in task.only_measured]
    asked = [d for d in documents if d.kind in task.only_measured]
    figures, metrics["calibration"] = measured_on_folds(task, trained)
    if asked:
        model = task.load(path)
        figures.update(task.figures(asked, model, task.answers(model, metrics["recipe"], asked)))
    metrics["figures"].update(figures)
    _write_metrics(folder, metrics)
    _write_card(task, folder, metrics)
    return metrics


def measured_on_folds(task: Task, documents: Sequence[Document]) -> tuple[Figures, dict[str, Any]]:
    """Return the figures of a recipe on held-out folds, and what its scores mean there."""
    answers = held_out_answers(task, documents)
    return task.figures(*answers), calibration_of(task.claims(*answers))


def held_out_figures(task: Task, documents: Sequence[Document], share: float = 1.0) -> Figures:
    """Measure a recipe by the answers of `held_out_answers`."""
    return task.figures(*held_out_answers(task, documents, share))


def held_out_answers(
    task: Task, documents: Sequence[Document], share: float = 1.0
) -> tuple[list[Document], Model, Answers]:
    """Ask about every document, but those of a kind in `Task.always`, a model that was trained
    without its unit.

    Args:
        share: Share of the other units that each model is trained on.
    Returns:
        The documents by fold, the model of the last fold, and the answers.
    """
    always = [d for d in documents if d.kind in task.always]
    documents = [d for d in documents if d.kind not in task.always]
    folds = fold_of_units([d for d in documents if d.kind not in task.apart], task.recipe.folds)
    folds |= fold_of_units([d for d in documents if d.kind in task.apart], task.recipe.folds)
    asked: list[Document] = []
    answers = []
    for fold in range(task.recipe.folds):
        held = [d for d in documents if folds[d.unit] == fold]
        if not held:
            continue
        others = [d for d in documents if folds[d.unit] != fold]
        units = units_of_share(others, share, task.recipe.seed)
        model, found = fit(task, always + [d for d in others if d.unit in units])
        asked += held
        answers.append(task.answers(model, found, held))
    return asked, model, np.concatenate(answers)


def fit(
    task: Task, documents: Sequence[Document], folder: Path | None = None
) -> tuple[Model, Found]:
    """Train one model; write its files into a folder unless that is None.

    Returns:
        The model, and what its fit chose or counted.
    """
    with tempfile.TemporaryDirectory(prefix="taojin-train-") as work:
        path, *_ = written = [Path(work) / name for name in task.model_files]
        found = task.fit(documents, path, task.recipe)
        if folder is not None:
            for file in written:
                shutil.copyfile(file, folder / file.name)
        return task.load(path), found


def _read_metrics(folder: Path) -> dict[str, Any]:
    path = folder / METRICS
    try:
        metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read: {error}") from error
    return metrics


def _write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
    (folder / METRICS).write_text(text, encoding="utf-8")


def _write_card(task: Task, folder: Path, metrics: Mapping[str, Any]) -> Path:
    card = folder / CARD
    text = render_card(metrics, task.purpose, task.split, task.weaknesses)
    card.write_text(text, encoding="utf-8")
    return card


def _data_of(task: Task, rows: Rows, data: Path) -> list[dict[str, Any]]:
    """Describe all files that a task learns from or is measured on."""
    of_files = [_described_data(file, rows[file.path], data) for file in task.files]
    return [*of_files, *map(dict, task.other_data)]


def _different(
    stored: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[str]]:
    """Name the files of each of two descriptions of data that the other does not have."""
    known, read = (
        [f"{d['file']} ({d['rows']:,} rows, sha256 {_digests(d)})" for d in data]
        for data in (stored, found)
    )
    return [d for d in known if d not in read], [d for d in read if d not in known]


def _digests(described: Mapping[str, Any]) -> str:
    """The digests of a data file and, if it has any, of its attachments."""
    keys = ("sha256", "attachments_sha256")
    return " and ".join(described[key] for key in keys if key in described)


def _described_data(
    file: DataFile, rows: Sequence[Mapping[str, Any]], data: Path
) -> dict[str, Any]:
    described = {
        "file": file.path,
        "rows": len(rows),
        "use": file.use,
        "licence": file.licence,
        "sha256": sha256_of(data / file.path),
    }
    if file.attachment is not None:
        # The digest of the attachments' digests, in the order of the rows.
        digests = [hashlib.sha256(row["bytes"]).digest() for row in rows]
        described["attachments_sha256"] = hashlib.sha256(b"".join(digests)).hexdigest()
    return described


def _described(path: Path) -> dict[str, Any]:
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
