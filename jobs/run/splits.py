"""Input splits, their waves, and the record of what was planned.

A file is one split, since a WARC file has no offset at which a second reader could start; ranges
of files are cut into splits of even bytes (`jobs.pipeline.range_planning`). Waves are numbered in
the order in which they were planned, and inside a plan by uri. Each wave lies in a small Parquet
file of the table splits.

Planning ranges takes minutes and writes many files, so each plan of ranges has a record under
_plans: written before the first file as unfinished, after the last one as whole. The next command
removes an unfinished plan, so that no stage works on half of one.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.config import InputConfig
from jobs.run.store import Store
from jobs.tables import RANGES
from udfs.files.retry import RetryPolicy
from udfs.files.uris import InputFile, provenance_path

if TYPE_CHECKING:  # a plan reads no range
    from udfs.warc.ranges import RangedSplit

SPLITS = "splits"

FILE, INDEX, REPLAY = "file", "index", "replay"
"""Origins of a split: a whole file; ranges of an index; a list of ranges to try again."""

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
_PLANS = "_plans"

Waves = dict[int, tuple["Split", ...]]
"""Number of a wave -> its splits."""


@dataclass(frozen=True)
class Split:
    """One input file, or the ranges of one file that a task reads.

    A folder of ranges has one row for each file that its ranges lie in.
    """

    uri: str
    """Where the file is read; for ranges the folder under the output that lists them."""
    warc_path: str
    """Source of its documents, as tables have it: the same on every mirror."""
    input_format: str
    size_bytes: int | None
    """None if the store was not asked."""
    origin: str = FILE

    @property
    def is_ranged(self) -> bool:
        """Whether only ranges of the file are read."""
        return self.origin != FILE


@dataclass(frozen=True)
class Plan:
    """The record of a plan of ranges."""

    name: str
    request: dict[str, Any]
    """The request without credentials, to compare with a later one."""
    first_wave: int
    whole: bool


def planned_waves(store: Store) -> Waves:
    """Read the waves that are planned in an output."""
    waves = {}
    for folder in store.list_names(SPLITS):
        if _FILE in store.list_names(SPLITS, folder):
            table = pq.read_table(pa.BufferReader(store.read_bytes(SPLITS, folder, _FILE)))
            rows = table.to_pylist()  # an output of an earlier version lacks the later columns
            waves[wave_number(folder)] = tuple(Split(**row) for row in rows)
    return waves


@dataclass(frozen=True)
class NamedFiles:
    """Files that a request names, beside what is planned in its output."""

    new: Mapping[str, InputFile]
    """`Split.warc_path` -> file, for files that are not planned yet; sorted by uri."""
    known: Sequence[tuple[InputFile, Split]]
    """Files that are planned, perhaps from another mirror, with their splits."""


def compare_files(planned: Waves, files: Iterable[InputFile], crawl_root: str = "") -> NamedFiles:
    """Find the files that are not planned yet.

    Args:
        crawl_root: Address of a mirror of Common Crawl, beside the known ones.
    """
    splits = {
        split.warc_path: split
        for of_wave in planned.values()
        for split in of_wave
        if not split.is_ranged
    }
    new: dict[str, InputFile] = {}
    known = []
    for file in sorted(files, key=lambda file: file.uri):
        path = provenance_path(file.uri, crawl_root)
        earlier = splits.get(path)
        if earlier is None:
            new.setdefault(path, file)  # the same file of another mirror is not read twice
        else:
            known.append((file, earlier))
    return NamedFiles(new, known)


def plan_waves(
    planned: Waves, new: Mapping[str, InputFile], formats: Sequence[str], size: int
) -> Waves:
    """Return the waves of new files.

    Args:
        new: As `NamedFiles` has them.
        formats: Input format of each.
        size: Splits in a wave.
    """
    splits = [
        Split(file.uri, path, input_format, file.size)
        for (path, file), input_format in zip(new.items(), formats, strict=True)
    ]
    first = next_wave(planned)
    starts = range(0, len(splits), size)
    return {first + n: tuple(splits[start : start + size]) for n, start in enumerate(starts)}


def wave_number(folder: str) -> int:
    """Return the number in a folder name ``wave=N``; -1 for another folder."""
    number = folder.removeprefix("wave=")
    return int(number) if number.isdigit() and number != folder else -1


def next_wave(planned: Waves) -> int:
    """Return the number of the first wave that is not planned yet."""
    return max(planned, default=-1) + 1


def work_units(splits: Iterable[Split]) -> list[Split]:
    """Return what tasks read: one split for each file and for each folder of ranges."""
    return list({split.uri if split.is_ranged else split: split for split in splits}.values())


def may_repeat_records(waves: Waves, wave: int) -> bool:
    """Whether a record of a wave may be read twice, in it or in a wave before.

    Whole WARC files give each record once, and so does an index. The two together may not, nor may
    ranges that are tried again.
    """
    read = [split for number, rows in waves.items() if number <= wave for split in rows]
    origins = {split.origin for split in read}
    return REPLAY in origins or len(origins) > 1


def as_read(split: Split, root: str, settings: InputConfig) -> Split | RangedSplit:
    """Return a split in the form that a worker reads.

    Args:
        root: The output, which holds the ranges of a split.
    """
    if not split.is_ranged:
        return split
    from udfs.warc.ranges import RangedSplit, RangeReading

    reading = RangeReading(
        max_gap_bytes=settings.max_gap_bytes,
        max_stretch_bytes=settings.max_stretch_bytes,
        parallel=settings.parallel_reads,
        policy=RetryPolicy(
            attempts=settings.read_attempts,
            first_delay_s=settings.retry_delay_s,
            timeout_s=settings.read_timeout_s,
        ),
    )
    return RangedSplit(f"{root}/{split.uri}", split.input_format, reading)


def write_wave(store: Store, wave: int, splits: Iterable[Split]) -> None:
    """Write one wave of the table splits; this plans the wave."""
    rows = pa.Table.from_pylist([asdict(split) for split in splits], _SCHEMA)
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    store.write_bytes(buffer.getvalue(), SPLITS, f"wave={wave:05d}", _FILE)


def plans(store: Store) -> list[Plan]:
    """Read the plans of an output; all are whole after `drop_unfinished`."""
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
    """Make one plan of the splits and ranges that the block writes; drop them if it raises."""
    plan = Plan(name, dict(request), first_wave, whole=False)
    _write(store, plan)
    try:
        yield
    except Exception:
        drop_unfinished(store)
        raise
    _write(store, replace(plan, whole=True))


def drop_unfinished(store: Store) -> None:
    """Delete the splits and ranges of plans that a killed command left unfinished."""
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
