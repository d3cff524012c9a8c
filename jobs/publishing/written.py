"""What all releases share: Spark settings, files of rows, and the files beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession

from jobs.publishing.files import FILE, FILES, FileFormat, Layout, file_writer, path_of, write_empty
from jobs.publishing.lines import line_columns
from jobs.publishing.place import CARD, CHECKSUMS, write_file

SAID_OF_FILES = ("path", "rows", "bytes", "sha256")
"""What run.json has of each file."""


class ReleaseIncomplete(RuntimeError):
    """A release has more or fewer rows than it should, or its source changed meanwhile."""


@contextmanager
def spark_settings(spark: SparkSession, wanted: Mapping[str, str]) -> Iterator[None]:
    """Have settings of Spark while the block runs."""
    before = {key: spark.conf.get(key, None) for key in wanted}
    for key, value in wanted.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, was in before.items():
            if was is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, was)


def in_files(rows: DataFrame, files: int, order: Sequence[Column], number: str = FILE) -> DataFrame:
    """Bring the rows of each file into one partition, with as few others as can be, in their order.

    Args:
        files: How many there are.
        order: Of the rows of a file.
        number: Column with the number of a row's file, from 0.
    Rows: all kept. Shuffles: rows by file.
    """
    if hasattr(rows, "repartitionById"):  # Spark 4.1 on: a file to a partition
        return rows.repartitionById(files, number).sortWithinPartitions(number, *order)
    # A hash may put two files into one task.
    return rows.repartition(files, number).sortWithinPartitions(number, *order)


def write_files(rows: DataFrame, root: str, of: FileFormat, layout: Layout) -> list[dict[str, Any]]:
    """Write the files of a format.

    Needs: FILE, the format's labels and columns; the rows of a file in its order, together in one
        partition.
    Returns:
        What `jobs.publishing.files.FILES` says of each file, those without rows included.
    """
    content = of.columns if of.name == "parquet" else line_columns(of.schema.names)
    written = rows.select(FILE, *of.labels, *content).mapInArrow(
        file_writer(root, of, layout), FILES
    )
    found = {row["path"]: row.asDict(recursive=True) for row in written.collect()}
    return [
        found.get(path_of(layout, of, number)) or write_empty(root, of, layout, number)
        for number in range(layout.files)
    ]


def write_texts(root: str, texts: Mapping[str, str], files: Sequence[Mapping[str, Any]]) -> None:
    """Write the texts of a release, the checksums of all files, and the card last.

    Args:
        texts: Path -> text; README.md is the card.
        files: path and sha256 of the files that are written already.
    """
    digests = {of["path"]: of["sha256"] for of in files}
    digests |= {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
    for name, text in texts.items():
        if name != CARD:
            write_file(root, name, text)
    lines = [f"{digest}  {path}\n" for path, digest in sorted(digests.items())]
    write_file(root, CHECKSUMS, "".join(lines))
    write_file(root, CARD, texts[CARD])


def check_count(what: str, expected: int, found: int) -> None:
    """Check a number of rows.

    Raises:
        ReleaseIncomplete: it is another one.
    """
    if expected != found:
        raise ReleaseIncomplete(f"{what}: expected {expected:,}, found {found:,}")
