"""Rows of JSONL and Parquet files as candidate documents."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from udfs.extract.outcomes import Candidate, Failed, Outcome, Rejected
from udfs.extract.rows import jsonl_outcomes, parquet_outcomes

ROWS = [{"id": f"r{n}", "text": f"第{n}行的文字，写得不长。"} for n in range(50)]
PLAIN = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
LIMIT = 1 << 20


def outcomes(data: bytes, limit: int = LIMIT) -> list[Outcome]:
    return list(jsonl_outcomes(io.BytesIO(data), "text", "id", limit))


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.rstrip(b"\n"),
        PLAIN.replace(b"\n", b"\r\n\r\n"),
        gzip.compress(PLAIN),
        gzip.compress(PLAIN[:700]) + gzip.compress(PLAIN[700:]),
        zstandard.compress(PLAIN),
    ],
    ids=["plain", "no_last_newline", "crlf_and_blank", "gzip", "gzip_members", "zstd"],
)
def test_every_layout_gives_the_same_documents(data: bytes) -> None:
    found = outcomes(data)
    assert [o.doc_id for o in found if isinstance(o, Candidate)] == [r["id"] for r in ROWS]
    assert len(found) == len(ROWS)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_cut_stream_is_one_failure_after_what_was_read(pack: object) -> None:
    noise = "".join(
        json.dumps({"id": f"r{n}", "text": str(hash((n, n * n)))}) + "\n" for n in range(9000)
    )
    data = pack(noise.encode())  # type: ignore[operator]
    found = outcomes(data[: len(data) * 2 // 3])
    assert [type(o) for o in found[:-1]] == [Candidate] * (len(found) - 1)
    assert len(found) > 1
    assert isinstance(found[-1], Failed)


def test_a_line_over_the_limit_is_counted_and_the_next_one_read() -> None:
    data = PLAIN + b'{"text": "' + b"x" * 5000 + b'"}\n' + PLAIN
    found = outcomes(data, limit=3000)
    assert [o.reason for o in found if isinstance(o, Failed)] == ["record_too_large"]
    assert sum(isinstance(o, Candidate) for o in found) == 2 * len(ROWS)


def test_a_row_without_id_has_one_from_its_content() -> None:
    line = json.dumps({"text": "同样的文字", "url": "http://example.cn/a"}).encode() + b"\n"
    other = json.dumps({"text": "同样的文字", "url": "http://example.cn/b"}).encode() + b"\n"
    first, second, third = outcomes(line + line + other)
    assert isinstance(first, Candidate)
    assert isinstance(second, Candidate)
    assert isinstance(third, Candidate)
    assert first.doc_id == second.doc_id != third.doc_id


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ('{"text": ""}', Rejected("empty_text")),
        ('{"id": "x"}', Failed(0, "no_text", "column text is NoneType")),
        ('{"text": ["a"]}', Failed(0, "no_text", "column text is list")),
        ('"text"', Failed(0, "bad_json", "a str, not an object")),
    ],
)
def test_rows_that_are_no_document(line: str, outcome: Outcome) -> None:
    assert outcomes(line.encode()) == [outcome]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n \n", gzip.compress(b"", mtime=0), zstandard.compress(b"\n")],
    ids=["no_byte", "blank", "gzip", "zstd"],
)
def test_a_file_without_a_row_is_one_failure(data: bytes, tmp_path: Path) -> None:
    assert outcomes(data) == [Failed(None, "empty_file", "no line")]
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), path)
    with path.open("rb") as file:
        assert list(parquet_outcomes(file, "text", "id")) == [Failed(None, "empty_file", "no row")]


def test_a_text_is_not_touched() -> None:
    text = " 首行 \r\n\n\n\u200b\t第二行\x00\ufeff \n"
    (found,) = outcomes(json.dumps({"text": text}).encode())
    assert isinstance(found, Candidate)
    assert found.text == text


def test_json_that_is_nested_too_deep_is_a_failure() -> None:
    (found,) = outcomes(b'{"text": ' + b"[" * 200_000)
    assert isinstance(found, Failed)
    assert found.reason == "bad_json"


def test_parquet_rows_and_their_failures(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": [7, None], "text": ["甲的文字", None]}), path)
    with path.open("rb") as file:
        first, second = parquet_outcomes(file, "text", "id")
    assert isinstance(first, Candidate)
    assert first.doc_id == "7"
    assert isinstance(second, Failed)
    assert second.reason == "no_text"


def test_a_parquet_file_without_the_column_or_cut_is_one_failure(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"body": ["甲"]}), path)
    with path.open("rb") as file:
        (found,) = parquet_outcomes(file, "text", "id")
    assert isinstance(found, Failed)
    assert found.reason == "no_text_column"
    data = path.read_bytes()[:-20]
    (found,) = parquet_outcomes(io.BytesIO(data), "text", "id")
    assert isinstance(found, Failed)
    assert found.reason == "corrupt_parquet"
