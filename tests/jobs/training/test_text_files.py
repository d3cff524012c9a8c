"""Texts of a user's own files, in every format that a run reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.training.common.task import TrainingError
from jobs.training.common.text_files import find_text_files, read_texts
from tests.sample.build_sample import build
from udfs.files.artifacts import sha256_of

PROSE = "清晨的公园里，老人们在湖边慢慢地散步。"


def texts(count: int, first: int = 0) -> list[str]:
    return [f"{PROSE}第{number}篇。" for number in range(first, first + count)]


def jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


def test_texts_are_read_from_files_of_several_formats(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": text, "url": f"http://S{n % 2}.cn/{n}"} for n, text in enumerate(texts(4))
    ]
    others: list[dict[str, object]] = [{"text": "only English here"}, {"text": ""}, {"id": "none"}]
    jsonl(tmp_path / "encyclopedia.jsonl.gz", rows + others)
    pq.write_table(pa.table({"text": texts(3, 4)}), tmp_path / "news.parquet")
    build(tmp_path / "crawl.warc.gz")
    files = find_text_files("--positives", [str(tmp_path)])
    read = read_texts("--positives", files, "positives", 1_000)
    prose = {text.text: text for text in read.texts if text.text.startswith(PROSE)}
    assert sorted(prose) == sorted(texts(7))
    assert [prose[text].site for text in texts(7)] == ["s0.cn", "s1.cn"] * 2 + ["news.parquet"] * 3
    assert [prose[text].has_url for text in texts(7)] == [True] * 4 + [False] * 3
    pages = {text.site for text in read.texts} - {"s0.cn", "s1.cn", "news.parquet"}
    assert "news.example.cn" in pages
    rows_of = {row["file"]: row["rows"] for row in read.files}
    assert (rows_of["encyclopedia.jsonl.gz"], rows_of["news.parquet"]) == (4, 3)
    assert rows_of["crawl.warc.gz"] > 20
    (described,) = (row for row in read.files if row["file"] == "news.parquet")
    assert described["sha256"] == sha256_of(tmp_path / "news.parquet")


def test_a_sample_depends_on_no_order_and_has_each_text_once(tmp_path: Path) -> None:
    first = jsonl(tmp_path / "a.jsonl.gz", [{"text": text} for text in texts(30)])
    second = jsonl(tmp_path / "b.jsonl.gz", [{"text": text} for text in texts(30, 20)])
    found = [find_text_files("--positives", [str(path)]) for path in (first, second)]
    samples = [
        [t.text for t in read_texts("--positives", its, "positives", 12).texts]
        for its in (found[0] + found[1], found[1] + found[0])
    ]
    assert samples[0] == samples[1]
    assert len(set(samples[0])) == 12
    everything = read_texts("--positives", found[0] + found[1], "positives", 100)
    assert sorted(t.text for t in everything.texts) == sorted(texts(50))
    assert [t.text for t in everything.texts[:12]] == samples[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.jsonl", None, "--positives: no such input: "),
        ("archive", b"PK\x03\x04 and more", "is a zip archive: unpack it first"),
        (
            "english.jsonl",
            b'{"text": "English"}\n',
            "none of its 1 records has a text of which 30%",
        ),
        ("column.jsonl", b'{"body": "x"}\n', "column text is NoneType"),
        ("empty.jsonl", b"", "no line"),
    ],
)
def test_a_file_that_cannot_be_learnt_is_named(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError) as error:
        read_texts("--positives", find_text_files("--positives", [str(path)]), "positives", 9)
    assert message in str(error.value)
    assert str(path) in str(error.value)
