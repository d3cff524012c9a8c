"""The keywords of the domain labels: a rule on their own, and the starting weights of the model.

The rule is the first step of the published loop: a text with several keywords of a label gets that
label, and a text without any is general.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from jobs.training.common.task import TrainingError

_ARTIFACTS = Path(__file__).resolve().parents[3] / "conf" / "artifacts"
KEYWORDS = _ARTIFACTS / "domain_keywords" / "domain_keywords.tsv"

MIN_HITS = 3
"""Fewest distinct keywords of a label with which the rule gives it."""

LEAST_SHARE = 0.5
"""Fewest keywords of a further label, as a share of those of the first."""

Keywords = Mapping[str, Mapping[str, float]]
"""Keyword -> label -> weight."""


class KeywordsError(TrainingError):
    """The list of keywords cannot be used; the message names file and line."""


def read_keywords(path: Path, labels: Iterable[str]) -> dict[str, dict[str, float]]:
    """Read ``label TAB keyword TAB weight`` lines.

    Args:
        path: The file, UTF-8.
        labels: The known labels.
    Returns:
        Keyword -> label -> weight.
    Raises:
        KeywordsError: a malformed line, an unknown label, a weight of 0 or less, a keyword with
            white space, or a duplicate.
    """
    known = frozenset(labels)
    keywords: dict[str, dict[str, float]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path}: line {number}"
        fields = line.split("\t")
        if len(fields) != 3:
            raise KeywordsError(f"{place}: expected label TAB keyword TAB weight, not {line!r}")
        label, keyword, weight = fields
        if label not in known:
            raise KeywordsError(
                f"{place}: label {label!r}: expected one of {', '.join(sorted(known))}"
            )
        if keyword.split() != [keyword]:
            raise KeywordsError(f"{place}: keyword {keyword!r}: expected no white space in it")
        try:
            value = float(weight)
        except ValueError:
            value = 0.0
        if not value > 0:
            raise KeywordsError(f"{place}: weight {weight!r}: expected a number above 0")
        if label in keywords.setdefault(keyword, {}):
            raise KeywordsError(f"{place}: keyword {keyword!r} is listed twice for {label}")
        keywords[keyword][label] = value
    return keywords


def rule_label(tokens: Iterable[str], keywords: Keywords, fallback: str) -> str:
    """Return the label with the most distinct keywords, at least MIN_HITS; else the fallback.

    Of several such labels the first by name is taken.

    Source:
        ChineseWebText 2.0, section on domains (3 to 5 keywords; none: general).

    >>> words = ["股票", "基金", "涨停"]
    >>> rule_label(words, {word: {"finance": 1} for word in words}, "general")
    'finance'
    """
    return rule_labels(tokens, keywords, fallback)[0]


def rule_labels(
    tokens: Iterable[str], keywords: Keywords, fallback: str, least_share: float = LEAST_SHARE
) -> list[str]:
    """Return every label with enough distinct keywords, the one with the most first.

    Args:
        least_share: Fewest keywords of a further label, as a share of those of the first: a long
            text has MIN_HITS keywords of labels that it is not about.
    Returns:
        Labels by falling number of keywords, then by name; only the fallback where none has
        MIN_HITS.
    """
    hits = Counter(label for token in set(tokens) for label in keywords.get(token, ()))
    most = max(hits.values(), default=0)
    enough = [
        (-count, label)
        for label, count in hits.items()
        if count >= MIN_HITS and count >= least_share * most
    ]
    return [label for _, label in sorted(enough)] or [fallback]
