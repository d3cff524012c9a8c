"""The corpus as compressed JSON lines."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.run.store import Store
from jobs.tables import corpus_of, selection_folder
from udfs.files.output_files import WRITTEN, jsonl_writer

FOLDER = "corpus_jsonl"


class ExportIncomplete(RuntimeError):
    """The files of corpus_jsonl hold more or fewer rows than the corpus."""


def write_jsonl(
    spark: SparkSession, store: Store, compression: str, selection: str | None = None
) -> None:
    """Write corpus_jsonl/part-*.jsonl.gz or .zst; ``none`` removes an earlier export.

    Args:
        selection: Name of the selection; None for the default one.
    Raises:
        ExportIncomplete: rows were lost or doubled on the way.
    """
    folder = (*selection_folder(selection), FOLDER)
    store.delete(*folder)
    if compression == "none":
        return
    corpus = store.read(spark, corpus_of(selection))
    lines = corpus.select(
        F.to_json(F.struct(*corpus.columns), {"ignoreNullFields": "false"}).alias("line")
    )
    written = lines.mapInArrow(jsonl_writer("/".join((store.root, *folder)), compression), WRITTEN)
    rows = written.agg(F.coalesce(F.sum("rows"), F.lit(0)).alias("rows")).first()
    expected = corpus.count()
    if rows is None or rows.rows != expected:
        wrote = "nothing" if rows is None else f"{rows.rows:,} rows"
        raise ExportIncomplete(
            f"{'/'.join(folder)}: wrote {wrote}, the corpus has {expected:,} rows"
        )
