"""Image-text pairs to look at: some that are kept, and some of each reason, with thumbnails."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.image_text.images import stored_images
from jobs.run.request import SELECT_PAIRS, Run, score_pairs_stage
from jobs.tables import CORPUS, PAIRS, REJECTED_PAIRS, SELECTED_PAIRS, pair_scores
from jobs.transforms.images.bodies import with_images
from jobs.transforms.samples import few_of_each
from udfs.image_models import nsfw

KEPT_TIMES = 8
"""Kept pairs for each pair of a reason: they are what a reader looks at first."""
SIDE = 160
"""Most pixels of a thumbnail's side."""
_KEY = "sampled"


class SampledPair(NamedTuple):
    """A pair that is shown."""

    kind: str
    """kept or rejected."""
    reason: str
    """One of its reasons; "" for a kept one."""
    place: int
    """Order within its reason."""
    page_url: str | None
    url: str | None
    text: str | None
    text_source: str | None
    is_toxic: bool
    """Whether its page has toxicity label 1."""
    is_nsfw: bool
    """Whether scorer nsfw does not call its image safe; false where it did not run."""
    size: tuple[int, int] | None
    """Width and height of its image in pixels; None without a body."""
    format: str | None
    thumbnail: str | None
    """data: URI of a JPEG file; None without a body."""


def sampled_pairs(spark: SparkSession, run: Run) -> list[SampledPair]:
    """Return the samples, by kind, reason and place: a few, whatever the data.

    A sample follows from audit.seed and the pairs alone.
    """
    audit = run.config.audit
    if not audit.samples:
        return []
    kept = run.store.read(spark, SELECTED_PAIRS)
    rejected = run.store.read(spark, REJECTED_PAIRS)
    # A pair with a picture is more to look at than one without.
    candidates = _named(
        kept, "kept", F.lit(""), F.when(F.col("image.width").isNull(), 1.0).otherwise(0.0)
    ).unionByName(_named(rejected, "rejected", F.explode("reasons"), F.lit(0.0)))
    chosen = few_of_each(candidates, KEPT_TIMES * audit.samples, audit.seed).where(
        (F.col("kind") == "kept") | (F.col("place") < audit.samples)
    )
    rows = [row.asDict() for row in chosen.collect()]
    if not rows:
        return []
    keys = F.broadcast(
        spark.createDataFrame([(key,) for key in sorted({row["doc_id"] for row in rows})], [_KEY])
    )
    waves = list(run.waves)
    places = run.store.read(spark, PAIRS, waves).withColumn(_KEY, _key())
    of_key = places.join(keys, on=_KEY, how="inner").select(
        _KEY,
        *("doc_id", "page_url", "url", "text", "text_source"),
        F.coalesce("url", "data_sha256").alias("address"),
    )
    toxic = run.store.read(spark, CORPUS).where(F.col("toxicity.label") == 1).select("doc_id")
    toxic = toxic.withColumn("is_toxic", F.lit(True))
    offensive = _nsfw(spark, run).withColumn("is_nsfw", F.lit(True))
    known = {
        row[_KEY]: row.asDict()
        for row in of_key.join(toxic, on="doc_id", how="left")
        .join(offensive, on=_KEY, how="left")
        .collect()
    }
    drawn = _drawn(spark, run, sorted({of["address"] for of in known.values() if of["address"]}))
    return sorted(_sample(row, known[row["doc_id"]], drawn) for row in rows)


def _key() -> Any:
    return F.concat_ws(":", "doc_id", "place")


def _nsfw(spark: SparkSession, run: Run) -> DataFrame:
    """Return the keys of the pairs whose image scorer nsfw does not call safe."""
    scored = run.store.commits(score_pairs_stage(nsfw.NAME))
    scores = run.store.read(
        spark, pair_scores(nsfw.NAME), [wave for wave in run.waves if wave in scored]
    )
    return scores.where(F.col("nsfw") >= nsfw.SAFE_BELOW).select(_key().alias(_KEY))


def _named(pairs: DataFrame, kind: str, reason: Any, rank: Any) -> DataFrame:
    """Pairs as candidates of samples; their key takes the place of a document's."""
    return pairs.select(
        F.lit(kind).alias("kind"),
        F.lit(SELECT_PAIRS).alias("stage"),
        reason.alias("reason"),
        rank.alias("rank"),
        _key().alias("doc_id"),
    )


def _drawn(spark: SparkSession, run: Run, addresses: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return thumbnail, size and format of the image that places with an address have, by address,
    or by digest for data: URIs; of usable images alone."""
    from udfs.images.thumbnails import THUMBNAIL_DDL, thumbnails  # loads Pillow

    if not addresses:
        return {}
    wanted = F.broadcast(spark.createDataFrame([(one,) for one in addresses], ["key"]))
    images = stored_images(spark, run)
    of_wanted = images.join(wanted, F.coalesce("url", "sha256") == wanted["key"], how="left_semi")
    nothing = F.lit(None).cast("string").alias("data_sha256")
    places = wanted.select("key", F.col("key").alias("url"), nothing)
    chosen = with_images(places, of_wanted).where(F.col("image.width").isNotNull())
    found = (
        images.select("image_id", "body")
        .join(
            F.broadcast(chosen.select("key", "image.*").drop("sha256")), on="image_id", how="inner"
        )
        .select("key", "width", "height", "format", "body")
        .mapInArrow(thumbnails(SIDE), THUMBNAIL_DDL)
    )
    return {row["key"]: row.asDict() for row in found.collect()}


def _sample(
    row: Mapping[str, Any], known: Mapping[str, Any], drawn: Mapping[str, Mapping[str, Any]]
) -> SampledPair:
    image = drawn.get(known["address"] or "")
    body = None if image is None else image["thumbnail"]
    return SampledPair(
        row["kind"],
        row["reason"],
        row["place"],
        known["page_url"],
        known["url"],
        known["text"],
        known["text_source"],
        is_toxic=bool(known["is_toxic"]),
        is_nsfw=bool(known["is_nsfw"]),
        size=None if image is None else (image["width"], image["height"]),
        format=None if image is None else image["format"],
        thumbnail=None
        if body is None
        else f"data:image/jpeg;base64,{base64.b64encode(bytes(body)).decode()}",
    )
