"""Whether more data would help: figures of a recipe that is given a part of the sources and sites.

No I/O, no Spark.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from jobs.training.common.examples import Document
from jobs.training.common.task import Figures, Task

SHARES = (0.25, 0.5, 0.75)
"""Parts of the sources and sites, beside all of them."""
NAME = "by the share of the other sources and sites that was trained on"
"""Of the table among a task's figures."""


def units_of_share(documents: Iterable[Document], share: float, seed: int) -> set[str]:
    """Sources and sites, so many of each kind of documents; those of a part are in any larger one.

    Returns:
        They depend on the documents only, not on their order.
    """
    units: dict[str, set[str]] = {}
    for document in documents:
        units.setdefault(document.kind, set()).add(document.unit)
    drawn: set[str] = set()
    for kind, its_units in sorted(units.items()):
        order = sorted(its_units)
        random.Random(f"{seed} {kind}").shuffle(order)
        drawn.update(order[: max(1, round(share * len(order)))])
    return drawn


def learning_curve(
    task: Task,
    documents: Sequence[Document],
    figures: Figures,
    held_out: Callable[[Task, Sequence[Document], float], Figures],
) -> Figures:
    """A table of the measures that a task names, by share of the units trained on.

    Args:
        figures: Those of training on all other units.
        held_out: Gives the figures of every document by a model that was trained without its
            unit, on a share of the others.
    Returns:
        Nothing for a task without such measures.
    """
    if not task.curve:
        return {}
    tables: dict[float, Figures] = {}
    for share in SHARES:
        with suppress(ValueError):  # of little data a part may hold one class alone
            tables[share] = held_out(task, documents, share)
    tables[1.0] = figures
    rows: list[dict[str, Any]] = [
        {"share": share}
        | {f"{name}: {measure}": table[name][measure] for name, measure in task.curve}
        for share, table in tables.items()
    ]
    return {NAME: {"at": rows}}
