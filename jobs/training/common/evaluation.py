"""How fast a teacher and its student score the same texts, each on one core.

What trained models are worth, in one table: from the figures beside them, and measured again.

Figures of folds belong to a recipe, and only training can give them. What no training ever saw is
measured again with the file itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.training.common.examples import distinct
from jobs.training.common.task import Rows, Task
from udfs.encoder.quality_bert import DocumentScorer, EncoderRules, score_documents
from udfs.files.artifacts import sha256_of
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers.quality import READING, score_quality
from udfs.tokens.tokenizer import tokenize_texts


def student_rate(path: Path, texts: Sequence[str], rounds: int = 3) -> float:
    """Texts a second of the fastText student, its cutting into words included."""
    model = load_fasttext(path)
    return _rate(lambda: score_quality(tokenize_texts(texts, [READING])[0], model), texts, rounds)


def teacher_rate(path: Path, texts: Sequence[str], rounds: int = 1) -> float:
    """Texts a second of an encoder on a CPU.

    Raises:
        ModuleNotFoundError: PyTorch is not installed.
        EncoderFileError: the file is no encoder.
    """
    scorer = DocumentScorer(path, EncoderRules(device="cpu"))
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _rate(lambda: score_documents(texts, scorer), texts, rounds)
    finally:
        torch.set_num_threads(threads)


def _rate(score: Callable[[], object], texts: Sequence[str], rounds: int) -> float:
    """The best of some rounds, by the processor time of this process: what several threads do, as
    a tokenizer's, counts as often; the first round, which loads and compiles, does not count."""
    score()
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        score()
        seconds.append(time.process_time() - started)
    return len(texts) / max(min(seconds), 1e-9)


class EvaluationError(ValueError):
    """A model and its metrics do not belong together; the message names the file."""


@dataclass(frozen=True)
class Evaluation:
    """What one model is worth."""

    name: str
    size: int
    """Bytes of all its files."""
    figures: list[tuple[str, str, Any]]
    """What was measured on, the measure, and its value: the task's headlines."""
    measured_again: int
    """Tables of figures that were measured anew, and found as they were."""


def evaluate(task: Task, folder: Path, rows: Rows | None = None) -> Evaluation:
    """The headlines of a task's model.

    Args:
        task: The task.
        folder: With the model's files and metrics.json.
        rows: Of the task's files, to measure again what the model was never trained on; None to
            measure nothing.
    Raises:
        EvaluationError: a file is not the one that was measured, or is worth something else.
        OSError: a file is missing.
    """
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    files = [metrics["model"], *metrics.get("other_files", [])]
    for file in files:
        path = folder / file["file"]
        if sha256_of(path) != file["sha256"]:
            raise EvaluationError(f"{path}: is not the file that metrics.json beside it measured")
    again = measured_again(task, folder, metrics, rows) if rows is not None else {}
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
        len(again),
    )


def measured_again(task: Task, folder: Path, metrics: dict[str, Any], rows: Rows) -> dict[str, Any]:
    """Figures of the documents that no model of the task is trained on, as they are stored."""
    asked = [d for d in distinct(task.documents(rows)) if d.kind in task.only_measured]
    if not asked:
        return {}
    model = task.load(folder / task.model_files[0])
    figures = task.figures(asked, model, task.answers(model, metrics["recipe"], asked))
    stored: dict[str, Any] = json.loads(json.dumps(figures))
    return stored


def render_table(evaluations: list[Evaluation]) -> str:
    """One line a headline, and the size of all models together."""
    lines = [("model", "bytes", "measured on", "measure", "value")]
    for evaluation in evaluations:
        for place, (measured_on, measure, value) in enumerate(evaluation.figures):
            name, size = (evaluation.name, f"{evaluation.size:,}") if place == 0 else ("", "")
            lines.append((name, size, measured_on, measure, str(value)))
    lines.append(("all", f"{sum(e.size for e in evaluations):,}", "", "", ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
