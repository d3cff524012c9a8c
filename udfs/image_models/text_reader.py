"""Text in pictures, read by PP-OCRv4 through RapidOCR on the CPU: one picture at a time.

A detector finds lines of text, another network tells those that stand on their head, a recogniser
reads them. RapidOCR cuts, turns and decodes; the sizes of pictures are decided here, since RapidOCR
enlarges what is small or narrow without a limit (a picture of 960 x 1 pixels becomes one of 200
million).

Source: PaddleOCR (PP-OCRv4, Chinese, mobile networks); the distribution rapidocr-onnxruntime, whose
files the artifacts are. PaddleOCR reduces the longer side to 960 pixels. RapidOCR enlarges the
shorter one to 736, which takes four times as long for photos and reads no more of drawn
characters (tests/bench/image_model_rates.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from udfs.base.array_types import Float64Array, UInt8Array
from udfs.image_models.classifier import threads_of_task

_LEAST_SIDE = 32
"""Pixels of a side that the detector needs; less is filled up with black."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text in a picture."""

    text: str
    confidence: float
    """Mean of its characters' probabilities."""
    corners: Float64Array
    """Shape (4, 2): x and y in pixels of the picture that was read."""


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """What was read in a picture."""

    lines: tuple[TextLine, ...]
    """From above to below, then from left to right."""
    covered: float
    """Share of the picture's area that the lines' boxes cover together."""


class TextReader:
    """The three networks, loaded."""

    def __init__(self, detector: Path, recogniser: Path, direction: Path, max_side: int) -> None:
        """Load the networks.

        Args:
            max_side: Longer side in pixels of a picture as it is read; larger ones are reduced.
        Raises:
            ImportError: RapidOCR is not installed, or OpenCV lacks a library of the system; the
                message says what to install.
        """
        try:
            import cv2
            from rapidocr_onnxruntime import RapidOCR
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                'scorer text_in_image needs Python 3.11 or 3.12 and pip install "taojin[ocr]"',
                name=error.name,
            ) from error
        except ImportError as error:  # libGL.so.1, on servers without a screen
            raise ImportError(
                f"scorer text_in_image: {error}; install the system's packages libgl1 and "
                "libglib2.0-0, or opencv-python-headless in the place of opencv-python"
            ) from error
        threads = threads_of_task()
        cv2.setNumThreads(threads)
        self._max_side = max_side
        self._read = RapidOCR(
            det_model_path=str(detector),
            rec_model_path=str(recogniser),
            cls_model_path=str(direction),
            det_limit_type="max",
            max_side_len=max_side,
            intra_op_num_threads=threads,
            inter_op_num_threads=1,
        )

    def read(self, picture: UInt8Array) -> ReadPicture:
        """Read the text of a picture.

        Args:
            picture: RGB, shape (height, width, 3).
        """
        reduced = _reduced(picture, self._max_side)
        height, width = reduced.shape[:2]
        found, _ = self._read(_filled(reduced)[:, :, ::-1])
        lines = tuple(
            TextLine(text, float(confidence), np.asarray(corners, np.float64))
            for corners, text, confidence in found or ()
        )
        return ReadPicture(lines, _covered(lines, width, height))


def _reduced(picture: UInt8Array, max_side: int) -> UInt8Array:
    """The picture with no side longer than a number of pixels."""
    import cv2

    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer <= max_side:
        return picture
    size = tuple(max(1, round(side * max_side / longer)) for side in (width, height))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _filled(picture: UInt8Array) -> UInt8Array:
    """The picture with no side shorter than the detector needs."""
    missing = [max(0, _LEAST_SIDE - side) for side in picture.shape[:2]]
    if not any(missing):
        return picture
    return np.pad(picture, ((0, missing[0]), (0, missing[1]), (0, 0)))


def _covered(lines: tuple[TextLine, ...], width: int, height: int) -> float:
    """Share of the pixels of a picture that lie in some line's box."""
    import cv2

    mask: Any = np.zeros((height, width), np.uint8)
    for line in lines:  # one call would leave out what two boxes share
        cv2.fillConvexPoly(mask, np.round(line.corners).astype(np.int32), 1)
    return float(mask.mean())
