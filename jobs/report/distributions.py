"""Histograms of scores and lengths with the limits in use, and what other limits would keep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from jobs.report.plots import Axis, Bar, CurveLine, Threshold, curves, histogram
from jobs.report.sections import Figure, PageBlock, folded, legend, table
from jobs.report.tables import Column, Table, part, share

Facts = Mapping[str, Any]

_SHARE_BINS = 100
_PER_DOUBLING = 4
_FURTHER_LIMITS = {
    "toxicity": (("toxicity", "min_label_score", "label"),),
    "perplexity": (("perplexity", "max_perplexity", "flag"),),
    "chars": (("rules", "min_chars", "rule"),),
}
"""Score -> section, key and short name of settings beside the limit of the selection."""
_AMOUNTS = (("documents", "accent"), ("chars", "second"), ("tokens", "third"))


def score_blocks(facts: Facts) -> tuple[str, list[PageBlock]]:
    """Return the finding and the blocks of the section on scores."""
    histograms = facts.get("histograms", [])
    figures = [_histogram(of, facts) for of in histograms if of["bins"]]
    if facts["lengths"]:
        figures.insert(0, _lengths(facts))
    finding = "What the scored documents are like"
    for of in histograms:
        limit = _limit(of, facts)
        if of["score"] == facts["config"]["select"].get("quality_from") and limit is not None:
            kept = sum(row["documents"] for row in of["bins"] if _is_kept(of, row["bin"], limit))
            whole = sum(row["documents"] for row in of["bins"])
            finding = (
                f"{share(part(kept, whole))} of {whole:,} scored documents reach {of['score']} "
                f"{limit:g}, the limit in use"
            )
            break
    if not figures:
        return finding, []
    blocks = [
        legend(("kept", "passes this limit, or is in the corpus"), ("rejected", "does not")),
        PageBlock(
            "figures",
            figures=figures,
            note="Scores are of all scored documents, kept or not. A dashed line is a setting.",
        ),
    ]
    return finding, blocks


def curve_blocks(facts: Facts) -> tuple[str, list[PageBlock]]:
    """Return the finding and the blocks of the section on other thresholds."""
    by_score = {of["score"]: of for of in facts.get("histograms", [])}
    limited = [
        (by_score[found["score"]], found)
        for found in facts.get("curves", [])
        if found["score"] in by_score and by_score[found["score"]]["key"] is not None
    ]
    if not limited:
        return "No score has a limit", []
    figures = [_curve(of, facts) for of, _ in limited]
    tables = [
        folded(f"{of['score']}: ten thresholds, and by domain", *_thresholds(of, found))
        for of, found in limited
    ]
    shown = _AMOUNTS if _has_tokens(limited[0][0]) else _AMOUNTS[:1]
    return _steepest(limited[0][0], facts), [
        legend(*((role, name) for name, role in shown)),
        PageBlock("figures", figures=figures),
        *tables,
    ]


def _histogram(of: Mapping[str, Any], facts: Facts) -> Figure:
    limit = _limit(of, facts)
    bars = [
        Bar(
            _place(of, row["bin"]),
            _place(of, row["bin"] + 1),
            row["documents"],
            "accent" if limit is None else _role(of, row["bin"], limit),
            f"{_span(of, row['bin'])}: {row['documents']:,} documents",
        )
        for row in of["bins"]
    ]
    lines = [] if limit is None else [(limit, of["key"])]
    for section, key, name in _FURTHER_LIMITS.get(of["score"], ()):
        value = facts["config"].get(section, {}).get(key)
        if value is not None:
            lines.append((float(value), f"{section}.{key}" if name != "rule" else key))
    thresholds = [_threshold(of["is_log"], at, name) for at, name in lines]
    whole = sum(row["documents"] for row in of["bins"])
    svg = histogram(
        f"Histogram of {of['score']} over {whole:,} documents",
        bars,
        _axis(of, bars, [line.at for line in thresholds]),
        thresholds,
    )
    return Figure(of["score"], svg)


def _lengths(facts: Facts) -> Figure:
    """All extracted documents by length, with those that the corpus kept in front."""
    rows = facts["lengths"]
    of = {"score": "length", "is_log": True}
    bars = []
    for row in rows:
        place = (_place(of, row["bin"]), _place(of, row["bin"] + 1))
        title = f"{_span(of, row['bin'])}: {row['documents']:,} documents, {row['kept']:,} kept"
        bars.append(Bar(*place, row["documents"], "rejected", title))
        if row["kept"]:
            bars.append(Bar(*place, row["kept"], "kept", title))
    least = facts["config"].get("rules", {}).get("min_chars")
    thresholds = [] if not least else [_threshold(True, float(least), "rules.min_chars")]
    axis = _axis(of, bars, [line.at for line in thresholds])
    svg = histogram("Extracted documents by length", bars, axis, thresholds)
    return Figure("length of all extracted documents", svg)


def _curve(of: Mapping[str, Any], facts: Facts) -> Figure:
    limit = _limit(of, facts)
    amounts = _AMOUNTS if _has_tokens(of) else _AMOUNTS[:1]
    lines = [CurveLine(role, f"{name} kept", _kept_shares(of, name)) for name, role in amounts]
    places = [x for line in lines for x, _ in line.points]
    bars = [Bar(min(places), max(places), 1, "", "")]
    thresholds = [] if limit is None else [_threshold(of["is_log"], limit, of["key"])]
    svg: Markup = curves(
        f"Share that each threshold of {of['score']} keeps",
        lines,
        _axis(of, bars, [line.at for line in thresholds]),
        thresholds,
    )
    word = "at most" if of["keeps_below"] else "at least"
    return Figure(f"{of['score']}, {word}", svg)


def _kept_shares(of: Mapping[str, Any], amount: str) -> list[tuple[float, float]]:
    """Share of an amount that each threshold keeps, at the edges of the bins."""
    rows = sorted(of["bins"], key=lambda row: int(row["bin"]))
    whole = sum(row[amount] for row in rows)
    first, last = (0, _SHARE_BINS) if not of["is_log"] else (rows[0]["bin"], rows[-1]["bin"] + 1)
    by_bin = {row["bin"]: row[amount] for row in rows}
    points, below = [], 0
    for edge in range(first, last + 1):
        kept = below if of["keeps_below"] else whole - below
        points.append((_place(of, edge), part(kept, whole)))
        below += by_bin.get(edge, 0)
    return points


def _thresholds(of: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[PageBlock]:
    """Tables of what ten thresholds keep: in all, and of each domain."""
    wholes = {name: sum(row[name] for row in of["bins"]) for name, _ in _AMOUNTS}
    amounts = [name for name, _ in _AMOUNTS if wholes[name]]
    rows = [
        (
            _number(step["threshold"]),
            *(value for name in amounts for value in (step[name], part(step[name], wholes[name]))),
        )
        for step in found["curve"]
    ]
    columns = [Column("at most" if of["keeps_below"] else "at least", "code")]
    for name in amounts:
        columns += [Column(name, "int"), Column("kept", "share")]
    yield table(Table(tuple(columns), rows))
    domains = sorted({name for step in found["curve"] for name in step["domains"]})
    if len(domains) > 1:
        most = {
            name: max(step["domains"].get(name, {}).get("documents", 0) for step in found["curve"])
            for name in domains
        }
        rows = [
            (
                _number(step["threshold"]),
                *(
                    part(step["domains"].get(name, {}).get("documents", 0), most[name])
                    for name in domains
                ),
            )
            for step in found["curve"]
        ]
        heads = (columns[0], *(Column(name, "share") for name in domains))
        yield table(
            Table(heads, rows),
            note="Documents of each domain, as shares of what the widest threshold here keeps.",
        )


def _steepest(of: Mapping[str, Any], facts: Facts) -> str:
    """Say what another threshold than the one in use would keep."""
    rows = of["bins"]
    whole = sum(row["documents"] for row in rows)
    limit = _limit(of, facts)
    other = 0.9 if limit != 0.9 else 0.5
    if of["is_log"] or of["keeps_below"]:
        return f"What other limits on {of['score']} would keep"
    kept = sum(row["documents"] for row in rows if row["bin"] >= round(other * _SHARE_BINS))
    return (
        f"A limit of {other:g} on {of['score']} would keep {share(part(kept, whole))} of the "
        "scored documents"
    )


def _limit(of: Mapping[str, Any], facts: Facts) -> float | None:
    """The selection's limit on a score; None where it is off."""
    value = facts["config"]["select"].get(of["key"]) if of["key"] is not None else None
    return float(value) if isinstance(value, int | float) else None


def _is_kept(of: Mapping[str, Any], number: int, limit: float) -> bool:
    """Whether documents of a bin pass a limit, judged by the middle of the bin."""
    middle = (number + 0.5) / (_PER_DOUBLING if of["is_log"] else _SHARE_BINS)
    value = 2.0**middle if of["is_log"] else middle
    return value <= limit if of["keeps_below"] else value >= limit


def _role(of: Mapping[str, Any], number: int, limit: float) -> str:
    return "kept" if _is_kept(of, number, limit) else "rejected"


def _has_tokens(of: Mapping[str, Any]) -> bool:
    return any(row["tokens"] for row in of["bins"])


def _place(of: Mapping[str, Any], number: int) -> float:
    """Place of a bin's lower end on the axis."""
    return number / (_PER_DOUBLING if of["is_log"] else _SHARE_BINS)


def _span(of: Mapping[str, Any], number: int) -> str:
    low, high = _place(of, number), _place(of, number + 1)
    return (
        f"{_number(2.0**low)} to {_number(2.0**high)}" if of["is_log"] else f"{low:g} to {high:g}"
    )


def _threshold(is_log: bool, value: float, name: str) -> Threshold:
    at = math.log2(value) if is_log and value > 0 else value
    return Threshold(at, f"{name} {_number(value)}")


def _axis(of: Mapping[str, Any], bars: Sequence[Bar], marks: Sequence[float]) -> Axis:
    if not of["is_log"]:
        return Axis(0.0, 1.0, [(n / 5, f"{n / 5:g}") for n in range(6)], of["score"])
    low = min([bar.left for bar in bars] + list(marks)) - 0.25
    high = max([bar.right for bar in bars] + list(marks)) + 0.25
    inside: list[tuple[float, str]] = []
    for steps in ((1,), (1, 2, 5), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)):
        values = (step * 10.0**power for power in range(-8, 13) for step in steps)
        ticks = ((math.log2(value), _number(value)) for value in values)
        found = [tick for tick in ticks if low <= tick[0] <= high]
        if len(found) <= 8:
            inside = found
    return Axis(low, high, inside, f"{of['score']}, log scale")


def _number(value: float) -> str:
    """Return a number of an axis or a setting.

    >>> _number(1000.0), _number(0.05), _number(12345.6), _number(2.5)
    ('1,000', '0.05', '12,346', '2.5')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
