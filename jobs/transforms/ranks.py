"""Ranks: document ids that sort in the order in which documents are preferred.

    rank = snapshot (4 hex digits) + preferred host (0 or 1) + policy (16 hex digits) + doc_id

The smallest rank of a cluster is the document that stays, so a plain min() finds it, ties go to
the smallest doc_id, and no join brings lengths, times or scores along. What an earlier snapshot
kept comes first whatever else is said of it.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.config import KeepPolicy

MAX_SNAPSHOTS = 1 << 16
"""Snapshots that a rank can tell apart."""

_SNAPSHOT_DIGITS = 4
_ORDER_DIGITS = 16
_PREFIX = _SNAPSHOT_DIGITS + 1 + _ORDER_DIGITS
_SIGN_BIT = -(1 << 63)
_LAST = (1 << 63) - 1
# A probability times this fits into a long; scores that differ by less than 2^-60 are one.
_SCORE_UNIT = float(1 << 60)


def rank_of(keep: KeepPolicy, snapshot: int = 0) -> Column:
    """A document's rank.

    Needs: doc_id, preferred (boolean), chars (int), capture_micros (long; null loses to every
        known time), and score (double; null loses to every score) where keep is best.

    Args:
        snapshot: Its place in the order of snapshots.
    """
    if keep == "longest":
        order = -F.col("chars").cast("bigint")
    elif keep == "best":
        order = -F.floor(F.col("score") * _SCORE_UNIT).cast("bigint")
    elif keep == "oldest":
        order = F.col("capture_micros")
    else:
        order = -F.col("capture_micros")
    # With its sign bit turned, a long sorts as its hexadecimal digits do.
    sortable = F.coalesce(order, F.lit(_LAST)).bitwiseXOR(F.lit(_SIGN_BIT))
    return F.concat(
        F.lit(snapshot_prefix(snapshot)),
        F.when(F.col("preferred"), "0").otherwise("1"),
        F.lpad(F.hex(sortable), _ORDER_DIGITS, "0"),
        F.col("doc_id"),
    )


def snapshot_prefix(snapshot: int) -> str:
    """What the ranks of a snapshot begin with.

    >>> snapshot_prefix(10)
    '000A'
    """
    return f"{snapshot:0{_SNAPSHOT_DIGITS}X}"


def is_before(rank: Column, snapshot: int) -> Column:
    """Whether a rank is of an earlier snapshot."""
    return rank < snapshot_prefix(snapshot)


def document_of(rank: Column) -> Column:
    """The doc_id in a rank."""
    return F.substr(rank, F.lit(_PREFIX + 1))


def snapshot_of(rank: Column) -> Column:
    """The first digits of a rank, which say the snapshot."""
    return F.substr(rank, F.lit(1), F.lit(_SNAPSHOT_DIGITS))


def key_of(rank: Column) -> Column:
    """Snapshot and doc_id: names a document without saying how it is preferred."""
    return F.concat(snapshot_of(rank), document_of(rank))


def node_of(key: Column) -> Column:
    """A number for a key, to group documents by. Two keys may have one: it tells none apart."""
    return F.xxhash64(key)
