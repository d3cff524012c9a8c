"""Whether two versions of the code write the same tables, row for row.

    python -m tests.bench.same_outputs --commit REF
    python -m tests.bench.same_outputs --folders BEFORE AFTER

The first form runs the pipeline on the bundled sample with the code of a commit and with that of
this checkout, in several configurations, and compares what they wrote; the second compares two
outputs. Files, partitions and the order of rows may differ; tables, columns, types and rows may
not. Of the measures of mode casia-exact only those that it stores are compared. Reports and
commits hold times and are left out. Exit status 1 where something differs.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import zstandard

from tests.sample.build_sample import build

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "conf/local.toml"

VARIANTS: dict[str, tuple[str, ...]] = {
    "default": ("select.jsonl=zst",),
    "casia-exact": ("rules.mode=casia-exact",),
    "everything": (
        "rules.traditional_policy=convert",
        "rules.pii_policy=mask",
        'dedup.levels=["url","exact","near","paragraph"]',
        "dedup.keep=best",
        "score.rows=all",
        'score.scorers=["quality","domain","toxicity","perplexity"]',
        "extract.languages=[]",
        "select.jsonl=gz",
    ),
    "budget": (
        "spark.small_properties=off",  # as a large output: with a stored frame
        "select.budget=12000 characters",
        'select.mix={general = 0.5, "*" = 0.5}',
        "select.shortfall=deal",
        "select.order=-measures.chars",
    ),
}
"""Name -> settings of a run."""
if importlib.util.find_spec("torch"):
    VARIANTS["encoder"] = (
        'score.scorers=["quality","domain","toxicity","quality_bert"]',
        "select.min_segment_score=0.3",
    )

STORED_MEASURES: dict[str, tuple[str, ...]] = {
    "casia-exact": (
        *("chars", "lines", "sensitive_distinct", "casia_han_share", "casia_traditional"),
        *("casia_dup_13gram_share", "host_block_category", "host_allow_category", "pii"),
    )
}
"""Name of a variant -> measures that it stores; the others of a variant named here are null."""

_LEFT_OUT = ("_", ".", "report", "run.json", "request.toml")
_SHOWN_ROWS = 3


def main() -> int:
    """Compare, print a line for each table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--commit", metavar="REF", help="run this commit's code and this checkout's")
    which.add_argument("--folders", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="default: all")
    arguments = parser.parse_args()
    if arguments.folders:
        return 0 if compare(*arguments.folders) else 1
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        build(work / "sample.warc.gz")
        with checked_out(arguments.commit) as before:
            same = [_same_runs(name, before, work) for name in arguments.variant or VARIANTS]
    return 0 if all(same) else 1


def compare(before: Path, after: Path, measures: Collection[str] | None = None) -> bool:
    """Print every table of two outputs with its rows and differences; whether there are none.

    Args:
        measures: Fields of the measures that are compared; None for all.
    """
    names = sorted({*_tables(before), *_tables(after)})
    same = [_same_table(name, before / name, after / name, measures) for name in names]
    return all(same)


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Yield a folder with the files of a commit, which goes when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "before"
        _git("worktree", "add", "--detach", "--quiet", str(code), commit)
        try:
            yield code
        finally:
            _git("worktree", "remove", "--force", str(code))


def _same_runs(variant: str, before: Path, work: Path) -> bool:
    print(f"{variant}: {' '.join(VARIANTS[variant])}", flush=True)
    outputs = [work / f"{variant}-{side}" for side in ("before", "after")]
    for code, output in zip((before, ROOT), outputs, strict=True):
        command = [sys.executable, "-m", "jobs.run_pipeline", "--config", CONFIG]
        command += ["--input", str(work / "sample.warc.gz"), "--output", str(output)]
        command += ["--set", *VARIANTS[variant]]
        environment = {**os.environ, "PYTHONPATH": str(code)}
        done = subprocess.run(
            command, cwd=code, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stderr[-2000:])
            raise SystemExit(f"{code.name}: exit status {done.returncode}: {' '.join(command)}")
    return compare(*outputs, STORED_MEASURES.get(variant))


def _tables(output: Path) -> Iterator[str]:
    """Names of the folders that hold Parquet or JSON lines, as relative paths."""
    for path in output.rglob("*"):
        name = path.relative_to(output)
        if path.is_file() and not name.parts[0].startswith(_LEFT_OUT) and name.name[0] not in "_.":
            parts = [part for part in name.parts[:-1] if "=" not in part]
            yield "/".join(parts)


def _same_table(
    name: str, before: Path, after: Path, measures: Collection[str] | None = None
) -> bool:
    if not (before.is_dir() and after.is_dir()):
        print(f"  {name}: only {'before' if before.is_dir() else 'after'}")
        return False
    (old_columns, old), (new_columns, new) = _rows(before, measures), _rows(after, measures)
    lost, added = old - new, new - old
    same = old_columns == new_columns and not lost and not added
    print(f"  {name}: {old.total():,} rows, {'equal' if same else 'DIFFERENT'}", flush=True)
    if old_columns != new_columns:
        print(f"    columns before: {old_columns}\n    columns after:  {new_columns}")
    for sign, rows in (("-", lost), ("+", added)):
        for row in list(rows)[:_SHOWN_ROWS]:
            print(f"    {sign} {row[:400]}")
    return same


def _rows(folder: Path, measures: Collection[str] | None = None) -> tuple[str, Counter[str]]:
    """A table's columns with their types, and its rows as text with how often each occurs."""
    found = (path for path in folder.rglob("*") if path.is_file())
    files = sorted(path for path in found if path.name[0] not in "_.")
    if all(path.suffix == ".parquet" for path in files):
        table = ds.dataset(folder, format="parquet", partitioning="hive").to_table()
        columns = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        return columns, Counter(_text(row, measures) for row in _plain(table))
    lines = [line for path in files for line in _lines(path)]
    return "text", Counter(lines)


def _plain(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _text(row: dict[str, Any], measures: Collection[str] | None = None) -> str:
    """A row as text; maps, which keep no order, by their sorted entries."""
    if measures is not None and row.get("measures"):
        row["measures"] = {name: row["measures"][name] for name in measures}
    return json.dumps({name: _ordered(value) for name, value in row.items()}, default=repr)


def _ordered(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return sorted(value)
    return value


def _lines(path: Path) -> list[str]:
    data = path.read_bytes()
    if path.suffix == ".zst":
        reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
        data = reader.read()
    elif path.suffix == ".gz":
        data = gzip.decompress(data)
    return data.decode("utf-8").splitlines()


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
