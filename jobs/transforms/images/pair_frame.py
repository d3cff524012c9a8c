"""What image-text pairs are chosen by: a pair with its measures, image, page and repeats.

Rules, SQL expressions and the selected pairs see the same columns: those of table ``pairs`` without
bytes, then more, image, page, text_places, url_places, scores.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config.scorers import declared_pairs
from jobs.tables import PAIRS, schema_of
from jobs.transforms.images.bodies import IMAGE, with_images
from jobs.transforms.images.pair_reasons import IN_CORPUS
from udfs.pairs.schema import PAGE_TYPE

KEY = ("doc_id", "place")
"""Columns that name a pair."""
MORE, PAGE = "more", "page"
TEXT_PLACES, URL_PLACES = "text_places", "url_places"
SCORES = "scores"
"""Column with a field for each scorer of pairs, null where it did not run."""
CAPTURED = "captured"
"""When the page was captured, in microseconds; null where that is not known; no expression
sees it."""

_HASH = ("high", "low")


def pair_columns() -> list[str]:
    """The columns of table pairs that a selection has: all but the bytes of data: URIs."""
    return [name for name in schema_of(PAIRS).fieldNames() if name != "data_body"]


def address() -> Column:
    """What tells the image of a place from others: its URL, or the digest of a data: URI's body."""
    return F.coalesce("url", "data_sha256")


def hash_of(*columns: str | Column) -> tuple[Column, Column]:
    """high, low: a hash of 128 bits of some columns, none of them null."""
    return (
        F.xxhash64(*columns).alias("high"),
        F.xxhash64(F.lit(1), *reversed(columns)).alias("low"),
    )


def pair_frame(
    pairs: DataFrame,
    measures: DataFrame,
    images: DataFrame,
    documents: DataFrame,
    corpus: DataFrame,
    scores: Mapping[str, DataFrame] | None = None,
) -> DataFrame:
    """Put together what pairs are chosen by.

    Needs: pairs; measures (doc_id, place, measures of its text); images (as `with_images`);
        documents (of the pairs' pages); corpus (doc_id, quality_score, domain, toxicity); scores,
        scorer of pairs -> its table; None: none.
    Adds: more, null without a row; image, null without a body; page, whose last four fields are
        null outside the corpus; text_places, url_places: image places with the same text and the
        same address, the pair's own included, text_places null without a text; scores; in_corpus,
        captured.
    Rows: all of pairs.
    Shuffles: pairs with their texts once, by their key, as measures; keys with a hash by document,
        by address and by text; distinct addresses, and texts that repeat; scores by key.
    """
    measured = [F.col(name) for name in measures.columns if name not in KEY]
    more = measures.select(*KEY, F.struct(*measured).alias(MORE))
    beside = _with_addresses(pairs, images).join(_pages(documents, corpus), on="doc_id", how="left")
    key = list(KEY)
    joined = (
        pairs.select(*pair_columns())
        .join(more, on=key, how="left")
        .join(beside, on=key, how="left")
        .join(_text_places(pairs), on=key, how="left")
    )
    return with_scores(joined, scores or {}).select(
        *pair_columns(),
        *(MORE, IMAGE, PAGE),
        F.when(F.col("text").isNotNull(), F.coalesce(TEXT_PLACES, F.lit(1).cast("bigint"))).alias(
            TEXT_PLACES
        ),
        *(URL_PLACES, *([SCORES] if declared_pairs() else []), IN_CORPUS, CAPTURED),
    )


def with_scores(pairs: DataFrame, scores: Mapping[str, DataFrame]) -> DataFrame:
    """Add the records of scorers of pairs.

    Needs: doc_id, place; scores, scorer -> its table.
    Adds: scores, a field for each declared scorer, null where it did not run; nothing where none is
        declared. Rows: all kept. Shuffles: pairs and scores by key.
    """
    fields = []
    for name, scorer in declared_pairs().items():
        if name not in scores:
            fields.append(F.lit(None).cast(scorer.selected_type).alias(name))
            continue
        field = f"_scores_{name}"
        record = F.struct(*scorer.selected_type.fieldNames()).alias(field)
        pairs = pairs.join(scores[name].select(*KEY, record), on=list(KEY), how="left")
        fields.append(F.col(field).alias(name))
    return pairs.withColumn(SCORES, F.struct(*fields)) if fields else pairs


def _with_addresses(pairs: DataFrame, images: DataFrame) -> DataFrame:
    """doc_id, place, image, url_places of pairs: joined by a hash of their addresses, with those
    addresses alone that repeat or have an image."""
    distinct = pairs.groupBy("url", "data_sha256").agg(F.count(F.lit(1)).alias(URL_PLACES))
    known = (
        with_images(distinct, images)
        .where((F.col(URL_PLACES) > 1) | F.col(IMAGE).isNotNull())
        .select(*hash_of(address()), URL_PLACES, IMAGE)
    )
    keyed = pairs.select(*KEY, *hash_of(address()))
    return keyed.join(known, on=list(_HASH), how="left").select(
        *KEY, IMAGE, F.coalesce(URL_PLACES, F.lit(1).cast("bigint")).alias(URL_PLACES)
    )


def _text_places(pairs: DataFrame) -> DataFrame:
    """doc_id, place, text_places of the pairs whose text another place has, too."""
    keyed = pairs.where(F.col("text").isNotNull()).select(*KEY, *hash_of("text"))
    counted = keyed.groupBy(*_HASH).agg(F.count(F.lit(1)).alias(TEXT_PLACES))
    several = counted.where(F.col(TEXT_PLACES) > 1)
    return keyed.join(several, on=list(_HASH), how="inner").select(*KEY, TEXT_PLACES)


def _pages(documents: DataFrame, corpus: DataFrame) -> DataFrame:
    """doc_id, page, in_corpus, captured of documents."""
    scored = corpus.select(
        "doc_id",
        "quality_score",
        F.col("domain")["single_label"].alias("domain"),
        F.col("toxicity")["label"].alias("toxicity_label"),
        F.col("toxicity")["score"].alias("toxicity_score"),
        F.lit(True).alias(IN_CORPUS),
    ).dropDuplicates(["doc_id"])  # a text may count several times
    page = F.struct(*PAGE_TYPE.fieldNames())
    return (
        documents.select(
            *("doc_id", "opt_outs", "host", "title", "page_kind", "language"),
            F.unix_micros("capture_time").alias(CAPTURED),
        )
        .join(scored, on="doc_id", how="left")
        .select(
            "doc_id",
            page.alias(PAGE),
            F.coalesce(IN_CORPUS, F.lit(False)).alias(IN_CORPUS),
            CAPTURED,
        )
    )
