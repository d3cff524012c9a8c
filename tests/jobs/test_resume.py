"""Waves, resuming and failing: what is whole stays, what is missing is done, nothing is half."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs import apply_rules, extract_documents, find_duplicates, run_pipeline
from jobs.pipeline import extraction_wave
from jobs.run.ledger import BalanceOpen
from jobs.run.store import Store
from tests.jobs.conftest import LOCAL_CONFIG


def rows(count: int, start: int = 0) -> str:
    text = "山里的溪水在春天涨了起来，村里的人沿着石阶去看水。" * 12
    return "".join(
        json.dumps({"id": f"row-{n}", "text": f"第{n}篇。{text}"}, ensure_ascii=False) + "\n"
        for n in range(start, start + count)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows")
    for name, start in (("a", 0), ("b", 3), ("c", 6)):
        (path / f"{name}.jsonl").write_text(rows(3, start), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def extracted_once(
    spark: SparkSession, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    output = tmp_path_factory.mktemp("extracted") / "out"
    assert extract_documents.main(arguments(folder, output)) == 0
    return output


@pytest.fixture
def extracted(extracted_once: Path, tmp_path: Path) -> Path:
    """An output of three waves, for one test alone."""
    output = tmp_path / "out"
    shutil.copytree(extracted_once, output)
    return output


def arguments(folder: Path, output: Path, *settings: str) -> list[str]:
    common = ["--config", str(LOCAL_CONFIG), "--input", str(folder), "--input-format", "jsonl"]
    may_be_empty = ["--set", "run.wave_splits=1", "run.allow_empty=true"]
    return [*common, "--output", str(output), *may_be_empty, *settings]


def modified(output: Path, table: str) -> dict[str, int]:
    return {
        str(path.relative_to(output)): path.stat().st_mtime_ns
        for path in (output / table).rglob("*.parquet")
    }


def test_a_rerun_does_nothing_and_new_files_go_to_new_waves(
    spark: SparkSession, folder: Path, extracted: Path, tmp_path: Path
) -> None:
    output = extracted
    before = modified(output, "documents")
    assert len({Path(path).parent for path in before}) == 3
    assert extract_documents.main(arguments(folder, output)) == 0
    assert modified(output, "documents") == before

    more = tmp_path / "aa.jsonl"
    more.write_text(rows(2, 20), encoding="utf-8")
    assert extract_documents.main([*arguments(folder, output), "--input", str(more)]) == 0
    after = modified(output, "documents")
    assert {path: after[path] for path in before} == before
    assert spark.read.parquet(str(output / "documents")).count() == 11


def test_a_wave_without_a_commit_is_done_again_alone(
    spark: SparkSession, folder: Path, extracted: Path
) -> None:
    output = extracted
    before = modified(output, "documents")
    (output / "_commits" / "extract_documents" / "wave-00001.json").unlink()
    assert extract_documents.main(arguments(folder, output)) == 0
    after = modified(output, "documents")
    kept = {path for path in before if "wave=00001" not in path}
    assert kept == set(before) & set(after)
    assert spark.read.parquet(str(output / "documents")).count() == 9


def test_another_setting_runs_only_the_stages_it_touches(
    spark: SparkSession, folder: Path, extracted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = extracted
    assert apply_rules.main(arguments(folder, output)) == 0
    documents, flagged = modified(output, "documents"), modified(output, "flagged")
    rejects_all = arguments(folder, output, "rules.min_chars=100000")
    assert apply_rules.main([*rejects_all, "run.allow_empty=false"]) == 3
    assert "apply_rules kept none of" in capsys.readouterr().err
    assert apply_rules.main(rejects_all) == 0
    assert modified(output, "documents") == documents
    assert set(modified(output, "flagged")).isdisjoint(flagged)
    reasons = spark.read.parquet(str(output / "flagged")).select("reject_reasons").distinct()
    assert [row.reject_reasons[0] for row in reasons.collect()] == ["length"]


def test_a_failing_stage_exits_with_1_and_commits_nothing(
    spark: SparkSession,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"

    def open_balance(*_: object) -> int:
        raise BalanceOpen("one record is missing")

    with monkeypatch.context() as patched:
        patched.setattr(extraction_wave, "close_ledger", open_balance)
        assert run_pipeline.main(arguments(folder, output)) == 1
    assert "one record is missing" in capsys.readouterr().err
    assert Store.at(str(output)).commits("extract_documents") == {}
    assert extract_documents.main(arguments(folder, output)) == 0
    assert len(Store.at(str(output)).commits("extract_documents")) == 3


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_tables_made_from_older_ones_are_not_taken(
    folder: Path, extracted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = extracted
    assert apply_rules.main(arguments(folder, output)) == 0
    keeps_all = "extract.min_language_score=off"
    assert extract_documents.main(arguments(folder, output, keeps_all)) == 0
    assert find_duplicates.main(arguments(folder, output, keeps_all)) == 1
    assert "apply_rules, wave 1 was made from older tables" in capsys.readouterr().err


def test_files_of_another_format_may_join_and_leave_the_others_alone(
    spark: SparkSession, extracted: Path, tmp_path: Path
) -> None:
    output = extracted
    before = modified(output, "documents")
    other = tmp_path / "other"
    other.mkdir()
    table = pa.table({"id": ["from-parquet"], "text": [json.loads(rows(1))["text"]]})
    pq.write_table(table, other / "rows.parquet")
    again = arguments(other, output)
    again[again.index("jsonl")] = "parquet"
    assert extract_documents.main(again) == 0
    after = modified(output, "documents")
    assert {path: after[path] for path in before} == before
    assert spark.read.parquet(str(output / "documents")).count() == 10


def test_another_format_for_a_planned_file_is_refused(folder: Path, extracted: Path) -> None:
    again = arguments(folder, extracted)
    again[again.index("jsonl")] = "parquet"
    assert extract_documents.main(again) == 2


def text_of(number: int) -> str:
    """Texts that share words, and no long part."""
    dice = random.Random(number)
    who = ["村里的老人", "新来的医生", "放学的孩子", "远方的朋友", "守林的青年", "卖花的姑娘"]
    where = ["沿着石阶", "在火车站旁", "走过长桥", "坐在图书馆里", "对着群山", "靠着窗台"]
    what = ["看见春天的溪水涨起来", "说起去年冬天的大雪", "想念小时候的米饭香", "画下落日与归鸟"]
    lines = (f"{dice.choice(who)}{dice.choice(where)}{dice.choice(what)}。" for _ in range(24))
    return "\n".join(lines)


def written(path: Path, *ids: tuple[str, int]) -> None:
    lines = (json.dumps({"id": i, "text": text_of(n)}, ensure_ascii=False) for i, n in ids)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.slow
def test_a_wave_is_scored_again_when_deduplication_removes_more_of_it(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    written(folder / "a.jsonl", ("m1", 1), ("m2", 2))
    assert run_pipeline.main(arguments(folder, output, "select.min_quality=off")) == 0
    scores = output / "scores" / "quality" / "wave=00000"
    before = {path.name: path.stat().st_mtime_ns for path in scores.glob("*.parquet")}

    written(folder / "b.jsonl", ("m3", 3))
    capsys.readouterr()
    assert run_pipeline.main(arguments(folder, output, "select.min_quality=off")) == 0
    assert "score_quality, wave 1 of 2: scored already" in capsys.readouterr().err
    assert {path.name: path.stat().st_mtime_ns for path in scores.glob("*.parquet")} == before
    assert spark.read.parquet(str(output / "corpus")).count() == 3

    written(folder / "c.jsonl", ("a0", 1))  # the smaller id stays, m1 goes
    assert run_pipeline.main(arguments(folder, output, "select.min_quality=off")) == 0
    error = capsys.readouterr().err
    assert "score_quality, wave 1 of 3: scored already" not in error
    assert "score_quality, wave 2 of 3: scored already" in error
    assert [row.doc_id for row in spark.read.parquet(str(scores)).collect()] == ["m2"]
    ids = {row.doc_id for row in spark.read.parquet(str(output / "corpus")).collect()}
    assert ids == {"a0", "m2", "m3"}
