"""Shards of images with their texts, as img2dataset writes them and WebDataset reads them.

A shard is NNNNN.tar with the members KEY.jpg (or .png, .webp, ...), KEY.txt and KEY.json of each
sample, NNNNN.parquet with the rows of all its samples, those without an image too, and
NNNNN_stats.json with their counts. A key is the shard's number with five digits and the sample's
with four. The bytes depend on the samples alone: no time, user or machine is in them.

Source: img2dataset 1.45 (writer.py, logger.py); WebDataset 1.0 (members of a sample follow one
another, and its name ends at the first dot).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

SHARD_DIGITS, SAMPLE_DIGITS = 5, 4
MAX_SAMPLES = 10**SAMPLE_DIGITS
"""Samples of a shard."""
MAX_SHARDS = 10**SHARD_DIGITS
"""Shards of a dataset."""
SUCCESS = "success"
EXTENSIONS: Mapping[str, str] = {
    name: "jpg" if name == "jpeg" else name
    for name in ("jpeg", "png", "gif", "webp", "bmp", "avif")
}
"""Format of an image, as `formats` names it, to the ending of its member."""

_OWN_FIELDS = ("key", "caption", "status", "error_message")

OpenFile = Callable[[str], BinaryIO]
"""Opens a file of a shard by its name, to be written."""


@dataclass(frozen=True, slots=True)
class ShardSample:
    """A sample to be written.

    Attributes:
        image: Bytes of the image; None for a sample without one, which gets a row and no members.
        format: Format of the image, a key of EXTENSIONS.
        caption: The text; None for none.
        error: Why there is no image.
        fields: Further columns of the row and fields of KEY.json: url, width, height, sha256, ...
            Every sample of a dataset has the same.
    """

    image: bytes | None
    format: str | None
    caption: str | None
    error: str | None
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """What a shard holds."""

    samples: int
    images: int
    bytes: int
    """Of the images."""


def shard_name(number: int) -> str:
    """Return the name of a shard's files, without their endings.

    >>> shard_name(7)
    '00007'
    """
    if not 0 <= number < MAX_SHARDS:
        raise ValueError(f"shard {number}: expected 0 to {MAX_SHARDS - 1}")
    return f"{number:0{SHARD_DIGITS}d}"


def write_shard(
    open_file: OpenFile,
    number: int,
    samples: Iterable[ShardSample],
    field_types: Sequence[tuple[str, pa.DataType]],
    json_nulls: Mapping[str, object] | None = None,
) -> ShardCounts:
    """Write the three files of a shard.

    Memory: one image, and the rows of the shard.

    Args:
        open_file: Opens NNNNN.tar, NNNNN.parquet, NNNNN_stats.json.
        number: Of the shard, from 0.
        samples: At most MAX_SAMPLES.
        field_types: Names and types of the samples' fields, in the order of the columns.
        json_nulls: Field -> what KEY.json has instead of null. Libraries that find the types of
            fields in a shard's first samples need one that every sample shares.
    Raises:
        ValueError: too many samples; a field that is not named, or with a name of _OWN_FIELDS; a
            format without an ending.
    """
    name = shard_name(number)
    names = [field for field, _ in field_types]
    if set(names) & set(_OWN_FIELDS):
        raise ValueError(f"fields {names}: {', '.join(_OWN_FIELDS)} are written anyway")
    rows: list[dict[str, object]] = []
    image_bytes = 0
    with open_file(f"{name}.tar") as file, _tar(file) as archive:
        for place, sample in enumerate(samples):
            if place >= MAX_SAMPLES:
                raise ValueError(f"shard {number}: more than {MAX_SAMPLES} samples")
            if set(sample.fields) != set(names):
                raise ValueError(f"fields {sorted(sample.fields)}: expected {sorted(names)}")
            row = _row(f"{name}{place:0{SAMPLE_DIGITS}d}", sample, names)
            rows.append(row)
            if sample.image is not None:
                _add_sample(archive, _without_nulls(row, json_nulls), sample.image, sample.format)
                image_bytes += len(sample.image)
    own = [(field, pa.string()) for field in _OWN_FIELDS]
    with open_file(f"{name}.parquet") as file:
        pq.write_table(pa.Table.from_pylist(rows, pa.schema([*own, *field_types])), file)
    with open_file(f"{name}_stats.json") as file:
        file.write(_stats(rows))
    images = sum(row["status"] == SUCCESS for row in rows)
    return ShardCounts(len(rows), images, image_bytes)


def _row(key: str, sample: ShardSample, names: Sequence[str]) -> dict[str, object]:
    status = SUCCESS if sample.image is not None else "failed_to_download"
    error = None if sample.image is not None else sample.error or "no_image"
    own = {"key": key, "caption": sample.caption, "status": status, "error_message": error}
    return own | {name: sample.fields[name] for name in names}


def _without_nulls(
    row: Mapping[str, object], instead: Mapping[str, object] | None
) -> Mapping[str, object]:
    if not instead:
        return row
    return {key: instead.get(key) if value is None else value for key, value in row.items()}


def _tar(file: BinaryIO) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT)


def _add_sample(
    archive: tarfile.TarFile, row: Mapping[str, object], image: bytes, image_format: str | None
) -> None:
    ending = EXTENSIONS.get(image_format or "")
    if ending is None:
        raise ValueError(f"format {image_format!r}: expected one of {', '.join(EXTENSIONS)}")
    text = json.dumps(row, ensure_ascii=False, indent=4, default=str)
    caption = row["caption"] or ""
    members = {ending: image, "txt": str(caption).encode("utf-8", "replace")}
    members["json"] = text.encode("utf-8", "replace")
    for kind in sorted(members):  # as WebDataset's writer
        info = tarfile.TarInfo(f"{row['key']}.{kind}")
        info.size, info.mode = len(members[kind]), 0o444
        archive.addfile(info, io.BytesIO(members[kind]))


def _stats(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Counts as img2dataset states them, without its times, which would differ in every run."""
    statuses = Counter(row["error_message"] or SUCCESS for row in rows)
    images = statuses[SUCCESS]
    stats = {
        "count": len(rows),
        "successes": images,
        "failed_to_download": len(rows) - images,
        "failed_to_resize": 0,
        "status_dict": {str(name): statuses[name] for name in sorted(statuses, key=str)},
    }
    return (json.dumps(stats, ensure_ascii=False, indent=4) + "\n").encode()
