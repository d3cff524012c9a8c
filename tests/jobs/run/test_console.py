"""The lines of a run: plain text, or one JSON object each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from tqdm import tqdm

from jobs.run import console
from jobs.run.commits import Balance, Basis, wave_of
from jobs.run.console import StageProgress, draw, say, set_log_format, show_progress
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


def test_a_finished_wave_is_counted_from_1_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wave, waves in ((0, 1), (4, 12)):
        with wave_of(Store.at(str(tmp_path)), "apply_rules", wave, Basis(), waves) as work:
            work.balance = Balance(1000, 996, {"length": 3}, {"cut": 1})
    with wave_of(Store.at(str(tmp_path)), "measure_documents", 0, Basis(), is_shown=False):
        pass
    only, fifth = capsys.readouterr().err.splitlines()
    assert only.startswith("apply_rules: done, 1,000 seen, 996 kept, 3 rejected, 1 failed in ")
    assert fifth.startswith("apply_rules, wave 5 of 12: done, ")


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (StageProgress("a", seconds=65), "1:05 so far"),
        (StageProgress("a", documents=3000, seconds=30), "3,000 documents, 100/s, 0:30 so far"),
        (StageProgress("a", files=8, seconds=30), "0 of 8 files, 0:30 so far"),
        (
            StageProgress("a", files=8, files_done=2, documents=3000, seconds=30),
            "2 of 8 files, 3,000 documents, 100/s, 1:30 left",
        ),
        (
            StageProgress("a", 4000, documents=3000, seconds=30),
            "3,000 of 4,000 documents, 100/s, 0:10 left",
        ),
        (  # a task that ran twice
            StageProgress("a", 4000, documents=5000, seconds=30),
            "4,000 of 4,000 documents, 167/s, 0:00 left",
        ),
        (StageProgress("a", 4000, is_one_pass=False, seconds=30), "4,000 documents, 0:30 so far"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_progress_in_words(progress: StageProgress, text: str) -> None:
    assert progress.text() == text


@pytest.mark.parametrize("columns", [120, 40, 0])
def test_a_terminal_has_one_line_that_fits(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = StringIO()
    bar = tqdm(total=1.0, bar_format="{desc}", leave=False, file=terminal, ncols=80, nrows=2)
    for documents in (3, 1500, 3000):
        draw(bar, StageProgress("apply_rules", 4000, documents=documents, seconds=30))
    lines = terminal.getvalue().strip("\r").split("\r")
    assert "\n" not in terminal.getvalue()
    assert len(lines) == 3 and all(line.startswith("apply_rules: |") for line in lines)
    assert max(map(len, lines)) < (columns or 80)
    assert columns == 40 or "3,000 of 4,000 documents, 100/s, 0:10 left" in lines[-1]
    bar.close()
    assert terminal.getvalue().rsplit("\r", 2)[1].strip() == ""


def test_elsewhere_a_line_comes_at_intervals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    again = threading.Semaphore(0)

    def update(_: object, progress: StageProgress, seconds: float) -> None:
        progress.documents, progress.seconds = 500, 10.0
        again.release()

    monkeypatch.setattr(console, "_LINE_SECONDS", 0.001)
    monkeypatch.setattr(console, "_update", update)
    set_log_format("json")
    with show_progress(None, StageProgress("apply_rules, wave 1 of 2", 1000)):  # type: ignore[arg-type]
        for _ in range(3):
            assert again.acquire(timeout=60)
    line = json.loads(capsys.readouterr().err.splitlines()[1])
    assert (line["event"], line["doing"]) == ("progress", "apply_rules, wave 1 of 2")
    assert (line["documents"], line["documents_total"], line["seconds_left"]) == (500, 1000, 10.0)


@pytest.mark.slow
def test_spark_says_how_many_rows_workers_have_returned(
    spark: SparkSession, tmp_path: Path
) -> None:
    """It does so with heartbeats, every ten seconds."""
    end = tmp_path / "end"

    def slow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = next(batches).schema
        for _ in range(5):  # small ones wait for others in the worker
            yield pa.RecordBatch.from_arrays([pa.array(range(100_000))], schema=schema)
        while not end.exists():
            time.sleep(0.05)

    rows = spark.range(0, 10, 1, 1).mapInArrow(slow, "id bigint")
    query = threading.Thread(target=rows.write.format("noop").mode("overwrite").save)
    query.start()
    progress = StageProgress("test")
    try:
        limit = time.monotonic() + 60
        while progress.documents == 0 and time.monotonic() < limit:
            console._update(spark, progress, 1.0)
            time.sleep(0.2)
    finally:
        end.touch()
        query.join()
    seen = progress.documents
    assert 100_000 <= seen <= 500_000
    console._update(spark, progress, 2.0)
    assert progress.documents == seen  # the query has ended: numbers never go back
