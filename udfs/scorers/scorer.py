"""A scorer as it travels to the executors, and the batch of documents that it scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.sql.types import StructType

from udfs.base.code_points import TextBatch

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.tokens.tokenizer import TokenizerSettings

Record = dict[str, Any]
"""A text's scores: one value for each field of a scorer's result type."""

_Found = TypeVar("_Found")


class Documents(TextBatch):
    """The texts of a batch and what is known beside them.

    Attributes:
        urls: The address of each document; None where it is unknown.
    """

    def __init__(self, texts: Iterable[str], urls: Sequence[str | None] | None = None) -> None:
        super().__init__(texts)
        self.urls: Sequence[str | None] = [None] * len(self) if urls is None else urls
        self._found: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], _Found]) -> _Found:
        """A value computed from the documents, cached under a key for all scorers of the batch."""
        if key not in self._found:
            self._found[key] = make()
        found: _Found = self._found[key]
        return found


@dataclass(frozen=True)
class Scorer:
    """A scorer with its options and its model's file.

    Its functions are pickled: functions of a module, or a functools.partial of one that carries
    the options.
    """

    name: str
    """Name of its field in the result, and of its table."""
    artifact: ArtifactFile
    """The model's file."""
    result_type: StructType
    """The fields of a record."""
    score: Callable[[Any, Any], list[Record]]
    """(tokens, model) -> one record for each text, independent of the other texts. Without
    tokenizer settings it gets the texts themselves (`Documents`); none of them is null."""
    tokenizer: TokenizerSettings | None
    """How the model's texts are tokenized, once for all scorers with equal settings; None for a
    model that takes the texts themselves."""
    load: Callable[[Path], Any]
    """Loads the model from its file, once in a Python worker."""
    revise: Callable[[list[Record], Documents], list[Record]] | None = None
    """(records, documents) -> records changed by what the model did not see, such as the address;
    each by its own document alone. None changes nothing."""


@lru_cache(maxsize=16)
def model_of(artifact: ArtifactFile, load: Callable[[Path], Any]) -> Any:
    """The artifact's model, verified and loaded once in a Python worker."""
    return load(artifact.local_path())


def with_odds(probability: float, weight: float) -> float:
    """A probability with a weight added to its log odds; 0 and 1 stay as they are.

    >>> round(with_odds(0.5, math.log(3)), 2), with_odds(0.0, 1.0), with_odds(1.0, 1.0)
    (0.75, 0.0, 1.0)
    """
    if weight == 0.0 or probability in (0.0, 1.0):
        return probability
    return 1.0 / (1.0 + (1.0 - probability) / probability * math.exp(-weight))
