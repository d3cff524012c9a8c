"""Texts at rows of Parquet files: those of a plain read, over row groups and batches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from udfs.files import texts_in_place
from udfs.files.texts_in_place import RowsMoved, TextFile, texts_at_udf

ROWS = 100


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts_in_place, "_BATCH_ROWS", 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of a table, in row groups of 15."""
    for name in "ab":
        table = pa.table(
            {
                "host": ["www.example.cn"] * ROWS,
                "doc_id": [f"{name}{row}" for row in range(ROWS)],
                "text": [None if row == 40 else f"{name} 正文 {row}" for row in range(ROWS)],
            }
        )
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=15)
    return tmp_path


def test_rows_are_those_of_a_plain_read_whatever_is_asked_at_once(folder: Path) -> None:
    whole = pq.read_table(folder / "a.parquet", columns=["doc_id", "text"])
    draw = random.Random(1)
    for share in (1.0, 0.3, 0.02):
        wanted = [row for row in range(ROWS) if draw.random() < share]
        for size in (1, 9, ROWS):
            file = TextFile(str(folder / "a.parquet"))
            found = [file.take(wanted[at : at + size]) for at in range(0, len(wanted), size)]
            file.close()
            assert pa.concat_tables(found).equals(whole.take(wanted))


def test_a_row_that_is_not_there_and_one_behind_are_errors(folder: Path) -> None:
    file = TextFile(str(folder / "a.parquet"))
    with pytest.raises(RowsMoved, match=r"a\.parquet: has no row 100"):
        file.take([3, ROWS])
    file.take([50])
    for earlier in ([49], [60, 59]):
        with pytest.raises(ValueError, match=r"a\.parquet: rows are not in order, from 50 on"):
            file.take(earlier)


def test_texts_of_several_files_are_read_in_one_task(folder: Path) -> None:
    names = ["a.parquet"] * 3 + ["b.parquet"] * 3
    places = [0, 40, 99, 1, 2, 50]
    ids = [f"{name[0]}{row}" for name, row in zip(names, places, strict=True)]

    def batches(ids: list[str]) -> Iterator[tuple[pd.Series, pd.Series, pd.Series]]:
        for begin, end in ((0, 0), (0, 2), (2, 5), (5, 6)):
            given = (pd.Series(of[begin:end]) for of in (names, places, ids))
            yield tuple(given)  # type: ignore[misc]

    read = texts_at_udf(str(folder)).func  # type: ignore[attr-defined]
    texts = [text for found in read(batches(ids)) for text in found]
    assert texts == ["a 正文 0", None, "a 正文 99", "b 正文 1", "b 正文 2", "b 正文 50"]
    with pytest.raises(RowsMoved, match="another document"):
        list(read(batches([*ids[:4], "b3", ids[5]])))
