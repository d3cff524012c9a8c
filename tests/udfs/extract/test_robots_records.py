"""Captures of robots.txt files: every record of a file becomes a row or a count."""

from __future__ import annotations

import gzip
import io
from typing import Any

from tests.builders.warc_files import http_response, member, record
from udfs.extract.robots_records import MAX_ROBOTS_BYTES, read_robots

PLAIN = ("Content-Type", "text/plain")
ROBOTS = "http://a.cn/robots.txt"


def read(*members: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows, and the tally as plain dictionaries."""
    *rows, tally = read_robots(lambda: io.BytesIO(b"".join(members)), "robots.warc.gz")
    counts = {
        outcome: {one["reason"]: one["records"] for one in tally[outcome]}
        for outcome in ("rejected", "failed")
    }
    return rows, {"seen": tally["seen"], **counts}


def capture(block: bytes, uri: str = ROBOTS) -> bytes:
    return member(record(block, uri=uri))


def test_files_redirects_and_errors_become_rows() -> None:
    text = "User-agent: *\nDisallow: /\n"
    rows, tally = read(
        capture(http_response(text.encode("utf-8-sig"), PLAIN)),
        capture(http_response(b"", ("Location", "https://www.a.cn/robots.txt"), status="301 M")),
        capture(http_response(b"", ("Location", "/other/robots.txt"), status="302 Found")),
        capture(http_response(b"", ("Location", "http://[x"), status="302 Found")),
        capture(http_response(b"gone", PLAIN, status="404 Not Found")),
        capture(http_response(b"", PLAIN, status="503 Busy")),
        capture(b"no http at all"),
        capture(http_response(gzip.compress(text.encode()), PLAIN, ("Content-Encoding", "gzip"))),
    )
    assert [(row["status"], row["location"], row["text"]) for row in rows] == [
        (200, None, text),
        (301, "https://www.a.cn/robots.txt", None),
        (302, "http://a.cn/other/robots.txt", None),
        (302, None, None),
        (404, None, None),
        (503, None, None),
        (None, None, None),
        (200, None, text),
    ]
    assert {row["warc_path"] for row in rows} == {"robots.warc.gz"}
    assert rows[0]["capture_time"].isoformat() == "2024-03-01T08:00:00+00:00"
    assert tally == {"seen": 8, "rejected": {}, "failed": {}}


def test_other_records_and_damage_are_counted() -> None:
    rows, tally = read(
        member(record(b"software: x", "warcinfo")),
        capture(http_response(b"x", PLAIN), uri="http://a.cn/a/robots.txt"),
        capture(http_response(b"x", PLAIN), uri="http://[broken/robots.txt"),
        b"\x00garbage\xff" * 99,
        capture(http_response(b"x", PLAIN)),
    )
    assert len(rows) == 1
    assert tally["seen"] == 4 + sum(tally["failed"].values())
    assert tally["rejected"] == {"not_response": 1, "not_robots_txt": 2}
    assert sum(tally["failed"].values()) == 1


def test_a_long_file_is_cut_and_a_huge_one_is_counted() -> None:
    rows, tally = read(
        capture(http_response(b"#" * (2 * MAX_ROBOTS_BYTES), PLAIN)),
        capture(http_response(b"#" * (9 << 20), PLAIN)),
        # A body that inflates past all bounds.
        capture(
            http_response(gzip.compress(b"#" * (64 << 20)), PLAIN, ("Content-Encoding", "gzip"))
        ),
    )
    assert [row["text"] and len(row["text"]) for row in rows] == [MAX_ROBOTS_BYTES, None]
    assert tally == {"seen": 3, "rejected": {}, "failed": {"record_too_large": 1}}


def test_a_file_that_is_gone_is_counted() -> None:
    def gone() -> Any:
        raise FileNotFoundError

    assert list(read_robots(gone, "x")) == [
        {
            "row_kind": "tally",
            "warc_path": "x",
            "seen": 1,
            "rejected": [],
            "failed": [{"reason": "missing_file", "records": 1}],
        }
    ]
