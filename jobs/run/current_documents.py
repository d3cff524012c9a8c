"""The documents that earlier stages kept, with the text that they have now, and the fingerprints
of what that depends on.

A stage that was never run has removed nothing, and changed no text.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.run.commits import fingerprint_of, finished
from jobs.run.request import (
    APPLY_RULES,
    EXTRACT_DOCUMENTS,
    FIND_DUPLICATES,
    MEASURE_DOCUMENTS,
    Run,
)
from jobs.run.store import WHOLE
from jobs.tables import CUTS, DOCUMENTS, DUPLICATES, EDITS, FLAGGED
from jobs.transforms.texts import with_cut_text, with_cuts, with_edited_text

Sources = dict[str, str | None]
"""Stage -> fingerprint of what was read of it; None where it was never run."""


def rule_survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that no rule rejected, with their wave and their text as edited.

    Raises:
        StageIncomplete: the rules have been applied to other documents than there are.
    """
    documents = run.store.read_waves(spark, DOCUMENTS, waves)
    if rule_commits(run) is None:
        return documents
    flagged = run.store.read(spark, FLAGGED, waves)
    rejected = flagged.where(F.size("reject_reasons") > 0).select("doc_id")
    kept = documents.join(rejected, on="doc_id", how="left_anti")
    return _with_edits(spark, run, kept, waves).select(*documents.columns)


def survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that neither a rule nor a duplicate level removed, with their wave and
    their text as it is now."""
    documents = rule_survivors(spark, run, waves)
    if duplicate_commit(run) is None:
        return documents
    removed = run.store.read(spark, DUPLICATES).select("doc_id")
    kept = documents.join(removed, on="doc_id", how="left_anti")
    cuts = _cuts(spark, run)
    return kept if cuts is None else with_cut_text(kept, cuts)


def scored_documents(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """The waves' documents that are scored, as score.rows says, with their wave and their text as
    it is now. All of them are scored as edited, before paragraphs are cut: which document keeps a
    paragraph may depend on its score."""
    if run.config.score.rows == "all":
        documents = run.store.read_waves(spark, DOCUMENTS, waves)
        return _with_edits(spark, run, documents, waves).select(*documents.columns)
    return survivors(spark, run, waves)


def with_current_text(
    spark: SparkSession, run: Run, documents: DataFrame, waves: Sequence[int]
) -> DataFrame:
    """Documents with their text as it is now, and what became of what was extracted.

    Needs: doc_id, text, of documents of these waves; pii, the places of personal data in the text
        as it was measured.
    Adds: original_chars, original_sha256, edits: as in the corpus. Replaces: text, pii.
    Rows: all kept.
    Shuffles: what `with_edited_text` does; joins by doc_id before and after it share its shuffle.
    """
    edited = _with_edits(spark, run, documents, waves)
    cuts = _cuts(spark, run)
    return edited if cuts is None else with_cuts(edited, cuts)


def _with_edits(
    spark: SparkSession, run: Run, documents: DataFrame, waves: Sequence[int]
) -> DataFrame:
    """Documents as the rules stage left them, and what became of what was extracted."""
    edited_waves = waves if edit_commits(run) is not None else []
    return with_edited_text(documents, run.store.read(spark, EDITS, edited_waves))


def _cuts(spark: SparkSession, run: Run) -> DataFrame | None:
    """What documents lose of their texts; None where no paragraphs were looked for."""
    if duplicate_commit(run) is None or not run.store.list_names(CUTS):
        return None
    return run.store.read(spark, CUTS)


def document_commits(run: Run) -> dict[int, str]:
    """Fingerprints of the extracted waves.

    Raises:
        StageIncomplete: a planned wave is not extracted.
    """
    return finished(run.store, EXTRACT_DOCUMENTS, dict.fromkeys(run.waves, "")) or {}


def edit_commits(run: Run) -> dict[int, str] | None:
    """Fingerprints of the waves whose texts are edited, and measured."""
    return finished(run.store, MEASURE_DOCUMENTS, document_commits(run))


def rule_commits(run: Run) -> dict[int, str] | None:
    """Fingerprints of the flagged waves; they contain those of `edit_commits`."""
    return finished(run.store, APPLY_RULES, document_commits(run))


def duplicate_commit(run: Run) -> str | None:
    """Fingerprint of the duplicates."""
    reads = {WHOLE: fingerprint_of(rule_survivor_sources(run))}
    return (finished(run.store, FIND_DUPLICATES, reads) or {}).get(WHOLE)


def rule_survivor_sources(run: Run) -> dict[int, Sources]:
    """Wave -> what decides which of its documents `rule_survivors` gives, with which texts."""
    rules = rule_commits(run) or {}
    return {
        wave: {EXTRACT_DOCUMENTS: commit, APPLY_RULES: rules.get(wave)}
        for wave, commit in document_commits(run).items()
    }


def scored_sources(run: Run) -> dict[int, Sources]:
    """Wave -> what decides which of its documents `scored_documents` gives, with which texts."""
    if run.config.score.rows == "all":
        edits = edit_commits(run) or {}
        return {
            wave: {EXTRACT_DOCUMENTS: commit, MEASURE_DOCUMENTS: edits.get(wave)}
            for wave, commit in document_commits(run).items()
        }
    duplicates = duplicate_commit(run)
    return {
        wave: {**sources, FIND_DUPLICATES: duplicates}
        for wave, sources in rule_survivor_sources(run).items()
    }
