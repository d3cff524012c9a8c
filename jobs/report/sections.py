"""What a page consists of: sections with a finding, and blocks of tables, plots and samples.

The template has one macro for each kind of block, so that every page is made from the same parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from jobs.report.tables import Table

Kind = Literal[
    "table", "figures", "grid", "legend", "matrix", "samples", "contacts", "code", "folded", "note"
]

Piece = tuple[str, str | None]
"""A stretch of a text, and what it is marked as; None where it is not marked."""

_HEATS = 5
"""Classes of shades of a matrix."""


@dataclass(frozen=True)
class Figure:
    """A plot with its caption."""

    title: str
    svg: Markup
    note: str = ""


@dataclass(frozen=True)
class ShownSample:
    """A document that is shown."""

    doc_id: str
    where: str
    """Its URL, or its place in a file."""
    facts: Sequence[str]
    pieces: Sequence[Piece]
    other_doc_id: str | None = None
    other_pieces: Sequence[Piece] = ()
    """Of the document that it is compared with."""
    is_hidden: bool = False
    """Whether the text is shown only when the reader asks for it."""


@dataclass(frozen=True)
class Contact:
    """An image-text pair on a contact sheet."""

    thumbnail: str | None
    """data: URI; None without an image."""
    text: str
    where: str
    facts: Sequence[str]
    is_hidden: bool = False
    """Whether image and text are shown only when the reader asks for them."""


@dataclass(frozen=True)
class PageBlock:
    """A part of a section; each kind uses some of the fields."""

    kind: Kind
    title: str = ""
    note: str = ""
    table: Table | None = None
    figures: Sequence[Figure] = ()
    parts: Sequence[PageBlock] = ()
    items: Sequence[tuple[str, str]] = ()
    """Role and name of each entry of a legend."""
    names: Sequence[str] = ()
    rows: Sequence[tuple[str, Sequence[tuple[int, int]]]] = ()
    """Of a matrix: name, and number and shade of each cell."""
    samples: Sequence[ShownSample] = ()
    contacts: Sequence[Contact] = ()
    text: str = ""
    summary: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Section:
    """A section of a page."""

    name: str
    """Its anchor."""
    kicker: str
    finding: str
    """Its heading: what there is to see."""
    blocks: Sequence[PageBlock]


def table(of: Table, title: str = "", note: str = "") -> PageBlock:
    """Return a block of one table."""
    return PageBlock("table", title, note, table=of)


def grid(*parts: PageBlock) -> PageBlock:
    """Return blocks that stand side by side where there is room."""
    return PageBlock("grid", parts=[part for part in parts if part.table is None or part.table])


def folded(summary: str, *parts: PageBlock, is_open: bool = False) -> PageBlock:
    """Return blocks that a reader opens."""
    return PageBlock("folded", summary=summary, parts=parts, is_open=is_open)


def legend(*items: tuple[str, str]) -> PageBlock:
    """Return a legend of roles."""
    return PageBlock("legend", items=items)


def matrix(counts: dict[tuple[str, str], int], names: Sequence[str], note: str = "") -> PageBlock:
    """Return a symmetric matrix of counts, shaded by the share of the smaller of the two diagonals.

    Args:
        counts: Pair of names, in either order -> number; a name with itself -> number of it.
    """

    def count(row: str, column: str) -> int:
        return counts.get((row, column), counts.get((column, row), 0))

    def heat(row: str, column: str) -> int:
        least = min(count(row, row), count(column, column))
        if row == column or not least:
            return 0
        shade: float = _HEATS * count(row, column) / least
        return min(_HEATS, int(shade) + 1) if shade else 0

    rows = [(row, [(count(row, column), heat(row, column)) for column in names]) for row in names]
    return PageBlock("matrix", note=note, names=names, rows=rows)


def marked(text: str, marks: Sequence[dict[str, Any]] | None) -> list[Piece]:
    """Cut a text into its marked stretches and those between them.

    Args:
        marks: start and length, code points of the text, and what; those that overlap an earlier
            one are left out.

    >>> marked("abcdef", [{"start": 1, "length": 2, "what": "x"}])
    [('a', None), ('bc', 'x'), ('def', None)]
    """
    pieces: list[Piece] = []
    end = 0
    for mark in sorted(marks or (), key=lambda mark: (mark["start"], -mark["length"])):
        start, stop = mark["start"], min(mark["start"] + mark["length"], len(text))
        if start < end or stop <= start:
            continue
        if start > end:
            pieces.append((text[end:start], None))
        pieces.append((text[start:stop], mark["what"] or ""))
        end = stop
    if end < len(text):
        pieces.append((text[end:], None))
    return pieces
