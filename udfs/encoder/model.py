"""An encoder and its head in PyTorch: token numbers in, scores out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch.nn.functional import gelu
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from udfs.encoder.encoder_file import Dtype, EncoderHeader, read_encoder_header
from udfs.encoder.weights import in_float32


class Encoder:
    """An encoder with its head on a device.

    Batch:
        Token numbers and their mask, both (rows, tokens); float32 scores (rows,) on the device.
        The encoder computes in one dtype, the head in float32, both without gradients.
    """

    def __init__(self, header: EncoderHeader) -> None:
        """Build the network with random weights; `load` replaces them."""
        self.settings = header.settings
        config = AutoConfig.for_model(**header.config)
        if header.settings.head == "pooled":
            self.network = torch.nn.ModuleDict(
                {
                    "encoder": AutoModel.from_config(config),
                    "head": torch.nn.Linear(2 * config.hidden_size, 1),
                }
            )
            self.base = self.network["encoder"]
        elif header.settings.head in POOLINGS:
            width = header.settings.width
            size = config.hidden_size * POOLINGS[header.settings.head].parts
            self.network = torch.nn.ModuleDict(
                {
                    "encoder": AutoModel.from_config(config, add_pooling_layer=False),
                    "hidden": torch.nn.Linear(size, width),
                    "head": torch.nn.Linear(width, 1),
                }
            )
            self.base = self.network["encoder"]
        else:
            self.network = AutoModelForSequenceClassification.from_config(config)
            self.base = self.network.base_model
        self.network.float().eval()
        self.device = torch.device("cpu")
        self.pad_id = int(config.pad_token_id or 0)
        self.pools_padding = False
        """Whether padding counts in the maximum, as in the published script."""

    def load(self, weights: Mapping[str, Any]) -> None:
        """Load all weights. Raises RuntimeError where some are missing or unknown."""
        self.network.load_state_dict(weights)

    def move(self, device: str, dtype: Dtype) -> None:
        """Move the encoder to a device; dtype ``auto`` is the device's fastest."""
        self.device = torch.device(device)
        self.network.to(self.device)
        self.dtype = fastest_dtype(self.device) if dtype == "auto" else getattr(torch, dtype)
        self.base.to(self.dtype)
        self.base.register_forward_hook(_to_float32)

    def scores(self, ids: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> torch.Tensor:
        """Scores of rows of token numbers, special tokens included, padded at the end.

        The call returns before the device has finished; copying the result waits for it.

        Raises:
            torch.OutOfMemoryError: the device cannot hold the batch.
        """
        mask = None
        if lengths.min() < ids.shape[1]:
            mask = self._moved(np.arange(ids.shape[1]) < lengths[:, None])
        with torch.inference_mode():
            return self._activated(self._outputs(self._moved(ids), mask))

    def scores_of_features(self, features: torch.Tensor) -> torch.Tensor:
        """Scores of what a head with a hidden layer sees of segments, (rows, parts * size)."""
        with torch.inference_mode():
            return self._activated(self._of_hidden(features.to(self.device)))

    def _outputs(self, ids: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        numbers = None if mask is None else mask.to(torch.int64)
        if self.settings.head == "sequence":
            return self.network(input_ids=ids, attention_mask=numbers).logits
        found = self.base(input_ids=ids, attention_mask=numbers)
        if self.settings.head in POOLINGS:
            return self._of_hidden(POOLINGS[self.settings.head].pool(found.last_hidden_state, mask))
        own = None if self.pools_padding else mask
        return self.network["head"](pooled(found.last_hidden_state, found.pooler_output, own))

    def _of_hidden(self, features: torch.Tensor) -> torch.Tensor:
        """Outputs of a head with a hidden layer."""
        return self.network["head"](gelu(self.network["hidden"](features)))

    def _activated(self, outputs: torch.Tensor) -> torch.Tensor:
        if self.settings.activation == "sigmoid":
            outputs = outputs.sigmoid()
        elif self.settings.activation == "softmax":
            outputs = outputs.softmax(dim=1)
        return outputs[:, self.settings.output]

    def _moved(self, values: npt.NDArray[Any]) -> torch.Tensor:
        """An array on the device; the copy to a GPU overlaps its computation."""
        tensor = torch.from_numpy(values)
        if self.device.type != "cuda":
            return tensor
        return tensor.pin_memory().to(self.device, non_blocking=True)


def pooled(hidden: torch.Tensor, first: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The input of BERTEval's head: the maximum over all tokens, and the pooled first one.

    Batch:
        Hidden states (rows, tokens, size), ``first`` (rows, size); a mask (rows, tokens), False for
        padding; returns (rows, 2 * size).
    """
    if mask is not None:
        hidden = hidden.masked_fill(~mask[:, :, None], -torch.inf)
    return torch.cat([hidden.amax(dim=1), first], dim=1)


def mean_of_tokens(hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The mean of hidden states (rows, tokens, size) over tokens without padding, (rows, size)."""
    if mask is None:
        return hidden.mean(dim=1)
    kept = hidden.masked_fill(~mask[:, :, None], 0.0)
    return kept.sum(dim=1) / mask.sum(dim=1, keepdim=True)


def multi_scale(hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Maximum and mean of hidden states over tokens without padding, and the first token's.

    Batch:
        Hidden states (rows, tokens, size); a mask (rows, tokens), False for padding; returns
        (rows, 3 * size).
    """
    return torch.cat([pooled(hidden, mean_of_tokens(hidden, mask), mask), hidden[:, 0]], dim=1)


@dataclass(frozen=True)
class Pooling:
    """How a head with a hidden layer sums up the tokens of a segment."""

    pool: Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]
    """Hidden states (rows, tokens, size) and their mask -> (rows, parts * size)."""
    parts: int


POOLINGS = {"mean": Pooling(mean_of_tokens, 1), "multi-scale": Pooling(multi_scale, 3)}
"""Head -> its pooling."""


def load_encoder(path: Path, device: str, dtype: Dtype) -> Encoder:
    """The encoder of a file, on a device.

    Raises:
        EncoderFileError: it is not an encoder's file.
        RuntimeError: its weights do not fit its configuration, or there is no such device.
    """
    encoder = Encoder(read_encoder_header(path))
    encoder.load(in_float32(load_file(path)))
    encoder.move(device, dtype)
    return encoder


def fastest_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies its matrices in hardware; else float16 on a GPU, float32
    on a CPU.

    A CPU without AMX computes bfloat16 slower than float32, even with other instructions for it,
    and PyTorch's capability string does not show that.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float16
    flags = Path("/proc/cpuinfo")
    has_amx = flags.exists() and "amx_bf16" in flags.read_text(encoding="utf-8")
    return torch.bfloat16 if has_amx else torch.float32


def _to_float32(module: object, inputs: object, outputs: Any) -> Any:
    """Convert an encoder's output to the head's dtype."""
    for name, value in outputs.items():
        if torch.is_tensor(value):
            outputs[name] = value.float()
    return outputs
