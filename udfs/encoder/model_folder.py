"""Read a folder that transformers saved: configuration, tokenizer and the encoder's weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from udfs.encoder.encoder_file import EncoderFileError

_LEAST_TOKENIZER = 0.9
"""Least size of a tokenizer, as a share of the configuration's vocab_size."""


def folder_config(folder: Path) -> dict[str, Any]:
    """Read a folder's config.json.

    Raises:
        EncoderFileError: it is no configuration of transformers.
        OSError: it cannot be read.
    """
    path = folder / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderFileError(f"{path}: expected JSON: {error}") from error
    if "model_type" not in config:
        raise EncoderFileError(
            f"{path}: model_type is missing: expected a transformers configuration"
        )
    return config


def longest_input(config: Mapping[str, Any]) -> int:
    """Return the tokens of the longest input. RoBERTa-like models number positions from
    pad_token_id + 1 on."""
    positions = int(config["max_position_embeddings"])
    is_shifted = "roberta" in config["model_type"]
    return positions - (int(config["pad_token_id"]) + 1 if is_shifted else 0)


def folder_tokenizer(folder: Path, config: Mapping[str, Any]) -> str:
    """Return a folder's tokenizer, as JSON of the tokenizers library.

    Raises:
        EncoderFileError: it has another size than the encoder's vocabulary.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    # transformers silently makes a tokenizer of special tokens only if the vocabulary is missing.
    size: int = config["vocab_size"]
    if not _LEAST_TOKENIZER * size <= len(tokenizer) <= size:
        raise EncoderFileError(
            f"{folder}: its tokenizer has {len(tokenizer):,} tokens, but vocab_size is {size:,}: "
            "is the vocabulary file there?"
        )
    json_text: str = tokenizer.backend_tokenizer.to_str()
    return json_text


def folder_weights(folder: Path) -> dict[str, Any]:
    """Return the weights of a folder's encoder, without any head, named as in AutoModel.

    Weights of a folder without safetensors are unpickled as tensors alone; nothing is executed.

    Raises:
        EncoderFileError: transformers cannot load them.
    """
    from transformers import AutoModel

    try:
        found: dict[str, Any] = AutoModel.from_pretrained(
            folder, local_files_only=True
        ).state_dict()
    except (OSError, ValueError, RuntimeError) as error:
        raise EncoderFileError(f"{folder}: its weights cannot be loaded: {error}") from error
    return found
