"""The documents that earlier stages kept, and the fingerprints of what that depends on.

A stage that was never run has removed nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.command import Run
from jobs.stage import fingerprint_of, finished
from jobs.store import WHOLE
from jobs.tables import DOCUMENTS, DUPLICATES, FLAGGED

Sources = dict[str, str | None]
"""Stage -> fingerprint of what was read of it; None where it was never run."""


def rule_survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that no rule rejected, with their wave.

    Raises:
        StageIncomplete: the rules have been applied to other documents than there are.
    """
    documents = run.store.read_waves(spark, DOCUMENTS, waves)
    if rule_commits(run) is None:
        return documents
    flagged = run.store.read(spark, FLAGGED, waves)
    rejected = flagged.where(F.size("reject_reasons") > 0).select("doc_id")
    return documents.join(rejected, on="doc_id", how="left_anti")


def survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that neither a rule nor a duplicate level removed, with their wave."""
    documents = rule_survivors(spark, run, waves)
    if duplicate_commit(run) is None:
        return documents
    removed = run.store.read(spark, DUPLICATES).select("doc_id")
    return documents.join(removed, on="doc_id", how="left_anti")


def scored_documents(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that are scored, as score.rows says, with their wave."""
    if run.config.score.rows == "all":
        return run.store.read_waves(spark, DOCUMENTS, waves)
    return survivors(spark, run, waves)


def document_commits(run: Run) -> dict[int, str]:
    """Fingerprints of the extracted waves.

    Raises:
        StageIncomplete: a planned wave is not extracted.
    """
    return finished(run.store, "extract_documents", dict.fromkeys(run.waves, "")) or {}


def rule_commits(run: Run) -> dict[int, str] | None:
    """Fingerprints of the flagged waves."""
    return finished(run.store, "apply_rules", document_commits(run))


def duplicate_commit(run: Run) -> str | None:
    """Fingerprint of the duplicates."""
    reads = {WHOLE: fingerprint_of(rule_survivor_sources(run))}
    return (finished(run.store, "find_duplicates", reads) or {}).get(WHOLE)


def rule_survivor_sources(run: Run) -> dict[int, Sources]:
    """Wave -> what decides which of its documents `rule_survivors` gives."""
    rules = rule_commits(run) or {}
    return {
        wave: {"extract_documents": commit, "apply_rules": rules.get(wave)}
        for wave, commit in document_commits(run).items()
    }


def scored_sources(run: Run) -> dict[int, Sources]:
    """Wave -> what decides which of its documents `scored_documents` gives."""
    if run.config.score.rows == "all":
        commits = document_commits(run)
        return {wave: {"extract_documents": commit} for wave, commit in commits.items()}
    duplicates = duplicate_commit(run)
    return {
        wave: {**sources, "find_duplicates": duplicates}
        for wave, sources in rule_survivor_sources(run).items()
    }
