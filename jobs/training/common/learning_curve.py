"""Learning curves: figures of a recipe that is trained on a share of the sources and sites."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from jobs.training.common.examples import Document
from jobs.training.common.task import Figures, Task

SHARES = (0.25, 0.5, 0.75)
"""Shares of the sources and sites, besides all of them."""
NAME = "by the share of the other sources and sites that was trained on"
"""Name of the table among a task's figures."""


def units_of_share(documents: Iterable[Document], share: float, seed: int) -> set[str]:
    """Draw this share of the sources and sites of each kind of documents.

    Returns:
        A larger share contains a smaller one. The draw does not depend on the documents' order.
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
    """Tabulate the measures of `task.curve` by the share of the units that was trained on.

    Args:
        figures: Figures of models trained on all other units.
        held_out: Measures every document by a model that was trained without its unit, on a share
            of the others.
    Returns:
        One table, by `NAME`; empty for a task without a curve.
    """
    if not task.curve:
        return {}
    tables: dict[float, Figures] = {}
    for share in SHARES:
        with suppress(ValueError):  # a share of little data may hold a single class
            tables[share] = held_out(task, documents, share)
    tables[1.0] = figures
    rows: list[dict[str, Any]] = [
        {"share": share}
        | {f"{name}: {measure}": table[name][measure] for name, measure in task.curve}
        for share, table in tables.items()
    ]
    return {NAME: {"at": rows}}
