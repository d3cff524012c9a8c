"""Pixels of stored images: decoded once each, on threads that run ahead of the model.

Bodies are those that measure_images accepted. Pillow decodes and resizes outside of Python's lock,
so that other cores, or the cores beside a GPU, prepare the next images while a model computes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from PIL import Image, ImageOps

_PAPER = (255, 255, 255)

Prepared = TypeVar("Prepared")


def shown_image(body: bytes) -> Image.Image | None:
    """Return an image as it is shown: RGB, turned by its orientation, transparent parts white.

    None for a body that cannot be decoded after all.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(body)) as image:
            warnings.simplefilter("ignore")
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            if image.has_transparency_data:
                drawn = image.convert("RGBA")
                paper = Image.new("RGB", drawn.size, _PAPER)
                paper.paste(drawn, mask=drawn.getchannel("A"))
                return paper
            return image if image.mode == "RGB" else image.convert("RGB")
    except MemoryError:
        raise
    except Exception:  # as in `udfs.images.measure`: readers raise whatever a broken file leads to
        return None


def distinct_bodies(bodies: Sequence[bytes | None]) -> tuple[list[bytes], list[int]]:
    """Return distinct consecutive bodies, and the number of its body for each row.

    Rows of an image lie beside each other and share the object, so that nothing is compared.

    >>> one, other = bytes(2), bytes(3)
    >>> distinct_bodies([one, one, other]) == ([one, other], [0, 0, 1])
    True
    """
    found: list[bytes] = []
    numbers: list[int] = []
    for body in bodies:
        if body is None:
            raise ValueError("a pair without the image that its scorer reads")
        if not found or body is not found[-1]:
            found.append(body)
        numbers.append(len(found) - 1)
    return found, numbers


def prepared_ahead(
    bodies: Sequence[bytes],
    prepare: Callable[[Image.Image], Prepared],
    *,
    batch: int,
    threads: int,
) -> Iterator[tuple[list[int], list[Prepared]]]:
    """Yield the images of a batch as a model takes them, while threads prepare the next batch.

    Larger files come first, so that images that take as long lie in one batch and none waits for
    the last one.

    Args:
        prepare: Image as it is shown -> what the model takes; runs on a thread.
        batch: Most images at a time.
    Yields:
        Numbers of the bodies that could be decoded, and what was prepared of each.
    """
    order = sorted(range(len(bodies)), key=lambda number: (-len(bodies[number]), number))

    def one(number: int) -> Prepared | None:
        image = shown_image(bodies[number])
        return None if image is None else prepare(image)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        started = [order[first : first + batch] for first in range(0, len(order), batch)]
        waiting = [pool.submit(one, number) for number in started[0]] if started else []
        for place, numbers in enumerate(started):
            current = waiting
            if place + 1 < len(started):
                waiting = [pool.submit(one, number) for number in started[place + 1]]
            made = zip(numbers, (future.result() for future in current), strict=True)
            usable = [(number, image) for number, image in made if image is not None]
            if usable:
                yield [number for number, _ in usable], [image for _, image in usable]
