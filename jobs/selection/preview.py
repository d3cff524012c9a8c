"""Preview of a selection: what other thresholds would keep. Nothing is written.

For every score ten thresholds are shown, each with the documents that it and all other conditions
of the selection keep. Caps of hosts are those of the thresholds in use; a budget is not applied,
but compared with what is there.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, ConfigError
from jobs.config.budget import parse_budget
from jobs.config.scorers import declared
from jobs.run.request import Run, Show
from jobs.selection.checks import check_tables
from jobs.selection.decisions import judged_frame
from jobs.transforms.selection.curves import BANDS, banded_histograms, threshold_curves
from jobs.transforms.selection.frame import quality_score
from jobs.transforms.selection.verdicts import SELECTS, fails_alone
from udfs.scorers.declaration import ScoreCurve

Facts = dict[str, Any]

_AMOUNTS = ("documents", "chars", "tokens")
_WHOLE = "tokens"
"""A score without a limit: its histogram has every document that the selection keeps."""
_UNITS = {"tokens": "tokens", "characters": "chars", "documents": "documents"}
_STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))


def shows(arguments: Namespace) -> Show | None:
    """Return the preview, if the arguments ask for it.

    Raises:
        ConfigError: --json without --preview.
    """
    if arguments.preview:
        return partial(show, is_json=arguments.preview_json)
    if arguments.preview_json:
        raise ConfigError("--json: goes with --preview")
    return None


def show(spark: SparkSession, run: Run, *, is_json: bool = False) -> str:
    """Describe what thresholds would keep, in tables or as JSON."""
    check_tables(run)
    found = preview(spark, run)
    if is_json:
        return json.dumps(found, ensure_ascii=False, indent=1)
    return preview_text(found, run.config)


def preview(spark: SparkSession, run: Run) -> Facts:
    """Find what thresholds would keep, in one query.

    Returns:
        ``kept``: documents, chars and tokens that the selection keeps as it is set, None without
        scorer tokens; ``domains``, the same by main label; ``budget``, where one is set, with
        ``asked`` and ``there``, None for bytes; and ``scores``, as of `threshold_curves`.
    """
    rows = [
        row.asDict()
        for row in banded_histograms(
            judged_frame(spark, run), quality_score(run.config), kept_without(run.config)
        ).collect()
    ]
    kept = [row for row in rows if row["score"] == _WHOLE]
    has_tokens = _WHOLE in run.config.score.scorers
    labels = sorted({row["label"] for row in kept}, key=lambda label: (label is None, label))
    found: Facts = {
        "kept": _added(kept) if has_tokens else None,
        "domains": {
            str(label or "none"): _added(row for row in kept if row["label"] == label)
            for label in labels
        },
    }
    if run.config.select.budget is not None:
        budget = parse_budget(run.config.select.budget)
        unit = _UNITS.get(budget.unit)
        there = found["kept"][unit] if has_tokens and unit is not None else None
        found["budget"] = {"unit": budget.unit, "asked": budget.amount, "there": there}
    return found | {"scores": threshold_curves(rows)}


def kept_without(config: Config) -> Callable[[ScoreCurve], Column]:
    """Whether the selection keeps a document whatever its limit on a score.

    Needs: stage, failed_rules.
    """

    def is_kept(curve: ScoreCurve) -> Column:
        is_in = F.col("stage").isNull()
        if curve.reason is None or not _decides(curve, config):
            return is_in
        return is_in | ((F.col("stage") == SELECTS) & fails_alone(curve.reason, config))

    return is_kept


def preview_text(found: Facts, config: Config) -> str:
    """Describe a preview in tables for a terminal."""
    lines = []
    if found["kept"] is not None:
        lines.append(f"the selection keeps {_words(found['kept'])}")
    if "budget" in found:
        lines.append(_budget_line(found["budget"]))
    for curve in found["scores"]:
        lines += ["", *_curve_lines(curve, config)]
    return "\n".join(lines)


def _decides(curve: ScoreCurve, config: Config) -> bool:
    """Whether a limit on this score can be the reason that it names: several scores have the
    reason of quality, and one of them is in use."""
    qualities = [name for name, scorer in declared().items() if scorer.score is not None]
    return curve.name not in qualities or curve.name == config.select.quality_from


def _added(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    totals = dict.fromkeys(_AMOUNTS, 0)
    for row in rows:
        for name in _AMOUNTS:
            totals[name] += row[name]
    return totals


def _budget_line(budget: Mapping[str, Any]) -> str:
    asked = f"budget: {budget['asked']:,} {budget['unit']} asked"
    return asked if budget["there"] is None else f"{asked}, {budget['there']:,} there"


def _curve_lines(curve: Mapping[str, Any], config: Config) -> Iterator[str]:
    """The table of one score: amounts, then documents by quality band and by domain."""
    points: Sequence[Mapping[str, Any]] = curve["curve"]
    bands = [f"{band / BANDS:.1f}" for band in range(BANDS)]
    domains = sorted({name for point in points for name in point["domains"]})
    yield f"{curve['score']}{_limit_words(curve['score'], config)}"
    by_quality = [f"q {band}" for band in bands]
    rows = [
        [
            _number(point["threshold"]),
            *(_short(point[name]) for name in _AMOUNTS),
            *(_short(_documents(point["bands"], band)) for band in bands),
        ]
        for point in points
    ]
    yield from _table([curve["keeps"], *_AMOUNTS, *by_quality], rows)
    yield ""
    yield from _table(
        [curve["keeps"], *domains],
        [
            [
                _number(point["threshold"]),
                *(_short(_documents(point["domains"], name)) for name in domains),
            ]
            for point in points
        ],
    )


def _limit_words(score: str, config: Config) -> str:
    """The limit on a score that is in use, for its heading."""
    curves = {curve.name: curve for scorer in declared().values() for curve in scorer.curves}
    key = curves[score].key
    if key is None or not _decides(curves[score], config):
        return ""
    parts = (config.select, *config.limits.values())
    values = [getattr(part, key) for part in parts if hasattr(part, key)]
    shown = "off" if values[0] is None else f"{values[0]:g}"
    return f", select.{key} = {shown}"


def _documents(amounts: Mapping[str, Mapping[str, int]], name: str) -> int:
    return amounts[name]["documents"] if name in amounts else 0


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table with its columns to the right."""
    widths = [
        max(8, len(head), *(len(row[place]) for row in rows)) for place, head in enumerate(heads)
    ]
    for row in (heads, *rows):
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def _words(amounts: Mapping[str, int]) -> str:
    return (
        f"{amounts['documents']:,} documents, {amounts['chars']:,} characters, "
        f"{amounts['tokens']:,} tokens"
    )


def _number(value: float) -> str:
    """A threshold.

    >>> _number(0.3), _number(1448.1546878700494), _number(0.8408964152537145)
    ('0.3', '1,448', '0.841')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _short(count: int) -> str:
    """A count in at most five characters.

    >>> _short(999), _short(12_345), _short(20_000_000_000), _short(999_999)
    ('999', '12.3K', '20B', '1M')
    """
    for number, (step, letter) in enumerate(_STEPS):
        if count >= step:
            text = f"{count / step:.3g}"
            if text == "1e+03" and number:
                return f"1{_STEPS[number - 1][1]}"
            return f"{text}{letter}"
    return str(count)
