"""OUTPUT/request.toml: a later command starts from it, and asks before it undoes finished work."""

from __future__ import annotations

import io
import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import apply_rules, extract_documents, plan_input, score_documents
from jobs.config import load_config
from jobs.pipeline.command_line import prepare
from jobs.pipeline.request_file import (
    REQUEST,
    RequestFile,
    read_request,
    request_text,
    write_request,
)
from jobs.pipeline.stages import PLAN
from jobs.run.store import Store

TEXT = "山里的溪水在春天涨了起来，村里的人沿着石阶去看水。" * 12


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "a", "text": TEXT}, ensure_ascii=False) + "\n", "utf-8")
    return path


@pytest.fixture
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)


def remembered(output: Path) -> dict[str, object]:
    return tomllib.loads((output / REQUEST).read_text("utf-8"))


def files(output: Path) -> Mapping[Path, int]:
    return {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("no_spark")
def test_settings_and_inputs_are_written_and_add_up(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    plan = ["--output", str(output)]
    first = [*plan, "--input", str(rows), "--set", "rules.min_chars=100"]
    assert plan_input.main([*first, "--plan"]) == 0
    assert not output.exists()
    assert plan_input.main(first) == 0
    assert f"adding 1 file: {rows}" in capsys.readouterr().err

    more = rows.with_name("b.jsonl")
    more.write_text(rows.read_text("utf-8"), "utf-8")
    again = ["--input", str(more), str(rows), "--set", "select.min_quality=off"]
    assert plan_input.main([*plan, *again, "--input-format", "jsonl"]) == 0
    assert f"adding 1 file to 1 already here: {more}" in capsys.readouterr().err
    found = remembered(output)
    assert found["inputs"] == [
        {"uri": str(rows)},
        {"uri": str(more), "format": "jsonl"},
        {"uri": str(rows), "format": "jsonl"},
    ]
    config = prepare(PLAN, plan).run.config
    assert config == load_config(None, ["rules.min_chars=100", "select.min_quality=off"])

    before = files(output)
    assert plan_input.main([*plan, "--input", str(rows)]) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert files(output) == before


@pytest.mark.usefixtures("no_spark")
def test_a_file_that_differs_is_named_and_reset_takes_it(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, file = tmp_path / "out", tmp_path / "run.toml"
    file.write_text("[rules]\nmin_chars = 64\n[run]\nwave_splits = 9\n", "utf-8")
    plan = ["--output", str(output)]
    assert plan_input.main([*plan, "--input", str(rows), "--set", "rules.min_chars=100"]) == 0
    plan += ["--config", str(file)]
    capsys.readouterr()
    assert plan_input.main(plan) == 0
    assert (
        f"kept from this output: rules.min_chars = 100 ({file} has 64); --reset rules.min_chars "
        "takes the file's"
    ) in capsys.readouterr().err
    assert prepare(PLAN, plan).run.config.run.wave_splits == 9
    assert plan_input.main([*plan, "--reset", "rules.min_chars"]) == 0
    assert "kept from" not in capsys.readouterr().err
    assert prepare(PLAN, plan).run.config.rules.min_chars == 64
    assert plan_input.main([*plan, "--reset", "rules.nothing"]) == 2
    assert "--reset rules.nothing: not a setting" in capsys.readouterr().err
    assert plan_input.main([*plan[:2], "--reset"]) == 0
    assert prepare(PLAN, plan[:2]).run.config == load_config(None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rules", "is not valid TOML"),
        ("rules = 3", "expected tables"),
        ("[rules]\nmin_chars = 'a'", "a whole number"),
    ],
)
@pytest.mark.usefixtures("no_spark")
def test_a_damaged_file_is_named(
    tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / REQUEST).write_text(text, "utf-8")
    assert plan_input.main(["--output", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}/{REQUEST}: " in error and said in error


def test_settings_of_another_version_are_said_and_left_out(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path))
    text = request_text([], load_config(None)).replace("[rules]", "[rules]\nold_limit = 3")
    (tmp_path / REQUEST).write_text(text, "utf-8")
    found = read_request(store)
    assert found.unknown == ("rules.old_limit",)
    assert found.settings is not None
    assert load_config(None, [], found.settings) == load_config(None)


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    store, config = Store.at(str(tmp_path)), load_config(None)
    write_request(store, RequestFile(), [{"uri": 'a "b"'}], config)
    before = files(tmp_path)
    earlier = read_request(store)
    write_request(store, earlier, [{"uri": 'a "b"'}], config)
    assert files(tmp_path) == before and earlier.inputs == ({"uri": 'a "b"'},)


@pytest.mark.slow
def test_a_stage_does_not_undo_another_without_consent(
    spark: SparkSession,
    rows: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "out"
    on = ["--output", str(output)]
    every = ["--set", "extract.languages=[]"]
    assert extract_documents.main([*on, "--input", str(rows), *every]) == 0
    capsys.readouterr()
    assert score_documents.main([*on, "--plan"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "extract_documents: nothing to do" in lines
    assert not any("needs --yes" in line for line in lines)

    before = files(output)
    chinese = [*on, "--set", 'extract.languages=["zh"]', "run.allow_empty=true"]
    assert apply_rules.main([*chinese, "--input", str(rows.parent)]) == 2
    error = capsys.readouterr().err
    assert 'again: extract_documents, wave 1: extract.languages is ["zh"], was []' in error
    assert "would do finished work of extract_documents again; give --yes" in error

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", Terminal("n\n"))
        said = Terminal()
        patched.setattr(sys, "stderr", said)
        assert apply_rules.main(chinese) == 2
        assert "Go on? [y/N]" in said.getvalue()
        assert "nothing was changed" in said.getvalue()
        assert files(output) == before
        patched.setattr(sys, "stdin", Terminal("y\n"))
        assert apply_rules.main(chinese) == 0
    assert remembered(output)["extract"]["languages"] == ["zh"]  # type: ignore[index]
    assert spark.read.parquet(str(output / "flagged")).count() == 1
    assert extract_documents.main([*on, *every]) == 0  # the named stage is not asked for
    assert apply_rules.main([*chinese, "--set", "run.redo=always"]) == 0
