"""The lines of a run: plain text, or one JSON object each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.run.commits import Balance, Basis, wave_of
from jobs.run.console import say, set_log_format
from jobs.run.store import Store


@pytest.fixture(autouse=True)
def text_lines() -> Iterator[None]:
    set_log_format("text")
    yield
    set_log_format("text")


def test_a_line_for_people_is_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    say("count", "find_duplicates: rounds = 3", name="rounds", value=3)
    assert capsys.readouterr().err == "find_duplicates: rounds = 3\n"


def test_a_line_for_machines_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    set_log_format("json")
    say("count", "two\nlines", name="围棋", value=3)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    fields = json.loads(lines[0])
    assert fields.pop("time").endswith("Z")
    assert fields == {"event": "count", "name": "围棋", "value": 3}


def test_a_finished_wave_says_what_became_of_its_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_log_format("json")
    balance = Balance(10, 6, {"length": 3}, {"cut": 1})
    with wave_of(Store.at(str(tmp_path)), "apply_rules", 4, Basis()) as work:
        work.balance = balance
    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["stage"], said["wave"]) == ("wave_done", "apply_rules", 4)
    assert (said["seen"], said["kept"]) == (10, 6)
    assert (said["rejected"], said["failed"]) == ({"length": 3}, {"cut": 1})
    assert said["seconds"] >= 0
