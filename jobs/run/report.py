"""The facts of a run (`jobs.report.facts`) as a summary for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobs.config.scorers import report_counts, report_shares

_BAR = 30  # characters of the longest bar
_TOP = 12  # reasons in the summary


def report_text(facts: Mapping[str, Any]) -> str:
    """Return the summary: funnel, reasons and corpus."""
    return "\n".join(
        [
            "",
            *funnel([*facts["stages"], *facts.get("pair_stages", ())]),
            "",
            *_reasons(facts),
            "",
            *_corpus(facts),
            *_large_buckets(facts),
        ]
    )


def funnel(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table of stages with what they saw and what became of it."""
    lines = [f"{'stage':<20}{'seen':>12}{'kept':>12}{'rejected':>12}{'failed':>10}"]
    lines += [
        f"{row['stage']:<20}{row['seen']:>12,}{row['kept']:>12,}"
        f"{row['rejected']:>12,}{row['failed']:>10,}"
        for row in rows
    ]
    return [*lines, "The balance closes: seen = kept + rejected + failed at every stage."]


def _reasons(facts: Mapping[str, Any]) -> list[str]:
    ranked = sorted(facts["reasons"], key=lambda row: (-row["records"], row["stage"]))
    return ["most frequent reasons"] + [
        f"  {row['records']:>10,}  {row['stage']}: {row['reason']} ({row['outcome']})"
        for row in ranked[:_TOP]
    ]


def _corpus(facts: Mapping[str, Any]) -> list[str]:
    corpus = facts["corpus"]
    counted = "".join(
        f"{corpus[c.name]:,} {c.label}, " for c in report_counts() if c.name in corpus
    )
    lines = [
        f"corpus: {corpus['rows']:,} rows, {corpus['characters']:,} characters, {counted}"
        f"representing {corpus['documents_stood_for']:,} documents"
    ]
    for shares in report_shares():
        rows = facts[shares.name]
        most = max((row["rows"] for row in rows), default=1)
        lines += [
            f"  {row[shares.value] or '-':<14}{row['rows']:>10,}  "
            f"{'#' * round(_BAR * row['rows'] / most)}"
            for row in rows
        ]
    return lines


def _large_buckets(facts: Mapping[str, Any]) -> list[str]:
    """Return a line if buckets of near duplicates were too large to compare all their pairs."""
    buckets = facts["duplicates"].get("near_unsettled_buckets", 0)
    if not buckets:
        return []
    return [
        "",
        f"near duplicates: in {buckets:,} buckets with more than dedup.max_pair_bucket documents "
        "not every pair was compared",
    ]
