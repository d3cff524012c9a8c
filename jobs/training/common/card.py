"""CARD.md, the evaluation card of a trained artifact, rendered from its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CALIBRATION = (
    "Of held-out documents, as above: the share that the score's claim holds for, by score; what "
    "precision to expect from a threshold on, and which share of the documents that leaves. "
    "Precision follows the share that the claim holds for among all: it is higher after rules have "
    "removed junk. Intervals are Wilson's at 95 %, as wide as for one document a site or source. "
    "By kind of page, the shift is what to add to the log odds of the score; the log loss of "
    "shifted scores is of sites that the shifts were not fitted on."
)


def render_card(metrics: Mapping[str, Any], purpose: str, split: str, weaknesses: str) -> str:
    """Render the card of one artifact as Markdown.

    Args:
        metrics: Content of the artifact's metrics.json.
        purpose: What the model's score means.
        split: What was held out, and how.
        weaknesses: Where the model is known to fail.
    """
    model, recipe = metrics["model"], metrics["recipe"]
    parts = [
        f"# {metrics['task']}",
        purpose,
        "\n".join(
            [
                f"- file: `{model['file']}`, {model['bytes']:,} bytes",
                f"- sha256: `{model['sha256']}`",
                *(
                    f"- second file: `{other['file']}`, {other['bytes']:,} bytes, sha256 "
                    f"`{other['sha256']}`"
                    for other in metrics["other_files"]
                ),
                f"- labels: {', '.join(model['labels'])}",
                "- made with:",
            ]
        ),
        f"```\n{metrics['command']}\n```",
        "The same command on the same data and the same versions of the packages gives the same "
        "bytes on one machine; another processor may round differently.",
        "## Data",
        _table(
            ("file", "rows", "used for", "licence", "sha256"),
            [
                (f"`{d['file']}`", d["rows"], d["use"], d["licence"], _digests(d))
                for d in metrics["data"]
            ],
        ),
        "## Recipe",
        _table(("parameter", "value"), list(recipe.items())),
        "## Figures",
        split,
    ]
    for name, figures in metrics["figures"].items():
        parts += [f"### {name}", *_figures(figures)]
    if calibration := metrics.get("calibration"):
        parts += ["## What a score means", CALIBRATION]
        for name, tables in calibration.items():
            parts += [f"### {name}", *_calibration(tables)]
    return "\n\n".join([*parts, "## Known weaknesses", weaknesses]) + "\n"


def _digests(data: Mapping[str, Any]) -> str:
    attached = data.get("attachments_sha256")
    return f"`{data['sha256']}`" + (f"; attachments `{attached}`" if attached else "")


def _figures(figures: Mapping[str, Any]) -> list[str]:
    plain = {k: v for k, v in figures.items() if k not in ("at", "calibration", "labels")}
    parts = [_table(("figure", "value"), list(plain.items()))] if plain else []
    for name in ("at", "calibration"):
        if rows := figures.get(name):
            parts.append(_table(list(rows[0]), [list(row.values()) for row in rows]))
    if "labels" in figures:
        rows = [{"label": label, **row} for label, row in figures["labels"].items()]
        parts.append(_table(list(rows[0]), [list(row.values()) for row in rows]))
    return parts


def _calibration(tables: Mapping[str, Any]) -> list[str]:
    plain = {k: v for k, v in tables.items() if not isinstance(v, (list, bool))}
    parts = [_table(("figure", "value"), list(plain.items()))]
    for name in ("reliability", "thresholds", "kinds"):
        if rows := tables.get(name):
            parts.append(_table(list(rows[0]), [list(row.values()) for row in rows]))
    return parts


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
