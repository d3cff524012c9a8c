"""WARC bytes for tests: whole ones as warcio writes them, and ones damaged on purpose."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

DATE = "2024-03-01T08:00:00Z"


def page(number: int, body_bytes: int = 0) -> bytes:
    """A small HTML page that differs from every other number's, at least `body_bytes` long."""
    text = f"<html><head><title>第{number}页</title></head><body><p>这是第{number}页的正文。</p>"
    filler = "".join(f"<p>{number}-{line} 段落内容。</p>" for line in range(body_bytes // 28))
    return (text + filler + "</body></html>").encode()


def http_response(body: bytes, *headers: tuple[str, str], status: str = "200 OK") -> bytes:
    """The bytes of an HTTP response, CRLF and all."""
    fields = headers or (("Content-Type", "text/html; charset=utf-8"),)
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode() + body


def record(
    block: bytes,
    record_type: str | None = "response",
    uri: str = "http://example.cn/",
    *,
    length: object = ...,
    version: str = "WARC/1.0",
    newline: str = "\r\n",
    extra: Iterable[str] = (),
    ending: bytes = b"\r\n\r\n",
) -> bytes:
    """One plain record, by hand, so that every part of it can be wrong.

    Args:
        length: What Content-Length says; the truth when left out, no such line when None.
        extra: Header lines as they are.
    """
    lines = [version]
    if record_type is not None:
        lines.append(f"WARC-Type: {record_type}")
    lines += [f"WARC-Target-URI: {uri}", f"WARC-Date: {DATE}", *extra]
    if length is not None:
        lines.append(f"Content-Length: {len(block) if length is ... else length}")
    head = newline.join([*lines, "", ""]).encode("utf-8", "surrogateescape")
    return head + block + ending


def written_by_warcio(bodies: Iterable[bytes], *, compressed: bool = True) -> bytes:
    """A crawl file: warcinfo, then request, response and metadata of each page."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=compressed)
    writer.write_record(writer.create_warcinfo_record("test.warc.gz", {"software": "test"}))
    for number, body in enumerate(bodies):
        uri = f"http://example.cn/{number}"
        request = StatusAndHeaders(f"GET /{number} HTTP/1.1", [("Host", "example.cn")])
        answer = StatusAndHeaders(
            "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
        )
        for kind, head, content in (
            ("request", request, b""),
            ("response", answer, body),
        ):
            writer.write_record(
                writer.create_warc_record(
                    uri,
                    kind,
                    payload=io.BytesIO(content),
                    http_headers=head,
                    warc_headers_dict={"WARC-Date": DATE},
                )
            )
        writer.write_record(
            writer.create_warc_record(
                uri,
                "metadata",
                payload=io.BytesIO(b"fetchTimeMs: 12\r\n"),
                warc_content_type="application/warc-fields",
                warc_headers_dict={"WARC-Date": DATE},
            )
        )
    return out.getvalue()


def member(data: bytes) -> bytes:
    """One gzip member, the same bytes every time."""
    return gzip.compress(data, mtime=0)


def member_offsets(members: Iterable[bytes]) -> list[int]:
    """Where each member begins when they are put end to end."""
    offsets = [0]
    for data in members:
        offsets.append(offsets[-1] + len(data))
    return offsets[:-1]


def arc_record(
    block: bytes, uri: str = "http://example.cn/", mime: str = "text/html", length: object = ...
) -> bytes:
    """One ARC 1 record."""
    size = len(block) if length is ... else length
    return f"{uri} 10.0.0.1 20080430204825 {mime} {size}\n".encode() + block + b"\n"


def arc_file(blocks: Iterable[bytes]) -> list[bytes]:
    """The version block and a record for each block, not yet put end to end."""
    version = b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"
    return [
        arc_record(version, "filedesc://test.arc", "text/plain"),
        *(arc_record(block, f"http://example.cn/{i}") for i, block in enumerate(blocks)),
    ]
