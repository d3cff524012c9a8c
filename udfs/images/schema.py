"""The columns of a stored image, as Spark has them; it loads no decoder."""

from __future__ import annotations

from pyspark.sql.types import (
    BooleanType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

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
