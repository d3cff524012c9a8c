"""The last decision on every document, and the row that it becomes."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import SelectConfig
from jobs.transforms.runs import RUNS_DDL, good_runs, has_good_segment

_SCORES = ("quality", "domain", "toxicity", "perplexity")


def with_verdicts(
    documents: DataFrame,
    flagged: DataFrame,
    duplicates: DataFrame,
    scores: Mapping[str, DataFrame],
    limits: SelectConfig,
) -> DataFrame:
    """Which stage removed a document and why; null stage for a corpus document.

    Needs: documents (doc_id, ...); flagged (doc_id, reject_reasons); duplicates (doc_id, kind);
        scores of quality, domain and toxicity by doc_id, and of perplexity and quality_bert where
        they were asked.
    Adds: stage, reasons, and a struct for each of the scores.
    Rows: all kept.
    Shuffles: every side by doc_id.
    """
    joined = documents.join(flagged, on="doc_id", how="left").join(
        duplicates.select("doc_id", "kind"), on="doc_id", how="left"
    )
    for name, table in scores.items():
        fields = [column for column in table.columns if column != "doc_id"]
        packed = table.select("doc_id", F.struct(*fields).alias(name))
        joined = joined.join(packed, on="doc_id", how="left")
    selection = _fired(selection_rules(limits))
    stage = (
        F.when(_some("reject_reasons"), "apply_rules")
        .when(F.col("kind").isNotNull(), "find_duplicates")
        .when(F.size(selection) > 0, "select_corpus")
    )
    reasons = (
        F.when(_some("reject_reasons"), F.col("reject_reasons"))
        .when(F.col("kind").isNotNull(), F.array("kind"))
        .otherwise(selection)
    )
    return joined.select(
        *documents.columns, stage.alias("stage"), reasons.alias("reasons"), *scores
    )


def selection_rules(limits: SelectConfig) -> dict[str, Column]:
    """Reject reason -> condition over the scores; a missing score has a reason of its own."""
    quality = F.col("quality")["score"]
    toxicity = F.col("toxicity")["score"]
    label = F.col("domain")["single_label"]
    unscored = quality.isNull() | toxicity.isNull() | label.isNull()
    if limits.min_perplexity is not None:
        unscored |= F.col("perplexity")["perplexity"].isNull()
    segments = F.col("quality_bert")["segments"]
    if limits.min_segment_score is not None:
        unscored |= segments.isNull()
    rules = {"unscored": unscored}
    if limits.min_quality is not None:
        rules["low_quality"] = quality < limits.min_quality
    if limits.max_toxicity is not None:
        rules["toxic"] = toxicity > limits.max_toxicity
    if limits.min_perplexity is not None:
        rules["low_perplexity"] = F.col("perplexity")["perplexity"] < limits.min_perplexity
    if limits.domains:
        rules["unwanted_domain"] = ~label.isin(*limits.domains)
    if limits.min_segment_score is not None:
        rules["no_good_segment"] = ~has_good_segment(segments, limits.min_segment_score)
    return rules


def kept_documents(
    documents: DataFrame,
    verdicts: DataFrame,
    duplicates: DataFrame,
    measured: DataFrame,
    min_segment_score: float | None = None,
) -> DataFrame:
    """The documents that become corpus rows, with what other tables say of them.

    Needs: documents (doc_id, ...); verdicts (doc_id, stage, quality, domain, toxicity, perplexity
        and quality_bert where they were asked); duplicates (kept_doc_id, kept_snapshot); measured
        (doc_id, measures).
    Adds: the scores (structs) that a row has a place for, runs (null where documents stay whole),
        cluster_size, pii.
    Rows: those without a stage that removed them.
    Shuffles: every side by doc_id, documents with their texts once.
    """
    scores = [name for name in _SCORES if name in verdicts.columns]
    runs = F.lit(None).cast(RUNS_DDL)
    if min_segment_score is not None:
        runs = good_runs(F.col("quality_bert")["segments"], min_segment_score)
    kept = verdicts.where(F.col("stage").isNull()).select("doc_id", *scores, runs.alias("runs"))
    # A document of an earlier snapshot may have the doc_id of one of this run.
    of_this_run = F.col("kept_snapshot").isNull() & F.col("kept_doc_id").isNotNull()
    stood_for = (
        duplicates.where(of_this_run)
        .groupBy(F.col("kept_doc_id").alias("doc_id"))
        .agg((F.count("*") + 1).alias("cluster_size"))
    )
    pii = measured.select("doc_id", F.col("measures")["pii"].alias("pii"))
    said = kept.join(stood_for, on="doc_id", how="left").join(pii, on="doc_id", how="left")
    return documents.join(
        said.withColumn("cluster_size", F.coalesce("cluster_size", F.lit(1).cast("long"))),
        on="doc_id",
        how="inner",
    )


def corpus_rows(kept: DataFrame) -> DataFrame:
    """The corpus: the published row, and its provenance beside it.

    Needs: kept (as of `kept_documents`), their text as it is now, or their runs of it, and
        original_chars, original_sha256, edits of it.
    Adds: the columns of the corpus table.
    Rows: all kept. Shuffles: none.
    Source: ChineseWebText 2.0, the published row (text, domain, toxicity, quality_score).
    """
    return kept.select(
        "text",
        F.struct(
            F.col("domain")["single_label"].alias("single_label"),
            F.col("domain")["multi_label"].alias("multi_label"),
        ).alias("domain"),
        F.struct(
            F.col("toxicity")["label"].alias("label"), F.col("toxicity")["score"].alias("score")
        ).alias("toxicity"),
        F.col("quality")["score"].alias("quality_score"),
        _harmful(kept),
        "title",
        "url",
        F.col("host").alias("source_domain"),
        "doc_id",
        "capture_time",
        "published",
        "opt_outs",
        "warc_path",
        "warc_offset",
        "language_score",
        "script",
        "cluster_size",
        "original_chars",
        "original_sha256",
        "edits",
        "pii",
        "runs",
    )


def _harmful(kept: DataFrame) -> Column:
    """What the harmful-text model says; null where it was not asked."""
    if "perplexity" not in kept.columns:
        return F.lit(None).cast("struct<perplexity:double,flagged:boolean>").alias("harmful")
    return F.struct("perplexity.perplexity", "perplexity.flagged").alias("harmful")


def _fired(rules: Mapping[str, Column]) -> Column:
    """The names of the conditions that hold, in order."""
    return F.array_compact(F.array(*(F.when(rule, name) for name, rule in rules.items())))


def _some(reasons: str) -> Column:
    return F.coalesce(F.size(reasons), F.lit(0)) > 0
