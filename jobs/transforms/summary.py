"""What a report says of a run, as small frames."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.transforms.ledger import counts_total

QUALITY_BINS = 10


def stage_totals(ledger: DataFrame) -> DataFrame:
    """Seen, kept, rejected and failed of every stage.

    Needs: the ledger with its stage. Rows: one a stage. Shuffles: a few counts.
    """
    return ledger.groupBy("stage").agg(
        F.sum("seen").alias("seen"),
        F.sum("kept").alias("kept"),
        F.sum(counts_total("rejected")).alias("rejected"),
        F.sum(counts_total("failed")).alias("failed"),
    )


def reason_totals(ledger: DataFrame) -> DataFrame:
    """How many records every reason took, at every stage.

    Needs: the ledger with its stage. Rows: one a stage, outcome (rejected or failed) and reason.
    Shuffles: a few counts.
    """
    counts = [
        ledger.select("stage", F.lit(outcome).alias("outcome"), F.explode(outcome))
        for outcome in ("rejected", "failed")
    ]
    return (
        counts[0]
        .unionByName(counts[1])
        .groupBy("stage", "outcome", F.col("key").alias("reason"))
        .agg(F.sum("value").alias("records"))
        .orderBy("stage", "outcome", F.desc("records"), "reason")
    )


def corpus_totals(corpus: DataFrame) -> DataFrame:
    """Rows, characters, toxic rows, and documents that the rows stand for.

    Needs: the corpus. Rows: one. Shuffles: a few counts.
    """
    return corpus.agg(
        F.count("*").alias("rows"),
        F.coalesce(F.sum(F.char_length("text")), F.lit(0)).alias("characters"),
        F.coalesce(F.sum(F.col("toxicity")["label"]), F.lit(0)).alias("toxic_rows"),
        F.coalesce(F.sum("cluster_size"), F.lit(0)).alias("documents_stood_for"),
    )


def edit_totals(corpus: DataFrame) -> DataFrame:
    """Corpus rows and places in them that each kind of edit changed, most rows first.

    Rows: one a kind, as (edit, rows, places). Shuffles: a few counts.
    """
    return _kind_totals(corpus.select(F.explode("edits").alias("edit", "places")), "edit")


def pii_totals(corpus: DataFrame) -> DataFrame:
    """Corpus rows with personal data of each kind, and places, masked ones too, most rows first.

    Rows: one a kind, as (pii, rows, places). Shuffles: a few counts.
    """
    kinds = F.transform("pii", lambda span: span["kind"])
    found = corpus.select(kinds.alias("kinds"), F.explode(F.array_distinct(kinds)).alias("pii"))
    places = F.size(F.filter("kinds", lambda kind: kind == F.col("pii")))
    return _kind_totals(found.withColumn("places", places), "pii")


def _kind_totals(of_rows: DataFrame, kind: str) -> DataFrame:
    """Needs: a row a corpus row and kind, with places."""
    totals = of_rows.groupBy(kind).agg(F.count("*").alias("rows"), F.sum("places").alias("places"))
    return totals.orderBy(F.desc("rows"), kind)


def counts_by(frame: DataFrame, column: Column, name: str) -> DataFrame:
    """Rows of every value of a column, most first.

    Rows: one a value, as (name, rows). Shuffles: a few counts.
    """
    return (
        frame.groupBy(column.alias(name))
        .agg(F.count("*").alias("rows"))
        .orderBy(F.desc("rows"), name)
    )


def quality_bin() -> Column:
    """The tenth of [0, 1] that a corpus row's quality lies in, as 0 to 9."""
    return F.least(F.floor(F.col("quality_score") * QUALITY_BINS), F.lit(QUALITY_BINS - 1))


def audit_samples(rejected: DataFrame) -> DataFrame:
    """One rejected document for every stage and reason, to look at: the smallest doc_id.

    Needs: the rejected table. Rows: one a stage and reason. Shuffles: one row a reason and task.
    """
    place = F.struct("doc_id", "url", "warc_path", "warc_offset")
    return (
        rejected.select("stage", F.explode("reasons").alias("reason"), place.alias("place"))
        .groupBy("stage", "reason")
        .agg(F.min("place").alias("place"))
        .select("stage", "reason", "place.*")
        .orderBy("stage", "reason")
    )
