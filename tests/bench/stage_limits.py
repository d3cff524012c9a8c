"""What a stage cannot do without: its input read, its texts through Arrow, its rows written.

Measured on the tables of a finished run, in its session, in processor seconds of all processes.
Tables that are written, and texts that pass through Python workers, are held in memory before, so
that each figure is of one thing.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from tests.bench.dedup_cpu import ROLES, cpu_seconds_by_role

ROUNDS = 5


@dataclass(frozen=True)
class Tables:
    """What a stage reads and writes of a run's tables."""

    reads: Mapping[str, tuple[str, ...]]
    """Table -> columns; no column for all of them."""
    writes: tuple[str, ...]
    text_columns: tuple[str, ...] = ()
    """Columns of documents that go to Python workers and back; none for a stage without them."""


SCORES = "scores/*"
STAGE_TABLES = {
    "apply_rules": Tables(
        {"documents": ("doc_id", "url", "opt_outs", "text")},
        ("edits", "measures", "flagged"),
        ("doc_id", "url", "opt_outs", "text"),
    ),
    "find_duplicates": Tables(
        {"documents": ("doc_id", "url", "capture_time", "text"), "flagged": ()},
        ("duplicates",),
        ("doc_id", "text"),
    ),
    "score_documents": Tables(
        {"documents": ("doc_id", "url", "text"), "flagged": (), "duplicates": ("doc_id",)},
        (SCORES,),
        ("doc_id", "url", "text"),
    ),
    "select_corpus": Tables(
        {"documents": (), "flagged": (), "duplicates": (), "measures": ("doc_id",), SCORES: ()},
        ("corpus", "rejected"),
    ),
}


def identity(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give back what comes."""
    yield from batches


def stage_limits(spark: SparkSession, output: Path, scratch: Path) -> dict[str, Any]:
    """Processor seconds, role -> seconds, of each part.

    Args:
        output: Tables of a finished run.
        scratch: A folder to write to.
    Returns:
        ``documents``: read, transfer and write of the whole table; ``stages``: name -> read,
        transfer (all documents' texts; zeros for a stage without) and write.
    """
    whole = _table(spark, output, "documents")
    parts = {
        "documents": {
            "read": _median(lambda: _discard(whole)),
            "transfer": _transfer(whole.select("doc_id", "text")),
            "write": _write(whole, scratch),
        },
        "stages": {
            name: {
                "read": _read(spark, output, tables),
                "transfer": _transfer(whole.select(*tables.text_columns))
                if tables.text_columns
                else dict.fromkeys(ROLES, 0.0),
                "write": _sum(
                    _write(_table(spark, output, table), scratch)
                    for table in _present(output, tables.writes)
                ),
            }
            for name, tables in STAGE_TABLES.items()
        },
    }
    return parts


def _present(output: Path, names: tuple[str, ...]) -> list[str]:
    """The tables that hold files; each scorer's for SCORES."""
    found = [
        path.relative_to(output).as_posix() for name in names for path in sorted(output.glob(name))
    ]
    return [name for name in found if next((output / name).rglob("*.parquet"), None)]


def _table(spark: SparkSession, output: Path, name: str) -> DataFrame:
    return spark.read.parquet(str(output / name)).drop("wave")


def _read(spark: SparkSession, output: Path, tables: Tables) -> dict[str, float]:
    frames = [
        _table(spark, output, table).select(*(columns or ["*"]))
        for name, columns in tables.reads.items()
        for table in _present(output, (name,))
    ]
    return _sum(_median(lambda frame=frame: _discard(frame)) for frame in frames)


def _transfer(frame: DataFrame) -> dict[str, float]:
    held = frame.persist()
    held.count()
    passed = held.mapInArrow(identity, frame.schema)
    seconds = _median(lambda: _discard(passed))
    held.unpersist(blocking=True)
    return seconds


def _write(frame: DataFrame, scratch: Path) -> dict[str, float]:
    held = frame.persist()
    held.count()
    seconds = _median(lambda: held.write.mode("overwrite").parquet(str(scratch)))
    held.unpersist(blocking=True)
    shutil.rmtree(scratch)
    return seconds


def _discard(frame: DataFrame) -> None:
    frame.write.format("noop").mode("overwrite").save()


def _median(work: Callable[[], object]) -> dict[str, float]:
    """Seconds by role: the median of some calls after the first two, by the sum of roles."""
    work()
    work()
    rounds = []
    for _ in range(ROUNDS):
        before = cpu_seconds_by_role()
        work()
        after = cpu_seconds_by_role()
        rounds.append({role: after[role] - before[role] for role in ROLES})
    middle = statistics.median_low(sum(one.values()) for one in rounds)
    return next(one for one in rounds if sum(one.values()) == middle)


def _sum(parts: Iterator[dict[str, float]]) -> dict[str, float]:
    total = dict.fromkeys(ROLES, 0.0)
    for part in parts:
        for role in ROLES:
            total[role] += part[role]
    return total
