"""Images a second that are measured, beside Pillow's own decoding of the same bytes.

    python -m tests.bench.image_rates FOLDER_OR_WARC... [--rounds 15] [--ratios FILE.json]

Decoding alone is Image.open and load, with no check. Measuring adds the checks, SHA-256, facts and
the perceptual hash: exact, and reduced, where of a JPEG file the brightness alone is decoded. Also
prints in how many bits the reduced hashes differ, and the rate of an isolated process.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from tests.bench.ratios import add_ratios_argument, write_ratios
from tests.bench.timing import pin_to_one_core, table
from tests.builders.images import image_bytes
from udfs.extract.image_records import image_bodies
from udfs.images.isolated_decoder import isolated_images
from udfs.images.measure import ImageFacts, measure_image
from udfs.images.phash import phash_distance
from udfs.warc.reader import read_records

MAX_BYTES = 32 << 20


def bodies_of(places: Sequence[Path]) -> list[bytes]:
    """The distinct images of folders and WARC files that can be measured; own ones without any."""
    found: dict[bytes, None] = {}
    for place in places:
        for path in sorted(place.iterdir()) if place.is_dir() else [place]:
            if ".warc" in path.name or ".arc" in path.name:
                with path.open("rb") as file:
                    records = image_bodies(read_records(file), MAX_BYTES, Counter())
                    found.update((record.body, None) for record in records)
            else:
                found[path.read_bytes()] = None
    if not places:
        found = {image_bytes(name, 640, 480, n): None for name in ("jpeg", "png") for n in range(9)}
    return [body for body in found if isinstance(measure_image(body), ImageFacts)]


def decode(body: bytes) -> None:
    """Decode, and look at nothing."""
    Image.open(io.BytesIO(body)).load()


def measure_all(bodies: Sequence[bytes], reduced: bool) -> list[ImageFacts]:
    """The facts of images."""
    found = [measure_image(body, reduced=reduced) for body in bodies]
    return [facts for facts in found if isinstance(facts, ImageFacts)]


def median_sums(
    ways: Mapping[str, Callable[[bytes], object]], bodies: Sequence[bytes], rounds: int
) -> dict[str, float]:
    """Sum of each image's median CPU seconds; the ways take turns at every image, so that what else
    the machine does slows all of them alike."""
    sums = dict.fromkeys(ways, 0.0)
    for body in bodies:
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.process_time()
                way(body)
                seconds[name].append(time.process_time() - start)
        for name, values in seconds.items():
            sums[name] += statistics.median(values)
    return sums


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    add_ratios_argument(parser)
    options = parser.parse_args(argv)
    bodies = bodies_of(options.places)
    pin_to_one_core()
    exact, reduced = measure_all(bodies, False), measure_all(bodies, True)
    bits = Counter(
        phash_distance(one.phash, other.phash)
        for one, other in zip(exact, reduced, strict=True)
        if one.format == "jpeg"
    )
    seconds = median_sums(
        {
            "Pillow, decoded alone": decode,
            "measured": measure_image,
            "measured, reduced": lambda body: measure_image(body, reduced=True),
        },
        bodies,
        options.rounds,
    )
    pixels = sum(facts.width * facts.height for facts in exact) / 1e6
    alone = seconds["Pillow, decoded alone"]
    rows = [
        [name, f"{len(bodies) / took:.0f}", f"{pixels / took:.0f}", f"{alone / took:.2f}"]
        for name, took in seconds.items()
    ]
    print(f"{len(bodies)} images, {pixels:.1f} million pixels")
    print(table(["", "images/s", "megapixels/s", "of Pillow's rate"], rows))
    print("bits of JPEG hashes that differ when reduced:", dict(sorted(bits.items())))
    if options.ratios is None:
        isolated = sum(isinstance(one, ImageFacts) for one in isolated_images(bodies))
        print(f"measured in an isolated process: {isolated}")
    found = {
        "measuring to decoding, exact": alone / seconds["measured"],
        "measuring to decoding, reduced": alone / seconds["measured, reduced"],
    }
    write_ratios(options.ratios, found)


if __name__ == "__main__":
    main()
