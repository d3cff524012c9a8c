"""Export the original captures of some documents of an output, to look at or to replay.

    python -m jobs.export_captures --from OUTPUT --where "reason = 'near'" --sample 50 \\
        --output FOLDER

FOLDER gets captures.warc.gz, which replay tools open, and texts.jsonl with what became of each
document. --where is SQL over the documents: their columns, stage, reason (null for a corpus
document), measures.NAME and SCORER.COLUMN. Captures are read where the output's input files are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from jobs.audit.captures import (
    CapturePlace,
    NotFound,
    capture_splits,
    find_captures,
    write_captures,
)
from jobs.audit.documents import sampled_documents
from jobs.audit.tables import FewRows, edited_texts, without_cuts
from jobs.catalogue.fetch import cache_folder
from jobs.catalogue.lock import load_lock
from jobs.config import ConfigError, load_config, with_running_scorers
from jobs.exit_status import ExitStatus, exit_status_help
from jobs.pipeline.failures import report_failure
from jobs.pipeline.interruption import stopped_by_signals
from jobs.pipeline.outcome import NothingCameOut
from jobs.pipeline.request_file import read_request
from jobs.pipeline.stages import STAGES
from jobs.run.console import say
from jobs.run.request import Run, select_stage
from jobs.run.session import spark_session
from jobs.run.session_log import libraries_logged, new_log, starts_spark
from jobs.run.splits import planned_waves
from jobs.run.store import Store
from jobs.tables import check_selection_name
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


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = _parser().parse_args(argv)
    log: Path | None = None
    try:
        with stopped_by_signals(), ExitStack() as held:
            run, folder = _checked_request(arguments)
            is_first = starts_spark()
            if is_first and not arguments.verbose:
                log = new_log(run.store.root, cache_folder(run.config), NAME)
            held.enter_context(libraries_logged(log))
            held.enter_context(stopped_by_signals(ends_java=is_first))
            spark = held.enter_context(
                spark_session(NAME, run.config, run.config_file, run.input_bytes, log=log)
            )
            _export(spark, run, arguments, folder)
    except (Exception, KeyboardInterrupt) as error:  # the boundary: a message and an exit status
        return report_failure(NAME, error, log, is_verbose=arguments.verbose)
    return ExitStatus.DONE


def _checked_request(arguments: argparse.Namespace) -> tuple[Run, Store]:
    """Check a request, without Spark.

    Raises:
        ConfigError: it is wrong.
    """
    store = Store.at(arguments.read_from)
    request = read_request(store)
    root = redact(store.root)
    if request.settings is None:
        raise ConfigError(f"--from {root}: is no output of a run")
    name = arguments.name if arguments.name is None else check_selection_name(arguments.name)
    config = load_config(arguments.config, [], request.settings)
    run = Run(
        *(with_running_scorers(config), arguments.config, store, planned_waves(store)),
        load_lock(config, arguments.config),
        STAGES,
        is_verbose=arguments.verbose,
        selection=name,
    )
    if not store.commits(select_stage(name)):
        raise ConfigError(f"--from {root}: {select_stage(name)} has not run: run it first")
    if not capture_splits(run):
        raise ConfigError(
            f"--from {root}: has no captures: its input files are JSON lines or Parquet"
        )
    folder = Store.at(arguments.output)
    if folder.list_names():
        raise ConfigError(f"--output {redact(folder.root)}: is there already, and not empty")
    return run, folder


def _export(spark: SparkSession, run: Run, arguments: argparse.Namespace, folder: Store) -> None:
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

    def counted() -> Any:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m jobs.{NAME}",
        description=__doc__,
        epilog=exit_status_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--from", dest="read_from", required=True, metavar="OUTPUT")
    parser.add_argument("--name", help="a named selection; default: that of the output itself")
    parser.add_argument("--where", default="true", metavar="SQL", help="which documents; all")
    parser.add_argument(
        "--sample", type=_count, default=50, metavar="N", help=f"documents, 1 to {MAX_SAMPLE:,}"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed takes other documents")
    parser.add_argument("--output", required=True, metavar="URI", help="an empty or new folder")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="configuration file")
    parser.add_argument("--verbose", action="store_true", help="show what Spark and Java print")
    return parser


def _count(value: str) -> int:
    count = int(value)
    if not 1 <= count <= MAX_SAMPLE:
        raise argparse.ArgumentTypeError(f"{count}: expected 1 to {MAX_SAMPLE:,}")
    return count


if __name__ == "__main__":
    sys.exit(main())
