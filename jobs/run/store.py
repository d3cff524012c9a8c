"""An output: where its tables lie, and which parts of them are whole.

A wave of a stage is whole when its commit file is there: it is written last, after every table
of the wave. Readers inside the project take committed waves only; a wave without a commit is
written anew by the next run. Nothing is renamed, so that the same order holds on object stores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.tables import SCHEMAS, check_schema
from udfs.files.atomic_file import atomic_file
from udfs.files.uris import canonical_uri, filesystem, scheme_of

_COMMITS = "_commits"
_SCRATCH = "_scratch"
WHOLE = -1
"""Wave number of a stage that is done at once for all waves."""


def spark_path(uri: str) -> str:
    """A URI as Spark takes it: local paths carry their scheme, since a cluster's default file
    system may be another; others stay as written, since s3:// and s3a:// are not the same there."""
    is_local = scheme_of(uri) == ""
    return f"file://{canonical_uri(uri)}" if is_local else uri


@dataclass(frozen=True)
class Commit:
    """What a finished wave of a stage leaves behind."""

    stage: str
    wave: int
    fingerprint: str  # of inputs, settings and artifacts; another one means: do it again
    seconds: float  # wall clock, for the report
    rows: int  # records, rows or documents that the stage saw
    reads: str = ""  # fingerprint of the earlier stages' part alone
    kept: int = 0  # of the rows
    rejected: dict[str, int] = field(default_factory=dict)  # reason -> rows
    failed: dict[str, int] = field(default_factory=dict)  # reason -> rows
    settings: dict[str, Any] = field(default_factory=dict)  # what the fingerprint is made of
    sources: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Store:
    """An output folder or bucket prefix."""

    root: str
    before_commit: Callable[[], None] | None = None
    """Raises where the work must not be declared done after all."""
    after_commit: Callable[[Commit], None] | None = None
    """Told of every wave that is declared done."""

    @staticmethod
    def at(uri: str) -> Store:
        """The store at a local path or at an s3://, gs:// or hdfs:// prefix."""
        return Store(uri.rstrip("/") if "://" in uri else canonical_uri(uri))

    def path(self, *parts: str) -> str:
        """A place under the root, as Spark takes it."""
        return "/".join((spark_path(self.root), *parts))

    def table_path(self, table: str, wave: int = WHOLE) -> str:
        """The folder of a table, or of one wave of it."""
        return self.path(table) if wave == WHOLE else self.path(table, f"wave={wave:05d}")

    def read(self, spark: SparkSession, table: str, waves: Sequence[int] = (WHOLE,)) -> DataFrame:
        """A table, or the given waves of it.

        Raises:
            SchemaMismatch: the files do not have the table's columns.
        """
        if not waves:
            return spark.createDataFrame([], SCHEMAS[table])
        frame = spark.read.parquet(*(self.table_path(table, wave) for wave in waves))
        check_schema(frame.schema, table)
        return frame

    def read_waves(self, spark: SparkSession, table: str, waves: Sequence[int]) -> DataFrame:
        """The given waves of a table, with a column ``wave`` (int) that says which.

        Raises:
            SchemaMismatch: the files do not have the table's columns.
        """
        if not waves:
            empty = spark.createDataFrame([], SCHEMAS[table])
            return empty.withColumn("wave", F.lit(0))
        paths = (self.table_path(table, wave) for wave in waves)
        frame = spark.read.option("basePath", self.table_path(table)).parquet(*paths)
        check_schema(frame.drop("wave").schema, table)
        return frame.withColumn("wave", F.col("wave").cast("int"))

    def write(self, frame: DataFrame, table: str, wave: int = WHOLE) -> None:
        """Write a table, or one wave of it, over what was there.

        Raises:
            SchemaMismatch: the frame does not have the table's columns.
        """
        check_schema(frame.schema, table)
        self.write_parquet(frame, self.table_path(table, wave))

    def write_parquet(self, frame: DataFrame, path: str) -> None:
        """Write a frame as zstd Parquet over what was there."""
        frame.write.mode("overwrite").option("compression", "zstd").parquet(path)

    def scratch(self, stage: str, name: str) -> str:
        """A folder for a stage's intermediate data; `drop_scratch` removes it."""
        return self.path(_SCRATCH, stage, name)

    def drop_scratch(self) -> None:
        """Remove all intermediate data."""
        self.delete(_SCRATCH)

    def delete(self, *parts: str) -> None:
        """Remove a file or folder under the root, if it is there."""
        files, path = self._at(*parts)
        kind = files.get_file_info(path).type
        if kind == pafs.FileType.Directory:
            files.delete_dir(path)
        elif kind == pafs.FileType.File:
            files.delete_file(path)

    def commits(self, stage: str) -> dict[int, Commit]:
        """The committed waves of a stage."""
        files, path = self._at(_COMMITS, stage)
        selector = pafs.FileSelector(path, allow_not_found=True)
        found = (
            Commit(**json.loads(self._read_bytes(files, info.path)))
            for info in files.get_file_info(selector)
            if info.extension == "json"
        )
        return {commit.wave: commit for commit in found}

    def commit(self, commit: Commit) -> None:
        """Declare a wave whole. Everything it wrote must be there already."""
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
        """The stages that have committed something, or had."""
        return self.list_names(_COMMITS)

    def revoke(self, stage: str, wave: int) -> None:
        """Declare a wave unfinished, before its tables are written again."""
        self.delete(_COMMITS, stage, self._commit_name(wave))

    def write_bytes(self, data: bytes, *parts: str) -> None:
        """Write a small file so that a reader sees all of it or nothing."""
        with atomic_file("/".join((self.root, *parts))) as file:
            file.write(data)

    def read_bytes(self, *parts: str) -> bytes:
        """The bytes of a small file. Raises FileNotFoundError."""
        return self._read_bytes(*self._at(*parts))

    def modified(self, *parts: str) -> float:
        """When a file was last written, in seconds by the store's clock.

        Raises:
            FileNotFoundError: there is none.
        """
        files, path = self._at(*parts)
        info = files.get_file_info(path)
        if info.type != pafs.FileType.File:
            raise FileNotFoundError(path)
        return float(info.mtime.timestamp())

    def list_names(self, *parts: str) -> list[str]:
        """Names directly inside a folder under the root, sorted; empty where there is none."""
        files, path = self._at(*parts)
        infos = files.get_file_info(pafs.FileSelector(path, allow_not_found=True))
        return sorted(info.base_name for info in infos)

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
