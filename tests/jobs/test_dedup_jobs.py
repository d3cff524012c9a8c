"""What decides between duplicates beside their text: earlier snapshots, and scores."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from jobs import find_duplicates, run_pipeline, score_documents
from jobs.config import DedupConfig
from jobs.run.signature_store import open_store
from tests.builders.near_duplicates import random_text
from tests.jobs.conftest import LOCAL_CONFIG

PLAIN = "extract.languages=[]", "extract.min_language_score=off", "extract.min_script_chars=off"


def arguments(folder: Path, name: str, texts: dict[str, str], *settings: str) -> list[str]:
    lines = folder / f"{name}.jsonl"
    rows = ({"id": doc_id, "text": text} for doc_id, text in texts.items())
    lines.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return [
        *("--config", str(LOCAL_CONFIG), "--input", str(lines), "--input-format", "jsonl"),
        *("--output", str(folder / f"out-{name}"), "--set", *PLAIN, *settings),
    ]


def removed(spark: SparkSession, folder: Path, name: str) -> dict[str, Row]:
    rows = spark.read.parquet(str(folder / f"out-{name}" / "duplicates")).collect()
    return {row.doc_id: row for row in rows}


@pytest.mark.slow
def test_a_run_is_matched_against_an_earlier_snapshot(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(1)
    text = random_text(rng, 200)
    first = {"a1": text, "a2": text, "a3": random_text(rng, 200)}
    second = {"b1": text, "b2": random_text(rng, 200)}
    store = f"dedup.signature_store={tmp_path / 'store'}"

    def run(name: str, texts: dict[str, str], *settings: str) -> int:
        mine = (store, f"dedup.snapshot={name}", *settings)
        return find_duplicates.main(arguments(tmp_path, name, texts, *mine))

    assert run("one", first) == 0
    assert run("two", second) == 0
    rows = removed(spark, tmp_path, "two")
    assert {key: (row.kept_doc_id, row.kept_snapshot) for key, row in rows.items()} == {
        "b1": ("a1", "one")
    }
    capsys.readouterr()
    assert run("two", second) == 0
    assert "find_duplicates: done" not in capsys.readouterr().err  # nothing has changed

    # The first is rewritten with other documents: later snapshots have to be matched again.
    assert run("rewritten", {**first, "a0": text}, "dedup.snapshot=one") == 0
    session = open_store(DedupConfig(signature_store=str(tmp_path / "store"), snapshot="two"))
    assert session is not None
    assert (session.place, len(session.earlier)) == (1, 1)
    assert run("two", second) == 0
    assert removed(spark, tmp_path, "two")["b1"].kept_doc_id == "a0"

    capsys.readouterr()
    assert run("three", second, "dedup.bands=14") == 2
    assert "was made with bands = 20, this run has 14" in capsys.readouterr().err


@pytest.mark.slow
def test_the_best_of_duplicates_is_known_before_they_are(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "山里的溪水在春天涨了起来，村里的人沿着石阶去看水。路上有人说今年的雨比去年多。" * 12
    texts = {"d1": text, "d2": text.replace("。路上", "。\n路上"), "d3": text + "\n点击这里"}
    best = ("dedup.keep=best", "rules.pack=off", "rules.max_dup_13gram_share=off")
    command = arguments(tmp_path, "best", texts, *best)
    assert run_pipeline.main(command) == 2
    assert "best needs score.rows = 'all'" in capsys.readouterr().err
    command = [*command, "score.rows=all"]
    assert find_duplicates.main(command) == 1
    assert "needs the scores of quality" in capsys.readouterr().err
    assert run_pipeline.main([*command, "select.min_quality=off"]) == 0
    scores = spark.read.parquet(str(tmp_path / "out-best" / "scores" / "quality")).collect()
    best_first = sorted(scores, key=lambda row: (-row.score, row.doc_id))
    rows = removed(spark, tmp_path, "best")
    assert {row.kept_doc_id for row in rows.values()} == {best_first[0].doc_id}
    assert len(rows) == 2
    facts = json.loads((tmp_path / "out-best" / "run.json").read_text(encoding="utf-8"))
    assert facts["duplicates"]["near_unsettled_buckets"] == 0
    assert score_documents.main(command) == 0
