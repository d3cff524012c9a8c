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
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.tables import DOCUMENTS, DUPLICATES, FLAGGED, MEASURED, schema_of
from jobs.transforms.selection.curves import bin_name, curves_of
from udfs.measures.schema import PII_TYPE

PROVENANCE = (
    *("doc_id", "url", "host", "capture_time", "published", "charset", "truncated"),
    *("opt_outs", "page_kind", "language", "language_score", "script", "title"),
)
"""Columns of documents that expressions see."""

PLACE = ("warc_path", "warc_offset")
"""Columns of documents that no expression sees."""
TEXT_FILE, TEXT_ROW = "text_file", "text_row"
"""Where the text of a document lies: file, as ``wave=.../part-...``, and number of its row."""
CLUSTER_SIZE = "cluster_size"
MEASURES = "measures"
REJECT_REASONS, KIND, PII = "reject_reasons", "kind", "pii"


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


def stored_type(scorers: Iterable[str]) -> StructType:
    """The columns by which documents are chosen, and those that are only copied to a corpus row or
    a rejected one, with their types: all but measures, which few selections look at. With the bins
    of scores, by which a preview counts."""
    documents, flagged, duplicates = map(schema_of, (DOCUMENTS, FLAGGED, DUPLICATES))
    found = declared()
    return StructType(
        [
            *(documents[name] for name in (*PROVENANCE, *PLACE)),
            StructField(CLUSTER_SIZE, LongType()),
            flagged[REJECT_REASONS],
            duplicates[KIND],
            StructField(PII, PII_TYPE),
            StructField(TEXT_FILE, StringType()),
            StructField(TEXT_ROW, LongType()),
            *(StructField(name, found[name].result_type) for name in scorers),
            *(StructField(bin_name(curve), IntegerType()) for _, curve in curves_of(scorers)),
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
    frame = with_scores(document_frame(documents, duplicates), scores)
    return frame if measured is None else with_measures(frame, measured)


def text_places() -> list[Column]:
    """The columns text_file and text_row of documents that are read from files."""
    metadata = F.col("_metadata")
    return [
        F.substring_index(metadata["file_path"], "/", -2).alias(TEXT_FILE),
        metadata["row_index"].alias(TEXT_ROW),
    ]


def document_frame(
    documents: DataFrame, duplicates: DataFrame, more: Iterable[Column] = ()
) -> DataFrame:
    """The part of `selection_frame` that follows from documents and duplicates.

    Args:
        more: Further columns of documents.
    """
    frame = documents.select(*PROVENANCE, *PLACE, *more)
    return frame.join(cluster_sizes(duplicates), on="doc_id", how="left").withColumn(
        CLUSTER_SIZE, F.coalesce(CLUSTER_SIZE, F.lit(1).cast("long"))
    )


def with_scores(frame: DataFrame, scores: Mapping[str, DataFrame]) -> DataFrame:
    """Add a struct for each scorer under its name; null where it has no row of a document.

    Needs: the scorers' tables, by scorer. Rows: all kept. Shuffles: every side by doc_id.
    """
    for name, table in scores.items():
        fields = declared()[name].result_type.fieldNames()
        packed = table.select("doc_id", F.struct(*fields).alias(name))
        frame = frame.join(packed, on="doc_id", how="left")
    return frame


def with_measures(frame: DataFrame, measured: DataFrame) -> DataFrame:
    """Add measures. Rows: all kept. Shuffles: both sides by doc_id."""
    return frame.join(measured.select("doc_id", MEASURES), on="doc_id", how="left")


def with_pii(frame: DataFrame, measured: DataFrame) -> DataFrame:
    """Add pii: places of personal data in the text as it was measured; null where it was not.

    Needs: measured (doc_id, measures). Rows: all kept. Shuffles: both sides by doc_id.
    """
    places = measured.select("doc_id", F.col(MEASURES)[PII].alias(PII))
    # A document without a row and one whose places are not known are the same.
    return frame.join(places.where(F.col(PII).isNotNull()), on="doc_id", how="left")


def with_removals(frame: DataFrame, flagged: DataFrame, duplicates: DataFrame) -> DataFrame:
    """Add what earlier stages removed a document for.

    Needs: flagged (doc_id, reject_reasons); duplicates (doc_id, kind).
    Adds: reject_reasons, null for a document that no rule rejected; kind, null for one that
        deduplication kept.
    Rows: all kept. Shuffles: every side by doc_id, of flagged what rules rejected.
    """
    rejected = flagged.where(F.size(REJECT_REASONS) > 0).select("doc_id", REJECT_REASONS)
    return frame.join(rejected, on="doc_id", how="left").join(
        duplicates.select("doc_id", KIND), on="doc_id", how="left"
    )


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
    """The score that decides quality, as select.quality_from says; null where it is off."""
    if config.select.quality_from is None:
        return F.lit(None).cast("double")
    scorer = declared()[config.select.quality_from]
    field: Any = scorer.score
    return F.col(scorer.name)[field]
