"""fastText models: a file check before the native loader, batches in a fixed label order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import numpy.typing as npt

from udfs.fasttext_file import LABEL_PREFIX, ModelFileError, read_fasttext_header

__all__ = ["LABEL_PREFIX", "FastTextModel", "ModelFileError", "load_fasttext"]


class FastTextModel:
    """A supervised fastText model that answers batches of token lines."""

    def __init__(self, model: Any) -> None:
        """Wrap a model of the ``fasttext`` module, loaded or just trained."""
        self._model = model
        names = {label: label.removeprefix(LABEL_PREFIX) for label in model.get_labels()}
        self.labels: tuple[str, ...] = tuple(sorted(names.values()))
        """Label names without fastText's marker, sorted: the order of the columns."""
        self._columns = {label: self.labels.index(name) for label, name in names.items()}

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
        ModelFileError: it is no supervised fastText model, or its numbers do not fit its size.
        OSError: the file cannot be read.
    """
    read_fasttext_header(path)
    return FastTextModel(fasttext.load_model(str(path)))
