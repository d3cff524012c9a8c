"""Single records of large files, local or remote, by the byte ranges that an index states.

A range is the place of one capture: file, offset, length. Neighbouring ranges are joined into
stretches, which are fetched ahead in parallel and divided again; the bytes between two ranges are
fetched where that is cheaper than another request, and ignored.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from queue import LifoQueue
from types import TracebackType
from typing import BinaryIO, NamedTuple, cast

import pyarrow.fs as pafs
import pyarrow.parquet as pq

from udfs.files.http_ranges import HttpRanges
from udfs.files.object_store import StoreReads
from udfs.files.retry import RetryPolicy
from udfs.files.uris import canonical_uri, filesystem, redact, scheme_of
from udfs.warc.records import Damage, WarcRecord


class RangeReader:
    """Reads byte ranges of files: local, s3://, gs://, hdfs://, https://. For one thread; a
    context manager.

    The file that was read last stays open: ranges come file by file.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._http = HttpRanges(policy)
        self._uri: str | None = None
        self._reads: StoreReads | None = None

    def read(self, uri: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on, fewer only where the file ends before.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: Access is denied.
            OSError: The read failed, after retries where they can help.
        """
        canonical = canonical_uri(uri)
        if scheme_of(canonical) in ("http", "https"):
            return self._http.read(canonical, redact(canonical), offset, length)
        if canonical != self._uri or self._reads is None:
            self._close_file()
            store, path = filesystem(canonical)
            opened = partial(store.open_input_file, path)
            self._reads = StoreReads(opened, redact(canonical), self._policy)
            self._uri = canonical
        return self._reads.read(offset, length)

    def close(self) -> None:
        """Close files and connections; a later read opens new ones."""
        self._close_file()
        self._http.close()

    def __enter__(self) -> RangeReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _close_file(self) -> None:
        reads, self._reads, self._uri = self._reads, None, None
        if reads is not None:
            reads.close()


RANGE_UNREADABLE = "range_unreadable"
"""Failure reason of a range whose read was given up or denied."""
RANGE_BEYOND_END = "range_beyond_end"
"""Failure reason of a range that the file ends inside of, or before."""
RANGE_MISSING_FILE = "missing_file"
"""Failure reason of a range of a file that does not exist."""
WITHOUT_ADDRESS = "record_without_address"
"""Failure reason of a record that does not begin a gzip member: its id depends on its place in the
whole file's decompressed stream, which a part of the file does not show."""

_MAX_GIVEN_UP = 3
"""Consecutive stretches given up, each after all its retries, after which the rest of a split is
not tried: a host that is down would cost minutes a stretch for hours. Ranges that were not tried
are in the replay list like those that failed."""

Record = WarcRecord | Damage
ReadRecords = Callable[[BinaryIO], Iterator[Record]]


@dataclass(frozen=True)
class RangeReading:
    """Settings for reading ranges."""

    max_gap_bytes: int  # between two ranges that are fetched together
    max_stretch_bytes: int  # fetched at once; a longer range is fetched in several pieces
    parallel: int  # stretches in flight
    policy: RetryPolicy


@dataclass(frozen=True)
class RangedSplit:
    """Ranges of some files: the input of one task."""

    folder: str  # URI of the Parquet files that hold them
    input_format: str
    reading: RangeReading


class Range(NamedTuple):
    """The place of one record; ranges sort in the order in which they are read."""

    warc_path: str  # names the file in ids
    offset: int
    length: int
    uri: str  # where the file is read from


class Stretch(NamedTuple):
    """Ranges of one file that are fetched together, in their order."""

    uri: str
    offset: int
    length: int
    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class RangedFile:
    """The part of one file that a split reads."""

    uri: str
    warc_path: str
    input_format: str
    pieces: Iterator[Damage | tuple[int, BinaryIO]]  # for each range its offset and bytes

    def records(self, read: ReadRecords) -> Iterator[Record]:
        """Yield everything in the ranges, with its offset in the file.

        Args:
            read: Reads one range as if it were a file.
        """
        for piece in self.pieces:
            if isinstance(piece, Damage):
                yield piece
                continue
            offset, stream = piece
            try:
                for record in read(stream):
                    yield _placed(record, offset)
            except OSError as error:  # a long range is fetched during the read
                yield Damage(offset, _reason(error), str(error), 0)


def ranged_files(split: RangedSplit) -> Iterator[RangedFile]:
    """Yield the files of a split's ranges, in order; read each one before the next."""
    ranges = sorted(_stored_ranges(split.folder))
    reading = split.reading
    stretches = join_ranges(ranges, reading.max_gap_bytes, reading.max_stretch_bytes)
    fetched = _fetched(stretches, reading)
    by_file = groupby(fetched, key=lambda item: (item[0].uri, item[0].ranges[0].warc_path))
    for (uri, warc_path), group in by_file:
        pieces = (piece for stretch, result in group for piece in _pieces(stretch, result))
        yield RangedFile(uri, warc_path, split.input_format, pieces)


def join_ranges(
    ranges: Iterable[Range], max_gap_bytes: int, max_stretch_bytes: int
) -> Iterator[Stretch]:
    """Join neighbouring ranges into stretches; a range over `max_stretch_bytes` stays alone.

    Args:
        ranges: Sorted; those of one file do not overlap.
        max_gap_bytes: Most bytes between two ranges of a stretch.

    >>> ranges = [Range("a", 0, 10, "u"), Range("a", 15, 5, "u"), Range("a", 90, 5, "u")]
    >>> [(s.offset, s.length, len(s.ranges)) for s in join_ranges(ranges, 5, 100)]
    [(0, 20, 2), (90, 5, 1)]
    """
    held: list[Range] = []
    for item in ranges:
        if held:
            end = held[-1].offset + held[-1].length
            joined = item.offset + item.length - held[0].offset
            if (
                item.uri != held[0].uri
                or item.offset - end > max_gap_bytes
                or joined > max_stretch_bytes
            ):
                yield _stretch(held)
                held = []
        held.append(item)
    if held:
        yield _stretch(held)


def _stretch(ranges: list[Range]) -> Stretch:
    first, last = ranges[0], ranges[-1]
    return Stretch(first.uri, first.offset, last.offset + last.length - first.offset, tuple(ranges))


def _stored_ranges(folder: str) -> Iterator[Range]:
    """Read the ranges of a split, which fit in memory: splits are made by bytes."""
    store, path = filesystem(folder)
    for info in store.get_file_info(pafs.FileSelector(path)):
        if info.extension != "parquet":
            continue
        with store.open_input_file(info.path) as file:
            table = pq.read_table(file, columns=["warc_path", "offset", "length", "uri"])
        columns = (column.to_pylist() for column in table.columns)
        yield from (Range(*row) for row in zip(*columns, strict=True))


_Result = bytes | BinaryIO | OSError


def _fetched(
    stretches: Iterable[Stretch], reading: RangeReading
) -> Iterator[tuple[Stretch, _Result]]:
    """Yield every stretch with its bytes or the error of its read, in order.

    Threads fetch some ahead, since a store takes longer to begin a response than to send it;
    memory is bounded by `parallel` times `max_stretch_bytes`.
    """
    with ExitStack() as stack:
        readers: LifoQueue[RangeReader] = LifoQueue()
        for _ in range(reading.parallel):
            readers.put(stack.enter_context(RangeReader(reading.policy)))
        own = stack.enter_context(RangeReader(reading.policy))  # for stretches not fetched ahead
        threads = ThreadPoolExecutor(reading.parallel, thread_name_prefix="ranges")
        stack.callback(threads.shutdown, cancel_futures=True)

        def fetch(stretch: Stretch) -> bytes:
            reader = readers.get()
            try:
                return reader.read(stretch.uri, stretch.offset, stretch.length)
            finally:
                readers.put(reader)

        def begin(stretch: Stretch) -> Future[bytes] | None:
            ahead = scheme_of(stretch.uri) != "" and stretch.length <= reading.max_stretch_bytes
            return threads.submit(fetch, stretch) if ahead else None

        refusals = _Refusals()
        in_flight: deque[tuple[Stretch, Future[bytes] | None]] = deque()
        for stretch in stretches:
            in_flight.append((stretch, begin(stretch) if not refusals.of(stretch) else None))
            if len(in_flight) > reading.parallel:
                yield _fetched_one(*in_flight.popleft(), own, reading, refusals)
        while in_flight:
            yield _fetched_one(*in_flight.popleft(), own, reading, refusals)


class _Refusals:
    """Stretches that need no request because of earlier errors."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._file: tuple[str, OSError] | None = None

    def of(self, stretch: Stretch) -> OSError | None:
        """Return the error of a stretch that needs no request; None for any other."""
        if self._file is not None and self._file[0] == stretch.uri:
            return self._file[1]
        if self._in_a_row >= _MAX_GIVEN_UP:
            return OSError(f"not tried: {_MAX_GIVEN_UP} reads before it were given up")
        return None

    def note(self, stretch: Stretch, error: OSError | None) -> None:
        """Record the outcome of a stretch."""
        if isinstance(error, FileNotFoundError | PermissionError):
            self._file = (stretch.uri, error)
        elif error is not None and not isinstance(error, _BeyondEnd):
            self._in_a_row += 1
        else:
            self._in_a_row = 0


def _fetched_one(
    stretch: Stretch,
    ahead: Future[bytes] | None,
    own: RangeReader,
    reading: RangeReading,
    refusals: _Refusals,
) -> tuple[Stretch, _Result]:
    """Return a stretch with its bytes or error; read it now where it was not fetched ahead."""
    refused = refusals.of(stretch) if ahead is None else None
    if refused is not None:
        return stretch, refused
    try:
        if ahead is not None:
            data = ahead.result()
        elif stretch.length <= reading.max_stretch_bytes:
            data = own.read(stretch.uri, stretch.offset, stretch.length)
        else:
            stream = _LongRange(own, stretch, reading.max_stretch_bytes)
            stream.begin()
            return stretch, cast(BinaryIO, stream)
    except OSError as error:
        refusals.note(stretch, error)
        return stretch, error
    refusals.note(stretch, None)
    return stretch, data


def _pieces(stretch: Stretch, result: _Result) -> Iterator[Damage | tuple[int, BinaryIO]]:
    """Divide a stretch into its ranges, each with its bytes."""
    if isinstance(result, OSError):
        for item in stretch.ranges:
            yield Damage(item.offset, _reason(result), str(result), item.length)
    elif isinstance(result, bytes):
        view = memoryview(result)
        for item in stretch.ranges:
            start = item.offset - stretch.offset
            data = view[start : start + item.length]
            if len(data) < item.length:
                short = _BeyondEnd(len(data), item.length)
                yield Damage(item.offset, _reason(short), str(short), item.length)
            else:
                yield item.offset, io.BytesIO(data)
    else:
        yield stretch.offset, result


class _BeyondEnd(OSError):
    """The file ends before the range."""

    def __init__(self, there: int, length: int) -> None:
        super().__init__(f"{there} of {length} bytes are there")


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return RANGE_MISSING_FILE
    return RANGE_BEYOND_END if isinstance(error, _BeyondEnd) else RANGE_UNREADABLE


class _LongRange(io.RawIOBase):
    """A range that is too long for memory: read(n) in order, fetched piece by piece.

    Raises:
        OSError: from `read`, when a piece cannot be fetched or the file ends before the range.
    """

    def __init__(self, reader: RangeReader, stretch: Stretch, piece_bytes: int) -> None:
        super().__init__()
        self._reader = reader
        self._stretch = stretch
        self._piece_bytes = piece_bytes
        self._at = stretch.offset
        self._end = stretch.offset + stretch.length
        self._held = memoryview(b"")

    def begin(self) -> None:
        """Fetch the first piece, so that a file that cannot be read raises here."""
        self._fetch()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._held and self._at < self._end:
            self._fetch()
        count = min(len(buffer), len(self._held))
        buffer[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def _fetch(self) -> None:
        length = min(self._piece_bytes, self._end - self._at)
        data = self._reader.read(self._stretch.uri, self._at, length)
        if len(data) < length:
            there = self._at + len(data) - self._stretch.offset
            raise _BeyondEnd(there, self._stretch.length)
        self._at += length
        self._held = memoryview(data)


def _placed(record: Record, offset: int) -> Record:
    """Return the record with its offset in the file, of a range that begins at `offset`."""
    if record.offset < 0:
        detail = f"at {-record.offset} of the decompressed range"
        return Damage(offset, WITHOUT_ADDRESS, detail, 0)
    if isinstance(record, Damage):
        return replace(record, offset=offset + record.offset)
    record.offset += offset
    return record
