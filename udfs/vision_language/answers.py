"""Scores read from a model's answers by a regular expression."""

from __future__ import annotations

import re
from dataclasses import dataclass

from udfs.base.settings import ConfigError

UNREADABLE = "unreadable_answer"
"""Failure of an answer without a score."""
OUT_OF_SCALE = "score_out_of_scale"
"""Failure of an answer whose score the scale does not have."""

_DIGITS = 9  # of a score; more are outside every scale


@dataclass(frozen=True)
class Scale:
    """The whole numbers that an answer may give, and how they are found in it."""

    pattern: str
    """Regular expression with one group, the number; its first match counts."""
    least: int
    most: int

    def check(self, key: str) -> None:
        """Check that scores can be read.

        Args:
            key: Names the pattern in messages.
        Raises:
            ConfigError: the pattern is no regular expression, or has other groups.
        """
        try:
            groups = re.compile(self.pattern).groups
        except re.error as error:
            raise ConfigError(
                f"{key} = {self.pattern!r}: is not a regular expression: {error}"
            ) from error
        if groups != 1:
            raise ConfigError(
                f"{key} = {self.pattern!r}: has {groups} groups: expected one, the score"
            )
        if self.least >= self.most:
            raise ConfigError(
                f"{key}: a scale from {self.least} to {self.most}: expected a greater last score"
            )

    def read(self, answer: str) -> int | str:
        """The score of an answer, or why it has none.

        >>> published = Scale(r"score:\\s*\\{(\\d+)\\}", 1, 10)
        >>> published.read("Clear photo. score: {9}"), published.read("score: {57}")
        (9, 'score_out_of_scale')
        >>> published.read("9 of 10")
        'unreadable_answer'
        """
        found = re.search(self.pattern, answer)
        digits = found[1] if found else None
        if digits is None or not digits.isdecimal():
            return UNREADABLE
        score = int(digits) if len(digits) <= _DIGITS else self.most + 1
        return score if self.least <= score <= self.most else OUT_OF_SCALE
