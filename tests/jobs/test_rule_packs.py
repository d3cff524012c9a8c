"""Rules that change after texts were measured, and conditions that cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import apply_rules, run_pipeline
from jobs.pipeline import rule_filtering
from jobs.run.store import Store
from tests.jobs.conftest import LOCAL_CONFIG

TEXT = "山里的溪水在春天涨了起来，村里的人沿着石阶去看水。\n路上有人说今年的雨比去年多。\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows")
    for name in ("a", "b"):
        rows = ({"id": f"{name}-{n}", "text": f"第{n}篇。" + TEXT * (7 + n)} for n in range(3))
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (path / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def flagged_once(
    spark: SparkSession, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    output = tmp_path_factory.mktemp("flagged") / "out"
    assert apply_rules.main(arguments(folder, output)) == 0
    return output


@pytest.fixture
def flagged(flagged_once: Path, tmp_path: Path) -> Path:
    """An output whose documents no rule rejects, for one test alone."""
    output = tmp_path / "out"
    shutil.copytree(flagged_once, output)
    return output


def arguments(folder: Path, output: Path, *settings: str) -> list[str]:
    common = ["--config", str(LOCAL_CONFIG), "--input", str(folder), "--input-format", "jsonl"]
    mine = ("run.wave_splits=1", "rules.pack=off", "rules.max_dup_13gram_share=off")
    return [*common, "--output", str(output), "--set", *mine, *settings]


def reasons_of(spark: SparkSession, output: Path) -> dict[str, list[str]]:
    rows = spark.read.parquet(str(output / "flagged")).collect()
    return {row.doc_id: row.reject_reasons for row in rows}


def files_of(output: Path, table: str) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in (output / table).rglob("*.parquet")}


def test_other_rules_flag_the_stored_measures_and_read_no_text(
    spark: SparkSession, folder: Path, flagged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = flagged
    assert set(map(tuple, reasons_of(spark, output).values())) == {()}
    measures = files_of(output, "measures")
    assert len({Path(file).parent for file in measures}) == 2

    def measures_again(*_: object) -> None:
        raise AssertionError("the texts were measured again")

    with monkeypatch.context() as patched:
        patched.setattr(rule_filtering, "edit_and_measure", measures_again)
        changed = arguments(folder, output, "rules.conditions.long_text=chars > 350")
        assert apply_rules.main([*changed, "rules.min_chars=310"]) == 0
    assert files_of(output, "measures") == measures
    found = reasons_of(spark, output)
    assert [found[f"a-{n}"] for n in range(3)] == [["length"], [], ["long_text"]]
    # A condition that is worded otherwise is another one, whatever it is called.
    commits = Store.at(str(output)).commits("apply_rules")
    reworded = arguments(folder, output, "rules.conditions.long_text=chars > 351")
    assert apply_rules.main([*reworded, "rules.min_chars=310"]) == 0
    again = Store.at(str(output)).commits("apply_rules")
    assert {wave: commit.fingerprint for wave, commit in again.items()}.items().isdisjoint(
        {wave: commit.fingerprint for wave, commit in commits.items()}.items()
    )


@pytest.mark.slow
def test_other_words_or_texts_are_measured_again(
    spark: SparkSession, folder: Path, flagged: Path, tmp_path: Path
) -> None:
    output = flagged
    measures = files_of(output, "measures")
    words = tmp_path / "words.tsv"
    words.write_text("其他\t石阶\n", encoding="utf-8")
    assert apply_rules.main(arguments(folder, output, f"rules.lexicon={words}")) == 0
    assert files_of(output, "measures").keys().isdisjoint(measures)
    measured = spark.read.parquet(str(output / "measures"))
    assert measured.where("measures.sensitive_distinct = 1").count() == 6
    other_texts = ("extract.min_language_score=off", f"rules.lexicon={words}")
    before = files_of(output, "measures")
    assert apply_rules.main([*arguments(folder, output, *other_texts), "--yes"]) == 0
    assert files_of(output, "measures").keys().isdisjoint(before)


@pytest.mark.parametrize("job", [apply_rules, run_pipeline])
def test_a_condition_that_cannot_be_stops_the_run_before_any_work(
    spark: SparkSession,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    job: object,
) -> None:
    output = tmp_path / "out"
    wrong = arguments(folder, output, "rules.conditions.mine=no_measure > 3")
    assert job.main(wrong) == 2  # type: ignore[attr-defined]
    said = capsys.readouterr().err
    assert "rules.conditions.mine = 'no_measure > 3'" in said
    assert "measures: chars, lines, mean_line_chars" in said
    assert not (output / "documents").exists()


def test_without_conditions_in_casia_exact(
    spark: SparkSession, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    exact = arguments(folder, output, "rules.mode=casia-exact", "rules.conditions.mine=chars > 3")
    assert apply_rules.main(exact) == 2
    assert "published decisions only" in capsys.readouterr().err
