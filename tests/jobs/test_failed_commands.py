"""Failures while Spark works: one line in plain words, an exit status, a rerun that goes on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs import apply_rules, extract_documents, plan_input
from jobs.pipeline import extraction_wave
from jobs.run.java_runtime import NoJava
from tests.jobs.conftest import LOCAL_CONFIG

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "今天天气很好。" * 40}) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def call(texts: Path, tmp_path: Path) -> list[str]:
    return [
        *("--config", str(LOCAL_CONFIG), "--input", str(texts), "--input-format", "jsonl"),
        *("--output", str(tmp_path / "out"), "--set", "extract.languages=[]"),
    ]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line on standard error, behind lines of progress."""
    text = capsys.readouterr().err
    for words in ("Traceback", "java.", "org.apache", "py4j"):
        assert words not in text
    return text.splitlines()[-1]


def full_disk() -> Callable[..., Any]:
    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from ()
        raise OSError(28, "No space left on device")

    return work


def killed() -> Callable[..., Any]:
    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield from batches

    return work


def wrong() -> Callable[..., Any]:
    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from ()
        raise KeyError("charset")

    return work


@pytest.mark.parametrize(
    ("worker", "words"),
    [
        (full_disk, "a disk is full: free space there"),
        (killed, "a worker was killed, most often since memory ran out"),
        (wrong, "KeyError: 'charset' (in a Python worker)"),
    ],
)
def test_what_a_worker_dies_of(
    worker: Callable[..., Any],
    words: str,
    call: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(extraction_wave, "extract_udf", lambda *_: worker())
        assert extract_documents.main(call) == 1
    line = said(capsys)
    assert line.startswith("extract_documents: extract_documents failed: ")
    assert words in line
    assert extract_documents.main(call) == 0


def test_a_table_that_cannot_be_written(
    call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [*call, "run.allow_empty=true"]
    assert extract_documents.main(call) == 0
    (tmp_path / "out" / "flagged").write_text("in the way", encoding="utf-8")
    assert apply_rules.main(call) == 1
    line = said(capsys)
    assert line.startswith("apply_rules: apply_rules failed: ")
    assert "flagged" in line
    (tmp_path / "out" / "flagged").unlink()
    assert apply_rules.main(call) == 0


def test_an_input_that_vanishes_between_plan_and_read(
    call: list[str], texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan_input.main(call) == 0
    texts.unlink()
    del call[2:6]  # without --input, what is planned is read
    assert extract_documents.main(call) == 3
    line = said(capsys)
    assert "none of its 1 files or captures could be read; check paths" in line


def test_a_machine_without_java(
    call: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_java(*_: object) -> None:
        raise NoJava("Spark needs a Java runtime of version 17 or newer; there is none. Install")

    monkeypatch.setattr("jobs.run.session.starts_spark", lambda: True)
    monkeypatch.setattr("jobs.run.session.java_home", no_java)
    assert extract_documents.main(call) == 2
    assert said(capsys).startswith("extract_documents: Spark needs a Java runtime of version 17")


def test_nothing_kept_is_status_3_again_and_again_unless_it_is_allowed(
    call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = [*call, "rules.min_chars=100000"]
    for _ in range(2):  # the second has nothing to do
        assert apply_rules.main(nothing) == 3
        assert "apply_rules kept none of 1 records (length 1" in said(capsys)
    assert apply_rules.main([*nothing, "run.allow_empty=true"]) == 0
