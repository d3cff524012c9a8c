"""release_corpus from its arguments to files that other programs load."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pytest
from pyspark.sql import SparkSession

from jobs import release_corpus
from jobs.catalogue.lock import load_lock
from jobs.config import load_config
from jobs.release import stage
from jobs.run.request import Run
from jobs.run.splits import Split
from jobs.run.store import WHOLE, Store
from jobs.tables import CORPUS, schema_of
from tests.builders.corpus_outputs import LOCK_ID, made_rows, write_output
from tests.jobs.conftest import LOCAL_CONFIG, ROOT

ROWS = made_rows(50)
DATATROVE = ROOT / ".venv-datatrove" / "bin" / "python"
READ_BY_DATATROVE = """
import sys
from datatrove.pipeline.readers import ParquetReader
documents = list(ParquetReader(sys.argv[1], text_key="text", id_key="doc_id").run())
print(len(documents), sum(len(document.text) for document in documents))
"""


@pytest.fixture(scope="module")
def output(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_output(spark, tmp_path_factory.mktemp("made") / "out", ROWS)


def release(output: Path, to: Path, *settings: str, flags: tuple[str, ...] = ()) -> int:
    arguments = ["--from", str(output), "--output", str(to), "--config", str(LOCAL_CONFIG), *flags]
    return release_corpus.main([*arguments, *(["--set", *settings] if settings else [])])


@pytest.fixture(scope="module")
def full(output: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of all columns, as Parquet and JSON lines, in several files."""
    to = tmp_path_factory.mktemp("full") / "release"
    formats = 'release.formats=["parquet", "jsonl.zst"]'
    settings = ["release.rows=full", formats, "release.file_bytes=4000", "release.licence=odc-by"]
    assert release(output, to, *settings) == 0
    return to


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_release_is_these_files_and_no_others(full: Path) -> None:
    files = files_of(full)
    lines = files.pop("checksums.sha256").decode().splitlines()
    assert {line.split("  ")[1]: line.split("  ")[0] for line in lines} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    number = sum(name.startswith("data/") for name in files)
    assert number > 2
    assert files.keys() == {
        "README.md",
        "jsonl/README.md",
        "run.json",
        *(f"data/train-{n:05d}-of-{number:05d}.parquet" for n in range(number)),
        *(f"jsonl/train-{n:05d}-of-{number:05d}.jsonl.zst" for n in range(number)),
    }
    facts = json.loads(files["run.json"])
    assert facts["ledger"] == {"seen": 50, "released": 50, "excluded": []}
    assert facts["scores"] == [
        {"scorer": "quality", "artifact": "quality@2+df78", "lock_id": LOCK_ID}
    ]
    assert [of["stage"] for of in facts["funnel"]] == [
        *("extract_documents", "apply_rules", "find_duplicates", "score_quality", "select_corpus")
    ]
    assert {"quality", "lid", "lexicon"} <= {of["name"] for of in facts["artifacts"]}
    card = files["README.md"].decode()
    assert LOCK_ID in card and 'license: "odc-by"' in card and "| extract_documents | 55 |" in card
    assert '| `rules.lexicon` | `"words.tsv"` |' in card and "somebody" not in card
    assert str(full.parent) not in card + files["run.json"].decode()  # nothing of this machine


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("folder", [".", "jsonl"])
def test_datasets_loads_it(full: Path, tmp_path: Path, folder: str, streaming: bool) -> None:
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(
        str(full / folder), split="train", streaming=streaming, cache_dir=str(tmp_path)
    )
    rows = {row["doc_id"]: row for row in loaded}
    assert rows.keys() == {row["doc_id"] for row in ROWS}
    assert list(loaded.features) == schema_of(CORPUS).fieldNames()
    for row in ROWS:
        found = rows[row["doc_id"]]
        for column in ("text", "domain", "toxicity", "quality_score", "edits", "published", "url"):
            assert found[column] == row[column], column
        assert found["capture_time"] == row["capture_time"]
        assert found["title"] is None  # null in every row


def test_two_files_of_lines_load_although_columns_are_null(full: Path, tmp_path: Path) -> None:
    """Without declared columns datasets takes those of the first file, and fails on the next."""
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(full / "jsonl"), split="train", cache_dir=str(tmp_path))
    assert loaded.features["original_chars"].dtype == "int64"
    assert len(loaded) == 50


def test_pandas_polars_and_duckdb_read_it(full: Path) -> None:
    ids = {row["doc_id"] for row in ROWS}
    assert set(pandas.read_parquet(full / "data")["doc_id"]) == ids
    assert set(polars.read_parquet(full / "data")["doc_id"]) == ids
    found = duckdb.sql(
        f"SELECT doc_id FROM '{full}/data/*.parquet' WHERE domain.single_label = 'law'"
    )
    assert {row[0] for row in found.fetchall()} == {
        row["doc_id"] for row in ROWS if row["domain"]["single_label"] == "law"
    }


@pytest.mark.skipif(
    not DATATROVE.exists(), reason="datatrove has an environment of its own: make bench"
)
def test_datatrove_reads_it(full: Path) -> None:
    command = [str(DATATROVE), "-c", READ_BY_DATATROVE, str(full / "data")]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=full)
    assert found.returncode == 0, found.stderr
    expected = [len(ROWS), sum(len(row["text"]) for row in ROWS)]
    assert found.stdout.split() == list(map(str, expected))


@pytest.mark.slow
def test_published_rows_have_the_four_keys(output: Path, tmp_path: Path) -> None:
    to = tmp_path / "release"
    assert release(output, to, 'release.formats=["jsonl.gz"]', "release.order=-quality_score") == 0
    table = pandas.read_json(to / "jsonl" / "train-00000-of-00001.jsonl.gz", lines=True)
    assert list(table.columns) == ["text", "domain", "toxicity", "quality_score"]
    by_id = sorted(ROWS, key=lambda row: (-row["quality_score"], row["doc_id"]))
    assert list(table["text"]) == [row["text"] for row in by_id]
    assert table["domain"][0].keys() == {"single_label", "multi_label"}
    assert table["toxicity"][0].keys() == {"label", "score"}


@pytest.mark.slow
@pytest.mark.parametrize("order", ["hash", "url"])
def test_the_partitions_of_a_corpus_change_no_byte(
    spark: SparkSession, tmp_path: Path, order: str
) -> None:
    settings = [
        *("release.rows=full", f"release.order={order}", "release.file_bytes=2000"),
        *('release.formats=["parquet", "jsonl.gz"]', 'release.subsets=["quality", "domain"]'),
    ]
    found = []
    for partitions in (1, 5):
        made = write_output(spark, tmp_path / f"out-{partitions}", ROWS, partitions)
        assert release(made, tmp_path / f"r-{partitions}", *settings) == 0
        found.append(files_of(tmp_path / f"r-{partitions}"))
    assert found[0] == found[1]
    assert sum(name.startswith("data/quality_high/domain_") for name in found[0]) > 1


def test_subsets_are_configurations(output: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    to = tmp_path / "release"
    subsets = 'release.subsets=["quality", "domain", "perplexity"]'
    assert release(output, to, subsets) == 0
    for name, wanted in {
        "default": lambda row: True,
        "quality-high": lambda row: row["quality_score"] >= 0.9,
        "domain-law": lambda row: row["domain"]["single_label"] == "law",
    }.items():
        loaded = datasets.load_dataset(str(to), name, split="train", cache_dir=str(tmp_path / "c"))
        assert sorted(loaded["text"]) == sorted(row["text"] for row in ROWS if wanted(row)), name
    heads = datasets.load_dataset(
        str(to), "perplexity-head", split="train", cache_dir=str(tmp_path)
    )
    assert 10 <= len(heads) <= 20


def test_what_is_taken_down_is_counted(output: Path, tmp_path: Path) -> None:
    listed = tmp_path / "takedown.txt"
    listed.write_text(
        f"# asked\n{ROWS[3]['doc_id']}\nhttps://www.h4.cn/p/9/\nh2.cn\n", encoding="utf-8"
    )
    to = tmp_path / "release"
    settings = ["release.rows=full", f'release.exclude=["{listed}"]']
    assert release(output, to, *settings) == 0
    left = set(polars.read_parquet(to / "data")["doc_id"])
    gone = {n for n in range(50) if n % 5 == 2} | {3, 9}
    assert left == {row["doc_id"] for n, row in enumerate(ROWS) if n not in gone}
    facts = json.loads((to / "run.json").read_bytes())
    assert facts["ledger"]["seen"] == 50 == facts["ledger"]["released"] + len(gone)
    assert {of["kind"]: of["rows"] for of in facts["ledger"]["excluded"]} == {
        "doc_id": 1, "url": 1, "host": 10,
    }  # fmt: skip
    card = (to / "README.md").read_text(encoding="utf-8")
    assert "| excluded by host | 10 |" in card and "| released | 38 |" in card
    assert ROWS[3]["doc_id"] not in card


def test_an_empty_release_has_its_card(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "all.txt"
    listed.write_text("host: cn\n")
    to = tmp_path / "release"
    settings = [f'release.exclude=["{listed}"]', 'release.formats=["parquet", "jsonl.zst"]']
    assert release(output, to, *settings) == 3
    assert "the release is empty: 50 rows in the corpus" in capsys.readouterr().err
    assert polars.read_parquet(to / "data").shape == (0, 4)
    assert "**This release is empty**" in (to / "README.md").read_text(encoding="utf-8")
    assert release(output, to, *settings, "run.allow_empty=true", flags=("--yes",)) == 0


def test_a_release_is_replaced_with_yes_alone(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "release"
    (to / "data").mkdir(parents=True)
    (to / "README.md").write_text("old")
    assert release(output, to) == 2
    assert "one is there already; --yes replaces it" in capsys.readouterr().err
    assert (to / "README.md").read_text() == "old"
    assert release(output, to, flags=("--plan",)) == 0
    said = capsys.readouterr().out
    assert "corpus of" in said and "50 documents" in said and "needs --yes" in said
    assert (to / "README.md").read_text() == "old"
    assert release(output, to, flags=("--yes",)) == 0
    assert "50 of 50 rows" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"release"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (['release.columns=["txt"]', "release.rows=full"], "the corpus has no column 'txt'"),
        (['release.formats=["csv"]'], "expected each once, of parquet"),
        (['release.exclude=["/no/such/list"]'], "/no/such/list: cannot be read"),
        (['release.exclude=["{wrong}"]'], "wrong.txt:2: 'not a host': expected a doc_id"),
        (["release.size=3"], "unknown key release.size"),
    ],
)
def test_a_wrong_request_ends_before_any_work(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: list[str], said: str
) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("a.cn\nnot a host\n")
    settings = [setting.replace("{wrong}", str(wrong)) for setting in settings]
    assert release(output, tmp_path / "release", *settings) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "release").exists()


def test_places_that_cannot_be_used_are_refused(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(tmp_path / "nothing", tmp_path / "release") == 2
    assert "is no output of a run" in capsys.readouterr().err
    assert release(output, output) == 2
    assert "holds what is no part of a release" in capsys.readouterr().err
    unselected = tmp_path / "unselected"
    shutil.copytree(output, unselected)
    Store.at(str(unselected)).revoke("select_corpus", WHOLE)
    assert release(unselected, tmp_path / "release") == 2
    assert "there is no corpus to release" in capsys.readouterr().err
    assert release(output, tmp_path / "release", flags=("--name", "none")) == 2
    assert "none" in capsys.readouterr().err
    assert not (tmp_path / "release").exists()


def test_a_named_selection_has_a_card_and_a_release(
    spark: SparkSession, output: Path, tmp_path: Path
) -> None:
    made = shutil.copytree(output, tmp_path / "out")
    folder = made / "corpora" / "law"
    shutil.copytree(made / "corpus", folder / "corpus")
    documents = {"seen": 54, "kept": 50, "rejected": {"where": 4}, "failed": {}}
    chosen = {"select.where": "host = 'a.cn'"}
    selection = {"documents": documents, "settings": chosen, "scores": {"quality": {}}}
    (folder / "selection.json").write_text(json.dumps(selection))
    store = Store.at(str(made))
    config = load_config(None)
    waves = {0: (Split("made.jsonl", "made.jsonl", "jsonl", 1),)}
    run = Run(
        config, None, store, waves, load_lock(config, None), selections={"select_corpus": "law"}
    )
    stage.describe(spark, run)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| select_corpus@law | where | 4 |" in card and "configs:" not in card
    assert "| documents | 50 |" in card and LOCK_ID in card
    assert not (made / "README.md").exists()
    stage.describe(spark, replace(run, selections={}))  # the default selection has none
    assert not (made / "README.md").exists()

    commit = store.commits("select_corpus")[WHOLE]
    store.commit(replace(commit, stage="select_corpus@law", settings=chosen))
    assert release(made, tmp_path / "release", flags=("--name", "law")) == 0
    card = (tmp_path / "release" / "README.md").read_text(encoding="utf-8")
    assert "`select.where`" in card and "| select_corpus@law | 52 | 50 | 2 | 0 |" in card
    assert release(made, tmp_path / "other", flags=("--name", "../corpus")) == 2


@pytest.mark.slow
def test_lost_rows_are_no_release(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    from jobs.release import release as module

    monkeypatch.setattr(module, "in_files", lambda rows, *_: rows.where("quality_score > 0"))
    assert release(output, tmp_path / "release") == 1
    assert "rows of parquet: expected 50, found 47" in capsys.readouterr().err
    assert not (tmp_path / "release").exists()
