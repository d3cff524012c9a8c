"""Kept ratios: which are named, and what the committed file holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import check_ratios
from tests.bench.check_ratios import FORMS, Form, check, updated
from tests.bench.ratios import Ratios, better, compare, read_ratios, write_ratios


@pytest.mark.parametrize(
    ("kept", "found", "verdict"),
    [
        (10.0, 8.6, "ok"),
        (10.0, 8.4, "fell"),
        (10.0, 30.0, "ok"),
        (10.0, None, "missing"),
        (None, 1.0, "new"),
    ],
)
def test_a_ratio_is_judged_by_the_kept_one(
    kept: float | None, found: float | None, verdict: str
) -> None:
    (one,) = compare(
        {} if kept is None else {"speed": kept}, {} if found is None else {"speed": found}
    )
    assert one.verdict == verdict
    assert one.is_wrong == (verdict in ("fell", "missing"))


def test_a_ratio_that_fell_once_is_measured_again() -> None:
    answers: Iterator[Ratios] = iter([{"a": 5.0, "b": 2.0}, {"a": 9.0, "b": 1.0}])
    kept = {"rules": {"ratios": {"a": 10.0, "b": 2.0}}}
    found, wrong = check(["rules"], kept, lambda form: next(answers), lambda line: None)
    assert found == {"rules": {"a": 9.0, "b": 2.0}}
    assert wrong == []


def test_a_ratio_that_fell_twice_and_a_missing_one_are_named() -> None:
    kept = {"rules": {"ratios": {"a": 10.0, "gone": 2.0}}}
    said: list[str] = []
    _, wrong = check(["rules"], kept, lambda form: {"a": 5.0, "b": 1.0}, said.append)
    assert [(one.name, one.verdict) for one in wrong] == [
        ("rules: a", "fell"),
        ("rules: gone", "missing"),
    ]
    assert "| b |  | 1.000 |  | new |" in "\n".join(said)


def test_better_takes_the_larger_of_each() -> None:
    assert better({"a": 1.0, "b": 2.0}, {"b": 1.0, "c": 3.0}) == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_benches_that_did_not_run_keep_their_ratios() -> None:
    kept = {"rules": {"form": "x", "ratios": {"a": 1.0}}, "scores": {"form": "y", "ratios": {}}}
    new = updated(kept, {"rules": {"a": 2.00004}})
    assert new["rules"] == {"form": FORMS["rules"].command, "ratios": {"a": 2.0}}
    assert new["scores"] == kept["scores"]


def test_ratios_are_positive_numbers(tmp_path: Path) -> None:
    file = tmp_path / "ratios.json"
    write_ratios(file, {"a": 1.5})
    assert read_ratios(file) == {"a": 1.5}
    write_ratios(None, {"a": 1.5})
    write_ratios(file, {"a": 0.0})
    with pytest.raises(ValueError, match=r"a = 0\.0: expected a positive number"):
        read_ratios(file)


def test_a_failed_check_has_status_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ratios.json"
    file.write_text(json.dumps({"rules": {"form": "x", "ratios": {"a": 10.0, "gone": 1.0}}}))
    monkeypatch.setattr(check_ratios, "KEPT", file)
    found = {"a": 5.0}
    monkeypatch.setattr(
        check_ratios, "measuring", lambda data, environments: lambda form: dict(found)
    )
    asked = ["--data", "d", "--peers", "p", "--datatrove", "d", "--only", "rules"]
    assert check_ratios.main(asked) == 1
    said = capsys.readouterr().err
    assert "rules: a: 5.000, kept 10.000: fell by 50%, more than 15%" in said
    assert "rules: gone: the bench gives no such ratio any more" in said
    assert check_ratios.main([*asked, "--update"]) == 0
    assert json.loads(file.read_text())["rules"]["ratios"] == {"a": 5.0}
    assert check_ratios.main(asked) == 0


def test_a_bench_that_fails_is_reported(tmp_path: Path) -> None:
    measure = check_ratios.measuring(tmp_path, {})
    with pytest.raises(check_ratios.BenchFailed, match="--nonsense: status 2"):
        measure(Form("rule_rates", ("--nonsense",)))


def test_the_committed_ratios_are_of_the_forms_that_run() -> None:
    kept = json.loads(check_ratios.KEPT.read_text(encoding="utf-8"))
    assert set(kept) <= set(FORMS)
    for name, of_bench in kept.items():
        assert of_bench["form"] == FORMS[name].command
        assert of_bench["ratios"]
        assert all(ratio > 0 for ratio in of_bench["ratios"].values())
