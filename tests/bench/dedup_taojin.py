"""This project's near-duplicate search over a corpus, in a separate process (dedup_pass).

    python -m tests.bench.dedup_taojin CORPUS --warm CORPUS --output DIR [--bands 14 --rows 8]

Steps: ``ids``, from Parquet files of texts to one of removed and kept ids, every pair verified on
its shingle sets; ``texts``, the documents that stay are read and written once more, as the other
programs do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, DedupConfig
from jobs.run.session import spark_session
from tests.bench.dedup_corpus import Corpus
from tests.bench.dedup_cpu import cpu_seconds_by_name, peak_mb, tree_of
from tests.bench.dedup_events import event_log_settings
from tests.bench.dedup_pass import (
    Clock,
    arguments_of,
    clusters_by_kept,
    print_answer,
    run_passes,
)
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.duplicate_search import find_duplicates

PROPERTIES = Path(__file__).resolve().parents[2] / "conf" / "spark-local.conf"


class Search:
    """The search as the job find_duplicates makes it."""

    def __init__(self, spark: SparkSession, config: DedupConfig) -> None:
        self._spark = spark
        self._config = config
        self.counts: dict[str, int] = {}
        self.memory: dict[str, float] = {}
        """Of the driver, after the last pass and before the bench itself collects its answer."""

    def __call__(self, corpus: Corpus, folder: Path, clock: Clock) -> npt.NDArray[np.int64]:
        clock.step("ids", lambda: self._write_duplicates(corpus, folder))
        self.memory = driver_memory(self._spark)
        duplicates = self._spark.read.parquet(str(folder / "duplicates"))
        clock.step("texts", lambda: self._write_kept(corpus, duplicates, folder))
        rows = duplicates.select("doc_id", "kept_doc_id").collect()
        return clusters_by_kept(corpus.doc_ids(), {row.doc_id: row.kept_doc_id for row in rows})

    def _documents(self, corpus: Corpus) -> DataFrame:
        schema = "doc_id string, text string"
        return self._spark.read.schema(schema).parquet(str(corpus.documents))

    def _write_duplicates(self, corpus: Corpus, folder: Path) -> None:
        documents = self._documents(corpus).withColumns(
            {"url": F.lit(None).cast("string"), "capture_time": F.lit(None).cast("timestamp")}
        )
        checkpoint = parquet_checkpoint(folder / "scratch")
        duplicates = find_duplicates(documents, self._config, checkpoint, self.counts.__setitem__)
        duplicates.write.parquet(str(folder / "duplicates"))

    def _write_kept(self, corpus: Corpus, duplicates: DataFrame, folder: Path) -> None:
        removed = duplicates.select("doc_id")
        kept = self._documents(corpus).join(removed, on="doc_id", how="left_anti")
        kept.write.parquet(str(folder / "kept"))


def driver_memory(spark: SparkSession) -> dict[str, float]:
    """Peak resident MB of the driver's Python and JVM, and MB of its heap after a collection.

    Under a local master the JVM is the executor too.
    """
    jvm: Any = spark.sparkContext._jvm
    runtime = jvm.java.lang.Runtime.getRuntime()
    jvm.java.lang.System.gc()
    gateway: Any = spark.sparkContext._gateway
    return {
        "python_peak_mb": peak_mb(os.getpid()),
        "jvm_peak_mb": peak_mb(_java_of(gateway.proc.pid)),
        "heap_mb": (runtime.totalMemory() - runtime.freeMemory()) / 2**20,
    }


def _java_of(launcher: int) -> int:
    """The first Java process under the launcher, which is the driver's."""
    return next(pid for pid, name in tree_of(launcher).items() if name == "java")


def submit_arguments(events: Path | None, settings: Sequence[str]) -> str:
    """Spark's settings: those of conf/spark-local.conf, then those that are given."""
    given = [*settings]
    if events is not None:
        events.mkdir(parents=True, exist_ok=True)
        given += [f"{key}={value}" for key, value in event_log_settings(events).items()]
    options = [f'--conf "{setting}"' for setting in given]
    return " ".join([f'--properties-file "{PROPERTIES}"', *options, "pyspark-shell"])


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = arguments_of(__doc__)
    parser.add_argument("--conf", nargs="*", default=[], help="of Spark: key=value")
    parser.add_argument("--events", type=Path, help="folder for Spark's event log")
    arguments = parser.parse_args(argv)
    os.environ["PYSPARK_SUBMIT_ARGS"] = submit_arguments(arguments.events, arguments.conf)
    config = DedupConfig(levels=("near",), bands=arguments.bands, rows=arguments.rows)
    with spark_session("bench", Config(), None) as spark:
        search = Search(spark, config)
        facts = run_passes(arguments, search)
        facts |= {
            "counts": search.counts,
            "by_process": cpu_seconds_by_name(),
            **search.memory,
        }
    print_answer(facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
