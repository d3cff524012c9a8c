"""The columns of a stored image place, as Arrow and Spark have them; it loads no compiled loops."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

PAIR_TEXT_MEASURES: dict[str, type] = {
    "chars": int,  # without whitespace
    "han_share": float,  # ideographs / chars
    "kana_share": float,  # kana / (kana + ideographs)
    "letter_share": float,  # ASCII letters / chars
    "digit_share": float,  # ASCII digits / chars
    "is_file_name": bool,
    "is_url": bool,
    "is_interface": bool,  # of udfs.pairs.interface_words.GENERIC_TEXTS, perhaps with a number
    "has_logo_word": bool,
    "is_site_name": bool,  # the page's site name or part of it
    "is_page_title": bool,  # the page's title, or the part of it before its site name
    "in_page_title": bool,  # a part of the page's title
    "page_repeats": int,  # places of its page that have the same text, itself included
}
"""The measures and their types; shares are in [0, 1], 0.0 where the denominator is 0."""

_SPARK_TYPES: dict[type, DataType] = {int: LongType(), float: DoubleType(), bool: BooleanType()}
_ARROW_TYPES = {int: pa.int64(), float: pa.float64(), bool: pa.bool_()}

PLACE_TYPE = StructType(
    [
        StructField("place", IntegerType()),  # its number on the page; rejected places count, too
        StructField("attribute", StringType()),  # src, srcset, a lazy attribute, css, og, ...
        StructField("url_written", StringType()),  # as written; of a data: URI its type
        StructField("url", StringType()),  # resolved; null for a data: URI
        StructField("declared_width", LongType()),  # pixels; null where they are not stated
        StructField("declared_height", LongType()),
        StructField("alt", StringType()),  # null without the attribute
        StructField("title", StringType()),  # likewise
        StructField("caption", StringType()),  # figcaption or a line like one; null without
        StructField("context_before", StringType()),  # visible text; null for what a head names
        StructField("context_after", StringType()),
        StructField("link", StringType()),  # target of the link around it; null without
        StructField("text", StringType()),  # of the pair; null without any
        StructField("text_source", StringType()),  # alt, caption, title or heading
        StructField("license", StringType()),  # Creative Commons link; null without
        StructField("in_main", BooleanType()),  # beside a line of the main text
        StructField("line", IntegerType()),  # of the main text that it follows; null outside
        StructField("data_sha256", StringType()),  # of the image in a data: URI; else null
        StructField("data_bytes", LongType()),
        StructField("data_body", BinaryType()),  # its bytes
        StructField(
            "text_measures",
            StructType(
                [StructField(name, _SPARK_TYPES[kind]) for name, kind in PAIR_TEXT_MEASURES.items()]
            ),
        ),
    ]
)
"""Columns of table ``pairs`` that follow from the page, in order; `ImagePlace` describes them."""

PAGE_TYPE = StructType(
    [
        StructField("opt_outs", ArrayType(StringType())),
        *(StructField(name, StringType()) for name in ("host", "title", "page_kind", "language")),
        # Null for a page that is not in the corpus, and where no scorer says it:
        StructField("quality_score", DoubleType()),
        StructField("domain", StringType()),  # main label
        StructField("toxicity_label", IntegerType()),
        StructField("toxicity_score", DoubleType()),
    ]
)
"""What is known of a pair's page: of its document, and of its row in the corpus."""

PLACE_ARROW_TYPE = pa.struct(
    [
        ("place", pa.int32()),
        *((name, pa.string()) for name in ("attribute", "url_written", "url")),
        *((name, pa.int64()) for name in ("declared_width", "declared_height")),
        *(
            (name, pa.string())
            for name in (
                *("alt", "title", "caption", "context_before", "context_after", "link"),
                *("text", "text_source", "license"),
            )
        ),
        ("in_main", pa.bool_()),
        ("line", pa.int32()),
        ("data_sha256", pa.string()),
        ("data_bytes", pa.int64()),
        ("data_body", pa.binary()),
        (
            "text_measures",
            pa.struct([(name, _ARROW_TYPES[kind]) for name, kind in PAIR_TEXT_MEASURES.items()]),
        ),
    ]
)
"""The same, as a worker yields them."""

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
