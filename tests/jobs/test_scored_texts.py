"""score_documents --with-text: texts with their scores beside them, never older than the scores."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.testing import assertDataFrameEqual

from jobs import score_documents
from jobs.config.scorers import declared
from jobs.run.store import Store
from jobs.tables import SCORED_TEXTS, check_schema
from tests.jobs.conftest import LOCAL_CONFIG

TEXT = "第{n}号水库在春天放水，村里的人沿着石阶去看，孩子们数着水里的鱼。" * 10


def written(path: Path, *numbers: int) -> None:
    lines = (
        json.dumps({"id": str(n), "text": TEXT.format(n=n), "url": f"http://a.cn/{n}"})
        for n in numbers
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.slow
def test_texts_have_their_scores_beside_them(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    written(folder / "a.jsonl", 1, 2, 3)
    command = ["--config", str(LOCAL_CONFIG), "--output", str(output), "--input", str(folder)]
    command += ["--input-format", "jsonl", "--scorer", "quality"]

    assert score_documents.main(command) == 0
    assert not (output / SCORED_TEXTS).exists()
    assert "--with-text writes both" in capsys.readouterr().out
    assert score_documents.main([*command, "--with-text"]) == 0
    said = capsys.readouterr()
    assert "score_documents: done" not in said.err  # no text is scored again
    assert "scored_texts: done, 3 seen" in said.err
    assert re.search(rf"^scored_texts +3  {output}/scored_texts$", said.out, re.M)
    assert_beside(spark, output, 3)

    written(folder / "b.jsonl", 4)
    more = [*command, "--scorer", "toxicity"]
    assert score_documents.main(more) == 0  # the output remembers --with-text
    assert_beside(spark, output, 4, "toxicity")
    assert score_documents.main(command) == 0  # and keeps scores that are left out
    assert_beside(spark, output, 4, "toxicity")
    capsys.readouterr()
    assert score_documents.main(command) == 0
    assert "nothing to do" in capsys.readouterr().err

    again = [*more, "--set", "score.with_text=false", "score.rows=all"]
    assert score_documents.main(again) == 2
    assert "delete scored_texts" in capsys.readouterr().err
    assert_beside(spark, output, 4, "toxicity")
    assert score_documents.main([*again, "--yes"]) == 0
    assert not (output / SCORED_TEXTS).exists()
    assert Store.at(str(output)).commits(SCORED_TEXTS) == {}


def assert_beside(spark: SparkSession, output: Path, rows: int, *others: str) -> None:
    """The table has the documents, and the scores of quality and of other scorers."""
    table = spark.read.parquet(str(output / SCORED_TEXTS)).drop("wave")
    check_schema(table.schema, SCORED_TEXTS)
    assert table.count() == rows
    documents = spark.read.parquet(str(output / "documents"))
    assertDataFrameEqual(
        table.select("doc_id", "url", "text"), documents.select("doc_id", "url", "text")
    )
    for name, scorer in declared().items():
        fields = scorer.result_type.fieldNames()
        found = table.where(table[name].isNotNull()).select("doc_id", f"{name}.*")
        if name not in ("quality", *others):
            assert found.count() == 0
            continue
        scores = spark.read.parquet(str(output / "scores" / name))
        assertDataFrameEqual(found, scores.select("doc_id", *fields))
