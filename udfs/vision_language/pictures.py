"""Images of questions: decoded when their batch is due, no larger than a model looks at."""

from __future__ import annotations

import io
import warnings
from functools import cached_property
from math import isqrt

import numpy as np
from PIL import Image

from udfs.base.array_types import UInt8Array
from udfs.pair_scorers.pixels import shown_image


class Undecodable(ValueError):
    """A body that cannot be decoded."""


class Picture:
    """The file of an image that `measure_images` accepted.

    Attributes:
        body: The bytes of the file.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body

    @cached_property
    def pixels(self) -> int:
        """Width times height, from the file's header; 0 for one that cannot be read."""
        try:
            with warnings.catch_warnings(), Image.open(io.BytesIO(self.body)) as image:
                warnings.simplefilter("ignore")
                return int(image.width * image.height)
        except Exception:  # Pillow's readers raise whatever a broken file leads them to
            return 0

    def decoded(self, max_pixels: int | None) -> UInt8Array:
        """Red, green and blue, shape (height, width, 3), upright, over white where transparent.

        Args:
            max_pixels: Of what the model looks at. An image with four times as many or more is
                reduced by a whole number, to no less than that; None for as it is.
        Raises:
            Undecodable: the body is broken after all.
        """
        image = shown_image(self.body)
        if image is None:
            raise Undecodable
        factor = isqrt(image.width * image.height // max_pixels) if max_pixels else 1
        return np.array(image.reduce(factor) if factor > 1 else image)  # writable
