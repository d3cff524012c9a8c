"""Limits carried over from one language to another by their place in a distribution.

A limit rejects a share of the texts of its own language; in another language that value is proposed
that rejects the same share. Source: FineWeb-2 (arXiv 2506.20920), section 4, which takes the
thresholds of English by their place in clean text of each language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.languages.counts import Histogram
from udfs.measures.language_counts import NUMBERS

_COMPARISON = re.compile(
    rf"\b({'|'.join(NUMBERS)})\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)(?![\w.]|\s*[*/+-])"
)
_WORD_MEASURES = ("words", "mean_word_chars", "stop_word_share")
_STOP_WORDS, _FUNCTION_CHARS = "stop_word_share", "function_char_share"


@dataclass(frozen=True)
class CarriedLimit:
    """A limit for the measured language."""

    value: float
    operator: str
    """Of a value and the limit, for a rejected text."""
    place: float
    """Share of the texts of the pack that is carried over beyond its limit."""
    rejects: float
    """Share of the measured texts beyond the value."""
    was: float
    """The limit in the pack that is carried over."""


def share_beyond(histogram: Histogram, limit: float, operator: str) -> float:
    """Share of texts that a limit rejects; 0.0 without texts.

    Args:
        operator: ``<``, ``<=``, ``>`` or ``>=``: of a value and the limit, for a rejected text.

    >>> share_beyond(((1.0, 1), (2.0, 3)), 2.0, "<")
    0.25
    """
    beyond = sum(count for value, count in histogram if _is_beyond(value, limit, operator))
    total = sum(count for _, count in histogram)
    return beyond / total if total else 0.0


def carried(like: Histogram, own: Histogram, limit: float, operator: str) -> CarriedLimit:
    """Carry a limit over.

    The value is the strictest one that rejects no greater share than the limit does in its own
    texts. Where every such value rejects nothing, the place is not to be had, as in texts that all
    have one value: then the limit stays, or the outermost value where the limit would reject texts.

    >>> carried(((1.0, 1), (2.0, 3)), ((10.0, 1), (20.0, 3)), 2.0, "<").value
    20.0
    """
    place = share_beyond(like, limit, operator)
    total = sum(count for _, count in own)
    is_lower = operator.startswith("<")
    beyond = 0
    found = (0.0, 0)
    # From the value that rejects nothing inwards, as long as no greater share is rejected.
    for value, count in own if is_lower else reversed(own):
        if beyond / total > place:
            break
        found = value, beyond
        beyond += count
    if found[1] == 0 and share_beyond(own, limit, operator) == 0.0:
        return CarriedLimit(limit, operator, place, 0.0, limit)
    return CarriedLimit(found[0], operator[0], place, found[1] / total, limit)


def carried_condition(
    condition: str,
    like: Mapping[str, Histogram],
    own: Mapping[str, Histogram],
    *,
    has_words: bool,
) -> tuple[str, list[tuple[str, CarriedLimit]]] | None:
    """Carry over the comparisons of a rule's condition of a measure with a number.

    In a language with words, its stop words take the place of function characters. Comparisons of
    several measures stay as they are.

    Returns:
        The condition, and measure -> limit of each comparison; None where the condition needs what
        the language does not have: words of a list, or words at all.
    """
    if re.search(r"\b(?:sensitive_|host_|language|second_|pii)", condition):
        return None
    if not has_words and re.search(rf"\b(?:{'|'.join(_WORD_MEASURES)})\b", condition):
        return None
    limits: list[tuple[str, CarriedLimit]] = []

    def replaced(match: re.Match[str]) -> str:
        measure, operator, limit = match[1], match[2], float(match[3])
        name = _STOP_WORDS if has_words and measure == _FUNCTION_CHARS else measure
        found = carried(like.get(measure, ()), own.get(name, ()), limit, operator)
        limits.append((name, found))
        return f"{name} {found.operator} {shown(found.value)}"

    return " ".join(_COMPARISON.sub(replaced, condition).split()), limits


def shown(value: float) -> str:
    """Return a number without an exponent: whole where it is.

    >>> shown(200.0), shown(0.0123)
    ('200', '0.0123')
    """
    return str(int(value)) if value == int(value) else f"{value:.6f}".rstrip("0")


def _is_beyond(value: float, limit: float, operator: str) -> bool:
    match operator:
        case "<":
            return value < limit
        case "<=":
            return value <= limit
        case ">":
            return value > limit
        case _:
            return value >= limit
