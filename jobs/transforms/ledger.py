"""What stages saw and decided, counted by input file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import reduce
from hashlib import sha256
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

TALLY, WRITTEN, REPEATED = "tally", "written", "repeated"
"""Kinds of rows of `tally_rows` and `written_counts`."""

File = tuple[int, str]
"""Wave and warc_path: ranges of a file may be read in two waves."""

_DIGITS = 15
"""Hexadecimal digits of a document's digest: they fit into a long."""


def stage_counts(seen: DataFrame, outcomes: Mapping[str, DataFrame]) -> DataFrame:
    """Count what stages saw and what they decided.

    The two sides come from different tables, so that a row that was lost or doubled between
    them leaves the balance open. What was decided on a document that was not seen is left out.

    Needs: seen (doc_id, warc_path, wave), each document once; outcomes, stage -> (doc_id, reason),
        reason null for a kept document.
    Rows: one a wave, file, stage and reason, as (wave, warc_path, stage, reason, n, digest);
        without stage: the documents that were seen. digest is of the set of their doc_id, as
        `digest_of` one, and null without a reason.
    Shuffles: both sides by doc_id; counts by file.
    """
    file = F.struct("wave", "warc_path")
    digits = F.substring(F.sha2("doc_id", 256), 1, _DIGITS)
    digest = F.when(F.col("reason").isNotNull(), F.conv(digits, 16, 10).cast("bigint"))
    nothing = F.lit(None).cast("string")
    sides = [
        seen.select("doc_id", file.alias("file"), nothing.alias("stage"), nothing.alias("reason"))
    ]
    sides += [
        decided.select("doc_id", F.lit(None).alias("file"), F.lit(stage).alias("stage"), "reason")
        for stage, decided in outcomes.items()
    ]
    return (
        reduce(DataFrame.union, sides)
        .groupBy("doc_id")
        .agg(F.max("file").alias("file"), F.collect_list(F.struct("stage", "reason")).alias("rows"))
        .where(F.col("file").isNotNull())
        .select("file", "doc_id", F.inline("rows"))
        .groupBy("file", "stage", "reason")
        .agg(F.count("*").alias("n"), F.bit_xor(digest).alias("digest"))
        .select("file.*", "stage", "reason", "n", "digest")
    )


def decided_counts(decided: DataFrame) -> DataFrame:
    """Count what a stage decided on the documents of files.

    Needs: decided (warc_path, reason), reason null for a kept document.
    Rows: one a file and reason, as (warc_path, reason, n): without the digests of `stage_counts`,
        for a stage whose rejected documents no later one compares.
    Shuffles: counts by file.
    """
    return decided.groupBy("warc_path", "reason").agg(F.count("*").alias("n"))


def counts_of(
    seen: Iterable[tuple[str, File]], outcomes: Mapping[str, Iterable[tuple[str, str | None]]]
) -> list[dict[str, Any]]:
    """Return the rows of `stage_counts` of documents and outcomes that the driver holds.

    Args:
        seen: doc_id, wave and warc_path of each document.
        outcomes: Stage -> doc_id and reason.
    """
    documents = list(seen)
    file_of: dict[str, File] = {}
    for doc_id, file in documents:
        file_of[doc_id] = max(file, file_of.get(doc_id, file))
    counts: Counter[tuple[File, str | None, str | None]] = Counter()
    digests: Counter[tuple[File, str | None, str | None]] = Counter()
    counts.update((file_of[doc_id], None, None) for doc_id, _ in documents)
    for stage, decided in outcomes.items():
        for doc_id, reason in decided:
            if doc_id in file_of:
                key = (file_of[doc_id], stage, reason)
                counts[key] += 1
                digests[key] ^= 0 if reason is None else digest_of(doc_id)
    return [
        {
            "wave": key[0][0],
            "warc_path": key[0][1],
            "stage": key[1],
            "reason": key[2],
            "n": n,
            "digest": digests[key],
        }
        for key, n in counts.items()
    ]


def digest_of(doc_id: str) -> int:
    """Return the digest of a document; digests of a set are combined by exclusive or."""
    return int(sha256(doc_id.encode()).hexdigest()[:_DIGITS], 16)


def tally_rows(tallies: DataFrame) -> DataFrame:
    """What the workers tallied, as rows of kind TALLY.

    Needs: tallies (warc_path, seen, rejected, failed), one a part that a task read.
    Rows: all kept, as (kind, warc_path, n, rejected, failed). Shuffles: none.
    """
    return tallies.select(
        F.lit(TALLY).alias("kind"), "warc_path", F.col("seen").alias("n"), "rejected", "failed"
    )


def written_counts(documents: DataFrame, repeated: DataFrame | None) -> DataFrame:
    """Count what was in fact written of a wave.

    Needs: documents (warc_path), as read back; repeated (warc_path, n), rows left out because
        their id was taken, or None where no id can be taken.
    Rows: (kind, warc_path, n), of each file one WRITTEN, if it has documents, and one REPEATED.
    Shuffles: documents by warc_path.
    """
    written = documents.groupBy("warc_path").agg(F.count("*").alias("n"))
    rows = written.select(F.lit(WRITTEN).alias("kind"), "warc_path", "n")
    if repeated is None:
        return rows
    return rows.union(repeated.select(F.lit(REPEATED).alias("kind"), "warc_path", "n"))
