"""The outcome of a record: a candidate document, a reject reason or a failure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the driver names kinds of rows without their compiled loops
    from udfs.pairs.places import PagePlaces
    from udfs.products.product import PageProducts

DOCUMENT, FAILURE, TALLY = "document", "failure", "tally"
"""Kinds of the rows that a worker yields."""
PRODUCTS_BESIDE, PAIRS_BESIDE = "products", "pairs"
"""Columns of a document with what its page has beside its text; a tally counts them by name."""

ID_BYTES = 16
"""Bytes of a doc_id's hash: among 10^11 documents two share one with a chance below 10^-16."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record with text, before its language is known."""

    offset: int  # of the record in its file; a row's position in JSONL and Parquet
    doc_id: str
    url: str | None
    capture_time: datetime | None  # UTC
    charset: str | None
    title: str | None
    text: str
    # Only captures have these; they are None for JSONL and Parquet rows.
    truncated: str | None = None
    declared_charset: str | None = None
    charset_step: str | None = None
    published: date | None = None
    opt_outs: tuple[str, ...] | None = None
    page_kind: str | None = None  # also None for plain text
    products: PageProducts | None = None  # also None where they are not asked for
    images: PagePlaces | None = None  # likewise


@dataclass(frozen=True, slots=True)
class Rejected:
    """A valid record that does not become a document. Reasons are snake_case, never renamed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A record, or a part of a file, that could not be read."""

    offset: int | None  # None for the whole file
    reason: str
    detail: str


Outcome = Candidate | Rejected | Failed


def content_id(*parts: str) -> str:
    """Return a doc_id: 32 hex digits that depend on the parts and their order."""
    digest = hashlib.blake2b(digest_size=ID_BYTES)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))  # no two lists of parts collide
        digest.update(encoded)
    return digest.hexdigest()
