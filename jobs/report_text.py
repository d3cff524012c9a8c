"""The summary of a run for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BAR = 30
_TOP = 12


def report_text(facts: Mapping[str, Any], root: str) -> str:
    """Funnel, reject reasons, domain mix, throughput and where the report is."""
    return "\n".join(
        [
            "",
            *_funnel(facts),
            "",
            *_reasons(facts),
            "",
            *_domains(facts),
            "",
            *_throughput(facts),
            *_unsettled(facts),
            "",
            f"corpus   {root}/corpus",
            f"report   {root}/report/index.html",
        ]
    )


def _funnel(facts: Mapping[str, Any]) -> list[str]:
    lines = [f"{'stage':<20}{'seen':>12}{'kept':>12}{'rejected':>12}{'failed':>10}"]
    lines += [
        f"{row['stage']:<20}{row['seen']:>12,}{row['kept']:>12,}"
        f"{row['rejected']:>12,}{row['failed']:>10,}"
        for row in facts["stages"]
    ]
    return [*lines, "The balance closes: seen = kept + rejected + failed at every stage."]


def _reasons(facts: Mapping[str, Any]) -> list[str]:
    ranked = sorted(facts["reasons"], key=lambda row: (-row["records"], row["stage"]))
    return ["most frequent reasons"] + [
        f"  {row['records']:>10,}  {row['stage']}: {row['reason']} ({row['outcome']})"
        for row in ranked[:_TOP]
    ]


def _domains(facts: Mapping[str, Any]) -> list[str]:
    corpus = facts["corpus"]
    most = max((row["rows"] for row in facts["domains"]), default=1)
    head = (
        f"corpus: {corpus['rows']:,} rows, {corpus['characters']:,} characters, "
        f"{corpus['toxic_rows']:,} labelled toxic, "
        f"standing for {corpus['documents_stood_for']:,} documents"
    )
    return [head] + [
        f"  {row['domain']:<14}{row['rows']:>10,}  {'#' * round(_BAR * row['rows'] / most)}"
        for row in facts["domains"]
    ]


def _throughput(facts: Mapping[str, Any]) -> list[str]:
    return ["throughput (all cores)"] + [
        f"  {row['stage']:<20}{row['seconds']:>9,.1f} s{row['per_second']:>12,.0f} /s"
        for row in facts["stages"]
    ]


def _unsettled(facts: Mapping[str, Any]) -> list[str]:
    """A line where buckets of near duplicates were too large to be searched whole."""
    buckets = facts["duplicates"].get("near_unsettled_buckets", 0)
    if not buckets:
        return []
    return [
        "",
        f"near duplicates: {buckets:,} buckets of over dedup.max_pair_bucket documents were not "
        "searched whole",
    ]
