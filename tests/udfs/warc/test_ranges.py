"""Ranges of files: joined, fetched through a bad network, taken apart, each byte accounted for."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.file_server import Fault, serving
from tests.builders.warc_files import http_response, member, member_offsets, page, record
from tests.udfs.files.test_http_ranges import CONTENT, FAST
from udfs.files.retry import RetryPolicy
from udfs.warc.ranges import (
    Range,
    RangedSplit,
    RangeReader,
    RangeReading,
    Record,
    join_ranges,
    ranged_files,
)
from udfs.warc.reader import read_records
from udfs.warc.records import Damage, WarcRecord

PATIENT = RetryPolicy(attempts=60, first_delay_s=0.0001, max_delay_s=0.001, timeout_s=1)


# --- joining -----------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 30)), max_size=30),
    st.integers(0, 30),
    st.integers(1, 90),
)
def test_stretches_hold_every_range_once(
    parts: list[tuple[int, int, int]], gap: int, most: int
) -> None:
    ranges = []
    at = dict.fromkeys(range(3), 0)
    for file, skipped, length in sorted(parts, key=lambda part: part[0]):
        ranges.append(Range(f"w{file}", at[file] + skipped, length, f"u{file}"))
        at[file] += skipped + length
    stretches = list(join_ranges(ranges, gap, most))
    assert [item for stretch in stretches for item in stretch.ranges] == ranges
    for stretch in stretches:
        assert {item.uri for item in stretch.ranges} == {stretch.uri}
        assert stretch.offset == stretch.ranges[0].offset
        last = stretch.ranges[-1]
        assert stretch.offset + stretch.length == last.offset + last.length
        assert stretch.length <= most or len(stretch.ranges) == 1
        for one, two in pairwise(stretch.ranges):
            assert two.offset - one.offset - one.length <= gap
    for one, two in pairwise(stretches):
        if one.uri == two.uri:  # they could not have been one
            far = two.offset - one.offset - one.length > gap
            assert far or two.ranges[0].offset + two.ranges[0].length - one.offset > most


# --- other places ------------------------------------------------------------------------


def test_reads_of_local_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    (tmp_path / "b").write_bytes(b"b" * 10)
    with RangeReader(FAST) as reader:
        assert reader.read(str(tmp_path / "a"), 10, 5) == CONTENT[10:15]
        assert reader.read(f"file://{tmp_path}/b", 8, 5) == b"bb"
        assert reader.read(str(tmp_path / "b"), 10, 5) == b""
        assert reader.read(str(tmp_path / "b"), 99, 5) == b""
        with pytest.raises(FileNotFoundError):
            reader.read(str(tmp_path / "c"), 0, 1)


# --- ranges of WARC files ----------------------------------------------------------------


def members(count: int, body_bytes: int = 0) -> list[bytes]:
    return [member(record(http_response(page(n, body_bytes)))) for n in range(count)]


def planned(folder: Path, ranges: list[Range]) -> str:
    """A split's folder, as Spark leaves it: several files, and one that is none."""
    folder.mkdir()
    for part in range(2):
        table = pa.Table.from_pylist(
            [item._asdict() for item in ranges[part::2]],
            pa.schema(
                [
                    ("warc_path", pa.string()),
                    ("offset", pa.int64()),
                    ("length", pa.int64()),
                    ("uri", pa.string()),
                ]
            ),
        )
        pq.write_table(table, folder / f"part-{part}.zstd.parquet")
    (folder / "_SUCCESS").write_bytes(b"")
    return str(folder)


def reading(parallel: int = 3, gap: int = 50, stretch: int = 4_000) -> RangeReading:
    return RangeReading(gap, stretch, parallel, FAST)


def read(folder: str, how: RangeReading) -> dict[str, list[Record]]:
    files = ranged_files(RangedSplit(folder, "warc", how))
    return {file.warc_path: list(file.records(read_records)) for file in files}


def outcome(item: Record) -> tuple[int, str]:
    if isinstance(item, Damage):
        return item.offset, item.reason
    return item.offset, item.headers["warc-target-uri"] + str(len(item.block))


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("remote", [False, True])
def test_a_range_is_what_the_whole_file_has_there(
    tmp_path: Path, remote: bool, parallel: int
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    ranges = []
    whole: dict[str, dict[int, Record]] = {}
    for name in ("a", "b"):
        data = members(30, body_bytes=200)
        (folder / name).write_bytes(b"".join(data))
        with (folder / name).open("rb") as file:
            whole[name] = {item.offset: item for item in read_records(file)}
        offsets = member_offsets(data)
        ranges += [
            Range(name, offsets[n], len(data[n]), name) for n in (0, 1, 2, 7, 11, 12, 28, 29)
        ]
    with serving(folder) as server:
        root = server.url if remote else str(folder)
        placed = [item._replace(uri=f"{root}/{item.uri}") for item in ranges]
        random.Random(1).shuffle(placed)
        found = read(planned(tmp_path / "split", placed), reading(parallel))
        assert not remote or server.connections <= parallel
        assert server.most_at_once <= parallel
    assert list(found) == ["a", "b"]
    for name, items in found.items():
        wanted = [item.offset for item in ranges if item.warc_path == name]
        assert [item.offset for item in items] == wanted
        for item in items:
            same = whole[name][item.offset]
            assert isinstance(item, WarcRecord) and isinstance(same, WarcRecord)
            assert (item.headers, item.block, item.truncated) == (
                same.headers,
                same.block,
                same.truncated,
            )


def test_what_is_wrong_with_a_range_is_said_at_its_offset(tmp_path: Path) -> None:
    data = members(4)
    offsets = member_offsets(data)
    path = tmp_path / "a"
    path.write_bytes(b"".join(data))
    size = path.stat().st_size
    ranges = [
        Range("a", offsets[0], len(data[0]), str(path)),
        Range("a", offsets[1], len(data[1]) - 9, str(path)),  # cut
        Range("a", offsets[2] + 3, len(data[2]) - 3, str(path)),  # no record begins there
        Range("a", offsets[3], len(data[3]) + 1, str(path)),  # a byte too many
        Range("a", size + 50, 10, str(path)),
        Range("z", 7, 10, str(tmp_path / "none")),
        Range("z", 90_000, 10, str(tmp_path / "none")),
    ]
    found = read(planned(tmp_path / "split", ranges), reading(gap=0))
    assert [outcome(item)[0] for item in found["a"]] == [
        offsets[0],
        offsets[1],
        offsets[2] + 3,
        offsets[3],
        size + 50,
    ]
    whole, cut, astray, long, beyond = found["a"]
    assert isinstance(whole, WarcRecord) and whole.truncated is None
    assert outcome(cut)[1] == "cut" or (isinstance(cut, WarcRecord) and cut.truncated == "cut")
    assert outcome(astray)[1] == "unsupported_format"
    assert outcome(long)[1] == "range_beyond_end"
    assert outcome(beyond)[1] == "range_beyond_end"
    assert [outcome(item) for item in found["z"]] == [(7, "missing_file"), (90_000, "missing_file")]


def test_a_record_inside_a_member_has_no_address(tmp_path: Path) -> None:
    both = member(record(http_response(page(1))) + record(http_response(page(2))))
    path = tmp_path / "a"
    path.write_bytes(both)
    found = read(planned(tmp_path / "split", [Range("a", 0, len(both), str(path))] * 1), reading())
    assert [outcome(item)[0] for item in found["a"]] == [0, 0]
    assert outcome(found["a"][1])[1] == "record_without_address"


@pytest.mark.parametrize("remote", [False, True])
def test_a_long_range_is_read_in_pieces(tmp_path: Path, remote: bool) -> None:
    body = "".join(f"<p>{random.Random(n).random()}</p>" for n in range(9_000)).encode()
    data = [*members(1), member(record(http_response(body))), *members(1)]
    offsets = member_offsets(data)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_bytes(b"".join(data))
    with serving(folder) as server:
        root = server.url if remote else str(folder)
        ranges = [
            Range("a", offset, len(part), f"{root}/a")
            for offset, part in zip(offsets, data, strict=True)
        ]
        found = read(planned(tmp_path / "split", ranges), reading(stretch=10_000))
        spans = [asked for _, asked in server.requests]
    first, long, last = found["a"]
    assert [first.offset, long.offset, last.offset] == offsets
    assert isinstance(long, WarcRecord) and long.block.endswith(body)
    if remote:
        for span in spans:
            start, _, end = (span or "").removeprefix("bytes=").partition("-")
            assert int(end) - int(start) < 10_000


def test_a_long_range_that_cannot_be_read_to_its_end(tmp_path: Path) -> None:
    body = "".join(f"<p>{random.Random(n).random()}</p>" for n in range(9_000)).encode()
    long = member(record(http_response(body)))
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_bytes(long)
    (folder / "b").write_bytes(long[:-20_000])
    with serving(folder) as server:
        server.fault = lambda get: Fault(status=503) if get.path == "/a" and get.count > 2 else None
        ranges = [Range(name, 0, len(long), f"{server.url}/{name}") for name in "ab"]
        found = read(planned(tmp_path / "split", ranges), reading(stretch=10_000))
    assert [outcome(item) for item in found["a"]] == [(0, "range_unreadable")]
    assert [outcome(item) for item in found["b"]] == [(0, "range_beyond_end")]


def test_a_host_that_is_down_is_not_asked_for_hours(tmp_path: Path) -> None:
    data = members(20)
    offsets = member_offsets(data)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_bytes(b"".join(data))
    with serving(folder) as server:
        server.fault = lambda get: Fault(status=503)
        ranges = [
            Range("a", offset, len(part), f"{server.url}/a")
            for offset, part in zip(offsets, data, strict=True)
        ]
        how = RangeReading(0, max(map(len, data)), 2, FAST)
        found = read(planned(tmp_path / "split", ranges), how)
        assert [outcome(item) for item in found["a"]] == [
            (offset, "range_unreadable") for offset in offsets
        ]
        assert len(server.requests) <= (3 + 2) * FAST.attempts
        details = [item.detail for item in found["a"] if isinstance(item, Damage)]
        assert "status 503" in details[0]
        assert "not tried" in details[-1]


def test_one_failure_is_not_the_next_ones(tmp_path: Path) -> None:
    data = members(12)
    offsets = member_offsets(data)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_bytes(b"".join(data))
    bad = set(offsets[::3])
    with serving(folder) as server:
        server.fault = lambda get: Fault(status=500) if get.start in bad else None
        ranges = [
            Range("a", offset, len(part), f"{server.url}/a")
            for offset, part in zip(offsets, data, strict=True)
        ]
        how = RangeReading(0, max(map(len, data)), 1, FAST)
        found = read(planned(tmp_path / "split", ranges), how)
    unreadable = {item.offset for item in found["a"] if isinstance(item, Damage)}
    assert unreadable == bad
    assert len(found["a"]) == 12


@pytest.mark.parametrize("seed", range(8))
def test_a_bad_network_changes_nothing(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    data = members(25, body_bytes=400)
    offsets = member_offsets(data)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_bytes(b"".join(data))
    taken = sorted(draw.sample(range(25), 15))
    with serving(folder) as server:
        ranges = [Range("a", offsets[n], len(data[n]), f"{server.url}/a") for n in taken]
        split = planned(tmp_path / "split", ranges)
        how = RangeReading(draw.choice([0, 600]), draw.choice([300, 3_000]), 3, PATIENT)
        good = [outcome(item) for item in read(split, how)["a"]]
        server.fault = lambda get: draw.choice(
            [
                None,
                None,
                Fault(status=draw.choice([429, 500, 503])),
                Fault(drop_after=draw.randrange(400)),
                Fault(whole=True),
                Fault(whole=True, drop_after=draw.randrange(9_000)),
            ]
        )
        assert [outcome(item) for item in read(split, how)["a"]] == good
    assert [offset for offset, _ in good] == [offsets[n] for n in taken]
    assert not any("range" in said for _, said in good)
