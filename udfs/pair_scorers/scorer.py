"""A pair scorer as it travels to the executors, and the batch of pairs that it scores."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import StringType, StructField, StructType

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.scorers.scorer import Record  # imports numba

FAILURE = "failure"
"""Column of every pair scorer's table: why a pair has no score, snake_case; null where it has."""
NO_IMAGE = "no_image"
"""Failure of a pair of which no image was found, for a scorer that reads images."""
UNUSABLE_IMAGE = "unusable_image"
"""Failure of a pair whose image measure_images refused."""
EMPTY_TEXT = "empty_text"
"""Failure of a pair without a text, for a scorer that reads texts."""
UNDECODABLE = "undecodable"
"""Failure of a pair whose image a scorer could not decode after all."""
UNSCORED_BEFORE = "unscored_before"
"""Failure of a pair without a score of a scorer that this one needs."""


def result_type(*fields: StructField) -> StructType:
    """The columns of a pair scorer's table: its own, the score first, then ``failure``."""
    return StructType([*fields, StructField(FAILURE, StringType())])


@dataclass(frozen=True)
class Pairs:
    """A batch of distinct pairs; sequences of one length, None for what the scorer does not read.

    Equal pairs are scored once, so a batch names no documents, and consecutive rows may have the
    same image: `udfs.pair_scorers.pixels.distinct_bodies` finds them.
    """

    keys: Sequence[str]
    """32 hexadecimal digits that follow from the pair's image and text: seeds of pseudo-random
    choices, and names in messages."""
    texts: Sequence[str | None]
    """Never empty where the scorer reads texts."""
    bodies: Sequence[bytes | None]
    """Files of images that measure_images accepted."""
    others: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    """Scorer that is needed -> its records; each has a score."""

    def __len__(self) -> int:
        return len(self.keys)


Loaded = Mapping[str, Path]
"""Key of the settings -> file on this executor, checked."""


@dataclass(frozen=True)
class PairScorer:
    """A pair scorer with its options and the files of its models.

    Its functions are pickled: functions of a module.
    """

    name: str
    result_type: StructType
    """The fields of a record."""
    load: Callable[[Loaded, Any], Any]
    """(files, options) -> model; called once in a Python worker."""
    score: Callable[[Pairs, Any], Sequence[Record]]
    """(pairs, model) -> one record for each pair, in order, with every field; the first one is None
    for a pair without a score, and then ``failure`` says why. A record follows from its own pair,
    whatever else is in the batch. Raises for a model or device that fails, never for a pair."""
    files: tuple[tuple[str, ArtifactFile], ...] = ()
    """Key of the settings, file; empty for a scorer without models."""
    options: Hashable = None
    """What ``load`` gets beside the files: the settings, and what was fitted, if it is hashable. A
    functools.partial in its place is another one in every task, and would load the model again."""


@lru_cache(maxsize=8)
def loaded_model(
    files: tuple[tuple[str, ArtifactFile], ...], load: Callable[[Loaded, Any], Any], options: Any
) -> Any:
    """The model of a pair scorer, its files verified, loaded once in a Python worker."""
    return load({key: file.local_path() for key, file in files}, options)


def failed(kind: StructType, reason: str, **values: Any) -> Record:
    """The record of a pair without a score.

    >>> from pyspark.sql.types import DoubleType
    >>> failed(result_type(StructField("score", DoubleType())), "undecodable")
    {'score': None, 'failure': 'undecodable'}
    """
    return {**dict.fromkeys(kind.fieldNames()), **values, FAILURE: reason}
