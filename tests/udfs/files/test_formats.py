"""The format of a file, by its name and by whatever bytes it begins with."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.file_server import Fault, serving
from udfs.files.formats import HEAD_BYTES, Head, first_rows, format_of_name, head_of, read_head
from udfs.files.retry import RetryPolicy

ROW = '{"id": "a", "text": "山里的溪水"}\n'.encode()
RECORD = b"WARC/1.0\r\nWARC-Type: response\r\n"
ONCE = RetryPolicy(attempts=1, timeout_s=5.0)


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/data/a.warc", "warc"),
        ("/data/A.WARC.GZ", "warc"),
        ("/data/a.arc.gz", "warc"),
        ("s3://bucket/CC-MAIN-2024-22/x.warc.wet.gz", "warc"),
        ("/data/a.jsonl.zst", "jsonl"),
        ("/data/a.ndjson", "jsonl"),
        ("/data/a.json.gz", "jsonl"),
        ("/data/part-0-c000.snappy.parquet", "parquet"),
        ("https://host.example/a.jsonl?name=b.parquet", "jsonl"),
        ("/data/a.warc.gz/part-00000", None),
        ("/data/warc", None),
        ("/data/.gz", None),
        ("/data/a.gz", None),
        ("/data/a.jsonl.txt", None),
        ("/data/a.jsonl.bz2", None),
        ("", None),
    ],
)
def test_a_name_says_a_format_by_its_ending(name: str, expected: str | None) -> None:
    assert format_of_name(name) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (RECORD, "warc"),
        (b"\r\n" + RECORD, "warc"),
        (b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain 73\n", "warc"),
        (ROW, "jsonl"),
        (b"\n\n " + ROW, "jsonl"),
        (b"\xef\xbb\xbf" + ROW, "jsonl"),
        (parquet(), "parquet"),
        (b"PAR1", "parquet"),
        (b"\x5d\x2a\x4d\x18\x04\0\0\0dict", "warc"),
        (b"hello", None),
        (b'["a"]', None),
        (b"", None),
    ],
)
def test_the_first_bytes_show_the_format_plain_and_compressed(
    data: bytes, expected: str | None
) -> None:
    assert head_of(data, True).format == expected
    for packed in (gzip.compress(data), zstandard.compress(data)):
        assert head_of(packed, True).format == (expected if b"dict" not in data else None)


def test_a_head_ends_in_the_middle_of_a_compressed_file() -> None:
    data = b"".join(b'{"text": "%064x"}\n' % n**7 for n in range(30_000))
    for packed in (gzip.compress(data), zstandard.compress(data)):
        assert len(packed) > HEAD_BYTES
        head = head_of(packed[:HEAD_BYTES], False)
        assert head.format == "jsonl"
        assert not head.is_whole
        assert data.startswith(head.content)
        assert first_rows(head).rows > 100
    for pack in (gzip.compress, zstandard.compress):
        members = b"".join(pack(line + b"\n") for line in data.split(b"\n")[:9])
        assert first_rows(head_of(members, True)).rows == 9


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n \r\n\0",
        gzip.compress(b""),
        gzip.compress(b"\n") + gzip.compress(b""),
        zstandard.compress(b"\n\n"),
    ],
    ids=["no_byte", "blank", "gzip", "gzip_members", "zstd"],
)
def test_nothing_but_blanks_is_empty(data: bytes) -> None:
    assert head_of(data, True).is_empty
    assert not head_of(data, False).is_empty


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_costs_no_more_than_a_page(pack: object) -> None:
    head = head_of(pack(b" " * (1 << 26))[:HEAD_BYTES], True)  # type: ignore[operator]
    assert len(head.content) <= 256 << 10
    assert not head.is_empty


@given(
    st.sampled_from(
        [b"", b"\x1f\x8b", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"]
    ),
    st.binary(max_size=300),
    st.booleans(),
)
def test_no_bytes_raise(magic: bytes, data: bytes, is_whole: bool) -> None:
    head = head_of(magic + data, is_whole)
    assert head.description
    found = first_rows(head)
    assert (found.rows > 0) <= (b"{" in head.content)


@given(st.sampled_from([gzip.compress(ROW * 9), zstandard.compress(ROW * 9)]), st.data())
def test_flipped_bytes_raise_nothing_and_invent_no_format(
    packed: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(packed) - 1))
    flipped = packed[:at] + bytes([packed[at] ^ data.draw(st.integers(1, 255))]) + packed[at + 1 :]
    assert head_of(flipped, True).format in ("jsonl", None)


def test_columns_are_those_of_all_first_rows() -> None:
    lines = [{"b": 1}, {"text": "x", "b": 2}, {"c": None}]
    data = "\n".join(map(json.dumps, lines)).encode()
    found = first_rows(Head("jsonl", data, True))
    assert (found.rows, found.columns, found.error) == (3, ("b", "text", "c"), None)
    found = first_rows(Head("jsonl", data, False))  # the last line may be cut
    assert (found.rows, found.columns) == (2, ("b", "text"))
    found = first_rows(Head("jsonl", b'{"text": "' + b"x" * 999, False))
    assert (found.rows, found.error) == (0, None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{\n "a": 1\n}', "property name"),
        (b"[1]\n{}\n", None),
        (b"3", "a int, not an object"),
        (b'{"a": ' + b"[" * 100_000, "recursion"),
    ],
)
def test_lines_that_are_no_objects(data: bytes, said: str | None) -> None:
    found = first_rows(Head(None, data, True))
    if said is None:
        assert found.rows == 1
    else:
        assert found.rows == 0
        assert said in (found.error or "")


def test_the_head_of_a_local_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(ROW)
    assert read_head(str(path), ONCE) == Head("jsonl", ROW, True)
    path.write_bytes(b"x" * HEAD_BYTES)
    assert read_head(str(path), ONCE).is_whole
    path.write_bytes(b"x" * (HEAD_BYTES + 1))
    assert not read_head(str(path), ONCE).is_whole
    with pytest.raises(FileNotFoundError):
        read_head(str(tmp_path / "absent"), ONCE)
    with pytest.raises(OSError):
        read_head(str(tmp_path), ONCE)
    with pytest.raises(ValueError, match="credentials"):
        read_head("https://me:secret@host.example/a", ONCE)


def test_the_head_of_a_file_behind_http_and_a_host_that_fails(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(RECORD))
    with serving(tmp_path) as server:
        assert read_head(f"{server.url}/a.gz", ONCE) == Head("warc", RECORD, True)
        assert server.count("/a.gz") == 1
        with pytest.raises(FileNotFoundError):
            read_head(f"{server.url}/absent", ONCE)
        server.fault = lambda get: Fault(status=503)
        with pytest.raises(OSError, match="503"):
            read_head(f"{server.url}/a.gz", ONCE)
