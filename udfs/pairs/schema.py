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
