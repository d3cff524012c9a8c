"""A network that classifies pictures, run by ONNX Runtime on the CPU: one picture a call.

A batch is no faster on the threads of one task (28 pictures a core-second alone and 22 in eights,
of the NSFW network), and changes the last digits of its members; a picture alone has the same
score in every batch and partition.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from udfs.base.array_types import Float32Array, Float64Array, UInt8Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Prepare = Callable[[UInt8Array], Float32Array]
"""RGB picture, shape (height, width, 3) -> the network's input of one picture, without the axis of
the batch."""


class ImageClassifier:
    """A network and how a picture becomes its input."""

    def __init__(self, path: Path, prepare: Prepare, scorer: str) -> None:
        """Load the network.

        Args:
            scorer: Named where ONNX Runtime is not installed.
        """
        self._session = session_of(path, scorer)
        self._input = self._session.get_inputs()[0].name
        self._prepare = prepare

    def outputs(self, picture: UInt8Array) -> Float32Array:
        """Return the network's outputs of one picture, shape (outputs,)."""
        batch = np.ascontiguousarray(self._prepare(picture)[np.newaxis])
        found = self._session.run(None, {self._input: batch})[0]
        outputs: Float32Array = np.asarray(found, np.float32).reshape(-1)
        return outputs


def session_of(path: Path, scorer: str) -> InferenceSession:
    """Load a network, for the cores of this task alone: they do not wait busily for work.

    Raises:
        ModuleNotFoundError: ONNX Runtime is not installed; the message says how to install it.
    """
    try:
        from onnxruntime import InferenceSession, SessionOptions
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'scorer {scorer} needs pip install "taojin[onnx]"', name=error.name
        ) from error
    options = SessionOptions()
    options.intra_op_num_threads = threads_of_task()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def threads_of_task() -> int:
    """The cores of this task; 1 outside a task."""
    from udfs.base.worker import cores_of_task

    return cores_of_task() or 1


def softmax(outputs: Float32Array) -> Float64Array:
    """Turn outputs into probabilities, shape (outputs,).

    >>> softmax(np.array([0.0, 0.0], np.float32)).tolist()
    [0.5, 0.5]
    """
    powers = np.exp(outputs.astype(np.float64) - float(outputs.max()))
    shares: Float64Array = powers / powers.sum()
    return shares


def sigmoid(outputs: Float32Array) -> Float64Array:
    """Turn every output into a probability of its own, shape (outputs,).

    >>> sigmoid(np.array([0.0, 1000.0, -1000.0], np.float32)).tolist()
    [0.5, 1.0, 0.0]
    """
    found: Float64Array = 0.5 * (1.0 + np.tanh(0.5 * outputs.astype(np.float64)))
    return found
