"""Every input format and place of input, and a corpus that exists being scored again."""

from __future__ import annotations

import functools
import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from warcio.warcwriter import WARCWriter

from jobs import extract_documents, score_documents
from tests.jobs.conftest import LOCAL_CONFIG

CHINESE = "图书馆在周末也开门，孩子们可以在二楼借书，老人常去一楼看报。冬天的暖气开得很足。" * 8
ENGLISH = "The library is open on weekends, and children may borrow books on the second floor. " * 8


def run(job: object, source: object, kind: str, output: Path, *more: str) -> None:
    arguments = ["--config", str(LOCAL_CONFIG), "--input", str(source), "--input-format", kind]
    status = job.main([*arguments, "--output", str(output), *more])  # type: ignore[attr-defined]
    assert status == 0


def documents(spark: SparkSession, output: Path) -> dict[str, str]:
    rows = spark.read.parquet(str(output / "documents")).collect()
    return {row.doc_id: row.text for row in rows}


def wet_file() -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    for number, text in enumerate((CHINESE, ENGLISH)):
        writer.write_record(
            writer.create_warc_record(
                f"http://example.cn/{number}",
                "conversion",
                payload=io.BytesIO(text.encode()),
                warc_content_type="text/plain",
                warc_headers_dict={"WARC-Date": "2024-05-01T00:00:00Z"},
            )
        )
    return buffer.getvalue()


def test_wet_records_are_documents(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "a.warc.wet.gz"
    path.write_bytes(wet_file())
    run(extract_documents, path, "wet", tmp_path / "out")
    (row,) = spark.read.parquet(str(tmp_path / "out" / "documents")).collect()
    assert row.text == CHINESE
    assert row.url == "http://example.cn/0"
    assert row.host == "example.cn"
    assert row.language == "zh"
    assert row.capture_time.isoformat() == "2024-05-01T00:00:00"


def test_an_empty_list_of_languages_keeps_every_language(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = tmp_path / "a.warc.wet.gz"
    path.write_bytes(wet_file())
    run(extract_documents, path, "wet", tmp_path / "out", "--set", "extract.languages=[]")
    assert len(documents(spark, tmp_path / "out")) == 2


def test_a_corpus_in_parquet_is_scored_by_one_scorer(spark: SparkSession, tmp_path: Path) -> None:
    source = tmp_path / "in" / "nested"
    source.mkdir(parents=True)
    table = pa.table({"id": ["a", "b"], "text": [CHINESE, f"{CHINESE}再来一句。"], "n": [1, 2]})
    pq.write_table(table, source / "rows.parquet")
    output = tmp_path / "out"
    run(score_documents, tmp_path / "in", "auto", output, "--scorer", "quality")
    scored = {r.doc_id: r.score for r in spark.read.parquet(f"{output}/scores/quality").collect()}
    assert scored.keys() == {"a", "b"}
    assert all(0 < score <= 1 for score in scored.values())
    assert not (output / "scores" / "toxicity").exists()
    assert not (output / "flagged").exists()


def test_globs_are_expanded_by_us(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("x1", "x2", "y1"):
        row = json.dumps({"id": name, "text": CHINESE + name}, ensure_ascii=False)
        (tmp_path / f"{name}.jsonl").write_text(row, encoding="utf-8")
    run(extract_documents, tmp_path / "x*.jsonl", "jsonl", tmp_path / "out")
    assert documents(spark, tmp_path / "out").keys() == {"x1", "x2"}


def test_files_of_all_formats_are_read_together(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.warc.wet.gz").write_bytes(wet_file())
    row = json.dumps({"id": "b", "text": CHINESE + "乙"}, ensure_ascii=False)
    (folder / "b.jsonl").write_text(row, encoding="utf-8")
    (folder / "c.jsonl").write_bytes(b"")
    pq.write_table(pa.table({"id": ["d"], "text": [CHINESE + "丁"]}), folder / "d.parquet")
    (folder / "e.parquet").write_bytes(b"PAR1x")
    pq.write_table(pa.table({"body": [CHINESE]}), folder / "f.parquet")
    (folder / "notes").write_text("not of the corpus", encoding="utf-8")
    output = tmp_path / "out"
    run(extract_documents, folder, "auto", output)
    texts = [CHINESE, CHINESE + "丁", CHINESE + "乙"]
    assert sorted(documents(spark, output).values()) == sorted(texts)
    rows = spark.read.parquet(str(output / "ledger")).collect()
    failed = {Path(row.warc_path).name: dict(row.failed) for row in rows if row.failed}
    assert failed == {
        "c.jsonl": {"empty_file": 1},
        "e.parquet": {"corrupt_parquet": 1},
        "f.parquet": {"no_text_column": 1},
        "notes": {"corrupt_parquet": 1},  # as most of its neighbours
    }


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address that it is served at, on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_public_host_is_read_over_http(
    spark: SparkSession, served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = served
    (folder / "a.warc.wet.gz").write_bytes(wet_file())
    run(extract_documents, f"{address}/a.warc.wet.gz", "wet", tmp_path / "out")
    (row,) = spark.read.parquet(str(tmp_path / "out" / "documents")).collect()
    assert row.text == CHINESE
    assert row.warc_path == f"{address}/a.warc.wet.gz"
