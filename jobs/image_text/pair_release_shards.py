"""Shards of a release of pairs: pairs with their images, in files that WebDataset reads.

The facts of pairs and the bodies of images come to a shard's task as rows of one frame, a body
after the facts it belongs to: facts are never copied into the join of bodies, and a task holds one
batch of rows, one image, and the rows of its shard's Parquet file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, BinaryIO, cast

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.image_text.pair_release_rows import ENDING, INDEX, SHARD
from jobs.publishing.files import HashedFile
from jobs.publishing.schema import arrow_schema
from jobs.publishing.written import in_files
from udfs.files.output_files import atomic_file
from udfs.images.shards import ShardSample, write_shard

FOLDER = "webdataset"
WRITTEN_SHARDS = (
    "shard int, rows bigint, images bigint, "
    "files array<struct<path string, rows bigint, bytes bigint, sha256 string>>"
)
"""A worker's row about a shard. The rows of a file are pairs: of tar, those with an image."""

_PART = "_part"
"""0 of facts, 1 of a body."""
_FORMAT, _TEXT, _FIELDS, _BODY = "_format", "_text", "_fields", "_body"
_COLUMNS = (SHARD, INDEX, ENDING, _PART, _FORMAT, _TEXT, _FIELDS, _BODY)
_BROADCAST_ROWS = 500_000
"""Pairs whose keys each executor holds whole, so that bodies are shuffled once: about 100 MB."""
_WRITTEN_SCHEMA = pa.schema(
    [
        ("shard", pa.int32()),
        ("rows", pa.int64()),
        ("images", pa.int64()),
        (
            "files",
            pa.list_(
                pa.struct(
                    [
                        ("path", pa.string()),
                        ("rows", pa.int64()),
                        ("bytes", pa.int64()),
                        ("sha256", pa.string()),
                    ]
                )
            ),
        ),
    ]
)


class BodyMissing(RuntimeError):
    """The image of a pair is not among the stored images any more."""


def sample_fields() -> list[Column]:
    """Return the fields of a sample beside its text, in order: img2dataset's, then those of a pair.

    Images are as found, so that original sizes are those of the image.

    Needs: selected_pairs. Null: what is not known, and all of the image without one.
    """
    image, page = F.col("image"), F.col("page")
    return [
        F.col("url"),
        *(image[name].alias(name) for name in ("width", "height")),
        *(image[name].alias(f"original_{name}") for name in ("width", "height")),
        F.lit(None).cast("string").alias("exif"),
        F.coalesce(image["sha256"], F.col("data_sha256")).alias("sha256"),
        *map(F.col, ("doc_id", "place", "page_url", "text_source", "alt", "title")),
        phash_digits(image["phash"]).alias("phash"),
        F.col("license"),
        *(page[name].alias(name) for name in ("quality_score", "domain", "toxicity_label")),
        F.array_join(page["opt_outs"], ",").alias("opt_outs"),
    ]


def phash_digits(phash: Column) -> Column:
    """Return a perceptual hash as `udfs.images.phash.phash_text` writes it."""
    return F.lower(F.lpad(F.hex(phash), 16, "0"))


def fields_type(pairs: DataFrame) -> StructType:
    """Return names and types of `sample_fields`."""
    return pairs.select(*sample_fields()).schema


def json_nulls(fields: StructType) -> dict[str, object]:
    """Return what KEY.json has for a field that is null in some samples: "" or -1.

    `datasets` takes the types of fields from the first samples of a shard, and a field that is null
    in them could have no value in any other.
    """
    unknown: dict[str, object] = {"string": "", "double": -1.0}  # Arrow has no -1 among doubles
    of_fields = {field.name: unknown.get(field.dataType.typeName(), -1) for field in fields}
    del of_fields["exif"]  # null in every sample
    return {"caption": "", **of_fields}


def with_bodies(pairs: DataFrame, images: DataFrame, count: int) -> DataFrame:
    """Return the rows that `shard_writer` needs.

    Needs: pairs, those of shards (selected_pairs, SHARD, INDEX, ENDING); images (image_id, body).
    Args:
        count: Number of pairs.
    Rows: of pairs, and one for the body of each pair's image.
    Shuffles: keys of pairs and bodies by image_id, where there are many pairs.
    """
    image = F.col("image")
    facts = pairs.select(
        *(SHARD, INDEX, ENDING, F.lit(0).alias(_PART)),
        image["format"].alias(_FORMAT),
        F.col("text").alias(_TEXT),
        F.struct(*sample_fields()).alias(_FIELDS),
        F.lit(None).cast("binary").alias(_BODY),
    )
    keys = pairs.where(image["format"].isNotNull()).select(
        SHARD, INDEX, ENDING, image["image_id"].alias("image_id")
    )
    if count <= _BROADCAST_ROWS:
        keys = F.broadcast(keys)
    bodies = (
        images.where(F.col("body").isNotNull())
        .select("image_id", F.col("body").alias(_BODY))
        .join(keys, on="image_id", how="inner")
        .select(
            *(SHARD, INDEX, ENDING, F.lit(1).alias(_PART)),
            *(F.lit(None).cast(facts.schema[name].dataType).alias(name) for name in _COLUMNS[4:7]),
            _BODY,
        )
    )
    return facts.unionByName(bodies)


def in_shard_order(rows: DataFrame, shards: int) -> DataFrame:
    """Bring the rows of each shard into one partition, in its order.

    Needs: rows of `with_bodies`. Shuffles: rows by shard, with the bodies.
    """
    return in_files(rows, shards, [F.col(INDEX), F.col(_PART)], SHARD).select(*_COLUMNS)


def shard_writer(
    root: str, fields: StructType
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for mapInArrow that writes the shards of a partition.

    Needs: rows of `in_shard_order`. A task that is retried writes the same files again.

    Args:
        root: Folder of the release.
        fields: Of `fields_type`.
    Raises:
        BodyMissing: a pair has an image, and no body follows it.
    """
    types = [(field.name, field.type) for field in arrow_schema(fields)]
    nulls = json_nulls(fields)

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for (shard, ending), rows in groupby(_rows(batches), key=itemgetter(SHARD, ENDING)):
            written = _write(f"{FOLDER}/{ending}", shard, rows)
            yield pa.RecordBatch.from_pylist([written], schema=_WRITTEN_SCHEMA)

    def _write(folder: str, shard: int, rows: Iterator[dict[str, Any]]) -> dict[str, Any]:
        files: list[dict[str, Any]] = []

        @contextmanager
        def opened(name: str) -> Iterator[BinaryIO]:
            with atomic_file(f"{root}/{folder}/{name}") as file:
                hashed = HashedFile(file)
                yield cast(BinaryIO, hashed)
            files.append(
                {
                    "path": f"{folder}/{name}",
                    "bytes": hashed.size,
                    "sha256": hashed.digest.hexdigest(),
                }
            )

        open_file = cast("Callable[[str], BinaryIO]", opened)
        counts = write_shard(open_file, shard, _samples(rows), types, nulls)
        for file in files:
            file["rows"] = counts.images if file["path"].endswith(".tar") else counts.samples
        return {
            "shard": shard, "rows": counts.samples, "images": counts.images, "files": files
        }  # fmt: skip

    return write


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    """Yield the rows of batches, one Python row at a time."""
    for batch in batches:
        for number in range(batch.num_rows):
            yield {name: batch.column(name)[number].as_py() for name in _COLUMNS}


def _samples(rows: Iterable[dict[str, Any]]) -> Iterator[ShardSample]:
    """Yield the samples of a shard.

    Raises:
        BodyMissing: as `shard_writer`.
    """
    for _, of_sample in groupby(rows, key=itemgetter(INDEX)):
        facts, *others = of_sample
        bodies = [row[_BODY] for row in others]
        _check_bodies(facts, bodies)
        yield ShardSample(
            bodies[0] if bodies else None,
            facts[_FORMAT],
            facts[_TEXT],
            None,
            facts[_FIELDS],
        )


def _check_bodies(facts: dict[str, Any], bodies: Sequence[bytes]) -> None:
    expected = 0 if facts[_FORMAT] is None else 1
    if facts[_PART] != 0 or len(bodies) != expected:
        fields = facts[_FIELDS] or {}
        raise BodyMissing(
            f"pair {fields.get('doc_id')} {fields.get('place')}: expected {expected} body of an "
            f"image, found {len(bodies)}; measure_images and select_pairs again"
        )
