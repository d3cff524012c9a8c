"""Scoring of pairs: pairs, images -> pair_scores/SCORER, by wave, one table for each scorer.

Every distinct image and text of a wave is scored once, by each scorer that is due; a scorer that
reads images alone scores an image once. What a pair lacks, and what its scorer could not do, is its
failure. Numbers that all pairs decide (`PairScorerDeclaration.fit`) are in pair_scores.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.config.scorers import declared_pairs
from jobs.image_text.images import image_sources, stored_images
from jobs.image_text.pair_texts import pair_commits
from jobs.publishing.written import spark_settings
from jobs.run.commits import (
    Balance,
    Basis,
    due,
    fingerprint_of,
    finished,
    in_wave,
    settings_of,
    wave_of,
)
from jobs.run.console import StageProgress, show_progress
from jobs.run.ledger import FileBalance, close_ledger, parts_of, rows_of
from jobs.run.request import EXTRACT_PAIRS, SCORE_PAIRS, Run, score_pairs_stage
from jobs.run.scorers import chosen_pair_scorers, lock_id_of, pair_scorer_of, stamp_of_scorer
from jobs.run.store import Store
from jobs.tables import PAIRS, pair_scores
from jobs.transforms.images.bodies import IMAGE, with_images
from jobs.transforms.images.pair_frame import KEY, hash_of
from udfs.pair_scorers.declaration import IMAGE as READS_IMAGE
from udfs.pair_scorers.declaration import TEXT, Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import (
    EMPTY_TEXT,
    FAILURE,
    NO_IMAGE,
    UNSCORED_BEFORE,
    UNUSABLE_IMAGE,
    PairScorer,
)

FILE = "pair_scores.json"
"""Scorer -> what was fitted for it."""
_BATCH_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"
_INPUT_ROWS = 32
"""Rows of an Arrow batch on its way to a scorer: a body may have 32 MB."""
_HASH = ("high", "low")


def ledgers(config: Config) -> tuple[str, ...]:
    """Return the names of the scorers' balances."""
    return tuple(map(score_pairs_stage, chosen_pair_scorers(config)))


def preload() -> None:
    """Import what scoring needs."""
    from udfs.pair_scorers import scoring  # noqa: F401


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave of each scorer's table."""
    found: dict[str, dict[int, Basis]] = {}
    for name in chosen_pair_scorers(run.config):
        found[score_pairs_stage(name)] = _bases_of(name, run, found)
    return found


def scored_waves(run: Run) -> dict[str, str]:
    """Return stage -> what the tables of the scorers that run are, as sources of a basis.

    Raises:
        StageIncomplete: a wave is not scored, or was scored from other tables.
    """
    found = {}
    for stage, waves in bases(run).items():
        commits = finished(run.store, stage, {w: basis.reads for w, basis in waves.items()})
        found[stage] = fingerprint_of(sorted((commits or {}).items()))
    return found


def run(spark: SparkSession, run: Run) -> None:
    """Run every scorer on the waves that are due for it, in the order in which they are needed."""
    from udfs.pair_scorers.scoring import score_pairs  # imports pyarrow and a worker's modules

    for name in chosen_pair_scorers(run.config):
        stage = score_pairs_stage(name)
        waves = bases(run)[stage]
        wanted = due(run.store, stage, waves)
        if not wanted:
            continue
        fitted = _fitted(spark, run, name)
        scorer = pair_scorer_of(name, run.config, run.lock, spark.sparkContext, fitted)
        settings = run.config.score_pairs
        score = score_pairs(scorer, settings.batch_rows, settings.batch_bytes)
        extracted = run.store.commits(EXTRACT_PAIRS)
        for wave in wanted:
            label = f"{stage}{in_wave(wave, len(waves))}"
            progress = StageProgress(label, extracted[wave].kept, is_one_pass=False)
            with (
                wave_of(run.store, stage, wave, waves[wave], len(waves)) as work,
                show_progress(spark, progress),
            ):
                given = _given(spark, run, name, wave)
                _write(spark, run, scorer, given, score, wave)
                work.balance = _closed(spark, run, name, wave)
    run.store.drop_scratch()


def reads_of(name: str, config: Config) -> tuple[str, ...]:
    """Return what of a pair a scorer's record follows from: what it reads, and those that it needs
    read."""
    declaration = declared_pairs()[name]
    found = set(declaration.reads)
    for needed in declaration.needs(config.pair_scorers[name]):
        found.update(reads_of(needed, config))
    return tuple(part for part in (READS_IMAGE, TEXT) if part in found)


def _bases_of(name: str, run: Run, before: Mapping[str, Mapping[int, Basis]]) -> dict[int, Basis]:
    """Return the bases of a scorer's waves, given those of the scorers before it."""
    declaration, settings = declared_pairs()[name], run.config.pair_scorers[name]
    sources: dict[str, str | None] = {f"{name}.artifact": lock_id_of(name, run.config, run.lock)}
    sources["the columns of its table"] = fingerprint_of(declaration.result_type.simpleString())
    reads: dict[str, str | None] = {}
    if READS_IMAGE in reads_of(name, run.config):
        reads |= {stage: part or "" for stage, part in image_sources(run).items()}
    needed = [score_pairs_stage(other) for other in declaration.needs(settings)]
    if declaration.fit is not None:
        reads |= {
            f"{stage}, all waves": fingerprint_of([b.fingerprint for b in before[stage].values()])
            for stage in needed
        }
    found = {}
    for wave, commit in pair_commits(run).items():
        of_wave = reads | {stage: before[stage][wave].fingerprint for stage in needed}
        of_wave[EXTRACT_PAIRS] = commit
        found[wave] = Basis(
            settings_of(name, settings), sources | of_wave, reads=fingerprint_of(of_wave)
        )
    return found


def _given(spark: SparkSession, run: Run, name: str, wave: int) -> DataFrame:
    """Return the pairs of a wave as a scorer gets them.

    Rows: one for each image place: doc_id, place, text, sha256, image_id, failure (null for a pair
        that is scored), high, low (null where it is not), and a struct of the columns of each
        scorer that it needs.
    """
    declaration, config = declared_pairs()[name], run.config
    reads = reads_of(name, config)
    pairs = run.store.read(spark, PAIRS, [wave]).select(*KEY, "text", "url", "data_sha256")
    checks: list[Column] = []
    given = pairs.withColumn("image_id", F.lit(None).cast("string"))
    given = given.withColumn("sha256", F.lit(None).cast("string"))
    if READS_IMAGE in reads:
        given = with_images(pairs, stored_images(spark, run))
        image = F.col(IMAGE)
        checks.append(F.when(image.isNull(), F.lit(NO_IMAGE)))
        checks.append(F.when(image["reason"].isNotNull(), F.lit(UNUSABLE_IMAGE)))
        given = given.withColumn("image_id", image["image_id"]).withColumn(
            "sha256", image["sha256"]
        )
    if TEXT in reads:
        is_empty = F.col("text").isNull() | (F.trim("text") == "")
        checks.append(F.when(is_empty, F.lit(EMPTY_TEXT)))
    needed = declaration.needs(config.pair_scorers[name])
    for other in needed:
        names = declared_pairs()[other].result_type.fieldNames()
        table = run.store.read(spark, pair_scores(other), [wave])
        given = given.join(
            table.select(*KEY, F.struct(*names).alias(other)), on=list(KEY), how="left"
        )
        is_missing = F.col(other).isNull() | F.col(other)[names[0]].isNull()
        checks.append(F.when(is_missing, F.lit(UNSCORED_BEFORE)))
    of_pair = {READS_IMAGE: F.col("sha256"), TEXT: F.col("text")}
    nothing = F.lit(None).cast("string")
    given = given.withColumn(FAILURE, F.coalesce(*checks, nothing))
    is_scored = F.col(FAILURE).isNull()
    columns = [of_pair[part] for part in reads] or [F.col("doc_id"), F.col("place").cast("string")]
    keys = zip(_HASH, hash_of(*columns), strict=True)
    return given.select(
        *KEY,
        *("text", "sha256", "image_id", FAILURE, *needed),
        *(F.when(is_scored, part).alias(key) for key, part in keys),
    )


def distinct_pairs(
    given: DataFrame, images: DataFrame, declaration: PairScorerDeclaration, needed: tuple[str, ...]
) -> DataFrame:
    """Return the distinct pairs that a scorer is given, with the bodies of their images.

    Needs: given (of `_given`); images (image_id, body).
    Rows: one for each high, low: with text, body, and a struct for each scorer that is needed; what
        the scorer does not read is null. Rows of an image lie beside each other.
    Shuffles: keys and texts; bodies once, by image_id.
    """
    columns = ["text", "image_id", *needed]
    first = F.min_by(F.struct(*columns), F.struct(*KEY)).alias("first")
    distinct = (
        given.where(F.col(FAILURE).isNull()).groupBy(*_HASH).agg(first).select(*_HASH, "first.*")
    )
    nothing = F.lit(None)
    if TEXT not in declaration.reads:
        distinct = distinct.withColumn("text", nothing.cast("string"))
    if READS_IMAGE not in declaration.reads:
        return distinct.withColumn("body", nothing.cast("binary")).select(
            *_HASH, "text", "body", *needed
        )
    bodies = images.select("image_id", "body")
    return distinct.join(bodies, on="image_id", how="inner").select(*_HASH, "text", "body", *needed)


def with_records(given: DataFrame, scored: DataFrame, kind: PairScorerDeclaration) -> DataFrame:
    """Give every pair the record of its distinct pair.

    Needs: given (of `_given`); scored (high, low, the scorer's columns).
    Rows: all of given: doc_id, place, the scorer's columns; failure is that of the pair, or of its
        record.
    Shuffles: keys and records by high, low.
    """
    names = kind.result_type.fieldNames()
    is_scored = F.col(FAILURE).isNull()
    found = given.where(is_scored).select(*KEY, *_HASH).join(scored, on=list(_HASH), how="left")
    nothing = [
        F.col(name) if name == FAILURE else F.lit(None).cast(of_name.dataType).alias(name)
        for name, of_name in zip(names, kind.result_type, strict=True)
    ]
    return found.select(*KEY, *names).unionByName(given.where(~is_scored).select(*KEY, *nothing))


def _write(
    spark: SparkSession, run: Run, scorer: PairScorer, given: DataFrame, score: Any, wave: int
) -> None:
    """Write a wave's table of a scorer."""
    from udfs.pair_scorers.scoring import scored_pairs_type

    declaration = declared_pairs()[scorer.name]
    needed = declaration.needs(run.config.pair_scorers[scorer.name])
    given = run.store.checkpoint(spark, SCORE_PAIRS)(given, f"{scorer.name}_{wave}")
    distinct = distinct_pairs(given, stored_images(spark, run), declaration, needed)
    with spark_settings(spark, {_BATCH_ROWS: str(_INPUT_ROWS)}):
        scored = distinct.mapInArrow(score, scored_pairs_type(scorer))
        table = with_records(given, scored, declaration).select(
            "*",
            F.lit(stamp_of_scorer(scorer.name, run.config, run.lock)).alias("artifact"),
            F.lit(lock_id_of(scorer.name, run.config, run.lock)).alias("lock_id"),
        )
        run.store.write(table, pair_scores(scorer.name), wave)


def _closed(spark: SparkSession, run: Run, name: str, wave: int) -> Balance:
    """Write and check the ledger of a wave: each image place has a score or a failure.

    Raises:
        BalanceOpen: naming the files whose image places were lost, doubled or left undecided.
    """
    ledger = {file: FileBalance() for file in parts_of(run.waves, [wave])}
    first, *_ = declared_pairs()[name].result_type.fieldNames()
    pairs = run.store.read(spark, PAIRS, [wave]).select(*KEY, "warc_path")
    decided = run.store.read(spark, pair_scores(name), [wave]).select(
        *KEY, F.col(first).isNotNull().alias("has_score"), FAILURE, F.lit(1).alias("rows")
    )
    counted = (
        pairs.join(decided, on=list(KEY), how="full")
        .groupBy("warc_path", "has_score", FAILURE)
        .agg(F.count("warc_path").alias("seen"), F.count("rows").alias("rows"))
    )
    for row in rows_of(counted):
        balance = ledger.setdefault((wave, row["warc_path"] or ""), FileBalance())
        balance.seen = (balance.seen or 0) + row["seen"]
        if row["has_score"]:
            balance.kept += row["rows"]
        elif row[FAILURE] is not None:
            balance.failed[row[FAILURE]] += row["rows"]
    return close_ledger(run.store, score_pairs_stage(name), wave, ledger)


def _fitted(spark: SparkSession, run: Run, name: str) -> Fitted:
    """Fit the numbers that all pairs decide, and keep them in pair_scores.json."""
    declaration, settings = declared_pairs()[name], run.config.pair_scorers[name]
    if declaration.fit is None:
        return {}
    frames = []
    for other in declaration.needs(settings):
        columns = declared_pairs()[other].selected_type.fieldNames()
        table = run.store.read(spark, pair_scores(other), list(run.waves))
        frames.append(table.select(*KEY, F.struct(*columns).alias(other)))
    records = reduce(lambda one, more: one.join(more, on=list(KEY), how="full"), frames)
    fitted: Fitted = json.loads(json.dumps(declaration.fit(settings, records)))
    facts = {**read_fitted(run.store), name: dict(fitted)}
    run.store.write_bytes(json.dumps(facts, ensure_ascii=False, indent=1).encode(), FILE)
    return fitted


def read_fitted(store: Store) -> dict[str, Any]:
    """Read pair_scores.json: scorer -> what was fitted for it; empty where nothing was."""
    try:
        found: dict[str, Any] = json.loads(store.read_bytes(FILE))
    except FileNotFoundError:
        return {}
    return found
