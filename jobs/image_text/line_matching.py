"""Matching of images and texts in documents: interleaved, images -> matched_images.

Each image of an interleaved document gets the text of the document that it belongs to, as MMC4
assigns images to sentences, by the model of scorer ``alignment``. Off by default.
"""

from __future__ import annotations

from collections import Counter

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, ConfigError
from jobs.image_text.images import image_sources, stored_images
from jobs.publishing.written import spark_settings
from jobs.run.commits import Balance, Basis, due, fingerprint_of, finished, settings_of, wave_of
from jobs.run.console import StageProgress, show_progress
from jobs.run.ledger import FileBalance, close_ledger, parts_of, rows_of
from jobs.run.request import INTERLEAVE_DOCUMENTS, MATCH_IMAGES, Run
from jobs.run.scorers import lock_id_of, pair_scorer_of
from jobs.run.store import WHOLE
from jobs.tables import INTERLEAVED, MATCHED_IMAGES, schema_of
from udfs.alignment.alignment import NAME as ALIGNMENT
from udfs.pair_scorers.scorer import EMPTY_TEXT, NO_IMAGE, UNDECODABLE, PairScorer

_BATCH_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"
_INPUT_ROWS = 32


def ledgers(config: Config) -> tuple[str, ...]:
    """Return the name of the stage's balance, where it is on."""
    return (MATCH_IMAGES,) if config.interleave.match_images else ()


def check(config: Config) -> None:
    """Check that the scorer runs whose model is used.

    Raises:
        ConfigError: score_pairs.scorers lacks it.
    """
    if config.interleave.match_images and ALIGNMENT not in config.score_pairs.scorers:
        raise ConfigError(
            f"interleave.match_images = true: score_pairs.scorers = "
            f"{list(config.score_pairs.scorers)} has no {ALIGNMENT}"
        )


def preload() -> None:
    """Import what matching needs."""
    from udfs.alignment import line_matching  # noqa: F401


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the matched images; nothing where it is off."""
    if not run.config.interleave.match_images:
        return {}
    sources = {
        INTERLEAVE_DOCUMENTS: fingerprint_of(
            finished(run.store, INTERLEAVE_DOCUMENTS, {WHOLE: ""})
        ),
        **image_sources(run),
        f"{ALIGNMENT}.artifact": lock_id_of(ALIGNMENT, run.config, run.lock),
    }
    settings = settings_of(ALIGNMENT, run.config.pair_scorers[ALIGNMENT], ("dtype",))
    return {MATCH_IMAGES: {WHOLE: Basis(settings, sources)}}


def run(spark: SparkSession, run: Run) -> None:
    """Match the images, unless nothing has changed that they depend on."""
    waves = bases(run).get(MATCH_IMAGES, {})
    if not due(run.store, MATCH_IMAGES, waves):
        return
    with (
        wave_of(run.store, MATCH_IMAGES, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(MATCH_IMAGES, is_one_pass=False)),
    ):
        scorer = pair_scorer_of(ALIGNMENT, run.config, run.lock, spark.sparkContext, {})
        with spark_settings(spark, {_BATCH_ROWS: str(_INPUT_ROWS)}):
            checkpoint = run.store.checkpoint(spark, MATCH_IMAGES)
            documents = run.store.read(spark, INTERLEAVED)
            vectors = checkpoint(
                encoded_images(documents, stored_images(spark, run), scorer), "vectors"
            )
            table = matched_images(documents, vectors, scorer)
            run.store.write(table.select(*schema_of(MATCHED_IMAGES).fieldNames()), MATCHED_IMAGES)
        work.balance = _closed(spark, run)
        run.store.drop_scratch()


def image_places(documents: DataFrame) -> DataFrame:
    """The images of documents.

    Needs: documents (as table ``interleaved``). Rows: one for each image: doc_id, warc_path,
        position (in the arrays of the document), sha256 (null without a body). Shuffles: none.
    """
    path = F.col("general_metadata.warc_path").alias("warc_path")
    placed = documents.select("doc_id", path, F.posexplode("metadata").alias("position", "image"))
    return placed.where(F.col("image").isNotNull()).select(
        "doc_id", "warc_path", "position", F.col("image.sha256").alias("sha256")
    )


def encoded_images(documents: DataFrame, images: DataFrame, scorer: PairScorer) -> DataFrame:
    """Encode each distinct image of documents once.

    Needs: documents (as table ``interleaved``); images (sha256, reason, image_id, body).
    Rows: one for each image whose body can be decoded: sha256, vector. Shuffles: digests; bodies
        once, by image_id.
    """
    from udfs.alignment.line_matching import VECTORS_DDL, image_vectors

    usable = images.where(F.col("reason").isNull())
    known = usable.groupBy("sha256").agg(F.min("image_id").alias("image_id"))
    wanted = image_places(documents).select("sha256").distinct().join(known, on="sha256")
    bodies = wanted.join(images.select("image_id", "body"), on="image_id").select("sha256", "body")
    return bodies.mapInArrow(image_vectors(scorer), VECTORS_DDL)


def matched_images(documents: DataFrame, vectors: DataFrame, scorer: PairScorer) -> DataFrame:
    """Match the images of documents with their texts.

    Needs: documents (as table ``interleaved``); vectors (of `encoded_images`, stored).
    Rows: one for each image, as table ``matched_images``, failure in the place of a match.
    Shuffles: images by digest, and by document with its texts.
    """
    from udfs.alignment.line_matching import MATCHES_DDL, matched_texts

    places = image_places(documents).join(vectors, on="sha256", how="left")
    of_document = (
        places.where(F.col("vector").isNotNull())
        .groupBy("doc_id")
        .agg(F.collect_list(F.struct("position", "vector")).alias("images"))
    )
    found = (
        of_document.join(documents.select("doc_id", "texts"), on="doc_id")
        .select("doc_id", "texts", "images")
        .mapInArrow(matched_texts(scorer), MATCHES_DDL)
    )
    failure = (
        F.when(F.col("matched_sim").isNotNull(), F.lit(None).cast("string"))
        .when(F.col("vector").isNotNull(), EMPTY_TEXT)
        .otherwise(F.when(F.col("sha256").isNull(), NO_IMAGE).otherwise(UNDECODABLE))
    )
    return places.join(found, on=["doc_id", "position"], how="left").select(
        *("doc_id", "position", "matched_text_index", "matched_sim"),
        failure.alias("failure"),
        "warc_path",
    )


def _closed(spark: SparkSession, run: Run) -> Balance:
    """Write and check the ledger: each image of an interleaved document has a match or a failure.

    Raises:
        BalanceOpen: naming the files whose images were lost or doubled.
    """
    files = parts_of(run.waves, run.waves)
    wave_of_file = {path: wave for wave, path in sorted(files, reverse=True)}
    ledger = {file: FileBalance() for file in files}
    seen = image_places(run.store.read(spark, INTERLEAVED)).groupBy("warc_path").count()
    decided = run.store.read(spark, MATCHED_IMAGES).groupBy("warc_path", "failure").count()
    for row in rows_of(seen):
        ledger[wave_of_file[row["warc_path"]], row["warc_path"]].seen = row["count"]
    for row in rows_of(decided):
        balance = ledger[wave_of_file[row["warc_path"]], row["warc_path"]]
        if row["failure"] is None:
            balance.kept += row["count"]
        else:
            balance.failed.update(Counter({row["failure"]: row["count"]}))
    return close_ledger(run.store, MATCH_IMAGES, WHOLE, ledger)
