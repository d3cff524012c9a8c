"""Agreement of two identifiers of languages: a measure for conditions, and a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import apply_rules
from jobs.config import ConfigError, load_config
from tests.jobs.test_edits import arguments, prose, reasons
from tests.udfs.measures.test_second_language import CHINESE, ENGLISH

TEXTS = {"same": CHINESE * 2, "other": ENGLISH, "prose": prose(1)}


def test_a_text_of_another_language_is_rejected_by_policy_and_by_condition(
    spark: SparkSession, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    lines = (json.dumps({"id": name, "text": text}) + "\n" for name, text in TEXTS.items())
    (folder / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    output = tmp_path / "out"
    given = arguments(
        folder, output, "rules.min_script_share=off", "rules.second_identifier=cld3",
        "rules.conditions.not_chinese=second_language != 'zh' OR second_language_score < 0.5",
    )  # fmt: skip
    assert apply_rules.main(given) == 0
    rows = {row.doc_id: row.measures for row in spark.read.parquet(f"{output}/measures").collect()}
    assert {name: row.second_language for name, row in rows.items()}["other"] == "en"
    assert rows["other"].language == "en" and rows["same"].second_language_score > 0.9
    assert "not_chinese" in reasons(spark, output)["other"]

    # Where both say the same, whatever it is, they agree.
    again = [*given, "rules.language_disagreement=reject", "--yes"]
    assert apply_rules.main(again) == 0
    disagreeing = {
        name for name, found in reasons(spark, output).items() if "language_disagreement" in found
    }
    expected = {
        name
        for name, row in rows.items()
        if row.language != row.second_language
        and not {row.language, row.second_language} <= {"zh", "wuu", "yue"}
    }
    assert disagreeing == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["rules.language_disagreement=reject"], "needs a second identifier"),
        (["rules.conditions.x=second_language != language"], "x needs a second identifier"),
        (["rules.second_identifier=cld2"], "expected one of cld3"),
        (["rules.mode=casia-exact", "rules.second_identifier=cld3"], "set it off"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(None, settings)
