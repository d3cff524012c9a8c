"""Measure every document and apply the rules: documents -> flagged.

flagged holds all measures and the reasons that fired; a document that no rule rejects has an
empty list. Thresholds can be moved later over the stored measures.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.artifacts import find_artifact_or_file, ship
from jobs.balance import close_ledger, splits_frame
from jobs.command import Run, run_command
from jobs.progress import shown_progress
from jobs.stage import fingerprint_of, pending, wave_of
from jobs.survivors import document_commits
from jobs.tables import DOCUMENTS, FLAGGED
from jobs.transforms.ledger import stage_ledger
from jobs.transforms.rules import with_measures, with_reject_reasons
from udfs.artifact_files import ArtifactFile

STAGE = "apply_rules"


def run(spark: SparkSession, run: Run) -> None:
    """Flag every wave that is not done yet."""
    config = run.config.rules
    lexicon = find_artifact_or_file(run.catalogue, config.lexicon, "rules.lexicon")
    documents = document_commits(run)
    fingerprints = {
        wave: fingerprint_of(config, lexicon.sha256, commit) for wave, commit in documents.items()
    }
    waves = pending(run.store, STAGE, fingerprints)
    if not waves:
        return
    lexicon_file = ship(spark.sparkContext, lexicon, run.config)
    for number, wave in enumerate(waves, start=1):
        with (
            wave_of(run.store, STAGE, wave, fingerprints[wave], documents[wave]) as work,
            shown_progress(spark, f"{STAGE}, wave {number} of {len(waves)}", "tasks"),
        ):
            work.rows = _flag_wave(spark, run, wave, lexicon_file)


def _flag_wave(spark: SparkSession, run: Run, wave: int, lexicon_file: ArtifactFile) -> int:
    """Write a wave's flagged table and ledger. Returns the documents seen."""
    documents = run.store.read(spark, DOCUMENTS, [wave])
    flagged = (
        documents.select("doc_id", "text")
        .transform(with_measures, lexicon_file)
        .transform(with_reject_reasons, run.config.rules)
        .select("doc_id", "measures", "reject_reasons")
    )
    run.store.write(flagged, FLAGGED, wave)
    ledger = stage_ledger(
        splits_frame(spark, run.store, [wave]),
        documents.select("doc_id", "warc_path"),
        _outcomes(run.store.read(spark, FLAGGED, [wave])),
    )
    return close_ledger(spark, run.store, ledger, STAGE, wave)


def _outcomes(flagged: DataFrame) -> DataFrame:
    """doc_id and the first reason, null for a kept document."""
    return flagged.select("doc_id", F.get("reject_reasons", 0).alias("reason"))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(STAGE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
