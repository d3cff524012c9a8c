"""The figures of trained models in one table: read from metrics.json, and partly measured again.

Figures of held-out folds belong to a recipe, and only training gives them. Figures of documents
that no training uses are measured again with the model file itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.training.common.examples import distinct
from jobs.training.common.task import Rows, Task
from udfs.files.artifacts import sha256_of


class EvaluationError(ValueError):
    """A model and its metrics do not belong together; the message names the file."""


@dataclass(frozen=True)
class Evaluation:
    """The main figures of one model."""

    name: str
    size: int
    """Bytes of all its files."""
    figures: list[tuple[str, str, Any]]
    """Table of figures, measure and value: the task's headlines."""
    expectations: list[tuple[str, dict[str, Any]]]
    """What the score claims of crawl pages, and a row of figures by threshold."""
    measured_again: int
    """Tables of figures that were measured again, and were equal."""


def evaluate(task: Task, folder: Path, rows: Rows | None = None) -> Evaluation:
    """Return the headlines of a task's model after checking that they are this model's.

    Args:
        folder: Holds the model's files and metrics.json.
        rows: Rows of the task's files, to measure again the documents that are never trained on;
            None to measure nothing.
    Raises:
        EvaluationError: a file's digest, or a figure measured again, differs from metrics.json, or
            the task's figures are not there.
        OSError: a file is missing.
    """
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    files = [metrics["model"], *metrics.get("other_files", [])]
    for file in files:
        path = folder / file["file"]
        if (digest := sha256_of(path)) != file["sha256"]:
            raise EvaluationError(
                f"{path}: sha256 {digest}: expected {file['sha256']}, the file that "
                f"{folder / 'metrics.json'} was measured on"
            )
    if missing := [name for name, _ in task.headlines if name not in metrics["figures"]]:
        raise EvaluationError(
            f"{folder / 'metrics.json'}: has no figures of {missing[0]}: give the options that the "
            "model was trained with too"
        )
    again = _measured_again(task, folder, metrics, rows) if rows is not None else {}
    for name, figures in again.items():
        if figures != metrics["figures"].get(name):
            raise EvaluationError(
                f"{folder / 'metrics.json'}: {name}: {metrics['figures'].get(name)}; "
                f"measured again: {figures}"
            )
    return Evaluation(
        task.name,
        sum(file["bytes"] for file in files),
        [(name, key, metrics["figures"][name][key]) for name, key in task.headlines],
        [
            (name, row)
            for name, tables in metrics.get("calibration", {}).items()
            if tables["is_expected"]
            for row in tables["thresholds"]
        ],
        len(again),
    )


def render_table(evaluations: Sequence[Evaluation]) -> str:
    """Render one line a headline, and the size of all models together."""
    lines = [("model", "bytes", "measured on", "measure", "value")]
    for evaluation in evaluations:
        for place, (measured_on, measure, value) in enumerate(evaluation.figures):
            name, size = (evaluation.name, f"{evaluation.size:,}") if place == 0 else ("", "")
            lines.append((name, size, measured_on, measure, str(value)))
    lines.append(("all", f"{sum(e.size for e in evaluations):,}", "", "", ""))
    return _aligned(lines)


def render_expectations(evaluations: Sequence[Evaluation]) -> str:
    """Render which precision to expect of crawl pages from each threshold on; empty if unknown."""
    rows = [(e.name, *expectation) for e in evaluations for expectation in e.expectations]
    lines = [("score", "from", "pages", "precision", "of", "95 %", "recall", "what is counted")]
    last = ""
    for name, claim, row in rows:
        precision, interval, recall = row["precision"], row["interval_95"], row["recall"]
        lines.append(
            (
                name if claim != last else "",
                str(row["threshold"]),
                f"{row['share_of_rows']:.1%}",
                "-" if precision is None else f"{precision:.3f}",
                str(row["rows"]),
                "-" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}",
                "-" if recall is None else f"{recall:.3f}",
                claim if claim != last else "",
            )
        )
        last = claim
    return _aligned(lines) if rows else ""


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as text with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _measured_again(
    task: Task, folder: Path, metrics: dict[str, Any], rows: Rows
) -> dict[str, Any]:
    """The figures of documents that the task never trains on, as JSON stores them."""
    asked = [d for d in distinct(task.documents(rows)) if d.kind in task.only_measured]
    if not asked:
        return {}
    model = task.load(folder / task.model_files[0])
    figures = task.figures(asked, model, task.answers(model, metrics["recipe"], asked))
    stored: dict[str, Any] = json.loads(json.dumps(figures))
    return stored
