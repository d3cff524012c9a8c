"""The numbers that a reject reason follows from, each with the limit that it is compared with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyspark.sql.types import BooleanType, DataType, DoubleType, IntegerType, LongType

from jobs.config import Config, DedupConfig, RulesConfig
from jobs.config.scorers import declared
from udfs.measures.schema import COUNTS_TYPE, MEASURES_TYPE

Row = Mapping[str, Any]

_MAX_LIMIT_CHARS = 300
_NUMERIC = (IntegerType, LongType, DoubleType, BooleanType)
_NAME = re.compile(r"\b([a-z_][a-z0-9_]*)(?:\[\s*'([^']+)'\s*\])?")


class Number(NamedTuple):
    """A number of a document."""

    name: str
    value: float | None
    """None for what is no number, such as a list's category: ``limit`` says it then."""
    limit: str
    """What it was compared with; empty where it only explains another."""


def rule_numbers(reason: str, row: Row, rules: RulesConfig) -> list[Number]:
    """Return the numbers that a rule rejected a document by.

    Args:
        row: Row of the table measures; its measures are null where there are none.
        rules: Limits as they were when it was rejected.
    """
    measures = row["measures"]
    if measures is None:
        return []
    if reason in rules.conditions:
        return _of_condition(rules.conditions[reason], measures)
    if reason == "opted_out":
        stated = [name for name in row["opt_outs"] or () if name in rules.opt_outs]
        return [Number("opt_outs", None, ", ".join(stated))]
    if reason == "host_blocked":
        return [Number("host_block_category", None, measures["host_block_category"])]
    if reason == "pii":
        kinds = Counter(span["kind"] for span in measures["pii"] or ())
        return [
            Number(f"pii {kind}", float(kinds[kind]), "> 0")
            for kind in rules.pii_kinds
            if kinds[kind]
        ]
    found = []
    for name, sign, limit in limits_of(rules).get(reason, ()):
        value = _value_of(name, measures)
        if value is not None and limit is not None and _FIRES[sign](value, float(limit)):
            found.append(Number(name, value, f"{sign} {limit:g}"))
    return found


_FIRES = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
}


def limits_of(rules: RulesConfig) -> dict[str, list[tuple[str, str, float | None]]]:
    """Return the built-in rules as reason -> measure (or a quotient of two), sign, limit.

    A limit is None where it is off. `jobs.transforms.rules` has the conditions themselves.
    """
    of_mode = {
        "fixed": {
            "length": [
                ("chars", "<", rules.min_chars),
                ("mean_line_chars", "<", rules.min_mean_line_chars),
            ],
            "character": [
                ("script_share", "<", rules.min_script_share),
                ("traditional_share", ">", rules.max_traditional_share),
            ],
            "sensitive": [
                (f"sensitive_{rules.sensitive_count} / lines", ">", rules.max_sensitive_per_line)
            ],
            "duplication": [("dup_13gram_share", ">", rules.max_dup_13gram_share)],
            "mojibake": [("mojibake_share", ">", rules.max_mojibake_share)],
        },
        "casia-exact": {
            "length": [
                ("chars", "<=", rules.min_chars),
                ("chars / lines", "<", rules.min_mean_line_chars),
            ],
            "character": [
                ("casia_han_share", "<", rules.min_script_share),
                ("casia_traditional", ">", 0),
            ],
            "sensitive": [("sensitive_distinct / lines", ">", rules.max_sensitive_per_line)],
            "duplication": [("casia_dup_13gram_share", ">", rules.max_dup_13gram_share)],
        },
    }
    limits: dict[str, list[tuple[str, str, float | None]]] = of_mode[rules.mode]
    if rules.traditional_policy != "drop":
        limits["character"] = limits["character"][:1]
    return limits


def duplicate_numbers(duplicate: Row, dedup: DedupConfig) -> list[Number]:
    """Return the numbers of a row of the table duplicates."""
    found = []
    if duplicate["similarity"] is not None and duplicate["kind"] == "near":
        limit = f">= {dedup.min_similarity:g}"
        found.append(Number("similarity", float(duplicate["similarity"]), limit))
    if duplicate["cluster_size"] is not None:
        found.append(Number("cluster_size", float(duplicate["cluster_size"]), ""))
    return found


def scorers_of(reason: str, config: Config) -> list[str]:
    """Return the scorers whose results decide whether the selection gives a reason."""
    found = [
        name
        for name, scorer in declared().items()
        if any(one.reason == reason for one in scorer.rejections)
        or (scorer.cut is not None and scorer.cut.reason == reason)
    ]
    if reason == "low_quality" and config.select.quality_from is not None:
        found.append(config.select.quality_from)
    where = getattr(config.select, "where", None)
    if reason == "where" and where:
        named = {name for name, _ in _NAME.findall(where)}
        found += [name for name in declared() if name in named]
    return [name for name in dict.fromkeys(found) if name in config.score.scorers]


def selection_numbers(
    reason: str, scores: Mapping[str, Row | None], config: Config
) -> list[Number]:
    """Return the numbers that the selection left a document out by.

    Args:
        scores: Scorer -> the document's row of its table; those of `scorers_of`.
    """
    found = []
    for name, row in scores.items():
        if row is None:
            continue
        scorer, limits = declared()[name], config.limits.get(name)
        limit = next(
            (
                f"select.{one.key} = {getattr(limits, one.key)}"
                for one in scorer.rejections
                if one.reason == reason
            ),
            f"select.{reason}",
        )
        if reason == "low_quality" and scorer.score is not None:
            limit = f"< {config.select.min_quality:g}"
            found.append(Number(f"{name}.{scorer.score}", row[scorer.score], limit))
            continue
        found += [
            Number(f"{name}.{field.name}", float(row[field.name]), limit)
            for field in scorer.result_type
            if isinstance(field.dataType, _NUMERIC) and row[field.name] is not None
        ]
    return found


def names_of(expression: str) -> list[tuple[str, str]]:
    """Return the measures that a condition names, each with the category behind it, if any.

    >>> names_of("url_count > 0.02 * chars AND sensitive_total_by_category['terror'] > 1")
    [('url_count', ''), ('chars', ''), ('sensitive_total_by_category', 'terror')]
    """
    known = set(MEASURES_TYPE.fieldNames())
    return [pair for pair in dict.fromkeys(_NAME.findall(expression)) if pair[0] in known]


def _of_condition(expression: str, measures: Row) -> list[Number]:
    limit = " ".join(expression.split())[:_MAX_LIMIT_CHARS]
    found = []
    for name, category in names_of(expression):
        kind: DataType = MEASURES_TYPE[name].dataType
        value = measures[name]
        if category and kind == COUNTS_TYPE:
            count = sum(one["count"] for one in value or () if one["name"] == category)
            found.append(Number(f"{name}['{category}']", float(count), limit))
        elif isinstance(kind, _NUMERIC) and value is not None:
            found.append(Number(name, float(value), limit))
        elif isinstance(value, str):
            found.append(Number(name, None, value))
    return found


def _value_of(name: str, measures: Row) -> float | None:
    """Return a measure, or a quotient of two; None where one is missing."""
    parts: Sequence[Any] = [measures[part] for part in name.split(" / ")]
    if any(part is None for part in parts):
        return None
    return float(parts[0]) / float(parts[1]) if len(parts) == 2 else float(parts[0])
