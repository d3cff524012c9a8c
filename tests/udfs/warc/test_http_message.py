"""HTTP messages as crawlers store them, and everything that is said of bodies and not so."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.warc.http_message import (
    HttpError,
    HttpResponse,
    content_type,
    decode_body,
    parse_response,
)

LIMIT = 1 << 20
_RNG = random.Random(7)
PAGE = (
    "<html><body>" + "".join(chr(_RNG.randrange(0x4E00, 0x9FA5)) for _ in range(30_000))
).encode()
BARE = zlib.compressobj(wbits=-15)
CODED = {
    "gzip": gzip.compress(PAGE, mtime=0),
    "x-gzip": gzip.compress(PAGE, mtime=0),
    "deflate": zlib.compress(PAGE),
    "Deflate": BARE.compress(PAGE) + BARE.flush(),
    "br": brotli.compress(PAGE, quality=4),
    "zstd": zstandard.compress(PAGE),
}


def response(body: bytes, **headers: str) -> HttpResponse:
    return HttpResponse(200, {name.replace("_", "-"): v for name, v in headers.items()}, body)


def chunked(body: bytes, size: int, newline: bytes = b"\r\n") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = [b"%x" % len(part) + newline + part + newline for part in parts]
    return b"".join(framed) + b"0" + newline + newline


# --- the head ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "status", "headers", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nA: 1\r\nB:2\r\n\r\nbody", 200, {"a": "1", "b": "2"}, b"body"),
        (b"HTTP/1.0 404\r\n\r\nbody", 404, {}, b"body"),
        (b"HTTP/1.0 404 \r\n\r\n", 404, {}, b""),
        (b"HTTP/2 301\r\nLocation: /a\r\n\r\n", 301, {"location": "/a"}, b""),
        (b"HTTP/2.0 200 \r\n\r\nx", 200, {}, b"x"),
        (b"HTTP 200 OK\nA: 1\n\nbody\r\n\r\nmore", 200, {"a": "1"}, b"body\r\n\r\nmore"),
        (b"HTTP/1.1 200 OK", 200, {}, b""),
        (b"HTTP/1.1 200 OK\r\n", 200, {}, b""),
        (b"HTTP/1.1 200 OK\r\nA: 1", 200, {"a": "1"}, b""),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\nbody", 200, {}, b"body"),
        (b"HTTP/1.1 200 OK\r\nA: one\r\n two\r\n\r\n", 200, {"a": "one two"}, b""),
        (b"HTTP/1.1 200 OK\r\nno colon\r\nA: 1\r\n\r\n", 200, {"a": "1"}, b""),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\n<html>\n\nbody", 200, {"a": "1"}, b"<html>\n\nbody"),
        (b"HTTP/1.1 200 OK\r\n\r\n\r\nbody", 200, {}, b"\r\nbody"),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\n\r\n", 200, {"a": "1"}, b""),
        (
            b"HTTP/1.1 200 OK\r\nX-Robots-Tag: noindex\r\nx-robots-tag: noai\r\n\r\n",
            200,
            {"x-robots-tag": "noindex\nnoai"},
            b"",
        ),
        (
            b"HTTP/1.1 200 OK\r\nVary: Accept\r\nvary: Cookie\r\n\r\n",
            200,
            {"vary": "Accept, Cookie"},
            b"",
        ),
        (b"HTTP/1.1 200 \xd6\xd0\r\nA: \xd6\xd0\r\n\r\n", 200, {"a": "\xd6\xd0"}, b""),
    ],
)
def test_parse(block: bytes, status: int, headers: dict[str, str], body: bytes) -> None:
    assert parse_response(block) == HttpResponse(status, headers, body)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"", "empty_http"),
        (b"\r\n\r\n", "malformed_http"),
        (b"<html></html>", "malformed_http"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed_http"),
        (b"HTTP/1.1 OK\r\n\r\n", "malformed_http"),
        (b"HTTP/1.1 20\r\n\r\n", "malformed_http"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "malformed_http"),
        (b"\x00" * 100, "malformed_http"),
    ],
)
def test_no_response(block: bytes, reason: str) -> None:
    with pytest.raises(HttpError) as error:
        parse_response(block)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text/html", ("text/html", None)),
        ("Text/HTML; Charset=GBK", ("text/html", "GBK")),
        ('text/html;charset="utf-8"; x=y', ("text/html", "utf-8")),
        ("text/html; charset = 'big5'", ("text/html", "big5")),
        ("text/html charset=gb2312", ("text/html", "gb2312")),
        ("charset=gb2312", ("", "gb2312")),
        ("text/html, text/plain; charset=", ("text/html", None)),
        ("", ("", None)),
    ],
)
def test_content_type(value: str, expected: tuple[str, str | None]) -> None:
    assert content_type({"content-type": value}) == expected


def test_content_type_missing() -> None:
    assert content_type({}) == ("", None)


# --- content codings ---------------------------------------------------------------------


@pytest.mark.parametrize("coding", sorted(CODED))
def test_coding(coding: str) -> None:
    body = decode_body(response(CODED[coding], content_encoding=coding), LIMIT)
    assert (body.data == PAGE, body.cut) == (True, False)


@pytest.mark.parametrize("coding", sorted(CODED))
@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "utf-16"])
def test_coding_declared_and_not_applied(coding: str, charset: str) -> None:
    raw = PAGE.decode().encode(charset)
    body = decode_body(response(raw, content_encoding=coding), LIMIT)
    assert (body.data == raw, body.cut) == (True, False)


@pytest.mark.parametrize("coding", sorted(CODED))
def test_coding_of_nothing(coding: str) -> None:
    assert decode_body(response(b"", content_encoding=coding), LIMIT).data == b""


@pytest.mark.parametrize("coding", sorted(CODED))
def test_coding_cut(coding: str) -> None:
    half = CODED[coding][: len(CODED[coding]) * 3 // 4]
    body = decode_body(response(half, content_encoding=coding), LIMIT)
    assert body.cut
    assert PAGE.startswith(body.data)
    if coding != "zstd":  # one block here, which comes whole or not at all
        assert len(body.data) > len(PAGE) // 2


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_coding_broken_in_the_middle(coding: str) -> None:
    """What was decoded before the break is kept."""
    broken = bytearray(CODED[coding])
    at = len(broken) // 2
    broken[at : at + 200] = b"\xff" * 200
    body = decode_body(response(bytes(broken), content_encoding=coding), LIMIT)
    assert body.cut
    same = next(i for i, (a, b) in enumerate(zip(body.data, PAGE, strict=False)) if a != b)
    assert same > len(PAGE) // 3


def test_gzip_with_a_wrong_checksum() -> None:
    broken = bytearray(CODED["gzip"])
    broken[-8] ^= 1
    body = decode_body(response(bytes(broken), content_encoding="gzip"), LIMIT)
    assert (body.data == PAGE, body.cut) == (True, True)


def test_gzip_of_several_members_and_junk_behind() -> None:
    two = gzip.compress(PAGE[:5000]) + gzip.compress(PAGE[5000:])
    for tail in (b"", b"\0\0", b"junk"):
        body = decode_body(response(two + tail, content_encoding="gzip"), LIMIT)
        assert (body.data == PAGE, body.cut) == (True, False)


def test_stacked_codings() -> None:
    twice = gzip.compress(brotli.compress(PAGE))
    assert decode_body(response(twice, content_encoding="br, gzip"), LIMIT).data == PAGE
    # Said twice by two layers, done once.
    once = CODED["gzip"]
    assert decode_body(response(once, content_encoding="gzip, gzip"), LIMIT).data == PAGE


@pytest.mark.parametrize("coding", ["identity", "none", "utf-8", "compress", "", ","])
def test_coding_unknown(coding: str) -> None:
    assert decode_body(response(PAGE, content_encoding=coding), LIMIT).data == PAGE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_bomb(coding: str) -> None:
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": lambda data: brotli.compress(data, quality=1),
        "zstd": zstandard.compress,
    }
    packed = pack[coding](bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(HttpError) as error:
            decode_body(response(packed, content_encoding=coding), LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.value.reason == "body_too_large"
    assert peak < 8 << 20


def test_limit() -> None:
    size = len(PAGE)
    for coding in ("identity", *CODED):
        message = response(CODED.get(coding, PAGE), content_encoding=coding)
        assert decode_body(message, size).data == PAGE
        with pytest.raises(HttpError, match="body_too_large"):
            decode_body(message, size - 1)


# --- chunks ------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("size", [1000, 7, 10**6])
def test_chunked(size: int, newline: bytes) -> None:
    message = response(chunked(PAGE, size, newline), transfer_encoding="Chunked")
    body = decode_body(message, LIMIT)
    assert (body.data == PAGE, body.cut) == (True, False)


def test_chunked_and_compressed() -> None:
    message = response(
        chunked(CODED["gzip"], 999), transfer_encoding="chunked", content_encoding="gzip"
    )
    assert decode_body(message, LIMIT).data == PAGE


def test_chunk_extensions_and_padding() -> None:
    raw = b"4;name=value\r\nWiki\r\n5  \r\npedia\r\n0\r\nTrailer: x\r\n\r\n"
    body = decode_body(response(raw, transfer_encoding="chunked"), LIMIT)
    assert (body.data, body.cut) == (b"Wikipedia", False)


@pytest.mark.parametrize("raw", [PAGE, b"", b"123\r\nshort text, no chunk" * 99, b"\r\n", b"12"])
def test_chunked_declared_and_not_applied(raw: bytes) -> None:
    body = decode_body(response(raw, transfer_encoding="chunked"), LIMIT)
    assert (body.data, body.cut) == (raw, False)


def test_chunked_cut() -> None:
    raw = chunked(PAGE, 4000)
    for keep in (300, 4000, 4005, 4007, 4008, 4010, 30_000, len(raw) - 5):
        body = decode_body(response(raw[:keep], transfer_encoding="chunked"), LIMIT)
        assert body.cut
        assert PAGE.startswith(body.data)
        assert len(body.data) > keep - 250


def test_wrong_chunk_size_loses_no_text() -> None:
    raw = chunked(PAGE[:9000], 3000).replace(b"bb8\r\n", b"bb0\r\n", 2)
    first_wrong = decode_body(response(raw, transfer_encoding="chunked"), LIMIT)
    assert first_wrong.data == raw  # the very first chunk does not fit: not chunked
    raw = chunked(PAGE[:3000], 3000)[:-5] + chunked(PAGE[3000:9000], 3000).replace(b"bb8", b"bb0")
    body = decode_body(response(raw, transfer_encoding="chunked"), LIMIT)
    assert body.cut
    assert body.data.startswith(PAGE[:3000])
    assert PAGE[3000:6000] in body.data


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    block=st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail),
    ),
    coding=st.sampled_from(["", *CODED, "br, gzip"]),
    at=st.integers(0, 3000),
    noise=st.binary(max_size=30),
)
def test_only_http_errors(block: bytes, coding: str, at: int, noise: bytes) -> None:
    try:
        message = parse_response(block)
    except HttpError:
        message = response(block)
    packed = CODED.get(coding, PAGE)[:4000]
    for body in (message.body, packed[:at] + noise + packed[at:]):
        try:
            decoded = decode_body(
                response(body, content_encoding=coding, transfer_encoding="chunked"), 2000
            )
        except HttpError as error:
            assert error.reason == "body_too_large"
        else:
            assert len(decoded.data) <= 2000
