"""Captures: found in files of every kind, and written so that replay tools read them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from jobs.audit.captures import (
    CapturePlace,
    NotFound,
    captures_of,
    find_captures,
    write_captures,
)
from jobs.catalogue.lock import lock_of
from jobs.config import Config
from jobs.run.request import Run
from jobs.run.splits import INDEX, Split
from jobs.run.store import Store
from tests.builders.s3_server import serving_s3
from tests.builders.warc_files import (
    arc_file,
    http_response,
    member,
    member_offsets,
    page,
    record,
    written_by_warcio,
)
from udfs.warc.reader import read_records
from udfs.warc.records import WarcRecord

MICROS = int(datetime(2024, 3, 1, 8, tzinfo=UTC).timestamp() * 1e6)
ARC_MICROS = int(datetime(2008, 4, 30, 20, 48, 25, tzinfo=UTC).timestamp() * 1e6)
MOST = 32 << 20


def places(data: bytes, micros: int = MICROS) -> list[CapturePlace]:
    """All responses of a file, as an output would have them."""
    return [
        CapturePlace(f"d{item.offset}", "w", item.offset, item.headers["warc-target-uri"], micros)
        for item in read_records(io.BytesIO(data))
        if isinstance(item, WarcRecord) and item.record_type == "response"
    ]


def exported(data: bytes, wanted: Sequence[CapturePlace]) -> tuple[bytes, dict[str, NotFound]]:
    out = io.BytesIO()
    missing = write_captures(out, "x.warc.gz", captures_of(lambda: io.BytesIO(data), wanted, MOST))
    return out.getvalue(), missing


def contents(data: bytes) -> list[tuple[str, str, bytes]]:
    """Type, URL and block of all records, as warcio reads them."""
    return [
        (one.rec_type, one.rec_headers.get_header("WARC-Target-URI"), one.raw_stream.read())
        for one in ArchiveIterator(io.BytesIO(data), no_record_parse=True)
    ]


def test_captures_keep_their_blocks_headers_and_digests() -> None:
    data = written_by_warcio([page(n, 3_000) for n in range(4)])
    wanted = places(data)[1:3]
    written, missing = exported(data, wanted)
    assert missing == {}
    assert contents(written)[1:] == [
        one for one in contents(data) if one[0] == "response" and one[1][-1] in "12"
    ]
    originals = {
        one.rec_headers.get_header("WARC-Record-ID"): one.rec_headers.headers
        for one in ArchiveIterator(io.BytesIO(data))
    }
    replayed = list(ArchiveIterator(io.BytesIO(written), check_digests="raise"))
    assert replayed[0].rec_type == "warcinfo"
    for one in replayed[1:]:
        assert one.rec_headers.headers == originals[one.rec_headers.get_header("WARC-Record-ID")]
    found: list[Any] = list(FastIterator(io.BytesIO(written), verify_digests=False))
    assert len(found) == 3


def test_fastwarc_verifies_what_was_written() -> None:
    written, _ = exported(*(lambda data: (data, places(data)))(written_by_warcio([page(7)])))
    for parse_http in (False, True):
        for one in FastIterator(io.BytesIO(written), parse_http=parse_http):
            if one.headers.get("WARC-Type") == "response":
                assert one.verify_payload_digest() if parse_http else one.verify_block_digest()


def test_each_record_is_a_gzip_member_of_its_own() -> None:
    data = written_by_warcio([page(n) for n in range(3)])
    written, _ = exported(data, places(data))
    offsets = [item.offset for item in read_records(io.BytesIO(written))]
    assert len(offsets) == 4 and offsets[0] == 0 and all(offset >= 0 for offset in offsets)


def test_records_of_plain_zstd_and_arc_files_and_without_address_are_found() -> None:
    plain = [record(http_response(page(n)), uri=f"http://example.cn/{n}") for n in range(3)]
    arcs = arc_file([http_response(page(n)) for n in range(3)])
    compressed = zstandard.ZstdCompressor()
    files = {
        "plain": (b"".join(plain), MICROS),
        "one member": (member(b"".join(plain)), MICROS),
        "zstd": (b"".join(map(compressed.compress, plain)), MICROS),
        "arc": (b"".join(arcs), ARC_MICROS),
        "arc.gz": (b"".join(map(member, arcs)), ARC_MICROS),
        "garbage before": (b"\x00garbage" * 50 + member(plain[0]) + member(plain[1]), MICROS),
    }
    for name, (data, micros) in files.items():
        wanted = places(data, micros)
        assert len(wanted) >= 2, name
        written, missing = exported(data, wanted)
        assert missing == {}, name
        blocks = [block for kind, _, block in contents(written) if kind == "response"]
        expected = [http_response(page(n)) for n in range(len(wanted))]
        assert sorted(blocks) == sorted(expected), name
        for one in ArchiveIterator(io.BytesIO(written)):
            assert one.rec_headers.get_header("WARC-Record-ID"), name
            assert one.content_stream().read(), name


def test_captures_that_are_gone_or_changed_are_named() -> None:
    members = [
        member(record(http_response(page(n)), uri=f"http://example.cn/{n}")) for n in range(3)
    ]
    data = b"".join(members)
    wanted = places(data)
    offsets = member_offsets(members)
    other = member(record(http_response(page(1)), uri="http://example.cn/other"))
    written, missing = exported(members[0] + other, wanted)
    assert missing[f"d{offsets[1]}"].reason == "changed"
    assert missing[f"d{offsets[2]}"].reason == "gone"
    assert len(contents(written)) == 2

    written, missing = exported(members[0], wanted)
    assert {name: one.reason for name, one in missing.items()} == {
        f"d{offset}": "gone" for offset in offsets[1:]
    }
    assert len(contents(written)) == 2


def test_a_file_that_is_gone_or_cannot_be_read_fails_its_captures_alone() -> None:
    wanted = places(written_by_warcio([page(0), page(1)]))

    def gone() -> Any:
        raise FileNotFoundError("w.warc.gz")

    def denied() -> Any:
        raise PermissionError("w.warc.gz")

    for opened, reason in ((gone, "gone"), (denied, "unreadable")):
        out = io.BytesIO()
        missing = write_captures(out, "x", captures_of(opened, wanted, MOST))
        assert [one.reason for one in missing.values()] == [reason, reason]
        assert len(contents(out.getvalue())) == 1


def test_a_cut_capture_is_written_as_far_as_it_is_there() -> None:
    whole = record(http_response(page(5, 2_000)), uri="http://example.cn/5")
    data = whole[: len(whole) - 700]
    wanted = places(data)
    written, missing = exported(data, wanted)
    assert missing == {}
    (_, _, block) = contents(written)[1]
    assert http_response(page(5, 2_000)).startswith(block) and len(block) > 1_000


def test_captures_of_ranges_and_of_a_store_are_read_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written_by_warcio([page(n, 2_000) for n in range(3)])
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "a.warc.gz").write_bytes(data)
    ranges = tmp_path / "out" / "ranges" / "wave=00001" / "split=0"
    ranges.mkdir(parents=True)
    uri, path = "s3://bucket/a.warc.gz", "crawl-data/a.warc.gz"
    rows = [{"uri": uri, "warc_path": path, "offset": 0, "length": 1}]
    pq.write_table(pa.Table.from_pylist(rows), ranges / "part.parquet")
    waves = {
        0: (Split(uri, "b", "warc", None), Split("/rows.jsonl", "rows", "jsonl", None)),
        1: (Split("ranges/wave=00001/split=0", path, "warc", None, INDEX),),
    }
    run = Run(Config(), None, Store(str(tmp_path / "out")), waves, lock_of({}, {}))
    wanted = [
        replace(place, doc_id=f"{name} {place.doc_id}", warc_path=name)
        for name in ("b", path, "rows", "other")
        for place in places(data)
    ]
    with serving_s3(tmp_path) as server:
        for name, value in {
            "AWS_ENDPOINT_URL_S3": server.url,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        out = io.BytesIO()
        missing = write_captures(out, "x", find_captures(run, wanted))
    assert {name: one.reason for name, one in missing.items()} == {
        place.doc_id: "no_capture" if place.warc_path == "rows" else "unknown_file"
        for place in wanted
        if place.warc_path in ("rows", "other")
    }
    assert [kind for kind, _, _ in contents(out.getvalue())] == ["warcinfo"] + ["response"] * 6
