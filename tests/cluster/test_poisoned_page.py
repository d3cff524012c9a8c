"""A page that kills its worker each time ends the run with an error; without it the run goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

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

from udfs import extract
from udfs.warc import Damage


def first_look(record, options, look=extract.first_look):
    if not isinstance(record, Damage) and record.field("warc-target-uri") == {POISON!r}:
        os.kill(os.getpid(), signal.SIGSEGV)
    return look(record, options)


extract.first_look = first_look
"""
"""Imported by every Python process of the executors when it starts: one page is as deadly to them
as a fault of a library in machine code would make it."""


def test_a_page_that_kills_its_worker_each_time(
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
    assert poisoned.finish() == 1
    assert "failed 2 times" in poisoned.log()
    assert "Python worker exited unexpectedly (crashed)" in poisoned.log()
    assert re.search(r"Segmentation fault.*?in first_look\n", poisoned.log(), re.DOTALL)
    healed = submit("healed")
    assert healed.finish() == 0, healed.log()[-4000:]
    assert "extract_documents, wave 0: done" not in healed.log()  # it stands since the first run
    assert "The balance closes" in healed.log()
    assert corpus_of(healed.output) == undisturbed
    assert_nothing_is_left(healed.output)


def test_hostile_pages_are_counted(reference: SubmittedRun) -> None:
    folder = reference.output / "ledger" / "stage=extract_documents"
    ledger = pyarrow.dataset.dataset(folder, format="parquet").to_table()
    (row,) = (row for row in ledger.to_pylist() if row["warc_path"].endswith(HOSTILE_FILE))
    reasons = dict(row["rejected"]) | dict(row["failed"])
    assert (row["seen"], row["kept"]) == (len(HOSTILE), 0)
    assert reasons == dict.fromkeys(HOSTILE, 1)
