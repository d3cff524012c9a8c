"""Which stored image an image place has, and the images that places hold themselves."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from udfs.images.schema import IMAGE_FACTS_TYPE

IMAGE = "image"
"""Column with the facts of a place's image, of IMAGE_FACTS_TYPE."""

_NO_TIME = -(1 << 62)


def with_images(places: DataFrame, images: DataFrame) -> DataFrame:
    """Image places with the facts of their images.

    A usable body wins over an unusable one, then the latest capture, then the smallest image_id: a
    place gets the same one for any partitioning.

    Needs: places (url, data_sha256); images (url, capture_time, and the columns of
        IMAGE_FACTS_TYPE).
    Adds: image, null where no body was found. Rows: all of places.
    Shuffles: images by address, facts alone; places by address.
    """
    of_address = _first_by(images.where(F.col("url").isNotNull()), F.col("url"))
    of_digest = _first_by(images.where(F.col("url").isNull()), F.col("sha256"))
    images_of = of_address.unionByName(of_digest)
    key = F.coalesce("url", "data_sha256")
    return places.withColumn("_key", key).join(images_of, on="_key", how="left").drop("_key")


def distinct_bodies(places: DataFrame) -> DataFrame:
    """The images in data: URIs, each once: at the first of the places with the same bytes.

    Needs: places (warc_path, warc_offset, place, url_written, data_sha256, data_body), data_body
        not null.
    Rows: one for each data_sha256, without that column.
    Shuffles: bodies by data_sha256, those of one task once.
    """
    columns = F.struct("warc_path", "warc_offset", "place", "url_written", "data_body")
    first = F.min_by(columns, F.struct("warc_path", "warc_offset", "place"))
    return places.groupBy("data_sha256").agg(first.alias("first")).select("first.*")


def first_places(places: DataFrame) -> DataFrame:
    """The places that `distinct_bodies` keeps, without their bodies.

    Needs: places (warc_path, warc_offset, place, data_sha256), data_sha256 not null.
    Rows: one for each data_sha256: warc_path, warc_offset, place. Shuffles: no bodies.
    """
    first = F.min(F.struct("warc_path", "warc_offset", "place"))
    return places.groupBy("data_sha256").agg(first.alias("first")).select("first.*")


def _first_by(images: DataFrame, key: Column) -> DataFrame:
    """_key and image: the preferred image of each key."""
    captured = F.coalesce(F.unix_micros("capture_time"), F.lit(_NO_TIME))
    order = F.struct(F.col("reason").isNotNull(), -captured, F.col("image_id"))
    facts = F.struct(*IMAGE_FACTS_TYPE.fieldNames())
    return images.groupBy(key.alias("_key")).agg(F.min_by(facts, order).alias(IMAGE))
