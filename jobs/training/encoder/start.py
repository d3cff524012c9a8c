"""The encoder that training starts from: a reduced pretrained one, a scorer's file, or a folder.

Most of a multilingual encoder is embeddings of pieces that do not occur in Chinese text. They are
removed, and so are the upper layers: the middle ones suffice for this task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from jobs.training.encoder.pretrained import pretrained_path, read_pretrained
from jobs.training.encoder.recipe import BUNDLED, PRETRAINED
from jobs.training.encoder.sources import bundled_encoder
from udfs.encoder.e5_file import E5, kept_pieces, tokenizer_of
from udfs.encoder.encoder_file import EncoderHeader, EncoderSettings, Head, read_encoder_header
from udfs.encoder.model_folder import folder_config, folder_tokenizer, folder_weights
from udfs.encoder.weights import in_float32, in_int8

_HEADS: dict[str, Head] = {"multi-scale": "multi-scale", "mean": "mean", "published": "pooled"}
"""Head of a recipe -> in an encoder's file."""


@dataclass(frozen=True)
class Start:
    """An encoder without a trained head."""

    header: EncoderHeader
    weights: Mapping[str, Any]
    """Weights, named as in `udfs.encoder.model.Encoder`'s network and exact in eight bits; missing
    ones are drawn at random."""


@lru_cache(maxsize=1)
def start_of(
    source: str, layers: tuple[int, ...], max_tokens: int, head: str = "published", width: int = 0
) -> Start:
    """Load the encoder that a recipe starts from.

    Args:
        source: `PRETRAINED`, `BUNDLED`, a folder of transformers, or the path of an encoder's file,
            whose head is kept if it is of the same kind and width.
        layers: Numbers of the layers that are kept, in order.
        max_tokens: Longest input in tokens, the special tokens included.
        head: One of `jobs.training.encoder.recipe.HEADS`.
        width: Width of the hidden layer; the published head has none.
    Raises:
        PretrainedError, EncoderFileError, OSError: the encoder cannot be read.
    """
    settings = _settings(max_tokens, head, width)
    if source == PRETRAINED:
        return cut_encoder(read_pretrained(pretrained_path()), layers, settings)
    if source != BUNDLED and Path(source).is_dir():
        return _of_folder(Path(source), layers, settings)
    path = bundled_encoder() if source == BUNDLED else Path(source)
    header = read_encoder_header(path)
    config = {**header.config, "num_hidden_layers": len(layers)}
    weights = _of_layers(in_float32(load_file(path)), layers)
    # The bundled head has seen the labelled files, of which some are held out.
    is_same = (settings.head, settings.width) == (header.settings.head, header.settings.width)
    if source == BUNDLED or not is_same:
        weights = {name: w for name, w in weights.items() if name.startswith("encoder.")}
    return Start(EncoderHeader(settings, config, header.tokenizer), _rounded(weights))


def _of_folder(folder: Path, layers: Sequence[int], settings: EncoderSettings) -> Start:
    config = folder_config(folder)
    tokenizer = folder_tokenizer(folder, config)
    own = {f"encoder.{name}": w.float() for name, w in folder_weights(folder).items()}
    config = {**config, "num_hidden_layers": len(layers)}
    return Start(EncoderHeader(settings, config, tokenizer), _rounded(_of_layers(own, layers)))


def cut_encoder(whole: E5, layers: Sequence[int], settings: EncoderSettings) -> Start:
    """Reduce a pretrained encoder to the Chinese part of its vocabulary and some of its layers."""
    kept = kept_pieces(whole.pieces, whole.scores.tolist())
    pieces = [(whole.pieces[number], float(whole.scores[number])) for number in kept]
    embedding = "embeddings.word_embeddings.weight"
    own = {**whole.weights, embedding: whole.weights[embedding][kept]}
    weights = {
        f"encoder.{name}": torch.from_numpy(np.ascontiguousarray(w)) for name, w in own.items()
    }
    config = {
        "model_type": "bert",
        **whole.sizes,
        "num_hidden_layers": len(layers),
        "vocab_size": len(kept),
        "layer_norm_eps": whole.epsilon,
        "pad_token_id": 1,
        "attention_probs_dropout_prob": 0.0,  # drawing would take as long as the products
    }
    header = EncoderHeader(settings, config, tokenizer_of(pieces).to_str())
    return Start(header, _rounded(_of_layers(weights, layers)))


def _settings(max_tokens: int, head: str, width: int) -> EncoderSettings:
    kind = _HEADS[head]
    return EncoderSettings(kind, "sigmoid", 0, max_tokens, 0 if kind == "pooled" else width)


def _of_layers(weights: Mapping[str, Any], layers: Sequence[int]) -> dict[str, Any]:
    """Weights of some of the layers, renumbered, and all weights outside the layers."""
    stem = "encoder.encoder.layer."
    numbers = {str(old): str(new) for new, old in enumerate(layers)}
    found = {}
    for name, tensor in weights.items():
        if not name.startswith(stem):
            found[name] = tensor
            continue
        number, _, rest = name.removeprefix(stem).partition(".")
        if number in numbers:
            found[f"{stem}{numbers[number]}.{rest}"] = tensor
    return found


def _rounded(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Weights rounded as in a file, so that the frozen layers equal the shipped ones."""
    return in_float32(in_int8(weights))
