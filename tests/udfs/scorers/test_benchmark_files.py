"""Files of benchmarks: what is read of every format, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.builders.file_server import S3_ACCOUNT
from tests.builders.s3_server import serving_s3
from udfs.base.settings import ConfigError
from udfs.files import store_clients
from udfs.models.benchmark_index import load_index
from udfs.scorers.benchmark_files import cached_index, questions_of, read_files
from udfs.scorers.contamination import ContaminationSettings

STEMS = ("下列关于光合作用的说法，正确的是哪一项", "企业提供的下列劳务中，属于增值税视同销售的是")
ROWS: list[dict[str, Any]] = [
    {"id": "q-1", "question": STEMS[0], "A": "甲", "options": ["乙", {"C": "丙"}], "answer": "A"},
    {"id": "q-2", "question": STEMS[1], "A": "丁", "options": None, "answer": "B", "score": 3.5},
]
TEXTS = [(STEMS[0], "甲", "乙", "丙", "A"), (STEMS[1], "丁", "B")]
LINES = "\n".join(json.dumps(row) for row in ROWS)


def settings(*benchmarks: str, **others: Any) -> ContaminationSettings:
    return ContaminationSettings(benchmarks=benchmarks, **others)


def read(folder: Path, *benchmarks: str, **others: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """Benchmark, name and texts of each question."""
    asked = settings(*benchmarks, **others)
    files = read_files(asked.benchmarks, folder / "run.toml")
    found = questions_of(files, asked)
    return [(files[question.benchmark].name, question.name, question.texts) for question in found]


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"question": stem, "label": 1} for stem in STEMS]), path)


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.jsonl": lambda path: path.write_text(LINES + "\n\n"),
    "a.jsonl.gz": lambda path: path.write_bytes(gzip.compress(LINES.encode())),
    "a.ndjson.zst": lambda path: path.write_bytes(zstandard.compress(LINES.encode())),
    "a.json": lambda path: path.write_text(json.dumps(ROWS)),
    "b.json": lambda path: path.write_text(json.dumps({"keywords": "2022", "example": ROWS})),
    "c.json": lambda path: path.write_text(LINES),
}


@pytest.mark.parametrize("name", WRITERS)
def test_all_text_of_a_row_is_one_question(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    # Text, but of no column that a benchmark has: a name.
    expected = [(name, row["id"], (row["id"], *own)) for row, own in zip(ROWS, TEXTS, strict=True)]
    assert read(tmp_path, name) == expected
    assert read(tmp_path, name, columns=("question",)) == [
        (name, row["id"], (row["question"],)) for row in ROWS
    ]


def test_tables_and_text_files(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text(
        f'question,A\n"{STEMS[0]}\n二",甲\n{STEMS[1]},乙,丙\n', "utf-8-sig"
    )
    (tmp_path / "a.tsv").write_text(f"question\tA\n{STEMS[0]}\t\n")
    (tmp_path / "a.txt").write_text(f"{STEMS[0]}\n\n{STEMS[1]}\n")
    assert read(tmp_path, "a.parquet") == [
        ("a.parquet", str(n), (s,)) for n, s in enumerate(STEMS, 1)
    ]
    assert read(tmp_path, "a.csv") == [
        ("a.csv", "1", (f"{STEMS[0]}\n二", "甲")),
        ("a.csv", "2", (STEMS[1], "乙", "丙")),
    ]
    assert read(tmp_path, "a.tsv") == [("a.tsv", "1", (STEMS[0],))]
    assert read(tmp_path, "a.txt") == [("a.txt", "1", (STEMS[0],)), ("a.txt", "3", (STEMS[1],))]
    whole = read(tmp_path, "a.txt", text_files="whole")
    assert whole == [("a.txt", "1", (f"{STEMS[0]}\n\n{STEMS[1]}\n",))]


def test_folders_and_patterns_name_files_by_their_paths(tmp_path: Path) -> None:
    for name in (
        "ceval/val/law.jsonl",
        "ceval/test/law.jsonl",
        "ceval/README.md",
        "other/law.jsonl",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(LINES)

    def names(*benchmarks: str) -> list[str]:
        return [file.name for file in read_files(benchmarks, tmp_path / "run.toml")]

    folder = ["ceval/test/law.jsonl", "ceval/val/law.jsonl"]
    assert names("ceval") == names("ceval/") == names(str(tmp_path / "ceval")) == folder
    assert names("ceval/*/law.jsonl") == ["test/law.jsonl", "val/law.jsonl"]
    assert names("ceval", "ceval/val/law.jsonl") == folder
    alike = [str(tmp_path / name) for name in ("ceval/val/law.jsonl", "other/law.jsonl")]
    assert names("ceval/val/law.jsonl", "other/law.jsonl") == alike


@pytest.mark.parametrize(
    ("name", "content", "others", "said"),
    [
        ("absent.jsonl", None, {}, "no such file or folder: absent.jsonl"),
        (
            "ceval.zip",
            b"PK\x03\x04",
            {},
            "ceval.zip: expected a file of .jsonl, .ndjson, .json, .csv",
        ),
        ("a.jsonl", b"", {}, "a.jsonl: is empty"),
        ("a.jsonl", b"\n \n", {}, "a.jsonl: is empty"),
        ("a.jsonl", b'{"question": "x"}\n{"question', {}, "a.jsonl: line 2 is no JSON"),
        ("a.jsonl", b"[1, 2]", {}, "a.jsonl: line 1: expected a JSON object, not [1, 2]"),
        ("a.jsonl", b'{"answer": 3}', {}, "a.jsonl: has no rows with text"),
        ("a.jsonl", "问题".encode("gbk"), {}, "a.jsonl: is not UTF-8"),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)[:-9], {}, "cannot be decompressed"),
        ("a.jsonl.zst", zstandard.compress(LINES.encode())[:20], {}, "a.jsonl.zst: "),
        ("a.json", b"3", {}, "a.json: expected a JSON array of objects"),
        ("a.json", b'{"question"', {}, "a.json: line 1 is no JSON"),
        ("a.parquet", b"PAR1 no", {}, "a.parquet: is no Parquet file"),
        ("a.csv", b'a,b\n"x', {}, "a.csv: is no table"),
        ("a.txt", b"\xff\xfe", {}, "a.txt: is not UTF-8"),
        (
            "a.jsonl",
            LINES.encode(),
            {"columns": ("stem",)},
            "has no stem; its columns: id, question",
        ),
        ("a.txt", "什么是法".encode(), {}, "none of 1 questions has 13 letters or digits"),
        ("a.txt", "什么是法".encode(), {"min_chars": 5}, "none of 1 questions has 5 letters"),
    ],
)
def test_what_cannot_be_used_is_an_error_of_the_request(
    tmp_path: Path, name: str, content: bytes | None, others: dict[str, Any], said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as error:
        cached_index(settings(name, **others), tmp_path / "run.toml", tmp_path / "cache")
    assert said in str(error.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "ceval").mkdir()
    (tmp_path / "ceval" / "README.md").write_text("C-Eval")
    with pytest.raises(ConfigError, match=r"ceval: holds no file of \.jsonl"):
        read_files(["ceval"], tmp_path / "run.toml")


def test_an_index_is_made_once_and_again_where_anything_changes(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(LINES)
    (tmp_path / "b.jsonl").write_text(LINES)

    def path(*benchmarks: str, **others: Any) -> Path:
        asked = settings(*benchmarks, **others)
        return cached_index(asked, tmp_path / "run.toml", tmp_path / "cache")

    first = path("a.jsonl")
    made = first.stat().st_mtime_ns
    assert path("a.jsonl", min_share=0.9) == first and first.stat().st_mtime_ns == made
    index = load_index(first)
    assert [index.question(n) for n in range(len(index.totals))] == [
        ("a.jsonl", "q-1"),
        ("a.jsonl", "q-2"),
    ]
    others = [path("b.jsonl"), path("a.jsonl", ngram=9), path("a.jsonl", min_chars=5)]
    others += [path("a.jsonl", "b.jsonl"), path("a.jsonl", columns=("question",))]
    (tmp_path / "a.jsonl").write_text(LINES.replace("q-1", "q-3"))
    others.append(path("a.jsonl"))
    assert len({first, *others}) == 7


def test_files_in_a_store_make_the_index_that_local_ones_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = tmp_path / "store" / "bucket"
    (bucket / "exams" / "law").mkdir(parents=True)
    (bucket / "exams" / "a.jsonl.gz").write_bytes(gzip.compress(LINES.encode()))
    write_parquet(bucket / "exams" / "law" / "test.parquet")
    (bucket / "exams" / "README.md").write_text("of another format")
    with serving_s3(tmp_path / "store") as server:
        for name, value in {**S3_ACCOUNT, "AWS_ENDPOINT_URL_S3": server.url}.items():
            monkeypatch.setenv(name, value)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        store_clients.s3_client.cache_clear()
        store_clients.check_bucket.cache_clear()
        asked = settings("s3://bucket/exams/")
        assert [file.name for file in read_files(asked.benchmarks, None)] == [
            *("exams/a.jsonl.gz", "exams/law/test.parquet")
        ]
        stored = cached_index(asked, None, tmp_path / "cache")
        local = cached_index(settings(f"{bucket}/exams/"), None, tmp_path / "cache")
        assert stored == local  # the digests of the files name it, not their places
        assert load_index(stored).totals.size == len(ROWS) + len(STEMS)
        with pytest.raises(ConfigError, match=r"s3://bucket/exams/none\.jsonl"):
            read_files(["s3://bucket/exams/none.jsonl"], None)
        (bucket / "exams" / "a.jsonl.gz").write_bytes(gzip.compress(LINES[:-1].encode() + b" }"))
        assert cached_index(asked, None, tmp_path / "cache") != stored
    store_clients.s3_client.cache_clear()
    store_clients.check_bucket.cache_clear()
