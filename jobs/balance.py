"""Writing the ledger, and refusing to go on where it does not close."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.splits import SPLITS
from jobs.store import WHOLE, Store
from jobs.tables import LEDGER, check_schema
from jobs.transforms.ledger import unbalanced

_SHOWN = 10


class BalanceOpen(RuntimeError):
    """Records went in that are neither kept, nor rejected or failed by reason."""


def splits_frame(spark: SparkSession, store: Store, waves: Iterable[int]) -> DataFrame:
    """The files of some waves as (warc_path, wave, parts): a row a file and wave, with the number
    of splits that it is read in; more than one where ranges of it are."""
    paths = [store.table_path(SPLITS, wave) for wave in waves]
    splits = spark.read.option("basePath", store.table_path(SPLITS)).parquet(*paths)
    by_file = splits.groupBy("warc_path", F.col("wave").cast("int").alias("wave"))
    return by_file.agg(F.count("*").alias("parts"))


def close_ledger(
    spark: SparkSession, store: Store, ledger: DataFrame, stage: str, wave: int
) -> int:
    """Write a stage's ledger, read it back and check it.

    Args:
        ledger: The columns of the ledger and ``wave``.
        wave: The wave that it is of, or WHOLE for all of them.
    Returns:
        Records, rows or documents that the stage saw.
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
    total = written.agg(F.coalesce(F.sum("seen"), F.lit(0)).alias("seen")).first()
    return int(total.seen) if total is not None else 0
