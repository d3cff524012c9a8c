"""Selection of pairs: pairs and all that is stored of them -> selected_pairs, rejected_pairs,
fetch_list.

No text is measured and no image decoded: another threshold reads stored columns alone. Pairs are
joined with what is known of them once, and kept in the output's scratch folder while they are
compared. rejected_pairs has all reasons of a pair; fetch_list the addresses of images that are
missing. pair_selection.json says what a selection follows from, and what it counted. A named
selection has all of them in a folder of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.catalogue.lock import Lock
from jobs.config import Config, ConfigError
from jobs.config.scorers import declared_pairs
from jobs.image_text.images import image_sources, stored_images
from jobs.image_text.pair_scoring import scored_waves
from jobs.image_text.pair_selection_facts import selection_facts
from jobs.image_text.pair_texts import pair_commits
from jobs.run.commits import Balance, Basis, due, fingerprint_of, finished, settings_of, wave_of
from jobs.run.console import StageProgress, say, show_progress
from jobs.run.current_documents import document_commits
from jobs.run.ledger import close_stages, decided_rows, kept_of, rows_of
from jobs.run.request import (
    EXTRACT_DOCUMENTS,
    EXTRACT_PAIRS,
    MEASURE_PAIRS,
    OF_PAIRS,
    SELECT_CORPUS,
    SELECT_PAIRS,
    Run,
)
from jobs.run.store import WHOLE, at_once
from jobs.tables import (
    CORPUS,
    DOCUMENTS,
    FETCH_LIST,
    PAIR_MEASURES,
    PAIRS,
    REJECTED_PAIRS,
    SELECTED_PAIRS,
    pair_scores,
    pair_table,
    schema_of,
)
from jobs.transforms.expressions import condition_fault, number_fault
from jobs.transforms.images import pair_rules
from jobs.transforms.images.pair_frame import pair_frame
from jobs.transforms.images.pair_reasons import REASONS, with_reasons
from jobs.transforms.ledger import decided_counts, stage_counts
from jobs.transforms.spark_errors import quiet_errors
from udfs.alignment.alignment import ALIGNMENT
from udfs.files.artifacts import sha256_of

if TYPE_CHECKING:
    from udfs.base.array_types import UInt64Array

_BENCHMARKS = "select_pairs.benchmarks"


def check_settings(config: Config, lock: Lock) -> None:
    """Check that the files of benchmarks are there and hold hashes.

    Raises:
        ConfigError: naming the file, and a line that is no hash.
    """
    if config.select_pairs.benchmarks:
        _benchmark_hashes(config)


def check_on_spark(spark: SparkSession, config: Config) -> None:
    """Check the SQL expressions of [select_pairs] and [pair_rules], before any stage begins.

    Raises:
        ConfigError: one is not a condition, or the order no number, over the columns of a pair.
    """
    pair_rules.check_on_spark(spark, config)
    checks = {"where": condition_fault, "order": number_fault}
    for key, expression in config.select_pairs.expressions.items():
        frame = spark.createDataFrame([], schema_of(SELECTED_PAIRS))
        with quiet_errors():
            fault = checks[key](frame, expression)
        if fault is not None:
            raise ConfigError(
                f"select_pairs.{key} = {expression.strip()!r}: {fault}; columns: "
                f"{', '.join(frame.columns)}"
            )


def preload() -> None:
    """Import what the comparison of images needs."""
    from jobs.transforms.images import pair_verdicts  # noqa: F401


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the selected pairs."""
    pairs = pair_commits(run)
    sources = {
        EXTRACT_DOCUMENTS: fingerprint_of(document_commits(run)),
        EXTRACT_PAIRS: fingerprint_of(pairs),
        MEASURE_PAIRS: fingerprint_of(finished(run.store, MEASURE_PAIRS, pairs)),
        **image_sources(run),
        **scored_waves(run),
        SELECT_CORPUS: fingerprint_of(finished(run.store, SELECT_CORPUS, {WHOLE: ""})),
    }
    if run.config.select_pairs.benchmarks:
        files = [sha256_of(Path(name)) for name in run.config.select_pairs.benchmarks]
        sources[_BENCHMARKS] = fingerprint_of(files)
    settings = settings_of("select_pairs", run.config.select_pairs)
    for limits in run.config.pair_limits.values():
        settings |= settings_of("select_pairs", limits)
    settings |= settings_of("pair_rules", run.config.pair_rules)
    return {run.committed(SELECT_PAIRS): {WHOLE: Basis(settings, sources)}}


def run(spark: SparkSession, run: Run) -> None:
    """Select pairs, unless nothing has changed that they depend on."""
    stage = run.committed(SELECT_PAIRS)
    waves = bases(run)[stage]
    if not due(run.store, stage, waves):
        return
    with (
        wave_of(run.store, stage, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(stage, is_one_pass=False)),
    ):
        work.balance = _select(spark, run)


def _select(spark: SparkSession, run: Run) -> Balance:
    """Write the tables, ledger and pair_selection.json."""
    from jobs.transforms.images.pair_alignment import alignment_cuts  # these import numba, pandas
    from jobs.transforms.images.pair_verdicts import (
        decided_pairs,
        pair_budget,
        repeated_pairs,
        wanted_images,
    )

    settings, stage = run.config.select_pairs, run.committed(SELECT_PAIRS)
    checkpoint = run.store.checkpoint(spark, SELECT_PAIRS)
    rules = pair_rules.pair_rules(run.config.pair_rules)
    judged = checkpoint(
        with_reasons(_frame(spark, run), rules, settings, run.config.pair_limits), "judged"
    )
    before = None
    limits = run.config.pair_limits.get(ALIGNMENT.name)
    if limits is not None and ALIGNMENT.name in run.config.score_pairs.scorers:
        vectors = run.store.read(spark, pair_scores(ALIGNMENT.name), list(run.waves))
        before = alignment_cuts(judged, vectors, limits, checkpoint)
    gone = repeated_pairs(judged, settings, checkpoint, run.config.dedup.max_rounds, before)
    budget = None
    if settings.budget is not None:
        budget = pair_budget(judged, gone, settings.budget, checkpoint)
        say("budget", f"{stage}: {budget.line()}", missing=budget.missing)
    decided = decided_pairs(judged, gone, budget)
    selected = decided.where(F.size(REASONS) == 0)
    rejected = decided.where(F.size(REASONS) > 0)
    frames = {
        SELECTED_PAIRS: selected,
        REJECTED_PAIRS: rejected,
        FETCH_LIST: wanted_images(decided, settings),
    }
    write = run.store.write_counted
    at_once(
        *(
            partial(
                write,
                frame.select(*schema_of(table).fieldNames()),
                pair_table(table, run.pair_selection),
            )
            for table, frame in frames.items()
        )
    )
    balance = close_stages(run, [stage], _counts(spark, run), WHOLE)[stage]
    counts, reasons = _table_counts(spark, run)
    facts = selection_facts(run, balance, rules, counts, reasons, budget)
    OF_PAIRS.write_facts(run.store, run.pair_selection, facts)
    run.store.drop_scratch()
    return balance


def _frame(spark: SparkSession, run: Run) -> DataFrame:
    """Return what pairs are chosen by, with is_benchmark where there are benchmarks."""
    waves = list(run.waves)
    frame = pair_frame(
        run.store.read(spark, PAIRS, waves),
        run.store.read(spark, PAIR_MEASURES, waves),
        stored_images(spark, run),
        run.store.read(spark, DOCUMENTS, waves),
        run.store.read(spark, CORPUS),
        {
            name: run.store.read(spark, pair_scores(name), waves)
            for name in declared_pairs()
            if name in run.config.score_pairs.scorers
        },
    )
    settings = run.config.select_pairs
    if not settings.benchmarks:
        return frame
    from jobs.transforms.images.pair_verdicts import with_benchmarks
    from udfs.dedup.known_hashes import known_hashes

    known = known_hashes(_benchmark_hashes(run.config), settings.benchmark_distance)
    return with_benchmarks(frame, known)


def _benchmark_hashes(config: Config) -> UInt64Array:
    """Read the hashes of all files of benchmarks, distinct.

    Raises:
        ConfigError: a file is not there, or has a line that is no hash.
    """
    import numpy as np

    from udfs.dedup.known_hashes import HashFileError, read_hashes

    found = []
    for name in config.select_pairs.benchmarks:
        try:
            with Path(name).open(encoding="utf-8") as lines:
                found.append(read_hashes(lines, name))
        except (HashFileError, OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{_BENCHMARKS}: {name}: {error}") from error
    return np.unique(np.concatenate(found))


def _counts(spark: SparkSession, run: Run) -> Iterable[Mapping[str, Any]]:
    """Count the pairs and what was decided on them: null, or the first reason, from the tables as
    they were written."""
    waves = list(run.waves)
    key = F.concat_ws(" ", "doc_id", F.col("place").cast("string")).alias("doc_id")
    nothing = F.lit(None).cast("string")
    selected = _read(spark, run, SELECTED_PAIRS).select(key, "warc_path", nothing.alias("reason"))
    rejected = _read(spark, run, REJECTED_PAIRS).select(
        key, "warc_path", F.get(REASONS, F.lit(0)).alias("reason")
    )
    decided = selected.unionByName(rejected)
    seen, stage = kept_of(run.store, EXTRACT_PAIRS, waves), run.committed(SELECT_PAIRS)
    if seen is not None:
        return decided_rows(seen, stage, rows_of(decided_counts(decided)))
    # A file that two waves read parts of: which one, its pairs say.
    pairs = run.store.read_waves(spark, PAIRS, waves).select(key, "warc_path", "wave")
    outcome = {stage: decided.select("doc_id", "reason")}
    return rows_of(stage_counts(pairs, outcome))


def _table_counts(spark: SparkSession, run: Run) -> tuple[dict[str, int], dict[str, int]]:
    """Count rows of the tables, and of selected pairs those with an image; and pairs by each of
    their reasons, of which there are a constant number."""
    tables = (SELECTED_PAIRS, REJECTED_PAIRS, FETCH_LIST)
    counts = {table: run.store.count(pair_table(table, run.pair_selection)) for table in tables}
    of_selected = _read(spark, run, SELECTED_PAIRS).agg(
        F.count("image").alias("with_image"), F.count("license").alias("with_license")
    )
    counts |= of_selected.collect()[0].asDict()
    rejected = _read(spark, run, REJECTED_PAIRS)
    found = rejected.select(F.explode(REASONS).alias("reason")).groupBy("reason").count()
    return counts, {row["reason"]: row["count"] for row in found.collect()}


def _read(spark: SparkSession, run: Run, table: str) -> DataFrame:
    """Read a table of the run's selection."""
    return run.store.read(spark, pair_table(table, run.pair_selection))
