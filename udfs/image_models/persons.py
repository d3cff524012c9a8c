"""Persons in images: a slot for an object detector of the user's, as an ONNX file.

No detector is bundled. Its input is one RGB picture, its outputs a label and a score for each
object, as torchvision's detectors have them when torch.onnx.export saves them. GA-DMS keeps the
images of persons among web pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql.types import IntegerType, StructField

from udfs.base.settings import ConfigError, Count, Model, PositiveCount, Share
from udfs.image_models.onnx_file import checked_header
from udfs.pair_scorers.declaration import IMAGE, Fitted, PairScorerDeclaration, PairScorerFiles
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import KnownFiles, Rejection

if TYPE_CHECKING:
    from udfs.base.array_types import Float32Array, UInt8Array
    from udfs.scorers.scorer import Record

NAME = "persons"


@dataclass(frozen=True)
class PersonsSettings:
    """How many persons an image shows, by an object detector of yours (extra onnx)."""

    artifact: Model | None = None
    """Path to the detector's ONNX file, or an artifact's name; the scorer needs one. Its input is
    one RGB picture of 32-bit floats in [0, 1], shape (1, 3, height, width), of any size."""
    max_side: PositiveCount = 800
    """Most pixels of a side; a larger picture is reduced, its shape kept (bilinear)."""
    labels: str = "labels"
    """Name of the output with the label of each object."""
    scores: str = "scores"
    """Name of the output with the score of each object, as many as labels."""
    person: Count = 1
    """The label of a person; 1 is COCO's."""
    min_score: Share = 0.5
    """Least score of an object that counts."""


@dataclass(frozen=True)
class PersonsLimits:
    """Key of [select_pairs] that looks at persons."""

    min_persons: PositiveCount | None = None
    """Fewest persons that an image shows (``few_persons``). Off by default."""


RESULT_TYPE = result_type(StructField("persons", IntegerType()))


def network_input(picture: UInt8Array, max_side: int) -> Float32Array:
    """Reduce a picture and bring its colours to [0, 1].

    Args:
        picture: RGB, shape (height, width, 3).
    Returns:
        Shape (1, 3, height, width).
    """
    import numpy as np
    from PIL import Image

    height, width, _ = picture.shape
    factor = min(1.0, max_side / max(height, width))
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    channels = picture.astype(np.float32).transpose(2, 0, 1) / np.float32(255)
    return np.ascontiguousarray(channels[np.newaxis])


class PersonDetector:
    """The detector, loaded."""

    def __init__(self, path: Path, settings: PersonsSettings) -> None:
        from udfs.image_models.classifier import session_of

        self._session = session_of(path, NAME)
        self._input = self._session.get_inputs()[0].name
        self._settings = settings

    def persons(self, picture: UInt8Array) -> int:
        """Return the number of persons in a picture, RGB."""
        import numpy as np

        settings = self._settings
        given = {self._input: network_input(picture, settings.max_side)}
        labels, scores = self._session.run([settings.labels, settings.scores], given)
        is_person = np.asarray(labels).reshape(-1) == settings.person
        return int((is_person & (np.asarray(scores).reshape(-1) >= settings.min_score)).sum())


def score_images(pairs: Pairs, detector: PersonDetector) -> Sequence[Record]:
    """Count the persons of every image."""
    from udfs.image_models.pictures import records_of_pictures

    return records_of_pictures(
        pairs, RESULT_TYPE, lambda picture: {NAME: detector.persons(picture)}
    )


def _load(files: Loaded, settings: PersonsSettings) -> PersonDetector:
    return PersonDetector(files["artifact"], settings)


def _make(settings: PersonsSettings, files: PairScorerFiles, fitted: Fitted) -> PairScorer:
    shipped = (("artifact", files.shipped("artifact")),)
    return PairScorer(NAME, RESULT_TYPE, _load, score_images, shipped, settings)


def _check(settings: PersonsSettings, limits: object, files: KnownFiles) -> None:
    if settings.artifact is None:
        raise ConfigError(f'{NAME}.artifact = "off": scorer {NAME} needs an ONNX file')
    header = checked_header(NAME, "artifact", files)
    if header is None:
        return
    path, outputs = files["artifact"].path, [output.name for output in header.outputs]
    for key in ("labels", "scores"):
        if (name := getattr(settings, key)) not in outputs:
            raise ConfigError(
                f"{NAME}.{key} = {name!r}: {path} has outputs {', '.join(outputs) or 'none'}"
            )


PERSONS = PairScorerDeclaration(
    name=NAME,
    settings=PersonsSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(IMAGE,),
    check=_check,
    limits=PersonsLimits,
    rejections=(
        Rejection("few_persons", "min_persons", lambda scores, least: scores[NAME] < least),
    ),
)
