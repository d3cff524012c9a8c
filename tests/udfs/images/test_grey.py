"""Pictures of 32 x 32 shades of grey: Pillow's own, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from udfs.base.array_types import UInt8Array
from udfs.images import grey
from udfs.images.grey import grey_thumbnail

MODES = ("L", "RGB", "RGBA", "RGBX", "P", "1", "CMYK", "LA", "YCbCr")
SIZES = [(1, 1), (1, 32), (32, 32), (33, 34), (64, 32), (31, 33), (64, 96), (64, 97), (700, 3)]


def noise(width: int, height: int, mode: str, seed: int = 0) -> Image.Image:
    """A picture on which every rounding shows."""
    colours = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(colours).convert(mode)


def by_pillow(image: Image.Image) -> UInt8Array:
    return np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS))


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(MODES), st.integers(0, 99))
def test_shades_are_those_of_pillow(width: int, height: int, mode: str, seed: int) -> None:
    image = noise(width, height, mode, seed)
    assert np.array_equal(grey_thumbnail(image), by_pillow(image))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_sizes_at_which_the_way_changes(width: int, height: int) -> None:
    for seed in range(5):
        image = noise(width, height, "RGB", seed)
        assert np.array_equal(grey_thumbnail(image), by_pillow(image))


@pytest.mark.parametrize("colour", [0, 255])
def test_extreme_shades_do_not_overflow(colour: int) -> None:
    for mode in ("L", "RGB"):
        shades = np.where(np.indices((90, 120)).sum(axis=0) // 9 % 2, colour, 255 - colour)
        image = Image.fromarray(shades.astype(np.uint8)).convert(mode)
        assert np.array_equal(grey_thumbnail(image), by_pillow(image))


def test_large_pictures_are_read_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise(2100, 2050, "RGB")  # more than one block of Pillow's memory
    expected = by_pillow(image)
    assert np.array_equal(grey_thumbnail(image), expected)
    monkeypatch.setattr(grey, "_STRIP_BYTES", 4 * 2100)
    assert np.array_equal(grey_thumbnail(image), expected)
