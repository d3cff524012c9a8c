"""Ranks: document ids that sort in the order in which the keep policy prefers documents."""

from __future__ import annotations

from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

_ORDER_DIGITS = 16
_SIGN_BIT = -(1 << 63)
_LAST = (1 << 63) - 1


def rank_of(keep: Literal["longest", "oldest", "newest"]) -> Column:
    """A document's rank: 16 digits that sort as the policy does, then doc_id.

    The smallest rank of a cluster is the document that stays, so a plain min() finds it, ties
    go to the smallest doc_id, and no join brings lengths or times along.

    Needs: doc_id, chars (int), capture_micros (long; null loses to every known time).
    """
    if keep == "longest":
        order = -F.col("chars").cast("bigint")
    else:
        micros = F.col("capture_micros")
        order = F.coalesce(micros if keep == "oldest" else -micros, F.lit(_LAST))
    # With its sign bit turned, a long sorts as its hexadecimal digits do.
    digits = F.lpad(F.hex(order.bitwiseXOR(F.lit(_SIGN_BIT))), _ORDER_DIGITS, "0")
    return F.concat(digits, F.col("doc_id"))


def document_of(rank: Column) -> Column:
    """The doc_id in a rank."""
    return F.substr(rank, F.lit(_ORDER_DIGITS + 1))
