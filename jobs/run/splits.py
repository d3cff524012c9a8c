"""Input splits and their waves: the small table that every job starts from.

One file is one split, since a WARC file has no point at which a second reader could start;
ranges of files are cut into splits of even bytes (`jobs.pipeline.range_planning`). Waves are
numbered in the order in which they were planned, and inside a plan by uri.

Which plans of ranges an output holds: asked for in what words, in which waves, whole or not.

Planning ranges takes a while and writes many files; the record of a plan is written before the
first of them and again, as whole, after the last. A plan that was broken off is taken back by the
next command, so that no job ever works on half of one.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.config import ConfigError
from jobs.run.store import Store
from jobs.tables import RANGES
from udfs.files.uris import InputFile, provenance_path, redact

SPLITS = "splits"
_FILE = "splits.parquet"
_SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("warc_path", pa.string()),
        ("input_format", pa.string()),
        ("size_bytes", pa.int64()),
        ("origin", pa.string()),
    ]
)

FILE, INDEX, REPLAY = "file", "index", "replay"
"""Where a split comes from: a whole file; ranges of an index; a list of ranges to try again."""

Waves = dict[int, tuple["Split", ...]]


@dataclass(frozen=True)
class Split:
    """One input file; or, of a split of ranges, what it reads of one of its files."""

    uri: str  # where the file is read; of ranges the folder that holds them, under the output
    warc_path: str  # what its documents say of their source: the same on every mirror
    input_format: str
    size_bytes: int | None  # None where the store was not asked
    origin: str = FILE

    @property
    def is_ranged(self) -> bool:
        """Whether single records of the file are read."""
        return self.origin != FILE


def planned_waves(store: Store) -> Waves:
    """The waves that are planned in an output, by number."""
    waves = {}
    for folder in store.list_names(SPLITS):
        if _FILE in store.list_names(SPLITS, folder):
            table = pq.read_table(pa.BufferReader(store.read_bytes(SPLITS, folder, _FILE)))
            rows = table.to_pylist()  # an output of an earlier version lacks columns
            waves[wave_number(folder)] = tuple(Split(**row) for row in rows)
    return waves


def plan_waves(
    planned: Waves,
    files: Iterable[InputFile],
    input_format: str,
    size: int,
    crawl_root: str = "",
) -> Waves:
    """The waves that files add to a plan: those that are not planned yet, `size` a wave.

    Args:
        crawl_root: A place of Common Crawl's files beside those that are known.
    Raises:
        ConfigError: a file was planned with another input format.
    """
    known = {
        split.warc_path: split
        for splits in planned.values()
        for split in splits
        if not split.is_ranged
    }
    new = []
    for file in sorted(files, key=lambda file: file.uri):
        split = Split(file.uri, provenance_path(file.uri, crawl_root), input_format, file.size)
        earlier = known.setdefault(split.warc_path, split)
        if earlier.input_format != input_format:
            raise ConfigError(
                f"--input-format {input_format}: {redact(file.uri)} was planned in this output as "
                f"{earlier.input_format}; give another --output"
            )
        if earlier is split:  # else planned before, perhaps from another mirror
            new.append(split)
    first = next_wave(planned)
    starts = range(0, len(new), size)
    return {first + n: tuple(new[start : start + size]) for n, start in enumerate(starts)}


def wave_number(folder: str) -> int:
    """The wave that a folder ``wave=N`` holds; -1 for another folder."""
    number = folder.removeprefix("wave=")
    return int(number) if number.isdigit() and number != folder else -1


def next_wave(planned: Waves) -> int:
    """The number of the first wave that is not planned yet."""
    return max(planned, default=-1) + 1


def work_units(splits: Iterable[Split]) -> list[Split]:
    """One split for every file and for every folder of ranges: what a task is given."""
    return list({split.uri if split.is_ranged else split: split for split in splits}.values())


def write_wave(store: Store, wave: int, splits: Iterable[Split]) -> None:
    """Write one wave of the splits table; it is planned when this returns."""
    rows = pa.Table.from_pylist([asdict(split) for split in splits], _SCHEMA)
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    store.write_bytes(buffer.getvalue(), SPLITS, f"wave={wave:05d}", _FILE)


_PLANS = "_plans"


@dataclass(frozen=True)
class Plan:
    """A plan of ranges."""

    name: str
    request: dict[str, Any]  # what was asked for, without credentials
    first_wave: int  # it has all waves from here on that it wrote
    whole: bool


def plans(store: Store) -> list[Plan]:
    """The plans of an output, whole ones after `drop_unfinished`."""
    names = store.list_names(_PLANS)
    return [
        Plan(**json.loads(store.read_bytes(_PLANS, name)))
        for name in names
        if name.endswith(".json")
    ]


@contextmanager
def planning(
    store: Store, name: str, request: Mapping[str, Any], first_wave: int
) -> Iterator[None]:
    """What the block writes of splits and ranges is one plan; if it raises, none."""
    plan = Plan(name, dict(request), first_wave, whole=False)
    _write(store, plan)
    try:
        yield
    except Exception:
        drop_unfinished(store)
        raise
    _write(store, replace(plan, whole=True))


def drop_unfinished(store: Store) -> None:
    """Take back what a command that was broken off had planned."""
    for plan in plans(store):
        if plan.whole:
            continue
        for table in (SPLITS, RANGES):
            for folder in store.list_names(table):
                if wave_number(folder) >= plan.first_wave:
                    store.delete(table, folder)
        store.delete(_PLANS, f"{plan.name}.json")


def _write(store: Store, plan: Plan) -> None:
    data = json.dumps(asdict(plan), ensure_ascii=False, indent=1).encode()
    store.write_bytes(data, _PLANS, f"{plan.name}.json")
