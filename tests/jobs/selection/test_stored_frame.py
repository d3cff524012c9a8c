"""The stored frame: what is chosen does not depend on it, and it is used only while it is right."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs.run import current_documents
from jobs.selection import stored_frame
from jobs.selection.stored_frame import BASIS, FOLDER
from tests.builders.spark_settings import changed_settings
from tests.jobs.selection.conftest import rows, select

pytestmark = pytest.mark.spark

LARGE = ("--set", "spark.small_properties=off")
"""Arguments by which an output of any size has a stored frame."""
SELECTIONS = {
    "capped": ("select.max_per_host=2", "select.repeat=column", "select.cluster_repeats={2 = 3}"),
    "mixed": (
        "select.budget=7 documents",
        'select.mix={general = 0.5, "*" = 0.5}',
        "select.shortfall=deal",
        "select.order=-measures.chars",
        "select.where=measures.chars > 30 and (title is null or toxicity.score < 0.9)",
    ),
}

Chosen: TypeAlias = tuple[list[str], list[str], dict[str, Any]]


@pytest.fixture
def joins(monkeypatch: pytest.MonkeyPatch, spark: SparkSession) -> Iterator[list[str]]:
    """The tables that are joined to a frame, in order; selections are counted by workers."""
    found: list[str] = []
    join_documents, with_scores = stored_frame._joined_documents, stored_frame.with_scores

    def joined_documents(*arguments: Any, **more: Any) -> Any:
        found.append("documents")
        return join_documents(*arguments, **more)

    def with_noted_scores(frame: Any, tables: Any) -> Any:
        found.extend(tables)
        return with_scores(frame, tables)

    monkeypatch.setattr(stored_frame, "_joined_documents", joined_documents)
    monkeypatch.setattr(stored_frame, "with_scores", with_noted_scores)
    monkeypatch.setattr(current_documents, "DRIVER_DOCUMENTS", -1)
    with changed_settings(spark, {"spark.sql.shuffle.partitions": "3"}):
        yield found


@pytest.fixture(scope="module")
def capped(output: Path) -> Chosen:
    """What is chosen by the settings "capped" without a stored frame."""
    assert select(output, "--name", "capped", "--set", *SELECTIONS["capped"]) == 0
    return chosen(output, "capped")


def chosen(output: Path, name: str) -> Chosen:
    """Rows of corpus and rejected, in an order that does not depend on files; what was counted."""
    tables = [rows(output, f"corpora/{name}/{table}") for table in ("corpus", "rejected")]
    corpus, rejected = (
        sorted(json.dumps(row, default=str, sort_keys=True) for row in table) for table in tables
    )
    facts = json.loads((output / "corpora" / name / "selection.json").read_bytes())
    return corpus, rejected, {key: facts[key] for key in ("documents", "rows", "repeats", "budget")}


@pytest.mark.slow
def test_the_same_is_chosen_with_a_stored_frame_and_without(
    output: Path, joins: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    scorers = ["quality", "domain", "toxicity", "perplexity", "tokens"]
    for name, settings in SELECTIONS.items():
        assert select(output, "--name", f"{name}-small", "--set", *settings) == 0
    assert not (output / FOLDER).exists()
    capsys.readouterr()
    assert select(output, "--preview", "--json") == 0
    preview = capsys.readouterr().out
    assert select(output, "--preview", "--json", *LARGE) == 0
    assert capsys.readouterr().out == preview
    assert not (output / FOLDER).exists()

    joins.clear()
    for name, settings in SELECTIONS.items():
        assert select(output, "--name", f"{name}-large", *LARGE, *settings) == 0
        assert chosen(output, f"{name}-large") == chosen(output, f"{name}-small"), name
    capsys.readouterr()
    assert select(output, "--preview", "--json", *LARGE) == 0
    assert capsys.readouterr().out == preview
    assert joins == ["documents", *scorers]  # by the first of them alone
    (file,) = (output / FOLDER).glob("*/")
    assert {path.suffix for path in file.iterdir()} == {".parquet"}


@pytest.mark.slow
def test_a_frame_that_is_older_than_its_tables_is_not_used(
    output: Path, capped: Chosen, joins: list[str]
) -> None:
    assert select(output, "--name", "framed", *LARGE) == 0
    place = output / FOLDER / BASIS
    basis = json.loads(place.read_bytes())
    everything = basis["sources"].keys()
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"sources": {**basis["sources"], "tokens": "another"}}, {"tokens"}),
        ({"sources": {**basis["sources"], "documents": "another"}}, everything),
        ({"columns": {"type": "struct", "fields": basis["columns"]["fields"][1:]}}, everything),
    ]
    for number, (change, joined) in enumerate(cases):
        now = json.loads(place.read_bytes())
        older = f"older{number}"
        (output / FOLDER / now["folder"]).rename(output / FOLDER / older)
        place.write_text(json.dumps({**now, **change, "folder": older}), encoding="utf-8")
        joins.clear()
        settings = SELECTIONS["capped"]
        assert select(output, "--name", f"again{number}", *LARGE, *settings) == 0
        assert set(joins) == joined
        assert chosen(output, f"again{number}") == capped
        assert json.loads(place.read_bytes()) == basis
        assert {path.name for path in place.parent.iterdir()} == {basis["folder"], BASIS}


@pytest.mark.slow
def test_a_frame_whose_texts_lie_in_other_files_is_not_used(
    output: Path, capped: Chosen, tmp_path: Path, joins: list[str]
) -> None:
    """A wave that was written again has the same documents in files of other names."""
    assert select(output, "--name", "framed", *LARGE) == 0
    copy = tmp_path / "out"
    shutil.copytree(output, copy)
    (path, *_) = copy.glob("documents/*/*.parquet")
    path.rename(path.with_name(f"again-{path.name}"))
    joins.clear()
    assert select(copy, "--name", "moved", *LARGE, *SELECTIONS["capped"]) == 0
    assert joins[0] == "documents"
    assert chosen(copy, "moved") == capped


@pytest.mark.parametrize("rows_of_another", [1, None])
def test_scores_of_another_lock_are_found_in_many_documents(
    output: Path,
    tmp_path: Path,
    joins: list[str],
    capsys: pytest.CaptureFixture[str],
    rows_of_another: int | None,
) -> None:
    """The ends of the files say which lock all rows have; else a query counts them."""
    copy = tmp_path / "out"
    shutil.copytree(output, copy)
    (path,) = copy.glob("scores/toxicity/*/*.parquet")
    table = pq.read_table(path)
    count = table.num_rows if rows_of_another is None else rows_of_another
    locks = ["0" * 64] * count + table["lock_id"].to_pylist()[count:]
    place = table.schema.get_field_index("lock_id")
    column = pa.array(locks, pa.string())
    pq.write_table(table.set_column(place, table.schema.field(place), column), path)
    assert select(copy, "--name", "locks", *LARGE) == 2
    assert f"toxicity: {count} of " in (said := capsys.readouterr().err)
    assert "(lock 000000000000)" in said and not (copy / "corpora" / "locks" / "corpus").exists()
