"""Named selections of pairs: side by side, each with its settings, tables, ledger and facts, by the
machinery of named selections of documents."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs import report_run, run_pipeline
from jobs.pairs import release_pairs, select_pairs
from jobs.pipeline.command_line import prepare
from jobs.pipeline.stages import REPORT
from jobs.report.selections import pair_selections
from jobs.run.request import OF_PAIRS
from jobs.run.store import WHOLE, Store
from tests.jobs.conftest import LOCAL_CONFIG
from tests.jobs.selection.conftest import rows

pytestmark = pytest.mark.spark

TABLES = ("selected_pairs", "rejected_pairs", "fetch_list")
CHOICES = {
    "pictures": ["select_pairs.images=required", "select_pairs.pages=all"],
    "coyo.1": ["pair_rules.pack=coyo", "pair_rules.min_chars=4"],
}
"""Name -> what is set for it."""


def select(output: Path, *arguments: str) -> int:
    return select_pairs.main(["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments])


def state(output: Path) -> dict[str, bytes]:
    """What the default selection and the output's settings are made of."""
    places = [*TABLES, "ledger/stage=select_pairs", "_commits/select_pairs", "corpus"]
    files = [path for place in places for path in (output / place).rglob("*") if path.is_file()]
    files += [output / "request.toml", output / "pair_selection.json"]
    return {str(path): path.read_bytes() for path in files}


def keys(output: Path, table: str) -> Counter[tuple[str, int]]:
    return Counter((row["doc_id"], row["place"]) for row in rows(output, table))


@pytest.fixture(scope="module")
def before(output: Path) -> dict[str, bytes]:
    return state(output)


@pytest.fixture(scope="module")
def named(output: Path, before: dict[str, bytes]) -> Path:
    """The output with two named selections."""
    for name, settings in CHOICES.items():
        assert select(output, "--name", name, "--set", *settings) == 0
    return output


def test_two_selections_stand_beside_the_default_one(named: Path, before: dict[str, bytes]) -> None:
    assert state(named) == before
    everything = keys(named, "selected_pairs") + keys(named, "rejected_pairs")
    store = Store.at(str(named))
    found = {}
    for name in CHOICES:
        folder = f"pair_selections/{name}"
        found[name] = keys(named, f"{folder}/selected_pairs")
        assert found[name] + keys(named, f"{folder}/rejected_pairs") == everything
        assert max(everything.values()) == 1
        commit = store.commits(f"select_pairs@{name}")[WHOLE]
        ledger = rows(named, f"ledger/stage=select_pairs@{name}")
        assert sum(row["seen"] for row in ledger) == commit.rows == len(everything)
        assert sum(row["kept"] for row in ledger) == commit.kept == len(found[name]) > 0
        first = Counter(row["reasons"][0] for row in rows(named, f"{folder}/rejected_pairs"))
        assert first == commit.rejected
        facts = OF_PAIRS.read_facts(store, name)
        assert facts["pairs"] == {"seen": commit.rows, "kept": commit.kept, "rejected": first}
        assert facts["tables"]["fetch_list"] == len(rows(named, f"{folder}/fetch_list"))
    default = keys(named, "selected_pairs")
    assert len({frozenset(one) for one in (default, *found.values())}) == 3
    pictures = rows(named, "pair_selections/pictures/selected_pairs")
    assert all(row["image"] is not None for row in pictures)
    assert any(row["image"] is None for row in rows(named, "selected_pairs"))
    texts = [row["text"] for row in rows(named, "pair_selections/coyo.1/selected_pairs")]
    assert min(map(len, texts)) >= 4


def test_each_remembers_its_own_settings(named: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remembered = {
        name: tomllib.loads((named / "pair_selections" / name / "request.toml").read_text("utf-8"))
        for name in CHOICES
    }
    of_output = tomllib.loads((named / "request.toml").read_text("utf-8"))
    pictures, coyo = remembered["pictures"], remembered["coyo.1"]
    assert pictures["pair_rules"] == of_output["pair_rules"]
    assert (pictures["select_pairs"]["images"], pictures["select_pairs"]["pages"]) == (
        *("required", "all"),
    )
    assert coyo["select_pairs"] == of_output["select_pairs"]
    assert (coyo["pair_rules"]["pack"], coyo["pair_rules"]["min_chars"]) == ("coyo", 4)
    for name in CHOICES:
        assert select(named, "--name", name, "--plan") == 0
        assert f"select_pairs@{name}: nothing to do" in capsys.readouterr().out
    other = ["--set", "select_pairs.images=optional", "--plan"]
    assert select(named, "--name", "pictures", *other) == 0
    said = capsys.readouterr().out
    assert 'select_pairs@pictures: select_pairs.images is "optional", was "required"' in said
    assert "select_corpus: nothing to do" in said
    assert select(named, "--name", "pictures", *other[:-1], "--reset", "rules", "--plan") == 0


def test_the_plan_names_selections_that_a_change_makes_older(
    named: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--config", str(LOCAL_CONFIG), "--output", str(named), "--plan"]
    assert run_pipeline.main(common) == 0
    assert "select_pairs@" not in capsys.readouterr().out.partition("report_run")[0]
    change = ["--set", "rules.min_chars=150"]
    assert run_pipeline.main([*common, *change]) == 0
    said = capsys.readouterr().out.splitlines()
    for name in CHOICES:
        line = next(line for line in said if line.startswith(f"select_pairs@{name}: "))
        assert "select_corpus changed" in line
        assert line.endswith(f"this command leaves it: pairs.select_pairs --name {name}")
    assert select(named, "--name", "pictures", *change) == 2
    said = capsys.readouterr().err
    assert "would do finished work of" in said and "give --yes" in said


def test_the_report_has_named_selections(named: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--config", str(LOCAL_CONFIG), "--output", str(named)]
    assert report_run.main([*common, "--plan"]) == 0
    said = capsys.readouterr().out
    assert all(f"select_pairs@{name} changed" in said for name in CHOICES)
    by_name = {of["name"]: of for of in pair_selections(prepare(REPORT, common).run)}
    assert by_name.keys() == CHOICES.keys()
    for name, of in by_name.items():
        selected = rows(named, f"pair_selections/{name}/selected_pairs")
        assert of["kept"] == of["pairs"] == len(selected)
        assert of["with_image"] == sum(row["image"] is not None for row in selected)
    assert by_name["pictures"]["settings"] == {
        "select_pairs.images": "required",
        "select_pairs.pages": "all",
    }
    assert by_name["coyo.1"]["settings"]["pair_rules.pack"] == "coyo"


def release(output: Path, to: Path, *arguments: str) -> int:
    common = ["--config", str(LOCAL_CONFIG), "--from", str(output), "--output", str(to)]
    return release_pairs.main([*common, "--set", 'release_pairs.formats=["links"]', *arguments])


def test_one_of_them_is_released(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    selected = keys(named, "pair_selections/pictures/selected_pairs")
    assert release(named, tmp_path / "pictures", "--name", "pictures", "--plan") == 0
    plan = f"links: of {len(selected)} rows of pair_selections/pictures/selected_pairs"
    assert plan in capsys.readouterr().out
    assert release(named, tmp_path / "pictures", "--name", "pictures") == 0
    links = pq.read_table(tmp_path / "pictures" / "links" / "data").to_pylist()
    assert Counter((row["doc_id"], row["place"]) for row in links) == selected
    said: dict[str, Any] = json.loads((tmp_path / "pictures" / "run.json").read_text("utf-8"))
    stages = [of["stage"] for of in said["funnel"]]
    assert "select_pairs@pictures" in stages and "select_pairs" not in stages
    assert said["settings"]["select_pairs.images"] == "required"
    assert "select_pairs@pictures" in said["fingerprints"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("../up", "letters, digits"), (".hidden", "letters, digits"), ("", "letters, digits")],
)
def test_a_wrong_name_is_refused_before_spark_starts(
    output: Path,
    tmp_path: Path,
    name: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)  # not to be reached
    assert select(output, "--name", name) == 2
    assert said in capsys.readouterr().err
    assert release(output, tmp_path / "new", "--name", name) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_request_is_refused_before_spark_starts(
    output: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)  # not to be reached
    for settings, said in (
        ("select_pairs.images=some", "select_pairs.images"),
        ("pair_rules.pack=none.toml", "none.toml"),
        ("select_pairs.min_alignment=0.3", "score_pairs.scorers"),
    ):
        assert select(output, "--name", "x", "--set", settings) == 2
        assert said in capsys.readouterr().err
    assert release(output, tmp_path / "new", "--name", "x") == 2
    assert "select_pairs@x has not run: run it first" in capsys.readouterr().err
    assert not (output / "pair_selections" / "x").exists() and not (tmp_path / "new").exists()
