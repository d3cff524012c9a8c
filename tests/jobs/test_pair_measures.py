"""Measures of pairs' texts: beside the image places, with their ledger, and kept by a resume."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.pairs import measure_pairs
from jobs.run.store import Store
from tests.builders.warc_files import written_by_warcio
from tests.jobs.conftest import LOCAL_CONFIG

PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 4
PAGES = [
    f"""<html><body><p>{PROSE}</p><img src="/a.jpg" alt="雨中的老桥与集市">
<img src="/b.jpg" alt="点击查看"><img src="/c.jpg"><p>{PROSE}</p></body></html>""",
    f"<html><body><p>{PROSE}。</p></body></html>",
]


def measure(output: Path, *arguments: str) -> int:
    return measure_pairs.main(["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments])


def test_texts_of_pairs_are_measured_once(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warc, output = tmp_path / "bridge.warc.gz", tmp_path / "out"
    warc.write_bytes(written_by_warcio([page.encode() for page in PAGES]))
    assert measure(output, "--input", str(warc)) == 2
    assert "extract.pairs=true" in capsys.readouterr().err
    wanted = ("--input", str(warc), "--set", "extract.pairs=true")
    assert measure(output, *wanted) == 0
    rows = spark.read.parquet(str(output / "pair_measures")).orderBy("place").collect()
    pairs = spark.read.parquet(str(output / "pairs")).orderBy("place").collect()
    assert [(row.doc_id, row.place) for row in rows] == [(row.doc_id, row.place) for row in pairs]
    assert [row.nouns for row in rows] == [2, 0, None]
    store = Store.at(str(output))
    before = store.commits("measure_pairs")
    assert [(commit.rows, commit.kept, commit.rejected) for commit in before.values()] == [
        (3, 3, {})
    ]

    # Limits are of selections.
    assert measure(output, "--set", "pair_rules.pack=danqing") == 0
    assert store.commits("measure_pairs") == before
    words = tmp_path / "words.tsv"
    words.write_text("其他\t老桥\n", encoding="utf-8")
    assert measure(output, "--set", f"rules.lexicon={words}") == 0
    rows = spark.read.parquet(str(output / "pair_measures")).orderBy("place").collect()
    assert [row.sensitive_words for row in rows] == [["老桥"], [], None]
