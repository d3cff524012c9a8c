"""Builds the bundled sample WARC from the pages under ``tests/sample/pages``.

Run as ``python -m tests.sample.build_sample OUTPUT.warc.gz``; with ``--language yue`` from those
under ``tests/sample/languages/yue``, for that language pack. The same pages give the same bytes on
every run of one environment: record ids come from page names, dates from the manifests, and no
compressed part carries a clock. ``README.md`` beside this file describes the manifests.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import os
import re
import sys
import tomllib
import urllib.parse
import uuid
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import brotli
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.sample.drawings import DRAWINGS, data_uri, drawn_bytes

PAGES_DIR = Path(__file__).parent / "pages"
LANGUAGES_DIR = Path(__file__).parent / "languages"

# Any fixed namespace will do; it must never change, or every record id of the sample changes.
RECORD_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://taojin.example.org/sample")
WARCINFO_DATE = "2024-07-01T00:00:00Z"
USER_AGENT = "taojin-sample/1.0 (+https://taojin.example.org/bot)"

# Bytes of body in a chunk of a chunked response: small enough that a chunk ends inside a tag and
# inside a multi-byte character, as real servers' chunks do.
CHUNK_BYTES = 997

STAGES = ("extract", "rules", "duplicates", "select")
EXPECT_FORM = re.compile(rf"kept|failed:[a-z_0-9]+|rejected:(?:{'|'.join(STAGES)}):[a-z_0-9]+")
NAME_FORM = re.compile(r"[a-z][a-z0-9_]*")
CAPTURE_TIME_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DRAWING_ADDRESS = re.compile(r"\bdrawing:([a-z]+)")
CONTENT_ENCODINGS = ("", "gzip", "br")

STATUS_TEXT = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    403: "Forbidden",
    404: "Not Found",
    410: "Gone",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclasses.dataclass(frozen=True)
class Page:
    """One capture of the sample: a ``[[page]]`` entry of a manifest, with the folder it lies in."""

    folder: Path
    name: str  # unique over all parts; the record id follows from it
    url: str
    capture_time: str  # ISO 8601, UTC, whole seconds
    expect: str  # kept | rejected:STAGE:REASON | failed:REASON
    why: str
    file: str = ""  # the body's source; "" = no body
    drawing: str = ""  # in the place of a file: a picture of `tests.sample.drawings`
    encoding: str = "utf-8"  # Python codec that the record's bytes are in; text types only
    declared: str = "utf-8"  # charset in the HTTP Content-Type header; "" = none
    status: int = 200
    content_type: str = "text/html"
    content_encoding: str = ""  # gzip | br: the body is stored compressed
    chunked: bool = False
    location: str = ""
    http: bool = True  # False: the record's block is the body alone, with no HTTP head
    cut_at: int = 0  # bytes of payload kept; 0 = all of it
    domain: str = ""  # what a reader would say; "" = not applicable
    companions: bool = False  # write the request and a metadata record too

    @property
    def record_id(self) -> str:
        """The response's WARC-Record-ID, brackets included."""
        return record_id(self.name)


def record_id(key: str) -> str:
    """A WARC-Record-ID that depends on nothing but `key`."""
    return f"<urn:uuid:{uuid.uuid5(RECORD_NAMESPACE, key)}>"


def load_pages(pages_dir: Path = PAGES_DIR) -> list[Page]:
    """All pages of all parts, by part and name.

    Raises:
        ValueError: a manifest entry has an unknown, missing or malformed field, or a name occurs
            twice; the message names the manifest and the page.
    """
    pages: list[Page] = []
    for manifest in sorted(pages_dir.glob("*/pages.toml")):
        entries = tomllib.loads(manifest.read_text(encoding="utf-8")).get("page", [])
        part = [_page_from(entry, manifest) for entry in entries]
        pages += sorted(part, key=lambda page: page.name)
    seen: set[str] = set()
    for page in pages:
        if page.name in seen:
            raise ValueError(f"{page.folder / 'pages.toml'}: page name {page.name!r} occurs twice")
        seen.add(page.name)
    return pages


def _page_from(entry: dict[str, Any], manifest: Path) -> Page:
    where = f"{manifest}: page {entry.get('name', '(no name)')!r}"
    known = {f.name: f for f in dataclasses.fields(Page) if f.name != "folder"}
    unknown = sorted(set(entry) - set(known))
    if unknown:
        raise ValueError(f"{where}: unknown keys {unknown}; known are {sorted(known)}")
    missing = [n for n, f in known.items() if f.default is dataclasses.MISSING and n not in entry]
    if missing:
        raise ValueError(f"{where}: missing keys {missing}")
    page = Page(folder=manifest.parent, **entry)
    checks = {
        "name": NAME_FORM.fullmatch(page.name) is not None,
        "expect": EXPECT_FORM.fullmatch(page.expect) is not None,
        "capture_time": CAPTURE_TIME_FORM.fullmatch(page.capture_time) is not None,
        "content_encoding": page.content_encoding in CONTENT_ENCODINGS,
        "status": page.status in STATUS_TEXT,
        "cut_at": page.cut_at >= 0,
        "why": bool(page.why.strip()),
        "drawing": page.drawing in ("", *DRAWINGS) and not (page.drawing and page.file),
    }
    bad = {key: entry.get(key) for key, good in checks.items() if not good}
    if bad:
        raise ValueError(f"{where}: malformed values {bad}")
    return page


def body_bytes(page: Page) -> bytes:
    """The page's body before any content or transfer encoding; b"" for a page without a file.

    Text is stored in the manifest folder as UTF-8 and leaves in `page.encoding`, with the drawings
    that it names (``src="drawing:seal"``) as data: URIs; any other type (a PDF, an image) leaves as
    it is.
    Raises:
        UnicodeEncodeError: the text has a character that `page.encoding` lacks. A page must say
            what it was written to say, so nothing is replaced.
    """
    if page.drawing:
        return drawn_bytes(page.drawing, page.content_type)
    if not page.file:
        return b""
    data = (page.folder / page.file).read_bytes()
    if page.content_type.startswith("text/"):
        text = DRAWING_ADDRESS.sub(lambda named: data_uri(named[1]), data.decode("utf-8"))
        return text.encode(page.encoding)
    return data


def payload_bytes(page: Page) -> bytes:
    """What follows the HTTP headers in the record: the body, encoded, chunked and cut as asked."""
    data = full_payload_bytes(page)
    if page.cut_at:
        if page.cut_at >= len(data):
            raise ValueError(f"page {page.name!r}: cut_at {page.cut_at} of {len(data)} bytes")
        data = data[: page.cut_at]
    return data


def full_payload_bytes(page: Page) -> bytes:
    """The payload that the server sent, before the crawler cut it."""
    data = body_bytes(page)
    if page.content_encoding == "gzip":
        data = _gzip(data)
    elif page.content_encoding == "br":
        data = brotli.compress(data)
    if page.chunked:
        data = _chunk(data)
    return data


def _gzip(data: bytes) -> bytes:
    # zlib and not gzip.compress: its header has no clock, and is the same in every Python version.
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    return compressor.compress(data) + compressor.flush()


def _chunk(data: bytes) -> bytes:
    pieces = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
    framed = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return b"".join(framed) + b"0\r\n\r\n"


def http_headers(page: Page) -> list[tuple[str, str]]:
    """The response's HTTP headers. Content-Length is the server's, also when the record is cut."""
    content_type = page.content_type
    if page.declared and content_type.startswith("text/"):
        content_type += f"; charset={page.declared}"
    headers = [("Server", "example"), ("Content-Type", content_type)]
    if page.location:
        headers.append(("Location", page.location))
    if page.content_encoding:
        headers.append(("Content-Encoding", page.content_encoding))
    if page.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
    else:
        headers.append(("Content-Length", str(len(full_payload_bytes(page)))))
    return headers


def _write_warcinfo(writer: WARCWriter) -> None:
    fields = {
        "software": "taojin tests.sample.build_sample",
        "description": "pages written for the taojin project; no page was fetched from a site",
        "format": "WARC File Format 1.0",
    }
    data = "".join(f"{key}: {value}\r\n" for key, value in fields.items()).encode()
    headers = {"WARC-Record-ID": record_id("warcinfo"), "WARC-Date": WARCINFO_DATE}
    _write(writer, "warcinfo", "", data, headers)


def _write_page(writer: WARCWriter, page: Page) -> None:
    if page.companions:
        _write_request(writer, page)
    headers = {"WARC-Record-ID": page.record_id, "WARC-Date": page.capture_time}
    if page.cut_at:
        headers["WARC-Truncated"] = "length"
    statusline = f"{page.status} {STATUS_TEXT[page.status]}"
    http = StatusAndHeaders(statusline, http_headers(page), protocol="HTTP/1.1")
    _write(writer, "response", page.url, payload_bytes(page), headers, http, with_head=page.http)
    if page.companions:
        _write_metadata(writer, page)


def _write_request(writer: WARCWriter, page: Page) -> None:
    parts = urllib.parse.urlsplit(page.url)
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    fields = [("Host", parts.netloc), ("User-Agent", USER_AGENT), ("Accept-Encoding", "gzip, br")]
    http = StatusAndHeaders(f"GET {target} HTTP/1.1", fields, is_http_request=True)
    _write(writer, "request", page.url, b"", _concurrent(page, "request"), http)


def _write_metadata(writer: WARCWriter, page: Page) -> None:
    data = b"fetchTimeMs: 120\r\n"
    _write(writer, "metadata", page.url, data, _concurrent(page, "metadata"))


def _concurrent(page: Page, kind: str) -> dict[str, str]:
    return {
        "WARC-Record-ID": record_id(f"{page.name}/{kind}"),
        "WARC-Date": page.capture_time,
        "WARC-Concurrent-To": page.record_id,
    }


def _write(
    writer: WARCWriter,
    kind: str,
    url: str,
    data: bytes,
    headers: dict[str, str],
    http: StatusAndHeaders | None = None,
    with_head: bool = True,
) -> None:
    record = writer.create_warc_record(
        url,
        kind,
        payload=io.BytesIO(data),
        length=len(data),
        warc_headers_dict=headers,
        http_headers=http,
    )
    if not with_head:
        # Only now: given no headers at first, warcio would look for them in the payload.
        record.http_headers = None
    writer.write_record(record)


def warc_bytes(pages: Sequence[Page]) -> Iterator[bytes]:
    """The WARC file: the gzip member of the warcinfo record, then each page's members."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    _write_warcinfo(writer)
    yield buffer.getvalue()
    for page in pages:
        buffer.seek(0)
        buffer.truncate()
        _write_page(writer, page)
        yield buffer.getvalue()


def build(output: Path, pages_dir: Path = PAGES_DIR) -> int:
    """Writes the sample to `output` (its folder is made) and returns the number of pages in it."""
    pages = load_pages(pages_dir)
    output.parent.mkdir(parents=True, exist_ok=True)
    # A build that fails half-way must not leave a short file under the final name.
    partial = output.with_name(output.name + ".partial")
    try:
        with partial.open("wb") as out:
            for data in warc_bytes(pages):
                out.write(data)
        os.replace(partial, output)
    finally:
        partial.unlink(missing_ok=True)
    return len(pages)


def deal(folder: Path, files: int) -> None:
    """Write the sample's pages to a number of files, dealt round-robin."""
    pages = load_pages()
    for number in range(files):
        data = b"".join(warc_bytes(pages[number::files]))
        (folder / f"part-{number}.warc.gz").write_bytes(data)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: the file to write, and the language of its pages."""
    parser = argparse.ArgumentParser(prog="tests.sample.build_sample", description=__doc__)
    parser.add_argument("output", type=Path, help="the .warc.gz file to write")
    known = sorted(folder.name for folder in LANGUAGES_DIR.iterdir() if folder.is_dir())
    parser.add_argument("--language", choices=known, help="default: the Chinese sample")
    arguments = parser.parse_args(argv)
    output: Path = arguments.output
    language = arguments.language
    count = build(output, PAGES_DIR if language is None else LANGUAGES_DIR / language)
    print(f"{output}: {count} pages, {output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
