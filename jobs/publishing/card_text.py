"""Pieces of a dataset card: front matter as YAML, tables, and the Hub's categories of size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")),
    *((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B")),
    *((10**11, "10B<n<100B"), (10**12, "100B<n<1T")),
)
"""Categories of the Hub, by the number of rows below which they apply."""


def size_category(rows: int) -> str:
    """Return the Hub's category of a number of rows.

    >>> size_category(0), size_category(1000), size_category(10**13)
    ('n<1K', '1K<n<10K', 'n>1T')
    """
    return next((name for below, name in _SIZES if rows < below), "n>1T")


def front_matter(data: Mapping[str, Any]) -> str:
    """Return the head of a card, between its lines of dashes.

    >>> print(front_matter({"language": ["zh"], "configs": [{"config_name": "default"}]}))
    ---
    language:
      - "zh"
    configs:
      - config_name: "default"
    ---
    """
    return f"---\n{_yaml(data)}---"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table in Markdown; whole numbers get their commas.

    >>> print(table(("", "number"), [("rows", 1000)]))
    |  | number |
    |---|---|
    | rows | 1,000 |
    """
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def columns_table(names_and_types: Iterable[tuple[str, Any]]) -> str:
    """Return the table of a format's columns.

    >>> print(columns_table([("text", "string")]))
    | column | type (Arrow) |
    |---|---|
    | `text` | `string` |
    """
    rows = [(f"`{name}`", f"`{kind}`") for name, kind in names_and_types]
    return table(("column", "type (Arrow)"), rows)


def settings_table(settings: Mapping[str, Any]) -> str:
    """Return the table of thresholds and choices; those that are off or empty are left out."""
    rows = [
        (f"`{key}`", f"`{json.dumps(value, ensure_ascii=False)}`")
        for key, value in settings.items()
        if value not in (None, [], {})
    ]
    return table(("setting", "value"), rows)


def funnel_tables(facts: Mapping[str, Any]) -> str:
    """Return the tables of what each stage saw, kept and left out, and of the reasons.

    Args:
        facts: ``funnel`` and ``reasons``, as `jobs.release.facts.corpus_facts_of` has them.
    """
    rows = [
        (of["stage"], of["seen"], of["kept"], of["rejected"], of["failed"])
        for of in facts["funnel"]
    ]
    tables = [table(("stage", "seen", "kept", "rejected", "failed"), rows)]
    reasons = [(of["stage"], of["reason"], of["records"]) for of in facts["reasons"]]
    if reasons:
        tables.append(table(("stage", "reason", "records"), reasons))
    return "\n\n".join(tables)


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def _yaml(value: Any, indent: str = "") -> str:
    """Return plain data as YAML, a line for each scalar; texts are written as in JSON."""
    lines = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            lines.append(f"{indent}{key}:{_item(item, indent)}")
    else:
        for item in value:
            if isinstance(item, Mapping):
                inner = _yaml(item, f"{indent}  ")
                lines.append(f"{indent}- {inner[len(indent) + 2 :]}")
            else:
                lines.append(f"{indent}- {json.dumps(item, ensure_ascii=False)}\n")
    return "".join(lines)


def _item(item: Any, indent: str) -> str:
    if isinstance(item, Mapping) or (isinstance(item, list) and item):
        return "\n" + _yaml(item, f"{indent}  ")
    return f" {json.dumps(item, ensure_ascii=False)}\n"
