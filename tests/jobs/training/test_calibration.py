"""What a score means: reliability, precision from a threshold on, shifts by kind of page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs import train_models
from jobs.training import tasks
from jobs.training.common.calibration import (
    OTHER_KINDS,
    Claim,
    calibration_of,
    label_claims,
    wilson_interval,
)
from jobs.training.common.examples import Document
from jobs.training.common.task import Settings, Task


def claim(kinds: bool = False, alike: int = 1) -> Claim:
    """Two hundred documents whose scores are right, but too low on forums and too high in shops."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, 200)
    names = ["forum", "shop", "news"] * 66 + ["rare", "odd"]
    offsets = np.array([{"forum": 2.0, "shop": -2.0}.get(kind, 0.0) for kind in names])
    holds = rng.random(200) < 1 / (1 + np.exp(-(logits + (offsets if kinds else 0.0))))
    return Claim(
        "pages: kept",
        holds,
        1 / (1 + np.exp(-logits)),
        [str(number // alike) for number in range(200)],
        names if kinds else (),
        True,
    )


def test_reliability_has_every_document_in_a_bin_of_some_size() -> None:
    asked = claim()
    tables = calibration_of([asked])["pages: kept"]
    bins = tables["reliability"]
    assert sum(row["rows"] for row in bins) == tables["rows"] == 200
    assert min(row["rows"] for row in bins) >= 20
    assert bins[0]["score"].startswith("0.0 to ") and bins[-1]["score"].endswith(" to 1.0")
    for row in bins:
        low, high = map(float, row["score"].split(" to "))
        inside = (asked.scores >= low) & ((asked.scores < high) | (high == 1.0))
        assert row["rows"] == inside.sum()
        assert row["mean_score"] == pytest.approx(asked.scores[inside].mean(), abs=1e-4)
        assert row["holds_share"] == pytest.approx(asked.holds[inside].mean(), abs=1e-4)
        assert row["interval_95"][0] < row["holds_share"] + 1e-9
    assert tables["expected_calibration_error"] < 0.1
    few = dataclasses.replace(
        asked, scores=asked.scores[:5], holds=asked.holds[:5], units=["a"] * 5
    )
    (only,) = calibration_of([few])["pages: kept"]["reliability"]
    assert (only["score"], only["rows"]) == ("0.0 to 1.0", 5)


def test_a_threshold_is_told_with_its_precision_and_what_it_leaves() -> None:
    holds = np.array([True, False, True, True])
    four = Claim("four", holds, np.array([0.95, 0.5, 0.5, 0.05]), list("abcc"))
    at = {row["threshold"]: row for row in calibration_of([four])["four"]["thresholds"]}
    assert at[0.5] == {
        "threshold": 0.5,
        "rows": 3,
        "share_of_rows": 0.75,
        "precision": 0.6667,
        "interval_95": wilson_interval(2 / 3, 3),
        "recall": 0.6667,
    }
    assert at[0.99]["precision"] is at[0.99]["interval_95"] is None


def test_documents_of_one_site_do_not_narrow_an_interval() -> None:
    def widths(alike: int) -> list[float]:
        tables = calibration_of([claim(alike=alike)])["pages: kept"]
        return [high - low for low, high in (row["interval_95"] for row in tables["reliability"])]

    assert all(wide > narrow for wide, narrow in zip(widths(20), widths(1), strict=True))


def test_kinds_of_pages_are_shifted_where_their_scores_are_off() -> None:
    tables = calibration_of([claim(kinds=True)])["pages: kept"]
    shift = {row["kind"]: row["shift_of_log_odds"] for row in tables["kinds"]}
    assert list(shift)[-1] == OTHER_KINDS
    assert shift["forum"] > 1.0 > abs(shift["news"]) and shift["shop"] < -1.0
    for row in tables["kinds"][:3]:
        before = abs(row["mean_score"] - row["holds_share"])
        assert abs(row["mean_shifted_score"] - row["holds_share"]) < max(before, 0.02)
    assert tables["log_loss_shifted_by_kind"] < tables["log_loss"] - 0.05
    assert "kinds" not in calibration_of([claim()])["pages: kept"]


class TwoLabels:
    """A model whose second column is of the label that is asked for."""

    def column(self, label: str) -> int:
        return ["dirty", "clean"].index(label)


def test_a_label_claims_its_documents_and_those_without_an_answer_are_left_out() -> None:
    documents = [
        Document("", (label,), unit, kind, note="news")
        for label, unit, kind in (("clean", "a", "read"), ("dirty", "b", "read"))
    ] + [Document("", ("clean",), "c", "picked")] * 2
    answers = np.array([[0.1, 0.9], [0.7, 0.3], [0.5, 0.5], [0.5, np.nan]])
    names = {"all": ("read", "picked"), "random": ("read",), "none": ("html",)}
    claims = label_claims("clean", names, "random", lambda d: d.note)(
        documents, TwoLabels(), answers
    )
    assert [(c.name, c.is_expected, list(c.kinds)) for c in claims] == [
        ("all", False, []),
        ("random", True, ["news", "news"]),
    ]
    assert claims[0].scores.tolist() == [0.9, 0.3, 0.5]
    assert claims[0].holds.tolist() == [True, False, True]
    assert list(claims[1].units) == ["a", "b"]


def test_figures_are_measured_again_without_touching_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    fitted: list[Path] = []

    def fit(documents: Any, path: Path, recipe: Settings) -> dict[str, Any]:
        fitted.append(path)
        path.write_text("model", encoding="utf-8")
        return {}

    data = tmp_path / "data"
    data.mkdir()
    task = Task(
        name="even",
        files=(),
        documents=lambda rows: [
            Document(f"词{n}", ("odd" if n % 2 else "even",), str(n), "read") for n in range(8)
        ],
        only_measured=frozenset(),
        recipe=Settings(folds=2),
        figures=lambda documents, model, table: {"seen": {"rows": len(documents)}},
        claims=label_claims("clean", {"read pages: even": ("read",)}, "read pages: even"),
        purpose="",
        split="",
        weaknesses="",
        fit=fit,
        load=lambda path: LabelsOfTwo(),
        answers=lambda model, found, documents: np.full((len(documents), 2), 0.5),
    )
    monkeypatch.setitem(tasks.TASKS, "domain", task)
    arguments = ["--data", str(data), "--output", str(tmp_path / "out"), "--task", "domain"]
    assert train_models.main(arguments) == 0
    folder = tmp_path / "out" / "even"
    written = (folder / "metrics.json").read_bytes()
    metrics = json.loads(written)
    assert metrics["calibration"]["read pages: even"]["rows"] == 8
    without = {key: value for key, value in metrics.items() if key != "calibration"}
    (folder / "metrics.json").write_text(json.dumps(without), encoding="utf-8")
    fitted.clear()
    assert train_models.main([*arguments, "--remeasure"]) == 0
    assert len(fitted) == 2, "one fit a fold"
    assert (folder / "metrics.json").read_bytes() == written

    other = dataclasses.replace(task, recipe=Settings(folds=3))
    monkeypatch.setitem(tasks.TASKS, "domain", other)
    capsys.readouterr()
    assert train_models.main([*arguments, "--remeasure"]) == 2
    assert "metrics.json: recipe: " in capsys.readouterr().err
    monkeypatch.setitem(tasks.TASKS, "domain", task)
    (folder / "even.ftz").write_text("another", encoding="utf-8")
    assert train_models.main([*arguments, "--remeasure"]) == 2
    assert "metrics.json: model: " in capsys.readouterr().err


class LabelsOfTwo(TwoLabels):
    """A model with names for its columns."""

    labels = ("dirty", "clean")
