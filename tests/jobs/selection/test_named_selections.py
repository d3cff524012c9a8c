"""Named selections: side by side, each with its settings, tables, ledger and selection.json."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections import Counter
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs import report_run, run_pipeline, select_corpus
from jobs.run import current_documents
from tests.jobs.conftest import LOCAL_CONFIG, ROOT
from tests.jobs.selection.conftest import rows, select

README = ROOT / "jobs" / "selection" / "README.md"

pytestmark = pytest.mark.spark


def ids(output: Path, table: str = "corpus") -> set[str]:
    return {row["doc_id"] for row in rows(output, table)}


def facts_of(output: Path, name: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((output / "corpora" / name / "selection.json").read_bytes())
    return facts


def settings_of(path: Path) -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((path / "request.toml").read_text("utf-8"))["select"]
    return settings


def with_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), pa.array(values, pa.string()))


def state(output: Path) -> dict[str, bytes]:
    """What the default selection and the output's settings are made of."""
    files = [*(output / "corpus").glob("*.parquet"), *(output / "rejected").glob("*.parquet")]
    files += [output / "request.toml", output / "_commits" / "select_corpus" / "whole.json"]
    return {str(path): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def before(output: Path) -> dict[str, bytes]:
    return state(output)


@pytest.fixture(scope="module")
def said(output: Path, before: dict[str, bytes]) -> str:
    """What a command with a name prints, which makes the selection strict."""
    strict = ["--name", "strict", "--set", "select.min_quality=0.9", "select.jsonl=none"]
    with redirect_stdout(StringIO()) as printed:
        assert select(output, *strict) == 0
    return printed.getvalue()


@pytest.fixture(scope="module")
def named(output: Path, said: str) -> Path:
    """The output with the selections strict and open.1, which no test changes."""
    wide = ["--name", "open.1", "--set", 'select.domains=["general"]', "select.min_quality=off"]
    assert select(output, *wide, "select.jsonl=gz") == 0
    return output


def test_two_selections_stand_beside_the_default_one(
    named: Path, said: str, before: dict[str, bytes]
) -> None:
    output = named
    assert f"{output}/corpora/strict/corpus" in said and "select_corpus@strict" in said
    assert "--name strict --set select.min_quality=0.8" in said
    assert state(output) == before

    default = {row["doc_id"]: row for row in rows(output, "corpus")}
    best = {doc_id for doc_id, row in default.items() if row["quality_score"] >= 0.9}
    assert 0 < len(best) < len(default)
    assert ids(output, "corpora/strict/corpus") == best
    found = rows(output, "corpora/open.1/corpus")
    assert {row["domain"]["single_label"] for row in found} == {"general"}
    assert any(row["quality_score"] < 0.5 for row in found)
    assert {row["repeats"] for row in found} == {1}
    for row in found:
        assert row["text"] == default.get(row["doc_id"], row)["text"]
    assert list((output / "corpora" / "open.1" / "corpus_jsonl").glob("*.gz"))
    assert not (output / "corpora" / "strict" / "corpus_jsonl").exists()
    assert settings_of(output / "corpora" / "strict")["min_quality"] == 0.9
    assert settings_of(output)["min_quality"] == 0.5


def test_every_document_is_in_a_selection_or_has_a_reason(named: Path) -> None:
    output = named
    everything = ids(output, "corpus") | ids(output, "rejected")
    for name in ("strict", "open.1"):
        kept, left_out = (
            rows(output, f"corpora/{name}/{table}") for table in ("corpus", "rejected")
        )
        assert {row["doc_id"] for row in kept} | {row["doc_id"] for row in left_out} == everything
        assert len(kept) + len(left_out) == len(everything)
        assert all(row["reasons"] for row in left_out)
        stage = f"select_corpus@{name}"
        ledger = rows(output, f"ledger/stage={stage}")
        commit = json.loads((output / "_commits" / stage / "whole.json").read_bytes())
        assert sum(row["seen"] for row in ledger) == commit["rows"]
        assert sum(row["kept"] for row in ledger) == commit["kept"] == len(kept)
        by_reason: Counter[str] = Counter()
        for row in left_out:
            if row["stage"] == "select_corpus":
                by_reason[row["reasons"][0]] += 1
        assert by_reason == commit["rejected"]
        facts = facts_of(output, name)
        assert facts["documents"]["rejected"] == by_reason
        assert facts["documents"]["kept"] == facts["rows"] == facts["repeats"] == len(kept)
        assert facts["settings"]["select.min_quality"] == {"strict": 0.9, "open.1": None}[name]
        for scorer, origin in facts["scores"].items():
            scored = rows(output, f"scores/{scorer}")
            assert {(row["artifact"], row["lock_id"]) for row in scored} == {
                (origin["artifact"], origin["lock_id"])
            }


def test_run_json_has_the_counts_of_named_selections(named: Path) -> None:
    assert report_run.main(["--config", str(LOCAL_CONFIG), "--output", str(named)]) == 0
    facts = json.loads((named / "run.json").read_bytes())
    by_name = {one["name"]: one for one in facts["selections"]}
    assert by_name.keys() >= {"strict", "open.1"}
    for name, one in by_name.items():
        documents = facts_of(named, name)["documents"]
        assert (one["seen"], one["kept"]) == (documents["seen"], documents["kept"])


def test_a_selection_that_is_up_to_date_has_nothing_to_do(
    named: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = named
    assert select(output, "--name", "strict") == 0
    assert "nothing to do" in capsys.readouterr().err
    assert select(output) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert select(output, "--name", "strict", "--plan") == 0
    assert "select_corpus@strict: nothing to do" in capsys.readouterr().out


def test_an_export_that_goes_is_asked_for(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = Path(shutil.copytree(named, tmp_path / "out"))
    none = ["--name", "open.1", "--set", "select.jsonl=none"]
    assert select(output, *none, "--plan") == 0
    assert "needs --yes: delete corpora/open.1/corpus_jsonl" in capsys.readouterr().out
    assert select(output, *none) == 2
    assert "would delete corpora/open.1/corpus_jsonl" in capsys.readouterr().err
    assert select(output, *none, "--yes") == 0
    assert not (output / "corpora" / "open.1" / "corpus_jsonl").exists()
    assert (output / "corpus_jsonl").exists()


def test_settings_are_reset_for_a_selection_alone(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[select]\nmin_quality = 0.7\n", encoding="utf-8")
    plan = ["--config", str(file), "--output", str(named), "--name", "strict", "--plan"]
    assert select_corpus.main(plan) == 0
    assert "select_corpus@strict: nothing to do" in capsys.readouterr().out
    assert select_corpus.main([*plan, "--reset", "select.min_quality"]) == 0
    said = capsys.readouterr().out
    assert "select_corpus@strict: select.min_quality is 0.7, was 0.9" in said
    fresh = ["--name", "fresh", "--plan"]
    assert select_corpus.main([*plan[:4], *fresh]) == 0
    said = capsys.readouterr().out
    assert "select_corpus@fresh: not done yet" in said
    assert "kept from this output: select.min_quality = 0.5" in said
    assert not (named / "corpora" / "fresh").exists()


def named_lines(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("select_corpus@")]


def test_the_plan_names_selections_that_a_change_makes_older(
    named: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--config", str(LOCAL_CONFIG), "--output", str(named), "--plan"]
    assert run_pipeline.main(common) == 0
    assert named_lines(capsys.readouterr().out) == []
    assert run_pipeline.main([*common, "--set", "rules.min_chars=150"]) == 0
    said = capsys.readouterr().out.splitlines()
    for name in ("open.1", "strict"):
        line = next(line for line in said if line.startswith(f"select_corpus@{name}: "))
        assert "apply_rules changed" in line and f"select_corpus --name {name}" in line
    assert select(named, "--plan", "--set", "select.min_quality=0.6") == 0
    assert named_lines(capsys.readouterr().out) == []


@pytest.mark.slow
def test_no_text_is_used_of_a_document_that_is_left_out(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Texts of all others are gone from the tables, and the same rows come out."""
    copy = Path(shutil.copytree(named, tmp_path / "out"))
    expected = sorted(rows(copy, "corpora/strict/corpus"), key=lambda row: row["doc_id"])
    kept = {row["doc_id"] for row in expected}
    erased = 0
    for path in (*copy.glob("documents/*/*.parquet"), *copy.glob("edits/*/*.parquet")):
        table = pq.read_table(path)
        ids_here = table["doc_id"].to_pylist()
        texts = [
            text if doc_id in kept else None
            for doc_id, text in zip(ids_here, table["text"].to_pylist(), strict=True)
        ]
        erased += texts.count(None)
        written = with_column(table, "text", texts)
        pq.write_table(written, path, use_deprecated_int96_timestamps=True)  # as Spark does
        (path.parent / f".{path.name}.crc").unlink(missing_ok=True)
    assert erased > 10
    assert select(copy, "--name", "strict", "--set", "select.min_quality=0.9000001") == 0
    found = sorted(rows(copy, "corpora/strict/corpus"), key=lambda row: row["doc_id"])
    assert found == expected


@pytest.mark.slow
def test_texts_that_count_twice_are_two_rows_and_one_document(
    output: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the workers count what the driver counts."""
    weights = ["select.repeat=rows", "select.cluster_repeats={2 = 3}", "select.max_per_host=2"]
    more = ['select.quality_repeats={"0.9" = 2}', "select.sample=0.7"]
    assert select(output, "--name", "driver", "--set", *weights, *more) == 0
    monkeypatch.setattr(current_documents, "DRIVER_DOCUMENTS", 0)
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "7")
    small = ["spark.small_properties=off"]
    try:
        assert select(output, "--name", "workers", "--set", *weights, *more, *small) == 0
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", str(before))
    by_name = {}
    for name in ("driver", "workers"):
        found = rows(output, f"corpora/{name}/corpus")
        facts = facts_of(output, name)
        copies = Counter(row["doc_id"] for row in found)
        by_id = {row["doc_id"]: row for row in found}
        for doc_id, row in by_id.items():
            times = (3 if row["cluster_size"] >= 2 else 1) * (
                2 if row["quality_score"] >= 0.9 else 1
            )
            assert copies[doc_id] == times
        assert facts["documents"]["kept"] == len(by_id)
        assert facts["rows"] == facts["repeats"] == len(found) > len(by_id)
        assert {"not_sampled", "low_quality"} <= facts["documents"]["rejected"].keys()
        by_name[name] = sorted(found, key=lambda row: row["doc_id"]), facts["documents"]
    assert by_name["driver"] == by_name["workers"]


def test_repeats_may_follow_from_rates(output: Path) -> None:
    settings = ["select.repeat=column", "select.max_cluster_repeats=5"]
    assert select(output, "--name", "rates", "--set", *settings) == 0
    facts = facts_of(output, "rates")
    assert facts["cluster_repeats"] == {"1": 1}  # the sample has too few documents
    assert facts["rows"] == facts["repeats"] == facts["documents"]["kept"]


def test_an_empty_selection_has_its_own_status(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = ["--name", "none", "--set", "select.where=cluster_size > 1000000"]
    assert select(output, *nothing) == 3
    assert "the corpus is empty: select_corpus kept none of" in capsys.readouterr().err
    assert facts_of(output, "none")["rows"] == 0
    assert rows(output, "corpora/none/corpus") == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("select.where=nothing > 3", ["select.where = 'nothing > 3'", "nothing", "cluster_size"]),
        ("select.where=quality.score >", ["select.where", "yntax error"]),
        ("select.where=quality_bert.score > 0.5", ["quality_bert", "columns: doc_id"]),
        ("select.where=rand() > 0.5", ["is not deterministic"]),
    ],
)
def test_a_broken_expression_is_refused_before_work(
    output: Path, settings: str, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert select(output, "--name", "broken", "--set", settings) == 2
    error = capsys.readouterr().err
    for words in said:
        assert words in error
    assert not (output / "corpora" / "broken").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--name", "../up"], ["--name '../up'", "letters, digits"]),
        (["--name", ".hidden"], ["--name '.hidden'"]),
        (["--name", "a b"], ["--name 'a b'"]),
        (["--name", ""], ["--name ''"]),
        (
            ["--name", "x", "--set", "select.min_quality_by_domain={laws = 0.3}"],
            ["select.min_quality_by_domain: no label 'laws'", "law, "],
        ),
        (
            ["--name", "x", "--set", "select.max_toxicity_by_domain={x = 0.3}"],
            ["select.max_toxicity_by_domain: no label 'x'"],
        ),
        (["--name", "x", "--set", 'select.scripts=["latin"]'], ["select.scripts", "hans"]),
        (["--name", "x", "--set", "select.min_quality=7"], ["select.min_quality = 7", "0 to 1"]),
        (["--name", "x", "--set", "select.quality_from=quality_bert"], ["needs quality_bert too"]),
        (["--name", "x", "--reset", "select.colour"], ["--reset select.colour: not a setting"]),
    ],
)
def test_a_wrong_request_is_refused_before_spark_starts(
    output: Path,
    arguments: list[str],
    said: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)  # not to be reached
    assert select(output, *arguments) == 2
    error = capsys.readouterr().err
    for words in said:
        assert words in error
    assert not (output / "corpora" / "x").exists()


def test_scores_that_are_gone_or_of_two_locks_are_refused_and_nothing_is_lost(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(named, tmp_path / "out"))
    (path,) = copy.glob("scores/toxicity/*/*.parquet")
    table = pq.read_table(path)
    locks = ["0" * 64, *table["lock_id"].to_pylist()[1:]]
    pq.write_table(with_column(table, "lock_id", locks), path)
    (path.parent / f".{path.name}.crc").unlink(missing_ok=True)
    before = state(copy)
    commit = copy / "_commits" / "select_corpus@strict" / "whole.json"
    asked = ["--name", "strict", "--set", "select.min_quality=0.6"]
    assert select(copy, *asked) == 2
    said = capsys.readouterr().err
    assert "toxicity: " in said and "lock 000000000000" in said
    assert commit.exists()
    shutil.rmtree(copy / "scores" / "toxicity")
    assert select(copy, *asked) == 2
    assert f"{copy}/scores/toxicity: there is no such table" in capsys.readouterr().err
    assert commit.exists() and state(copy) == before


@pytest.mark.slow
def test_the_commands_of_the_page_run(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "out"
    shutil.copytree(output, copy)
    shutil.rmtree(copy / "corpora", ignore_errors=True)
    shutil.rmtree(copy / "_commits" / "select_corpus@strict", ignore_errors=True)
    page = README.read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```sh\n(.*?)```", page, re.S)).replace("\\\n", " ")
    for line in blocks.strip().splitlines():
        there = line.replace("out/sample", str(copy)).replace("out/", f"{tmp_path}/")
        if line.startswith("echo "):
            subprocess.run(["sh", "-c", there], check=True)
            continue
        python, flag, module, *arguments = shlex.split(there)
        assert (python, flag) == ("python", "-m")
        assert import_module(module).main([*arguments, "--config", str(LOCAL_CONFIG)]) == 0, line
    assert {path.name for path in (copy / "corpora").iterdir()} == {
        *("strict", "news", "long", "few", "weighted", "clean")
    }
    assert "select_corpus@strict: nothing to do" in capsys.readouterr().out
