"""Images from where they lie to measured rows: records of WARC files, data: URIs, shards.

Every body becomes a row, usable or not; everything else that a file or shard holds is counted
under a reason. The first attempt at a task decodes in the worker; a further one, which follows a
lost worker, decodes each image in an isolated process, so that one which kills it is lost alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import tee
from typing import Any, BinaryIO

import pyarrow as pa

from udfs.base.worker import is_retry
from udfs.extract.extract import MISSING_FILE, SplitLike
from udfs.extract.image_records import (
    HTTP_ERROR,
    NO_ADDRESS,
    NOT_IMAGE_RECORD,
    OTHER_RECORD,
    REDIRECT,
    image_bodies,
)
from udfs.extract.outcomes import TALLY, content_id
from udfs.extract.pages import parse_time
from udfs.files.formats import WARC
from udfs.files.uris import open_input
from udfs.images.isolated_decoder import isolated_images
from udfs.images.measure import ImageFacts, ImageLimits, UnusableImage, measure_image
from udfs.images.schema import DATA_URI, IMAGE, IMAGE_ARROW_FIELDS, RECORD, SHARD
from udfs.images.shard_reader import ReadSample, ShardLimits, read_shard
from udfs.warc.ranges import RangedFile, RangedSplit, Record, ranged_files
from udfs.warc.reader import read_records

NO_IMAGE = "no_image"
"""Reject reason of a sample of a shard without an image."""

BATCH_ROWS = 256
BATCH_BYTES = 16 << 20
"""Bytes of bodies after which a batch of rows ends, however few they are."""

_REJECTED = frozenset({NOT_IMAGE_RECORD, OTHER_RECORD, REDIRECT, HTTP_ERROR, NO_ADDRESS, NO_IMAGE})
"""Reasons of what is no image; all others are failures."""
_RECORD_BYTES = 1 << 20
"""Bytes of a record around its body: headers."""
_JSON_BYTES = 1 << 20
_SHOWN_ON_THEIR_SIDE = frozenset({5, 6, 7, 8})
"""EXIF orientations whose width as shown is the stored height."""
_COUNTS = pa.list_(pa.struct([("reason", pa.string()), ("records", pa.int64())]))

MEASURED_IMAGES = pa.schema(
    [
        ("row_kind", pa.string()),
        *IMAGE_ARROW_FIELDS,
        ("seen", pa.int64()),
        ("rejected", _COUNTS),
        ("failed", _COUNTS),
    ]
)
"""Rows that a worker yields: of kind IMAGE one for each body, of kind TALLY one for each file, with
its name in source_path."""

Rows = Iterator[dict[str, Any]]
BatchFunction = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class ImageOptions:
    """Limits and settings of images in a worker.

    Attributes:
        max_record_bytes: Of a record of a WARC file.
        reduced: As for `measure_image`.
        timeout_s: Seconds for an image in an isolated process.
    """

    limits: ImageLimits
    max_record_bytes: int
    reduced: bool
    timeout_s: float


@dataclass(frozen=True, slots=True)
class FoundImage:
    """A body, and where it lies.

    Attributes:
        url: Its address; None in a data: URI, and where a shard states none.
        source: RECORD, DATA_URI or SHARD.
        path: Of the WARC file or shard.
        offset: Of the record, of the page's record, or of the member in the shard.
        part: Names it among the images of that offset; "" where there is one.
    """

    url: str | None
    source: str
    path: str
    offset: int
    part: str
    capture_time: datetime | None
    declared_type: str | None
    body: bytes


def record_images(
    splits: Sequence[SplitLike | RangedSplit], options: ImageOptions
) -> BatchFunction:
    """Return the function for mapInArrow over rows with numbers of splits (column ``id``)."""

    def measure(number: int) -> Rows:
        split = splits[number]
        if isinstance(split, RangedSplit):
            for file in ranged_files(split):
                yield from file_rows(file, options)
        else:
            yield from file_rows(split, options)

    return partial(_over_numbers, measure)


def shard_images(shards: Sequence[tuple[str, str]], options: ImageOptions) -> BatchFunction:
    """Return the function for mapInArrow over rows with numbers of shards (column ``id``).

    Args:
        shards: URI of each, and its name in source_path.
    """

    def measure(number: int) -> Rows:
        uri, path = shards[number]
        yield from shard_rows(partial(open_input, uri), path, options)

    return partial(_over_numbers, measure)


def data_uri_images(options: ImageOptions) -> BatchFunction:
    """Return the function for mapInArrow over image places: warc_path, warc_offset, place,
    url_written, data_body.

    Batch: one of the input at a time, whose bodies the measured ones share.
    """

    def measure(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = (place_image(row) for batch in batches for row in batch.to_pylist())
        yield from batched(measured_rows(found, options))

    return measure


def _over_numbers(
    measure: Callable[[int], Rows], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for number in batch.column("id").to_pylist():
            yield from batched(measure(number))


def file_rows(split: SplitLike, options: ImageOptions) -> Rows:
    """Yield a row for every image of a file, and its tally at the end.

    Rows of JSONL, Parquet and WET files hold texts alone: such a file is not read.
    """
    counted: Counter[str] = Counter()
    found = _recorded(split, options, counted) if split.input_format == WARC else iter(())
    yield from _with_tally(found, split.warc_path, counted, options)


def shard_rows(opened: Callable[[], BinaryIO], path: str, options: ImageOptions) -> Rows:
    """Yield a row for every image of a shard, and its tally at the end.

    Args:
        opened: Opens the shard; FileNotFoundError is counted.
        path: Its name.
    Raises:
        OSError: the shard cannot be read.
    """
    counted: Counter[str] = Counter()
    yield from _with_tally(_sampled(opened, path, options, counted), path, counted, options)


def place_image(place: dict[str, Any]) -> FoundImage:
    """Return the image in the data: URI of an image place."""
    mime = place["url_written"].removeprefix("data:").partition(";")[0].strip().lower()
    return FoundImage(
        url=None,
        source=DATA_URI,
        path=place["warc_path"],
        offset=place["warc_offset"],
        part=str(place["place"]),
        capture_time=None,
        declared_type=mime or None,
        body=place["data_body"],
    )


def _recorded(
    split: SplitLike, options: ImageOptions, counted: Counter[str]
) -> Iterator[FoundImage]:
    """Yield the images among the records of a file; all else is counted by reason."""
    try:
        for image in image_bodies(_records(split, options), options.limits.max_bytes, counted):
            yield FoundImage(
                url=image.url,
                source=RECORD,
                path=split.warc_path,
                offset=image.offset,
                part="",
                capture_time=parse_time(image.captured),
                declared_type=image.declared_type or None,
                body=image.body,
            )
    except FileNotFoundError:
        counted[MISSING_FILE] += 1


def _records(split: SplitLike, options: ImageOptions) -> Iterator[Record]:
    most = max(options.max_record_bytes, options.limits.max_bytes + _RECORD_BYTES)
    read = partial(read_records, max_record_bytes=most)
    if isinstance(split, RangedFile):
        yield from split.records(read)
        return
    with open_input(split.uri) as file:
        yield from read(file)


def _sampled(
    opened: Callable[[], BinaryIO], path: str, options: ImageOptions, counted: Counter[str]
) -> Iterator[FoundImage]:
    """Yield the images of a shard; samples without one, and problems, are counted by reason."""
    most = max(options.limits.max_bytes, _JSON_BYTES)
    limits = ShardLimits(max_member_bytes=most, max_sample_bytes=2 * most)
    try:
        with opened() as file:
            for sample in read_shard(file, limits):
                if not isinstance(sample, ReadSample):
                    counted[sample.reason] += 1
                elif sample.image is None:
                    counted[NO_IMAGE] += 1
                else:
                    yield FoundImage(
                        url=sample.url,
                        source=SHARD,
                        path=path,
                        offset=sample.offset,
                        part=sample.key,
                        capture_time=None,
                        declared_type=None,
                        body=sample.image,
                    )
    except FileNotFoundError:
        counted[MISSING_FILE] += 1


def _with_tally(
    found: Iterable[FoundImage], path: str, counted: Counter[str], options: ImageOptions
) -> Rows:
    images = 0
    for row in measured_rows(found, options):
        images += 1
        yield row
    rejected = {reason: n for reason, n in counted.items() if reason in _REJECTED}
    failed = {reason: n for reason, n in counted.items() if reason not in _REJECTED}
    yield {
        "row_kind": TALLY,
        "source_path": path,
        "seen": images + counted.total(),
        "rejected": _counts(rejected),
        "failed": _counts(failed),
    }


def measured_rows(found: Iterable[FoundImage], options: ImageOptions) -> Rows:
    """Yield a row for every image, in order."""
    images, others = tee(found)
    bodies = (image.body for image in others)
    facts: Iterator[ImageFacts | UnusableImage]
    if is_retry():
        facts = isolated_images(
            bodies, options.limits, reduced=options.reduced, limit_s=options.timeout_s
        )
    else:
        facts = (measure_image(body, options.limits, reduced=options.reduced) for body in bodies)
    for image, measured in zip(images, facts, strict=True):
        yield _row(image, measured)


def _row(image: FoundImage, measured: ImageFacts | UnusableImage) -> dict[str, Any]:
    row = {
        "row_kind": IMAGE,
        "image_id": content_id(image.source, image.path, str(image.offset), image.part),
        "url": _storable(image.url),
        "source": image.source,
        "source_path": image.path,
        "source_offset": image.offset,
        "capture_time": image.capture_time,
        "declared_type": _storable(image.declared_type),
        "bytes": len(image.body),
    }
    if isinstance(measured, UnusableImage):
        return row | {
            "reason": measured.reason,
            "sha256": hashlib.sha256(image.body).hexdigest(),
            "detail": _storable(measured.detail) or None,
        }
    width, height = measured.width, measured.height
    if measured.orientation in _SHOWN_ON_THEIR_SIDE:
        width, height = height, width
    return row | {
        "format": measured.format,
        "width": width,
        "height": height,
        "sha256": measured.sha256,
        "phash": measured.phash,
        "orientation": measured.orientation,
        "frames": measured.frames,
        "has_alpha": measured.has_alpha,
        "body": image.body,
    }


def batched(rows: Rows) -> Iterator[pa.RecordBatch]:
    """Yield rows as batches of MEASURED_IMAGES, bounded in rows and in bytes of bodies."""
    held: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row.get("body") or b"")
        if len(held) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield pa.RecordBatch.from_pylist(held, MEASURED_IMAGES)
            held, size = [], 0
    if held:
        yield pa.RecordBatch.from_pylist(held, MEASURED_IMAGES)


def _storable(text: str | None) -> str | None:
    """A text as UTF-8 can have it: half a surrogate pair, as JSON may state, becomes "?"."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def _counts(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"reason": reason, "records": n} for reason, n in sorted(counts.items())]
