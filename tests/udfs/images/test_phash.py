"""Perceptual hashes: those of imagehash."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.builders.images import encoded, picture
from udfs.images.phash import (
    image_phash,
    phash_distance,
    phash_number,
    phash_text,
)

# str(imagehash.phash(picture)) of imagehash 4.3.2 with SciPy 1.17.1.
HASHES = {
    (96, 64, 0): "831e13366953f4ad",
    (33, 200, 0): "813e31664d5bd62d",
    (7, 5, 0): "a34adb1c92ac69e5",
    (640, 480, 0): "8003052f1f3f5f2f",
    (96, 64, 1): "812e49566d5b56ad",
    (33, 200, 1): "813e39276c5b5635",
    (7, 5, 2): "ab639b0c76f288e2",
    (640, 480, 2): "800d053d19375f7f",
    (96, 64, 3): "811e31676c5b57a5",
    (640, 480, 3): "80184f677f1b7f02",
}
MODES = ["RGB", "RGBA", "P", "CMYK", "L", "1", "LA"]


@pytest.mark.parametrize(("width", "height", "number"), HASHES)
def test_hashes_are_those_of_imagehash(width: int, height: int, number: int) -> None:
    found = image_phash(picture(width, height, number=number))
    assert phash_text(found) == HASHES[width, height, number]


@pytest.mark.parametrize("mode", MODES)
def test_hashes_of_other_modes(mode: str) -> None:
    assert phash_text(image_phash(picture(mode=mode))) == HASHES[96, 64, 0]


def test_flat_pictures_have_one_hash() -> None:
    flat = Image.new("RGB", (50, 40), (90, 120, 30))
    assert phash_text(image_phash(flat)) == "8000000000000000"
    assert image_phash(Image.new("RGB", (1, 1))) == 0


def test_scaled_and_compressed_pictures_are_near() -> None:
    whole = picture(640, 480, number=2)
    small = whole.resize((320, 240))
    coarse = Image.open(io.BytesIO(encoded(whole, "jpeg", quality=30)))
    assert phash_distance(image_phash(whole), image_phash(small)) <= 6
    assert phash_distance(image_phash(whole), image_phash(coarse)) <= 6
    assert phash_distance(image_phash(whole), image_phash(picture(640, 480, number=3))) > 10


def test_forms_of_a_hash() -> None:
    assert phash_number("8000000000000000") == -(1 << 63)
    assert phash_text(phash_number("831e13366953f4ad")) == "831e13366953f4ad"
    with pytest.raises(ValueError, match="16 hexadecimal digits"):
        phash_number("831e")
