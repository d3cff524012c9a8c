"""Splits, waves and the records of plans."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.run.splits import (
    Split,
    compare_files,
    drop_unfinished,
    plan_waves,
    planned_waves,
    planning,
    plans,
    work_units,
    write_wave,
)
from jobs.run.store import Store
from udfs.files.uris import InputFile


def test_a_plan_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path))
    split = Split("/a", "/a", "warc", None)
    write_wave(store, 9, [split])
    with pytest.raises(RuntimeError, match="broken"), planning(store, "index", {}, 10):
        write_wave(store, 10, [split])
        store.write_bytes(b"", "ranges", "wave=00010", "split=00000", "a.parquet")
        raise RuntimeError("broken")
    assert set(planned_waves(store)) == {9}
    assert plans(store) == []
    assert store.list_names("ranges") == []
    drop_unfinished(store)
    assert set(planned_waves(store)) == {9}


def test_splits_of_an_earlier_version_are_whole_files(tmp_path: Path) -> None:
    folder = tmp_path / "splits/wave=00000"
    folder.mkdir(parents=True)
    row = {"uri": "/a", "warc_path": "/a", "input_format": "warc", "size_bytes": 3}
    pq.write_table(pa.Table.from_pylist([row]), folder / "splits.parquet")
    (split,) = planned_waves(Store.at(str(tmp_path)))[0]
    assert not split.is_ranged


def test_a_folder_of_ranges_is_one_piece_of_work() -> None:
    splits = [
        Split("/a", "/a", "warc", 1),
        Split("ranges/wave=00000/split=00000", "/a", "warc", 5, "index"),
        Split("ranges/wave=00000/split=00000", "/b", "warc", 5, "index"),
        Split("ranges/wave=00000/split=00001", "/b", "warc", 5, "index"),
    ]
    assert [split.uri for split in work_units(splits)] == [
        "/a",
        "ranges/wave=00000/split=00000",
        "ranges/wave=00000/split=00001",
    ]


def test_new_files_are_planned_once_and_known_ones_found_again() -> None:
    name = "crawl-data/CC-MAIN-2024-22/a.warc.gz"
    planned = {3: (Split(f"s3://commoncrawl/{name}", name, "warc", None),)}
    files = [
        InputFile("/b", 2),
        InputFile("/a", 1),
        InputFile(f"https://data.commoncrawl.org/{name}", 5),
        InputFile("/mirror/crawl-data/x", 7),
        InputFile("s3://commoncrawl/crawl-data/x", 7),
    ]
    found = compare_files(planned, files, "/mirror")
    assert found.known == [(files[2], planned[3][0])]
    assert list(found.new.items()) == [
        ("/a", files[1]),
        ("/b", files[0]),
        ("crawl-data/x", files[3]),
    ]
    waves = plan_waves(planned, found.new, ["jsonl", "warc", "wet"], 2)
    assert {wave: [split.input_format for split in of] for wave, of in waves.items()} == {
        4: ["jsonl", "warc"],
        5: ["wet"],
    }
    assert waves[4][0] == Split("/a", "/a", "jsonl", 1)
