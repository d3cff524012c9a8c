"""The texts of documents: edited and measured, as edited, and as cut by paragraph deduplication."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import Config
from udfs.measures.schema import EDITS_TYPE, PASSED_TYPE, Editing, TextPass

PARAGRAPH_EDIT = "paragraph"
"""Kind of edit of a text that lost paragraphs."""

_SPANS = "_spans"


def editing_of(config: Config) -> Editing:
    """Return the edits that language and rules ask for; the published script edits nothing."""
    rules, language = config.rules, config.language
    if rules.mode == "casia-exact":
        return Editing(repair=False, number_plans=language.number_plans)
    return Editing(
        repair=rules.repair,
        simplify=rules.traditional_policy == "convert",
        mask=rules.pii_kinds if rules.pii_policy == "mask" else (),
        letters=language.normalise,
        number_plans=language.number_plans,
    )


def edit_and_measure(documents: DataFrame, plan: TextPass) -> DataFrame:
    """Edit the texts and measure the result.

    Needs: doc_id, url, opt_outs, text; language where there is a second identifier.
    Adds: the columns of PASSED_TYPE, in the place of all others.
    Rows: all kept. Shuffles: none.
    """
    from udfs.measures.text_pass import text_pass  # imports numba

    more = ["language"] if plan.second_identifier else []
    looked_at = documents.select("doc_id", "url", "opt_outs", "text", *more)
    return looked_at.mapInArrow(text_pass(plan), PASSED_TYPE)


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
        F.coalesce("edits", F.array().cast(EDITS_TYPE)).alias("edits"),
    )


def with_edit(edits: Column, kind: str, places: Column) -> Column:
    """Add an edit to those of a text (EDITS_TYPE), none of which is of its kind."""
    edit = F.struct(F.lit(kind).alias("kind"), places.cast("long").alias("places"))
    return F.concat(edits, F.array(edit))


def with_cut_text(documents: DataFrame, cuts: DataFrame) -> DataFrame:
    """Documents with what is left of their text.

    Needs: doc_id, text; cuts as in their table.
    Replaces: text, where a document has cuts. Rows: all kept.
    Shuffles: both sides by doc_id.
    """
    return _with_spans(documents, cuts).select(
        *(_rest().alias(name) if name == "text" else name for name in documents.columns)
    )


def with_cuts(documents: DataFrame, cuts: DataFrame) -> DataFrame:
    """Documents with what is left of their text, and what is said of it put right.

    Needs: doc_id, text, original_chars and original_sha256 (null where text is as extracted),
        edits (kinds and places), pii (places in text, or null); cuts as in their table.
    Replaces: text, where a document has cuts; there original_chars and original_sha256 are not
        null, edits has the number of spans as kind "paragraph", and pii has the places that are
        left, where they are now.
    Rows: all kept. Shuffles: both sides by doc_id.
    """
    return _without_spans(_with_spans(documents, cuts), documents.columns, PARAGRAPH_EDIT)


def without_passages(documents: DataFrame, spans: Column, edit: str) -> DataFrame:
    """Documents with what is left of their text without passages, and what is said of it put right.

    Needs: as `with_cuts`.
    Args:
        spans: Passages of text, over the columns of documents: array of structs of start and length
            in code points, ascending and disjoint; null or empty where nothing is cut.
        edit: Kind of this edit.
    Replaces: as `with_cuts`, where a document has passages. Rows: all kept. Shuffles: none.
    """
    marked = documents.withColumn(_SPANS, F.when(F.size(spans) > 0, spans))
    return _without_spans(marked, documents.columns, edit)


def _without_spans(documents: DataFrame, columns: Sequence[str], edit: str) -> DataFrame:
    """Cut the spans of documents, where these are not null."""
    spans = F.col(_SPANS)
    is_cut = spans.isNotNull()
    changed = {
        "text": _rest(),
        "original_chars": F.coalesce(
            "original_chars", F.when(is_cut, F.char_length("text").cast("long"))
        ),
        "original_sha256": F.coalesce("original_sha256", F.when(is_cut, F.sha2("text", 256))),
        "edits": F.when(is_cut, with_edit(F.col("edits"), edit, F.size(spans))).otherwise(
            F.col("edits")
        ),
        "pii": F.when(is_cut, _places_left(F.col("pii"), spans)).otherwise(F.col("pii")),
    }
    return documents.select(
        *(changed[name].alias(name) if name in changed else name for name in columns)
    )


def _with_spans(documents: DataFrame, cuts: DataFrame) -> DataFrame:
    """Documents with the spans that they lose; null where there are none."""
    spans = cuts.where(F.size("spans") > 0).select("doc_id", F.col("spans").alias(_SPANS))
    return documents.join(spans, on="doc_id", how="left")


def _rest() -> Column:
    """What is left of text. Only a text that changes goes to Python and back."""
    from udfs.dedup.paragraphs import cut_text_udf  # imports pandas and numba

    changing = F.when(F.col(_SPANS).isNotNull(), F.col("text"))
    rest = cut_text_udf()(changing, F.col(f"{_SPANS}.start"), F.col(f"{_SPANS}.length"))
    return F.coalesce(rest, F.col("text"))


def _places_left(places: Column, spans: Column) -> Column:
    """Where structs with start and length lie in a text after cuts, without those that a cut took
    a part of."""

    def is_whole(place: Column) -> Column:
        return ~F.exists(
            spans,
            lambda span: (
                (span["start"] < place["start"] + place["length"])
                & (place["start"] < span["start"] + span["length"])
            ),
        )

    def moved(place: Column) -> Column:
        before = F.filter(spans, lambda span: span["start"] < place["start"])
        lost = F.aggregate(before, F.lit(0), lambda chars, span: chars + span["length"])
        return place.withField("start", place["start"] - lost)

    return F.transform(F.filter(places, is_whole), moved)
