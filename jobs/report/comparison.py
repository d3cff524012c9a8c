"""What a comparison of two outputs shows: the sections of its page, and its summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jobs.report.differences import Cause, Move
from jobs.report.sections import PageBlock, Section, ShownSample, folded, marked, table
from jobs.report.tables import Column, Table, part, share, stacked
from jobs.transforms.outcomes import ABSENT

_TOP = 12
_MATRIX = 14
"""Outcomes that a matrix shows; the table of moves has all."""
_SHOWN_MOVES = 200
_HEATS = 5

Facts = Mapping[str, Any]


def comparison_text(other: str, moves: Sequence[Move], causes: Sequence[Cause]) -> str:
    """Return the summary of a comparison, as lines of text."""
    lines = ["", _finding(moves) + f", compared with {other}"]
    lines += [
        f"  {move.documents:>10,}  {move.before} -> {move.after}" for move in _moved(moves)[:_TOP]
    ]
    lines += [f"differs: {cause}" for cause in causes] or ["nothing that is recorded differs"]
    return "\n".join(lines)


def comparison_view(
    other: str,
    before: Facts,
    after: Facts,
    moves: Sequence[Move],
    causes: Sequence[Cause],
    texts: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what the template shows of a comparison.

    Args:
        other: The output that was before.
        texts: doc_id -> text, and scores ``before`` and ``after``, of samples.
    """
    moved = _moved(moves)
    only = {
        side: sum(move.documents for move in moves if getattr(move, side) == ABSENT)
        for side in ("before", "after")
    }
    rows = [facts["corpus"]["rows"] for facts in (before, after)]
    sections = [
        _causes(causes),
        _moves(moved, sum(move.documents for move in moves)),
        _matrix(moves),
        _samples(moved, texts),
        _stages(before, after),
        _reasons(before, after),
    ]
    return {
        "head": "taojin runs compared",
        "kicker": f"taojin runs compared · before: {other}",
        "title": _finding(moves),
        "lead": "Documents are matched by doc_id. Before is the other output, after is this one.",
        "tiles": [
            ("corpus before", f"{rows[0]:,}"),
            ("corpus after", f"{rows[1]:,}"),
            ("difference", f"{rows[1] - rows[0]:+,}"),
            ("documents of both", f"{_common(moves):,}"),
            ("only before", f"{only['after']:,}"),
            ("only after", f"{only['before']:,}"),
        ],
        "sections": [section for section in sections if section.blocks],
        "foot": f"before finished {before['finished']} · after finished {after['finished']}",
    }


def _causes(causes: Sequence[Cause]) -> Section:
    columns = (
        Column("what"),
        Column("name", "code"),
        Column("stage", "code"),
        Column("before", "code"),
        Column("after", "code"),
    )
    rows = [
        (cause.kind, cause.name, cause.stage or "-", _value(cause.before), _value(cause.after))
        for cause in causes
    ]
    of_stages = [cause for cause in causes if cause.stage]
    finding = "Nothing that is recorded differs"
    if of_stages:
        more = len(of_stages) - 1
        finding = str(of_stages[0]) + (f", and {more:,} more" if more else "")
    elif causes:
        finding = "No stage reads what differs"
    note = "A setting without a stage changes no table."
    return Section("why", "What differs", finding, [table(Table(columns, rows), note=note)])


def _moves(moved: Sequence[Move], documents: int) -> Section:
    most = moved[0].documents if moved else 0
    columns = (
        Column("before", "code"),
        Column("after", "code"),
        Column("documents", "int"),
        Column("share", "share"),
        Column("why", "long"),
        Column("", "bar"),
    )
    rows = [
        (
            *(move.before, move.after, move.documents, part(move.documents, documents)),
            "; ".join(map(str, move.causes)) or "follows from other documents",
            stacked([("accent", move.documents)], most),
        )
        for move in moved[:_SHOWN_MOVES]
    ]
    finding = "Every document ended where it had ended"
    if moved:
        first = moved[0]
        finding = f"Most went from {first.before} to {first.after}: {first.documents:,}"
    note = (
        "Causes are those of the first stage that decided otherwise. Which of several duplicates "
        "is kept may follow from other documents."
    )
    blocks = [table(Table(columns, rows), note=note)] if rows else []
    return Section("moves", "Moves", finding, blocks)


def _matrix(moves: Sequence[Move]) -> Section:
    """All documents by outcome before (rows) and after (columns)."""
    counts = {(move.before, move.after): move.documents for move in moves}
    sums: dict[str, int] = {}
    for move in moves:
        for outcome in {move.before, move.after}:
            sums[outcome] = sums.get(outcome, 0) + move.documents
    names = sorted(sums, key=lambda name: (-sums[name], name))[:_MATRIX]

    def heat(row: str, column: str) -> int:
        whole = sum(counts.get((row, name), 0) for name in names)
        shade = _HEATS * part(counts.get((row, column), 0), whole)
        return 0 if row == column or not shade else min(_HEATS, int(shade) + 1)

    rows = [
        (row, [(counts.get((row, column), 0), heat(row, column)) for column in names])
        for row in names
    ]
    same = sum(count for (row, column), count in counts.items() if row == column)
    finding = f"{same:,} documents ended where they had ended"
    note = (
        "Rows: before; columns: after. Shades are shares of the row. "
        f"{ABSENT}: the output does not have the document."
    )
    block = PageBlock("matrix", names=names, rows=rows, note=note)
    return Section("matrix", "From and to", finding, [block] if len(names) > 1 else [])


def _samples(moved: Sequence[Move], texts: Mapping[str, Mapping[str, Any]]) -> Section:
    blocks = []
    for move in moved[:_TOP]:
        samples = [
            ShownSample(
                row["doc_id"],
                row["url"] or "no url",
                _numbers(texts.get(row["doc_id"], {})),
                marked(texts.get(row["doc_id"], {}).get("text") or "", ()),
                is_hidden=_offends(move),
            )
            for row in move.samples
        ]
        summary = f"{move.before} → {move.after}: {len(samples):,} of {move.documents:,}"
        blocks.append(folded(summary, PageBlock("samples", samples=samples)))
    finding = "Documents that moved, the same ones every time"
    return Section("samples", "Samples", finding, blocks)


def _numbers(of: Mapping[str, Any]) -> list[str]:
    """Describe the scores of a sample, with both values where they differ."""
    before, after = of.get("before", {}), of.get("after", {})
    found = []
    for name in dict.fromkeys([*before, *after]):
        values = [side.get(name) for side in (before, after)]
        known = [f"{value:.4g}" for value in values if value is not None]
        if known:
            found.append(f"{name} {' → '.join(dict.fromkeys(known))}")
    return found


def _offends(move: Move) -> bool:
    """Whether the texts of a move may be what nobody wants to read unasked."""
    words = ("toxic", "sensitive", "pornography", "host_blocked", "perplexity")
    return any(word in outcome for word in words for outcome in (move.before, move.after))


def _stages(before: Facts, after: Facts) -> Section:
    sides = [{row["stage"]: row for row in facts["stages"]} for facts in (before, after)]
    names = list(dict.fromkeys([*sides[1], *sides[0]]))
    columns = (
        Column("stage", "code"),
        Column("seen before", "int"),
        Column("seen after", "int"),
        Column("kept before", "int"),
        Column("kept after", "int"),
        Column("seconds before", "number"),
        Column("seconds after", "number"),
    )
    rows = [
        (
            name,
            *(side.get(name, {}).get(key) for key in ("seen", "kept", "seconds") for side in sides),
        )
        for name in names
    ]
    different = [row[0] for row in rows if row[3] != row[4]]
    finding = f"{len(different):,} of {len(rows):,} stages kept another number"
    return Section("stages", "Stages", finding, [table(Table(columns, rows))])


def _reasons(before: Facts, after: Facts) -> Section:
    sides = [_by_reason(facts["reasons"]) for facts in (before, after)]
    columns = (
        Column("stage", "code"),
        Column("reason", "code"),
        Column("before", "int"),
        Column("after", "int"),
        Column("difference", "int"),
    )
    rows: list[tuple[Any, ...]] = [
        (*key, *(side.get(key, 0) for side in sides), sides[1].get(key, 0) - sides[0].get(key, 0))
        for key in sorted(sides[0].keys() | sides[1].keys())
    ]
    rows.sort(key=lambda row: -abs(row[4]))
    finding = "Every reason counts as many records"
    if rows and rows[0][4]:
        finding = f"{rows[0][1]} changed most: {rows[0][4]:+,} records"
    return Section("reasons", "Reasons", finding, [table(Table(columns, rows))])


def _by_reason(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    return {(row["stage"], row["reason"]): row["records"] for row in rows}


def _moved(moves: Sequence[Move]) -> list[Move]:
    return [move for move in moves if move.before != move.after]


def _common(moves: Sequence[Move]) -> int:
    return sum(move.documents for move in moves if ABSENT not in (move.before, move.after))


def _finding(moves: Sequence[Move]) -> str:
    moved = sum(move.documents for move in _moved(moves))
    whole = sum(move.documents for move in moves)
    return f"{moved:,} of {whole:,} documents ended elsewhere ({share(part(moved, whole))})"


def _value(value: object) -> str:
    return "off" if value is None else str(value)
