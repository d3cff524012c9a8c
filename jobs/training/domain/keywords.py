"""The keywords of the domain labels: rules by themselves, and what a model starts from.

Rules alone are the first step of the published loop: a label is given where several of its keywords
occur, and a text without any is general.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

_ARTIFACTS = Path(__file__).resolve().parents[3] / "conf" / "artifacts"
KEYWORDS = _ARTIFACTS / "domain_keywords" / "domain_keywords.tsv"

MIN_HITS = 3

Keywords = Mapping[str, Mapping[str, float]]
"""Keyword -> label -> weight."""


class KeywordsError(ValueError):
    """The keywords cannot be used; the message names file and line."""


def read_keywords(path: Path, labels: Iterable[str]) -> dict[str, dict[str, float]]:
    """Read ``label TAB keyword TAB weight`` lines.

    Args:
        path: The file, UTF-8.
        labels: Labels that there are.
    Returns:
        The weight of each keyword for each label that it speaks for.
    Raises:
        KeywordsError: a line that is none, an unknown label, a weight that is not above 0, a
            keyword that no token line holds, or one that a label has twice.
    """
    known = frozenset(labels)
    keywords: dict[str, dict[str, float]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path}: line {number}"
        fields = line.split("\t")
        if len(fields) != 3:
            raise KeywordsError(f"{place}: expected label TAB keyword TAB weight")
        label, keyword, weight = fields
        if label not in known:
            raise KeywordsError(f"{place}: no label {label!r}")
        if keyword.split() != [keyword]:
            raise KeywordsError(f"{place}: {keyword!r} is no token")
        try:
            value = float(weight)
        except ValueError:
            value = 0.0
        if not value > 0:
            raise KeywordsError(f"{place}: weight {weight!r} is not above 0")
        if label in keywords.setdefault(keyword, {}):
            raise KeywordsError(f"{place}: {label} has {keyword!r} twice")
        keywords[keyword][label] = value
    return keywords


def rule_label(tokens: Iterable[str], keywords: Keywords, fallback: str) -> str:
    """The label whose different keywords come most often, MIN_HITS at least; else the fallback.

    Of labels that are level the first by name is taken.

    Source:
        ChineseWebText 2.0, section on domains (3 to 5 keywords; none: general).

    >>> words = ["股票", "基金", "涨停"]
    >>> rule_label(words, {word: {"finance": 1} for word in words}, "general")
    'finance'
    """
    hits = Counter(label for token in set(tokens) for label in keywords.get(token, ()))
    enough = [(-count, label) for label, count in hits.items() if count >= MIN_HITS]
    return min(enough)[1] if enough else fallback
