"""fastText models: a file check before anything is read, batches in a fixed label order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import fasttext
import numpy as np

from udfs.base.array_types import Float64Array, Int64Array
from udfs.base.model_constants import LABEL_PREFIX
from udfs.models.fasttext_file import ModelFileError
from udfs.models.fasttext_folded import LinearModel, LinearWeights, read_weights
from udfs.tokens.tokens import Tokens, tokens_of_lines

__all__ = ["FastTextModel", "FoldedModel", "ModelFileError", "load_fasttext"]


class FastTextModel:
    """A supervised fastText model that answers batches of token lines: fastText itself."""

    labels: tuple[str, ...]
    """Label names without LABEL_PREFIX, sorted: the order of the columns."""

    def __init__(self, model: Any) -> None:
        """Wrap a model of the ``fasttext`` module, loaded or just trained."""
        self._model = model
        names = {label: label.removeprefix(LABEL_PREFIX) for label in model.get_labels()}
        self.labels = tuple(sorted(names.values()))
        self._columns = {label: self.labels.index(name) for label, name in names.items()}

    def probabilities(self, lines: Sequence[str] | Tokens) -> Float64Array:
        """The probability of every label for every line.

        Each line is answered on its own, whatever else is in the batch. A line without any
        feature of the model gets the same share for every label.

        Args:
            lines: Token lines as `udfs.tokens.tokenizer.token_lines` makes them, or the tokens that
                `tokenize_texts` there makes.
        Returns:
            Shape (lines, labels), in [0, 1]. Rows of a softmax model sum to 1 but for 1e-5 a
            label; the labels of a one-vs-all model are independent of each other.
        Raises:
            ValueError: a line holds a line break.
        """
        texts = lines.lines() if isinstance(lines, Tokens) else list(lines)
        table = np.full((len(texts), len(self.labels)), 1 / len(self.labels))
        if not texts:
            return table
        # k = -1 asks for all labels; they come sorted by probability, not in a fixed order.
        names, values = self._model.predict(texts, k=-1)
        columns = self._columns
        for row, row_names, row_values in zip(table, names, values, strict=True):
            if row_names:
                row[[columns[name] for name in row_names]] = row_values
        # fastText adds 1e-5 inside its logarithm, which lifts sure labels over 1.
        clipped: Float64Array = np.clip(table, 0.0, 1.0)
        return clipped

    def span_probabilities(self, tokens: Tokens, spans: Int64Array) -> Float64Array:
        """Compute the probability of every label for parts of texts, each as a separate line.

        Args:
            tokens: Tokens of texts.
            spans: First token of each part and the one after its last, shape (parts, 2); each lies
                inside one text.
        Returns:
            Shape (parts, labels), as `probabilities`.
        """
        return self.probabilities(tokens.part_lines(spans))

    def column(self, label: str) -> int:
        """The column of a label.

        Raises:
            ValueError: the model does not know it; the message names the labels it knows.
        """
        if label not in self.labels:
            raise ValueError(f"the model has no label {label!r}; it has {', '.join(self.labels)}")
        return self.labels.index(label)


class FoldedModel(FastTextModel):
    """The same answers without fastText, a dozen times as soon (see
    udfs/models/fasttext_folded.py).

    They differ by less than 2e-6; those of a one-vs-all model by up to 0.008 in one of about a
    hundred thousand, where rounding takes a logit over one of the 512 steps of fastText's logistic
    function.
    """

    def __init__(self, weights: LinearWeights) -> None:
        self.labels = weights.labels
        self._linear = LinearModel(weights)

    def probabilities(self, lines: Sequence[str] | Tokens) -> Float64Array:
        """As fastText answers."""
        tokens = lines if isinstance(lines, Tokens) else tokens_of_lines(lines)
        return self._linear.probabilities(tokens)

    def span_probabilities(self, tokens: Tokens, spans: Int64Array) -> Float64Array:
        """As fastText answers."""
        return self._linear.probabilities(tokens, spans)


def load_fasttext(path: Path) -> FastTextModel:
    """Load a ``.bin`` or ``.ftz`` file once a process as long as it stays, folded where it can be.

    Raises:
        ModelFileError: it is no supervised fastText model, or its numbers do not fit its size.
        OSError: the file cannot be read.
    """
    found = path.stat()
    return _loaded(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=16)
def _loaded(path: Path, changed_ns: int, size: int) -> FastTextModel:
    weights = read_weights(path)
    if weights is not None:
        return FoldedModel(weights)
    return FastTextModel(fasttext.load_model(str(path)))
