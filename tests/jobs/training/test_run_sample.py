"""A sample of the texts of a run, read from its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.run.store import WHOLE, Commit, Store
from jobs.training.common.run_sample import RunSampleError, sample_run_texts


def write_table(output: Path, table: str, rows: list[dict[str, Any]], wave: int = WHOLE) -> None:
    folder = output / table if wave == WHOLE else output / table / f"wave={wave:05d}"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part-0.parquet")


def commit(output: Path, stage: str, wave: int = WHOLE) -> None:
    Store.at(str(output)).commit(Commit(stage, wave, "f", 1.0, 1))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output of two waves that are complete, and one that is not."""
    for wave in range(3):
        rows = [
            {
                "doc_id": f"d{wave}{number}",
                "url": f"http://s{number}.cn/" if number else None,
                "host": f"s{number}.cn" if number else None,
                "text": f"第{wave}{number}篇",
            }
            for number in range(4)
        ]
        write_table(tmp_path, "documents", rows, wave)
        if wave < 2:
            commit(tmp_path, "extract_documents", wave)
    return tmp_path


def test_a_run_gives_the_documents_that_are_left_as_the_rules_edited_them(output: Path) -> None:
    assert [t.doc_id for t in sample_run_texts(str(output), 99)] == [
        f"d{wave}{number}" for wave in range(2) for number in range(4)
    ]
    flagged = [{"doc_id": f"d0{n}", "reject_reasons": ["length"] * (n == 1)} for n in range(4)]
    write_table(output, "flagged", flagged, 0)
    write_table(output, "edits", [{"doc_id": "d02", "text": "改过"}], 0)
    commit(output, "apply_rules", 0)
    write_table(output, "duplicates", [{"doc_id": "d13", "kind": "exact"}])
    commit(output, "find_duplicates")
    texts = sample_run_texts(str(output), 99)
    assert [t.doc_id for t in texts] == ["d00", "d02", "d03", "d10", "d11", "d12"]
    first, edited = texts[:2]
    assert (first.site, first.url, first.text) == ("d00", "", "第00篇")
    assert (edited.site, edited.url, edited.text) == ("s2.cn", "http://s2.cn/", "改过")


def test_a_smaller_sample_is_part_of_a_larger_one(output: Path) -> None:
    samples = [{t.doc_id for t in sample_run_texts(str(output), most)} for most in (2, 5, 8)]
    assert [len(sample) for sample in samples] == [2, 5, 8]
    assert samples[0] < samples[1] < samples[2]


def test_an_output_without_documents_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunSampleError, match=f"{tmp_path}: no documents found"):
        sample_run_texts(str(tmp_path), 9)
