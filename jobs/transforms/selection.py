"""The last decision on every document, and the corpus row that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.tables import CORPUS, corpus_columns, schema_of
from jobs.transforms.runs import RUNS_DDL, good_runs, has_good_segment
from udfs.scorers.declaration import CorpusColumn, ScorerDeclaration


def selection_scorers(config: Config) -> list[str]:
    """The scorers that run and whose tables the selection reads: they have corpus columns, or
    decide on documents."""
    return [
        name
        for name, scorer in declared().items()
        if name in config.score.scorers
        and (
            scorer.corpus
            or name == config.select.quality_from
            or scorer.limits_in_use(config.limits.get(name))
        )
    ]


def with_verdicts(
    documents: DataFrame,
    flagged: DataFrame,
    duplicates: DataFrame,
    scores: Mapping[str, DataFrame],
    config: Config,
) -> DataFrame:
    """Which stage removed a document and why; null stage for a corpus document.

    Needs: documents (doc_id, ...); flagged (doc_id, reject_reasons); duplicates (doc_id, kind);
        the tables of `selection_scorers`, by scorer.
    Adds: stage, reasons, and for each scorer a struct ``score_SCORER``.
    Rows: all kept.
    Shuffles: every side by doc_id.
    """
    joined = documents.join(flagged, on="doc_id", how="left").join(
        duplicates.select("doc_id", "kind"), on="doc_id", how="left"
    )
    for name, table in scores.items():
        fields = [column for column in table.columns if column != "doc_id"]
        packed = table.select("doc_id", F.struct(*fields).alias(_struct(name)))
        joined = joined.join(packed, on="doc_id", how="left")
    selection = _names_of(selection_rules(config))
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
        *documents.columns, stage.alias("stage"), reasons.alias("reasons"), *map(_struct, scores)
    )


def selection_rules(config: Config) -> dict[str, Column]:
    """Reject reason -> condition over the structs of scores; a missing score has its own reason."""
    select = config.select
    quality = _quality_score(config)
    unscored = quality.isNull()
    limited: list[tuple[int, str, Column]] = []
    cuts: dict[str, Column] = {}
    for name, scorer in declared().items():
        limits, scores = config.limits.get(name), F.col(_struct(name))
        keys = scorer.limits_in_use(limits)
        if scorer.is_required or keys:
            unscored |= scores[scorer.result_type.fieldNames()[0]].isNull()
        limited += [
            (rule.rank, rule.reason, rule.holds(scores, getattr(limits, rule.key)))
            for rule in scorer.rejections
            if rule.key in keys
        ]
        if scorer.cut is not None and scorer.cut.key in keys:
            segments = scores[scorer.cut.segments]
            least = getattr(limits, scorer.cut.key)
            cuts[scorer.cut.reason] = ~has_good_segment(segments, least)
    rules = {"unscored": unscored}
    if select.min_quality is not None:
        rules["low_quality"] = quality < select.min_quality
    rules |= {reason: holds for _, reason, holds in sorted(limited, key=lambda rule: rule[0])}
    return rules | cuts


def kept_documents(
    documents: DataFrame,
    verdicts: DataFrame,
    duplicates: DataFrame,
    measured: DataFrame,
    runs: Column | None = None,
) -> DataFrame:
    """The documents that become corpus rows, with their scores and what other tables have of them.

    Needs: documents (doc_id, ...); verdicts (of `with_verdicts`); duplicates (kept_doc_id,
        kept_snapshot); measured (doc_id, measures).
    Args:
        runs: Column of `runs_of` over verdicts; None where documents stay whole.
    Adds: the structs of scores, runs (null where documents stay whole), cluster_size, pii.
    Rows: those without a stage that removed them.
    Shuffles: every side by doc_id, documents with their texts once.
    """
    structs = [name for name in verdicts.columns if name.startswith(_struct(""))]
    stretches = F.lit(None).cast(RUNS_DDL) if runs is None else runs
    kept = verdicts.where(F.col("stage").isNull()).select(
        "doc_id", *structs, stretches.alias("runs")
    )
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


def runs_of(config: Config) -> Column | None:
    """The runs of good segments that documents are cut to; None where they stay whole."""
    for name, scorer in declared().items():
        limits = config.limits.get(name)
        if scorer.cut is not None and scorer.cut.key in scorer.limits_in_use(limits):
            segments = F.col(_struct(name))[scorer.cut.segments]
            return good_runs(segments, getattr(limits, scorer.cut.key))
    return None


def corpus_rows(kept: DataFrame, config: Config) -> DataFrame:
    """The corpus: the published row, further scores, and provenance.

    Needs: kept (as of `kept_documents`), their text as it is now, or their runs of it, and
        original_chars, original_sha256, edits of it.
    Adds: the columns of the corpus table.
    Rows: all kept. Shuffles: none.
    Source: ChineseWebText 2.0, the published row (text, domain, toxicity, quality_score).
    """
    made: dict[str, Column] = {
        column.name: _corpus_column(kept, scorer, column)
        for required in (True, False)
        for scorer, column in corpus_columns(required=required)
    }
    made |= {"quality_score": _quality_score(config), "source_domain": F.col("host")}
    names = schema_of(CORPUS).fieldNames()
    return kept.select(*(made.get(name, F.col(name)).alias(name) for name in names))


def _corpus_column(kept: DataFrame, scorer: ScorerDeclaration, column: CorpusColumn) -> Column:
    """A column from a scorer's struct; null where it did not run."""
    if _struct(scorer.name) not in kept.columns:
        return F.lit(None).cast(column.type_in(scorer.result_type))
    scores = F.col(_struct(scorer.name))
    if isinstance(column.fields, str):
        return scores[column.fields]
    return F.struct(*(scores[name].alias(name) for name in column.fields))


def _quality_score(config: Config) -> Column:
    """The score that decides quality, as select.quality_from says."""
    scorer = declared()[config.select.quality_from]
    field: Any = scorer.score
    return F.col(_struct(scorer.name))[field]


def _struct(scorer: str) -> str:
    """Name of the column with a scorer's results; documents have no such columns."""
    return f"score_{scorer}"


def _names_of(rules: Mapping[str, Column]) -> Column:
    """The names of the conditions that hold, in order."""
    return F.array_compact(F.array(*(F.when(rule, name) for name, rule in rules.items())))


def _some(reasons: str) -> Column:
    return F.coalesce(F.size(reasons), F.lit(0)) > 0
