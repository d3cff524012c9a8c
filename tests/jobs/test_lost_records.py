"""A record that is lost from a table after it was written fails the run, whoever counts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import (
    apply_rules,
    extract_documents,
    find_duplicates,
    score_documents,
    select_corpus,
)
from jobs.config import Config
from jobs.pipeline import extraction_wave
from jobs.run import current_documents
from jobs.run.store import WHOLE, Store
from jobs.selection import export
from tests.jobs.conftest import LOCAL_CONFIG, Output
from udfs.files.output_files import jsonl_writer

CASES: dict[str, tuple[Any, str, tuple[str, ...], str]] = {
    "documents": (extract_documents, "extract_documents", ("extract_documents",), "balance"),
    "read_failures": (extract_documents, "extract_documents", ("extract_documents",), "rows"),
    "measures": (
        *(apply_rules, "measure_documents", ("measure_documents", "apply_rules")),
        "balance",
    ),
    "edits": (apply_rules, "apply_rules", ("measure_documents", "apply_rules"), "rows"),
    "flagged": (apply_rules, "apply_rules", ("apply_rules",), "balance"),
    "duplicates": (find_duplicates, "find_duplicates", ("find_duplicates",), "rows"),
    "corpus": (select_corpus, "select_corpus", ("select_corpus",), "balance"),
    "rejected": (select_corpus, "select_corpus", ("select_corpus",), "rows"),
} | {
    f"scores/{name}": (score_documents, f"score_{name}", (f"score_{name}",), "balance")
    for name in Config().score.scorers
}
"""Table -> the command that writes it, the stage that must fail, the stages whose commits are taken
back before, and whether the ledger misses the record or the table's own count."""


def remove_a_row(folder: Path) -> None:
    """Take the last row of the first file that has one."""
    for part in sorted(folder.rglob("*.parquet")):
        table = pq.read_table(part)
        if table.num_rows:
            (part.parent / f".{part.name}.crc").unlink(missing_ok=True)
            pq.write_table(
                table.slice(0, table.num_rows - 1), part, use_deprecated_int96_timestamps=True
            )
            return
    pytest.fail(f"{folder} has no row to lose")


def losing(table: str) -> Callable[..., None]:
    """`Store.write`, after which one row of a table is gone."""
    write = Store.write

    def write_and_lose(self: Store, frame: Any, name: str, wave: int = WHOLE) -> None:
        write(self, frame, name, wave)
        if name == table:
            remove_a_row(Path(self.root, name))

    return write_and_lose


@pytest.mark.parametrize("counting", ["driver", pytest.param("spark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("table", CASES)
def test_a_lost_record_fails_its_stage(
    sample_output: Output,
    sample_warc: Path,
    tmp_path: Path,
    table: str,
    counting: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job, stage, again, missed_by = CASES[table]
    output = tmp_path / "out"
    shutil.copytree(sample_output.path, output, ignore=shutil.ignore_patterns("logs"))
    for name in again:
        shutil.rmtree(output / "_commits" / name)
    if counting == "spark":
        monkeypatch.setattr(current_documents, "DRIVER_DOCUMENTS", -1)
        monkeypatch.setattr(extraction_wave, "DRIVER_DOCUMENTS", -1)
    call = ["--config", str(LOCAL_CONFIG), "--output", str(output), "--yes"]
    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", losing(table))
        assert job.main(call) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{job.__name__.rpartition('.')[2]} failed: " in said
    if missed_by == "balance":
        assert f"{stage}: " in said or f"{stage}, wave 1: " in said
        assert "seen is not kept + rejected + failed for 1 files: " in said
        assert str(sample_warc) in said
    else:
        assert table in said
        assert "rows were written, and" in said
    store = Store.at(str(output))
    assert store.commits(stage) == {}
    assert job.main(call) == 0  # nothing lost stays
    assert store.commits(stage)


def losing_writer(folder: str, compression: Any) -> Callable[..., Any]:
    """The writer of JSON lines, without the first line of every batch."""
    write = jsonl_writer(folder, compression)

    def lose(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from write(batch.slice(1) for batch in batches)

    return lose


def test_a_line_that_is_lost_on_export_fails_the_selection(
    sample_output: Output,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    shutil.copytree(sample_output.path, output, ignore=shutil.ignore_patterns("logs"))
    shutil.rmtree(output / "_commits" / "select_corpus")
    call = ["--config", str(LOCAL_CONFIG), "--output", str(output), "--yes"]
    with monkeypatch.context() as patched:
        patched.setattr(export, "jsonl_writer", losing_writer)
        assert select_corpus.main(call) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("select_corpus: select_corpus failed: corpus_jsonl: wrote ")
    assert Store.at(str(output)).commits("select_corpus") == {}
    assert select_corpus.main(call) == 0
