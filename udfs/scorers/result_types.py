"""What scorers say of a document, as types of Spark: what tables need to know of them, alone.

Apart from the scorers, whose segmenters and compiled loops take a second to load.
"""

from __future__ import annotations

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DoubleType,
    IntegerType,
    MapType,
    StringType,
    StructField,
    StructType,
)

QUALITY_TYPE = StructType([StructField("score", DoubleType())])
DOMAIN_TYPE = StructType(
    [
        StructField("single_label", StringType()),
        StructField("multi_label", ArrayType(StringType())),
        StructField("probabilities", MapType(StringType(), DoubleType())),
    ]
)
TOXICITY_TYPE = StructType(
    [
        StructField("label", IntegerType()),
        StructField("score", DoubleType()),
        StructField("worst_start", IntegerType()),  # code points of the text; null without a token
        StructField("worst_length", IntegerType()),  # likewise
        StructField("worst_score", DoubleType()),  # of that span by itself; null likewise
        StructField("mean_score", DoubleType()),  # of the whole text
    ]
)
PERPLEXITY_TYPE = StructType(
    [
        StructField("perplexity", DoubleType()),  # above 0; never null
        StructField("flagged", BooleanType()),  # whether it is under the limit
    ]
)
QUALITY_BERT_TYPE = StructType(
    [
        # Mean of the segments, by their characters, or of a head that sees the text whole its score
        # of that; null: none.
        StructField("score", DoubleType()),
        StructField(
            "segments",
            ArrayType(
                StructType(
                    [
                        StructField("offset", IntegerType()),  # code points of the text
                        StructField("length", IntegerType()),  # likewise
                        StructField("score", DoubleType()),
                    ]
                )
            ),
        ),
        StructField("mean", DoubleType()),  # of the segments, whatever their length; null: none
        StructField("min", DoubleType()),
        StructField("max", DoubleType()),
    ]
)
