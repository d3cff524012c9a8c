"""Train the bundled models: labelled text -> model files, each with metrics.json and CARD.md.

Reads the labelled files under ``--data`` and writes, for every task, into ``OUTPUT/TASK`` its
model (``TASK.ftz``, or the files that the task names), ``metrics.json`` and ``CARD.md``. Figures
come from models that were not trained on the source or site that is measured; the shipped model is
then trained on everything except the files that are for figures only.

With ``--teacher OUTPUT`` the quality model also learns from scores of quality_bert, or of another
scorer (``--teacher-scorer``), which a run on Spark left in that output, and reports how far both
agree on sites that it was not trained on.
``--task quality-bert-stages`` trains such an encoder, on texts of your own too:
jobs/training/README.md has the commands.

Spark is not used: all the text fits in a few hundred megabytes, and a fixed order of summation
makes the bytes of a model repeatable.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted
from jobs.training.common.data_files import read_task
from jobs.training.common.evaluation import (
    EvaluationError,
    evaluate,
    render_expectations,
    render_table,
)
from jobs.training.common.task import OptionError, Rows, Task, TrainingError
from jobs.training.common.train import remeasure_task, train_task, write_card
from jobs.training.tasks import add_options, chosen_tasks


def main(argv: Sequence[str] | None = None) -> int:
    """Train, evaluate or describe the chosen tasks.

    Returns:
        0 on success; 1 when an evaluated model differs from its metrics; 2 when the data, or a
        file that an option names, cannot be used.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    is_training = not (arguments.evaluate or arguments.cards)
    try:
        tasks = chosen_tasks(arguments)
        needing = [task.name for task in tasks if task.files]
        if arguments.data is None and is_training and needing:
            parser.error(f"--data is needed to train {', '.join(needing)}")
        if arguments.cards:
            return _write_cards(tasks, arguments.output)
        has_data = arguments.data is not None
        arguments.data = arguments.data or Path()  # of tasks that read no labelled file
        known = [task for task in tasks if has_data or not task.files]
        rows = {task.name: read_task(task, arguments.data) for task in known}
        if arguments.evaluate:
            return print_evaluation(tasks, arguments.output, rows)
        if instead := [(task, task.instead) for task in tasks if task.instead is not None]:
            for task, act in instead:
                act(task, rows[task.name])
            return 0
        for task in tasks:
            if arguments.remeasure:
                remeasure_task(task, rows[task.name], arguments.data, arguments.output)
                print(f"{task.name}: measured again", flush=True)
            else:
                _train(task, rows[task.name], arguments.data, arguments.output)
    except OptionError as error:
        parser.error(str(error))
    except TrainingError as error:
        print(f"train_models: {error}", file=sys.stderr)
        return 2
    return 0


def print_evaluation(tasks: Sequence[Task], output: Path, rows: Mapping[str, Rows]) -> int:
    """Print the main figures of the models under a folder.

    Returns:
        0, or 1 when a file or a figure differs from the metrics.
    """
    try:
        found = [evaluate(task, output / task.name, rows.get(task.name)) for task in tasks]
    except (EvaluationError, OSError) as error:
        print(f"train_models: {error}", file=sys.stderr)
        return 1
    print(render_table(found))
    if expected := render_expectations(found):
        print(f"\n{expected}\n")
    again = sum(evaluation.measured_again for evaluation in found)
    if rows:
        print(f"measured again on documents that were never trained on: {again} tables, all equal")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train_models",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="directory of the labelled files")
    parser.add_argument("--output", type=Path, required=True, help="directory of the artifacts")
    parser.add_argument("--evaluate", action="store_true", help="train nothing, print figures")
    parser.add_argument(
        "--cards", action="store_true", help="train nothing, write CARD.md again from metrics.json"
    )
    parser.add_argument(
        "--remeasure",
        action="store_true",
        help="train no model, only those of the held-out folds; write the figures of the models "
        "under --output again",
    )
    add_options(parser)
    return parser


def _train(task: Task, rows: Rows, data: Path, output: Path) -> None:
    try:
        metrics = train_task(task, rows, data, output)
    except TrainingError as error:
        raise TrainingError(f"{task.name}: {error}") from error
    model = metrics["model"]
    print(f"{task.name}: {model['bytes']:,} bytes, sha256 {model['sha256']}", flush=True)
    for line in task.report(metrics, output / task.name):
        print(f"{task.name}: {line}")


def _write_cards(tasks: Sequence[Task], output: Path) -> int:
    for task in tasks:
        print(write_card(task, output / task.name))
    return 0


if __name__ == "__main__":
    sys.exit(until_interrupted("train_models", main))
