"""Images of questions: decoded when their batch is due, no larger than a model looks at."""

from __future__ import annotations

import io
import warnings
from functools import cached_property
from math import isqrt

import numpy as np
from PIL import Image, ImageOps

from udfs.base.array_types import UInt8Array


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
        try:
            with warnings.catch_warnings(), Image.open(io.BytesIO(self.body)) as image:
                warnings.simplefilter("ignore")
                image.load()
                factor = isqrt(image.width * image.height // max_pixels) if max_pixels else 1
                upright = ImageOps.exif_transpose(image)
                if upright.has_transparency_data:
                    layer = upright.convert("RGBA")
                    ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
                    upright = Image.alpha_composite(ground, layer)
                rgb = upright.convert("RGB")
                return np.array(rgb.reduce(factor) if factor > 1 else rgb)  # writable
        except MemoryError:
            raise
        except Exception as error:
            raise Undecodable(f"{type(error).__name__}: {error}") from error
