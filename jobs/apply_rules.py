"""Measure every document and apply the rules: documents -> measures, flagged.

measures holds all measures of a text; flagged the reasons that fired, an empty list for a
document that no rule rejects. Texts are measured once: when rules or thresholds change, flagged is
made anew from the stored measures, and no text is read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StructField

from jobs.artifacts import find_artifact_or_file, ship
from jobs.balance import close_ledger, splits_frame
from jobs.command import Run, run_command
from jobs.config import RulesConfig
from jobs.progress import shown_progress
from jobs.stage import fingerprint_of, pending, wave_of
from jobs.survivors import document_commits
from jobs.tables import DOCUMENTS, FLAGGED, MEASURED
from jobs.transforms.conditions import check_conditions
from jobs.transforms.ledger import stage_ledger
from jobs.transforms.rules import with_measures, with_reject_reasons
from udfs.artifact_files import ArtifactFile
from udfs.measures import MEASURES_TYPE

STAGE = "apply_rules"
MEASURING = "measure_documents"
"""The first half of this stage, which commits its waves by itself."""


def check(spark: SparkSession, rules: RulesConfig) -> None:
    """Make sure of the configuration's own conditions, before any stage begins.

    Raises:
        ConfigError: one of them is no condition over the measures.
    """
    if rules.conditions:
        check_conditions(empty_measures(spark), rules.conditions)


def empty_measures(spark: SparkSession) -> DataFrame:
    """The measures of the empty text, a column each: the zeros that an expression may divide by.

    Of literals, since Spark evaluates those without a job, and without measuring, which would build
    tables that the driver has no use for.
    """
    columns = (_literal(field, int(field.name == "lines")) for field in MEASURES_TYPE)
    return spark.sql("VALUES (0)").select(*columns)


def run(spark: SparkSession, run: Run) -> None:
    """Flag every wave that is not done yet, having measured those that never were."""
    rules = run.config.rules
    lexicon = find_artifact_or_file(run.catalogue, rules.lexicon, "rules.lexicon")
    documents = document_commits(run)
    measures = {
        wave: fingerprint_of(lexicon.sha256, MEASURES_TYPE.simpleString(), commit)
        for wave, commit in documents.items()
    }
    flags = {wave: fingerprint_of(rules, commit) for wave, commit in measures.items()}
    waves = pending(run.store, STAGE, flags)
    unmeasured = set(pending(run.store, MEASURING, measures)) & set(waves)
    lexicon_file = ship(spark.sparkContext, lexicon, run.config) if unmeasured else None
    for number, wave in enumerate(waves, start=1):
        with (
            wave_of(run.store, STAGE, wave, flags[wave], documents[wave]) as work,
            shown_progress(spark, f"{STAGE}, wave {number} of {len(waves)}", "tasks"),
        ):
            if lexicon_file is not None and wave in unmeasured:
                with wave_of(run.store, MEASURING, wave, measures[wave], documents[wave]) as first:
                    first.rows = _measure_wave(spark, run, wave, lexicon_file)
            work.rows = _flag_wave(spark, run, wave)


def _measure_wave(spark: SparkSession, run: Run, wave: int, lexicon_file: ArtifactFile) -> int:
    """Write a wave's measures. Returns the documents seen."""
    documents = run.store.read(spark, DOCUMENTS, [wave]).select("doc_id", "opt_outs", "text")
    measured = with_measures(documents, lexicon_file).select("doc_id", "opt_outs", "measures")
    run.store.write(measured, MEASURED, wave)
    return run.store.read(spark, MEASURED, [wave]).count()


def _flag_wave(spark: SparkSession, run: Run, wave: int) -> int:
    """Write a wave's flagged table and ledger. Returns the documents seen."""
    measured = run.store.read(spark, MEASURED, [wave])
    flagged = with_reject_reasons(measured, run.config.rules)
    run.store.write(flagged.select("doc_id", "reject_reasons"), FLAGGED, wave)
    ledger = stage_ledger(
        splits_frame(spark, run.store, [wave]),
        run.store.read_waves(spark, DOCUMENTS, [wave]).select("doc_id", "warc_path", "wave"),
        _outcomes(run.store.read(spark, FLAGGED, [wave])),
    )
    return close_ledger(spark, run.store, ledger, STAGE, wave)


def _literal(field: StructField, number: int) -> Column:
    """A number as a measure; for a list or map one without entries."""
    empty = {MapType: F.create_map(), ArrayType: F.array()}.get(type(field.dataType))
    return (F.lit(number) if empty is None else empty).cast(field.dataType).alias(field.name)


def _outcomes(flagged: DataFrame) -> DataFrame:
    """doc_id and the first reason, null for a kept document."""
    return flagged.select("doc_id", F.get("reject_reasons", 0).alias("reason"))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(STAGE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
