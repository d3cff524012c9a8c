"""Captures of robots.txt files: the WARC files of a crawl that hold them, to rows.

Common Crawl keeps them apart from pages (its subset robotstxt). Every record becomes one row, or a
count under a reason.

Source: RFC 9309, The Robots Exclusion Protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import pyarrow as pa

from udfs.extract.pages import parse_time
from udfs.files.uris import open_input
from udfs.warc.http_message import HttpError, decode_body, parse_response
from udfs.warc.reader import read_records
from udfs.warc.records import Damage, WarcRecord

MAX_ROBOTS_BYTES = 500 << 10
"""Bytes of a file that count; what follows is ignored (RFC 9309, 2.5: at least so many)."""
MAX_RECORD_BYTES = 8 << 20
"""A record over this size is counted as failed, never held."""

ROBOTS, TALLY = "robots", "tally"
NOT_RESPONSE, NOT_ROBOTS = "not_response", "not_robots_txt"
MISSING_FILE = "missing_file"

_PATH = "/robots.txt"
_COUNTS = pa.list_(pa.struct([("reason", pa.string()), ("records", pa.int64())]))

READ_ROBOTS_DDL = (
    "row_kind string, url string, status int, location string, text string, "
    "capture_time timestamp, warc_path string, warc_offset bigint, seen bigint, "
    "rejected array<struct<reason:string,records:bigint>>, "
    "failed array<struct<reason:string,records:bigint>>"
)
"""Rows of `read_robots`: robots.txt files, and a tally for each file that was read.

status: null for a capture whose answer cannot be read; text: null unless status is 2xx and the body
can be read; location: absolute URL that a redirect leads to, else null.
"""

_SCHEMA = pa.schema(
    [
        ("row_kind", pa.string()),
        ("url", pa.string()),
        ("status", pa.int32()),
        ("location", pa.string()),
        ("text", pa.string()),
        ("capture_time", pa.timestamp("us", "UTC")),
        ("warc_path", pa.string()),
        ("warc_offset", pa.int64()),
        ("seen", pa.int64()),
        ("rejected", _COUNTS),
        ("failed", _COUNTS),
    ]
)
_BATCH_ROWS = 200


def robots_reader(
    files: Sequence[tuple[str, str]],
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for mapInArrow over rows with numbers of files (column ``id``).

    Args:
        files: URI of each, and its name in warc_path.
    """

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                uri, warc_path = files[number]
                rows: list[dict[str, Any]] = []
                for row in read_robots(partial(open_input, uri), warc_path):
                    rows.append(row)
                    if len(rows) == _BATCH_ROWS:
                        yield pa.RecordBatch.from_pylist(rows, _SCHEMA)
                        rows = []
                yield pa.RecordBatch.from_pylist(rows, _SCHEMA)

    return read


def read_robots(opened: Callable[[], BinaryIO], warc_path: str) -> Iterator[dict[str, Any]]:
    """Yield the robots.txt captures of a WARC file, and a tally of all its records at the end.

    Args:
        opened: Opens the file; FileNotFoundError is counted.
    Raises:
        OSError: the file cannot be read.
    """
    seen = 0
    rejected: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    try:
        with opened() as file:
            for item in read_records(
                file, max_record_bytes=MAX_RECORD_BYTES, wanted=frozenset({"response"})
            ):
                seen += 1
                if isinstance(item, Damage):
                    failed[item.reason] += 1
                elif item.record_type != "response":
                    rejected[NOT_RESPONSE] += 1
                elif not is_robots_url(item.field("warc-target-uri")):
                    rejected[NOT_ROBOTS] += 1
                else:
                    yield _row(item, warc_path)
    except FileNotFoundError:
        seen += 1
        failed[MISSING_FILE] += 1
    yield {
        "row_kind": TALLY,
        "warc_path": warc_path,
        "seen": seen,
        "rejected": _counts(rejected),
        "failed": _counts(failed),
    }


def is_robots_url(url: str | None) -> bool:
    """Whether a URL is that of a site's robots.txt.

    >>> is_robots_url("https://a.cn/robots.txt"), is_robots_url("https://a.cn/b/robots.txt")
    (True, False)
    """
    try:
        return url is not None and urlsplit(url).path == _PATH
    except ValueError:  # a broken IPv6 bracket
        return False


def _row(record: WarcRecord, warc_path: str) -> dict[str, Any]:
    url = record.field("warc-target-uri") or ""
    status, location, text = _answer(record, url)
    return {
        "row_kind": ROBOTS,
        "url": url,
        "status": status,
        "location": location,
        "text": text,
        "capture_time": parse_time(record.headers.get("warc-date")),
        "warc_path": warc_path,
        "warc_offset": record.offset,
    }


def _answer(record: WarcRecord, url: str) -> tuple[int | None, str | None, str | None]:
    """Return status, place of a redirect, and text of an answer."""
    try:
        response = parse_response(record.data, record.start, record.end)
        if 300 <= response.status < 400:
            stated = response.headers.get("location")
            return response.status, None if stated is None else urljoin(url, stated.strip()), None
        if not 200 <= response.status < 300:
            return response.status, None, None
        body = decode_body(response, MAX_RECORD_BYTES).data[:MAX_ROBOTS_BYTES]
    except HttpError:
        return None, None, None
    except ValueError:  # a Location that is no URL
        return response.status, None, None
    return response.status, None, body.decode("utf-8-sig", "replace")


def _counts(counts: Counter[str]) -> list[dict[str, Any]]:
    return [{"reason": reason, "records": n} for reason, n in sorted(counts.items())]
