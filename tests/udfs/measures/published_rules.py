"""The published rules in plain Python, one text at a time: the twin of the fast ones.

Written from the description of the script's behaviour, with zhconv for the conversion; it
shares no code with ``udfs``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from zhconv import convert


def published_reason(text: str, words: Collection[str]) -> str | None:
    """First rule of the published script that rejects a text, None when all pass."""
    lines = len(text.split("\n"))
    if len(text) <= 200 or len(text) / lines < 10:
        return "length"
    if published_han_share(text) < 0.3 or published_traditional(text):
        return "character"
    if sum(1 for word in words if word in text) / lines > 0.5:
        return "sensitive"
    return "duplication" if published_dup_share(text) > 0.5 else None


def reason_of_measures(measures: Mapping[str, Any]) -> str | None:
    """``published_reason`` from the stored measures of a text."""
    chars, lines = measures["chars"], measures["lines"]
    if chars <= 200 or chars / lines < 10:
        return "length"
    if measures["casia_han_share"] < 0.3 or measures["casia_traditional"]:
        return "character"
    if measures["sensitive_distinct"] / lines > 0.5:
        return "sensitive"
    return "duplication" if measures["casia_dup_13gram_share"] > 0.5 else None


def published_han_share(text: str) -> float:
    return sum("\u4e00" <= char <= "\u9fa5" for char in text) / len(text) if text else 0.0


def published_traditional(text: str) -> bool:
    return convert(text, "zh-cn") != text


def published_dup_share(text: str, *, with_last: bool = False) -> float:
    """Share of repeated 13-grams; the script leaves out the last one."""
    stripped = text.strip().lower()
    for blank in " \n\t":
        stripped = stripped.replace(blank, "")
    if len(stripped) < 13:
        return 0.0
    starts = range(len(stripped) - 13 + with_last)
    counts = Counter(stripped[start : start + 13] for start in starts)
    repeated = sum(count for count in counts.values() if count > 1)
    return repeated / len(starts) if len(starts) else 0.0
