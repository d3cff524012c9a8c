"""Images and image-text pairs that repeat: equal pairs, near-equal pictures, frequent addresses.

Rows are named by ranks (`ranks.rank_of`, or any text that is unique and sorts as rows are
preferred): the smallest of those that are equal stays. Results follow from content alone, for any
partitioning. A null hash or address takes no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.transforms.images.pair_frame import hash_of

if TYPE_CHECKING:  # imports numba
    from jobs.transforms.components import Checkpoint

DISTANCE = 5
"""Most bits of two hashes of one picture. Source: MMC4, which compares phash so in a document."""
MAX_PLACES = 10
"""Most places of an image's address. Source: OBELICS, section 3: an address of more is removed."""

_PLACES = "array<struct<place:int,phash:bigint>>"


def equal_pairs(pairs: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Pairs that another one repeats: the same address and text, or picture and text.

    Needs: rank (unique), the columns; a pair with a null in one takes no part.
    Rows: one for each pair that goes: rank, kept_rank.
    Shuffles: rank and a hash of 128 bits.

    Args:
        columns: What is equal: ("url", "text"), ("phash", "text").
    """
    whole = pairs
    for column in columns:
        whole = whole.filter(F.col(column).isNotNull())
    keyed = whole.select("rank", *hash_of(*columns))
    return _all_but_first(keyed)


def frequent_values(places: DataFrame, column: str, max_places: int = MAX_PLACES) -> DataFrame:
    """Values that too many rows have: an address on more pages than a picture of their own has,
    or a text of an interface.

    Needs: the column; null is no value.
    Rows: one for each value of more than max_places rows: the column, places.
    Shuffles: values, counted before.
    """
    return (
        places.filter(F.col(column).isNotNull())
        .groupBy(column)
        .agg(F.count(F.lit(1)).alias("places"))
        .filter(F.col("places") > max_places)
    )


def equal_image_sets(places: DataFrame) -> DataFrame:
    """Documents whose images are those of another one, in any order and number.

    Needs: rank (of the document; the latest has the smallest, where the latest is to stay), url
        (null is no image).
    Rows: one for each document that goes: rank, kept_rank. Documents without images take no part.
    Shuffles: a hash of 128 bits for each place, by document; then one for each document.
    """
    high, low = hash_of("url")
    sets = (
        places.filter(F.col("url").isNotNull())
        .select("rank", high, low)
        .groupBy("rank")
        .agg(
            F.sort_array(F.collect_set("high")).alias("highs"),
            F.sort_array(F.collect_set("low")).alias("lows"),
        )
    )
    return _all_but_first(sets.select("rank", *hash_of("highs", "lows")))


def repeats_in_documents(places: DataFrame, distance: int = DISTANCE) -> DataFrame:
    """Pictures that a document shows again: near to one of its pictures before that stays.

    Needs: rank (of the document), place (unique in it), phash (null takes no part).
    Rows: one for each place that goes: rank, place.
    Shuffles: place and hash by document.
    Source: MMC4 (phash, distance 5, one stays); OBELICS (the same address twice: the first).
    """
    listed = (
        places.filter(F.col("phash").isNotNull())
        .groupBy("rank")
        .agg(
            F.sort_array(
                F.collect_list(F.struct(F.col("place").cast("int").alias("place"), "phash"))
            ).alias("all")
        )
    )

    def kept_after(kept: Column, one: Column) -> Column:
        is_near = F.exists(kept, lambda other: _distance(other["phash"], one["phash"]) <= distance)
        return F.when(is_near, kept).otherwise(F.concat(kept, F.array(one)))

    kept = F.aggregate("all", F.array().cast(_PLACES), kept_after)
    return listed.select(
        "rank", F.explode(F.array_except(F.col("all.place"), kept["place"])).alias("place")
    )


def near_images(
    images: DataFrame, checkpoint: Checkpoint, max_rounds: int, distance: int = DISTANCE
) -> DataFrame:
    """Pictures that are near to another one, directly or through others: one of them stays.

    Needs: rank (unique), phash (null takes no part).
    Rows: one for each image that goes: rank, kept_rank, distance (bits that differ between the two;
        over the limit for the ends of a chain), images (how many the cluster has).
    Shuffles: distinct hashes, 8 bytes for each of distance + 1 bands; links of hashes that have
        neighbours; ranks of images by hash.

    Args:
        checkpoint: Writes under a name and reads back.
        max_rounds: Of the search for components, as `connected_numbers`.
        distance: Most bits that differ between neighbours, 0 to MAX_DISTANCE.
    Raises:
        NotConverged: as `connected_numbers`.
    """
    from jobs.transforms.components import connected_numbers  # these import numba
    from udfs.dedup.near_hashes import (
        HASH_PACK_DDL,
        MAX_DISTANCE,
        NEAR_LINK_DDL,
        link_hashes,
        pack_hashes,
    )

    if not 0 <= distance <= MAX_DISTANCE:
        raise ValueError(f"distance {distance}: expected 0 to {MAX_DISTANCE}")
    hashed = images.filter(F.col("phash").isNotNull()).select("rank", "phash")
    hashes = checkpoint(
        hashed.groupBy("phash").agg(
            F.min("rank").alias("first"), F.count(F.lit(1)).alias("images")
        ),
        "image_hashes",
    )
    links = (
        hashes.select("phash")
        .mapInArrow(pack_hashes(distance), HASH_PACK_DDL)
        .repartition("pack")
        .sortWithinPartitions("pack")
        .mapInArrow(link_hashes(distance), NEAR_LINK_DDL)
    )
    labels, _ = connected_numbers(links, checkpoint, max_rounds, "near_images")
    of_hash = labels.select(F.col("node").alias("phash"), "label")
    clusters = hashes.join(of_hash, on="phash", how="left").withColumn(
        "label", F.coalesce("label", "phash")
    )
    kept = clusters.groupBy("label").agg(
        F.min(F.struct("first", "phash")).alias("kept"), F.sum("images").alias("images")
    )
    several = kept.filter(F.col("images") > 1)
    of_images = clusters.select("phash", "label").join(several, on="label", how="inner")
    return (
        hashed.join(of_images, on="phash", how="inner")
        .filter(F.col("rank") != F.col("kept.first"))
        .select(
            "rank",
            F.col("kept.first").alias("kept_rank"),
            _distance(F.col("phash"), F.col("kept.phash")).alias("distance"),
            "images",
        )
    )


def _distance(one: Column, other: Column) -> Column:
    """Bits that differ between two hashes."""
    return F.bit_count(one.bitwiseXOR(other))


def _all_but_first(keyed: DataFrame) -> DataFrame:
    """rank, kept_rank of the rows with equal high and low, but for the smallest rank."""
    first = F.min("rank").over(Window.partitionBy("high", "low"))
    return (
        keyed.select("rank", first.alias("kept_rank"))
        .filter(F.col("rank") != F.col("kept_rank"))
        .select("rank", "kept_rank")
    )
