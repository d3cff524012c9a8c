"""Which rows of a table a release must leave out, and by which kind of entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from jobs.publishing.exclusions import KINDS, SCHEME, SLASHES, TAIL, Exclusions

EXCLUDED = "_excluded"
"""Kind of the entry that excludes a row; null for a row of the release."""

_KEY = StructType([StructField("_key", StringType())])


def with_excluded(
    rows: DataFrame, exclusions: Exclusions, keys: Mapping[str, Sequence[Column]]
) -> DataFrame:
    """Label the rows that an entry names.

    Args:
        keys: Kind of entries -> what they are compared with: as
            `jobs.publishing.exclusions.key_of` writes it; a host is compared with all above it.
            Entries of a kind that has no column are not looked for.
    Adds: EXCLUDED. Rows: all kept.
    Shuffles: hosts, where one is excluded; else none while the lists fit into memory.
    """
    if not exclusions.keys:
        return rows.withColumn(EXCLUDED, F.lit(None).cast("string"))
    spark = rows.sparkSession
    joined = rows
    fired = {}
    for kind, excluded in exclusions.keys.items():
        entries = spark.createDataFrame([(key,) for key in sorted(excluded)], _KEY)
        for number, column in enumerate(keys.get(kind, ())):
            name = f"_{kind}_{number}"
            hosts = rows.select(column.alias("_host"))
            hits = _hosts_under(hosts, entries) if kind == "host" else entries
            hits = hits.select(F.col("_key").alias(name))
            joined = joined.join(hits, on=column == F.col(name), how="left")
            fired[name] = kind
    if not fired:
        return rows.withColumn(EXCLUDED, F.lit(None).cast("string"))
    kinds = {
        kind: [F.col(name).isNotNull() for name, of in fired.items() if of == kind]
        for kind in KINDS
    }
    found = F.coalesce(
        *(F.when(condition, F.lit(kind)) for kind, any_of in kinds.items() for condition in any_of)
    )
    return joined.withColumn(EXCLUDED, found).drop(*fired)


def url_key(url: Column) -> Column:
    """Return a URL as `jobs.publishing.exclusions.key_of` writes it."""
    for pattern in (SCHEME, TAIL, SLASHES):
        url = F.regexp_replace(url, pattern, "")
    return url


def _hosts_under(rows: DataFrame, entries: DataFrame) -> DataFrame:
    """Return the hosts that are an entry or lie under one.

    Needs: rows (_host); entries (_key). Adds: _key, the host.
    """
    hosts = rows.where(F.col("_host").isNotNull()).distinct()
    labels = F.split("_host", r"\.")
    suffixes = F.transform(
        F.sequence(F.lit(1), F.size(labels)),
        lambda start: F.array_join(F.slice(labels, start, F.size(labels)), "."),
    )
    above = hosts.select("_host", F.explode(suffixes).alias("_key"))
    found = above.join(entries, on="_key", how="inner")
    return found.select(F.col("_host").alias("_key")).distinct()
