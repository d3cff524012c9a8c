"""fastText models: a header check before the native loader, batches in a fixed label order."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import numpy.typing as npt

LABEL_PREFIX = "__label__"

_MAGIC = 793712314
_VERSIONS = (11, 12)
_SUPERVISED = 3
_MAX_DIM = 4096
# magic, version, then dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
# lrUpdateRate, and t as a double.
_HEADER = struct.Struct("<14id")


class ModelFileError(ValueError):
    """A file that is no supervised fastText model."""


class FastTextModel:
    """A supervised fastText model that answers batches of token lines."""

    def __init__(self, model: Any) -> None:
        """Wrap a model of the ``fasttext`` module, loaded or just trained."""
        self._model = model
        self.labels: tuple[str, ...] = tuple(
            sorted(label.removeprefix(LABEL_PREFIX) for label in model.get_labels())
        )
        """Label names without fastText's marker, sorted: the order of the columns."""
        self._columns = {LABEL_PREFIX + label: i for i, label in enumerate(self.labels)}

    def probabilities(self, lines: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probability of every label for every line.

        Each line is answered on its own, whatever else is in the batch. A line without any
        feature of the model gets the same share for every label.

        Args:
            lines: Token lines as `udfs.segment.tokens_for_fasttext` makes them.
        Returns:
            Shape (lines, labels), in [0, 1]. Rows of a softmax model sum to 1 but for 1e-5 a
            label; the labels of a one-vs-all model are independent of each other.
        Raises:
            ValueError: a line holds a line break.
        """
        table = np.full((len(lines), len(self.labels)), 1 / len(self.labels))
        if not lines:
            return table
        # k = -1 asks for all labels; they come sorted by probability, not in a fixed order.
        names, values = self._model.predict(list(lines), k=-1)
        columns = self._columns
        for row, row_names, row_values in zip(table, names, values, strict=True):
            if row_names:
                row[[columns[name] for name in row_names]] = row_values
        # fastText adds 1e-5 inside its logarithm, which lifts sure labels over 1.
        clipped: npt.NDArray[np.float64] = np.clip(table, 0.0, 1.0)
        return clipped

    def column(self, label: str) -> int:
        """The column of a label.

        Raises:
            ValueError: the model does not know it; the message names the labels it knows.
        """
        if label not in self.labels:
            raise ValueError(f"the model has no label {label!r}; it has {', '.join(self.labels)}")
        return self.labels.index(label)


@lru_cache(maxsize=16)
def load_fasttext(path: Path) -> FastTextModel:
    """Load a ``.bin`` or ``.ftz`` file once a process.

    Raises:
        ModelFileError: the header is not that of a supervised fastText model.
        OSError: the file cannot be read.
    """
    check_header(path)
    return FastTextModel(fasttext.load_model(str(path)))


def check_header(path: Path) -> None:
    """Raise ModelFileError unless a file starts like a supervised fastText model.

    The native loader sizes its buffers from these numbers, so they are looked at first.
    """
    with path.open("rb") as file:
        start = file.read(_HEADER.size)
    if len(start) < _HEADER.size:
        raise ModelFileError(f"{path}: {len(start)} bytes are too few for a fastText model")
    magic, version, dim, *_, model, bucket, _minn, _maxn, _rate, _t = _HEADER.unpack(start)
    if magic != _MAGIC:
        raise ModelFileError(f"{path}: is not a fastText model (magic number {magic})")
    if version not in _VERSIONS:
        raise ModelFileError(f"{path}: fastText format {version}, expected one of {_VERSIONS}")
    if model != _SUPERVISED:
        raise ModelFileError(f"{path}: is not a supervised model (kind {model})")
    if not 0 < dim <= _MAX_DIM or bucket < 0:
        raise ModelFileError(f"{path}: implausible header (dim {dim}, bucket {bucket})")
