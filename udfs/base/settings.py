"""What every settings dataclass needs: the error for a wrong value, artifact names, bounds.

This module imports nothing heavy: the configuration is loaded by commands that only plan.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

OFF = "off"
"""The word that switches an optional limit off in TOML, which has no null."""
OWN = "own"
"""Value of a key that names the project's own list instead of an artifact."""


class ConfigError(ValueError):
    """The configuration cannot be used; the message names file, key, value and known keys."""


@dataclass(frozen=True)
class ArtifactKey:
    """Marks a key whose value is an artifact's name; such artifacts are locked and fetched."""

    kind: str
    """Kind that the artifact must have: model, lexicon, taxonomy, hosts, stopwords, ..."""
    or_file: bool = True
    """Whether the value may also be a path to a file."""
    used_with: str | None = None
    """Another key of the section: while that one is off, this artifact is not used."""
    used_without: str | None = None
    """Another key of the section: while that one is set, this artifact is not used."""


Model = Annotated[str, ArtifactKey("model")]
Lexicon = Annotated[str, ArtifactKey("lexicon")]
Labels = Annotated[str, ArtifactKey("taxonomy")]
Hosts = Annotated[str, ArtifactKey("hosts")]
StopWords = Annotated[str, ArtifactKey("stopwords")]


@dataclass(frozen=True)
class Bounds:
    """Marks a numeric key with the values that it may have; every numeric key has such a mark."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    at_most_key: str | None = None
    """Another key of the section, whose value is the largest where it is set."""

    def allow(self, value: float) -> bool:
        """Whether a value lies within the bounds; NaN and infinity lie within none."""
        return (
            math.isfinite(value)
            and (self.least is None or self.least <= value)
            and (self.above is None or self.above < value)
            and (self.most is None or value <= self.most)
        )

    def words(self) -> str:
        """Say which values are allowed.

        >>> Bounds(least=0, most=1).words(), Bounds(least=1).words(), Bounds(above=0).words()
        ('0 to 1', '1 or more', 'above 0')
        >>> Bounds(above=0, most=1).words(), Bounds(least=1, at_most_key="max_chars").words()
        ('above 0, at most 1', '1 or more, at most max_chars')
        """
        if self.least is not None and self.most is not None:
            words = [f"{self.least:,} to {self.most:,}"]
        else:
            words = [] if self.least is None else [f"{self.least:,} or more"]
            words += [] if self.above is None else [f"above {self.above:,}"]
            words += [] if self.most is None else [f"at most {self.most:,}"]
        words += [] if self.at_most_key is None else [f"at most {self.at_most_key}"]
        return ", ".join(words)


def check_known(key: str, what: str, given: Collection[str], known: Collection[str]) -> None:
    """Check that all words of a list are known.

    Args:
        key: ``section.key``, for the message, as ``what``: the known words' name, or nothing.
    Raises:
        ConfigError: naming those that are not, and the known ones.
    """
    if unknown := sorted(set(given) - set(known)):
        words = f"known {what}" if what else "known"
        raise ConfigError(
            f"{key} = {list(given)}: unknown {', '.join(unknown)}; {words}: {', '.join(known)}"
        )


Share = Annotated[float, Bounds(least=0, most=1)]
"""A share, a probability or a score."""
Amount = Annotated[float, Bounds(least=0)]
PositiveAmount = Annotated[float, Bounds(above=0)]
Count = Annotated[int, Bounds(least=0)]
PositiveCount = Annotated[int, Bounds(least=1)]
