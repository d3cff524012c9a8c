"""The table audit of a run over the sample: what its rows say is what the tables have."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs import report_run
from jobs.audit import tables as audit_tables
from jobs.audit.samples import sampled_rows
from jobs.catalogue.lock import load_lock
from jobs.config import load_config
from jobs.pipeline.request_file import read_request
from jobs.pipeline.stages import STAGES
from jobs.run.request import Run
from jobs.run.splits import planned_waves
from jobs.run.store import Store
from jobs.tables import AUDIT, schema_of
from tests.jobs.conftest import LOCAL_CONFIG, Output

FIELDS = schema_of(AUDIT).fieldNames()


def run_of(output: Path, *settings: str) -> Run:
    store = Store.at(str(output))
    config = load_config(LOCAL_CONFIG, settings, read_request(store).settings)
    lock = load_lock(config, LOCAL_CONFIG)
    return Run(config, LOCAL_CONFIG, store, planned_waves(store), lock, STAGES)


@pytest.fixture(scope="module")
def rows(sample_output: Output) -> list[dict[str, Any]]:
    store = Store.at(str(sample_output.path))
    store._check_columns(sample_output.spark, AUDIT, -1)
    return [{name: row[name] for name in FIELDS} for row in store.rows(AUDIT, FIELDS)]


def test_every_stage_and_reason_has_a_sample(
    sample_output: Output, rows: list[dict[str, Any]]
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for row in sample_output.table("rejected").collect():
        counts.update((row.stage, reason) for reason in row.reasons)
    assert counts
    found = Counter(
        (row["stage"], row["reason"]) for row in rows if row["kind"] in ("rejected", "near_pair")
    )
    assert found == {group: min(count, 5) for group, count in counts.items()}
    kinds = Counter(row["kind"] for row in rows)
    assert (kinds["kept"], kinds["borderline"]) == (5, 5)
    places = {(row["stage"], row["reason"], row["kind"]) for row in rows if row["place"] == 0}
    assert len(places) == len({(row["stage"], row["reason"], row["kind"]) for row in rows})


def test_rows_have_text_numbers_and_marks(
    sample_output: Output, rows: list[dict[str, Any]]
) -> None:
    for row in rows:
        assert 0 < len(row["text"]) <= 600 and row["text_chars"] >= len(row["text"])
        for marks, text in (("marks", "text"), ("other_marks", "other_text")):
            for mark in row[marks]:
                assert 0 <= mark["start"] < mark["start"] + mark["length"] <= len(row[text])
    measures = {row.doc_id: row.measures for row in sample_output.table("measures").collect()}
    by_reason = {row["reason"]: row for row in rows if row["stage"] == "apply_rules"}
    short = by_reason["length"]
    assert {"chars", "mean_line_chars"} >= {one["name"] for one in short["numbers"]}
    for number in short["numbers"]:
        assert number["value"] == measures[short["doc_id"]][number["name"]]
        assert number["limit"] in ("< 200", "< 10")
    words = [row for row in rows if row["reason"] == "gambling_or_pornography"]
    assert words
    for row in words:
        marked = {row["text"][m["start"] : m["start"] + m["length"]] for m in row["marks"]}
        assert marked and marked <= set(measures[row["doc_id"]].sensitive_words)
        assert {m["what"] for m in row["marks"]} <= {"gambling", "pornography"}


def test_near_pairs_stand_beside_each_other(
    sample_output: Output, rows: list[dict[str, Any]]
) -> None:
    near = {
        row.doc_id: row
        for row in sample_output.table("duplicates").where("kind = 'near'").collect()
    }
    pairs = [row for row in rows if row["kind"] == "near_pair"]
    assert pairs
    for row in pairs:
        assert row["other_doc_id"] == near[row["doc_id"]].kept_doc_id
        assert row["other_text"] and (row["marks"] or row["other_marks"])
        assert row["numbers"][0] == {
            "name": "similarity",
            "value": near[row["doc_id"]].similarity,
            "limit": ">= 0.8",
        }


def test_borderline_keeps_are_those_just_above_the_limit(
    sample_output: Output, rows: list[dict[str, Any]]
) -> None:
    lowest = sample_output.table("corpus").orderBy("quality_score").limit(5).collect()
    found = [row for row in rows if row["kind"] == "borderline"]
    assert [row["numbers"][0]["value"] for row in found] == [row.quality_score for row in lowest]
    corpus = {row.doc_id: row.text for row in sample_output.table("corpus").collect()}
    assert all(corpus[row["doc_id"]].startswith(row["text"]) for row in found)


def test_toxic_documents_are_marked_at_their_worst_span(
    sample_output: Output, rows: list[dict[str, Any]]
) -> None:
    scored = {row.doc_id: row for row in sample_output.table("scores/toxicity").collect()}
    toxic = [row for row in rows if row["kind"] == "toxic"]
    assert len(toxic) == min(5, sum(row.label for row in scored.values())) > 0
    for row in toxic:
        (mark,) = row["marks"]
        assert mark["what"] == "toxic"
        assert mark["length"] == min(scored[row["doc_id"]].worst_length, 600 - mark["start"])


def test_spark_finds_the_rows_that_the_driver_finds(
    spark: SparkSession,
    sample_output: Output,
    rows: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit_tables, "fit_driver", lambda run, waves: False)
    found = sampled_rows(spark, run_of(sample_output.path))
    assert [{name: row[name] for name in FIELDS} for row in found] == rows


def test_another_seed_takes_others_and_none_are_taken_where_samples_are_off(
    spark: SparkSession, sample_output: Output, rows: list[dict[str, Any]]
) -> None:
    other = sampled_rows(spark, run_of(sample_output.path, "audit.seed=5", "audit.samples=2"))
    kept = [row["doc_id"] for row in other if row["kind"] == "kept"]
    assert len(kept) == 2 and kept != [row["doc_id"] for row in rows if row["kind"] == "kept"][:2]


def test_samples_are_a_setting_of_the_report(
    sample_output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--config", str(LOCAL_CONFIG), "--output", str(sample_output.path), "--plan")
    assert report_run.main([*given, "--set", "audit.samples=0"]) == 0
    assert "audit.samples is 0, was 5" in capsys.readouterr().out
    remembered = tomllib.loads((sample_output.path / "request.toml").read_text(encoding="utf-8"))
    assert remembered["audit"] == {"samples": 5, "seed": 0, "max_chars": 600}
