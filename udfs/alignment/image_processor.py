"""The image processor of a CLIP model: resize, crop, scale and normalise, as transformers does.

Source: preprocessor_config.json of a model's folder, and CLIPImageProcessor,
ChineseCLIPImageProcessor and SiglipImageProcessor of transformers, over Pillow.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from udfs.base.array_types import Float32Array

ARCHITECTURES = ("CLIPModel", "ChineseCLIPModel", "SiglipModel")
"""Models of transformers whose processors are known."""
_BICUBIC = 3
_FILES = ("preprocessor_config.json", "processor_config.json")


class ProcessorError(ValueError):
    """A processor's configuration asks for what is not known here."""


@dataclass(frozen=True)
class ImageProcessor:
    """Steps of a processor, in their order; None for a step that is not done."""

    shortest: int | None
    """Pixels of the shorter side after resizing."""
    size: tuple[int, int] | None
    """Height and width after resizing, whatever the shape was."""
    crop: tuple[int, int] | None
    """Height and width of the part in the centre that is kept."""
    resample: int
    """Pillow's number of the filter."""
    scale: float
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None

    def pixels(self, image: Image.Image) -> Float32Array:
        """Return what a model takes of an RGB image, shape (3, height, width)."""
        if self.size is not None:
            height, width = self.size
            image = image.resize((width, height), Image.Resampling(self.resample))
        elif self.shortest is not None:
            image = image.resize(_shape(image.size, self.shortest), Image.Resampling(self.resample))
        if self.crop is not None:
            image = _centre(image, *self.crop)
        pixels = np.asarray(image)
        found = np.empty((3, *pixels.shape[:2]), np.float32)
        for colour in range(3):  # one pass over the bytes of each, without copies between steps
            mean = 0.0 if self.mean is None else self.mean[colour]
            std = 1.0 if self.std is None else self.std[colour]
            np.multiply(pixels[:, :, colour], np.float32(self.scale / std), out=found[colour])
            found[colour] -= np.float32(mean / std)
        return found


def image_processor(config: Mapping[str, Any]) -> ImageProcessor:
    """Read the configuration of a processor.

    Raises:
        ProcessorError: it asks for another step, or its sizes are no numbers.
    """
    config = config.get("image_processor") or config  # processor_config.json has it inside
    if config.get("do_pad"):
        raise ProcessorError("do_pad = true: expected a processor that resizes and crops")
    try:
        crop = _sides(config.get("crop_size"), "height") if config.get("crop_size") else None
        size = _sides(config.get("size") or {}, "shortest_edge" if crop else "height")
        does_resize, does_crop = config.get("do_resize", True), config.get("do_center_crop", crop)
        if does_resize and not {"shortest_edge", "height"} & size.keys():
            raise ProcessorError(f"size = {size}: expected shortest_edge, or height and width")
        is_shape = does_resize and "height" in size
        does_normalise = config.get("do_normalize", True)
        scale = config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0
        return ImageProcessor(
            shortest=size["shortest_edge"] if does_resize and not is_shape else None,
            size=(size["height"], size["width"]) if is_shape else None,
            crop=(crop["height"], crop["width"]) if crop and does_crop else None,
            resample=int(config.get("resample", _BICUBIC)),
            scale=float(scale),
            mean=tuple(map(float, config["image_mean"])) if does_normalise else None,
            std=tuple(map(float, config["image_std"])) if does_normalise else None,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ProcessorError(f"the configuration of its image processor: {error!r}") from error


def _sides(stated: Any, alone: str) -> dict[str, int]:
    """A size by the names of its parts; old configurations state one number."""
    if isinstance(stated, int):
        return {alone: stated} if alone == "shortest_edge" else {"height": stated, "width": stated}
    return {name: int(side) for name, side in stated.items()}


def folder_processor(folder: Path) -> ImageProcessor:
    """The image processor of a model's folder. Raises ProcessorError, OSError."""
    named = next(folder / name for name in _FILES if (folder / name).is_file())
    return image_processor(json.loads(named.read_text(encoding="utf-8")))


def packed_processor(path: Path) -> ImageProcessor:
    """The image processor of a packed model. Raises ProcessorError."""
    from udfs.pair_scorers.model_folders import read_json

    with zipfile.ZipFile(path) as archive:
        name = next(name for name in _FILES if name in archive.namelist())
        try:
            return image_processor(read_json(archive, name))
        except ValueError as error:
            raise ProcessorError(f"{name}: {error}") from error


def _shape(size: tuple[int, int], shortest: int) -> tuple[int, int]:
    """Width and height with a shorter side of so many pixels."""
    width, height = size
    if width <= height:
        return shortest, int(shortest * height / width)
    return int(shortest * width / height), shortest


def _centre(image: Image.Image, height: int, width: int) -> Image.Image:
    """The centre of an image, with zeros around a smaller one."""
    left, top = (image.width - width) // 2, (image.height - height) // 2
    if image.width < width:
        left = -((width - image.width + 1) // 2)
    if image.height < height:
        top = -((height - image.height + 1) // 2)
    return image.crop((left, top, left + width, top + height))
