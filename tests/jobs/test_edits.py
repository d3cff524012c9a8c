"""Texts that the rules stage changes: what later stages read, and what the corpus says of it."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs import apply_rules, run_pipeline
from jobs.pipeline import rule_filtering
from jobs.pipeline.command_line import prepare
from jobs.pipeline.stages import DUPLICATES, RULES, SCORE
from jobs.run.current_documents import rule_survivors, scored_documents, scored_sources
from tests.jobs.conftest import LOCAL_CONFIG

SIMPLIFIED = "国学说话书写东西车马龙凤汉语学习门窗电脑风云"
TRADITIONAL = "國學說話書寫東西車馬龍鳳漢語學習門窗電腦風雲"
MAIL, PHONE = "li@sina.cn", "13812345678"


def prose(seed: int, characters: str = SIMPLIFIED) -> str:
    """400 characters, in another order for every seed."""
    draw = random.Random(seed)
    return "".join("".join(draw.choices(characters, k=39)) + "。" for _ in range(10))


TEXTS = {
    "plain": prose(1),
    "messy": prose(2) + "\u200b邮政编码Ａ区。",
    "hant": prose(3, TRADITIONAL),
    "hans": prose(3),
    "personal": prose(4) + f"邮箱{MAIL}，电话{PHONE}。",
    "blocked": prose(5),
    "allowed": prose(6),
}
URLS = {"blocked": "http://www.bad.cn/a", "allowed": "http://good.bad.cn/b"}
MASKED = TEXTS["personal"].replace(MAIL, "[EMAIL]").replace(PHONE, "[PHONE]")
REPAIRED = TEXTS["messy"].replace("\u200b", "").replace("Ａ", "A")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    for name, ids in (("a", list(TEXTS)[:4]), ("b", list(TEXTS)[4:])):
        rows = ({"id": one, "url": URLS.get(one), "text": TEXTS[one]} for one in ids)
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (path / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "block.tsv").write_text("casino\tbad.cn\n", encoding="utf-8")
    (tmp_path / "allow.tsv").write_text("fine\tgood.bad.cn\n", encoding="utf-8")
    return path


def arguments(folder: Path, output: Path, *settings: str) -> list[str]:
    common = ["--config", str(LOCAL_CONFIG), "--input", str(folder), "--input-format", "jsonl"]
    mine = (
        "rules.pack=off", "rules.max_dup_13gram_share=off",
        "select.min_quality=off", "extract.min_language_score=off", "extract.languages=[]",
    )  # fmt: skip
    return [*common, "--output", str(output), "--set", *mine, *settings]


def lists(folder: Path) -> list[str]:
    block, allow = folder.parent / "block.tsv", folder.parent / "allow.tsv"
    return [f'rules.host_block=["{block}"]', f'rules.host_allow=["{allow}"]']


def table(spark: SparkSession, output: Path, name: str) -> dict[str, Any]:
    return {row.doc_id: row for row in spark.read.parquet(str(output / name)).collect()}


def reasons(spark: SparkSession, output: Path) -> dict[str, list[str]]:
    """Those of rejected documents."""
    rows = table(spark, output, "flagged")
    return {name: row.reject_reasons for name, row in rows.items() if row.reject_reasons}


@pytest.mark.slow
def test_edited_texts_go_all_the_way_to_the_corpus(
    spark: SparkSession, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    edits = ["rules.traditional_policy=convert", "rules.pii_policy=mask", "select.jsonl=gz"]
    assert run_pipeline.main(arguments(folder, output, *edits, *lists(folder))) == 0
    assert reasons(spark, output) == {"blocked": ["host_blocked"]}
    documents = table(spark, output, "documents")
    assert {name: row.text for name, row in documents.items()} == TEXTS

    edited = table(spark, output, "edits")
    assert {name: dict(row.edits) for name, row in edited.items()} == {
        "messy": {"invisible": 1, "width": 1},
        "hant": dict(edited["hant"].edits),
        "personal": {"masked_email": 1, "masked_phone": 1},
    }
    assert dict(edited["hant"].edits).keys() == {"traditional"}
    assert (edited["messy"].text, edited["personal"].text) == (REPAIRED, MASKED)
    assert edited["hant"].text == TEXTS["hans"]
    for name, row in edited.items():
        assert row.original_chars == len(TEXTS[name])
        assert row.original_sha256 == hashlib.sha256(TEXTS[name].encode()).hexdigest()

    # In simplified script it is the same as another document, and only then.
    duplicates = table(spark, output, "duplicates")
    assert {tuple(sorted((name, row.kept_doc_id))) for name, row in duplicates.items()} == {
        ("hans", "hant")
    }
    corpus = table(spark, output, "corpus")
    assert corpus.keys() == {
        "plain",
        "messy",
        "personal",
        "allowed",
        *corpus.keys() & {"hans", "hant"},
    }
    assert len(corpus) == 5
    for name, row in corpus.items():
        of_edits = edited.get(name)
        assert row.text == (TEXTS[name] if of_edits is None else of_edits.text)
        assert row.edits == ([] if of_edits is None else of_edits.edits)
        assert row.original_chars == (None if of_edits is None else of_edits.original_chars)
        assert row.original_sha256 == (None if of_edits is None else of_edits.original_sha256)
        found = [row.text[span.start : span.start + span.length] for span in row.pii]
        assert found == (["[EMAIL]", "[PHONE]"] if name == "personal" else [])
    assert table(spark, output, "rejected").keys() == TEXTS.keys() - corpus.keys()

    facts = json.loads((output / "run.json").read_text(encoding="utf-8"))
    assert {row["edit"]: row["rows"] for row in facts["edits"]} == {
        "invisible": 1, "width": 1, "masked_email": 1, "masked_phone": 1,
        **({"traditional": 1} if "hant" in corpus else {}),
    }  # fmt: skip
    assert {row["pii"]: row["places"] for row in facts["pii"]} == {"email": 1, "phone": 1}


def test_casia_exact_never_changes_a_text(
    spark: SparkSession, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    exact = ["rules.mode=casia-exact", "rules.pii_policy=reject", "rules.traditional_policy=keep"]
    request = arguments(folder, output, *exact, *lists(folder))
    assert apply_rules.main(request) == 0
    assert table(spark, output, "edits") == {}
    assert reasons(spark, output) == {"blocked": ["host_blocked"], "personal": ["pii"]}
    run = prepare(DUPLICATES, request).run
    kept = {row.doc_id: row.text for row in rule_survivors(spark, run, [0]).collect()}
    assert kept == {name: TEXTS[name] for name in TEXTS.keys() - {"blocked", "personal"}}


def test_other_policies_read_no_text_and_other_edits_do(
    spark: SparkSession, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    assert apply_rules.main(arguments(folder, output)) == 0
    assert reasons(spark, output) == {"hant": ["character"]}
    personal = table(spark, output, "measures")["personal"].measures
    assert [TEXTS["personal"][s.start : s.start + s.length] for s in personal.pii] == [MAIL, PHONE]

    with monkeypatch.context() as patched:

        def measures_again(*_: object) -> None:
            raise AssertionError("the texts were measured again")

        patched.setattr(rule_filtering, "edit_and_measure", measures_again)
        settings = [
            "rules.pii_policy=reject",
            "rules.traditional_policy=keep",
            "rules.conditions.mailed=exists(pii, p -> p.kind = 'email')",
            "rules.conditions.short_host=host_chars = 10",
        ]
        assert apply_rules.main(arguments(folder, output, *settings)) == 0
    assert reasons(spark, output) == {"personal": ["pii", "mailed"], "blocked": ["short_host"]}
    assert table(spark, output, "edits").keys() == {"messy"}
    assert apply_rules.main(arguments(folder, output, "rules.repair=false")) == 0
    assert table(spark, output, "edits") == {}


def test_what_decides_that_texts_are_read_again(folder: Path, tmp_path: Path) -> None:
    def fingerprint(*settings: str) -> str:
        run = prepare(RULES, arguments(folder, tmp_path / "out", *settings)).run
        return rule_filtering.measuring_of(run).basis("documents").fingerprint

    usual = fingerprint()
    for same in (
        "rules.pii_policy=reject", 'rules.pii_kinds=["ip"]', "rules.traditional_policy=keep",
        "rules.min_chars=3", "rules.opt_out_policy=reject", "rules.conditions.few=chars < 9",
    ):  # fmt: skip
        assert fingerprint(same) == usual
    block, allow = lists(folder)
    others = [
        usual,
        fingerprint("rules.repair=false"),
        fingerprint("rules.traditional_policy=convert"),
        fingerprint("rules.pii_policy=mask"),
        fingerprint("rules.pii_policy=mask", 'rules.pii_kinds=["email"]'),
        fingerprint(block),
        fingerprint(allow),
        fingerprint(block, allow),
        fingerprint("rules.mode=casia-exact"),  # measures less
    ]
    assert len(set(others)) == len(others)
    before = fingerprint(block)
    with (folder.parent / "block.tsv").open("a", encoding="utf-8") as file:
        file.write("casino\tworse.cn\n")
    assert fingerprint(block) != before


@pytest.mark.slow
def test_all_documents_are_scored_with_the_text_that_they_have_now(
    spark: SparkSession, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    every = ["score.rows=all"]
    run = prepare(SCORE, arguments(folder, output, *every)).run
    assert apply_rules.main(arguments(folder, output, "rules.pii_policy=mask", *every)) == 0
    before = scored_sources(run)
    texts = {row.doc_id: row.text for row in scored_documents(spark, run, [0]).collect()}
    assert texts == {**TEXTS, "messy": REPAIRED, "personal": MASKED}
    # Other limits change none of them, other edits do.
    limits = ["rules.pii_policy=mask", "rules.min_chars=100"]
    assert apply_rules.main(arguments(folder, output, *limits, *every)) == 0
    assert scored_sources(run) == before
    assert apply_rules.main(arguments(folder, output, "rules.pii_policy=keep", *every)) == 0
    assert scored_sources(run) != before


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('rules.host_block=["absent.txt"]', "rules.host_block = 'absent.txt'"),
        ('rules.pii_kinds=["name"]', "unknown name; known kinds: email"),
        ("rules.pii_policy=hide", "expected one of keep, mask, reject"),
        ("rules.repair=maybe", "expected true or false"),
    ],
)
def test_a_wrong_setting_is_said_before_any_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, said: str
) -> None:
    assert apply_rules.main(arguments(folder, tmp_path / "out", setting)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("setting", ["rules.traditional_policy=convert", "rules.pii_policy=mask"])
def test_casia_exact_refuses_what_would_change_texts(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    wrong = arguments(folder, tmp_path / "out", "rules.mode=casia-exact", setting)
    assert apply_rules.main(wrong) == 2
    assert "never changes a text" in capsys.readouterr().err
