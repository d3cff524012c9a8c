"""Ranges of files: joined, fetched through a bad network, taken apart, each byte accounted for."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.file_server import Fault, FileServer, Get, serving
from tests.builders.warc_files import http_response, member, member_offsets, page, record
from udfs.files.http_ranges import HttpRanges
from udfs.files.object_store import StoreReads
from udfs.files.retry import RemoteReadError, RetryPolicy
from udfs.files.uris import open_input
from udfs.warc.ranges import (
    Range,
    RangedSplit,
    RangeReader,
    RangeReading,
    Record,
    join_ranges,
    ranged_files,
)
from udfs.warc.reader import Damage, WarcRecord, read_records

CONTENT = random.Random(4).randbytes(200_000)
PATIENT = RetryPolicy(attempts=60, first_delay_s=0.0001, max_delay_s=0.001, timeout_s=1)
FAST = RetryPolicy(attempts=4, first_delay_s=0.001, max_delay_s=0.01, timeout_s=0.3)


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


# --- one read over http ------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a").write_bytes(CONTENT)
    with serving(folder) as running:
        yield running


@pytest.fixture
def http_ranges() -> Iterator[HttpRanges]:
    reader = HttpRanges(FAST)
    yield reader
    reader.close()


def faults(*some: Fault | None) -> object:
    """A fault for each of the first requests."""
    return lambda get: some[get.count] if get.count < len(some) else None


def test_bounded_reads_share_a_connection(server: FileServer, http_ranges: HttpRanges) -> None:
    for offset in (0, 5_000, 100_000):
        data = http_ranges.read(server.url + "/a", "a", offset, 1_000)
        assert data == CONTENT[offset : offset + 1_000]
    asked = [asked for _, asked in server.requests]
    assert asked == ["bytes=0-999", "bytes=5000-5999", "bytes=100000-100999"]
    assert server.connections == 1


def test_a_read_stops_at_the_end_of_the_file(server: FileServer, http_ranges: HttpRanges) -> None:
    assert http_ranges.read(server.url + "/a", "a", 199_990, 50) == CONTENT[-10:]
    assert http_ranges.read(server.url + "/a", "a", 200_000, 50) == b""
    assert len(server.requests) == 2
    assert server.connections == 1


@pytest.mark.parametrize(
    "some",
    [
        [Fault(status=503)] * 3,
        [Fault(status=429, headers=(("Retry-After", "0"),)), Fault(status=500)],
        [Fault(drop_after=0)],
        [Fault(drop_after=300), Fault(drop_after=100), Fault(status=502)],
        [Fault(drop_after=500, stall=True)],
    ],
)
def test_a_read_survives(server: FileServer, http_ranges: HttpRanges, some: list[Fault]) -> None:
    server.fault = faults(*some)  # type: ignore[assignment]
    assert http_ranges.read(server.url + "/a", "a", 700, 1_000) == CONTENT[700:1_700]
    assert len(server.requests) == len(some) + 1


def test_what_is_there_is_not_asked_for_again(server: FileServer, http_ranges: HttpRanges) -> None:
    server.fault = faults(Fault(drop_after=300))  # type: ignore[assignment]
    assert http_ranges.read(server.url + "/a", "a", 0, 1_000) == CONTENT[:1_000]
    assert [asked for _, asked in server.requests] == ["bytes=0-999", "bytes=300-999"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=503), "status 503"),
        (Fault(drop_after=0), "ended early"),
        (Fault(drop_after=1), "ended early"),
        (Fault(drop_after=0, whole=True), "ended early"),
    ],
)
def test_a_read_is_given_up_at_last(
    server: FileServer, http_ranges: HttpRanges, fault: Fault, said: str
) -> None:
    server.fault = lambda get: fault
    with pytest.raises(RemoteReadError, match=said):
        http_ranges.read(server.url + "/a", "a", 0, 10)
    assert len(server.requests) == FAST.attempts


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, FileNotFoundError), (410, FileNotFoundError), (403, PermissionError), (400, OSError)],
)
def test_answers_that_do_not_change(
    server: FileServer, http_ranges: HttpRanges, status: int, expected: type[OSError]
) -> None:
    server.fault = lambda get: Fault(status=status)
    with pytest.raises(expected):
        http_ranges.read(server.url + "/a", "a", 0, 10)
    assert len(server.requests) == 1


def test_a_file_replaced_in_the_middle_of_a_read(
    server: FileServer, http_ranges: HttpRanges
) -> None:
    def fault(get: Get) -> Fault | None:
        server.etag = f'"{get.count}"'
        return Fault(drop_after=300) if get.count == 0 else None

    server.fault = fault
    with pytest.raises(RemoteReadError, match="changed"):
        http_ranges.read(server.url + "/a", "a", 0, 1_000)


def test_a_server_without_ranges_is_read_once(server: FileServer, http_ranges: HttpRanges) -> None:
    server.fault = lambda get: Fault(whole=True)
    for offset in (0, 1_000, 150_000):
        data = http_ranges.read(server.url + "/a", "a", offset, 500)
        assert data == CONTENT[offset : offset + 500]
    assert len(server.requests) == 1
    assert http_ranges.read(server.url + "/a", "a", 40, 10) == CONTENT[40:50]  # back again
    assert len(server.requests) == 2
    assert http_ranges.read(server.url + "/a", "a", 199_999, 500) == CONTENT[-1:]


def test_a_name_that_a_url_cannot_hold(server: FileServer, http_ranges: HttpRanges) -> None:
    (server.root / "空 格").write_bytes(CONTENT)
    server.fault = lambda get: None
    for url in ("/空 格", "/%E7%A9%BA%20%E6%A0%BC"):
        assert http_ranges.read(server.url + url, "name", 7, 10) == CONTENT[7:17]
        with open_input(server.url + url) as file:
            assert file.read(10) == CONTENT[:10]


def test_the_proxy_of_the_environment(
    server: FileServer, http_ranges: HttpRanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//me:hush@"))
    monkeypatch.setenv("no_proxy", "localhost")
    assert http_ranges.read("http://files.example/a", "a", 7, 10) == CONTENT[7:17]
    assert server.requests == [("http://files.example/a", "bytes=7-16")]
    assert http_ranges.read("http://files.example/a", "a", 8, 10) == CONTENT[8:18]
    assert server.connections == 1


def test_a_redirect_is_followed(server: FileServer, http_ranges: HttpRanges) -> None:
    (server.root / "b").write_bytes(CONTENT[::-1])
    server.fault = lambda get: (
        Fault(status=302, headers=(("Location", "/b"),)) if get.path == "/a" else None
    )
    assert http_ranges.read(server.url + "/a", "a", 7, 10) == CONTENT[::-1][7:17]
    server.fault = lambda get: Fault(status=302, headers=(("Location", "/a"),))
    with pytest.raises(RemoteReadError, match="redirected"):
        http_ranges.read(server.url + "/a", "a", 7, 10)
    server.requests.clear()
    server.fault = lambda get: Fault(status=302, headers=(("Location", "ftp://host/a"),))
    with pytest.raises(RemoteReadError, match="redirected"):
        http_ranges.read(server.url + "/a", "a", 7, 10)
    assert len(server.requests) == 1


@pytest.mark.parametrize("is_noticed", [True, False])
def test_an_idle_connection_that_was_closed_costs_no_try(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, is_noticed: bool
) -> None:
    if not is_noticed:  # the server closes it just when the next request is sent
        monkeypatch.setattr("urllib3.connectionpool.is_connection_dropped", lambda _: False)
    reader = HttpRanges(RetryPolicy(attempts=1, timeout_s=1))
    server.fault = faults(Fault(drop_after=10))  # type: ignore[assignment]
    assert reader.read(server.url + "/a", "a", 0, 10) == CONTENT[:10]
    assert reader.read(server.url + "/a", "a", 10, 10) == CONTENT[10:20]
    assert (len(server.requests), server.connections) == (2, 2)
    reader.close()


def test_the_wait_that_a_server_asks_for(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("udfs.files.retry.time.sleep", waited.append)
    later = formatdate(usegmt=True, timeval=time.time() + 30)
    server.fault = faults(  # type: ignore[assignment]
        Fault(status=429, headers=(("Retry-After", "7"),)),
        Fault(status=503, headers=(("Retry-After", later),)),
        Fault(status=503, headers=(("Retry-After", "soon"),)),
        Fault(status=503, headers=(("Retry-After", "9999"),)),
    )
    reader = HttpRanges(RetryPolicy(attempts=9, first_delay_s=0.1, max_delay_s=60))
    assert reader.read(server.url + "/a", "a", 0, 10) == CONTENT[:10]
    assert waited[0] == 7.0
    assert 27 <= waited[1] <= 30
    assert 0.2 <= waited[2] <= 0.4
    assert waited[3] == 60.0
    reader.close()


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


class _Moody:
    """A pyarrow file that answers as the test says."""

    def __init__(self, answers: list[bytes | OSError]) -> None:
        self.answers = answers
        self.closed = 0

    def size(self) -> int:
        return 4

    def read_at(self, length: int, offset: int) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1


def test_a_store_is_tried_again_when_its_own_client_has_given_up() -> None:
    file = _Moody([OSError("curlCode: 56"), b"here", *[OSError("no")] * 9])
    reads = StoreReads(lambda: file, "s3://bucket/a", FAST)
    assert reads.read(0, 4) == b"here"
    with pytest.raises(RemoteReadError, match="given up after 2 tries at byte 0 of s3://bucket/a"):
        reads.read(0, 4)
    assert (len(file.answers), file.closed) == (7, 3)


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
