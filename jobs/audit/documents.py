"""All documents of a run with what became of them, for a condition in SQL and a sample of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError
from jobs.config.scorers import declared
from jobs.run.request import Run
from jobs.tables import DOCUMENTS, MEASURED, rejected_of, schema_of, scores
from jobs.transforms.samples import sample_key_of
from jobs.transforms.spark_errors import first_line, quiet_errors

_LEFT_OUT = ("text", "declared_charset", "charset_step")
_MEASURES = "measures"


def sampled_documents(
    spark: SparkSession, run: Run, where: str, count: int, seed: int
) -> DataFrame:
    """Sample documents that a condition holds for.

    Args:
        where: SQL over the columns of `documents_frame`.
    Returns:
        doc_id, url, warc_path, warc_offset, capture_micros, stage and reasons, in the order of the
        sample: a document once, with as many rows as `count` at most.
    Raises:
        ConfigError: the condition cannot be used.
    """
    check_where(spark, where)
    waves = list(run.waves)
    tables = {
        DOCUMENTS: run.store.read(spark, DOCUMENTS, waves),
        "rejected": run.store.read(spark, rejected_of(run.selection)),
    }
    named = set(re.findall(r"\w+", where))
    for name in run.config.score.scorers:
        if name in named:
            tables[name] = run.store.read(spark, scores(name), waves)
    if _MEASURES in named:
        tables[_MEASURES] = run.store.read(spark, MEASURED, waves)
    found = documents_frame(tables).where(F.expr(where))
    return (
        found.select(
            *("doc_id", "url", "warc_path", "warc_offset"),
            F.unix_micros("capture_time").alias("capture_micros"),
            *("stage", "reasons"),
        )
        .distinct()
        .orderBy(sample_key_of(F.col("doc_id"), seed), "doc_id")
        .limit(count)
    )


def documents_frame(tables: Mapping[str, DataFrame]) -> DataFrame:
    """Join documents with what became of them.

    Needs: documents, rejected, and of measures and the scorers those that are wanted, by name.
    Adds: the columns of documents without text; stage, reasons and ``reason`` (null for a corpus
        document); ``measures`` and the scorers' results, a struct each.
    Rows: one a document and reason; a corpus document has one.
    Shuffles: every side by doc_id.
    """
    joined = tables[DOCUMENTS].drop(*_LEFT_OUT)
    joined = joined.join(
        tables["rejected"].select("doc_id", "stage", "reasons"), on="doc_id", how="left"
    )
    for name, table in tables.items():
        if name == _MEASURES:
            joined = joined.join(table.select("doc_id", _MEASURES), on="doc_id", how="left")
        elif name in declared():
            fields = declared()[name].result_type.fieldNames()
            packed = table.select("doc_id", F.struct(*fields).alias(name))
            joined = joined.join(packed, on="doc_id", how="left")
    return joined.withColumn("reason", F.explode_outer("reasons"))


def check_where(spark: SparkSession, where: str) -> None:
    """Check a condition on an empty frame, before any table is read.

    Raises:
        ConfigError: it does not parse, names an unknown column, is no condition, or depends on more
            than a document.
    """
    names = {DOCUMENTS: DOCUMENTS, "rejected": "rejected", _MEASURES: MEASURED} | {
        name: scores(name) for name in declared()
    }
    empty = documents_frame(
        {name: spark.createDataFrame([], schema_of(table)) for name, table in names.items()}
    )
    fault = None
    with quiet_errors():
        try:
            plan = empty.where(F.expr(where))._jdf.queryExecution().analyzed()
            if not plan.deterministic():
                fault = "is not deterministic"
        except PySparkException as error:
            fault = first_line(str(error))
    if fault is not None:
        raise ConfigError(
            f"--where {where!r}: {fault}; columns: {', '.join(sorted(empty.columns))}"
        )
