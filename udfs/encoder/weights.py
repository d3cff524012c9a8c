"""Write an encoder's weights to its file, rounded to eight bits with a scale for each row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from udfs.encoder.encoder_file import EncoderHeader

SCALE = ".scale"
"""Suffix of the name of a matrix's scales."""

_LEAST_SCALE = 1e-7  # float16 rounds much smaller numbers to zero


def in_int8(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Matrices as int8 (rows, columns) beside float16 scales (rows, 1); the rest as float16."""
    found = {}
    for name, tensor in weights.items():
        if tensor.ndim != 2:
            found[name] = tensor.half()
            continue
        scales = (tensor.abs().amax(dim=1, keepdim=True) / 127).clamp(min=_LEAST_SCALE).half()
        rounded = (tensor / scales.float()).round().clamp(-127, 127)
        found[name], found[name + SCALE] = rounded.to(torch.int8), scales
    return found


def in_float32(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Weights as float32, those that `in_int8` rounded multiplied by their scales."""
    return {
        name: tensor.float() * weights[name + SCALE].float()
        if tensor.dtype == torch.int8
        else tensor.float()
        for name, tensor in weights.items()
        if not name.endswith(SCALE)
    }


def save_encoder(header: EncoderHeader, weights: Mapping[str, Any], path: Path) -> None:
    """Write an encoder's file; the same encoder gives the same bytes.

    The library writes the header's entries in varying order, so they are sorted here.
    """
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    content = save(tensors, header.metadata())
    length = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + length])
    text = json.dumps(entries, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
