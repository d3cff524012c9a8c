"""The facts of a run as a summary for a terminal and as one HTML file.

The HTML file has no scripts and loads nothing. Facts are those of
`jobs.pipeline.reporting.gather_facts`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from jobs.config.scorers import report_counts, report_shares

_BAR = 30  # characters of the longest bar
_TOP = 12  # reasons in the summary
_FUNNEL_COLUMNS = ("seen", "kept", "rejected", "failed")
_WIDTH, _HEIGHT = 320, 14  # pixels of a bar
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; color: #222;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #ddd;
       overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.bar { width: 40%; } svg { display: block; }
.kept { fill: #2f7d4f; } .rejected { fill: #d9a441; } .failed { fill: #b5453c; }
.plain { fill: #4a72a8; } pre { overflow-x: auto; background: #f6f6f4; padding: .8rem; }
.legend span { margin-right: 1.2rem; } .legend i { display: inline-block; width: .8em;
       height: .8em; margin-right: .3em; }
"""


def report_text(facts: Mapping[str, Any]) -> str:
    """Return the summary: funnel, reasons and corpus."""
    return "\n".join(
        [
            "",
            *funnel(facts["stages"]),
            "",
            *_reasons(facts),
            "",
            *_corpus(facts),
            *_large_buckets(facts),
        ]
    )


def report_page(facts: Mapping[str, Any]) -> str:
    """Return the HTML page. All text from data is escaped."""
    corpus = facts["corpus"]
    sections = [
        "<h2>Funnel</h2>" + _legend() + _funnel_html(facts["stages"]),
        "<h2>Why records were not kept</h2>" + _reasons_html(facts["reasons"]),
        "<h2>Search for duplicates</h2>"
        + _table(
            ({"count": name, "n": n} for name, n in facts["duplicates"].items()), ("count", "n")
        ),
        *(
            f"<h2>{escape(shares.title)}</h2>" + _bars(facts[shares.name], shares.value)
            for shares in report_shares()
        ),
        "<h2>Quality of the corpus</h2>" + _bars(_with_bin_names(facts["quality"]), "quality"),
        "<h2>Character sets of the documents</h2>" + _bars(facts["charsets"], "charset"),
        "<h2>Edits of the corpus</h2>" + _table(facts["edits"], ("edit", "rows", "places")),
        "<h2>Personal data in the corpus, masked where edits say so</h2>"
        + _table(facts["pii"], ("pii", "rows", "places")),
        "<h2>A rejected document for every reason</h2>"
        + _table(
            facts["samples"], ("stage", "reason", "doc_id", "url", "warc_path", "warc_offset")
        ),
        "<h2>Artifacts</h2>"
        + _table(facts["artifacts"].values(), ("name", "version", "sha256", "licence")),
        "<h2>Versions</h2><pre>" + escape(json.dumps(facts["versions"], indent=1)) + "</pre>",
        "<h2>Configuration</h2><pre>" + escape(json.dumps(facts["config"], indent=1)) + "</pre>",
    ]
    counted = "".join(f"{corpus[c.name]:,} rows are {c.label}; " for c in report_counts())
    lead = (
        f"{corpus['rows']:,} rows and {corpus['characters']:,} characters from "
        f"{facts['input']['splits']:,} input file(s); {counted}"
        f"the rows represent {corpus['documents_stood_for']:,} documents. "
        f"Finished {facts['finished']}."
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>taojin run</title>'
        f"<style>{_STYLE}</style></head><body><h1>taojin run</h1><p>{escape(lead)}</p>"
        + "".join(sections)
        + "</body></html>"
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
    counted = "".join(f"{corpus[c.name]:,} {c.label}, " for c in report_counts())
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


def _legend() -> str:
    colours = (("kept", "#2f7d4f"), ("rejected", "#d9a441"), ("failed", "#b5453c"))
    items = "".join(f'<span><i style="background:{c}"></i>{name}</span>' for name, c in colours)
    return f'<p class="legend">{items}</p>'


def _funnel_html(stages: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for row in stages:
        numbers = "".join(f'<td class="n">{row[key]:,}</td>' for key in _FUNNEL_COLUMNS)
        rate = (
            f'<td class="n">{row["seconds"]:,.1f}</td><td class="n">{row["per_second"]:,.0f}</td>'
        )
        rows.append(f"<tr><td>{row['stage']}</td>{numbers}{rate}<td>{_split_bar(row)}</td></tr>")
    heads = "".join(
        f'<th class="n">{name}</th>' for name in (*_FUNNEL_COLUMNS, "seconds", "a second")
    )
    return f"<table><tr><th>stage</th>{heads}<th></th></tr>{''.join(rows)}</table>"


def _split_bar(row: Mapping[str, Any]) -> str:
    """Draw kept, rejected and failed side by side, as shares of what the stage saw."""
    parts, x = [], 0.0
    for name in ("kept", "rejected", "failed"):
        width = _WIDTH * row[name] / max(row["seen"], 1)
        parts.append(f'<rect class="{name}" x="{x:.1f}" width="{width:.1f}" height="{_HEIGHT}"/>')
        x += width
    return _svg("".join(parts))


def _bars(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    most = max((row["rows"] for row in rows), default=1)
    lines = []
    for row in rows:
        width = _WIDTH * row["rows"] / most
        bar = _svg(f'<rect class="plain" width="{width:.1f}" height="{_HEIGHT}"/>')
        lines.append(
            f'<tr><td>{_cell(row[name])}</td><td class="n">{row["rows"]:,}</td>'
            f'<td class="bar">{bar}</td></tr>'
        )
    return (
        f'<table><tr><th>{name}</th><th class="n">rows</th><th></th></tr>{"".join(lines)}</table>'
    )


def _reasons_html(rows: Iterable[Mapping[str, Any]]) -> str:
    return _table(rows, ("stage", "outcome", "reason", "records"))


def _with_bin_names(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"quality": f"{row['bin'] / 10:.1f} to {(row['bin'] + 1) / 10:.1f}", "rows": row["rows"]}
        for row in rows
    ]


def _table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    heads = "".join(f"<th>{name}</th>" for name in columns)
    lines = "".join(
        "<tr>" + "".join(f"<td>{_cell(row[name])}</td>" for name in columns) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{heads}</tr>{lines}</table>"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _svg(content: str) -> str:
    return f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img">{content}</svg>'
