"""The rows of a release of pairs: which are left out, and where the others go.

Pairs are shuffled by a hash of their key and `release_pairs.seed`. Their number in that order is
known without sorting them in one place: the hash's first bits are buckets, whose sizes are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.publishing.excluded import EXCLUDED, url_key, with_excluded
from jobs.publishing.exclusions import KINDS, Exclusions
from jobs.publishing.files import FILE
from udfs.images.shards import EXTENSIONS

NOT_IN_SHARDS, NOT_IN_LINKS = "_not_in_shards", "_not_in_links"
"""Why a pair is not in a format; null for a released one."""
ENDING = "_ending"
"""Ending of a pair's image, which is the folder of its shard; FIRST_ENDING without an image."""
FIRST_ENDING = "jpg"
SHARD, INDEX = "_shard", "_index"
"""Number of a sample's shard, over all folders, and its place there."""
ORDER = "_order"

_BUCKET, _RANK = "_bucket", "_rank"
_BUCKET_BITS = 12
_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)"
_EXCLUDED_BY = "excluded_by_"


@dataclass(frozen=True)
class Shards:
    """How many shards the images of an ending have, and which is their first."""

    first: int
    count: int
    samples: int


def labelled_pairs(pairs: DataFrame, exclusions: Exclusions, *, keeps_rows: bool) -> DataFrame:
    """Say which pairs each format has, and in which order.

    Needs: selected_pairs.
    Args:
        keeps_rows: Whether shards have rows for pairs without an image.
    Adds: NOT_IN_SHARDS, NOT_IN_LINKS, ENDING. Rows: all kept.
    Shuffles: hosts, where one is excluded.
    """
    image = F.col("image")
    keys = {
        "doc_id": [F.col("doc_id")],
        "url": [url_key(F.col("page_url")), url_key(F.col("url"))],
        "host": [_host_of("page_url"), _host_of("url")],
        "sha256": [image["sha256"], F.col("data_sha256"), F.sha2("text", 256)],
    }
    excluded = F.when(F.col(EXCLUDED).isNotNull(), F.concat(F.lit(_EXCLUDED_BY), F.col(EXCLUDED)))
    without = F.when(image.isNull(), F.lit("no_image")).when(
        image["format"].isNull(), F.lit("unusable_image")
    )
    endings = F.create_map(*(F.lit(text) for item in EXTENSIONS.items() for text in item))
    labelled = with_excluded(pairs, exclusions, keys).withColumns(
        {
            NOT_IN_SHARDS: excluded if keeps_rows else F.coalesce(excluded, without),
            NOT_IN_LINKS: F.coalesce(excluded, F.when(F.col("url").isNull(), "no_address")),
            ENDING: F.coalesce(F.element_at(endings, image["format"]), F.lit(FIRST_ENDING)),
        }
    )
    return labelled.drop(EXCLUDED)


def labelled_documents(documents: DataFrame, exclusions: Exclusions) -> DataFrame:
    """Say which interleaved documents are left out: those of a page or with an image that is named.

    Needs: interleaved. Adds: EXCLUDED, null for a released one. Rows: all kept.
    Shuffles: hosts, where one is excluded; images of documents, where something is.
    """
    address = F.col("general_metadata")["document_url"]
    text = F.sha2(F.array_join("texts", "\n"), 256)
    keys = {
        "doc_id": [F.col("doc_id")],
        "url": [url_key(address)],
        "host": [_host_in(address)],
        "sha256": [text],
    }
    labelled = with_excluded(documents, exclusions, keys)
    if not exclusions.keys:
        return labelled
    images = documents.select("doc_id", F.explode("metadata").alias("of"))
    images = images.where(F.col("of").isNotNull()).select("doc_id", "of.url", "of.sha256")
    keys = {
        "url": [url_key(F.col("url"))],
        "host": [_host_of("url")],
        "sha256": [F.col("sha256")],
    }
    kinds = F.array(*map(F.lit, KINDS))
    by_image = (
        with_excluded(images, exclusions, keys)
        .where(F.col(EXCLUDED).isNotNull())
        .groupBy("doc_id")
        .agg(F.min(F.array_position(kinds, F.col(EXCLUDED))).alias("_kind"))
    )
    # Not element_at: Spark 4 takes its result for never null, and a null place for the last.
    of_image = (F.when(F.col("_kind") == n, F.lit(kind)) for n, kind in enumerate(KINDS, start=1))
    found = F.coalesce(F.col(EXCLUDED), *of_image)
    return (
        labelled.join(by_image, on="doc_id", how="left").withColumn(EXCLUDED, found).drop("_kind")
    )


def excluded_reason() -> Column:
    """Return the reason of a document that is left out; null for a released one."""
    return F.when(F.col(EXCLUDED).isNotNull(), F.concat(F.lit(_EXCLUDED_BY), F.col(EXCLUDED)))


def with_order(rows: DataFrame, seed: int, *key: str) -> DataFrame:
    """Give rows their place in the shuffled order.

    Needs: the columns of key, which tell rows apart. Adds: ORDER. Rows: all kept. Shuffles: none.
    """
    return rows.withColumn(ORDER, F.xxhash64(*key, F.lit(seed)))


def bucket_counts(pairs: DataFrame) -> dict[tuple[str, int], int]:
    """Count the pairs of each ending and bucket of the order: at most 4,096 for each ending.

    Needs: ENDING, ORDER. Shuffles: counts.
    """
    counts = pairs.groupBy(ENDING, _bucket().alias(_BUCKET)).count().collect()
    return {(row[ENDING], int(row[_BUCKET])): int(row["count"]) for row in counts}


def shards_of(counts: Mapping[tuple[str, int], int], shard_samples: int) -> dict[str, Shards]:
    """Return the shards of each ending, FIRST_ENDING first, else by name.

    >>> shards_of({("png", 0): 3, ("jpg", 0): 3, ("jpg", 9): 2}, 2)
    {'jpg': Shards(first=0, count=3, samples=5), 'png': Shards(first=3, count=2, samples=3)}
    """
    samples: dict[str, int] = {}
    for (ending, _), count in counts.items():
        samples[ending] = samples.get(ending, 0) + count
    found, first = {}, 0
    for ending in sorted(samples, key=lambda name: (name != FIRST_ENDING, name)):
        found[ending] = Shards(first, -(-samples[ending] // shard_samples), samples[ending])
        first += found[ending].count
    return found


def in_shards(
    pairs: DataFrame, counts: Mapping[tuple[str, int], int], shard_samples: int
) -> DataFrame:
    """Deal pairs to shards in their order, which fills one shard after the other.

    A shard is a random sample of the pairs with images of one format: `datasets` gives the samples
    of a shard one set of columns, and the ending of the image's member is one of them.

    Needs: doc_id, place, ENDING, ORDER; counts, of `bucket_counts`.
    Adds: SHARD, INDEX. Rows: all kept. Shuffles: pairs by bucket.
    """
    shards = shards_of(counts, shard_samples)
    deals, before = [], dict.fromkeys(shards, 0)
    for (ending, bucket), count in sorted(counts.items()):
        deals.append((ending, bucket, before[ending], shards[ending].first))
        before[ending] += count
    deal = pairs.sparkSession.createDataFrame(
        deals, f"{ENDING} string, {_BUCKET} bigint, before bigint, first int"
    )
    window = Window.partitionBy(ENDING, _BUCKET).orderBy(ORDER, "doc_id", "place")
    ranked = (
        pairs.withColumn(_BUCKET, _bucket())
        .withColumn(_RANK, F.row_number().over(window) - 1)
        .join(F.broadcast(deal), on=[ENDING, _BUCKET], how="inner")
        .withColumn(_RANK, F.col(_RANK) + F.col("before"))
    )
    within = F.pmod(F.col(_RANK), F.lit(shard_samples))
    shard = (F.col(_RANK) - within) / F.lit(shard_samples) + F.col("first")
    return ranked.withColumns({SHARD: shard.cast("int"), INDEX: within.cast("int")}).drop(
        _BUCKET, _RANK, "before", "first"
    )


def dealt(rows: DataFrame, files: int) -> DataFrame:
    """Deal rows to files by their order.

    Needs: ORDER. Adds: FILE. Rows: all kept. Shuffles: none.
    """
    return rows.withColumn(FILE, F.pmod(F.col(ORDER), F.lit(files)).cast("int"))


def _bucket() -> Column:
    """Return the first bits of the order, as a number that is not negative."""
    return F.shiftrightunsigned(F.col(ORDER), 64 - _BUCKET_BITS)


def _host_of(column: str) -> Column:
    return _host_in(F.col(column))


def _host_in(url: Column) -> Column:
    """Return the host of an address, lower-case; null where it has none."""
    host = F.lower(F.regexp_extract(url, _HOST, 1))
    return F.when(host != "", host)
