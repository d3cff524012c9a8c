"""The command `export_captures`: documents chosen by SQL, their original captures and texts."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql import SparkSession

from jobs.audit.captures import (
    CapturePlace,
    Found,
    NotFound,
    capture_splits,
    find_captures,
    write_captures,
)
from jobs.audit.documents import sampled_documents
from jobs.audit.tables import FewRows, edited_texts, without_cuts
from jobs.config import ConfigError
from jobs.config.exit_status import NothingCameOut
from jobs.run.console import say
from jobs.run.request import Reader, ReaderTask, Run, select_stage
from jobs.run.store import Store
from udfs.files.output_files import atomic_file
from udfs.files.uris import redact

NAME = "export_captures"
MAX_SAMPLE = 10_000
WARC = "captures.warc.gz"
TEXTS = "texts.jsonl"

_WRITTEN = "written"
_SHOWN = 10


class ExportOpen(RuntimeError):
    """Fewer or more documents were exported than were sampled."""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--where", default="true", metavar="SQL", help="which documents; all")
    parser.add_argument(
        "--sample", type=_count, default=50, metavar="N", help=f"documents, 1 to {MAX_SAMPLE:,}"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed takes other documents")
    parser.add_argument("--output", required=True, metavar="URI", help="an empty or new folder")


def _count(value: str) -> int:
    count = int(value)
    if not 1 <= count <= MAX_SAMPLE:
        raise ArgumentTypeError(f"{count}: expected 1 to {MAX_SAMPLE:,}")
    return count


def _check(run: Run, arguments: Namespace) -> ReaderTask:
    """Check a request.

    Raises:
        ConfigError: it is wrong.
    """
    root, selection = redact(run.store.root), select_stage(run.selection)
    if not run.store.commits(selection):
        raise ConfigError(f"--from {root}: {selection} has not run: run it first")
    splits = capture_splits(run)
    if not splits:
        raise ConfigError(
            f"--from {root}: has no captures: its input files are JSON lines or Parquet"
        )
    folder = Store.at(arguments.output)
    if folder.list_names():
        raise ConfigError(f"--output {redact(folder.root)}: is there already, and not empty")
    plan = [
        f"{NAME}: at most {arguments.sample:,} documents of {root} where {arguments.where}",
        f"  from {len(splits):,} files of captures to {redact(folder.root)}",
    ]
    return ReaderTask(plan, lambda spark: _export(spark, run, arguments, folder))


def _export(spark: SparkSession, run: Run, arguments: Namespace, folder: Store) -> None:
    """Write both files, and say what was written.

    Raises:
        ConfigError: --where cannot be used.
        NothingCameOut: no document matches, or no capture was found.
        ExportOpen: documents were lost on the way.
    """
    chosen = sampled_documents(spark, run, arguments.where, arguments.sample, arguments.seed)
    rows = [row.asDict() for row in chosen.collect()]
    if not rows:
        raise NothingCameOut(f"--where {arguments.where!r}: no document matches")
    places = [
        CapturePlace(
            *(row[key] for key in ("doc_id", "warc_path", "warc_offset", "url", "capture_micros"))
        )
        for row in rows
    ]
    few = FewRows(spark, run, max_chars=None)
    texts = without_cuts(few, run, edited_texts(few, run, [row["doc_id"] for row in rows]))
    seen: Counter[str] = Counter()

    def counted() -> Iterator[Found]:
        for place, found in find_captures(run, places):
            seen[_WRITTEN if not isinstance(found, NotFound) else found.reason] += 1
            yield place, found

    with atomic_file(f"{folder.root}/{WARC}") as file:
        missing = write_captures(file, WARC, counted())
    if seen.total() != len(rows) or seen[_WRITTEN] + len(missing) != len(rows):
        raise ExportOpen(f"{len(rows):,} documents sampled, {dict(seen)} exported")
    with atomic_file(f"{folder.root}/{TEXTS}") as file:
        for row in rows:
            text = texts[row["doc_id"]].text
            line = json.dumps(_line(row, text, missing), ensure_ascii=False)
            file.write(line.encode("utf-8", "replace") + b"\n")
    _say_outcome(rows, missing, folder)


def _line(row: Mapping[str, Any], text: str, missing: Mapping[str, NotFound]) -> dict[str, Any]:
    """Return a line of the texts."""
    failed = missing.get(row["doc_id"])
    names = ("doc_id", "url", "stage", "reasons", "warc_path", "warc_offset")
    return {
        **{name: row[name] for name in names},
        "capture": _WRITTEN if failed is None else failed.reason,
        "text": text,
    }


def _say_outcome(
    rows: Sequence[Mapping[str, Any]], missing: Mapping[str, NotFound], folder: Store
) -> None:
    """Say how many captures were written, and name those that were not.

    Raises:
        NothingCameOut: none was.
    """
    for row in [row for row in rows if row["doc_id"] in missing][:_SHOWN]:
        why = missing[row["doc_id"]]
        place = f"{row['warc_path']} at {row['warc_offset']}"
        say("note", f"{NAME}: {why.reason}: {row['url']} ({place}): {why.detail}")
    if len(missing) > _SHOWN:
        say("note", f"{NAME}: {len(missing) - _SHOWN:,} more; {TEXTS} has all of them")
    if len(missing) == len(rows):
        raise NothingCameOut(f"none of {len(rows):,} captures could be written")
    written = len(rows) - len(missing)
    print(f"{len(rows):,} documents: {written:,} captures written, {len(missing):,} not found")
    for name in (WARC, TEXTS):
        print(f"  {redact(folder.root)}/{name}")


EXPORT_COMMAND = Reader(NAME, _add_arguments, _check)
