"""Ranges of files over http: one connection, a bad network, what never leaves."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.builders.file_server import Fault, FileServer, Get, serving
from udfs.files.http_ranges import HttpRanges
from udfs.files.retry import RemoteReadError, RetryPolicy
from udfs.files.uris import open_input

CONTENT = random.Random(4).randbytes(200_000)
FAST = RetryPolicy(attempts=4, first_delay_s=0.001, max_delay_s=0.01, timeout_s=2.0)


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
