"""Paragraphs that stand in several documents: which of them to cut, from which documents.

Policy "first": documents come in the order of the keep policy. Each loses the paragraphs that it
had before itself, and those that a kept document before it has; one whose rest is too short by the
length rule is not kept, and holds nothing. So what is cut is in a document that is kept. That
order is a chain through all documents; here it is resolved in a few rounds, each for all documents
at once, with the same result (see `_decide`).

Policy "frequent": every copy of a paragraph goes that more than a number of documents have.

A paragraph of millions of documents never lies in one task. Keys are counted, and their first
document is found, by aggregations that combine before the shuffle; what these give is written
before it is joined, since AQE splits a skewed join only where both sides come right from a shuffle
(Spark 4.0, 4.3: with an aggregation in between, one task gets all rows of the key).
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import DedupConfig
from jobs.transforms.components import Checkpoint
from jobs.transforms.near_duplicates import Report
from jobs.transforms.ranks import document_of
from udfs.dedup.paragraphs import (
    CUTS_DDL,
    PARAGRAPHS_DDL,
    cut_batches,
    paragraph_batches,
)

_KEY = ["high", "low"]
MAX_ROUNDS = 20
"""Rounds of `_decide`; its chains are short, as each link is a document that loses all but a few
characters."""


def find_paragraph_cuts(
    documents: DataFrame,
    kept: DataFrame,
    config: DedupConfig,
    min_chars: int | None,
    checkpoint: Checkpoint,
    report: Report,
) -> DataFrame:
    """What each document loses.

    Needs: documents with doc_id (unique), text (null counts as empty); kept with rank, of the
        documents that take part.
    Rows: one for each document that loses text: rank; spans; chars_left, which is below min_chars
        where the document goes; repeated_chars, the characters of paragraphs that occur more than
        once, whether cut or not. With policy "measure" one for each document that has such a
        paragraph, and no spans. A checkpoint.
    Shuffles: keys and places of each document's paragraphs by doc_id; a key of each paragraph,
        twice, with the document's rank the second time. No text.

    Args:
        min_chars: Fewest code points of a document that stays; None keeps all.
        checkpoint: Writes under a name and reads back.
        report: Receives the number of documents that were still undecided after MAX_ROUNDS; they
            hold nothing, so no text is lost by it, and some of theirs is kept twice.
    """
    rows = checkpoint(_with_paragraphs(documents, kept, config), "paragraphs")
    shared = checkpoint(shared_paragraphs(rows, checkpoint), "paragraphs_shared")
    if config.paragraph_policy == "first":
        holders = checkpoint(_first_holders(shared), "paragraphs_first")
        if min_chars is not None:
            holders = _kept_holders(rows, shared, holders, min_chars, checkpoint, report)
        is_cut = F.col("holder") < F.col("rank")  # no holder: only documents that go have it
        marked = shared.join(holders, on=_KEY, how="left")
    else:
        is_frequent = F.col("documents") > config.max_paragraph_documents
        is_cut = is_frequent if config.paragraph_policy == "frequent" else F.lit(False)
        marked = shared
    marked = marked.withColumn("is_cut", F.coalesce(is_cut, F.lit(False)))
    return checkpoint(_cuts(rows, marked, config), "paragraphs_cut")


def removed_by_cuts(cuts: DataFrame, min_chars: int | None) -> DataFrame:
    """The documents of which too little is left: rank.

    Needs: rows of `find_paragraph_cuts`. Rows: those that lost text and are too short.
    """
    is_short = F.lit(False) if min_chars is None else F.col("chars_left") < min_chars
    return cuts.where(is_short & (F.size("spans") > 0)).select("rank")


def cut_rows(cuts: DataFrame) -> DataFrame:
    """The cuts table of what `find_paragraph_cuts` found."""
    return cuts.select(
        document_of(F.col("rank")).alias("doc_id"), "spans", "chars_left", "repeated_chars"
    )


def _with_paragraphs(documents: DataFrame, kept: DataFrame, config: DedupConfig) -> DataFrame:
    """rank, text_chars, distinct_chars, paragraphs of documents that have some."""
    # Texts stay where they are: documents that are gone are left out only here.
    found = documents.select("doc_id", "text").mapInArrow(
        paragraph_batches(config.min_paragraph_chars), PARAGRAPHS_DDL
    )
    ranks = kept.select("rank", document_of(F.col("rank")).alias("doc_id"))
    return (
        found.where(F.size("paragraphs") > 0)
        .join(ranks, on="doc_id", how="inner")
        .select("rank", "text_chars", "distinct_chars", "paragraphs")
    )


def shared_paragraphs(rows: DataFrame, checkpoint: Checkpoint) -> DataFrame:
    """Paragraphs that several documents have, one row for each of these documents.

    Needs: rank, paragraphs.
    Rows: rank, high, low, first and length (of the first of this key in the document), documents
        (how many have it).
    Shuffles: keys that are counted, combined before; all paragraphs with their document's rank,
        unless the keys that several documents have are few enough to be broadcast.
    """
    paragraph = F.col("paragraph")
    of_documents = (
        rows.select("rank", F.explode("paragraphs").alias("paragraph"))
        .where(paragraph["start"] == paragraph["first"])
        .select("rank", *(paragraph[name].alias(name) for name in (*_KEY, "first", "length")))
    )
    # Numbers alone are counted in hash tables; most keys occur once and end here.
    counts = of_documents.groupBy(*_KEY).agg(F.count(F.lit(1)).alias("documents"))
    repeated = checkpoint(counts.where(F.col("documents") > 1), "paragraphs_repeated")
    return of_documents.join(repeated, on=_KEY, how="inner").select(
        "rank", *_KEY, "first", "length", "documents"
    )


def _first_holders(held: DataFrame) -> DataFrame:
    """The first document that has a paragraph: high, low, holder."""
    return held.groupBy(*_KEY).agg(F.min("rank").alias("holder"))


def _kept_holders(
    rows: DataFrame,
    shared: DataFrame,
    firsts: DataFrame,
    min_chars: int,
    checkpoint: Checkpoint,
    report: Report,
) -> DataFrame:
    """The first document that has a paragraph and is kept, as policy "first" says: high, low,
    holder, of paragraphs that have one. A checkpoint.

    A document loses most if all before it are kept. One of which enough is left then is kept,
    whatever becomes of others; those are nearly all. The others are decided in rounds.
    """
    lost = (
        shared.join(firsts, on=_KEY, how="inner")
        .where(F.col("holder") < F.col("rank"))
        .groupBy("rank")
        .agg(F.sum("length").alias("lost"))
    )
    left = F.col("distinct_chars") - F.coalesce("lost", F.lit(0))
    doubtful = checkpoint(
        rows.select("rank", "text_chars", "distinct_chars")
        .join(lost, on="rank", how="left")
        .where((left < min_chars) & (left < F.col("text_chars")))
        .select("rank", "text_chars", "distinct_chars"),
        "paragraphs_doubtful",
    )
    if doubtful.isEmpty():
        return firsts
    certain = checkpoint(
        _first_holders(shared.join(doubtful, on="rank", how="left_anti")), "paragraphs_certain"
    )
    theirs = checkpoint(
        shared.join(doubtful, on="rank", how="left_semi").select("rank", *_KEY, "length"),
        "paragraphs_of_doubtful",
    )
    states = _decide(doubtful, theirs, certain, min_chars, checkpoint, report)
    kept = states.where(F.col("state") == "kept")
    found = certain.unionByName(_first_holders(theirs.join(kept, on="rank", how="left_semi")))
    return checkpoint(
        found.groupBy(*_KEY).agg(F.min("holder").alias("holder")), "paragraphs_holders"
    )


def _decide(
    doubtful: DataFrame,
    theirs: DataFrame,
    certain: DataFrame,
    min_chars: int,
    checkpoint: Checkpoint,
    report: Report,
) -> DataFrame:
    """Which doubtful documents are kept: rank, state, which is kept, gone or open. A checkpoint.

    Each round looks at what is left of an open document if every open one before it is kept, and
    if none is. Enough in the first case: it is kept. Too little in the second: it is not. The
    first open document has no open one before it, so each round decides some, as
    going through the documents one by one would.

    Args:
        theirs: rank, high, low, length of their paragraphs that others have too.
        certain: The first of all other documents that have a paragraph: high, low, holder.
    """
    states = doubtful.withColumn("state", F.lit("open"))
    for turn in range(1, MAX_ROUNDS + 1):
        by_state = theirs.join(states.select("rank", "state"), on="rank", how="inner")
        holders = checkpoint(_possible_holders(by_state, certain), f"paragraphs_holders_{turn}")
        open_now = by_state.where(F.col("state") == "open")
        states = checkpoint(
            _next_states(states, open_now, holders, min_chars), f"paragraphs_states_{turn}"
        )
        if states.where(F.col("state") == "open").isEmpty():
            break
    undecided = states.where(F.col("state") == "open").count()
    report("paragraph_unsettled_documents", undecided)
    return states


def _possible_holders(by_state: DataFrame, certain: DataFrame) -> DataFrame:
    """The first document that has a paragraph and is kept, and the first that is or may be: high,
    low, holder, possible_holder; null where there is none."""

    def first(state: str) -> Column:
        return F.min(F.when(F.col("state") == state, F.col("rank")))

    return (
        by_state.groupBy(*_KEY)
        .agg(first("kept").alias("kept"), first("open").alias("open"))
        .join(certain, on=_KEY, how="left")
        .select(
            *_KEY,
            F.least("kept", "holder").alias("holder"),
            F.least("kept", "holder", "open").alias("possible_holder"),
        )
    )


def _next_states(
    states: DataFrame, open_now: DataFrame, holders: DataFrame, min_chars: int
) -> DataFrame:
    """States after a round: rank, text_chars, distinct_chars, state."""

    def lost_to(holder: str) -> Column:
        return F.sum(F.when(F.col(holder) < F.col("rank"), F.col("length")))

    lost = (
        open_now.join(holders, on=_KEY, how="inner")
        .groupBy("rank")
        .agg(lost_to("holder").alias("least"), lost_to("possible_holder").alias("most"))
    )
    most_left = F.col("distinct_chars") - F.coalesce("least", F.lit(0))
    least_left = F.col("distinct_chars") - F.coalesce("most", F.lit(0))
    whole = F.col("text_chars")
    state = (
        F.when(F.col("state") != "open", F.col("state"))
        .when((least_left >= min_chars) | (least_left == whole), "kept")
        .when((most_left < min_chars) & (most_left < whole), "gone")
        .otherwise("open")
    )
    return states.join(lost, on="rank", how="left").select(
        "rank", "text_chars", "distinct_chars", state.alias("state")
    )


def _cuts(rows: DataFrame, marked: DataFrame, config: DedupConfig) -> DataFrame:
    """What goes, of documents and their paragraphs that others have: is_cut says which go."""
    by_document = marked.groupBy("rank").agg(
        F.collect_list(F.struct("first", "is_cut")).alias("shared")  # at most the document's own
    )
    repeats = F.col("distinct_chars") < F.col("text_chars")
    cuts = (
        rows.join(by_document, on="rank", how="left")
        .where(F.col("shared").isNotNull() | repeats)
        .select("rank", "text_chars", "paragraphs", "shared")
        .mapInArrow(cut_batches(config.paragraph_policy), CUTS_DDL)
    )
    return cuts if config.paragraph_policy == "measure" else cuts.where(F.size("spans") > 0)
