"""Every kind of WARC file there is, whole and damaged: nothing lost without a word."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tracemalloc
import zlib
from typing import BinaryIO, cast

import pytest
import zstandard
from fastwarc.warc import ArchiveIterator as FastIterator
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from tests.builders.warc_files import (
    arc_file,
    arc_record,
    http_response,
    member,
    member_offsets,
    page,
    record,
    written_by_warcio,
)
from udfs.warc.reader import _RecordReader, read_records
from udfs.warc.records import Damage, WarcRecord

ALL_TYPES = frozenset(
    {"warcinfo", "request", "response", "metadata", "resource", "revisit", "conversion"}
)
BLOCKS = [http_response(page(number, 400)) for number in range(5)]


def read(data: bytes, **options: object) -> list[WarcRecord | Damage]:
    return list(read_records(io.BytesIO(data), **options))  # type: ignore[arg-type]


def records(items: list[WarcRecord | Damage]) -> list[WarcRecord]:
    return [item for item in items if isinstance(item, WarcRecord)]


def damages(items: list[WarcRecord | Damage]) -> list[Damage]:
    return [item for item in items if isinstance(item, Damage)]


def blocks(items: list[WarcRecord | Damage]) -> list[bytes]:
    return [item.block for item in records(items)]


class DripStream:
    """A few bytes a read: a slow connection."""

    def __init__(self, data: bytes, step: int) -> None:
        self._stream = io.BytesIO(data)
        self._step = step

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._step))

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int) -> int:
        return self._stream.seek(offset)


class ReadOnlyStream:
    """Nothing but read(n)."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


# --- whole files -------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [True, False])
def test_parity_with_warcio(compressed: bool) -> None:
    """Types, offsets, headers and blocks are those that warcio reads."""
    data = written_by_warcio(
        [page(0), page(1, 200_000), b"", bytes(range(256)) * 9], compressed=compressed
    )
    expected = []
    iterator = ArchiveIterator(io.BytesIO(data), no_record_parse=True)
    for item in iterator:
        headers = {name.lower(): value for name, value in item.rec_headers.headers}
        block = item.raw_stream.read()
        expected.append((iterator.get_record_offset(), item.rec_type, headers, block, None))
    found = read(data, wanted=ALL_TYPES)
    assert [(r.offset, r.record_type, r.headers, r.block, r.truncated) for r in records(found)] == (
        expected
    )
    assert len(expected) == 13
    assert damages(found) == []


@pytest.mark.parametrize("compressed", [True, False])
def test_parity_with_fastwarc(compressed: bool) -> None:
    data = written_by_warcio(
        [page(0), page(1, 1_500_000), b"", page(2, 90_000)], compressed=compressed
    )
    expected = []
    for item in FastIterator(io.BytesIO(data), parse_http=False):
        headers = {name.lower(): value for name, value in item.headers.items()}
        block = item.reader.read()
        expected.append((item.stream_pos, headers["warc-type"], headers, block, None))
    found = records(read(data, wanted=ALL_TYPES))
    assert [(r.offset, r.record_type, r.headers, r.block, r.truncated) for r in found] == expected
    assert len(expected) == 13


def test_types_not_wanted_come_without_their_block() -> None:
    found = records(read(written_by_warcio([page(1)])))
    assert [r.record_type for r in found] == ["warcinfo", "request", "response", "metadata"]
    assert [bool(r.block) for r in found] == [False, False, True, False]
    assert found[1].headers["warc-target-uri"] == "http://example.cn/0"


def test_offset_of_a_member_is_where_reading_can_begin() -> None:
    data = written_by_warcio([page(0), page(1)])
    for item in records(read(data)):
        assert read(data[item.offset :])[0] == WarcRecord(
            0, item.record_type, item.headers, item.block, None
        )


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_how_the_stream_delivers_does_not_matter(step: int) -> None:
    data = written_by_warcio([page(0), page(1, 3000)])
    data = data[:900] + b"\xff" * 20 + data[900:]
    stream = cast(BinaryIO, DripStream(data, step))
    assert list(read_records(stream)) == read(data)


def test_whole_file_in_one_member() -> None:
    plain = b"".join(record(block) for block in BLOCKS)
    found = read(member(plain))
    assert blocks(found) == BLOCKS
    offsets = [r.offset for r in records(found)]
    starts = member_offsets(record(block) for block in BLOCKS)
    # Only the first can be reached by its place in the file.
    assert offsets == [0, *(-start for start in starts[1:])]


def test_several_records_in_some_members() -> None:
    members = [
        member(record(BLOCKS[0])),
        member(record(BLOCKS[1]) + record(BLOCKS[2])),
        member(record(BLOCKS[3])),
    ]
    found = read(b"".join(members))
    assert blocks(found) == BLOCKS[:4]
    first, second, third = member_offsets(members)
    inner = -(len(record(BLOCKS[0])) + len(record(BLOCKS[1])))
    assert [r.offset for r in records(found)] == [first, second, inner, third]


def test_one_record_over_several_members() -> None:
    plain = record(BLOCKS[0])
    parts = [plain[:30], plain[30:300], plain[300:-2], plain[-2:], record(BLOCKS[1])]
    found = read(b"".join(member(part) for part in parts))
    assert blocks(found) == BLOCKS[:2]
    assert [r.truncated for r in records(found)] == [None, None]
    assert damages(found) == []


def test_plain_file_offsets() -> None:
    plain = [record(block) for block in BLOCKS]
    found = read(b"".join(plain))
    assert [r.offset for r in records(found)] == member_offsets(plain)
    assert blocks(found) == BLOCKS


def test_record_larger_than_a_piece() -> None:
    big = http_response(random.Random(1).randbytes(3 << 20))
    for data in (record(big) + record(BLOCKS[0]), member(record(big)) + member(record(BLOCKS[0]))):
        assert blocks(read(data)) == [big, BLOCKS[0]]


def test_zstd_frames() -> None:
    frames = [zstandard.compress(record(block)) for block in BLOCKS]
    found = read(b"".join(frames))
    assert blocks(found) == BLOCKS
    assert [r.offset for r in records(found)] == member_offsets(frames)


def test_zstd_streamed_with_checksum_and_large_blocks() -> None:
    big = http_response(random.Random(2).randbytes(700_000) * 2)
    compressor = zstandard.ZstdCompressor(write_checksum=True, write_content_size=False)
    stream = compressor.compressobj()
    data = stream.compress(record(big)) + stream.flush()
    assert blocks(read(data + compressor.compress(record(BLOCKS[0])))) == [big, BLOCKS[0]]


@pytest.mark.parametrize("packed", [True, False])
def test_zstd_dictionary_frame(packed: bool) -> None:
    """The dictionary lies in a skippable frame at the front, as it is or compressed."""
    samples = [record(http_response(page(n, 300)), uri=f"http://a.cn/{n}") for n in range(200)]
    dictionary = zstandard.train_dictionary(4096, samples)
    raw = dictionary.as_bytes()
    content = zstandard.compress(raw) if packed else raw
    head = b"\x5d\x2a\x4d\x18" + struct.pack("<I", len(content)) + content
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    data = head + b"".join(compressor.compress(sample) for sample in samples[:3])
    found = read(data)
    assert damages(found) == []
    assert blocks(found) == [http_response(page(n, 300)) for n in range(3)]


@pytest.mark.parametrize("compress", [member, bytes])
def test_arc(compress: type[bytes]) -> None:
    parts = [compress(part) for part in arc_file(BLOCKS[:3])]
    found = read(b"".join(parts))
    assert [r.record_type for r in records(found)] == ["warcinfo", *["response"] * 3]
    assert blocks(found)[1:] == BLOCKS[:3]
    assert [r.offset for r in records(found)] == member_offsets(parts)
    headers = records(found)[1].headers
    assert headers["warc-target-uri"] == "http://example.cn/0"
    assert headers["warc-date"] == "2008-04-30T20:48:25Z"
    assert headers["warc-ip-address"] == "10.0.0.1"
    assert damages(found) == []


def test_arc_agrees_with_warcio() -> None:
    data = b"".join(arc_file(BLOCKS))
    expected = [
        (item.rec_type, item.raw_stream.read())
        for item in ArchiveIterator(io.BytesIO(data), arc2warc=True, no_record_parse=True)
        if item.rec_type == "response"
    ]
    found = records(read(data))[1:]
    assert [(r.record_type, r.block) for r in found] == expected


def test_arc_with_a_bad_line_goes_on() -> None:
    parts = arc_file(BLOCKS[:1])
    bad = arc_record(b"x", "http://example.cn/bad", length="abc")
    good = arc_record(BLOCKS[1], "http://example.cn/a b")
    found = read(b"".join([*parts, bad, b"junk line\n", good]))
    assert blocks(found)[1:] == BLOCKS[:2]
    assert records(found)[-1].headers["warc-target-uri"] == "http://example.cn/a b"
    assert [d.reason for d in damages(found)] == ["bad_content_length"]


def test_file_of_many_chunks() -> None:
    """Members that lie across the borders of chunks, among them some larger than a chunk."""
    rng = random.Random(5)
    sizes = [9_000, 70_000, 1_400_000, 300, 500_000, 60_000] * 4
    noisy = [http_response(rng.randbytes(size)) for size in sizes]
    members = [member(record(block)) for block in noisy]
    found = read(b"".join(members))
    assert blocks(found) == noisy
    assert [r.offset for r in records(found)] == member_offsets(members)
    assert damages(found) == []


@pytest.mark.parametrize("behind", [b"", b"tail", b"\x1f\x8b\x08\x00"])
def test_magic_number_inside_a_member(behind: bytes) -> None:
    """It looks like the next member's first bytes; what lies before it is no whole member."""
    inside = http_response(b"<p>\x1f\x8b\x08\x00 and \x1f\x8b\x08" + behind)
    stored = gzip.compress(record(inside), 0, mtime=0)
    found = read(stored + member(record(BLOCKS[0])))
    assert blocks(found) == [inside, BLOCKS[0]]
    assert [r.offset for r in records(found)] == [0, len(stored)]


@pytest.mark.parametrize("copied", [4, 8, 30])
def test_bytes_behind_a_member_that_look_like_its_end(copied: int) -> None:
    first = member(record(BLOCKS[0]))
    found = read(first + first[-copied:] + member(record(BLOCKS[1])))
    assert blocks(found) == BLOCKS[:2]
    assert [(d.offset, d.reason, d.skipped_bytes) for d in damages(found)] == [
        (len(first), "garbage", copied)
    ]


def test_content_longer_than_its_trailer_says_costs_bounded_memory() -> None:
    bomb = bytearray(zeros_member(64 << 20))
    bomb[-4:] = (1000).to_bytes(4, "little")
    tracemalloc.start()
    try:
        found = read(bytes(bomb) + member(record(BLOCKS[0])), max_record_bytes=1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert blocks(found) == [BLOCKS[0]]
    assert peak < 12 << 20


def test_records_behind_a_large_one_are_read_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one page of a megabyte would make the rest of its file slow."""
    calls = []
    slow = _RecordReader._next
    monkeypatch.setattr(_RecordReader, "_next", lambda self: calls.append(1) or slow(self))
    large = http_response(page(0, 1_200_000))
    found = read(member(record(large)) + b"".join(member(record(block)) for block in BLOCKS))
    assert blocks(found) == [large, *BLOCKS]
    assert len(calls) == 2  # the large record, the end of the file


def test_headers_and_blocks_are_had_when_asked_for() -> None:
    block = BLOCKS[0]
    for kind in ("request", "Request", "request-like"):
        for extra in ([], ["WARC-Truncated: time"], ["warc-type: response"], [" folded: yes"]):
            for compress in (member, bytes):
                (item,) = records(read(compress(record(block, kind, extra=extra))))
                assert (item.record_type, item.block) == (kind.lower(), b"")
                assert item.headers["warc-date"] == "2024-03-01T08:00:00Z" + (
                    " folded: yes" if extra == [" folded: yes"] else ""
                )
                assert item.truncated == ("time" if "WARC-Truncated: time" in extra else None)


@pytest.mark.parametrize(
    "lines",
    [
        ["WARC-Type : response"],
        ["warc-type: response"],
        ["WARC-Type:", " response"],
        ["WARC-Type: response", "WARC-Type: request"],
        ["wArC-tYpE: response", "WARC-Type: request"],
    ],
)
def test_type_in_odd_spelling(lines: list[str]) -> None:
    data = record(BLOCKS[0], None, extra=lines)
    for compress in (member, bytes):
        assert [(r.record_type, r.block) for r in records(read(compress(data)))] == [
            ("response", BLOCKS[0])
        ]


def test_arc_record_before_a_cut_one_is_whole() -> None:
    """One line feed ends a record; what is left of the next is not its text."""
    parts = [member(part) for part in arc_file(BLOCKS[:2])]
    found = read(parts[0] + parts[1] + parts[2][:60])
    assert [(r.block, r.truncated) for r in records(found)[1:2]] == [(BLOCKS[0], None)]


# --- odd, but nothing wrong --------------------------------------------------------------


@pytest.mark.parametrize("compress", [member, bytes])
@pytest.mark.parametrize(
    "wrapped",
    [
        record(BLOCKS[0], version="WARC/0.18"),
        record(BLOCKS[0], version="WARC/1.1"),
        record(BLOCKS[0], newline="\n", ending=b"\n\n"),
        record(BLOCKS[0], newline="\r\r\n", ending=b"\r\r\n\r\r\n"),
        record(BLOCKS[0], ending=b""),
        record(BLOCKS[0], ending=b"\r\n"),
        record(BLOCKS[0], ending=b"\r\n\r\n\r\n\r\n"),
        record(BLOCKS[0], ending=b"\r\n\r\n" + b"\0" * 512),
        record(BLOCKS[0], extra=["X-Folded: one", "\ttwo", "no colon here"]),
        record(BLOCKS[0], extra=["Content-Length: 1"], length=None).replace(
            b"Content-Length: 1", b"content-length:%d  " % len(BLOCKS[0])
        ),
    ],
    ids=["0.18", "1.1", "lf", "cr-cr", "no-end", "half-end", "long-end", "zeros", "fold", "spaces"],
)
def test_lenient(compress: type[bytes], wrapped: bytes) -> None:
    found = read(compress(wrapped) + compress(record(BLOCKS[1])))
    assert blocks(found) == BLOCKS[:2]
    assert damages(found) == []
    assert [r.truncated for r in records(found)] == [None, None]


def test_header_values() -> None:
    data = record(
        BLOCKS[0],
        uri="<http://example.cn/a>",
        extra=[
            "WARC-Concurrent-To: <urn:1>",
            "WARC-Concurrent-To: <urn:2>",
            "X-Folded: one",
            "  two",
            "X-Bytes: \udcd6\udcd0",
            "WARC-Truncated: Length",
        ],
    )
    item = records(read(data))[0]
    assert item.headers["warc-target-uri"] == "http://example.cn/a"
    assert item.headers["warc-concurrent-to"] == "<urn:1>"
    assert item.headers["x-folded"] == "one two"
    assert item.headers["x-bytes"] == "\xd6\xd0"  # not UTF-8: byte for byte
    assert item.truncated == "length"


def test_padding_between_and_behind_members() -> None:
    data = member(record(BLOCKS[0])) + b"\0" * 100 + member(record(BLOCKS[1])) + b"\0" * (2 << 20)
    found = read(data)
    assert blocks(found) == BLOCKS[:2]
    assert damages(found) == []


# --- damage ------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"\r\n\r\n", member(b"")])
def test_empty_file(data: bytes) -> None:
    assert [d.reason for d in cast(list[Damage], read(data))] == ["empty_file"]


@pytest.mark.parametrize(
    "data", [b"\x04\x22\x4d\x18" + b"x" * 50, b"%PDF-1.7\n" + b"x" * 50, b"WAR", b"\xff" * 9000]
)
def test_unsupported_format(data: bytes) -> None:
    assert [(d.offset, d.reason) for d in damages(read(data))] == [(0, "unsupported_format")]


@pytest.mark.parametrize("compress", [member, zstandard.compress, bytes])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.97])
def test_cut_file_gives_its_last_page_once(compress: type[bytes], share: float) -> None:
    big = http_response(random.Random(3).randbytes(900_000))
    first, last = compress(record(BLOCKS[0])), compress(record(big))
    found = read(first + last[: int(len(last) * share)])
    assert damages(found) == []
    whole, cut = records(found)
    assert (whole.block, whole.truncated, cut.truncated) == (BLOCKS[0], None, "cut")
    assert big.startswith(cut.block)
    assert len(cut.block) > 900_000 * share - (130 << 10)  # a zstd block
    assert cut.offset == len(first)


def test_file_cut_in_the_checksum() -> None:
    found = read(member(record(BLOCKS[0]))[:-5])
    assert [(r.block, r.truncated) for r in records(found)] == [(BLOCKS[0], "cut")]
    assert damages(found) == []


def test_plain_file_that_ends_behind_the_block_is_whole() -> None:
    found = read(record(BLOCKS[0], ending=b""))
    assert [(r.block, r.truncated) for r in records(found)] == [(BLOCKS[0], None)]


@pytest.mark.parametrize("kept", [1, 2, 5, 12])
def test_file_cut_before_a_record_has_a_byte(kept: int) -> None:
    first = member(record(BLOCKS[0]))
    found = read(first + member(record(BLOCKS[1]))[:kept])
    assert blocks(found) == BLOCKS[:1]
    assert [(d.reason, d.offset) for d in damages(found)] == [("cut", len(first))]


@pytest.mark.parametrize("kept", [3, 9, 40])
def test_file_cut_in_a_header(kept: int) -> None:
    first = record(BLOCKS[0])
    found = read(first + record(BLOCKS[1])[:kept])
    assert blocks(found) == BLOCKS[:1]
    assert [(d.reason, d.offset, d.skipped_bytes) for d in damages(found)] == [
        ("cut", len(first), kept)
    ]


def test_cut_file_with_another_behind_it() -> None:
    """The break shows only behind the next file's first members; they are found all the same."""
    rng = random.Random(4)
    noisy = [http_response(rng.randbytes(20_000)) for _ in range(4)]
    members = [member(record(block)) for block in noisy]
    cut = members[1][:9000]
    found = read(members[0] + cut + members[2] + members[3])
    assert blocks(found) == [noisy[0], noisy[2], noisy[3]]
    assert [(d.offset, d.skipped_bytes) for d in damages(found)] == [(len(members[0]), len(cut))]


def test_corrupt_member_costs_one_record() -> None:
    members = [member(record(block)) for block in BLOCKS]
    broken = bytearray(members[2])
    broken[40] ^= 0xFF
    found = read(b"".join([*members[:2], bytes(broken), *members[3:]]))
    assert blocks(found) == BLOCKS[:2] + BLOCKS[3:]
    (damage,) = damages(found)
    assert damage.reason in ("gzip_corrupt", "gzip_crc_mismatch")
    assert damage.offset == member_offsets(members)[2]
    assert damage.skipped_bytes == len(broken)


def test_gzip_header_that_runs_on_over_the_rest_of_the_file() -> None:
    first = bytearray(member(record(BLOCKS[0])))
    first[3] = 4  # an extra field follows,
    first[10:12] = b"\xff\xff"  # of 64 KB
    found = read(bytes(first) + member(record(BLOCKS[1])))
    assert blocks(found) == [BLOCKS[1]]
    assert [(d.offset, d.reason, d.skipped_bytes) for d in damages(found)] == [
        (0, "gzip_corrupt", len(first))
    ]


def test_checksum_mismatch_is_damage() -> None:
    members = [member(record(block)) for block in BLOCKS[:3]]
    broken = bytearray(members[1])
    broken[-8] ^= 1
    found = read(members[0] + bytes(broken) + members[2])
    assert blocks(found) == [BLOCKS[0], BLOCKS[2]]
    assert [d.reason for d in damages(found)] == ["gzip_crc_mismatch"]


def test_corrupt_zstd_frame_costs_one_record() -> None:
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    frames = [compressor.compress(record(block)) for block in BLOCKS[:3]]
    broken = bytearray(frames[1])
    broken[-1] ^= 0xFF
    found = read(frames[0] + bytes(broken) + frames[2])
    assert blocks(found) == [BLOCKS[0], BLOCKS[2]]
    assert [(d.reason, d.offset) for d in damages(found)] == [("zstd_corrupt", len(frames[0]))]


@pytest.mark.parametrize("compress", [member, zstandard.compress, bytes])
@pytest.mark.parametrize("junk", [b"junk\r\n", b"\xff" * 3000, b"\x1f\x8b\x08\x00 not gzip" * 9])
def test_garbage_between_records(compress: type[bytes], junk: bytes) -> None:
    first, second = compress(record(BLOCKS[0])), compress(record(BLOCKS[1]))
    found = read(first + junk + b"\n" + second)
    assert blocks(found) == BLOCKS[:2]
    (damage,) = damages(found)
    assert damage.offset == len(first)
    assert damage.skipped_bytes == len(junk) + 1


@pytest.mark.parametrize("compress", [member, bytes])
def test_garbage_before_the_first_record(compress: type[bytes]) -> None:
    found = read(b"\xef\xbb\xbfpreamble\n" + compress(record(BLOCKS[0])))
    assert blocks(found) == BLOCKS[:1]
    assert [(d.offset, d.reason) for d in damages(found)] == [(0, "garbage")]


@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("compress", [member, zstandard.compress])
def test_first_unit_of_no_known_kind(compress: type[bytes], at: int) -> None:
    """A later unit decides the file's format."""
    first = bytearray(compress(record(BLOCKS[0])))
    first[at] ^= 0x42
    found = read(bytes(first) + compress(record(BLOCKS[1])) + compress(record(BLOCKS[2])))
    assert blocks(found) == BLOCKS[1:3]
    assert sum(d.skipped_bytes for d in damages(found)) == len(first)


def test_garbage_inside_a_member() -> None:
    found = read(member(record(BLOCKS[0]) + b"junk\r\n" + record(BLOCKS[1])) + member(b"junk"))
    assert blocks(found) == BLOCKS[:2]
    assert [d.reason for d in damages(found)] == ["garbage", "garbage"]


@pytest.mark.parametrize("change", [-300, -1, 5, 50, 700, 10**6, 10**15])
@pytest.mark.parametrize("compress", [member, bytes])
def test_wrong_length(compress: type[bytes], change: int) -> None:
    """The page is there and so is the next one; only the border was told wrongly."""
    length = len(BLOCKS[0]) + change
    bad = compress(record(BLOCKS[0], length=length))
    found = read(bad + compress(record(BLOCKS[1])) + compress(record(BLOCKS[2])))
    assert blocks(found) == BLOCKS[:3]
    assert [r.truncated for r in records(found)] == ["wrong_length", None, None]
    assert damages(found) == []


@pytest.mark.parametrize("change", [1, 2, 3, 4])
@pytest.mark.parametrize("compress", [member, bytes])
def test_length_that_takes_in_the_blank_line(compress: type[bytes], change: int) -> None:
    """Nothing is lost and nothing swallowed: as good as whole."""
    bad = compress(record(BLOCKS[0], length=len(BLOCKS[0]) + change))
    found = read(bad + compress(record(BLOCKS[1])))
    assert [block.rstrip() for block in blocks(found)] == BLOCKS[:2]
    assert [r.truncated for r in records(found)] == [None, None]


def test_wrong_length_inside_a_whole_file_member() -> None:
    plain = record(BLOCKS[0]) + record(BLOCKS[1], length=9999) + record(BLOCKS[2])
    found = read(member(plain))
    assert blocks(found) == BLOCKS[:3]
    assert [r.truncated for r in records(found)] == [None, "wrong_length", None]


def test_length_beyond_the_limit_in_a_plain_file() -> None:
    """A made-up length must not swallow the rest of a file larger than what may be held."""
    bad = record(BLOCKS[0], length=10**9)
    rest = b"".join(record(BLOCKS[1 + n % 4]) for n in range(40))
    found = read(bad + rest, max_record_bytes=5000)
    assert blocks(found) == [BLOCKS[1 + n % 4] for n in range(40)]
    assert [(d.offset, d.reason, d.skipped_bytes) for d in damages(found)] == [
        (0, "record_too_large", len(bad))
    ]
    # Where the stream cannot seek, all of it counts as skipped.
    stream = cast(BinaryIO, ReadOnlyStream(bad + rest))
    (damage,) = damages(list(read_records(stream, max_record_bytes=5000)))
    assert damage.skipped_bytes == len(bad + rest)


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (None, "missing_content_length"),
        (-1, "bad_content_length"),
        ("many", "bad_content_length"),
        ("", "bad_content_length"),
        ("１２", "bad_content_length"),
        ("9" * 40, "bad_content_length"),
    ],
)
@pytest.mark.parametrize("compress", [member, bytes])
def test_no_length(compress: type[bytes], length: object, reason: str) -> None:
    first, bad = compress(record(BLOCKS[0])), compress(record(BLOCKS[1], length=length))
    found = read(first + bad + compress(record(BLOCKS[2])))
    assert blocks(found) == [BLOCKS[0], BLOCKS[2]]
    assert [(d.offset, d.reason) for d in damages(found)] == [(len(first), reason)]


@pytest.mark.parametrize("compress", [member, bytes])
def test_missing_type(compress: type[bytes]) -> None:
    first = compress(record(BLOCKS[0], None))
    found = read(first + compress(record(BLOCKS[1])))
    assert blocks(found) == [BLOCKS[1]]
    assert [(d.offset, d.reason) for d in damages(found)] == [(0, "missing_warc_type")]


def test_missing_type_and_a_length_too_small() -> None:
    first = record(BLOCKS[0], None, length=10)
    found = read(first + record(BLOCKS[1]))
    assert [(d.reason, d.skipped_bytes) for d in damages(found)] == [
        ("missing_warc_type", len(first))
    ]
    assert blocks(found) == [BLOCKS[1]]


@pytest.mark.parametrize("compress", [member, bytes])
def test_header_without_end(compress: type[bytes]) -> None:
    endless = b"WARC/1.0\r\n" + b"X-Line: 0123456789\r\n" * 10_000
    found = read(compress(endless) + compress(record(BLOCKS[1])))
    assert blocks(found)[-1:] == [BLOCKS[1]]
    assert [d.reason for d in damages(found)] == ["header_too_long"]


def test_member_that_ends_in_a_header() -> None:
    found = read(member(record(BLOCKS[0])[:60]) + member(record(BLOCKS[1])))
    assert blocks(found) == [BLOCKS[1]]
    assert [d.reason for d in damages(found)] == ["header_without_end"]


@pytest.mark.parametrize("compress", [member, zstandard.compress, bytes])
def test_record_too_large(compress: type[bytes]) -> None:
    big = compress(record(b"x" * 100_000))
    other = compress(record(b"y" * 100_000, "request"))
    found = read(big + other + compress(record(BLOCKS[0])), max_record_bytes=50_000)
    assert [type(item) for item in found] == [Damage, WarcRecord, WarcRecord]
    assert [(d.offset, d.reason) for d in damages(found)] == [(0, "record_too_large")]
    assert [r.record_type for r in records(found)] == ["request", "response"]
    assert blocks(found) == [b"", BLOCKS[0]]


def test_record_of_the_limit_is_read() -> None:
    limit = len(BLOCKS[0])
    for compress in (member, bytes):
        data = compress(record(BLOCKS[0]))
        assert blocks(read(data, max_record_bytes=limit)) == [BLOCKS[0]]
        (damage,) = damages(read(data, max_record_bytes=limit - 1))
        assert damage.reason == "record_too_large"


def zeros_member(size: int) -> bytes:
    compressor = zlib.compressobj(9, wbits=31)
    head = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {size}\r\n\r\n".encode()
    parts = [compressor.compress(head)]
    parts += [compressor.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*parts, compressor.compress(b"\r\n\r\n"), compressor.flush()])


def zeros_frame(size: int) -> bytes:
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    head = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {size}\r\n\r\n".encode()
    parts = [compressor.compress(head)]
    parts += [compressor.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*parts, compressor.compress(b"\r\n\r\n"), compressor.flush()])


@pytest.mark.parametrize("bomb", [zeros_member, zeros_frame])
def test_bomb_costs_bounded_memory(bomb: object) -> None:
    data = bomb(96 << 20)  # type: ignore[operator]
    assert len(data) < 1 << 20
    data += (
        member(record(BLOCKS[0])) if bomb is zeros_member else zstandard.compress(record(BLOCKS[0]))
    )
    tracemalloc.start()
    try:
        found = read(data, max_record_bytes=8 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [d.reason for d in damages(found)] == ["record_too_large"]
    assert blocks(found) == [BLOCKS[0]]
    assert peak < 30 << 20


def test_record_of_a_gibibyte_costs_bounded_memory() -> None:
    class Gibibyte:
        """A record line, a GiB of one letter, another record."""

        head = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 1073741824\r\n\r\n"

        def __init__(self) -> None:
            self.left = 1 << 30
            self.front, self.back = self.head, b"\r\n\r\n" + record(BLOCKS[0])

        def read(self, size: int) -> bytes:
            if self.front:
                front, self.front = self.front, b""
                return front
            if self.left:
                count = min(size, self.left)
                self.left -= count
                return b"a" * count
            back, self.back = self.back[:size], self.back[size:]
            return back

    tracemalloc.start()
    try:
        found = list(read_records(cast(BinaryIO, Gibibyte())))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [d.skipped_bytes for d in damages(found)] == [len(Gibibyte.head) + (1 << 30)]
    assert blocks(found) == [BLOCKS[0]]
    assert peak < 80 << 20  # twice the limit on a record, and some chunks


def test_error_of_the_stream_is_the_callers() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        list(read_records(Failing()))


# --- anything at all ---------------------------------------------------------------------

WHOLE = {
    "gzip": b"".join(member(record(block)) for block in BLOCKS),
    "one member": member(b"".join(record(block) for block in BLOCKS)),
    "plain": b"".join(record(block) for block in BLOCKS),
    "zstd": b"".join(zstandard.compress(record(block)) for block in BLOCKS),
    "arc": b"".join(arc_file(BLOCKS)),
    "arc.gz": b"".join(member(part) for part in arc_file(BLOCKS)),
}


@pytest.mark.parametrize("chunk_bytes", [61, 200, 1009])
@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_where_chunks_end_does_not_matter(
    kind: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a plain ARC file only the next record's line tells that a record was whole."""
    expected = read(WHOLE[kind], wanted=ALL_TYPES)
    monkeypatch.setattr("udfs.warc.byte_pieces.CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr("udfs.warc.reader.CHUNK_BYTES", chunk_bytes)
    assert read(WHOLE[kind], wanted=ALL_TYPES) == expected


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(
        st.tuples(
            st.sampled_from(["flip", "cut", "drop", "insert", "append", "length"]),
            st.floats(0, 1, exclude_max=True),
            st.binary(max_size=40),
        ),
        max_size=4,
    ),
    limit=st.sampled_from([0, 300, 1 << 20]),
)
def test_mutated_files_are_accounted_for(
    kind: str, changes: list[tuple[str, float, bytes]], limit: int
) -> None:
    data = bytearray(WHOLE[kind])
    for what, share, content in changes:
        at = int(share * len(data))
        if what == "flip" and data:
            data[at] ^= 1 << len(content) % 8
        elif what == "cut":
            del data[at:]
        elif what == "drop":
            del data[at : at + 7 * len(content)]
        elif what == "insert":
            data[at:at] = content
        elif what == "append":
            data += WHOLE[sorted(WHOLE)[int(share * len(WHOLE))]]
        elif what == "length":
            found = data.find(b"Content-Length: ", at)
            if found > 0:
                data[found + 16 : found + 17] = str(int(share * 10**9)).encode()
    items = read(bytes(data), max_record_bytes=limit)
    assert items, "a file never passes without a word"
    assert len(items) <= 40
    offsets = [item.offset for item in records(items)]
    assert len(set(offsets)) == len(offsets)
    assert all(d.skipped_bytes >= 0 and d.reason for d in damages(items))
    slow = cast(BinaryIO, DripStream(bytes(data), 113))
    assert items == list(read_records(slow, max_record_bytes=limit))


def test_gzip_written_by_another_library() -> None:
    out = io.BytesIO()
    with gzip.GzipFile("a-file-name.warc", "wb", fileobj=out, mtime=1) as stream:
        stream.write(record(BLOCKS[0]))
    assert blocks(read(out.getvalue())) == [BLOCKS[0]]
