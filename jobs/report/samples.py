"""The documents that a report shows: rows of the table audit, by what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobs.report.sections import PageBlock, ShownSample, folded, marked

Row = Mapping[str, Any]

COLUMNS = (
    *("stage", "reason", "kind", "place", "doc_id", "url", "text", "text_chars", "marks"),
    *("numbers", "other_doc_id", "other_text", "other_marks"),
)
"""Columns of the table audit that the report reads."""

_TITLES = {
    "kept": "Kept",
    "borderline": "Kept or removed by little",
    "near_pair": "Near duplicates, with what differs",
    "rejected": "Removed",
    "toxic": "Toxic",
}
"""Kind of sample -> title, in the order of the page."""

OFFENSIVE = (
    *("toxic", "sensitive", "pornography", "gambling", "perplexity", "host_blocked", "nsfw"),
)
"""Parts of the reasons whose texts are shown when the reader asks for them."""


def sample_blocks(rows: Iterable[Row]) -> list[PageBlock]:
    """Return the samples of the table audit, each reason folded, those of a kind together."""
    groups: dict[tuple[int, str, str, str], list[Row]] = {}
    kinds = list(_TITLES)
    for row in rows:
        rank = kinds.index(row["kind"]) if row["kind"] in kinds else len(kinds)
        key = (rank, row["kind"], row["stage"] or "", row["reason"] or "")
        groups.setdefault(key, []).append(row)
    blocks: list[PageBlock] = []
    for (_, kind, stage, reason), of in sorted(groups.items()):
        ordered = sorted(of, key=lambda row: (row["place"], row["doc_id"]))
        name = " / ".join(word for word in (stage, reason) if word)
        summary = f"{_TITLES.get(kind, kind)}{f': {name}' if name else ''} ({len(ordered):,})"
        is_open = kind == "near_pair" and not any(block.is_open for block in blocks)
        shown = PageBlock("samples", samples=[_sample(row) for row in ordered])
        blocks.append(folded(summary, shown, is_open=is_open))
    return blocks


def _sample(row: Row) -> ShownSample:
    text, chars = row["text"] or "", row["text_chars"]
    facts = [_number(number) for number in row["numbers"] or ()]
    if chars is not None:
        cut = f", {len(text):,} of them shown" if chars > len(text) else ""
        facts.append(f"{chars:,} characters{cut}")
    reason = row["reason"] or ""
    return ShownSample(
        row["doc_id"],
        row["url"] or "no url",
        facts,
        marked(text, row["marks"]),
        row["other_doc_id"],
        marked(row["other_text"] or "", row["other_marks"]),
        is_hidden=row["kind"] == "toxic" or any(word in reason for word in OFFENSIVE),
    )


def _number(number: Mapping[str, Any]) -> str:
    """Describe a measure that fired."""
    value = "unknown" if number["value"] is None else f"{number['value']:.4g}"
    limit = number["limit"]
    return f"{number['name']} {value}" + (f" (limit {limit})" if limit else "")
