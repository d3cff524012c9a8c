"""The columns of a stored image, as Spark and Arrow have them; it loads no decoder."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import (
    BinaryType,
    BooleanType,
    DataType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

RECORD, DATA_URI, SHARD = "record", "data_uri", "shard"
"""Sources of a body: a record of a WARC file; a data: URI of a page; a sample of a shard."""
IMAGE = "image"
"""Kind of the rows of images that a worker yields."""

IMAGE_FACTS_TYPE = StructType(
    [
        StructField("image_id", StringType()),  # 32 hex digits of where its body lies
        StructField("reason", StringType()),  # why it is unusable; null for a usable image
        StructField("format", StringType()),  # jpeg, png, gif, webp, bmp, avif; null: unusable
        StructField("width", IntegerType()),  # pixels as shown: the orientation is applied
        StructField("height", IntegerType()),
        StructField("bytes", LongType()),
        StructField("sha256", StringType()),  # of the body, hex
        StructField("phash", LongType()),  # as udfs.images.phash; null: unusable
        StructField("orientation", IntegerType()),  # EXIF, 1 to 8; null: none stated
        StructField("frames", IntegerType()),  # over one: animated
        StructField("has_alpha", BooleanType()),
    ]
)
"""What is known of an image's body. Of an unusable one image_id, reason, bytes and sha256 alone are
not null."""

IMAGE_TYPE = StructType(
    [
        *IMAGE_FACTS_TYPE.fields[:1],
        StructField("url", StringType()),  # null in a data: URI, and where a shard states none
        StructField("source", StringType()),  # record, data_uri or shard
        StructField("source_path", StringType()),  # WARC file of the record or page; the shard
        StructField("source_offset", LongType()),  # of the record or page; of the shard's member
        StructField("capture_time", TimestampType()),  # UTC; null unless a record states it
        StructField("declared_type", StringType()),  # media type as stated; null where none is
        *IMAGE_FACTS_TYPE.fields[1:],
        StructField("detail", StringType()),  # more about the reason; null for a usable image
        StructField("body", BinaryType()),  # null where it is unusable
    ]
)
"""A row of tables ``images`` and ``shard_images``."""

_ARROW_TYPES: dict[type[DataType], pa.DataType] = {
    StringType: pa.string(),
    IntegerType: pa.int32(),
    LongType: pa.int64(),
    BooleanType: pa.bool_(),
    BinaryType: pa.binary(),
    TimestampType: pa.timestamp("us", "UTC"),
}
IMAGE_ARROW_FIELDS = [(field.name, _ARROW_TYPES[type(field.dataType)]) for field in IMAGE_TYPE]
"""The same, as a worker yields them."""
