"""Documents with the images between their lines."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.transforms.images.bodies import IMAGE, with_images
from jobs.transforms.images.duplicates import equal_image_sets, frequent_values
from jobs.transforms.ranks import document_of, rank_of
from udfs.images.schema import IMAGE_FACTS_TYPE
from udfs.interleaved.documents import EditTexts, interleave_batches
from udfs.interleaved.images import InterleaveLimits
from udfs.interleaved.schema import INTERLEAVED_TYPE

CAPTURED = "capture_time"

_GIVEN = ("doc_id", "general_metadata", CAPTURED)
_OF_PLACE = (
    *("place", "url_written", "url", "alt", "caption", "declared_width", "declared_height"),
    *("line", "data_sha256", IMAGE, "is_frequent"),
)
_FIELDS = {field.name: field for field in INTERLEAVED_TYPE.fields}
MADE_TYPE = StructType(
    [
        _FIELDS["doc_id"],
        _FIELDS["general_metadata"],
        StructField(CAPTURED, TimestampType()),
        *(_FIELDS[name] for name in ("texts", "images", "metadata")),
        StructField("reason", StringType()),  # why it is rejected; null for a kept document
        StructField(
            "dropped",
            ArrayType(
                StructType([StructField("reason", StringType()), StructField("images", LongType())])
            ),
        ),
    ]
)
"""Rows of `interleaved_documents`."""


def image_lists(places: DataFrame, images: DataFrame, max_places: int | None) -> DataFrame:
    """The image places of each document, in a list.

    Needs: places (as table ``pairs``); images (of `with_images`).
    Rows: one for each document with a place: doc_id; places, those in the main text, with image
        (null without a body) and is_frequent, null where there is none; outside, how many others.
    Shuffles: places in the main text by address, twice; all places by doc_id.

    Args:
        max_places: Most places of all documents that an address has; None: any number.
    """
    is_inside = F.col("in_main") & F.col("line").isNotNull()
    address = F.coalesce("url", "data_sha256")
    inside = places.where(is_inside).withColumn("_address", address)
    is_frequent = F.lit(False)
    if max_places is not None:
        counted = places.select(address.alias("_address"))
        frequent = frequent_values(counted, "_address", max_places)
        marked = frequent.select("_address", F.lit(True).alias("_frequent"))
        inside = inside.join(marked, on="_address", how="left")
        is_frequent = F.coalesce("_frequent", F.lit(False))
    inside = inside.withColumn("is_frequent", is_frequent)
    # Frequent addresses are dropped whatever their image is; one task would get them all.
    rare = with_images(inside.where(~F.col("is_frequent")), images)
    no_image = F.lit(None).cast(IMAGE_FACTS_TYPE)
    inside = rare.unionByName(inside.where("is_frequent").withColumn(IMAGE, no_image))
    listed = inside.groupBy("doc_id").agg(F.collect_list(F.struct(*_OF_PLACE)).alias("places"))
    is_outside = ~F.coalesce(is_inside, F.lit(False))
    outside = places.groupBy("doc_id").agg(F.count_if(is_outside).alias("outside"))
    return outside.join(listed, on="doc_id", how="left").select("doc_id", "places", "outside")


def text_versions(documents: DataFrame, extracted: DataFrame, edits: DataFrame) -> DataFrame:
    """The texts that a document had: as extracted, as edited, and as it is now.

    Needs: documents (doc_id, text, original_sha256, null where the text is as extracted);
        extracted (doc_id, text); edits (as the table).
    Adds: versions, the present text last. Rows: all of documents.
    Shuffles: texts that were changed, by doc_id.
    """
    changed = documents.where(F.col("original_sha256").isNotNull()).select("doc_id")
    first = extracted.join(changed, on="doc_id", how="left_semi")
    first = first.select("doc_id", F.col("text").alias("_extracted"))
    edited = edits.select("doc_id", F.col("text").alias("_edited"))
    joined = documents.join(first, on="doc_id", how="left").join(edited, on="doc_id", how="left")
    versions = F.array_compact(F.array("_extracted", "_edited", "text"))
    return joined.withColumn("versions", versions).drop("_extracted", "_edited")


def interleaved_documents(
    documents: DataFrame, lists: DataFrame, limits: InterleaveLimits, edit: EditTexts
) -> DataFrame:
    """Put the images of documents between the lines of their texts.

    Needs: documents (doc_id, versions, refused, general_metadata, capture_time); lists (of
        `image_lists`).
    Rows: all of documents, as MADE_TYPE.
    Shuffles: both sides by doc_id; texts of documents with images in the main text alone.

    Args:
        edit: For alternative texts and captions.
    """
    joined = documents.join(lists, on="doc_id", how="left")
    versions = F.when(F.col("places").isNotNull(), F.col("versions")).alias("versions")
    read = joined.select(*_GIVEN, versions, "places", "refused", "outside")
    return read.mapInArrow(interleave_batches(limits, edit), MADE_TYPE)


def repeated_sets(made: DataFrame) -> DataFrame:
    """Documents with the images of another one that was captured later, or has a smaller doc_id.

    Needs: made (of `interleaved_documents`).
    Rows: one for each document that goes: doc_id, images (how many it has), warc_path.
    Shuffles: as `equal_image_sets`; documents by doc_id, without texts.
    """
    rank = rank_of("newest")
    kept = made.where(F.col("reason").isNull()).select(
        "doc_id",
        F.array_compact("images").alias("addresses"),
        F.col("general_metadata.warc_path").alias("warc_path"),
        F.lit(False).alias("preferred"),
        F.unix_micros(CAPTURED).alias("capture_micros"),
    )
    places = kept.select(rank.alias("rank"), F.explode("addresses").alias("url"))
    repeated = equal_image_sets(places).select(document_of(F.col("rank")).alias("doc_id"))
    return kept.join(repeated, on="doc_id", how="inner").select(
        "doc_id", F.size("addresses").cast("bigint").alias("images"), "warc_path"
    )
