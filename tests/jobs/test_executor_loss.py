"""An executor that is killed in the middle of find_duplicates changes no row.

Two executors are processes of their own (Spark's local-cluster), so that what one has shuffled
and cached dies with it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs import extract_documents, find_duplicates
from tests.bench.dedup_cpu import tree_of
from tests.builders.near_duplicates import planted_documents, random_text
from tests.builders.spark_settings import changed_settings, short_run_options
from tests.jobs.conftest import LOCAL_CONFIG, ROOT

SETTINGS = [
    *("--input-format", "parquet", "--set", "extract.languages=[]", "input.id_column=doc_id"),
    # More buckets than two, and the rounds behind the first: the search has all its steps.
    *("dedup.bands=20", "dedup.rows=4"),
]
KILLS = 2
"""As many checkpoints lose all executors, and what they held, while they are written."""

CLUSTER = """
spark.master                                     local-cluster[2,1,1024]
spark.executor.memory                            768m
spark.sql.adaptive.coalescePartitions.enabled    false
spark.sql.shuffle.partitions                     6
spark.eventLog.enabled                           true
spark.eventLog.rolling.enabled                   false
spark.eventLog.compress                          false
"""


@pytest.fixture
def texts_file(tmp_path: Path) -> Path:
    """Near duplicates, exact ones, a chain, and others, in a Parquet file."""
    texts = planted_documents(21, families=130, singles=150, chars=(120, 400))
    dice = random.Random(22)
    long = random_text(dice, 900)
    texts |= {f"chain-{start}": long[start * 30 :][:600] for start in range(8)}
    texts |= {f"again-{number}": text for number, text in enumerate(list(texts.values())[:40])}
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"doc_id": list(texts), "text": list(texts.values())}), path)
    return path


def executors_of(process: int) -> list[int]:
    """Process ids of the executors among the descendants of a process."""
    found = []
    for pid, name in tree_of(process).items():
        if name != "java":
            continue
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it ended just now
            continue
        if b"CoarseGrainedExecutorBackend" in command:
            found.append(pid)
    return sorted(found)


def end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-3000:]


def tasks_amid(scratch: Path) -> set[Path]:
    """Checkpoints of which a task writes a file just now."""
    return {folder.parents[2] for folder in scratch.glob("*/_temporary/*/_temporary/attempt_*")}


def kill_while_written(process: subprocess.Popen[bytes], scratch: Path) -> Iterator[list[int]]:
    """Kill the executors in the middle of tasks of different checkpoints; the ids of each time.

    They are stopped first: a task that is still there then cannot end any more.
    """
    killed: set[Path] = set()
    while len(killed) < KILLS and process.poll() is None:
        pids = executors_of(process.pid)  # takes longer than many a task
        for _ in range(50):
            if tasks_amid(scratch) - killed:
                break
            time.sleep(0.002)
        else:
            continue
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        amid = tasks_amid(scratch) - killed
        for pid in pids:
            os.kill(pid, signal.SIGKILL if amid else signal.SIGCONT)
        if amid and pids:
            killed |= amid
            yield pids


def lost_work(events: Path) -> tuple[int, int]:
    """From Spark's event log: executors that were lost, and tasks or stages done once more."""
    (path,) = events.iterdir()
    lost = again = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        kind = event["Event"]
        lost += kind == "SparkListenerExecutorRemoved"
        if kind == "SparkListenerTaskEnd":
            again += event["Task End Reason"]["Reason"] != "Success"
        elif kind == "SparkListenerStageSubmitted":
            again += event["Stage Info"]["Stage Attempt ID"] > 0
    return lost, again


@pytest.mark.slow
def test_killed_executors_change_nothing(
    spark: SparkSession, texts_file: Path, tmp_path: Path
) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    arguments = ["--input", str(texts_file), *SETTINGS]
    local = ["--config", str(LOCAL_CONFIG), "--output", str(calm)]
    with changed_settings(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": "1000"}):
        assert extract_documents.main([*local, *arguments]) == 0
        shutil.copytree(calm, stormy)
        assert find_duplicates.main([*local, *arguments]) == 0

    events = tmp_path / "events"
    events.mkdir()
    properties = tmp_path / "cluster.conf"
    common = (ROOT / "conf" / "spark-local.conf").read_text(encoding="utf-8")
    properties.write_text(
        f"{common}{CLUSTER}spark.eventLog.dir {events.as_uri()}\n", encoding="utf-8"
    )
    config = tmp_path / "cluster.toml"
    config.write_text(f'[spark]\nproperties = "{properties}"\n', encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYSPARK_")}
    environment |= {
        "JDK_JAVA_OPTIONS": short_run_options(),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(tmp_path / "work"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "jobs.find_duplicates", "--config", str(config)]
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--output", str(stormy), *arguments],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        killed = list(kill_while_written(process, stormy / "_scratch" / "find_duplicates"))
        status = process.wait()
    finally:
        process.kill()
        process.wait()
    assert status == 0, end_of(log)
    lost, again = lost_work(events)
    assert len(killed) == KILLS
    assert lost >= sum(map(len, killed))
    assert again > 0

    expected, found = (
        sorted(spark.read.parquet(str(output / "duplicates")).collect())
        for output in (calm, stormy)
    )
    assert found == expected
    assert {row.kind for row in found} == {"exact", "near"}
    assert len(found) > 120
