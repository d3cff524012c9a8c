"""What every settings dataclass needs: the error for a wrong value, and marks of artifact names.

This module imports nothing heavy: the configuration is loaded by commands that only plan.
"""

from __future__ import annotations

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


Model = Annotated[str, ArtifactKey("model")]
Lexicon = Annotated[str, ArtifactKey("lexicon")]
Labels = Annotated[str, ArtifactKey("taxonomy")]
Hosts = Annotated[str, ArtifactKey("hosts")]
StopWords = Annotated[str, ArtifactKey("stopwords")]
