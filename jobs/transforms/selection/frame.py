"""What documents are chosen by: one row a document, with the columns that SQL expressions see.

The same frame serves the rules of the selection, ``select.where`` and every other expression, and
the curves of what a threshold keeps. It holds no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StructField, StructType

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.tables import DOCUMENTS, MEASURED, schema_of

PROVENANCE = (
    *("doc_id", "url", "host", "capture_time", "published", "charset", "truncated"),
    *("opt_outs", "page_kind", "language", "language_score", "script", "title"),
)
"""Columns of documents that expressions see."""

CLUSTER_SIZE = "cluster_size"
MEASURES = "measures"


def selection_scorers(config: Config) -> list[str]:
    """The scorers that run and whose tables the selection reads: they have corpus columns, decide
    on documents, or are named by an expression."""
    expressions = config.select.expressions.values()
    return [
        name
        for name, scorer in declared().items()
        if name in config.score.scorers
        and (
            scorer.corpus
            or name == config.select.quality_from
            or scorer.limits_in_use(config.limits.get(name))
            or are_named(name, expressions)
        )
    ]


def uses_measures(config: Config) -> bool:
    """Whether an expression of the selection names the measures."""
    return are_named(MEASURES, config.select.expressions.values())


def are_named(column: str, expressions: Iterable[str]) -> bool:
    """Whether the name of a column occurs in SQL expressions."""
    word = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
    return any(word.search(expression) for expression in expressions)


def frame_type(scorers: Iterable[str]) -> StructType:
    """The columns that expressions see, with their types: provenance, cluster_size, measures, and a
    struct for each scorer that runs, under its name."""
    documents, measures = schema_of(DOCUMENTS), schema_of(MEASURED)
    found = declared()
    return StructType(
        [
            *(documents[name] for name in PROVENANCE),
            StructField(CLUSTER_SIZE, LongType()),
            measures[MEASURES],
            *(StructField(name, found[name].result_type) for name in scorers),
        ]
    )


def selection_frame(
    documents: DataFrame,
    duplicates: DataFrame,
    scores: Mapping[str, DataFrame],
    measured: DataFrame | None = None,
) -> DataFrame:
    """Put together what documents are chosen by.

    Needs: documents; duplicates (kept_doc_id, kept_snapshot); the scorers' tables by scorer
        (doc_id and the columns of the result); measured (doc_id, measures), or None where no
        expression names measures.
    Adds: cluster_size, a struct for each scorer under its name (null where it has no row of a
        document), measures. Keeps: `PROVENANCE`, warc_path, warc_offset; text is not read.
    Rows: all kept.
    Shuffles: every side by doc_id.
    """
    frame = documents.select(*PROVENANCE, "warc_path", "warc_offset")
    frame = frame.join(cluster_sizes(duplicates), on="doc_id", how="left").withColumn(
        CLUSTER_SIZE, F.coalesce(CLUSTER_SIZE, F.lit(1).cast("long"))
    )
    for name, table in scores.items():
        fields = declared()[name].result_type.fieldNames()
        packed = table.select("doc_id", F.struct(*fields).alias(name))
        frame = frame.join(packed, on="doc_id", how="left")
    if measured is None:
        return frame
    return frame.join(measured.select("doc_id", MEASURES), on="doc_id", how="left")


def cluster_sizes(duplicates: DataFrame) -> DataFrame:
    """Count the documents that each kept document stands for, itself included.

    Needs: duplicates (kept_doc_id, kept_snapshot).
    Rows: one a document that stands for another, as (doc_id, cluster_size).
    Shuffles: duplicates by kept_doc_id.
    """
    # A document of an earlier snapshot may have the doc_id of one of this run.
    of_this_run = F.col("kept_snapshot").isNull() & F.col("kept_doc_id").isNotNull()
    return (
        duplicates.where(of_this_run)
        .groupBy(F.col("kept_doc_id").alias("doc_id"))
        .agg((F.count("*") + 1).alias(CLUSTER_SIZE))
    )


def quality_score(config: Config) -> Column:
    """The score that decides quality, as select.quality_from says."""
    scorer = declared()[config.select.quality_from]
    field: Any = scorer.score
    return F.col(scorer.name)[field]
