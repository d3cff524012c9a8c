"""Varieties from documents to corpus: scored, in the corpus row, others left out and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from jobs import run_pipeline, score_documents
from tests.jobs.conftest import ROOT
from tests.udfs.scorers.test_variety import CANTONESE, MANDARIN

TEXTS = {"yue": CANTONESE, "cmn": MANDARIN}
SETTINGS = (
    *("extract.languages=[]", "extract.min_language_score=off", "rules.pack=off"),
    *("rules.traditional_policy=keep", "rules.min_chars=off", "dedup.levels=[]"),
    *("select.min_quality=off", "rules.max_dup_13gram_share=off"),
)


def arguments(folder: Path, *settings: str) -> list[str]:
    return [
        *("--config", str(ROOT / "conf" / "variety.toml"), "--input", str(folder / "rows.jsonl")),
        *("--output", str(folder / "out"), "--yes", "--set", *SETTINGS, *settings),
    ]


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline run that keeps one variety."""
    folder = tmp_path_factory.mktemp("variety")
    lines = (json.dumps({"id": name, "text": text}) + "\n" for name, text in TEXTS.items())
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    assert run_pipeline.main(arguments(folder, 'select.varieties=["yue_Hani"]')) == 0
    return folder


def rows(spark: SparkSession, folder: Path, name: str) -> dict[str, Row]:
    return {row.doc_id: row for row in spark.read.parquet(str(folder / "out" / name)).collect()}


def test_a_wanted_variety_is_kept_and_others_have_a_reason(
    spark: SparkSession, folder: Path
) -> None:
    scores = rows(spark, folder, "scores/variety")
    assert {name: row.label for name, row in scores.items()} == {"yue": "yue_Hani", "cmn": "other"}
    corpus = rows(spark, folder, "corpus")
    assert corpus.keys() == {"yue"}
    assert corpus["yue"].variety.word_share == scores["yue"].word_share > 0.1
    rejected = rows(spark, folder, "rejected")
    assert {name: list(row.reasons) for name, row in rejected.items()} == {
        "cmn": ["unwanted_variety"]
    }
    report = json.loads((folder / "out/run.json").read_text(encoding="utf-8"))
    assert report["varieties"] == [{"variety": "yue_Hani", "rows": 1, "characters": len(CANTONESE)}]


def test_a_variety_that_is_not_listed_ends_the_command_before_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(folder, 'variety.wanted=["nan_Hani"]', "select.varieties=[]")
    assert score_documents.main(given) == 2
    assert "no word of 'nan_Hani'; it has words of" in capsys.readouterr().err
