"""Measuring of pairs: pairs -> pair_measures, by wave.

Rules read the measures, so that another limit of [pair_rules] reads no text. They follow from the
image places, from the lexicon and from the language, and from no limit.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import find_artifact_or_file, ship
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
from jobs.run.request import EXTRACT_PAIRS, MEASURE_PAIRS, Run
from jobs.tables import PAIR_MEASURES, PAIRS, schema_of
from udfs.base.language import TextLanguage
from udfs.base.model_constants import SEGMENTATION
from udfs.files.artifacts import ArtifactFile
from udfs.measures.schema import PAIR_MEASURES_TYPE

_OF_TEXTS = ("script", "tokenizer", "number_plans")
"""Keys of [language] that the measures of a pair's text follow from."""


def pair_commits(run: Run) -> dict[int, str]:
    """Return the fingerprints of the waves of image places.

    Raises:
        StageIncomplete: a planned wave has none.
    """
    return finished(run.store, EXTRACT_PAIRS, dict.fromkeys(run.waves, "")) or {}


def preload() -> None:
    """Import what measuring needs."""
    from udfs.measures import pair_texts  # noqa: F401


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave."""
    lexicon = _lexicon(run)
    sources = {
        "rules.lexicon": lexicon.sha256,
        "the words of texts": SEGMENTATION,
        "the measures that there are": fingerprint_of(PAIR_MEASURES_TYPE.simpleString()),
    }
    language = settings_of("language", run.config.language, _OF_TEXTS)
    return {
        MEASURE_PAIRS: {
            wave: Basis(language, {**sources, EXTRACT_PAIRS: commit}, reads=commit)
            for wave, commit in pair_commits(run).items()
        }
    }


def run(spark: SparkSession, run: Run) -> None:
    """Measure the texts of every wave that is due."""
    waves = bases(run)[MEASURE_PAIRS]
    wanted = due(run.store, MEASURE_PAIRS, waves)
    if not wanted:
        return
    lexicon = ship(spark.sparkContext, _lexicon(run), run.config)
    extracted = run.store.commits(EXTRACT_PAIRS)
    for wave in wanted:
        label = f"{MEASURE_PAIRS}{in_wave(wave, len(waves))}"
        with (
            wave_of(run.store, MEASURE_PAIRS, wave, waves[wave], len(waves)) as work,
            show_progress(spark, StageProgress(label, extracted[wave].kept, is_one_pass=True)),
        ):
            pairs = run.store.read(spark, PAIRS, [wave])
            measured = measured_pairs(pairs, lexicon, run.config.language.text_language)
            run.store.write(measured, PAIR_MEASURES, wave)
            work.balance = _closed(spark, run, wave)


def measured_pairs(pairs: DataFrame, lexicon: ArtifactFile, language: TextLanguage) -> DataFrame:
    """Measure the texts of image places.

    Needs: doc_id, place, text.
    Adds: the columns of table pair_measures, in the place of all others.
    Rows: all kept. Shuffles: none.
    """
    from udfs.measures.pair_texts import pair_text_pass  # imports numba

    texts = pairs.select("doc_id", "place", "text")
    return texts.mapInArrow(pair_text_pass(lexicon, language), schema_of(PAIR_MEASURES))


def _lexicon(run: Run) -> Artifact:
    return find_artifact_or_file(run.catalogue, run.config.rules.lexicon, "rules.lexicon")


def _closed(spark: SparkSession, run: Run, wave: int) -> Balance:
    """Write and check the ledger of a wave: each of its image places has its measures.

    Raises:
        BalanceOpen: naming the files whose image places were lost or doubled.
    """
    ledger = {file: FileBalance() for file in parts_of(run.waves, [wave])}
    pairs = run.store.read(spark, PAIRS, [wave])
    for row in rows_of(_counts(pairs, run.store.read(spark, PAIR_MEASURES, [wave]))):
        file = (wave, row["warc_path"] or "")
        ledger[file] = FileBalance(row["seen"], row["kept"])
    return close_ledger(run.store, MEASURE_PAIRS, wave, ledger)


def _counts(pairs: DataFrame, measures: DataFrame) -> DataFrame:
    """Count image places and their measures by file, from both tables.

    Rows: one a file: warc_path, seen, kept; warc_path is null for measures of no document.
    Shuffles: a row for each document of both tables, then one for each file.
    """
    one, nothing = F.lit(1), F.lit(0)
    sides = [
        pairs.select("doc_id", "warc_path", one.alias("seen"), nothing.alias("kept")),
        measures.select(
            "doc_id", F.lit(None).cast("string").alias("warc_path"), nothing.alias("seen"),
            one.alias("kept"),
        ),
    ]  # fmt: skip
    of_documents = (
        sides[0]
        .union(sides[1])
        .groupBy("doc_id")
        .agg(F.max("warc_path").alias("warc_path"), F.sum("seen"), F.sum("kept"))
        .toDF("doc_id", "warc_path", "seen", "kept")
    )
    return (
        of_documents.groupBy("warc_path")
        .agg(F.sum("seen").alias("seen"), F.sum("kept").alias("kept"))
    )  # fmt: skip
