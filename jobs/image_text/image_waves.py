"""One wave of images: bodies found, measured and written, with the ledger of their files.

The ledger has of each file what was seen of it: its records, and the data: URIs of its pages; of
each shard its samples, and the parts that gave none. A usable image is kept, an unusable one failed
by its reason, and what is no image is rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType

from jobs.config import Config
from jobs.run.commits import Balance
from jobs.run.ledger import FileBalance, close_ledger, parts_of, rows_of
from jobs.run.request import MEASURE_IMAGES, MEASURE_SHARDS, Run
from jobs.run.splits import as_read, may_repeat_records, work_units
from jobs.run.store import Store
from jobs.tables import IMAGES, PAIRS, SHARD_IMAGES, schema_of
from jobs.transforms.images.bodies import distinct_bodies, first_places
from jobs.transforms.ledger import File, tally_rows
from udfs.extract.outcomes import TALLY
from udfs.extract.stored_images import (
    ImageOptions,
    data_uri_images,
    record_images,
    shard_images,
)
from udfs.files.uris import InputFile, provenance_path
from udfs.images.measure import ImageLimits
from udfs.images.schema import IMAGE, IMAGE_TYPE

REPEATED_BODY = "repeated_body"
"""Reject reason of a data: URI whose bytes another place of the wave has."""
REPEATED_ID = "repeated_id"
"""Reject reason of a record that was read before: its range is in two plans."""

_WRITING = {
    "parquet.page.size.row.check.min": "1",
    "parquet.page.size.row.check.max": "4",
    "parquet.enable.dictionary#body": "false",
}
"""Parquet looks at the size of pages and row groups after 100 rows, and then as rarely as small
rows let it: a hundred bodies may be 3 GB."""
_INPUT_ROWS = 64
"""Image places in an Arrow batch; a body in a data: URI has up to 4 MB."""
_ROWS_OF_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"

_COUNTS = ArrayType(
    StructType([StructField("reason", StringType()), StructField("records", LongType())])
)
_MEASURED = StructType(
    [
        StructField("row_kind", StringType()),
        *IMAGE_TYPE.fields,
        StructField("seen", LongType()),
        StructField("rejected", _COUNTS),
        StructField("failed", _COUNTS),
    ]
)


def image_options(config: Config) -> ImageOptions:
    """Return the configuration in the form that the worker reads."""
    images = config.images
    return ImageOptions(
        limits=ImageLimits(
            max_bytes=images.max_bytes,
            max_pixels=images.max_pixels,
            max_frames=images.max_frames,
        ),
        max_record_bytes=config.extract.max_record_bytes,
        reduced=images.reduced,
        timeout_s=images.timeout_s,
    )


def measure_wave(spark: SparkSession, run: Run, wave: int) -> Balance:
    """Write the images of a wave's records and data: URIs, and its ledger.

    Raises:
        BalanceOpen: an image was lost or doubled on the way.
    """
    options = image_options(run.config)
    parts = parts_of(run.waves, [wave])
    ledger = {file: FileBalance() for file in parts}
    images = spark.createDataFrame([], schema_of(IMAGES))
    measured = None
    if run.config.images.records:
        measured = _of_records(spark, run, wave, options)
        images = _images(measured)
        if may_repeat_records(run.waves, wave):
            earlier = run.store.read(spark, IMAGES, [n for n in run.waves if n < wave])
            images = _without_repeated(images, earlier)
            _add_rejected(ledger, wave, REPEATED_ID, _repeated(_images(measured), images))
    if run.config.images.data_uris:
        places = run.store.read(spark, PAIRS, [wave]).where(F.col("data_body").isNotNull())
        _add_seen(ledger, wave, places)
        _add_rejected(ledger, wave, REPEATED_BODY, _repeated(places, first_places(places)))
        found = distinct_bodies(places).mapInArrow(data_uri_images(options), _MEASURED)
        images = images.unionByName(_images(found))
    _write(spark, run.store, images, IMAGES, wave)
    if measured is not None:
        _add_tallies(ledger, wave, measured, parts)
        measured.unpersist()
    _add_written(ledger, wave, run.store.read(spark, IMAGES, [wave]))
    return close_ledger(run.store, MEASURE_IMAGES, wave, ledger)


def measure_shards(
    spark: SparkSession, run: Run, wave: int, shards: Sequence[InputFile]
) -> Balance:
    """Write the images of a wave of shards, one task a shard, and its ledger.

    Raises:
        BalanceOpen: as `measure_wave`.
    """
    root = run.config.input.crawl_root
    named = [(shard.uri, provenance_path(shard.uri, root)) for shard in shards]
    measured = (
        spark.range(0, len(named), 1, len(named))
        .mapInArrow(shard_images(named, image_options(run.config)), _MEASURED)
        .persist(StorageLevel.DISK_ONLY)
    )
    _write(spark, run.store, _images(measured), SHARD_IMAGES, wave)
    parts = Counter((wave, path) for _, path in named)
    ledger = {file: FileBalance() for file in parts}
    _add_tallies(ledger, wave, measured, parts)
    measured.unpersist()
    _add_written(ledger, wave, run.store.read(spark, SHARD_IMAGES, [wave]))
    return close_ledger(run.store, MEASURE_SHARDS, wave, ledger)


def _of_records(spark: SparkSession, run: Run, wave: int, options: ImageOptions) -> DataFrame:
    """Read and measure the image records of a wave; on disk, since its bodies outgrow memory."""
    splits = work_units(run.waves[wave])
    read = [as_read(split, run.store.root, run.config.input) for split in splits]
    numbers = spark.range(0, len(splits), 1, run.config.run.partitions or len(splits))
    measured = numbers.mapInArrow(record_images(read, options), _MEASURED)
    return measured.persist(StorageLevel.DISK_ONLY)


def _images(measured: DataFrame) -> DataFrame:
    return measured.where(F.col("row_kind") == IMAGE).select(*IMAGE_TYPE.fieldNames())


def _write(spark: SparkSession, store: Store, images: DataFrame, table: str, wave: int) -> None:
    """Write bodies in row groups and pages of their usual sizes."""
    rows = int(spark.conf.get(_ROWS_OF_BATCH) or 0)  # 0: no limit
    spark.conf.set(_ROWS_OF_BATCH, str(min(rows, _INPUT_ROWS) if rows > 0 else _INPUT_ROWS))
    try:
        store.write(images, table, wave, _WRITING)
    finally:
        spark.conf.set(_ROWS_OF_BATCH, str(rows))


def _without_repeated(images: DataFrame, earlier: DataFrame) -> DataFrame:
    """Leave out records that are read twice in a wave, or were in an earlier one."""
    before = earlier.select("image_id")
    return (
        images.dropDuplicates(["image_id"])
        .join(before, on="image_id", how="left_anti")
        .select(*images.columns)
    )


def _repeated(seen: DataFrame, first: DataFrame) -> Counter[str]:
    """Count the rows that are not among the first ones, by file."""
    counts = _by_file(seen)
    counts.subtract(_by_file(first))
    return counts


def _by_file(rows: DataFrame) -> Counter[str]:
    path = "source_path" if "source_path" in rows.columns else "warc_path"
    counts = rows.groupBy(F.col(path).alias("warc_path")).agg(F.count("*").alias("n"))
    return Counter({row["warc_path"]: row["n"] for row in rows_of(counts)})


def _add_seen(ledger: dict[File, FileBalance], wave: int, places: DataFrame) -> None:
    for path, n in _by_file(places).items():
        balance = ledger.setdefault((wave, path), FileBalance())
        balance.seen = (balance.seen or 0) + n


def _add_rejected(
    ledger: dict[File, FileBalance], wave: int, reason: str, counts: Mapping[str, int]
) -> None:
    for path, n in counts.items():
        if n:
            ledger.setdefault((wave, path), FileBalance()).rejected[reason] += n


def _add_tallies(
    ledger: dict[File, FileBalance], wave: int, measured: DataFrame, parts: Mapping[File, int]
) -> None:
    """Add what the workers tallied; a file with too few or too many tallies stays open."""
    tallies = measured.where(F.col("row_kind") == TALLY).withColumnRenamed(
        "source_path", "warc_path"
    )
    found: Counter[File] = Counter()
    for row in rows_of(tally_rows(tallies)):
        file = (wave, row["warc_path"])
        found[file] += 1
        balance = ledger.setdefault(file, FileBalance())
        balance.seen = (balance.seen or 0) + row["n"]
        balance.rejected.update(_counter(row["rejected"]))
        balance.failed.update(_counter(row["failed"]))
    for file, balance in ledger.items():
        if found[file] != parts.get(file, 0):
            balance.seen = None


def _add_written(ledger: dict[File, FileBalance], wave: int, images: DataFrame) -> None:
    """Add what was in fact written."""
    counts = images.groupBy("source_path", "reason").agg(F.count("*").alias("n"))
    for row in rows_of(counts):
        balance = ledger.setdefault((wave, row["source_path"]), FileBalance())
        if row["reason"] is None:
            balance.kept += row["n"]
        else:
            balance.failed[row["reason"]] += row["n"]


def _counter(counts: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter({row["reason"]: row["records"] for row in counts})
