"""A pair scorer as it travels to the executors, and the batch of pairs that it scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import StructType

from udfs.pair_scorers.declaration import FAILURE
from udfs.scorers.scorer import Record

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile


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

    Its functions are pickled: functions of a module, or a functools.partial of one that carries
    the options.
    """

    name: str
    result_type: StructType
    """The fields of a record."""
    load: Callable[[Loaded], Any]
    """Loads the model from its files, once in a Python worker; options that change the model belong
    into its functools.partial."""
    score: Callable[[Pairs, Any], Sequence[Record]]
    """(pairs, model) -> one record for each pair, in order, with every field; the first one is None
    for a pair without a score, and then ``failure`` says why. A record follows from its own pair,
    whatever else is in the batch. Raises for a model or device that fails, never for a pair."""
    files: tuple[tuple[str, ArtifactFile], ...] = ()
    """Key of the settings, file; empty for a scorer without models."""


@lru_cache(maxsize=8)
def loaded_model(
    files: tuple[tuple[str, ArtifactFile], ...], load: Callable[[Loaded], Any]
) -> Any:
    """The model of a pair scorer, its files verified, loaded once in a Python worker."""
    return load({key: file.local_path() for key, file in files})


def failed(kind: StructType, reason: str, **values: Any) -> Record:
    """The record of a pair without a score.

    >>> from pyspark.sql.types import DoubleType, StringType, StructField
    >>> kind = StructType([StructField("score", DoubleType()), StructField("failure", StringType())])
    >>> failed(kind, "undecodable")
    {'score': None, 'failure': 'undecodable'}
    """
    return {**dict.fromkeys(kind.fieldNames()), **values, FAILURE: reason}
