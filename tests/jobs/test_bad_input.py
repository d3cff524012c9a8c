"""Bad input: every piece of it ends as a row or a count, and the job goes on."""

from __future__ import annotations

import functools
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import brotli
import pytest
from pyspark.sql import SparkSession
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from jobs import extract_documents
from tests.jobs.conftest import LOCAL_CONFIG

PROSE = (
    "江边的旧码头改成了步道，傍晚有人在那里散步，也有人坐着看船。管理处在入口立了一块牌子，"
    "写着开放的时间和注意的事项。去年秋天水位高，步道关了半个月，今年又修了栏杆。"
) * 4
HTML = f"<!doctype html><html><head><title>步道</title></head><body><p>{PROSE}</p></body></html>"


def record(
    payload: bytes | str,
    *,
    kind: str = "response",
    status: str = "200 OK",
    headers: Sequence[tuple[str, str]] = (("Content-Type", "text/html; charset=utf-8"),),
    url: str = "http://example.cn/page",
    warc_type: str | None = None,
) -> bytes:
    """One gzip member with one WARC record."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    body = payload.encode() if isinstance(payload, str) else payload
    http = StatusAndHeaders(status, list(headers), "HTTP/1.1") if kind == "response" else None
    made = writer.create_warc_record(
        url, kind, payload=io.BytesIO(body), http_headers=http, warc_content_type=warc_type or ""
    )
    writer.write_record(made)
    return buffer.getvalue()


def rewritten(member: bytes, old: bytes, new: bytes) -> bytes:
    data = gzip.decompress(member)
    assert old in data
    return gzip.compress(data.replace(old, new, 1))


def with_length(member: bytes, change: int) -> bytes:
    """The record with a wrong Content-Length in its WARC header."""
    head = gzip.decompress(member).split(b"\r\n\r\n", 1)[0]
    line = next(part for part in head.split(b"\r\n") if part.lower().startswith(b"content-length"))
    length = int(line.split(b":")[1])
    return rewritten(member, line, b"Content-Length: %d" % (length + change))


GOOD = record(HTML)
CHUNKED = b"".join(
    b"%x\r\n%s\r\n" % (len(part), part) for part in (HTML.encode()[:700], HTML.encode()[700:])
)
HTML_HEADER = ("Content-Type", "text/html; charset=utf-8")
DEEP = "<div>" * 20_000 + PROSE + "</div>" * 20_000
BIG = "<html><body>" + "<p>" + "x" * 50_000_000 + "</p></body></html>"

CASES: dict[str, tuple[bytes, dict[str, int]]] = {
    # name: (file, what its records become: kept, rejected reasons, failed reasons)
    "good": (GOOD, {"kept": 1}),
    "empty_file": (b"", {"empty_file": 1}),
    "no_warc": (b"\x00\x01nothing that is known" * 50, {"unsupported_format": 1}),
    "cut_gzip": (GOOD + GOOD[: len(GOOD) // 2], {"kept": 1}),
    "garbage_between": (GOOD + b"\x00garbage\xff" * 99 + GOOD, {"kept": 2}),
    "length_too_long": (with_length(GOOD, +50) + GOOD, {}),
    "length_too_short": (with_length(GOOD, -50) + GOOD, {}),
    "corrupt_deflate": (
        GOOD[:200] + bytes(b ^ 0xFF for b in GOOD[200:260]) + GOOD[260:] + GOOD,
        {"kept": 1},
    ),
    "not_http": (
        record(
            "20240101000000\nexample.cn. 300 IN A 192.0.2.1", kind="resource", warc_type="text/dns"
        ),
        {"not_html": 1},
    ),
    "http_error": (record(HTML, status="404 Not Found"), {"http_error": 1}),
    "redirect": (record("", status="301 Moved", headers=[("Location", "/b")]), {"redirect": 1}),
    "chunked": (
        record(CHUNKED, headers=[HTML_HEADER, ("Transfer-Encoding", "chunked")]),
        {"kept": 1},
    ),
    "brotli": (
        record(brotli.compress(HTML.encode()), headers=[HTML_HEADER, ("Content-Encoding", "br")]),
        {"kept": 1},
    ),
    "undecodable": (
        record(HTML.encode()[:900] + b"\xff\xfe\xfd" + HTML.encode()[900:]),
        {"kept": 1},
    ),
    "big_page": (record(BIG), {"record_too_large": 1}),
    "deep_page": (record(f"<html><body>{DEEP}</body></html>"), {"html_too_deep": 1}),
    "nul_bytes": (record(HTML.replace("，", "\x00，")), {"kept": 1}),
}


def extract(source: Path | str, output: Path, *more: str) -> int:
    arguments = ["--config", str(LOCAL_CONFIG), "--input", str(source), "--output", str(output)]
    return extract_documents.main([*arguments, *more])


@pytest.fixture(scope="module")
def bad_run(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cases as files of one run, with a file that is not there among them."""
    folder = tmp_path_factory.mktemp("bad")
    names = []
    for name, (data, _) in CASES.items():
        (folder / f"{name}.warc.gz").write_bytes(data)
        names.append(f"{name}.warc.gz")
    paths = folder / "paths.txt"
    paths.write_text("\n".join([*names, "missing.warc.gz", ""]), encoding="utf-8")
    output = folder / "out"
    assert extract(f"@{paths}", output) == 0
    return output


@functools.cache
def outcome_counts(spark: SparkSession, output: Path) -> dict[str, Counter[str]]:
    rows = spark.read.parquet(str(output / "ledger")).collect()
    found = {}
    for row in rows:
        rejected, failed = dict(row.rejected), dict(row.failed)
        assert row.seen == row.kept + sum(rejected.values()) + sum(failed.values())
        counts = Counter({"kept": row.kept, **rejected, **failed})
        found[Path(row.warc_path).name.removesuffix(".warc.gz")] = +counts
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_piece_is_accounted_for(spark: SparkSession, bad_run: Path, name: str) -> None:
    counts = outcome_counts(spark, bad_run)[name]
    for outcome, number in CASES[name][1].items():
        assert counts[outcome] == number, counts
    assert counts.total() >= 1


def test_a_missing_file_among_many_is_a_read_failure(spark: SparkSession, bad_run: Path) -> None:
    rows = spark.read.parquet(str(bad_run / "read_failures")).where("reason = 'missing_file'")
    (row,) = rows.collect()
    assert row.warc_path.endswith("missing.warc.gz")
    assert row.offset is None
    assert outcome_counts(spark, bad_run)["missing"] == Counter(missing_file=1)


def test_failed_counts_and_failure_rows_agree(spark: SparkSession, bad_run: Path) -> None:
    rows = spark.read.parquet(str(bad_run / "read_failures")).collect()
    counted: Counter[str] = Counter()
    for row in spark.read.parquet(str(bad_run / "ledger")).collect():
        counted.update(dict(row.failed))
    assert Counter(row.reason for row in rows) == counted


def test_rows_without_text_bad_json_and_surrogates(spark: SparkSession, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "whole", "text": PROSE}),
        json.dumps({"id": "surrogate", "text": f"\ud800{PROSE}"}),
        json.dumps({"id": "none"}),
        json.dumps({"id": "null", "text": None}),
        json.dumps({"id": "number", "text": 3}),
        json.dumps({"id": "empty", "text": ""}),
        json.dumps({"id": "whole", "text": PROSE + "又一次"}),
        json.dumps({"text": PROSE + "没有编号"}),
        json.dumps({"text": PROSE + "没有编号"}),
        "[1, 2]",
        "{not json",
        "[" * 100_000,
        "",
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    output = tmp_path / "out"
    assert extract(path, output, "--input-format", "jsonl") == 0
    (row,) = spark.read.parquet(str(output / "ledger")).collect()
    assert row.seen == 12
    assert row.kept == 3
    assert dict(row.rejected) == {"empty_text": 1, "repeated_id": 2}
    assert dict(row.failed) == {"no_text": 3, "bad_json": 3}
    documents = {r.doc_id: r for r in spark.read.parquet(str(output / "documents")).collect()}
    assert documents["surrogate"].text.startswith("\ufffd")
    assert documents["whole"].text == PROSE
    assert sorted(len(doc_id) for doc_id in documents) == [5, 9, 32]


def test_a_cut_jsonl_gzip_keeps_what_was_read(spark: SparkSession, tmp_path: Path) -> None:
    dice = random.Random(1)
    lines = "".join(
        json.dumps({"id": str(n), "text": PROSE + str(dice.random())}) + "\n" for n in range(200)
    )
    data = gzip.compress(lines.encode())
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(data[: len(data) // 2])
    output = tmp_path / "out"
    assert extract(path, output, "--input-format", "jsonl") == 0
    (row,) = spark.read.parquet(str(output / "ledger")).collect()
    assert row.failed == [("cut", 1)]
    assert 0 < row.kept < 200


@pytest.mark.usefixtures("spark")
def test_a_run_of_nothing_but_missing_files_fails(tmp_path: Path) -> None:
    paths = tmp_path / "paths.txt"
    paths.write_text("missing.warc.gz\n", encoding="utf-8")
    assert extract(f"@{paths}", tmp_path / "out") == 3
    assert not (tmp_path / "out" / "_commits").exists()
    assert extract(f"@{paths}", tmp_path / "out", "--set", "run.allow_empty=true") == 0
