"""robots.txt: documents whose sites forbid an agent, from a WARC of their captures."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import apply_rules
from tests.builders.warc_files import DATE, http_response, member, record
from tests.jobs.test_edits import arguments, prose, reasons

URLS = {
    "forbidden": "http://a.cn/ai/1",
    "allowed": "http://a.cn/news/1",
    "for_others": "http://a.cn/others/1",
    "by_redirect": "http://b.cn/ai/1",
    "no_file": "http://c.cn/ai/1",
    "error": "https://d.cn/x",
    "other_scheme": "https://a.cn/ai/1",
    "not_found": "http://e.cn/ai/1",
    "no_url": None,
}
RULES = b"User-agent: CCBot\nDisallow: /ai\n\nUser-agent: *\nDisallow: /others\n"
PLAIN = ("Content-Type", "text/plain")


def capture(origin: str, block: bytes, date: str = DATE) -> bytes:
    made = record(block, uri=f"{origin}/robots.txt").replace(DATE.encode(), date.encode())
    return member(made)


def robots_file(path: Path) -> Path:
    path.write_bytes(
        b"".join(
            [
                member(record(b"software: x", "warcinfo")),
                capture("http://a.cn", http_response(b"User-agent: *\nDisallow: /", PLAIN)),
                capture("http://a.cn", http_response(RULES, PLAIN), "2024-04-01T08:00:00Z"),
                capture(
                    "http://b.cn",
                    http_response(
                        b"", ("Location", "https://www.b.cn/robots.txt"), status="301 Moved"
                    ),
                ),
                capture("https://www.b.cn", http_response(RULES, PLAIN)),
                capture("https://d.cn", http_response(b"", PLAIN, status="500 Error")),
                capture("http://e.cn", http_response(b"", PLAIN, status="404 Not Found")),
                b"\x00garbage\xff" * 99,
            ]
        )
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    rows = ({"id": one, "url": url, "text": prose(n)} for n, (one, url) in enumerate(URLS.items()))
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (path / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    robots_file(tmp_path / "robots.warc.gz")
    return path


@pytest.mark.slow
def test_documents_that_a_site_forbids_are_rejected_and_another_agent_reads_no_file(
    spark: SparkSession, folder: Path, tmp_path: Path
) -> None:
    output, robots = tmp_path / "out", tmp_path / "robots.warc.gz"
    given = arguments(folder, output, f'rules.robots=["{robots}"]')
    assert apply_rules.main(given) == 0
    forbidden = {"forbidden": ["robots"], "by_redirect": ["robots"], "error": ["robots"]}
    assert reasons(spark, output) == forbidden
    commit = json.loads((output / "_commits" / "read_robots" / "whole.json").read_text())
    assert (commit["rows"], commit["kept"]) == (8, 5)
    assert commit["rejected"] == {"earlier_capture": 1, "not_response": 1}
    assert commit["failed"] == {"garbage": 1}

    # Of the same size, and without any capture: it is not read again.
    first = member(record(b"software: x", "warcinfo"))
    robots.write_bytes(first.ljust(robots.stat().st_size, b"\0"))
    again = [*given, 'rules.robots_agent=["NewsBot"]', "rules.robots_unreachable=allow", "--yes"]
    assert apply_rules.main(again) == 0
    assert reasons(spark, output) == {"for_others": ["robots"]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"User-agent: *\nDisallow: /", "expected a WARC file"),
        ("a.warc.gz", gzip.compress(b"User-agent: *", mtime=0), "expected a WARC file"),
        ("a.warc.gz", b"", "is empty"),
        ("a.warc.gz", None, "no such input"),
    ],
)
def test_a_file_that_is_no_warc_is_refused_before_any_work(
    folder: Path,
    tmp_path: Path,
    name: str,
    content: bytes | None,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    given = arguments(folder, tmp_path / "out", f'rules.robots=["{tmp_path / name}"]')
    assert apply_rules.main(given) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "_commits").exists()


@pytest.mark.parametrize(
    "setting",
    [
        "rules.robots_agent=5",
        "rules.robots_agent=[]",
        'rules.robots_agent=[""]',
        "rules.robots_agent=CCBot",
        "rules.robots_unreachable=maybe",
    ],
)
def test_agents_are_a_list_of_names(
    folder: Path, tmp_path: Path, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply_rules.main(arguments(folder, tmp_path / "out", setting)) == 2
    assert setting.partition("=")[0] in capsys.readouterr().err
