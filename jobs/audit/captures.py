"""Original captures of documents: found in the input files of a run, and written as a WARC file.

A record is looked up by its place and compared with what the tables say of it. What is written is
the record's block byte for byte and its header as warcio keeps it, each record a gzip member.
"""

from __future__ import annotations

import io
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import pyarrow.fs as pafs
import pyarrow.parquet as pq
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser
from warcio.warcwriter import WARCWriter

from jobs.run.request import Run
from jobs.run.splits import Split
from udfs.extract.pages import parse_time
from udfs.files.retry import RetryPolicy
from udfs.files.uris import filesystem, open_input
from udfs.warc.reader import read_records
from udfs.warc.records import Damage, WarcRecord

CAPTURES = frozenset({"warc", "wet"})
"""Formats of files that hold captures."""
NO_CAPTURE = "no_capture"
"""Failure of a document that was a row of JSONL or Parquet."""
UNKNOWN_FILE = "unknown_file"
"""Failure of a document whose file is not among the output's splits."""
GONE = "gone"
"""Failure of a capture where no record is any more; and of one whose file is missing."""
CHANGED = "changed"
"""Failure of a capture where another record is."""
UNREADABLE = "unreadable"
"""Failure of a capture whose file cannot be read."""

_ACRONYMS = {"warc": "WARC", "id": "ID", "uri": "URI", "ip": "IP"}
_VERSION = "WARC/1.0"


@dataclass(frozen=True)
class CapturePlace:
    """A document, and where its capture is."""

    doc_id: str
    warc_path: str
    warc_offset: int
    url: str | None
    capture_micros: int | None
    """Microseconds since 1970; None where the record has no readable date."""


@dataclass(frozen=True)
class NotFound:
    """A capture that cannot be written, and why."""

    reason: str
    """no_capture, unknown_file, gone, changed, unreadable, or that of a `Damage`."""
    detail: str


Found = tuple[CapturePlace, WarcRecord | NotFound]
Open = Callable[[], BinaryIO]


def capture_splits(run: Run) -> list[Split]:
    """Return the splits that hold captures."""
    return [
        split for splits in run.waves.values() for split in splits if split.input_format in CAPTURES
    ]


def find_captures(run: Run, places: Iterable[CapturePlace]) -> Iterator[Found]:
    """Yield every place once, with its record or why there is none; file by file.

    One record is in memory at a time. A file is read from each place on; once as a whole where
    records have no address in it, as in ARC files.
    """
    by_file: defaultdict[str, list[CapturePlace]] = defaultdict(list)
    for place in places:
        by_file[place.warc_path].append(place)
    uris = _uris(run, by_file)
    rows = {
        split.warc_path
        for splits in run.waves.values()
        for split in splits
        if split.input_format not in CAPTURES
    }
    policy = RetryPolicy(
        attempts=run.config.input.read_attempts,
        first_delay_s=run.config.input.retry_delay_s,
        timeout_s=run.config.input.read_timeout_s,
    )
    most = run.config.extract.max_record_bytes
    for warc_path, of_file in sorted(by_file.items()):
        ordered = sorted(of_file, key=lambda place: (place.warc_offset, place.doc_id))
        if warc_path not in uris:
            reason = NO_CAPTURE if warc_path in rows else UNKNOWN_FILE
            missing = NotFound(reason, warc_path)
            yield from ((place, missing) for place in ordered)
            continue
        yield from captures_of(partial(open_input, uris[warc_path], policy), ordered, most)


def captures_of(
    opened: Open, places: Collection[CapturePlace], max_record_bytes: int
) -> Iterator[Found]:
    """Yield the places of one file, each once, with its record or why there is none."""
    left: dict[int, CapturePlace] = {}
    for place in places:
        try:
            item = _item_at(opened, place.warc_offset, max_record_bytes)
        except FileNotFoundError as error:
            yield place, NotFound(GONE, f"no such file: {error}")
            continue
        except OSError as error:
            yield place, NotFound(UNREADABLE, str(error))
            continue
        checked = _checked(place, item)
        if isinstance(checked, WarcRecord):
            yield place, checked
        else:
            left[place.warc_offset] = place
    if left:
        yield from _in_whole_file(opened, left, max_record_bytes)


def write_captures(file: BinaryIO, name: str, found: Iterable[Found]) -> dict[str, NotFound]:
    """Write a WARC file: a warcinfo, then the records that were found.

    Args:
        name: The file's name, for the warcinfo.
    Returns:
        doc_id of each document without a record -> why.
    """
    writer = _Writer(file, gzip=True)
    info = {"software": "taojin export_captures", "format": "WARC File Format 1.0"}
    writer.write_record(writer.create_warcinfo_record(name, info))
    missing = {}
    for place, record in found:
        if isinstance(record, NotFound):
            missing[place.doc_id] = record
        else:
            writer.write_record(_as_warcio(record, place.doc_id))
    return missing


class _Writer(WARCWriter):  # type: ignore[misc]
    """A writer that adds no digests: those of a record are the original ones."""

    def ensure_digest(self, *_: object, **__: object) -> None:
        """Leave the record as it is."""


def _uris(run: Run, warc_paths: Collection[str]) -> dict[str, str]:
    """Return where files are read."""
    found: dict[str, str] = {}
    folders: defaultdict[str, set[str]] = defaultdict(set)
    for split in capture_splits(run):
        if split.warc_path not in warc_paths:
            continue
        if split.is_ranged:
            folders[split.uri].add(split.warc_path)
        else:
            found[split.warc_path] = split.uri
    for folder, wanted in folders.items():
        if not wanted <= found.keys():
            found = dict(_range_uris(f"{run.store.root}/{folder}", wanted)) | found
    return found


def _range_uris(folder: str, warc_paths: Collection[str]) -> Iterator[tuple[str, str]]:
    """Read where the files of a split's ranges are."""
    files, path = filesystem(folder)
    for info in files.get_file_info(pafs.FileSelector(path)):
        if info.extension == "parquet":
            with files.open_input_file(info.path) as file:
                rows = pq.read_table(file, columns=["warc_path", "uri"]).to_pylist()
            yield from ((r["warc_path"], r["uri"]) for r in rows if r["warc_path"] in warc_paths)


def _item_at(opened: Open, offset: int, max_record_bytes: int) -> WarcRecord | Damage | None:
    """Read the item that begins at a place of a file; None where there is none, or no address."""
    if offset < 0:
        return None
    with opened() as file:
        file.seek(offset)
        item = next(read_records(file, max_record_bytes=max_record_bytes), None)
    if item is not None and item.offset != 0:
        return None
    return item


def _in_whole_file(
    opened: Open, left: dict[int, CapturePlace], max_record_bytes: int
) -> Iterator[Found]:
    """Look for places by reading a file from its start."""
    waiting = dict(left)
    try:
        with opened() as file:
            for item in read_records(file, max_record_bytes=max_record_bytes):
                if item.offset in waiting:
                    place = waiting.pop(item.offset)
                    yield place, _checked(place, item)
                    if not waiting:
                        return
    except OSError as error:
        failed = NotFound(UNREADABLE, str(error))
        yield from ((place, failed) for place in waiting.values())
        return
    for place in waiting.values():
        yield place, NotFound(GONE, f"no record at {place.warc_offset}")


def _checked(place: CapturePlace, item: WarcRecord | Damage | None) -> WarcRecord | NotFound:
    """Return the record at a place if it is that of its document."""
    if item is None:
        return NotFound(GONE, f"no record at {place.warc_offset}")
    if isinstance(item, Damage):
        return NotFound(item.reason, item.detail)
    url = item.headers.get("warc-target-uri")
    moment = parse_time(item.headers.get("warc-date"))
    micros = None if moment is None else round(moment.timestamp() * 1e6)
    if (url, micros) != (place.url, place.capture_micros):
        return NotFound(CHANGED, f"a record of {url} at {place.warc_offset}")
    return item


def _as_warcio(record: WarcRecord, doc_id: str) -> ArcWarcRecord:
    """Return a record as warcio writes it, without parsing its block."""
    block = record.block
    headers = _headers(record.header)
    if headers.get_header("WARC-Record-ID") is None:  # of an ARC file
        made = uuid.uuid5(uuid.NAMESPACE_URL, doc_id)
        headers.add_header("WARC-Record-ID", StatusAndHeadersParser.make_warc_id(made))
    return ArcWarcRecord(
        *("warc", record.record_type, headers, io.BytesIO(block), None, None, len(block))
    )


def _headers(header: bytes | Mapping[str, str]) -> StatusAndHeaders:
    """Return a record's header as warcio has it."""
    if isinstance(header, bytes):
        parser = StatusAndHeadersParser(ArcWarcRecordLoader.WARC_TYPES, verify=False)
        return parser.parse(io.BytesIO(header))
    fields = [
        ("-".join(_ACRONYMS.get(part, part.title()) for part in name.split("-")), value)
        for name, value in header.items()
    ]
    return StatusAndHeaders("", fields, protocol=_VERSION)
