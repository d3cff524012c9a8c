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

from tests.bench.dedup_cpu import ROLES

ROUNDS = 3


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


Seconds = dict[str, float]
"""Role -> processor seconds."""


class Limits:
    """Measures the parts of the stages of a finished run."""

    def __init__(
        self, spark: SparkSession, output: Path, scratch: Path, meter: Callable[[], Seconds]
    ) -> None:
        """Take what is measured, and how.

        Args:
            output: Tables of a finished run.
            scratch: A folder to write to.
            meter: Seconds of all processes until now.
        """
        self._spark = spark
        self._output = output
        self._scratch = scratch
        self._meter = meter

    def measure(self) -> dict[str, Any]:
        """Processor seconds, by role, of each part.

        Returns:
            ``documents``: read, transfer and write of the whole table; ``stages``: name -> read,
            transfer (all documents' texts; zeros for a stage without) and write.
        """
        whole = self._table("documents")
        return {
            "documents": {
                "read": self._median(lambda: _discard(whole)),
                "transfer": self._transfer(whole.select("doc_id", "text")),
                "write": self._write(whole),
            },
            "stages": {
                name: {
                    "read": self._read(tables),
                    "transfer": self._transfer(whole.select(*tables.text_columns))
                    if tables.text_columns
                    else dict.fromkeys(ROLES, 0.0),
                    "write": _sum(
                        self._write(self._table(table)) for table in self._present(tables.writes)
                    ),
                }
                for name, tables in STAGE_TABLES.items()
            },
        }

    def _present(self, names: tuple[str, ...]) -> list[str]:
        """The tables that hold files; each scorer's for SCORES."""
        found = [
            path.relative_to(self._output).as_posix()
            for name in names
            for path in sorted(self._output.glob(name))
        ]
        return [name for name in found if next((self._output / name).rglob("*.parquet"), None)]

    def _table(self, name: str) -> DataFrame:
        return self._spark.read.parquet(str(self._output / name)).drop("wave")

    def _read(self, tables: Tables) -> Seconds:
        frames = [
            self._table(table).select(*(columns or ["*"]))
            for name, columns in tables.reads.items()
            for table in self._present((name,))
        ]
        return _sum(self._median(lambda frame=frame: _discard(frame)) for frame in frames)

    def _transfer(self, frame: DataFrame) -> Seconds:
        held = frame.persist()
        held.count()
        passed = held.mapInArrow(identity, frame.schema)
        seconds = self._median(lambda: _discard(passed))
        held.unpersist(blocking=True)
        return seconds

    def _write(self, frame: DataFrame) -> Seconds:
        held = frame.persist()
        held.count()
        seconds = self._median(lambda: held.write.mode("overwrite").parquet(str(self._scratch)))
        held.unpersist(blocking=True)
        shutil.rmtree(self._scratch)
        return seconds

    def _median(self, work: Callable[[], object]) -> Seconds:
        """The median of some calls after the first two, by the sum of roles."""
        work()
        work()
        rounds = []
        for _ in range(ROUNDS):
            before = self._meter()
            work()
            after = self._meter()
            rounds.append({role: after[role] - before[role] for role in ROLES})
        middle = statistics.median_low(sum(one.values()) for one in rounds)
        return next(one for one in rounds if sum(one.values()) == middle)


def _discard(frame: DataFrame) -> None:
    frame.write.format("noop").mode("overwrite").save()


def _sum(parts: Iterator[Seconds]) -> Seconds:
    total = dict.fromkeys(ROLES, 0.0)
    for part in parts:
        for role in ROLES:
            total[role] += part[role]
    return total
