"""Command-line options of the task domain: texts of a run, rows of each document, and proposals of
keywords."""

from __future__ import annotations

import argparse
import dataclasses
from functools import partial
from pathlib import Path
from typing import cast

from jobs.training.common.examples import distinct
from jobs.training.common.run_sample import sample_run_texts
from jobs.training.common.task import OptionError, Rows, Task, TaskOptions
from jobs.training.domain.crawl_rounds import crawl_domain
from jobs.training.domain.fit import DomainRecipe
from jobs.training.domain.keywords import KEYWORDS, read_keywords
from jobs.training.domain.proposals import Proposal, rounds
from jobs.training.domain.task import figures_and_rows
from udfs.scorers.domain import LABELS

MOST_TEXTS = 20_000
MOST_ROUNDS = 3


def with_domain_options(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task, fitted in rounds when --crawl names a run's output, with the outputs that
    --documents and --propose-keywords add.

    Raises:
        OptionError: an option of --crawl without it, or a number below 1.
        RunSampleError: the output holds no documents.
    """
    for name in ("crawl_texts", "crawl_rounds"):
        flag = f"--{name.replace('_', '-')}"
        value = getattr(arguments, name)
        if arguments.crawl is None and value is not None:
            raise OptionError(f"{flag} needs --crawl")
        if value is not None and value < 1:
            raise OptionError(f"{flag} {value}: expected 1 or more")
    if arguments.crawl is not None:
        texts = sample_run_texts(
            arguments.crawl, arguments.crawl_texts or MOST_TEXTS, without_cuts=False
        )
        task = crawl_domain(task, texts, arguments.crawl_rounds or MOST_ROUNDS)
    if arguments.documents is not None:
        arguments.documents.unlink(missing_ok=True)
        with_rows = partial(figures_and_rows, path=arguments.documents)
        task = dataclasses.replace(task, figures=with_rows, curve=())
    if arguments.propose_keywords is not None:
        propose = partial(propose_keywords, path=arguments.propose_keywords)
        task = dataclasses.replace(task, instead=propose)
    return task


def propose_keywords(task: Task, rows: Rows, path: Path) -> None:
    """Write proposed keywords as tab-separated lines; print the F1 of each round on held-out units.

    Raises:
        KeywordsError: the list of keywords cannot be used.
    """
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


DOMAIN_OPTIONS = TaskOptions(
    {
        "--crawl": {
            "metavar": "OUTPUT",
            "help": "output of a run: fit in rounds, with the texts of its documents that keyword "
            "rules and model agree on",
        },
        "--crawl-texts": {
            "type": int,
            "metavar": "N",
            "help": f"documents of the run to look at, at most ({MOST_TEXTS})",
        },
        "--crawl-rounds": {
            "type": int,
            "metavar": "N",
            "help": f"most rounds; they end when held-back sources stop gaining ({MOST_ROUNDS})",
        },
        "--documents": {
            "type": Path,
            "metavar": "FILE",
            "help": "write the answers of keyword rules and model for each held-out document",
        },
        "--propose-keywords": {
            "type": Path,
            "metavar": "FILE",
            "help": "train nothing; write the keywords that confident predictions propose",
        },
    },
    with_domain_options,
)
