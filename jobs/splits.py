"""Input splits and their waves: the small table that every job starts from.

One file is one split, since a WARC file has no point at which a second reader could start.
Waves are numbered in the order in which they were planned, and inside a plan by uri.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.config import ConfigError
from jobs.store import Store
from udfs.files import InputFile, provenance_path, redact

SPLITS = "splits"
_FILE = "splits.parquet"
_SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("warc_path", pa.string()),
        ("input_format", pa.string()),
        ("size_bytes", pa.int64()),
    ]
)

Waves = dict[int, tuple["Split", ...]]


@dataclass(frozen=True)
class Split:
    """One input file."""

    uri: str  # where it is read
    warc_path: str  # what its documents say of their source: the same on every mirror
    input_format: str
    size_bytes: int | None  # None where the store was not asked


def planned_waves(store: Store) -> Waves:
    """The waves that are planned in an output, by number."""
    waves = {}
    for folder in store.list_names(SPLITS):
        if _FILE in store.list_names(SPLITS, folder):
            table = pq.read_table(pa.BufferReader(store.read_bytes(SPLITS, folder, _FILE)))
            rows = table.to_pylist()
            waves[int(folder.removeprefix("wave="))] = tuple(Split(**row) for row in rows)
    return waves


def plan_waves(planned: Waves, files: Iterable[InputFile], input_format: str, size: int) -> Waves:
    """The waves that files add to a plan: those that are not planned yet, `size` a wave.

    Raises:
        ConfigError: a file was planned with another input format.
    """
    known = {split.warc_path: split for splits in planned.values() for split in splits}
    new = []
    for file in sorted(files, key=lambda file: file.uri):
        split = Split(file.uri, provenance_path(file.uri), input_format, file.size)
        earlier = known.setdefault(split.warc_path, split)
        if earlier.input_format != input_format:
            raise ConfigError(
                f"--input-format {input_format}: {redact(file.uri)} was planned in this output as "
                f"{earlier.input_format}; give another --output"
            )
        if earlier is split:  # else planned before, perhaps from another mirror
            new.append(split)
    first = max(planned, default=-1) + 1
    starts = range(0, len(new), size)
    return {first + n: tuple(new[start : start + size]) for n, start in enumerate(starts)}


def write_wave(store: Store, wave: int, splits: Iterable[Split]) -> None:
    """Write one wave of the splits table; it is planned when this returns."""
    rows = pa.Table.from_pylist([asdict(split) for split in splits], _SCHEMA)
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    store.write_bytes(buffer.getvalue(), SPLITS, f"wave={wave:05d}", _FILE)
