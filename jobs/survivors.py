"""The documents that earlier stages kept, and the fingerprints of what that depends on.

A stage that was never run has removed nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.command import Run
from jobs.stage import finished
from jobs.store import WHOLE
from jobs.tables import DOCUMENTS, DUPLICATES, FLAGGED

Sources = dict[str, str | None]
"""Stage -> fingerprint of what was read of it; None where it was never run."""


def rule_survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that no rule rejected.

    Raises:
        StageIncomplete: rules have been applied to some waves and not to others.
    """
    documents = run.store.read(spark, DOCUMENTS, waves)
    if finished(run.store, "apply_rules", run.waves) is None:
        return documents
    flagged = run.store.read(spark, FLAGGED, waves)
    rejected = flagged.where(F.size("reject_reasons") > 0).select("doc_id")
    return documents.join(rejected, on="doc_id", how="left_anti")


def survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that neither a rule nor a duplicate level removed."""
    documents = rule_survivors(spark, run, waves)
    if finished(run.store, "find_duplicates", {WHOLE: None}) is None:
        return documents
    removed = run.store.read(spark, DUPLICATES).select("doc_id")
    return documents.join(removed, on="doc_id", how="left_anti")


def scored_documents(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that are scored, as score.rows says."""
    if run.config.score.rows == "all":
        return run.store.read(spark, DOCUMENTS, waves)
    return survivors(spark, run, waves)


def rule_survivor_sources(run: Run) -> dict[int, Sources]:
    """Wave -> what decides which of its documents `rule_survivors` gives."""
    extracted = finished(run.store, "extract_documents", run.waves) or {}
    rules = finished(run.store, "apply_rules", run.waves) or {}
    return {
        wave: {"extract_documents": extracted.get(wave), "apply_rules": rules.get(wave)}
        for wave in run.waves
    }


def scored_sources(run: Run) -> dict[int, Sources]:
    """Wave -> what decides which of its documents `scored_documents` gives."""
    sources = rule_survivor_sources(run)
    if run.config.score.rows == "all":
        return {
            wave: {"extract_documents": of_wave["extract_documents"]}
            for wave, of_wave in sources.items()
        }
    duplicates = (finished(run.store, "find_duplicates", {WHOLE: None}) or {}).get(WHOLE)
    return {wave: {**of_wave, "find_duplicates": duplicates} for wave, of_wave in sources.items()}
