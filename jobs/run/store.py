"""An output: where its tables lie, and which waves of them are complete.

A wave of a stage is complete when its commit file exists: that file is written last, after every
table of the wave. Stages read committed waves only; the next run writes a wave without a commit
again. Nothing is renamed, so the same order holds on object stores.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from py4j.protocol import Py4JError
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

from jobs.tables import check_schema, schema_of
from udfs.files.output_files import atomic_file
from udfs.files.uris import canonical_uri, check_store, filesystem, scheme_of

_COMMITS = "_commits"
_SCRATCH = "_scratch"
_SPARK_SCHEMA = b"org.apache.spark.sql.parquet.row.metadata"
"""Key of the columns in the footer of a Parquet file that Spark wrote."""
_MARKS_SUCCESS = "mapreduce.fileoutputcommitter.marksuccessfuljobs"
_BATCH_ROWS = 2_000
WHOLE = -1
"""Wave number of a stage that handles all waves at once."""
_FOOTERS_AT_ONCE = 16
_COUNT_SECONDS = 10.0
"""How long Spark may take to say how many rows a query has written."""


class RowsLost(RuntimeError):
    """A table does not hold the rows that were written to it."""


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make calls that wait for Spark in threads of their own, and return what they return.

    Raises:
        Exception: that of the first call that raised one, after all have ended.
    """
    if not calls:
        return []
    with ThreadPoolExecutor(len(calls)) as threads:
        return [done.result() for done in [threads.submit(call) for call in calls]]


def stored_first(store_it: Callable[[], Any], *readers: Callable[[], Any], wait: bool) -> list[Any]:
    """Make a call that computes and stores rows, and calls that read the stored rows.

    Args:
        wait: Whether the readers begin when all is stored. Else they begin at once, and what they
            need is computed once in each executor: for few rows, whose queries take longer to plan.
    """
    if not wait:
        return at_once(store_it, *readers)
    return [store_it(), *at_once(*readers)]


def _observed(observation: Observation) -> int | None:
    """Return the rows that a finished query has counted; None where Spark does not say."""
    until = time.monotonic() + _COUNT_SECONDS
    try:
        future = observation._jo.future()  # type: ignore[union-attr]
        while not future.isCompleted():  # Spark reports it after the query has ended
            if time.monotonic() > until:
                return None
            time.sleep(0.005)
    except Py4JError:  # not a promise of Spark
        return None
    return int(observation.get["rows"])


def spark_path(uri: str) -> str:
    """Return a URI for Spark.

    Local paths get their scheme, since a cluster's default file system may be another. Others are
    unchanged: s3:// and s3a:// differ for Spark.
    """
    is_local = scheme_of(uri) == ""
    return f"file://{canonical_uri(uri)}" if is_local else uri


@dataclass(frozen=True)
class Commit:
    """The record of a finished wave of a stage."""

    stage: str
    wave: int
    fingerprint: str
    """Digest of settings and sources; the wave is done again when it changes."""
    seconds: float
    """Wall clock, for the report."""
    rows: int
    """Records, rows or documents that the stage saw."""
    reads: str = ""
    """Digest of the tables of earlier stages alone."""
    kept: int = 0
    """Rows that were kept."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Reason -> rows."""
    failed: dict[str, int] = field(default_factory=dict)
    """Reason -> rows."""
    removed: dict[str, str] = field(default_factory=dict)
    """Wave -> digest of the set of documents that the stage rejected; for scores, that
    deduplication rejected before."""
    settings: dict[str, Any] = field(default_factory=dict)
    """``section.key`` -> value, as in `jobs.run.commits.Basis`."""
    sources: dict[str, str | None] = field(default_factory=dict)
    """Input, file or earlier stage -> digest, as in `jobs.run.commits.Basis`."""


@dataclass(frozen=True)
class Store:
    """An output folder or bucket prefix."""

    root: str
    before_commit: Callable[[], None] | None = None
    """Called before each commit; raises if the wave must not be committed."""
    after_commit: Callable[[Commit], None] | None = None
    """Called with each new commit."""

    @staticmethod
    def at(uri: str) -> Store:
        """Return the store at a local path or an s3://, gs:// or hdfs:// prefix.

        Raises:
            StoreUnreachable, NoSuchBucket: it cannot be used.
        """
        check_store(uri)
        return Store(uri.rstrip("/") if "://" in uri else canonical_uri(uri))

    def path(self, *parts: str) -> str:
        """Return a path under the root, for Spark."""
        return "/".join((spark_path(self.root), *parts))

    def table_path(self, table: str, wave: int = WHOLE) -> str:
        """Return the folder of a table, or of one wave of it, for Spark."""
        return self.path(table) if wave == WHOLE else self.path(table, f"wave={wave:05d}")

    def read(self, spark: SparkSession, table: str, waves: Sequence[int] = (WHOLE,)) -> DataFrame:
        """Read a table, or the given waves of it.

        Raises:
            SchemaMismatch: the files do not have the table's columns.
        """
        if not waves:
            return spark.createDataFrame([], schema_of(table))
        self._check_columns(spark, table, waves[0])
        paths = (self.table_path(table, wave) for wave in waves)
        return spark.read.schema(schema_of(table)).parquet(*paths)

    def read_waves(self, spark: SparkSession, table: str, waves: Sequence[int]) -> DataFrame:
        """Read the given waves of a table, with their number in a column ``wave`` (int).

        Raises:
            SchemaMismatch: the files do not have the table's columns.
        """
        if not waves:
            empty = spark.createDataFrame([], schema_of(table))
            return empty.withColumn("wave", F.lit(0))
        self._check_columns(spark, table, waves[0])
        paths = (self.table_path(table, wave) for wave in waves)
        schema = StructType([*schema_of(table).fields, StructField("wave", IntegerType())])
        reader = spark.read.schema(schema).option("basePath", self.table_path(table))
        return reader.parquet(*paths)

    def rows(
        self, table: str, columns: Sequence[str], waves: Sequence[int] = (WHOLE,)
    ) -> Iterator[dict[str, Any]]:
        """Read columns of a table, or of waves of it, without a query of Spark.

        A few thousand rows are in memory at once.

        Returns:
            One dictionary a row, with the number of its wave as ``wave``.
        Raises:
            FileNotFoundError: the table, or one of the waves, was never written.
        """
        for wave, batch in self.batches(table, columns, waves):
            yield from ({**row, "wave": wave} for row in batch.to_pylist())

    def rows_of(
        self,
        table: str,
        columns: Sequence[str],
        doc_ids: Collection[str],
        waves: Sequence[int] = (WHOLE,),
    ) -> Iterator[dict[str, Any]]:
        """Read columns of some documents of a table, as `rows` does, without their wave's number.

        The whole table is read, and only the rows of these documents become dictionaries.

        Args:
            columns: doc_id among them.
        Raises:
            FileNotFoundError: the table, or one of the waves, was never written.
        """
        wanted = pa.array(sorted(doc_ids), pa.string())
        for _, batch in self.batches(table, columns, waves):
            yield from batch.filter(pc.is_in(batch.column("doc_id"), value_set=wanted)).to_pylist()

    def batches(
        self,
        table: str,
        columns: Sequence[str],
        waves: Sequence[int] = (WHOLE,),
        batch_rows: int = _BATCH_ROWS,
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Read columns of a table, or of waves of it, in batches, each with its wave's number.

        Raises:
            FileNotFoundError: the table, or one of the waves, was never written.
        """
        for wave in waves:
            files, parts = self._parts(table, wave)
            for part in parts:
                with files.open_input_file(part) as file:
                    rows = pq.ParquetFile(file)
                    for batch in rows.iter_batches(batch_rows, columns=list(columns)):
                        yield wave, batch

    def _parts(self, table: str, wave: int) -> tuple[pafs.FileSystem, list[str]]:
        """List the Parquet files of a table, or of one wave of it.

        Raises:
            FileNotFoundError: there is none.
        """
        files, folder = self._at(table, *([] if wave == WHOLE else [f"wave={wave:05d}"]))
        infos = files.get_file_info(pafs.FileSelector(folder))
        parts = sorted(info.path for info in infos if info.base_name.endswith(".parquet"))
        if not parts:
            raise FileNotFoundError(f"{folder}: holds no Parquet file")
        return files, parts

    def _check_columns(self, spark: SparkSession, table: str, wave: int) -> None:
        """Compare a table's columns with those that one of its files was written with.

        Spark would look for them in a file, too, but starts a job for that.

        Raises:
            SchemaMismatch: naming the columns.
            FileNotFoundError: the table, or this wave of it, was never written.
        """
        files, parts = self._parts(table, wave)
        metadata = pq.read_metadata(parts[0], filesystem=files).metadata or {}
        if _SPARK_SCHEMA in metadata:
            columns = StructType.fromJson(json.loads(metadata[_SPARK_SCHEMA]))
        else:  # written by another program
            columns = spark.read.parquet(self.table_path(table, wave)).schema
        check_schema(columns, table)

    def write(
        self,
        frame: DataFrame,
        table: str,
        wave: int = WHOLE,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Write a table, or one wave of it, over an earlier one.

        Args:
            options: Further ones of Spark's and Parquet's writers.
        Raises:
            SchemaMismatch: the frame does not have the table's columns.
        """
        check_schema(frame.schema, table)
        self.write_parquet(frame, self.table_path(table, wave), options)

    def write_counted(self, frame: DataFrame, table: str, wave: int = WHOLE) -> None:
        """Write a table as `write` does, and check that its files hold as many rows.

        For tables in which only some documents have a row: the ledger would not miss one.

        Raises:
            RowsLost: they hold others.
        """
        counted = Observation()
        self.write(frame.observe(counted, F.count(F.lit(1)).alias("rows")), table, wave)
        written, held = _observed(counted), self.count(table, wave)
        if written is not None and written != held:
            place = table if wave == WHOLE else f"{table}/wave={wave:05d}"
            raise RowsLost(f"{place}: {written:,} rows were written, and {held:,} are there")

    def count(self, table: str, wave: int = WHOLE) -> int:
        """Count the rows of a table, or of one wave of it, from the ends of its files."""
        return sum(int(footer.num_rows) for footer in self.footers(table, [wave]))

    def footers(self, table: str, waves: Sequence[int]) -> Iterator[pq.FileMetaData]:
        """Read the ends of the files of waves of a table: rows, columns, statistics.

        Raises:
            FileNotFoundError: the table, or one of the waves, was never written.
        """
        with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as threads:
            for wave in waves:
                files, parts = self._parts(table, wave)
                yield from threads.map(partial(pq.read_metadata, filesystem=files), parts)

    def write_together(self, tables: Mapping[str, DataFrame], wave: int = WHOLE) -> None:
        """Write tables, or one wave of each, at the same time: small ones leave cores idle.

        Raises:
            SchemaMismatch: a frame does not have its table's columns.
        """
        writes = [partial(self.write, frame, table, wave) for table, frame in tables.items()]
        at_once(*writes)

    def write_parquet(
        self, frame: DataFrame, path: str, options: Mapping[str, str] | None = None
    ) -> None:
        """Write a frame as zstd Parquet over earlier files, with no other file beside them.

        Programs that read all files of a folder, as polars and datasets, fail on Spark's mark and
        on Hadoop's checksums of local files.
        """
        usual = {"compression": "zstd", _MARKS_SUCCESS: "false"}
        frame.write.mode("overwrite").options(**usual, **(options or {})).parquet(path)
        if scheme_of(self.root) == "":
            for checksum in Path(path.removeprefix("file://")).glob(".*.crc"):
                checksum.unlink(missing_ok=True)

    def scratch(self, stage: str, name: str) -> str:
        """Return a folder for a stage's intermediate data; `drop_scratch` removes it."""
        return self.path(_SCRATCH, stage, name)

    def checkpoint(self, spark: SparkSession, stage: str) -> Callable[[DataFrame, str], DataFrame]:
        """Return a function that writes a frame under a name and reads it back.

        It cuts the lineage like ``localCheckpoint``, but no data is lost with an executor.
        """

        def checkpoint(frame: DataFrame, name: str) -> DataFrame:
            path = self.scratch(stage, name)
            self.write_parquet(frame, path)
            return spark.read.schema(frame.schema).parquet(path)

        return checkpoint

    def drop_scratch(self) -> None:
        """Remove all intermediate data."""
        self.delete(_SCRATCH)

    def delete(self, *parts: str) -> None:
        """Remove a file or folder under the root, if it exists."""
        files, path = self._at(*parts)
        kind = files.get_file_info(path).type
        if kind == pafs.FileType.Directory:
            files.delete_dir(path)
        elif kind == pafs.FileType.File:
            files.delete_file(path)

    def commits(self, stage: str) -> dict[int, Commit]:
        """Read the commits of a stage, by wave."""
        files, path = self._at(_COMMITS, stage)
        selector = pafs.FileSelector(path, allow_not_found=True)
        found = (
            Commit(**json.loads(self._read_bytes(files, info.path)))
            for info in files.get_file_info(selector)
            if info.extension == "json"
        )
        return {commit.wave: commit for commit in found}

    def commit(self, commit: Commit) -> None:
        """Commit a wave. All its tables must be written."""
        if self.before_commit is not None:
            self.before_commit()
        self.write_bytes(
            json.dumps(asdict(commit), indent=1).encode(),
            _COMMITS,
            commit.stage,
            self._commit_name(commit.wave),
        )
        if self.after_commit is not None:
            self.after_commit(commit)

    def stages(self) -> list[str]:
        """Return the stages that have committed a wave, now or earlier."""
        return self.list_names(_COMMITS)

    def revoke(self, stage: str, wave: int) -> None:
        """Remove a wave's commit, before its tables are written again."""
        self.delete(_COMMITS, stage, self._commit_name(wave))

    def write_bytes(self, data: bytes, *parts: str) -> None:
        """Write a small file; readers see all of it or nothing."""
        with atomic_file("/".join((self.root, *parts))) as file:
            file.write(data)

    def read_bytes(self, *parts: str) -> bytes:
        """Read a small file. Raises FileNotFoundError."""
        return self._read_bytes(*self._at(*parts))

    def modified(self, *parts: str) -> float:
        """Return when a file was last written, in seconds since 1970 by the store's clock.

        Raises:
            FileNotFoundError: the file does not exist.
        """
        files, path = self._at(*parts)
        info = files.get_file_info(path)
        if info.type != pafs.FileType.File:
            raise FileNotFoundError(path)
        return float(info.mtime.timestamp())

    def list_names(self, *parts: str) -> list[str]:
        """List the names in a folder under the root, sorted; none if there is no such folder."""
        files, path = self._at(*parts)
        infos = files.get_file_info(pafs.FileSelector(path, allow_not_found=True))
        return sorted(info.base_name for info in infos)

    def file_names(self, table: str) -> list[str]:
        """List the Parquet files of a table as ``wave=.../part-...``, sorted; none without it."""
        files, path = self._at(table)
        selector = pafs.FileSelector(path, allow_not_found=True, recursive=True)
        return sorted(
            info.path[len(path) :].lstrip("/")
            for info in files.get_file_info(selector)
            if info.base_name.endswith(".parquet")
        )

    @staticmethod
    def _read_bytes(files: pafs.FileSystem, path: str) -> bytes:
        with files.open_input_stream(path) as file:
            return bytes(file.read())

    @staticmethod
    def _commit_name(wave: int) -> str:
        return "whole.json" if wave == WHOLE else f"wave-{wave:05d}.json"

    def _at(self, *parts: str) -> tuple[pafs.FileSystem, str]:
        files, root = filesystem(self.root)
        return files, str(Path(root).joinpath(*parts)) if parts else root
