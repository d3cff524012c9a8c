"""Watermarks: a slot for a network of the user's, as an ONNX file.

No network for it is bundled. The defaults are those of LAION's detector (an EfficientNet-B3 with
two outputs, the first one for a watermark), which torch.onnx.export turns into such a file. LAION
and data-juicer keep images below 0.8.

Source: LAION-AI/LAION-5B-WatermarkDetection, example_use.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pyspark.sql.types import DoubleType, StructField

from udfs.base.settings import ConfigError, Count, Model, PositiveAmount, PositiveCount, Share
from udfs.image_models.onnx_file import OnnxHeader, checked_header, read_onnx_header
from udfs.pair_scorers.declaration import IMAGE, Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import KnownFiles, Rejection, ScorerFiles

if TYPE_CHECKING:
    from udfs.base.array_types import Float32Array, UInt8Array
    from udfs.scorers.scorer import Record

NAME = "watermark"


@dataclass(frozen=True)
class WatermarkSettings:
    """Whether an image has a watermark, by a network of yours (extra onnx)."""

    artifact: Model | None = None
    """Path to the network's ONNX file, or an artifact's name; the scorer needs one. Its input is
    one RGB picture of 32-bit floats, channels first or last, the first axis being the batch."""
    side: PositiveCount = 256
    """Pixels of the sides to which a picture is resized, whatever its shape (bilinear)."""
    mean: tuple[Share, ...] = (0.485, 0.456, 0.406)
    """Taken off red, green and blue, which are shares of 255."""
    std: tuple[PositiveAmount, ...] = (0.229, 0.224, 0.225)
    """Then they are divided by these."""
    output: Count = 0
    """Number of the output that stands for a watermark, from 0."""
    activation: Literal["softmax", "sigmoid", "none"] = "softmax"
    """Function of the outputs; ``none`` for a network that gives probabilities."""

    def __post_init__(self) -> None:
        for key, values in {"mean": self.mean, "std": self.std}.items():
            if len(values) != 3:
                raise ConfigError(f"{NAME}.{key} = {list(values)}: expected three numbers")


@dataclass(frozen=True)
class WatermarkLimits:
    """Key of [select_pairs] that looks at the score."""

    max_watermark: Share | None = None
    """Highest probability that an image has a watermark (``watermark``). LAION: 0.8."""


RESULT_TYPE = result_type(StructField("watermark", DoubleType()))  # probability


def network_input(
    picture: UInt8Array, settings: WatermarkSettings, channels_last: bool
) -> Float32Array:
    """Resize a picture and bring its colours to the network's scale.

    Args:
        picture: RGB, shape (height, width, 3).
    Returns:
        Shape (side, side, 3), or (3, side, side).
    """
    from PIL import Image

    size = (settings.side, settings.side)
    resized = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
    scaled = np.asarray(resized, np.float32) / np.float32(255)
    mean, std = np.array(settings.mean, np.float32), np.array(settings.std, np.float32)
    found: Float32Array = (scaled - mean) / std
    return found if channels_last else found.transpose(2, 0, 1)


def score_images(pairs: Pairs, network: WatermarkNetwork) -> Sequence[Record]:
    """Score every image."""
    from udfs.image_models.pictures import records_of_pictures

    return records_of_pictures(
        pairs, RESULT_TYPE, lambda picture: {NAME: network.probability(picture)}
    )


class WatermarkNetwork:
    """The network, loaded, and the output that counts."""

    def __init__(self, path: Path, settings: WatermarkSettings) -> None:
        from udfs.image_models.classifier import ImageClassifier, sigmoid, softmax

        last = _has_channels_last(read_onnx_header(path))
        prepare = partial(network_input, settings=settings, channels_last=last)
        self._classifier = ImageClassifier(path, prepare, NAME)
        functions: dict[str, Callable[[Float32Array], Any]] = {
            "softmax": softmax,
            "sigmoid": sigmoid,
            "none": np.asarray,
        }
        self._function = functions[settings.activation]
        self._output = settings.output

    def probability(self, picture: UInt8Array) -> float:
        """Return the probability that a picture, RGB, has a watermark."""
        return float(self._function(self._classifier.outputs(picture))[self._output])


def _load(files: Loaded, settings: WatermarkSettings) -> WatermarkNetwork:
    return WatermarkNetwork(files["artifact"], settings)


def _make(settings: WatermarkSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    shipped = (("artifact", files.shipped("artifact")),)
    return PairScorer(NAME, RESULT_TYPE, _load, score_images, shipped, settings)


def _has_channels_last(header: OnnxHeader) -> bool:
    return header.inputs[0].shape[1] != 3 and header.inputs[0].shape[3] == 3


def _check(settings: WatermarkSettings, limits: object, files: KnownFiles) -> None:
    if settings.artifact is None:
        raise ConfigError(f'{NAME}.artifact = "off": scorer {NAME} needs an ONNX file')
    header = checked_header(NAME, "artifact", files)
    if header is None:
        return
    path, shape = files["artifact"].path, header.inputs[0].shape
    sides = shape[1:3] if _has_channels_last(header) else shape[2:4]
    if any(isinstance(side, int) and side != settings.side for side in sides):
        raise ConfigError(f"{NAME}.side = {settings.side}: the input of {path} is {list(shape)}")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise ConfigError(f"{NAME}.artifact: {path}: takes {shape[0]} pictures a call, expected 1")
    outputs = header.outputs[0].shape[1:] if header.outputs else ()
    known = [length for length in outputs if isinstance(length, int)]
    if len(known) == len(outputs) and settings.output >= max(1, int(np.prod(known))):
        raise ConfigError(
            f"{NAME}.output = {settings.output}: {path} has outputs of {list(outputs)}"
        )


WATERMARK = PairScorerDeclaration(
    name=NAME,
    settings=WatermarkSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(IMAGE,),
    check=_check,
    limits=WatermarkLimits,
    rejections=(Rejection(NAME, "max_watermark", lambda scores, most: scores[NAME] > most),),
)
