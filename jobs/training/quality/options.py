"""Command-line options of the task quality: a teacher's scores, and the report on both models."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from jobs.config.scorers import quality_scorers
from jobs.training.common.task import OptionError, Task, TaskOptions
from jobs.training.quality.distillation import (
    AGREEMENT,
    ScoredText,
    distilled_quality,
    supervised_quality,
)
from jobs.training.quality.fit import QualityRecipe
from jobs.training.quality.supervised import SETTINGS
from jobs.training.quality.teacher_scores import SCORER, read_teacher_scores
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings, score_documents
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers.quality import QUALITY, bundled_tokenizer, score_quality
from udfs.tokens.tokenizer import TokenizerSettings, tokenize_texts

_TIMED_TEXTS = 200
"""Texts that teacher and student are timed on, at most."""


def with_teacher_options(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task, learning from a teacher's scores when --teacher names a run's output.

    Raises:
        OptionError: --teacher-model, --student or --student-lines without what they need.
        TeacherScoresError: the output holds no scores of one teacher.
    """
    if arguments.teacher is None:
        for name in ("teacher_model", "teacher_scorer", "student", "student_lines"):
            if getattr(arguments, name) is not None:
                raise OptionError(f"--{name.replace('_', '-')} needs --teacher")
        return task
    is_supervised = arguments.student == "fasttext"
    if arguments.student_lines is not None and not is_supervised:
        raise OptionError("--student-lines needs --student fasttext")
    scorer = arguments.teacher_scorer or SCORER
    if (model := arguments.teacher_model) is not None:
        if scorer != SCORER:
            raise OptionError(f"--teacher-model is for scores of {SCORER}, not of {scorer}")
        if find_spec("torch") is None:
            raise OptionError('--teacher-model needs PyTorch: pip install "taojin[bert]"')
        if not model.is_file():
            raise OptionError(f"--teacher-model {model}: no such file")
    scores = read_teacher_scores(arguments.teacher, arguments.teacher_texts, scorer)
    task = distilled_quality(
        scores.texts,
        scores.teacher,
        cast("QualityRecipe", task.recipe),
        with_labelled_files=arguments.data is not None,
    )
    if scorer != SCORER:
        options = f"{task.command_options} --teacher-scorer {scorer}"
        task = replace(task, command_options=options)
    if is_supervised:
        task = supervised_quality(task, scores.teacher, arguments.student_lines)
    report = partial(
        report_lines,
        teacher=arguments.teacher_model,
        texts=scores.texts,
        settings=SETTINGS if is_supervised else "",
    )
    return replace(task, report=report)


def report_lines(
    metrics: Mapping[str, Any],
    folder: Path,
    *,
    teacher: Path | None,
    texts: Sequence[ScoredText],
    settings: str = "",
) -> Iterator[str]:
    """Yield how far student and teacher agree and, given the teacher's file, both their speeds.

    Args:
        settings: With which the scorer reads texts as the student does; empty for the defaults.
    """
    artifact = folder / metrics["model"]["file"]
    yield f"scored by --set {' '.join([f'quality.artifact={artifact}', *settings.split()])}"
    figures: Iterable[tuple[str, Any]] = metrics["figures"][AGREEMENT].items()
    yield f"{AGREEMENT}: {', '.join(f'{name} {value}' for name, value in figures)}"
    if teacher is not None:
        timed = [text.text for text in texts[:_TIMED_TEXTS]]
        slow = teacher_rate(teacher, timed)
        fast = student_rate(artifact, timed, tokenizer=TokenizerSettings() if settings else None)
        yield (
            f"{len(timed)} texts, documents a second on one core: teacher {slow:,.2f}, student "
            f"{fast:,.0f}, {fast / slow:,.0f} times"
        )


def student_rate(
    path: Path,
    texts: Sequence[str],
    rounds: int = 3,
    tokenizer: TokenizerSettings | None = None,
) -> float:
    """Measure texts a second of a fastText quality model, tokenization included.

    Args:
        tokenizer: None for that of the bundled model.
    """
    model = load_fasttext(path)
    settings = tokenizer or bundled_tokenizer()
    return _rate(lambda: score_quality(tokenize_texts(texts, [settings])[0], model), texts, rounds)


def teacher_rate(path: Path, texts: Sequence[str], rounds: int = 1) -> float:
    """Measure texts a second of an encoder on one CPU core.

    Raises:
        ModuleNotFoundError: PyTorch is not installed.
        EncoderFileError: the file is not an encoder's.
    """
    scorer = DocumentScorer(path, QualityBertSettings(device="cpu"))
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _rate(lambda: score_documents(texts, scorer), texts, rounds)
    finally:
        torch.set_num_threads(threads)


def _rate(score: Callable[[], object], texts: Sequence[str], rounds: int) -> float:
    """Texts a second in the best round.

    The processor time of this process counts, all threads together (a tokenizer may use several).
    A first round, which loads and compiles, is not timed.
    """
    score()
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        score()
        seconds.append(time.process_time() - started)
    return len(texts) / max(min(seconds), 1e-9)


TEACHER_OPTIONS = TaskOptions(
    {
        "--teacher": {
            "metavar": "OUTPUT",
            "help": "output of a run with scores of quality_bert, to learn from too; without "
            "--data from these alone",
        },
        "--teacher-scorer": {
            "choices": [name for name in quality_scorers() if name != QUALITY.name],
            "help": f"scorer of that run to learn from ({SCORER}); text_judge teaches a language "
            "model's answers to a rubric",
        },
        "--student": {
            "choices": ("linear", "fasttext"),
            "help": "linear: this project's regression, learning scores as they are, written as a "
            "fastText file (the default); fasttext: fastText's own train_supervised, on words and "
            "their bigrams, learning from scores of 0.5 that a text is clean",
        },
        "--student-lines": {
            "type": Path,
            "metavar": "FILE",
            "help": "write the lines that --student fasttext learns, as train_supervised reads "
            "them",
        },
        "--teacher-texts": {
            "type": int,
            "default": 5_000,
            "metavar": "N",
            "help": "scored texts to learn from at most (%(default)s)",
        },
        "--teacher-model": {
            "type": Path,
            "metavar": "FILE",
            "help": "the teacher's encoder file, to measure the speed of both",
        },
    },
    with_teacher_options,
)
