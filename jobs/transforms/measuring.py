"""Texts as the rules stage left them.

Documents edited and measured.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from udfs.measures.schema import EDITS_TYPE, PASSED_TYPE
from udfs.measures.text_pass import TextPass, text_pass


def with_edited_text(documents: DataFrame, edits: DataFrame) -> DataFrame:
    """Put the edited text in the place of what was extracted, where there is one.

    Needs: documents (doc_id, text, ...); edits (as the table), one row a doc_id.
    Adds: original_chars, original_sha256 (null where the text is as extracted), edits (empty
        there). Replaces: text.
    Rows: all kept. Shuffles: both sides by doc_id, with their texts.
    """
    edited = edits.withColumnRenamed("text", "edited_text")
    joined = documents.join(edited, on="doc_id", how="left")
    return joined.select(
        *(
            F.coalesce("edited_text", "text").alias("text") if name == "text" else name
            for name in documents.columns
        ),
        "original_chars",
        "original_sha256",
        F.coalesce("edits", F.create_map().cast(EDITS_TYPE)).alias("edits"),
    )


def edit_and_measure(documents: DataFrame, plan: TextPass) -> DataFrame:
    """Edit the texts and measure the result.

    Needs: doc_id, url, opt_outs, text.
    Adds: the columns of PASSED_TYPE, in the place of all others.
    Rows: all kept. Shuffles: none.
    """
    looked_at = documents.select("doc_id", "url", "opt_outs", "text")
    return looked_at.mapInArrow(text_pass(plan), PASSED_TYPE)
