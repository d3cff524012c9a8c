"""Pages judged in a process of their own: the same outcomes, and the deadly ones are counted."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.builders.stuck_work import stuck, time_only_what_is_stuck
from tests.builders.warc_files import written_by_warcio
from udfs.base.isolated_process import LOST, NO_ANSWER
from udfs.extract import extract
from udfs.extract.extract import ExtractOptions, split_outcomes
from udfs.extract.isolated_worker import isolated_outcomes
from udfs.extract.outcomes import Candidate, Failed, Outcome
from udfs.extract.pages import PageOptions, page_outcome
from udfs.warc.reader import read_records
from udfs.warc.records import Damage, WarcRecord

PROSE = "<p>昨天下午，市教育局的工作人员来到第三小学，介绍新学期的课程安排和作息时间。</p>" * 6
PAGES = [
    f"<html><head><title>{n}</title></head><body>{PROSE}{n}</body></html>".encode(charset)
    for n, charset in enumerate(["utf-8", "gbk", "utf-8", "utf-8"])
]
CONTENT = written_by_warcio(PAGES)
HELPER = """
import os, signal, sys, time
from udfs.extract import isolated_worker
from udfs.extract import pages

def early_outcome(record, options, look=pages.early_outcome):
    if b"<title>{number}<" in record.block:
        {act}
    return look(record, options)

pages.early_outcome = early_outcome
isolated_worker.main(sys.argv[1:])
"""


def records() -> list[WarcRecord | Damage]:
    return list(read_records(io.BytesIO(CONTENT + b"\x1f\x8bno gzip member at all")))


def helper(number: int, act: str) -> list[str]:
    """The command of a helper to which one page does something."""
    return [sys.executable, "-c", HELPER.format(number=number, act=act)]


def test_outcomes_are_those_of_this_process() -> None:
    options = PageOptions(min_script_chars=16)
    found = list(isolated_outcomes(records(), "a.warc.gz", options))
    assert found == [page_outcome(record, "a.warc.gz", options) for record in records()]
    assert sum(isinstance(outcome, Candidate) for outcome in found) == len(PAGES)
    assert any(isinstance(outcome, Failed) for outcome in found)  # the damage at the end


@pytest.fixture(scope="module")
def plain() -> list[Outcome]:
    """The outcomes of a process to which nothing happens."""
    return list(isolated_outcomes(records(), "a.warc.gz", PageOptions()))


@pytest.mark.parametrize("act", ["os.kill(os.getpid(), signal.SIGSEGV)", "os._exit(0)"])
def test_a_deadly_page_is_a_failure_and_the_next_ones_are_judged(
    plain: list[Outcome], act: str
) -> None:
    found = list(isolated_outcomes(records(), "a.warc.gz", PageOptions(), helper(1, act), 300.0))
    check_one_is_lost(found, plain, LOST)


def test_a_page_that_takes_too_long_is_a_failure_too(
    plain: list[Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = tmp_path / "stuck"
    time_only_what_is_stuck(monkeypatch, sign)
    command = helper(1, stuck(sign))
    found = list(isolated_outcomes(records(), "a.warc.gz", PageOptions(), command, 1.0))
    check_one_is_lost(found, plain, NO_ANSWER)


def check_one_is_lost(found: list[Outcome], plain: list[Outcome], reason: str) -> None:
    """All outcomes are the plain ones but one, which is a failure for a reason."""
    at = next(n for n, outcome in enumerate(plain) if outcome != found[n])
    deadly = plain[at]
    assert isinstance(deadly, Candidate)
    assert found[at] == Failed(deadly.offset, reason, deadly.url or "")
    assert found[:at] + found[at + 1 :] == plain[:at] + plain[at + 1 :]


def test_only_another_attempt_is_isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(CONTENT)
    split = type("Split", (), {"uri": str(path), "warc_path": "a", "input_format": "warc"})()
    options = ExtractOptions(frozenset(), None, 1 << 20, PageOptions(), "text", "id", 10, 1 << 20)
    asked: list[str] = []

    def isolated(*arguments: object) -> list[Failed]:
        asked.append(str(arguments[1]))
        return []

    monkeypatch.setattr(extract, "isolated_outcomes", isolated)
    first = list(split_outcomes(split, options))
    assert not asked
    assert sum(isinstance(outcome, Candidate) for outcome in first) == len(PAGES)
    monkeypatch.setattr(extract, "is_retry", lambda: True)
    assert list(split_outcomes(split, options)) == []
    assert asked == ["a"]
