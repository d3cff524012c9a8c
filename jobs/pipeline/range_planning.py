"""Range planning on Spark: captures of an index, or lists of ranges -> ranges, splits.

Rows per range (150 million for a crawl's Chinese captures) stay in tables; rows per file (90,000)
pass through the driver.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError
from jobs.run.console import say
from jobs.run.crawl_request import (
    IndexRequest,
    RangeRequest,
    ReplayRequest,
    at_root,
    index_folder,
    sampled,
)
from jobs.run.request import PLAN_INPUT, Run
from jobs.run.splits import (
    INDEX,
    REPLAY,
    Split,
    Waves,
    next_wave,
    planning,
    wave_number,
    write_wave,
)
from jobs.run.store import Store, spark_path
from jobs.tables import RANGES, check_schema
from jobs.transforms.index_ranges import (
    captures,
    crawl_conditions,
    file_totals,
    in_splits,
    with_bytes_before,
)
from jobs.transforms.spark_errors import first_line, quiet_errors
from udfs.files.uris import RANGE_LINE, check_scheme, provenance_path, redact

_NEEDED = ("warc_filename", "warc_record_offset", "warc_record_length")
_FORMAT = "warc"
_FILES = pa.schema(
    [
        ("name", pa.string()),
        ("uri", pa.string()),
        ("warc_path", pa.string()),
        ("bytes_before", pa.int64()),
    ]
)


Choose = Callable[[Mapping[str, int]], set[str]]
"""Chooses files, of name -> bytes of their ranges."""


def with_ranges_planned(spark: SparkSession, run: Run, choose: Choose | None = None) -> Run:
    """Plan and write the ranges that a request names; return the run with their waves.

    Args:
        choose: Chooses the files whose ranges are planned; None: as the request says.
    Raises:
        ConfigError: Spark rejects the condition, the index lacks a column, there is nothing to
            plan, or ranges overlap or lack an offset or a length.
    """
    waves = run.waves
    for request in run.requests:
        first = next_wave(waves)
        try:
            with planning(run.store, request.name, request.words(), first):
                waves = waves | _plan(spark, run, request, first, choose)
        finally:
            run.store.drop_scratch()
    return replace(run, waves=waves, requests=())


def _plan(
    spark: SparkSession,
    run: Run,
    request: RangeRequest,
    first_wave: int,
    choose: Choose | None,
) -> Waves:
    """Write the ranges and splits of one request; return its waves."""
    settings = run.config.input
    if isinstance(request, IndexRequest):
        found = _indexed(spark, request)
        origin, sample = INDEX, request.sample
    else:
        found = _listed(spark, request)
        origin, sample = REPLAY, None
    scratch = run.store.scratch(PLAN_INPUT, "ranges")
    run.store.write_parquet(with_bytes_before(found), scratch)
    ranges = spark.read.parquet(scratch)
    totals = file_totals(ranges).collect()
    _check(totals, request)
    if choose is None:
        chosen = sampled((total.name for total in totals), sample)
    else:
        chosen = choose({total.name: total.bytes for total in totals})
    files = _files(
        [total for total in totals if total.name in chosen],
        lambda name: at_root(settings.crawl_root, name),
        lambda uri: provenance_path(uri, settings.crawl_root),
    )
    planned = in_splits(
        ranges,
        _as_frame(spark, run.store, files),
        settings.split_bytes,
        run.config.run.wave_splits,
        first_wave,
    )
    waves = _write(spark, run.store, planned, origin, first_wave)
    _say_plan(totals, chosen, waves)
    return waves


def _indexed(spark: SparkSession, request: IndexRequest) -> DataFrame:
    """Read the captures of an index that match a request, as (name, offset, length)."""
    shown = f"--index {redact(request.index)}"
    folder = index_folder(request)
    reader = spark.read
    if folder != request.index.rstrip("/"):
        reader = reader.option("basePath", readable_path(spark, request.index))
    try:
        with quiet_errors():
            index = reader.parquet(readable_path(spark, folder))
    except AnalysisException as error:
        raise ConfigError(f"{shown}: not a Parquet table: {first_line(str(error))}") from error
    except Py4JJavaError as error:  # not Parquet, or a store whose classes Spark lacks
        said = str(error.java_exception.getMessage())
        raise ConfigError(f"{shown}: cannot be read: {first_line(said)}") from error
    absent = [name for name in _NEEDED if name not in index.columns]
    if request.languages and "content_languages" not in index.columns:
        absent.append("content_languages (crawls have it from CC-MAIN-2018-39 on)")
    if absent:
        raise ConfigError(f"{shown}: has no column {', '.join(absent)}")
    if request.crawl is None and "crawl" in index.columns:
        raise ConfigError(f"{shown}: has several crawls: give --crawl too")
    conditions = crawl_conditions(index.columns, request.crawl, request.languages)
    unchecked = [
        name for name in ("fetch_status", "content_mime_detected") if name not in index.columns
    ]
    if unchecked:
        text = f"{PLAN_INPUT}: the index has no {', '.join(unchecked)}: not checked"
        say("index", text, stage=PLAN_INPUT, without=unchecked)
    try:
        with quiet_errors():
            wanted = index if request.where is None else index.where(request.where)
            return captures(wanted, list(conditions.values()))
    except AnalysisException as error:
        raise ConfigError(f"--where {request.where}: {first_line(str(error))}") from error


def _listed(spark: SparkSession, request: ReplayRequest) -> DataFrame:
    """Read lists of ranges as (name, offset, length)."""
    lines = spark.read.text([readable_path(spark, uri) for uri, _ in request.lists]).select(
        F.trim("value").alias("line")
    )
    lines = lines.where((F.col("line") != "") & ~F.col("line").startswith("#"))
    wrong = lines.where(~F.col("line").rlike(f"^{RANGE_LINE.pattern}$")).first()
    if wrong is not None:
        raise ConfigError(
            f"--input @list: expected name, offset and length with tabs between them, not "
            f"{redact(wrong.line)!r}"
        )
    parts = F.split("line", "\t")
    return lines.select(
        parts[0].alias("name"),
        parts[1].cast("bigint").alias("offset"),
        parts[2].cast("bigint").alias("length"),
    )


def _check(totals: Sequence[Row], request: RangeRequest) -> None:
    """Raise ConfigError if there is nothing to plan, or ranges overlap or lack a number."""
    if not totals:
        raise ConfigError(f"nothing to plan: no capture matches the request {request.words()}")
    for total in totals:
        if total.unusable:
            raise ConfigError(
                f"{redact(str(total.name))}: {total.unusable:,} captures lack an offset or a length"
            )
        if total.overlapping:
            raise ConfigError(
                f"{redact(total.name)}: {total.overlapping:,} captures overlap an earlier one"
            )


def _files(
    totals: Sequence[Row], place: Callable[[str], str], path: Callable[[str], str]
) -> list[tuple[str, str, str, int]]:
    """Return the files of the ranges, ordered by path, as rows of _FILES."""
    by_path: dict[str, tuple[str, str, int]] = {}
    for total in totals:
        try:
            uri = place(total.name)
            check_scheme(uri)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if redact(uri) != uri:  # it would be written to every table of the plan
            raise ConfigError(
                f"{redact(uri)}: remove the credentials from the URI; set them in the environment"
            )
        same = by_path.setdefault(path(uri), (total.name, uri, total.bytes))
        if same[0] != total.name:
            raise ConfigError(f"{same[0]}, {total.name}: two names of one file; use one of them")
    rows = []
    before = 0
    for warc_path, (name, uri, size) in sorted(by_path.items()):
        rows.append((name, uri, warc_path, before))
        before += size
    return rows


def _as_frame(
    spark: SparkSession, store: Store, files: Sequence[tuple[str, str, str, int]]
) -> DataFrame:
    """Return the files as a frame, through a Parquet file: 90,000 rows are too many for a plan."""
    columns = list(zip(*files, strict=True))
    buffer = io.BytesIO()
    pq.write_table(pa.table([list(column) for column in columns], schema=_FILES), buffer)
    place = ("_scratch", PLAN_INPUT, "files.parquet")
    store.write_bytes(buffer.getvalue(), *place)
    return spark.read.parquet(store.path(*place))


def _write(
    spark: SparkSession, store: Store, planned: DataFrame, origin: str, first_wave: int
) -> Waves:
    """Write ranges and splits; return the waves."""
    check_schema(planned.drop("wave", "split").schema, RANGES)
    (
        planned.repartition("wave", "split")
        .sortWithinPartitions("wave", "split", "warc_path", "offset")
        .write.mode("append")  # keeps earlier plans
        .partitionBy("wave", "split")
        .parquet(store.path(RANGES), compression="zstd")
    )
    written = spark.read.option("basePath", store.path(RANGES)).parquet(
        *(
            store.path(RANGES, folder)
            for folder in store.list_names(RANGES)
            if wave_number(folder) >= first_wave
        )
    )
    parts = (
        written.groupBy("wave", "split", "warc_path")
        .agg(F.sum("length").alias("bytes"))
        .orderBy("wave", "split", "warc_path")
        .collect()
    )
    waves = {}
    for wave, rows in groupby(parts, key=lambda row: int(row.wave)):
        waves[wave] = tuple(
            Split(
                f"{RANGES}/wave={wave:05d}/split={row.split:05d}",
                row.warc_path,
                _FORMAT,
                row.bytes,
                origin,
            )
            for row in rows
        )
        write_wave(store, wave, waves[wave])
    return waves


def _say_plan(totals: Sequence[Row], chosen: set[str], waves: Waves) -> None:
    used = [total for total in totals if total.name in chosen]
    splits = {split.uri for rows in waves.values() for split in rows}
    captures = sum(total.ranges for total in used)
    size = sum(total.bytes for total in used)
    say(
        "planned",
        f"{PLAN_INPUT}: {captures:,} captures, {size:,} bytes of {len(used):,} files, in "
        f"{len(splits):,} splits, {len(waves):,} waves",
        stage=PLAN_INPUT,
        captures=captures,
        bytes=size,
        files=len(used),
        splits=len(splits),
        waves=len(waves),
    )


def readable_path(spark: SparkSession, uri: str) -> str:
    """Return a URI that this Spark reads: s3:// exists on EMR only, elsewhere it is s3a://."""
    path = spark_path(uri)
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    if path.startswith("s3://") and not hadoop.get("fs.s3.impl"):
        return "s3a" + path.removeprefix("s3")
    return path
