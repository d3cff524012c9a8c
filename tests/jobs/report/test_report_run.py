"""The report of a run over the sample, and its comparison with a run of another threshold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs import report_run, run_pipeline
from jobs.config import ConfigError
from jobs.pipeline.command_line import prepare
from jobs.pipeline.stages import REPORT
from tests.jobs.conftest import LOCAL_CONFIG, Output
from tests.jobs.report.test_page import ATTRIBUTES, ELEMENTS, Parsed


def facts_of(output: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((output / "run.json").read_text(encoding="utf-8"))
    return facts


def test_facts_of_the_sample_agree_with_its_tables(sample_output: Output) -> None:
    facts = facts_of(sample_output.path)
    documents = sample_output.table("documents").collect()
    kept = {row.doc_id for row in sample_output.table("corpus").collect()}
    for name, value in (("languages", "language"), ("scripts", "script"), ("charsets", "charset")):
        found = {row[value]: (row["rows"], row["kept"]) for row in facts[name]}
        expected = {
            key: (
                sum(row[value] == key for row in documents),
                sum(row[value] == key for row in documents if row.doc_id in kept),
            )
            for key in {row[value] for row in documents}
        }
        assert found == expected
    for place in ("kept", "lost"):
        hosts = facts["hosts"][place]
        assert 0 < len(hosts) <= 20
        for row in hosts:
            of_host = [document for document in documents if document.host == row["host"]]
            assert row["documents"] == len(of_host)
            assert row["kept"] == sum(document.doc_id in kept for document in of_host)
    assert sum(row["documents"] for row in facts["lengths"]) == len(documents)
    assert sum(row["kept"] for row in facts["lengths"]) == len(kept)
    assert sum(row["rows"] for row in facts["clusters"]) == len(kept)
    stood_for = sum(row["documents"] for row in facts["clusters"])
    assert stood_for == facts["corpus"]["documents_stood_for"]
    single = {
        pair["values"][0]: pair["rows"]
        for pair in facts["pairs"]
        if pair["values"][0] == pair["values"][1]
    }
    assert all(single[row["domain"]] >= row["rows"] for row in facts["domains"])
    removed = {(row["stage"], row["reason"]): row["characters"] for row in facts["reasons"]}
    assert removed["apply_rules", "length"] > 0
    assert removed["extract_documents", "too_few_han"] is None


def test_the_report_of_the_sample_is_one_file_that_loads_nothing(sample_output: Output) -> None:
    page = (sample_output.path / "report" / "index.html").read_text(encoding="utf-8")
    parsed = Parsed(page)
    assert {name for name, _ in parsed.elements} <= ELEMENTS
    assert {key for _, attributes in parsed.elements for key in attributes} <= ATTRIBUTES
    assert len(page) < 1_000_000
    changed = {row["key"] for row in facts_of(sample_output.path)["changed_settings"]}
    assert "select.jsonl" in changed


@pytest.fixture
def other(sample_output: Output, tmp_path: Path) -> Path:
    """The sample's output with another threshold."""
    output = shutil.copytree(sample_output.path, tmp_path / "other")
    assert run_pipeline.main(["--output", str(output), "--set", "select.min_quality=0.99"]) == 0
    return output


@pytest.mark.slow
def test_two_runs_that_differ_in_one_threshold(
    sample_output: Output, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    call = ["--output", str(other), "--against", str(sample_output.path)]
    assert report_run.main(call) == 0
    said = capsys.readouterr().out.splitlines()
    before, after = facts_of(sample_output.path), facts_of(other)
    moved = before["corpus"]["rows"] - after["corpus"]["rows"]
    documents = sum(row["rows"] for row in before["charsets"])
    assert moved > 0
    at = next(n for n, line in enumerate(said) if "ended elsewhere" in line)
    assert said[at].startswith(f"{moved:,} of {documents:,} documents ended elsewhere")
    assert said[at].endswith(f"compared with {sample_output.path}")
    assert said[at + 1].split() == [str(moved), "kept", "->", "select_corpus/low_quality"]
    assert said[at + 2] == "differs: select.min_quality is 0.99, was 0.5 (select_corpus)"
    page = (other / "report" / "against.html").read_text(encoding="utf-8")
    parsed = Parsed(page)
    shown = "".join(parsed.texts)
    assert "Most went from kept to select_corpus/low_quality" in shown
    below = sample_output.table("corpus").where("quality_score < 0.99").select("doc_id").collect()
    samples = {row.doc_id for row in below if row.doc_id in shown}
    assert len(samples) == min(3, moved)
    assert report_run.main(call) == 0  # nothing to do but to compare
    assert (other / "report" / "against.html").read_text(encoding="utf-8") == page


def test_another_output_is_checked_before_work(tmp_path: Path) -> None:
    texts = tmp_path / "a.jsonl"
    texts.write_text(json.dumps({"text": "水"}) + "\n", encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()

    def refused(against: Path) -> str:
        with pytest.raises(ConfigError) as error:
            prepare(
                REPORT,
                [
                    *("--config", str(LOCAL_CONFIG), "--input", str(texts)),
                    *("--output", str(tmp_path / "out"), "--against", str(against)),
                ],
            )
        return str(error.value)

    assert refused(tmp_path / "out").endswith("this is the output itself")
    assert "no run.json there" in refused(other)
    (other / "run.json").write_text("{", encoding="utf-8")
    assert "cannot be read" in refused(other)
    (other / "run.json").write_text("{}", encoding="utf-8")
    assert "not the facts of a run" in refused(other)
