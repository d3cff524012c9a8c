"""Harmful-text perplexity from WARC to corpus: scored, rejected, left out, by an own model."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from jobs import run_pipeline, score_documents, select_corpus
from tests.builders.warc_files import written_by_warcio
from tests.jobs.conftest import LOCAL_CONFIG, ROOT
from udfs.models.char_lm_file import arpa_text, read_language_model
from udfs.scorers.perplexity import PerplexitySettings

pytestmark = pytest.mark.slow  # a whole pipeline

LINES = {
    "spam": "澳门金沙娱乐城注册送彩金，百家乐、老虎机、时时彩投注平台开户，皇冠现金网第{}期。",
    "article": "昨天下午，市教育局的工作人员来到第{}小学，介绍新学期的课程安排和作息时间。",
}
BUNDLED = ROOT / "conf" / "artifacts" / "perplexity"


def page(kind: str) -> bytes:
    text = "".join(f"<p>{LINES[kind].format(number)}</p>" for number in range(10))
    return f"<html><head><title>{kind}</title></head><body>{text}</body></html>".encode()


def arguments(folder: Path, *settings: str) -> list[str]:
    return [
        *("--config", str(LOCAL_CONFIG), "--input", str(folder / "a.warc.gz")),
        *("--output", str(folder / "out"), "--set", "rules.pack=off", "dedup.levels=[]"),
        *("rules.max_dup_13gram_share=off", "rules.max_sensitive_per_line=off"),
        *("select.min_quality=off", "select.min_perplexity=off", *settings),
    ]


def corpus(spark: SparkSession, folder: Path) -> dict[str, Row]:
    return {row.title: row for row in spark.read.parquet(str(folder / "out/corpus")).collect()}


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline run over two pages."""
    folder = tmp_path_factory.mktemp("perplexity")
    (folder / "a.warc.gz").write_bytes(written_by_warcio(map(page, LINES)))
    assert run_pipeline.main(arguments(folder)) == 0
    return folder


def test_every_document_is_measured_and_flagged(spark: SparkSession, folder: Path) -> None:
    rows = corpus(spark, folder)
    assert rows.keys() == LINES.keys()
    limit = PerplexitySettings().max_perplexity
    assert rows["spam"].harmful.perplexity < 0.7 < limit < rows["article"].harmful.perplexity <= 1
    assert [rows[kind].harmful.flagged for kind in LINES] == [True, False]
    table = spark.read.parquet(str(folder / "out/scores/perplexity")).collect()
    assert {row.doc_id: row.perplexity for row in table} == {
        row.doc_id: row.harmful.perplexity for row in rows.values()
    }
    assert {row.artifact.partition("+")[0] for row in table} == {"perplexity@1"}


def test_the_corpus_may_be_without_what_is_flagged(spark: SparkSession, folder: Path) -> None:
    assert select_corpus.main(arguments(folder, "select.min_perplexity=0.9")) == 0
    assert corpus(spark, folder).keys() == {"article"}
    (row,) = spark.read.parquet(str(folder / "out/rejected")).collect()
    assert (row.stage, row.reasons) == ("select_corpus", ["low_perplexity"])


def test_the_corpus_does_not_need_it(
    spark: SparkSession, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    three = 'score.scorers=["quality", "domain", "toxicity"]'
    assert select_corpus.main(arguments(folder, three)) == 0
    assert [row.harmful for row in corpus(spark, folder).values()] == [None, None]
    assert select_corpus.main(arguments(folder, three, "select.min_perplexity=0.9")) == 2
    assert "select.min_perplexity = 0.9: score.scorers" in capsys.readouterr().err


def test_an_arpa_file_of_ones_own_may_score(
    spark: SparkSession, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arpa = folder / "own.arpa"
    arpa.write_text(arpa_text(read_language_model(BUNDLED / "harmful.ng")), encoding="utf-8")
    mine = (f"perplexity.artifact={arpa}", "perplexity.plain=off", "perplexity.max_perplexity=200")
    only = ("--scorer", "perplexity")
    assert score_documents.main([*arguments(folder, *mine), *only]) == 0
    table = spark.read.parquet(str(folder / "out/scores/perplexity")).collect()
    low, high = sorted(row.perplexity for row in table)
    assert 1 < low < 200 < high
    assert {row.flagged: row.perplexity for row in table} == {True: low, False: high}
    assert {row.artifact.partition("+")[0] for row in table} == {"own.arpa@local"}
    arpa.write_text(arpa.read_text("utf-8").replace("\\end\\", ""), encoding="utf-8")
    assert score_documents.main([*arguments(folder, *mine), *only]) == 2
    assert "own.arpa: ends before" in capsys.readouterr().err
