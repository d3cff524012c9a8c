"""Tables of a report as the template shows them: columns with a kind, rows of plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "long", "code", "int", "number", "share", "cost", "bar"]

Bar = tuple[str, float, float]
"""Part of a bar: role, start and width as shares of the widest bar."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    label: str
    kind: Kind = "text"

    @property
    def is_number(self) -> bool:
        """Whether its values are right-aligned and sorted by value."""
        return self.kind in ("int", "number", "share", "cost")


@dataclass(frozen=True)
class Table:
    """A table."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    """A value of each column; None for a value that is not known."""

    def __bool__(self) -> bool:
        return bool(self.rows)


def shown_number(value: float | None, kind: Kind) -> str:
    """Return a value as a table shows it.

    >>> shown_number(12345, "int"), shown_number(0.1234, "share"), shown_number(2.345, "number")
    ('12,345', '12.3 %', '2.3')
    >>> shown_number(0.00012, "share"), shown_number(0.0, "share"), shown_number(None, "int")
    ('0.01 %', '0.0 %', '–')
    >>> shown_number(12.5, "cost"), shown_number(0.00123, "cost")
    ('12.50', '0.0012')
    """
    if value is None:
        return "–"
    if kind == "share":
        percent = 100 * value
        digits = 2 if 0 < percent < 1 else 1
        return f"{percent:.{digits}f} %" if percent >= 0.005 or not percent else share(value)
    if kind == "cost":
        return f"{value:,.2f}" if value >= 1 or not value else f"{value:.2g}"
    return f"{value:,.1f}" if kind == "number" else f"{value:,.0f}"


def share(value: float) -> str:
    """Return a share in per cent; small ones keep two digits.

    >>> share(1.0), share(0.5), share(0.00004)
    ('100 %', '50 %', '< 0.01 %')
    """
    percent = 100 * value
    if percent == 0:
        return "0 %"
    if percent < 0.005:
        return "< 0.01 %"
    text = f"{percent:.2f}" if percent < 1 else f"{percent:.1f}"
    return f"{text.rstrip('0').rstrip('.')} %"


def part(amount: float, whole: float) -> float:
    """Return an amount as a share of a whole; 0 of nothing."""
    return amount / whole if whole else 0.0


def stacked(parts: Iterable[tuple[str, float]], scale: float) -> tuple[Bar, ...]:
    """Return the parts of a bar side by side.

    Args:
        scale: What the widest bar of the table amounts to.
    """
    bars, start = [], 0.0
    for role, amount in parts:
        width = part(amount, scale)
        if width > 0:
            bars.append((role, start, width))
        start += width
    return tuple(bars)


def funnel(stages: Iterable[Mapping[str, Any]], most: int | None = None) -> Table:
    """Return a table of stages: what each saw and what became of it.

    Args:
        most: Records of the widest bar; None: each bar is as wide as its stage saw.
    """
    names = ("seen", "kept", "rejected", "failed")
    rows = [
        (
            of["stage"],
            stacked([(name, of[name]) for name in names[1:]], of["seen"] if most is None else most),
            *(of[name] for name in names),
            part(of["kept"], of["seen"]),
        )
        for of in stages
    ]
    columns = (
        Column("stage", "code"),
        Column("of what it saw" if most is None else "all to one scale", "bar"),
        *(Column(name, "int") for name in names),
        Column("kept of seen", "share"),
    )
    return Table(columns, rows)


def counted(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    label: str,
    *,
    further: Sequence[tuple[str, str]] = (),
    of_kept: bool = False,
) -> Table:
    """Return a table of counts with a bar each.

    Args:
        rows: With a value under ``name``, and ``rows``; ``kept`` of them, with of_kept.
        further: Key and label of more numbers.
    """
    most = max((row["rows"] for row in rows), default=0)
    whole = sum(row["rows"] for row in rows)
    columns = [Column(label), Column("", "bar"), Column("documents" if of_kept else "rows", "int")]
    columns += [Column("kept", "share")] if of_kept else [Column("share", "share")]
    columns += [Column(name, "int") for _, name in further]
    return Table(
        tuple(columns),
        [
            (
                row[name],
                stacked(
                    [("kept", row["kept"]), ("rejected", row["rows"] - row["kept"])]
                    if of_kept
                    else [("accent", row["rows"])],
                    most,
                ),
                row["rows"],
                part(row["kept"], row["rows"]) if of_kept else part(row["rows"], whole),
                *(row.get(key) for key, _ in further),
            )
            for row in rows
        ],
    )
