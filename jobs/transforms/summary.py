"""What a report says of a run, as small frames."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config.scorers import report_counts, report_shares
from udfs.measures.schema import EDITS_TYPE

QUALITY_BINS = 10
PAIR = "\x1f"
"""Between the two values of a pair, and at the end of the name of the fact that counts them."""


def corpus_facts(corpus: DataFrame) -> DataFrame:
    """All that a report counts of the corpus, in one pass over it.

    Needs: the corpus. Shuffles: a few counts.
    Rows: one a fact and key, as (fact, key, rows, amount): ``corpus`` with its characters,
        documents that the rows ``stand_for``, rows by ``quality``, the tenth of [0, 1] as 0 to
        9; by kind of ``edit`` and of ``pii``, with the places; by ``clusters``, the floor of the
        binary logarithm of their size, with the documents; counts and shares that scorers
        declare, under `ReportCount.name` and `ReportShares.value`, shares with the characters; by
        two `ReportShares.labels` of a row, joined by `PAIR`, or one twice.
    """
    score = F.col("quality_score") * QUALITY_BINS
    tenth = F.least(F.floor(score), F.lit(QUALITY_BINS - 1)).cast("string")
    edits = F.coalesce("edits", F.array().cast(EDITS_TYPE))
    kinds = F.transform("pii", lambda span: span["kind"])
    kinds = F.coalesce(kinds, F.array().cast("array<string>"))
    chars = F.char_length("text")
    doublings = (F.length(F.bin("cluster_size")) - 1).cast("string")
    facts = F.concat(
        F.array(
            _fact("corpus", amount=chars),
            *(_fact(c.name, rows=F.col(c.column).cast("bigint")) for c in report_counts()),
            _fact("stand_for", rows=F.col("cluster_size")),
            *(
                _fact(shares.value, F.col(shares.column), amount=chars)
                for shares in report_shares()
            ),
            _fact("quality", tenth),
            _fact("clusters", doublings, amount=F.col("cluster_size")),
        ),
        *(
            _pairs(shares.value, F.col(shares.labels))
            for shares in report_shares()
            if shares.labels is not None
        ),
        F.transform(edits, lambda edit: _fact("edit", edit["kind"], amount=edit["places"])),
        F.transform(
            F.array_distinct(kinds),
            lambda kind: _fact(
                "pii", kind, amount=F.size(F.filter(kinds, lambda other: other == kind))
            ),
        ),
    )
    rows = corpus.select(F.explode(facts).alias("f")).groupBy("f.fact", "f.key")
    return rows.agg(F.sum("f.rows").alias("rows"), F.sum("f.amount").alias("amount"))


def _pairs(name: str, labels: Column) -> Column:
    """The facts of the labels of a row: each one, and each two that occur together."""
    labels = F.sort_array(F.array_distinct(F.coalesce(labels, F.array().cast("array<string>"))))
    return F.flatten(
        F.transform(
            labels,
            lambda first: F.transform(
                F.filter(labels, lambda other: other >= first),
                lambda second: _fact(f"{name}{PAIR}", F.concat_ws(PAIR, first, second)),
            ),
        )
    )


def _fact(
    fact: str, key: Column | None = None, rows: Column | None = None, amount: Column | None = None
) -> Column:
    """What a corpus row adds to a fact: its place in the table of `corpus_facts`."""
    zero, one = F.lit(0), F.lit(1)
    return F.struct(
        F.lit(fact).alias("fact"),
        (F.lit("") if key is None else key).alias("key"),
        F.coalesce(one if rows is None else rows, zero).cast("bigint").alias("rows"),
        F.coalesce(zero if amount is None else amount, zero).cast("bigint").alias("amount"),
    )


def audit_samples(rejected: DataFrame) -> DataFrame:
    """One rejected document for every stage and reason, to look at: the smallest doc_id.

    Needs: the rejected table. Rows: one a stage and reason. Shuffles: one row a reason and task.
    """
    place = F.struct("doc_id", "url", "warc_path", "warc_offset")
    return (
        rejected.select("stage", F.explode("reasons").alias("reason"), place.alias("place"))
        .groupBy("stage", "reason")
        .agg(F.min("place").alias("place"))
        .select("stage", "reason", "place.*")
        .orderBy("stage", "reason")
    )
