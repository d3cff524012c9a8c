"""What earlier snapshots left in a signature store, and what this one adds to it.

A document of an earlier snapshot that took part in a level has its key of that level in the
store, whether or not a later level removed it: a new document may resemble the one that is gone,
and then the document that stayed for it is named.

What earlier snapshots kept is never removed, and nothing that they removed comes back. So the
snapshots, one after another, keep all that one search over all of them keeps (with ``keep =
"oldest"``, later snapshots captured later and no bucket left mixed), and beside it the earlier
documents that a later one bridges: where a new document resembles two that were kept, one search
would have removed the younger. They are counted (near_bridged_documents), the new document goes,
and the older of the two is named for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


@dataclass(frozen=True)
class EarlierSnapshots:
    """The snapshots before this one; there may be none."""

    place: int
    """This run's place in the order of snapshots."""
    names: Mapping[str, str]
    """First digits of the ranks of a snapshot -> its name."""
    keys: DataFrame
    """rank, kept_rank (of the document that stayed for it, or rank), url_key, text_key, bands,
    signature: see `snapshot_keys`."""
    payloads: DataFrame
    """key (`ranks.key_of`), payload (text or signature)."""


def snapshot_keys(prints: DataFrame, removed: DataFrame) -> DataFrame:
    """The rows that a snapshot leaves for later ones.

    A key is left by the document that has it after the level of that key, and by no other: so a
    key is in the store once. (Bands are many documents' own.)

    Needs: prints and removed as `duplicates.Found` has them.
    Rows: one for each document that the url level kept: rank, kept_rank, url_key, text_key (null
        for what the exact level removed), bands and signature (likewise). Without those that are
        gone and have nothing in their place: what resembles them is new.
    Shuffles: ranks of removed documents.
    """
    is_unique = F.col("exact_kept").isNull()
    gone = removed.select("rank", F.struct("kept_rank").alias("gone"))
    return (
        prints.filter(F.col("url_kept").isNull())
        .join(gone, on="rank", how="left")
        .filter(F.col("gone").isNull() | F.col("gone.kept_rank").isNotNull())
        .select(
            "rank",
            F.coalesce("gone.kept_rank", "rank").alias("kept_rank"),
            "url_key",
            *(F.when(is_unique, F.col(c)).alias(c) for c in ("text_key", "bands", "signature")),
        )
    )
