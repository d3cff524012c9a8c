"""Pages that would cost a worker its memory, its stack or its life are counted, and no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest

from tests.cluster.conftest import (
    HOSTILE,
    HOSTILE_FILE,
    LIMIT_S,
    POISON,
    SubmittedRun,
    corpus_of,
)
from tests.cluster.test_faults import assert_nothing_is_left

pytestmark = pytest.mark.timeout(LIMIT_S)

DEADLY = f"""
import os
import signal

from udfs.extract import extract
from udfs.extract import pages
from udfs.warc.records import Damage


def early_outcome(record, options, look=pages.early_outcome):
    if not isinstance(record, Damage) and record.field("warc-target-uri") == {POISON!r}:
        os.kill(os.getpid(), signal.SIGSEGV)
    return look(record, options)


extract.early_outcome = pages.early_outcome = early_outcome
"""
"""Imported by every Python process of the executors when it starts: one page is as deadly to them
as a fault of a library in machine code would make it."""


def test_a_page_that_kills_its_worker_each_time_is_counted(
    submit: Callable[..., SubmittedRun], undisturbed: list[str], tmp_path: Path
) -> None:
    (tmp_path / "deadly").mkdir()
    (tmp_path / "deadly" / "sitecustomize.py").write_text(DEADLY, encoding="utf-8")
    poisoned = submit(
        "poisoned",
        properties={
            "spark.executorEnv.PYTHONPATH": str(tmp_path / "deadly"),
            "spark.task.maxFailures": "2",
        },
    )
    assert poisoned.finish() == 0, poisoned.log()[-4000:]
    assert "The balance closes" in poisoned.log()
    assert corpus_of(poisoned.output) == undisturbed
    row = hostile_counts(poisoned)
    assert (row["seen"], row["kept"]) == (len(HOSTILE), 0)
    others = counts_of(row)
    assert others["lost_worker"] == 1
    assert others == dict.fromkeys(HOSTILE.keys() - {"http_error"} | {"lost_worker"}, 1)
    failures = pyarrow.dataset.dataset(poisoned.output / "read_failures", format="parquet")
    assert [
        failure["detail"]
        for failure in failures.to_table().to_pylist()
        if failure["reason"] == "lost_worker"
    ] == [POISON]
    assert_nothing_is_left(poisoned.output)


def test_hostile_pages_are_counted(reference: SubmittedRun) -> None:
    row = hostile_counts(reference)
    assert (row["seen"], row["kept"]) == (len(HOSTILE), 0)
    assert counts_of(row) == dict.fromkeys(HOSTILE, 1)


def counts_of(row: dict[str, Any]) -> dict[str, int]:
    """Records of a row of the ledger that were not kept, by reason."""
    return {of["reason"]: of["records"] for of in (*row["rejected"], *row["failed"])}


def hostile_counts(run: SubmittedRun) -> dict[str, Any]:
    """The row of the hostile file in the extraction's ledger."""
    folder = run.output / "ledger" / "stage=extract_documents"
    ledger = pyarrow.dataset.dataset(folder, format="parquet").to_table()
    (row,) = (row for row in ledger.to_pylist() if row["warc_path"].endswith(HOSTILE_FILE))
    return row
