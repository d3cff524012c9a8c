"""Command-line options of the task domain: rows of each document, and proposals of keywords."""

from __future__ import annotations

import argparse
import dataclasses
from functools import partial
from pathlib import Path
from typing import cast

from jobs.training.common.examples import distinct
from jobs.training.common.task import Rows, Task, TaskOptions
from jobs.training.domain.fit import DomainRecipe
from jobs.training.domain.keywords import KEYWORDS, read_keywords
from jobs.training.domain.proposals import Proposal, rounds
from jobs.training.domain.task import figures_and_rows
from udfs.scorers.domain import LABELS


def with_domain_options(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task with the outputs that --documents and --propose-keywords add."""
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
