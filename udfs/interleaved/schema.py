"""The columns of an interleaved document, as Arrow and Spark have them."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

IMAGE_METADATA_TYPE = StructType(
    [
        StructField("place", IntegerType()),  # its number on the page, as in ``pairs``
        StructField("url_written", StringType()),
        StructField("url", StringType()),  # null for a data: URI
        StructField("alt_text", StringType()),  # edited as the text is; null without the attribute
        StructField("caption", StringType()),  # likewise; null without
        StructField("declared_width", LongType()),  # pixels; null where they are not stated
        StructField("declared_height", LongType()),
        StructField("width", IntegerType()),  # of the body, as this and what follows
        StructField("height", IntegerType()),
        StructField("format", StringType()),  # null without a body
        StructField("sha256", StringType()),  # hex; of a data: URI also without a measured body
        StructField("phash", LongType()),
    ]
)
"""An image of an interleaved document; what is not known is null."""

GENERAL_METADATA_TYPE = StructType(
    [
        StructField("document_url", StringType()),
        StructField("warc_path", StringType()),
        StructField("warc_offset", LongType()),
        StructField("title", StringType()),
        StructField("quality_score", DoubleType()),  # null outside the corpus, like domain
        StructField("domain", StringType()),  # the main label
    ]
)
"""An interleaved document's page."""

INTERLEAVED_TYPE = StructType(
    [
        StructField("doc_id", StringType()),
        StructField("texts", ArrayType(StringType())),  # null where an image is
        StructField("images", ArrayType(StringType())),  # an address, or data: and the SHA-256
        StructField("metadata", ArrayType(IMAGE_METADATA_TYPE)),  # null where a text is
        StructField("general_metadata", GENERAL_METADATA_TYPE),
    ]
)
"""Columns of table ``interleaved``: the arrays of a row are equally long, and exactly one of texts
and images is not null at each position."""

INTERLEAVED_ARROW_TYPES: dict[str, pa.DataType] = {
    "texts": pa.list_(pa.string()),
    "images": pa.list_(pa.string()),
    "metadata": pa.list_(
        pa.struct(
            [
                ("place", pa.int32()),
                *((name, pa.string()) for name in ("url_written", "url", "alt_text", "caption")),
                *((name, pa.int64()) for name in ("declared_width", "declared_height")),
                *((name, pa.int32()) for name in ("width", "height")),
                *((name, pa.string()) for name in ("format", "sha256")),
                ("phash", pa.int64()),
            ]
        )
    ),
    "reason": pa.string(),
    "dropped": pa.list_(pa.struct([("reason", pa.string()), ("images", pa.int64())])),
}
"""What a worker adds to a document: the parts of a row of ``interleaved``, empty with a reason for
a rejected one, and the images that are dropped by reason."""
