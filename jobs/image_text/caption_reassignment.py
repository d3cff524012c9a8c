"""Reassignment of captions: selected_pairs and stored embeddings -> reassigned_captions.

Texts of selected pairs get the image that fits best among those of all selected pairs: nothing that
a selection left out comes back. Off by default, as it compares all with all; what it reads is what
a scorer of pairs stored, so that no model runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, ConfigError
from jobs.config.pair_settings import ReassignCaptionsConfig
from jobs.config.scorers import declared_pairs
from jobs.publishing.written import spark_settings
from jobs.run.commits import Balance, Basis, due, finished, settings_of, wave_of
from jobs.run.console import StageProgress, show_progress
from jobs.run.ledger import close_stages, decided_rows, kept_of, rows_of
from jobs.run.request import REASSIGN_CAPTIONS, SELECT_PAIRS, Run
from jobs.run.store import WHOLE
from jobs.tables import PAIRS, REASSIGNED_CAPTIONS, SELECTED_PAIRS, pair_scores, schema_of
from jobs.transforms.images.reassignment import (
    MatchOptions,
    best_images,
    matches,
    with_kept,
)
from jobs.transforms.ledger import decided_counts, stage_counts

FACTS = "reassigned_captions.json"
NO_EMBEDDING = "no_embedding"
"""Reject reason of a pair without an image or text embedding."""
LOW_CYCLE_SCORE = "low_cycle_score"
"""Reject reason of a pair whose text is not among the share that is kept."""

IMAGE_VECTOR, TEXT_VECTOR = "image_vector", "text_vector"
"""Columns of a scorer's table, float16: their scalar product says how well image and text fit."""
SENTENCE_VECTOR = "sentence_vector"
"""Column that a scorer has where texts are compared with texts by another embedding."""

_KEY = ["doc_id", "place"]
_BATCH_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"


def ledgers(config: Config) -> tuple[str, ...]:
    """Return the name of the stage's balance, where it is on."""
    return (REASSIGN_CAPTIONS,) if config.reassign_captions.scorer is not None else ()


def check(config: Config) -> None:
    """Check that the scorer runs, and stores embeddings.

    Raises:
        ConfigError: naming the setting.
    """
    name = config.reassign_captions.scorer
    if name is None:
        return
    key = f"reassign_captions.scorer = {name!r}"
    scorer = declared_pairs().get(name)
    if scorer is None or name not in config.score_pairs.scorers:
        running = list(config.score_pairs.scorers)
        raise ConfigError(f"{key}: score_pairs.scorers = {running} has no such scorer")
    if missing := {IMAGE_VECTOR, TEXT_VECTOR} - {*scorer.result_type.fieldNames()}:
        raise ConfigError(f"{key}: its table has no {', '.join(sorted(missing))}")
    if not getattr(config.pair_scorers[name], "vectors", True):
        raise ConfigError(f"{key}: {name}.vectors = false: it stores none")


def preload() -> None:
    """Import what products of blocks need."""
    from udfs.pair_noise import top_matches  # noqa: F401


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the reassigned captions; nothing where it is off: a table that is there
    stays."""
    settings = run.config.reassign_captions
    if settings.scorer is None:
        return {}
    selected = finished(run.store, SELECT_PAIRS, {WHOLE: ""}) or {}
    sources: dict[str, str | None] = {SELECT_PAIRS: selected.get(WHOLE)}
    return {REASSIGN_CAPTIONS: {WHOLE: Basis(settings_of("reassign_captions", settings), sources)}}


def run(spark: SparkSession, run: Run) -> None:
    """Reassign the captions, unless nothing has changed that they depend on."""
    waves = bases(run).get(REASSIGN_CAPTIONS, {})
    if not due(run.store, REASSIGN_CAPTIONS, waves):
        return
    with (
        wave_of(run.store, REASSIGN_CAPTIONS, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(REASSIGN_CAPTIONS, is_one_pass=False)),
    ):
        work.balance = _reassign(spark, run)


def options_of(settings: ReassignCaptionsConfig) -> MatchOptions:
    """Return how images and texts are compared."""
    return MatchOptions(
        images=settings.images, texts=settings.texts, cells=settings.cells, probes=settings.probes
    )


def embedded_pairs(spark: SparkSession, run: Run) -> DataFrame:
    """Read the selected pairs with what was stored of them.

    Rows: one for each selected pair: doc_id, place, warc_path, image_key (SHA-256 of the image),
        text_key (SHA-256 of the text), image_vector, text_vector, sentence_vector (float16; null
        without).
    Shuffles: selected pairs and embeddings by key.
    """
    name = run.config.reassign_captions.scorer
    assert name is not None
    table = run.store.read(spark, pair_scores(name), list(run.waves))
    sentence = SENTENCE_VECTOR if SENTENCE_VECTOR in table.columns else TEXT_VECTOR
    stored = table.select(
        *_KEY,
        F.col(IMAGE_VECTOR).alias("image_vector"),
        F.col(TEXT_VECTOR).alias("text_vector"),
        F.col(sentence).alias("sentence_vector"),
    )
    selected = run.store.read(spark, SELECTED_PAIRS).select(
        *_KEY,
        "warc_path",
        F.col("image.sha256").alias("image_key"),
        F.sha2("text", 256).alias("text_key"),
    )
    return selected.join(stored, on=_KEY, how="left")


def _reassign(spark: SparkSession, run: Run) -> Balance:
    """Write reassigned_captions, its ledger and reassigned_captions.json."""
    settings = run.config.reassign_captions
    checkpoint = run.store.checkpoint(spark, REASSIGN_CAPTIONS)
    pairs = checkpoint(embedded_pairs(spark, run), "pairs")
    images, texts, sentences = (
        _distinct(pairs, key, f"{vector}_vector")
        for key, vector in (
            ("image_key", "image"), ("text_key", "text"), ("text_key", "sentence")
        )
    )  # fmt: skip
    with spark_settings(spark, {_BATCH_ROWS: "1"}):  # a row of a product has two blocks
        found = checkpoint(matches(images, texts, options_of(settings), checkpoint), "matches")
    best = checkpoint(best_images(found, sentences), "best")
    count = best.count()
    kept = with_kept(best, settings.share, count)
    columns = schema_of(REASSIGNED_CAPTIONS).fieldNames()
    run.store.write(_rows(pairs, kept).select(*columns), REASSIGNED_CAPTIONS)
    counts = _counts(spark, run)
    balance = close_stages(run, [REASSIGN_CAPTIONS], counts, WHOLE)[REASSIGN_CAPTIONS]
    _write_facts(spark, run, balance, count)
    run.store.drop_scratch()
    return balance


def _distinct(pairs: DataFrame, key: str, vector: str) -> DataFrame:
    """key, vector of the images or texts that have both embeddings in some pair."""
    whole = pairs.where(F.col("image_vector").isNotNull() & F.col("text_vector").isNotNull())
    named = whole.where(F.col(key).isNotNull() & F.col(vector).isNotNull())
    return named.groupBy(F.col(key).alias("key")).agg(F.min(vector).alias("vector"))


def _rows(pairs: DataFrame, best: DataFrame) -> DataFrame:
    """All selected pairs with what their text got.

    Shuffles: keys of pairs and texts by text.
    """
    is_whole = F.col("image_vector").isNotNull() & F.col("text_vector").isNotNull()
    chosen = best.withColumnRenamed("image_key", "reassigned_key")
    joined = pairs.withColumn("text_key", F.when(is_whole, F.col("text_key"))).join(
        chosen, on="text_key", how="left"
    )
    return joined.select(
        *_KEY,
        F.col("image_key").alias("image_sha256"),
        F.col("reassigned_key").alias("reassigned_sha256"),
        (F.col("image_key") != F.col("reassigned_key")).alias("is_other"),
        *("similarity", "cycle_score"),
        F.coalesce("is_kept", F.lit(False)).alias("is_kept"),
        F.when(F.col("reassigned_key").isNull(), NO_EMBEDDING)
        .when(~F.col("is_kept"), LOW_CYCLE_SCORE)
        .alias("reason"),
        "warc_path",
    )


def _counts(spark: SparkSession, run: Run) -> Iterable[Mapping[str, Any]]:
    """Count the selected pairs and what was decided on them, from the table as it was written."""
    key = F.concat_ws(" ", "doc_id", F.col("place").cast("string")).alias("doc_id")
    decided = run.store.read(spark, REASSIGNED_CAPTIONS).select(key, "warc_path", "reason")
    waves = list(run.waves)
    seen = kept_of(run.store, SELECT_PAIRS, waves)
    if seen is not None:
        return decided_rows(seen, REASSIGN_CAPTIONS, rows_of(decided_counts(decided)))
    # A file that two waves read parts of: which one, its pairs say.
    selected = run.store.read(spark, SELECTED_PAIRS).select(*_KEY)
    pairs = run.store.read_waves(spark, PAIRS, waves).select(*_KEY, "warc_path", "wave")
    seen_pairs = pairs.join(selected, on=_KEY, how="left_semi").select(key, "warc_path", "wave")
    return rows_of(
        stage_counts(seen_pairs, {REASSIGN_CAPTIONS: decided.select("doc_id", "reason")})
    )


def _write_facts(spark: SparkSession, run: Run, balance: Balance, texts: int) -> None:
    """Write reassigned_captions.json: settings, pairs by outcome, distinct texts, changes."""
    table = run.store.read(spark, REASSIGNED_CAPTIONS)
    [row] = table.agg(F.sum(F.col("is_other").cast("int")).alias("n")).collect()
    facts = {
        "settings": settings_of("reassign_captions", run.config.reassign_captions),
        "pairs": {
            "seen": balance.seen,
            "kept": balance.kept,
            "rejected": dict(balance.rejected),
            "with_another_image": int(row["n"] or 0),
        },
        "texts": texts,
    }
    run.store.write_bytes(json.dumps(facts, ensure_ascii=False, indent=1).encode(), FACTS)
