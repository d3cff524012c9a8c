"""What documents are chosen by, joined once: another selection, and a preview, join nothing.

The frame lies under ``_frame`` of an output, with what it follows from. It says where the text of
each document lies, so that a selection reads the texts that it keeps, and moves no other one
(`udfs.files.texts_in_place`). Where the tables have changed that it follows from, or a scorer's
results are not in it, the selection joins the tables and writes the frame again; a preview joins
them and writes nothing. It is no table of the output: the same documents are chosen without it, and
it may be removed. A small output has none, since its joins are quick.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from jobs.run.commits import StageIncomplete, fingerprint_of
from jobs.run.current_documents import duplicate_commit, rule_sources, score_commits
from jobs.run.request import Run
from jobs.run.store import Store
from jobs.tables import DOCUMENTS, DUPLICATES, FLAGGED, MEASURED, scores
from jobs.transforms.selection.curves import BINS, bins_of
from jobs.transforms.selection.frame import (
    document_frame,
    selection_scorers,
    stored_type,
    text_places,
    uses_measures,
    with_measures,
    with_pii,
    with_removals,
    with_scores,
)

FOLDER = "_frame"
BASIS = "basis.json"
_DOCUMENTS = "documents"
"""Name of what all columns but the scorers' follow from; the files of texts are part of it."""


@dataclass(frozen=True)
class StoredFrame:
    """A frame that was written, as far as it is still right."""

    folder: str
    scorers: tuple[str, ...]
    """Those whose columns may be used."""
    written: StructType
    """Columns of its files."""


def chosen_frame(spark: SparkSession, run: Run, *, may_write: bool) -> DataFrame:
    """Read what documents are chosen by, or join it.

    Args:
        may_write: Whether this is a selection, which keeps what it has joined for later ones and
            needs the columns pii, text_file and text_row. A preview is none.
    Returns:
        The columns of `stored_type` (those three may be missing in a preview, and the last two are
        in no small output's), of all scorers that the selection looks at, and measures where an
        expression names them.
    """
    stored = None if run.is_small else find_stored(run)
    if stored is None:
        frame, there = _joined_documents(spark, run, is_preview=not may_write), set[str]()
    else:
        frame, there = _read(spark, run.store, stored), set(stored.scorers)
    needed = selection_scorers(run.config)
    lacking = [name for name in needed if name not in there]
    frame = with_scores(frame, score_tables(spark, run, lacking))
    if may_write and not run.is_small and run.waves and (stored is None or lacking):
        frame = _write(spark, run, frame, sorted({*there, *needed}))
    if not uses_measures(run.config):
        return frame
    return with_measures(frame, run.store.read(spark, MEASURED, list(run.waves)))


def score_tables(spark: SparkSession, run: Run, scorers: Iterable[str]) -> dict[str, DataFrame]:
    """Read the tables of scorers, with artifact and lock_id."""
    return {name: run.store.read(spark, scores(name), list(run.waves)) for name in scorers}


def find_stored(run: Run) -> StoredFrame | None:
    """Find the stored frame; None where there is none, or the documents have changed."""
    try:
        basis = json.loads(run.store.read_bytes(FOLDER, BASIS))
        sources, written = basis["sources"], StructType.fromJson(basis["columns"])
        folder = str(basis["folder"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    now = _sources(run, [name for name in sources if name != _DOCUMENTS])
    right = [name for name, source in sources.items() if now.get(name) == source]
    scorers = tuple(name for name in right if name != _DOCUMENTS)
    there = {field.name: field.dataType.simpleString() for field in written.fields}
    wanted = {field.name: field.dataType.simpleString() for field in stored_type(scorers).fields}
    if _DOCUMENTS not in right or wanted.items() - there.items():
        return None
    return StoredFrame(folder, scorers, written)


def _joined_documents(spark: SparkSession, run: Run, *, is_preview: bool) -> DataFrame:
    """Join what does not come from scorers."""
    waves = list(run.waves)
    duplicates = run.store.read(spark, DUPLICATES)
    places = [] if is_preview or run.is_small or not waves else text_places()
    frame = with_removals(
        document_frame(run.store.read(spark, DOCUMENTS, waves), duplicates, places),
        run.store.read(spark, FLAGGED, waves),
        duplicates,
    )
    return frame if is_preview else with_pii(frame, run.store.read(spark, MEASURED, waves))


def _read(spark: SparkSession, store: Store, stored: StoredFrame) -> DataFrame:
    frame = spark.read.schema(stored.written).parquet(store.path(FOLDER, stored.folder))
    return frame.select(*stored_type(stored.scorers).fieldNames())


def _write(spark: SparkSession, run: Run, frame: DataFrame, scorers: Iterable[str]) -> DataFrame:
    """Write the frame, and remove an earlier one. Returns the frame as it is read."""
    columns = stored_type(scorers)
    basis = {
        "sources": _sources(run, scorers),
        "columns": columns.jsonValue(),
    }
    folder = fingerprint_of(basis)[:16]
    store = run.store
    whole = frame.withColumns(bins_of(frame.columns)).select(*columns.fieldNames())
    store.write_parquet(whole, store.path(FOLDER, folder))
    store.write_bytes(json.dumps({**basis, "folder": folder}).encode(), FOLDER, BASIS)
    for name in store.list_names(FOLDER):
        if name not in (folder, BASIS):
            store.delete(FOLDER, name)
    return _read(spark, store, StoredFrame(folder, tuple(scorers), columns))


def _sources(run: Run, scorers: Iterable[str]) -> dict[str, str]:
    """What the columns follow from now, by scorer; one whose scores are not up to date is left
    out."""
    files = [] if run.is_small else run.store.file_names(DOCUMENTS)
    found = {_DOCUMENTS: fingerprint_of(rule_sources(run), duplicate_commit(run), files, BINS)}
    for name in scorers:
        with suppress(StageIncomplete):
            found[name] = fingerprint_of(score_commits(run, name))
    return found
