"""The last words of a command: counts, tables with their rows, and what to type next."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.pipeline.command_line import prepare
from jobs.pipeline.stages import (
    EXTRACT,
    PAIR_SELECTION,
    PIPELINE,
    PLAN,
    REPORT,
    SCORE,
    SELECT,
    running_order,
    stages_of,
)
from jobs.run.commits import Balance, Basis, commit_of
from jobs.run.request import Run, Stage
from jobs.run.results import results_text
from jobs.run.store import WHOLE
from tests.jobs.conftest import LOCAL_CONFIG


@pytest.fixture
def run(tmp_path: Path) -> Run:
    texts = tmp_path / "a.jsonl"
    texts.write_text(json.dumps({"text": "水"}) + "\n", encoding="utf-8")
    output = str(tmp_path / "my corpus")
    request = [*("--input", str(texts), "--output", output), *("--config", str(LOCAL_CONFIG))]
    return prepare(PIPELINE, request).run


def done(run: Run, stage: str, balance: Balance, wave: int = 0) -> None:
    run.store.commit(commit_of(stage, wave, Basis(), balance=balance))


def made(run: Run, *names: str) -> Path:
    root = Path(run.store.root)
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
    return root


def words(run: Run, command: Stage) -> list[str]:
    return results_text(command, running_order(command, run.config), run).splitlines()


def rows_of(lines: list[str]) -> dict[str, list[str]]:
    """Table -> rows and place."""
    at = next(n for n, line in enumerate(lines) if line.startswith("table "))
    rows = [line.split(maxsplit=2) for line in lines[at + 1 :] if " " in line]
    return {name: rest for name, *rest in rows}


def test_scores_are_counted_and_selection_comes_next(run: Run) -> None:
    done(run, "extract_documents", Balance(1300, 1200, {"too_few_han": 100}))
    for name in run.config.score.scorers:
        done(run, f"score_{name}", Balance(1200, 1199, {}, {"unscored": 1}))
    root = made(run, "documents", "scores")
    lines = words(run, SCORE)
    assert lines[1].split() == ["stage", "seen", "kept", "rejected", "failed"]
    assert ["extract_documents", "1,300", "1,200", "100", "0"] in [line.split() for line in lines]
    assert ["score_quality", "1,200", "1,199", "0", "1"] in [line.split() for line in lines]
    found = rows_of(lines)
    assert found["scores/quality"] == ["1,200", f"{root}/scores/quality"]
    assert "documents" not in found and "scored_texts" not in found
    assert any("doc_id" in line and "--with-text" in line for line in lines)
    assert lines[-1] == (
        f"next  python -m jobs.select_corpus --config {LOCAL_CONFIG} --output '{root}'"
    )


def test_a_whole_run_names_its_results_and_ends_with_the_corpus(run: Run) -> None:
    done(run, "apply_rules", Balance(70, 61, {"length": 9}))
    done(run, "find_duplicates", Balance(61, 58, {"near": 3}), WHOLE)
    done(run, "select_corpus", Balance(58, 57, {"low_quality": 1}), WHOLE)
    root = made(run, "documents", "flagged", "corpus", "rejected", "report")
    lines = words(run, PIPELINE)
    found = rows_of(lines)
    assert found["corpus"] == ["57", f"{root}/corpus"]
    assert found["rejected"] == ["13", f"{root}/rejected"]
    assert found["report/index.html"] == ["-", f"{root}/report/index.html"]
    assert f"also in {root}: documents, flagged" in lines
    assert not any(line.startswith("stage ") for line in lines)  # the report's summary has them
    assert f"pandas.read_parquet('{root}/corpus')" in lines[-2]
    assert lines[-1].endswith("--set select.min_quality=0.9")
    assert words(run, REPORT)[-1] == lines[-1]


def test_rows_that_no_commit_counts_are_those_of_the_files(run: Run) -> None:
    root = made(run, "documents", "read_failures/wave=00000", "read_failures/wave=00001")
    for wave, rows in ((0, 3), (1, 4)):
        table = pa.table({"reason": ["cut"] * rows})
        pq.write_table(table, root / "read_failures" / f"wave={wave:05d}" / "a.parquet")
    done(run, "extract_documents", Balance(10, 3, {}, {"cut": 7}))
    found = rows_of(words(run, EXTRACT))
    assert (found["documents"][0], found["read_failures"][0]) == ("3", "7")


def test_without_tables_only_the_next_command_is_named(run: Run) -> None:
    lines = words(run, PLAN)
    assert not any(line.startswith(("stage", "table")) for line in lines)
    assert "jobs.extract_documents" in lines[-1]


def test_under_spark_submit_the_next_command_is_one_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert "next  spark-submit jobs/report_run.py --config" in words(run, SELECT)[-1]


def test_a_named_selection_has_its_own_tables_counts_and_next_command(run: Run) -> None:
    named = replace(run, selections={"select_corpus": "law"})
    done(run, "apply_rules", Balance(70, 61, {"length": 9}))
    done(run, "find_duplicates", Balance(61, 58, {"near": 3}), WHOLE)
    done(run, "select_corpus", Balance(58, 57, {"low_quality": 1}), WHOLE)
    done(run, "select_corpus@law", Balance(58, 20, {"unwanted_domain": 38}), WHOLE)
    root = made(run, "corpus", "rejected", "corpora/law/corpus", "corpora/law/rejected")
    lines = words(named, SELECT)
    found = rows_of(lines)
    assert found["corpora/law/corpus"] == ["20", f"{root}/corpora/law/corpus"]
    assert found["corpora/law/rejected"] == ["50", f"{root}/corpora/law/rejected"]
    assert not {"corpus", "corpora/law/corpus_jsonl"} & found.keys()
    assert any(line.startswith("select_corpus@law") for line in lines)
    assert f"pandas.read_parquet('{root}/corpora/law/corpus')" in lines[-2]
    assert lines[-1].endswith("--name law --set select.min_quality=0.9")


def test_a_named_selection_of_pairs_leaves_the_corpus_to_the_default_one(run: Run) -> None:
    extract = replace(run.config.extract, pairs=True)
    config = replace(run.config, extract=extract)
    named = replace(
        run, config=config, stages=stages_of(config), selections={"select_pairs": "noc"}
    )
    done(run, "select_corpus", Balance(58, 57, {"low_quality": 1}), WHOLE)
    done(run, "select_pairs", Balance(90, 40, {"no_text": 50}), WHOLE)
    done(run, "select_pairs@noc", Balance(90, 30, {"no_text": 50, "low_alignment": 10}), WHOLE)
    own = "pair_selections/noc"
    root = made(run, "corpus", "selected_pairs", f"{own}/selected_pairs", f"{own}/rejected_pairs")
    lines = words(named, PAIR_SELECTION)
    found = rows_of(lines)
    assert found[f"{own}/selected_pairs"] == ["30", f"{root}/{own}/selected_pairs"]
    assert found[f"{own}/rejected_pairs"] == ["60", f"{root}/{own}/rejected_pairs"]
    assert not {"selected_pairs", "corpus"} & found.keys()
    stages = [line.split()[0] for line in lines if line.startswith("select_")]
    assert stages == ["select_corpus", "select_pairs@noc"]
    assert f"pandas.read_parquet('{root}/{own}/selected_pairs')" in lines[-2]
    assert "jobs.pairs.release_pairs" in lines[-1]
    assert lines[-1].endswith(f"--from '{root}' --name noc --output URI")
