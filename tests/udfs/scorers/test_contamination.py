"""Scorer contamination: its records, and the same ones in batches of any size."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.jobs.conftest import ROOT
from udfs.files.artifacts import ArtifactFile, sha256_of
from udfs.models.benchmark_index import BenchmarkIndex, Question, index_bytes, load_index
from udfs.scorers.contamination import (
    CONTAMINATION,
    MAX_MATCHES,
    RESULT_TYPE,
    ContaminationLimits,
    ContaminationSettings,
    contamination_scorer,
    score_contamination,
)
from udfs.scorers.scorer import Documents
from udfs.scorers.scoring import score_texts, scoring_udf

STEM = "企业提供的下列劳务中，属于增值税视同销售货物的是哪一项？"
PROSE = "江边的旧码头改成了步道，傍晚有人在那里散步，也有人坐着看船。"
TEXTS = ["", PROSE, f"{PROSE}\n{STEM}\n{PROSE}", STEM, PROSE * 30 + STEM, f"{STEM}{PROSE}{STEM}"]


@pytest.fixture
def index_file(tmp_path: Path) -> Path:
    path = tmp_path / "test.index"
    path.write_bytes(index_bytes(["tax.jsonl"], [Question(0, "q-9", (STEM, "甲"))], 13, 13))
    return path


def test_a_record_says_what_is_found_and_where(index_file: Path) -> None:
    records = score_contamination(Documents(TEXTS), load_index(index_file))
    size, prose = len(STEM), len(PROSE)
    assert [record["matched"] for record in records] == [False, False, True, True, True, True]
    assert all(list(record) == RESULT_TYPE.fieldNames() for record in records)
    assert records[0] == records[1] | {"chars_left": 0}
    assert records[2] == {
        "matched": True,
        "matched_chars": size,
        "share": size / len(TEXTS[2]),
        "chars_left": 2 * prose + 2,
        "questions": 1,
        "matches": [{"benchmark": "tax.jsonl", "question": "q-9", "share": 1.0}],
        "spans": [{"start": prose + 1, "length": size}],
    }
    assert (records[3]["share"], records[3]["chars_left"]) == (1.0, 0)
    assert [span["start"] for span in records[5]["spans"]] == [0, size + prose]


def test_many_questions_are_counted_and_the_longest_named(tmp_path: Path) -> None:
    texts = [
        "".join(chr(0x5000 + 211 * n + k) for k in range(20 + n % 7))
        for n in range(MAX_MATCHES + 9)
    ]
    questions = [Question(0, str(n), (text,)) for n, text in enumerate(texts)]
    path = tmp_path / "test.index"
    path.write_bytes(index_bytes(["a.txt"], questions, 13, 13))
    (record,) = score_contamination(["\n".join(texts)], load_index(path))
    assert record["questions"] == len(texts)
    order = sorted(range(len(texts)), key=lambda n: (-len(texts[n]), n))[:MAX_MATCHES]
    assert [match["question"] for match in record["matches"]] == [str(n) for n in order]


def test_records_do_not_depend_on_the_batch(index_file: Path) -> None:
    index: BenchmarkIndex = load_index(index_file)
    whole = score_contamination(TEXTS, index)
    assert [score_contamination([text], index)[0] for text in TEXTS] == whole
    assert score_contamination(TEXTS[::-1], index) == whole[::-1]


def test_a_null_text_has_no_record(index_file: Path) -> None:
    scorer = contamination_scorer(ArtifactFile("contamination", "local", "test.index", "0"))
    texts = pd.Series([None, STEM, None], dtype=object)
    frame = score_texts(texts, [scorer], [load_index(index_file)])
    found = frame["contamination"].tolist()
    assert (found[0], found[2]) == (None, None) and found[1]["matched"]


def test_a_column_of_texts_is_scored(spark: SparkSession, index_file: Path) -> None:
    spark.sparkContext.addFile(str(index_file))
    artifact = ArtifactFile("contamination", "local", index_file.name, sha256_of(index_file))
    rows = list(enumerate([*TEXTS, None]))
    expected = [*score_contamination(TEXTS, load_index(index_file)), None]
    for partitions in (1, 4):
        frame = spark.createDataFrame(rows, "number int, text string").repartition(partitions)
        result = scoring_udf([contamination_scorer(artifact)])("text", F.lit(None).cast("string"))
        found = frame.select("number", result["contamination"].alias("record")).collect()
        by_number = {
            row.number: None if row.record is None else row.record.asDict(recursive=True)
            for row in found
        }
        assert [by_number[number] for number, _ in rows] == expected


def test_it_runs_where_benchmarks_are_named() -> None:
    assert not CONTAMINATION.runs_anyway(ContaminationSettings())
    assert CONTAMINATION.runs_anyway(ContaminationSettings(benchmarks=("a.jsonl",)))
    for policy in ("cut", "reject"):
        limits = ContaminationLimits(contamination=policy)  # type: ignore[arg-type]
        assert CONTAMINATION.limits_in_use(limits) == ["contamination"]
        assert CONTAMINATION.passages is not None
        assert CONTAMINATION.passages.is_on(limits) == (policy == "cut")
    assert CONTAMINATION.limits_in_use(ContaminationLimits()) == []


def test_no_benchmark_is_bundled() -> None:
    assert ContaminationSettings().benchmarks == ()
    assert not list((ROOT / "conf").rglob("*.index"))
