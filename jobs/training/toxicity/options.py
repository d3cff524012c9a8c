"""Command-line options of the task toxicity: a judge, and the texts that it judges."""

from __future__ import annotations

import argparse
from pathlib import Path

from jobs.training.common.data_files import UNLABELLED
from jobs.training.common.task import OptionError, Task, TaskOptions
from jobs.training.toxicity.judge import TEMPLATE, Judge, JudgeError, model_judge
from jobs.training.toxicity.rounds import judged_toxicity


def with_judge_options(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task, fitted in rounds when --judge names a file of verdicts.

    Raises:
        OptionError: an option of the judge without --judge or --judge-model.
        JudgeError: the verdicts, the template or the model cannot be used.
    """
    if arguments.judge_model is None:
        for option in ("judge_toxic", "judge_template"):
            if getattr(arguments, option) is not None:
                raise OptionError(f"--{option.replace('_', '-')} needs --judge-model")
    if arguments.judge is None:
        if arguments.judge_model is not None:
            raise OptionError("--judge-model needs --judge, the file that its verdicts go to")
        if arguments.unlabelled is not None and arguments.task == ["toxicity"]:
            raise OptionError("--unlabelled needs --judge, which judges its texts")
        return task
    return judged_toxicity(_judge(arguments), arguments.unlabelled or UNLABELLED)


def _judge(arguments: argparse.Namespace) -> Judge:
    if arguments.judge_model is None:
        return Judge(arguments.judge)
    path = arguments.judge_template
    try:
        template = TEMPLATE if path is None else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise JudgeError(f"--judge-template {path}: cannot be read: {error}") from error
    return Judge(
        arguments.judge, model_judge(arguments.judge_model, arguments.judge_toxic, template)
    )


JUDGE_OPTIONS = TaskOptions(
    {
        "--judge": {
            "type": Path,
            "metavar": "VERDICTS",
            "help": "fit in rounds, with a file of verdicts: JSON lines of sha256 and label",
        },
        "--judge-model": {
            "type": Path,
            "metavar": "FOLDER",
            "help": "transformers model (a classifier or a causal language model) that judges the "
            "texts without a verdict; its verdicts are added to the file",
        },
        "--judge-toxic": {"metavar": "LABEL", "help": "the label of a classifier that means toxic"},
        "--judge-template": {
            "type": Path,
            "metavar": "FILE",
            "help": "text file with the prompt of a causal model; {text} is replaced by the text",
        },
    },
    with_judge_options,
)
