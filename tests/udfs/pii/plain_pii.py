"""Personal data of one text at a time: how tests and benches call the batch function."""

from __future__ import annotations

from udfs.pii.find import PiiSpan, pii_of_texts


def find_pii(text: str) -> list[PiiSpan]:
    """All personal data in a text, ascending and disjoint."""
    return pii_of_texts([text])[0]
