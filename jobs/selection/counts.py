"""What a selection has written, counted by file for its ledger, and how often texts count.

The tables are read again, so that a row that was lost between a decision and its file leaves the
ledger's balance open. The driver counts what it reads in a second or two; Spark counts more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.run.current_documents import fit_driver, ids_on_driver, survivor_ids
from jobs.run.ledger import decided_rows, kept_of, rows_of
from jobs.run.request import FIND_DUPLICATES, SELECT_CORPUS, Run, select_stage
from jobs.tables import corpus_of, rejected_of
from jobs.transforms.ledger import counts_of, decided_counts, stage_counts
from jobs.transforms.selection.repeats import REPEATS

STREAMED_ROWS = 5_000_000
"""The driver counts the files of up to so many rows itself, a part of them in memory at a time:
a second or two. A query takes as long to plan."""
_BATCH_ROWS = 65_536


def file_counts(spark: SparkSession, run: Run) -> Iterable[Mapping[str, Any]]:
    """Count the documents that were left and what was decided on them: null for a corpus row, else
    the first reason of this stage. A document counts once, however many rows it has."""
    waves = list(run.waves)
    stage, selection = select_stage(run.selection), run.selection
    has_copies = run.config.select.repeat == "rows"
    if fit_driver(run, waves):
        rows = run.store.rows(rejected_of(selection), ["doc_id", "stage", "reasons"])
        here = [(row["doc_id"], row["reasons"][0]) for row in rows if row["stage"] == SELECT_CORPUS]
        ids: Iterable[str] = [
            row["doc_id"] for row in run.store.rows(corpus_of(selection), ["doc_id"])
        ]
        kept = [(doc_id, None) for doc_id in (dict.fromkeys(ids) if has_copies else ids)]
        return counts_of(ids_on_driver(run, waves), {stage: [*kept, *here]})
    seen = kept_of(run.store, FIND_DUPLICATES, waves)
    if seen is not None:
        if not has_copies and _row_count(run) <= STREAMED_ROWS:
            return decided_rows(seen, stage, streamed_counts(run))
        return decided_rows(seen, stage, rows_of(decided_counts(_decided(spark, run))))
    # A file that two waves read parts of: which one, its documents say.
    outcome = {stage: _decided(spark, run).select("doc_id", "reason")}
    return rows_of(stage_counts(survivor_ids(spark, run, waves), outcome))


def totals(spark: SparkSession, run: Run, kept: int) -> tuple[int, int]:
    """Count the rows of the corpus, and add up how often they count.

    Args:
        kept: Documents in it.
    """
    if run.config.select.repeat == "off":
        return kept, kept
    corpus = corpus_of(run.selection)
    if fit_driver(run, list(run.waves)):
        repeats = [int(row[REPEATS]) for row in run.store.rows(corpus, [REPEATS])]
        return len(repeats), sum(repeats)
    counted = run.store.read(spark, corpus).agg(F.count("*"), F.coalesce(F.sum(REPEATS), F.lit(0)))
    rows, times = counted.collect()[0]
    return int(rows), int(times)


def streamed_counts(run: Run) -> Iterator[dict[str, Any]]:
    """The rows of `jobs.transforms.ledger.decided_counts`, counted by the driver."""
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for batch in _batches(run, corpus_of(run.selection), ["warc_path"]):
        _add(counts, batch.column("warc_path"), pa.nulls(batch.num_rows, pa.string()))
    for batch in _batches(run, rejected_of(run.selection), ["warc_path", "stage", "reasons"]):
        here = batch.filter(pc.equal(batch.column("stage"), SELECT_CORPUS))
        _add(counts, here.column("warc_path"), pc.list_element(here.column("reasons"), 0))
    for (path, reason), n in counts.items():
        yield {"warc_path": path, "reason": reason, "n": n}


def _add(
    counts: Counter[tuple[str | None, str | None]], paths: pa.Array, reasons: pa.Array
) -> None:
    """Count the pairs of two columns."""
    pairs = pa.table({"path": paths, "reason": reasons})
    for row in pairs.group_by(["path", "reason"]).aggregate([([], "count_all")]).to_pylist():
        counts[row["path"], row["reason"]] += row["count_all"]


def _batches(run: Run, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    return (batch for _, batch in run.store.batches(table, columns, batch_rows=_BATCH_ROWS))


def _row_count(run: Run) -> int:
    return sum(run.store.count(of(run.selection)) for of in (corpus_of, rejected_of))


def _decided(spark: SparkSession, run: Run) -> DataFrame:
    """Read the documents that this stage decided on, each once: doc_id, warc_path, reason."""
    rejected = run.store.read(spark, rejected_of(run.selection))
    removed = rejected.where(F.col("stage") == SELECT_CORPUS)
    kept = run.store.read(spark, corpus_of(run.selection)).select("doc_id", "warc_path")
    if run.config.select.repeat == "rows":
        kept = kept.distinct()
    return kept.select("*", F.lit(None).cast("string").alias("reason")).unionByName(
        removed.select("doc_id", "warc_path", F.get("reasons", F.lit(0)).alias("reason"))
    )
