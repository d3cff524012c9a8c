"""robots.txt files and the documents that they disallow, as DataFrames."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from udfs.extract.robots_records import ROBOTS
from udfs.lists.robots_rules import Unreachable, origin_adder, site_check

MAX_REDIRECTS = 5
"""Redirects that are followed (RFC 9309, 2.3.1.2)."""


def with_origins(read: DataFrame) -> DataFrame:
    """Add the sites of robots.txt files and of what they redirect to.

    Needs: rows of `udfs.extract.robots_records`.
    Adds: origin (null for a URL without a host), target (null unless it redirects to a robots.txt).
    Rows: all kept. Shuffles: none.
    """
    # A redirect to another file than a robots.txt leads nowhere.
    is_robots = F.col("location").rlike(r"^[^?#]*://[^/?#]*/robots\.txt([?#]|$)")
    placed = _with_origin(_with_origin(read, "url", "origin"), "location", "target")
    return placed.withColumn("target", F.when(is_robots, F.col("target")))


def robots_of_origins(captured: DataFrame) -> DataFrame:
    """Keep the latest robots.txt of every origin, and find the one whose rules hold.

    Needs: rows of `with_origins`.
    Adds: the columns of the table robots, in the place of all others.
    Rows: one an origin: its latest capture, of equal times that of the last path and offset.
    Shuffles: every file once; the redirects by origin as often as they are followed.
    """
    last = F.struct("status", "text", "capture_time", "warc_path", "warc_offset", "target")
    order = F.struct("capture_time", "warc_path", "warc_offset")
    latest = (
        captured.where((F.col("row_kind") == ROBOTS) & F.col("origin").isNotNull())
        .groupBy("origin")
        .agg(F.max_by(last, order).alias("last"))
        .select("origin", "last.*")
    )
    redirects = latest.where(F.col("target").isNotNull()).select(
        F.col("origin").alias("from"), F.col("target").alias("to")
    )
    followed = redirects
    for _ in range(MAX_REDIRECTS - 1):
        step = redirects.select(F.col("from").alias("to"), F.col("to").alias("next"))
        followed = followed.join(step, on="to", how="left").select(
            "from", F.coalesce("next", "to").alias("to")
        )
    found = followed.select(F.col("from").alias("origin"), F.col("to").alias("rules_origin"))
    return latest.join(found, on="origin", how="left").select(
        "origin",
        F.coalesce("rules_origin", "origin").alias("rules_origin"),
        *("status", "text", "capture_time", "warc_path", "warc_offset"),
    )


def disallowed_documents(
    documents: DataFrame, robots: DataFrame, agents: Sequence[str], unreachable: Unreachable
) -> DataFrame:
    """Find the documents that agents may not fetch.

    Needs: documents (doc_id, url); robots (as the table).
    Returns: doc_id. Rows: those that are disallowed; a document whose site has no robots.txt is
        allowed.
    Shuffles: addresses of documents by origin, the files of their sites.
    Batch: the documents of one site are in a worker's memory at once, with ids and addresses alone.
    """
    places = robots.select("origin", "rules_origin")
    addressed = _with_origin(documents.select("doc_id", "url"), "url", "origin").join(
        places, on="origin", how="inner"
    )
    rules = robots.select(F.col("origin").alias("rules_origin"), "status", "text")
    has_documents = addressed.select("rules_origin").distinct()
    rules = rules.join(has_documents, on="rules_origin", how="left_semi")
    return (
        addressed.groupBy("rules_origin")
        .cogroup(rules.groupBy("rules_origin"))
        .applyInArrow(site_check(tuple(agents), unreachable), "doc_id string")
    )


def _with_origin(frame: DataFrame, column: str, name: str) -> DataFrame:
    """Add the origin of a URL; null without one."""
    schema = StructType([*frame.schema.fields, StructField(name, StringType())])
    return frame.mapInArrow(origin_adder(column, name), schema)
