"""All documents of a run with what became of them, for a condition in SQL and a sample of it."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from jobs.config import ConfigError
from jobs.run.request import Run
from jobs.tables import DOCUMENTS, DUPLICATES, MEASURED, REJECTED, rejected_of, schema_of, scores
from jobs.transforms.samples import sample_key_of
from jobs.transforms.selection.frame import MEASURES, are_named, frame_type, selection_frame
from jobs.transforms.spark_errors import first_line, quiet_errors

_OUTCOME = ("stage", "reasons")


def sampled_documents(
    spark: SparkSession, run: Run, where: str, count: int, seed: int
) -> DataFrame:
    """Sample documents that a condition holds for.

    Args:
        where: SQL over the columns of `documents_type`.
    Returns:
        doc_id, url, warc_path, warc_offset, capture_micros, stage and reasons, in the order of the
        sample: a document once, `count` rows at most.
    Raises:
        ConfigError: the condition cannot be used.
    """
    check_where(spark, where, run.config.score.scorers)
    waves = list(run.waves)
    named = [name for name in run.config.score.scorers if are_named(name, [where])]
    measured = are_named(MEASURES, [where])
    frame = selection_frame(
        run.store.read(spark, DOCUMENTS, waves),
        run.store.read(spark, DUPLICATES),
        {name: run.store.read(spark, scores(name), waves) for name in named},
        run.store.read(spark, MEASURED, waves) if measured else None,
    )
    found = with_outcomes(frame, run.store.read(spark, rejected_of(run.selection)))
    return (
        found.where(F.expr(where))
        .select(
            *("doc_id", "url", "warc_path", "warc_offset"),
            F.unix_micros("capture_time").alias("capture_micros"),
            *_OUTCOME,
        )
        .distinct()
        .orderBy(sample_key_of(F.col("doc_id"), seed), "doc_id")
        .limit(count)
    )


def with_outcomes(frame: DataFrame, rejected: DataFrame) -> DataFrame:
    """Add what became of documents.

    Needs: doc_id; rejected (as the table).
    Adds: stage, reasons, and reason, one of them; null for a document of the corpus.
    Rows: one a document and reason; a document of the corpus has one.
    Shuffles: both sides by doc_id.
    """
    outcomes = rejected.select("doc_id", *_OUTCOME)
    joined = frame.join(outcomes, on="doc_id", how="left")
    return joined.withColumn("reason", F.explode_outer("reasons"))


def documents_type(scorers: Iterable[str]) -> StructType:
    """The columns that a condition sees: those of selections (`frame_type`), place in the input,
    stage, reasons and reason."""
    documents, rejected = schema_of(DOCUMENTS), schema_of(REJECTED)
    return StructType(
        [
            *frame_type(scorers),
            *(documents[name] for name in ("warc_path", "warc_offset")),
            *(rejected[name] for name in _OUTCOME),
            StructField("reason", StringType()),
        ]
    )


def check_where(spark: SparkSession, where: str, scorers: Iterable[str]) -> None:
    """Check a condition on an empty frame, before any table is read.

    Raises:
        ConfigError: it does not parse, names an unknown column, is no condition, or depends on more
            than a document.
    """
    empty = spark.createDataFrame([], documents_type(scorers))
    fault = None
    with quiet_errors():
        try:
            plan = empty.where(F.expr(where))._jdf.queryExecution().analyzed()
            if not plan.deterministic():
                fault = "is not deterministic"
        except PySparkException as error:
            fault = first_line(str(error))
    if fault is not None:
        raise ConfigError(f"--where {where!r}: {fault}; columns: {', '.join(empty.columns)}")
