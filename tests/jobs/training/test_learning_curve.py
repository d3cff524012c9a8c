"""Figures by the part of the sources that was trained on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from jobs.training.common import learning_curve as curve
from jobs.training.common.examples import Document
from jobs.training.common.task import Figures, Settings, Task
from jobs.training.common.train import held_out_figures

DOCUMENTS = [
    Document(f"{kind} {unit} {number}", ("a",), f"{kind}-{unit}", kind)
    for kind, units in (("curated", 8), ("crawl", 20))
    for unit in range(units)
    for number in range(3)
]


def test_a_part_has_its_share_of_each_kind_and_is_in_the_larger_ones() -> None:
    parts = [curve.units_of_share(DOCUMENTS, share, 7) for share in (0.25, 0.5, 1.0)]
    assert [sum(unit.startswith("crawl") for unit in part) for part in parts] == [5, 10, 20]
    assert [sum(unit.startswith("curated") for unit in part) for part in parts] == [2, 4, 8]
    assert parts[0] < parts[1] < parts[2]
    mixed = random.Random(1).sample(DOCUMENTS, len(DOCUMENTS))
    assert curve.units_of_share(mixed, 0.25, 7) == parts[0]
    assert curve.units_of_share(DOCUMENTS, 0.25, 8) != parts[0]
    assert len(curve.units_of_share(DOCUMENTS, 0.001, 7)) == 2  # a unit of each kind at least


class OneLabel:
    """Stands for a model."""

    labels = ("a",)


def test_every_fold_is_trained_on_a_part_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[set[str]] = []

    def fit(task: Task, documents: Sequence[Document], folder: object = None) -> Any:
        trained.append({d.unit for d in documents})
        return OneLabel(), {}

    def figures(documents: Sequence[Document], model: Any, answers: Any) -> Figures:
        return {"all": {"units": len(set.union(*trained)), "rows": len(documents)}}

    monkeypatch.setattr("jobs.training.common.train.fit", fit)
    task = Task(
        name="t", files=(), documents=lambda rows: DOCUMENTS, only_measured=frozenset(),
        recipe=Settings(folds=4), fit=lambda *_: {}, figures=figures, purpose="", split="",
        weaknesses="", curve=(("all", "rows"),),
        answers=lambda model, found, documents: np.zeros(len(documents)),
    )  # fmt: skip
    whole = held_out_figures(task, DOCUMENTS)
    assert whole == {"all": {"units": 28, "rows": len(DOCUMENTS)}}
    sizes = [len(units) for units in trained]
    trained.clear()
    table = curve.learning_curve(task, DOCUMENTS, whole, held_out_figures)
    assert [row["share"] for row in table[curve.NAME]["at"]] == [0.25, 0.5, 0.75, 1.0]
    assert {row["all: rows"] for row in table[curve.NAME]["at"]} == {len(DOCUMENTS)}
    for place, share in enumerate(curve.SHARES):
        part = [len(units) for units in trained[4 * place : 4 * place + 4]]
        assert all(abs(n - share * size) <= 2 for n, size in zip(part, sizes, strict=True))
    assert curve.learning_curve(replace(task, curve=()), [], {}, fit) == {}
