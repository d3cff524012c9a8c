"""Documents that earlier stages kept, with their current text, and the digests of their sources.

A stage that never ran has removed no document and changed no text.
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
    score_stage,
)
from jobs.run.store import WHOLE
from jobs.tables import CUTS, DOCUMENTS, DUPLICATES, EDITS, FLAGGED
from jobs.transforms.ledger import File
from jobs.transforms.texts import with_cut_text, with_cuts, with_edited_text

Sources = dict[str, str | None]
"""Stage -> fingerprint of its tables; None if it never ran."""

DRIVER_DOCUMENTS = 50_000
"""The driver counts up to so many documents itself: 20 MB. A query takes longer to plan."""


def rule_survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """Read the documents that no rule rejected, with their wave and edited text.

    Raises:
        StageIncomplete: the rules were applied to an earlier version of the documents.
    """
    documents = run.store.read_waves(spark, DOCUMENTS, waves)
    if rule_commits(run) is None:
        return documents
    kept = _without_rejected(spark, run, documents, waves)
    return _with_edits(spark, run, kept, waves).select(*documents.columns)


def survivors(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """Read the documents that neither rules nor deduplication removed, with their current text."""
    documents = rule_survivors(spark, run, waves)
    if duplicate_commit(run) is None:
        return documents
    kept = _without_duplicates(spark, run, documents)
    cuts = _cuts(spark, run)
    return kept if cuts is None else with_cut_text(kept, cuts)


def scored_documents(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """Read the documents to score, as score.rows says, with their wave and text.

    With score.rows = "all" the text is as edited, before paragraphs are cut: which document keeps
    a paragraph may depend on its score. Else it is the current text.
    """
    if run.config.score.rows == "all":
        documents = run.store.read_waves(spark, DOCUMENTS, waves)
        return _with_edits(spark, run, documents, waves).select(*documents.columns)
    return survivors(spark, run, waves)


def extracted_ids(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """Read doc_id, warc_path and wave of the extracted documents."""
    return run.store.read_waves(spark, DOCUMENTS, waves).select("doc_id", "warc_path", "wave")


def rule_survivor_ids(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """Read doc_id, warc_path and wave of `rule_survivors`: no text is read or joined."""
    documents = extracted_ids(spark, run, waves)
    if rule_commits(run) is None:
        return documents
    return _without_rejected(spark, run, documents, waves)


def survivor_ids(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """Read doc_id, warc_path and wave of `survivors`."""
    documents = rule_survivor_ids(spark, run, waves)
    if duplicate_commit(run) is None:
        return documents
    return _without_duplicates(spark, run, documents)


def scored_ids(spark: SparkSession, run: Run, waves: Sequence[int]) -> DataFrame:
    """Read doc_id, warc_path and wave of `scored_documents`."""
    ids = extracted_ids if run.config.score.rows == "all" else survivor_ids
    return ids(spark, run, waves)


def fit_driver(run: Run, waves: Sequence[int]) -> bool:
    """Whether the driver may hold the ids of the documents of extracted waves."""
    commits = run.store.commits(EXTRACT_DOCUMENTS)
    return sum(commits[wave].kept for wave in waves) <= DRIVER_DOCUMENTS


def ids_on_driver(
    run: Run, waves: Sequence[int], *, with_rejected: bool = False, with_duplicates: bool = False
) -> list[tuple[str, File]]:
    """Read doc_id, wave and warc_path of `survivors`, or also of documents that were removed.

    Without a query of Spark: for few documents.
    """
    removed: set[str] = set()
    if not with_rejected and rule_commits(run) is not None:
        flagged = run.store.rows(FLAGGED, ["doc_id", "reject_reasons"], waves)
        removed.update(row["doc_id"] for row in flagged if row["reject_reasons"])
    if not with_duplicates and duplicate_commit(run) is not None:
        removed.update(row["doc_id"] for row in run.store.rows(DUPLICATES, ["doc_id"]))
    documents = run.store.rows(DOCUMENTS, ["doc_id", "warc_path"], waves)
    return [
        (row["doc_id"], (row["wave"], row["warc_path"]))
        for row in documents
        if row["doc_id"] not in removed
    ]


def with_current_text(
    spark: SparkSession, run: Run, documents: DataFrame, waves: Sequence[int]
) -> DataFrame:
    """Replace the text of documents by the current one, and add how it differs from the original.

    Needs: doc_id, text, of documents of these waves; pii, the places of personal data in the text
        when it was measured.
    Adds: original_chars, original_sha256, edits, as in the corpus. Replaces: text, pii.
    Rows: all kept.
    Shuffles: what `with_edited_text` does; joins by doc_id before and after it share its shuffle.
    """
    edited = _with_edits(spark, run, documents, waves)
    cuts = _cuts(spark, run)
    return edited if cuts is None else with_cuts(edited, cuts)


def _without_rejected(
    spark: SparkSession, run: Run, documents: DataFrame, waves: Sequence[int]
) -> DataFrame:
    """Leave out the documents that a rule rejected."""
    flagged = run.store.read(spark, FLAGGED, waves)
    rejected = flagged.where(F.size("reject_reasons") > 0).select("doc_id")
    return documents.join(rejected, on="doc_id", how="left_anti")


def _without_duplicates(spark: SparkSession, run: Run, documents: DataFrame) -> DataFrame:
    """Leave out the documents that deduplication removed."""
    removed = run.store.read(spark, DUPLICATES).select("doc_id")
    return documents.join(removed, on="doc_id", how="left_anti")


def _with_edits(
    spark: SparkSession, run: Run, documents: DataFrame, waves: Sequence[int]
) -> DataFrame:
    """Replace the text of documents by the edited one, and add the edits."""
    edited_waves = waves if edit_commits(run) is not None else []
    return with_edited_text(documents, run.store.read(spark, EDITS, edited_waves))


def _cuts(spark: SparkSession, run: Run) -> DataFrame | None:
    """Read the cuts; None if paragraphs were not deduplicated."""
    if duplicate_commit(run) is None or not run.store.list_names(CUTS):
        return None
    return run.store.read(spark, CUTS)


def document_commits(run: Run) -> dict[int, str]:
    """Return the fingerprints of the extracted waves.

    Raises:
        StageIncomplete: a planned wave is not extracted.
    """
    return finished(run.store, EXTRACT_DOCUMENTS, dict.fromkeys(run.waves, "")) or {}


def edit_commits(run: Run) -> dict[int, str] | None:
    """Return the fingerprints of the edited and measured waves; None if there are none."""
    return finished(run.store, MEASURE_DOCUMENTS, document_commits(run))


def rule_commits(run: Run) -> dict[int, str] | None:
    """Return the fingerprints of the flagged waves, which include those of `edit_commits`."""
    return finished(run.store, APPLY_RULES, document_commits(run))


def duplicate_commit(run: Run) -> str | None:
    """Return the fingerprint of the duplicates; None if there are none."""
    reads = {WHOLE: fingerprint_of(rule_survivor_sources(run))}
    return (finished(run.store, FIND_DUPLICATES, reads) or {}).get(WHOLE)


def removed_of(run: Run, wave: int) -> dict[str, str]:
    """Return the digest of what deduplication removed of a wave.

    Empty where that does not say which texts are scored: paragraphs were cut from them, or it
    never ran.
    """
    commit = run.store.commits(FIND_DUPLICATES).get(WHOLE)
    if commit is None or str(wave) not in commit.removed or run.store.list_names(CUTS):
        return {}
    return {str(wave): commit.removed[str(wave)]}


def kept_by_rules(run: Run) -> int:
    """Count `rule_survivors` of all waves, from commits."""
    commits = run.store.commits(APPLY_RULES) or run.store.commits(EXTRACT_DOCUMENTS)
    return sum(commit.kept for wave, commit in commits.items() if wave in run.waves)


def scored_counts(run: Run) -> dict[int, int]:
    """Count `scored_documents` by wave, from commits."""
    if run.config.score.rows == "all":
        commits, removed = run.store.commits(EXTRACT_DOCUMENTS), {}
    else:
        commits = run.store.commits(APPLY_RULES) or run.store.commits(EXTRACT_DOCUMENTS)
        whole = run.store.commits(FIND_DUPLICATES).get(WHOLE)
        removed = {} if whole is None else whole.removed
    return {
        wave: commit.kept - int(removed.get(str(wave), "0").partition(":")[0])
        for wave, commit in commits.items()
        if wave in run.waves
    }


def rule_survivor_sources(run: Run) -> dict[int, Sources]:
    """Return the sources of `rule_survivors`, by wave."""
    rules = rule_commits(run) or {}
    return {
        wave: {EXTRACT_DOCUMENTS: commit, APPLY_RULES: rules.get(wave)}
        for wave, commit in document_commits(run).items()
    }


def rule_sources(run: Run) -> Sources:
    """Return the sources of `rule_survivors`, all waves together."""
    by_wave = rule_survivor_sources(run)
    return {
        stage: fingerprint_of([by_wave[wave][stage] for wave in sorted(by_wave)])
        for stage in (EXTRACT_DOCUMENTS, APPLY_RULES)
    }


def score_commits(run: Run, scorer: str) -> dict[int, str] | None:
    """Return the fingerprints of a scorer's waves; None if it never ran.

    Raises:
        StageIncomplete: a wave is not scored, or was scored on other documents.
    """
    reads = {wave: fingerprint_of(sources) for wave, sources in scored_sources(run).items()}
    return finished(run.store, score_stage(scorer), reads)


def scored_sources(run: Run) -> dict[int, Sources]:
    """Return the sources of `scored_documents`, by wave."""
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
