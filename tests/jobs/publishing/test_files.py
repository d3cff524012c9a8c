"""Files of a release have the same bytes for any batches, and say what they are."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from jobs.publishing.files import FILE, FileFormat, Layout, file_writer, write_empty
from jobs.publishing.lines import HEAD, TAIL

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("doc_id", pa.string()),
        ("labels", pa.list_(pa.string())),
        ("nothing", pa.string()),
    ]
)
TEXTS = [f"第{n}行" * (n % 5) for n in range(100)]
LAYOUT = Layout("train", (("", 3),))


def batches(rows: int) -> Iterator[pa.RecordBatch]:
    """The texts, forty in the first file, none in the second, in batches of so many rows."""
    table = pa.table(
        {
            "text": TEXTS,
            "doc_id": [str(n) for n in range(100)],
            "labels": [["a", "b"][: n % 3] for n in range(100)],
            "nothing": pa.nulls(100, pa.string()),
            FILE: pa.array([0] * 40 + [2] * 60, pa.int32()),
            HEAD: ['{"text":'] * 100,
            TAIL: ["}\n"] * 100,
            "kind": [None if n % 2 else "even" for n in range(100)],
        }
    )
    yield from table.to_batches(max_chunksize=rows)


def written(root: Path, name: str, rows: int) -> dict[str, dict[str, object]]:
    of = FileFormat(name, SCHEMA, 200, ("kind",))
    columns = [FILE, "kind", *of.columns]
    given = (batch.select(columns) for batch in batches(rows))
    found = [
        row for batch in file_writer(str(root), of, LAYOUT)(given) for row in batch.to_pylist()
    ]
    return {row["path"]: row for row in found}


@pytest.mark.parametrize("name", ["parquet", "jsonl.gz", "jsonl.zst"])
def test_batches_change_no_byte(tmp_path: Path, name: str) -> None:
    found = [written(tmp_path / str(rows), name, rows) for rows in (1, 7, 1000)]
    assert found[0] == found[1] == found[2]
    folder = "data" if name == "parquet" else "jsonl"
    paths = [f"{folder}/train-0000{n}-of-00003.{name}" for n in (0, 2)]
    assert list(found[0]) == paths
    assert [found[0][path]["rows"] for path in paths] == [40, 60]
    for path in paths:
        data = (tmp_path / "1" / path).read_bytes()
        assert found[0][path]["bytes"] == len(data)
        assert found[0][path]["sha256"] == hashlib.sha256(data).hexdigest()
        texts = TEXTS[:40] if "00000" in path else TEXTS[40:]
        assert {(*one["labels"], one["chars"]) for one in found[0][path]["chars"]} == {
            ("even", sum(map(len, texts[::2]))),
            (None, sum(map(len, texts[1::2]))),
        }
    names = {path.name for path in (tmp_path / "1" / folder).iterdir()}
    assert names == {path.rpartition("/")[2] for path in paths}


def test_batches_change_no_page(tmp_path: Path) -> None:
    """A row group of several pages: these ended where batches did."""
    texts = [f"第{n}行" * 400 for n in range(3000)]
    table = pa.table({FILE: pa.array([0] * 3000, pa.int32()), "text": texts})
    of = FileFormat("parquet", pa.schema([("text", pa.string())]), 2**24)
    found = []
    for rows in (300, 1000, 3000):
        root = tmp_path / str(rows)
        given = table.to_batches(max_chunksize=rows)
        found += [
            row for batch in file_writer(str(root), of, LAYOUT)(given) for row in batch.to_pylist()
        ]
    assert found[0] == found[1] == found[2]


def test_row_groups_end_with_the_text_that_fills_them(tmp_path: Path) -> None:
    written(tmp_path, "parquet", 7)
    path = tmp_path / "data" / "train-00002-of-00003.parquet"
    file = pq.ParquetFile(path)
    assert file.read().column("text").to_pylist() == TEXTS[40:]
    assert file.schema_arrow.equals(SCHEMA)
    sizes = []
    for group in range(file.num_row_groups):
        texts = file.read_row_group(group, ["text"]).column("text").to_pylist()
        sizes.append([len(text.encode()) for text in texts])
    assert len(sizes) > 2
    for group in sizes[:-1]:
        assert sum(group) >= 200 > sum(group[:-1])
    column = file.metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert not column.has_dictionary_page


def test_lists_fill_row_groups_too(tmp_path: Path) -> None:
    """Of a slice as of a whole batch, with nulls in a list and null lists."""
    schema = pa.schema([("texts", pa.list_(pa.string())), ("more", pa.string())])
    rows = [{"texts": ["ab", None, "一"], "more": "xyz"}, {"texts": None, "more": None}] * 50
    batch = pa.RecordBatch.from_pylist(rows, schema=schema)
    batch = batch.append_column(FILE, pa.array([0] * 100, pa.int32()))
    of = FileFormat("parquet", schema, 16, to="lists", sized=("texts", "more"))
    layout = Layout("train", (("", 1),))
    (row,) = [
        row
        for out in file_writer(str(tmp_path), of, layout)(iter([batch.slice(1, 98)]))
        for row in out.to_pylist()
    ]
    assert row["path"] == "lists/train-00000-of-00001.parquet"
    file = pq.ParquetFile(tmp_path / row["path"])
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    # 8 bytes in every other row, the first without any
    assert groups == [4] * 24 + [2]
    assert file.read().to_pylist() == rows[1:99]


@pytest.mark.parametrize("name", ["jsonl.gz", "jsonl.zst"])
def test_lines_are_whole(tmp_path: Path, name: str) -> None:
    written(tmp_path, name, 7)
    data = (tmp_path / "jsonl" / f"train-00000-of-00003.{name}").read_bytes()
    if name == "jsonl.gz":
        text = gzip.decompress(data)
        assert data[4:8] == bytes(4)  # no time
    else:
        text = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    assert [json.loads(line)["text"] for line in text.splitlines()] == TEXTS[:40]


@pytest.mark.parametrize("name", ["parquet", "jsonl.gz", "jsonl.zst"])
def test_a_file_without_rows_has_its_columns(tmp_path: Path, name: str) -> None:
    row = write_empty(str(tmp_path), FileFormat(name, SCHEMA, 200), LAYOUT, 1)
    assert row["rows"] == 0
    path = tmp_path / row["path"]
    assert path.name == f"train-00001-of-00003.{name}"
    if name == "parquet":
        assert pq.read_table(path).schema.equals(SCHEMA)
    elif name == "jsonl.gz":
        assert gzip.decompress(path.read_bytes()) == b""


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from (batch.select([FILE, *SCHEMA.names]) for batch in batches(30))
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        list(file_writer(str(tmp_path), FileFormat("parquet", SCHEMA, 200), LAYOUT)(broken()))
    names = [path.name for path in (tmp_path / "data").iterdir()]
    assert "train-00002-of-00003.parquet" not in names


def test_rows_without_a_text_are_written(tmp_path: Path) -> None:
    of = FileFormat("parquet", pa.schema([("doc_id", pa.string())]), 10_000)
    given = (batch.select([FILE, "doc_id"]) for batch in batches(9))
    rows = [
        row for batch in file_writer(str(tmp_path), of, LAYOUT)(given) for row in batch.to_pylist()
    ]
    assert [row["rows"] for row in rows] == [40, 60]
    assert pq.ParquetFile(tmp_path / rows[0]["path"]).num_row_groups == 4
