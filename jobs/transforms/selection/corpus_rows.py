"""The corpus row that a kept document becomes."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.tables import CORPUS, corpus_columns, schema_of
from jobs.transforms.selection.frame import (
    CLUSTER_SIZE,
    PII,
    PLACE,
    PROVENANCE,
    TEXT_FILE,
    TEXT_ROW,
    quality_score,
)
from jobs.transforms.selection.repeats import REPEATS
from jobs.transforms.selection.runs import RUNS_DDL, good_runs
from jobs.transforms.selection.verdicts import structs_of
from jobs.transforms.texts import without_passages
from udfs.scorers.declaration import CorpusColumn, ScorerDeclaration


def kept_documents(
    documents: DataFrame, verdicts: DataFrame, runs: Column | None = None
) -> DataFrame:
    """The documents that become corpus rows, with their scores and what other tables have of them.

    Needs: documents (doc_id, ...); verdicts (of `with_verdicts`, with pii and repeats).
    Args:
        runs: Column of `runs_of` over verdicts; None where documents stay whole.
    Adds: the structs of scores, runs (null where documents stay whole), cluster_size, repeats, pii.
    Rows: those without a stage that removed them.
    Shuffles: every side by doc_id, documents with their texts once.
    """
    return documents.join(_kept(verdicts, runs), on="doc_id", how="inner")


def kept_in_place(verdicts: DataFrame, text: Column, runs: Column | None = None) -> DataFrame:
    """As `kept_documents`, where texts are read in the files that have them.

    Needs: verdicts (as there, with `PROVENANCE`, text_file and text_row).
    Args:
        text: The text of a row, of `udfs.files.texts_in_place.texts_at_udf`.
    Adds: as `kept_documents`; of documents text and what a corpus row has.
    Rows: those without a stage that removed them.
    Shuffles: what is kept by file, without texts; all rows of a file are one task's.
    """
    kept = _kept(verdicts, runs, [*PROVENANCE[1:], *PLACE, TEXT_FILE, TEXT_ROW])
    in_order = kept.repartition(TEXT_FILE).sortWithinPartitions(TEXT_FILE, TEXT_ROW)
    return in_order.withColumn("text", text).drop(TEXT_FILE, TEXT_ROW)


def _kept(verdicts: DataFrame, runs: Column | None, copied: Sequence[str] = ()) -> DataFrame:
    stretches = F.lit(None).cast(RUNS_DDL) if runs is None else runs
    return verdicts.where(F.col("stage").isNull()).select(
        "doc_id",
        *structs_of(verdicts),
        *(CLUSTER_SIZE, REPEATS, PII, stretches.alias("runs")),
        *copied,
    )


def runs_of(config: Config) -> Column | None:
    """The runs of good segments that documents are cut to; None where they stay whole."""
    for name, scorer in declared().items():
        limits = config.limits.get(name)
        if scorer.cut is not None and scorer.cut.key in scorer.limits_in_use(limits):
            segments = F.col(name)[scorer.cut.segments]
            return good_runs(segments, getattr(limits, scorer.cut.key))
    return None


def chars_left(config: Config, runs: Column | None) -> Column | None:
    """How many characters of its text as scored a document keeps; None where none is cut.

    Args:
        runs: Of good segments that documents are cut to; None where they stay whole.
    """
    if runs is not None:
        zero = F.lit(0).cast("bigint")
        return F.aggregate(runs, zero, lambda chars, run: chars + run["length"])
    for name, scorer in declared().items():
        passages = scorer.passages
        if passages is not None and passages.is_on(config.limits[name]):
            return F.col(name)[passages.chars_left]
    return None


def part_left(amount: Column, chars: Column, left: Column | None) -> Column:
    """An amount that a text as scored has, for the characters that are left of it, rounded.

    Args:
        chars: Characters of the text as scored.
        left: Of `chars_left`; where it is null all is left.
    """
    if left is None:
        return amount
    share = F.coalesce(F.least(left, chars), chars) / F.greatest(chars, F.lit(1))
    return F.round(amount * share).cast("bigint")


def without_cut_passages(kept: DataFrame, config: Config) -> DataFrame:
    """Cut the passages that scorers found in documents, where limits say so.

    Needs: kept (as of `kept_documents`), with their text as it was scored, and original_chars,
        original_sha256, edits, pii of it.
    Replaces: text, original_chars, original_sha256, edits, pii. Rows: all kept. Shuffles: none.
    """
    for name, scorer in declared().items():
        passages = scorer.passages
        if passages is not None and passages.is_on(config.limits[name]):
            spans = F.col(name)[passages.spans]
            kept = without_passages(kept, spans, passages.edit)
    return kept


def corpus_rows(kept: DataFrame, config: Config) -> DataFrame:
    """The corpus: the published row, further scores, and provenance.

    Needs: kept (as of `kept_documents`), their text as it is now, or their runs of it, and
        original_chars, original_sha256, edits of it.
    Adds: the columns of the corpus table.
    Rows: all kept. Shuffles: none.
    Source: ChineseWebText 2.0, the published row (text, domain, toxicity, quality_score).
    """
    left = chars_left(config, None if runs_of(config) is None else F.col("runs"))
    made: dict[str, Column] = {
        column.name: _corpus_column(kept, scorer, column, left)
        for published in (True, False)
        for scorer, column in corpus_columns(published=published)
    }
    made |= {"quality_score": quality_score(config), "source_domain": F.col("host")}
    names = schema_of(CORPUS).fieldNames()
    return kept.select(*(made.get(name, F.col(name)).alias(name) for name in names))


def _corpus_column(
    kept: DataFrame, scorer: ScorerDeclaration, column: CorpusColumn, left: Column | None
) -> Column:
    """A column from a scorer's struct; null where it did not run."""
    if scorer.name not in kept.columns:
        return F.lit(None).cast(column.type_in(scorer.result_type))
    scores = F.col(scorer.name)
    if isinstance(column.fields, str):
        value = scores[column.fields]
        return value if column.chars is None else part_left(value, scores[column.chars], left)
    return F.struct(*(scores[name].alias(name) for name in column.fields))
