"""Files of clean text, and lines that cannot be read."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from udfs.files import clean_texts
from udfs.files.clean_texts import CleanLine, UnreadableText, read_lines

LINES = b'{"text": "one", "source": "a"}\n\n{"text": "two"}\n'


@pytest.mark.parametrize(
    "ending, compress",
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".zst", zstandard.compress),
    ],
)
def test_lines_of_every_kind_of_file(
    ending: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"texts.jsonl{ending}"
    path.write_bytes(compress(LINES))
    assert list(read_lines(str(path))) == [CleanLine("a", "one"), CleanLine(path.name, "two")]


def test_plain_text_has_a_document_a_line(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("one\n \n{two}\n", encoding="utf-8")
    assert [line.text for line in read_lines(str(path))] == ["one", "{two}"]


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"7", b'{"text": 7}', b'{"text": "\\ud800"}', b"\xff\xfe", b'{"text": null}'],
)
def test_a_line_that_cannot_be_read_has_no_text(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(line + b'\n{"text": "next"}\n')
    assert [one.text for one in read_lines(str(path))] == [None, "next"]


def test_a_line_that_is_too_long_has_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_texts, "MAX_LINE_BYTES", 8)
    path = tmp_path / "texts.txt"
    path.write_text(f"{'x' * 30}\nnext\n", encoding="utf-8")
    assert [one.text for one in read_lines(str(path))] == [None, "next"]


def test_a_file_that_ends_too_soon_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(LINES * 100)[:-20])
    with pytest.raises(UnreadableText, match=r"cut\.jsonl\.gz: cannot be decompressed"):
        list(read_lines(str(path)))


def test_lines_of_one_source_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    rows = [("a", "1"), ("a", "2"), ("a", "3"), ("b", "4")]
    path.write_text(
        "".join(json.dumps({"text": text, "source": source}) + "\n" for source, text in rows)
    )
    asked = pa.RecordBatch.from_pylist([{"language": "x", "uri": str(path), "lines": 2}])
    read = [row for batch in clean_texts.clean_texts([asked]) for row in batch.to_pylist()]
    assert [(row["source"], row["text"]) for row in read] == [
        ("a", "1\n2"),
        ("a", "3"),
        ("b", "4"),
    ]
