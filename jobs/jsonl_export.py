"""The corpus as JSON lines: the published row with its provenance, compressed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.store import Store
from udfs.jsonl_files import WRITTEN, jsonl_writer

_FOLDER = "corpus_jsonl"


class ExportIncomplete(RuntimeError):
    """The files hold another number of rows than the corpus."""


def write_jsonl(corpus: DataFrame, store: Store, compression: str) -> None:
    """Write corpus_jsonl/part-*.jsonl.gz or .zst; ``none`` removes an earlier export.

    _SUCCESS is written last.

    Raises:
        ExportIncomplete: rows were lost or doubled on the way.
    """
    store.delete(_FOLDER)
    if compression == "none":
        return
    lines = corpus.select(
        F.to_json(F.struct(*corpus.columns), {"ignoreNullFields": "false"}).alias("line")
    )
    folder = "/".join((store.root, _FOLDER))
    written = lines.mapInArrow(jsonl_writer(folder, compression), WRITTEN)
    rows = written.agg(F.coalesce(F.sum("rows"), F.lit(0)).alias("rows")).first()
    expected = corpus.count()
    if rows is None or rows.rows != expected:
        raise ExportIncomplete(f"{_FOLDER}: {rows} of {expected} rows were written")
    store.write_bytes(b"", _FOLDER, "_SUCCESS")
