"""A rubric: the question by which a language model scores documents, as a file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from udfs.base.settings import ConfigError
from udfs.vision_language.answers import Scale
from udfs.vision_language.questions import TEXT


class RubricError(ValueError):
    """A file is not a rubric; the message names the key."""


@dataclass(frozen=True)
class Rubric:
    """What a model is asked of each document, and how its answer is read."""

    prompt: str
    """The question, with ``{text}`` where the document goes."""
    answer: str
    """Regular expression with one group: the points in the answer; its first match counts."""
    min_points: int
    """Points of the worst documents: score 0."""
    max_points: int
    """Points of the best: score 1."""
    max_chars: int
    """Code points of a document that are asked about, from its beginning."""
    max_tokens: int
    """Most tokens of an answer."""
    system: str | None = None
    """Message of the system; None for none."""

    @property
    def scale(self) -> Scale:
        """The points and how they are found."""
        return Scale(self.answer, self.min_points, self.max_points)

    def score(self, points: int) -> float:
        """Points as a score in [0, 1].

        >>> Rubric("{text}", "(x)", 0, 5, 100, 10).score(3)
        0.6
        """
        return (points - self.min_points) / (self.max_points - self.min_points)


def read_rubric(path: Path) -> Rubric:
    """Read a rubric: a TOML file whose keys are those of `Rubric`.

    Raises:
        RubricError: another file, unknown or missing keys, or values that do not fit.
        OSError: it cannot be read.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RubricError(f"{path}: is not a TOML file: {error}") from error
    known = {field.name: field.type for field in fields(Rubric)}
    if unknown := values.keys() - known.keys():
        raise RubricError(
            f"{path}: unknown {', '.join(sorted(unknown))}; known keys: {', '.join(known)}"
        )
    if missing := known.keys() - values.keys() - {"system"}:
        raise RubricError(f"{path}: {', '.join(sorted(missing))}: missing")
    for key, value in values.items():
        _check_value(f"{path}: {key}", value, int if known[key] == "int" else str)
    rubric = Rubric(**values)
    if TEXT not in rubric.prompt:
        raise RubricError(f"{path}: prompt: expected {TEXT} in it, where the document goes")
    for key in ("max_chars", "max_tokens"):
        if getattr(rubric, key) < 1:
            raise RubricError(f"{path}: {key} = {getattr(rubric, key)}: expected 1 or more")
    try:
        rubric.scale.check("answer")
    except ConfigError as error:
        raise RubricError(f"{path}: {error}") from error
    return rubric


def _check_value(where: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = "a whole number" if kind is int else "a string"
        raise RubricError(f"{where} = {value!r}: expected {wanted}")
