"""Writing the ledger, and refusing to go on where it does not close."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.splits import SPLITS
from jobs.store import WHOLE, Store
from jobs.tables import LEDGER, check_schema
from jobs.transforms.ledger import unbalanced

_SHOWN = 10


class BalanceOpen(RuntimeError):
    """Records went in that are neither kept, nor rejected or failed by reason."""


@dataclass(frozen=True)
class Balance:
    """What a stage saw in a wave, and what became of it."""

    seen: int = 0
    """Records, rows or documents: kept + rejected + failed."""
    kept: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Reason -> records."""
    failed: Mapping[str, int] = field(default_factory=dict)
    """Reason -> records."""


def splits_frame(spark: SparkSession, store: Store, waves: Iterable[int]) -> DataFrame:
    """The files of some waves as (warc_path, wave, parts): a row a file and wave, with the number
    of splits that it is read in; more than one where ranges of it are."""
    paths = [store.table_path(SPLITS, wave) for wave in waves]
    splits = spark.read.option("basePath", store.table_path(SPLITS)).parquet(*paths)
    by_file = splits.groupBy("warc_path", F.col("wave").cast("int").alias("wave"))
    return by_file.agg(F.count("*").alias("parts"))


def close_ledger(
    spark: SparkSession, store: Store, ledger: DataFrame, stage: str, wave: int
) -> Balance:
    """Write a stage's ledger, read it back and check it.

    Args:
        ledger: The columns of the ledger and ``wave``.
        wave: The wave that it is of, or WHOLE for all of them.
    Returns:
        The sums over the wave's files.
    Raises:
        BalanceOpen: naming the files whose balance is open.
    """
    counts = ledger.drop("wave")
    check_schema(counts.schema, LEDGER)
    path = store.path(LEDGER, f"stage={stage}")
    if wave == WHOLE:
        ledger = ledger.coalesce(1)  # a row an input file: small
        ledger.write.mode("overwrite").partitionBy("wave").parquet(path, compression="zstd")
    else:
        path = f"{path}/wave={wave}"
        store.write_parquet(counts.coalesce(1), path)
    written = spark.read.parquet(path)
    wrong = unbalanced(written).take(_SHOWN)
    if wrong:
        raise BalanceOpen(f"{stage}, wave {wave}: " + "; ".join(str(row.asDict()) for row in wrong))
    return _summed(written)


def _summed(ledger: DataFrame) -> Balance:
    """The counts of all files together: as many rows as there are reasons."""
    outcomes = F.concat(
        F.array(_outcome("seen", F.lit(""), F.col("seen"))),
        F.array(_outcome("kept", F.lit(""), F.col("kept"))),
        _outcomes("rejected"),
        _outcomes("failed"),
    )
    by_reason = ledger.select(F.explode(outcomes).alias("o")).groupBy("o.outcome", "o.reason")
    found: dict[str, dict[str, int]] = {"seen": {}, "kept": {}, "rejected": {}, "failed": {}}
    for row in by_reason.agg(F.sum("o.n").alias("n")).orderBy("outcome", "reason").collect():
        found[row["outcome"]][row["reason"]] = row["n"]
    return Balance(
        found["seen"].get("", 0), found["kept"].get("", 0), found["rejected"], found["failed"]
    )


def _outcomes(counts: str) -> Column:
    """A map column (reason -> records) as an array."""
    entries = F.map_entries(counts)
    return F.transform(entries, lambda entry: _outcome(counts, entry["key"], entry["value"]))


def _outcome(outcome: str, reason: Column, n: Column) -> Column:
    return F.struct(F.lit(outcome).alias("outcome"), reason.alias("reason"), n.alias("n"))
