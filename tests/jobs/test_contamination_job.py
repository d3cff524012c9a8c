"""Questions of benchmarks in documents, from files to corpus: kept, cut, rejected."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from jobs import report_run, run_pipeline, score_documents, select_corpus
from jobs.run.store import Store
from tests.jobs.conftest import LOCAL_CONFIG

pytestmark = pytest.mark.slow  # a whole pipeline

QUESTIONS = [
    {
        "id": "tax-1",
        "question": "企业提供的下列劳务中，属于增值税视同销售货物、应当缴纳税款的是哪一项？",
        "A": "将自产的货物用于集体福利或者个人消费",
        "answer": "A",
    },
    {
        "id": "law-2",
        "question": "甲将房屋卖给乙并交付使用，又卖给丙并办理了过户登记，房屋归谁所有？",
        "answer": "丙",
    },
]
WORDS = (
    "江边",
    "旧码头",
    "步道",
    "傍晚",
    "散步",
    "看船",
    "栏杆",
    "水位",
    "去年",
    "开放",
    "时间",
    "牌子",
)


def prose(seed: str, sentences: int) -> str:
    """Sentences of which no two documents have the same."""
    drawn = [hashlib.sha256(f"{seed}{n}".encode()).digest() for n in range(sentences)]
    return "\n".join(
        "".join(WORDS[byte % len(WORDS)] for byte in digest[:9]) + "。" for digest in drawn
    )


TAX = f"{QUESTIONS[0]['question']}\nA.{QUESTIONS[0]['A']}"
LAW = str(QUESTIONS[1]["question"])
TEXTS = {
    "clean": prose("clean", 30),
    "whole": f"{prose('before', 20)}\n{TAX}\n{prose('behind', 20)}",
    "edited": f"{prose('edited', 25)}\n{LAW.replace('房屋卖给乙', '商铺卖给乙', 1)}\n{LAW[:9]}",
    "short": f"{prose('short', 2)}\n{LAW} {TAX}\n{prose('long', 5)}",
    "part": f"{prose('part', 30)}\n{LAW[:15]}",
}


def arguments(folder: Path, *settings: str) -> list[str]:
    return [
        *("--config", str(LOCAL_CONFIG), "--input", str(folder / "rows.jsonl")),
        *("--input-format", "jsonl", "--output", str(folder / "out"), "--yes", "--set"),
        *("extract.languages=[]", "extract.min_language_score=off", "rules.pack=off"),
        *("rules.max_dup_13gram_share=off", "dedup.levels=[]", "select.min_quality=off"),
        *(f'contamination.benchmarks=["{folder}/exam.jsonl"]', *settings),
    ]


def table(spark: SparkSession, folder: Path, name: str) -> dict[str, Row]:
    return {row.doc_id: row for row in spark.read.parquet(str(folder / "out" / name)).collect()}


def without(text: str, spans: list[Row]) -> str:
    for span in reversed(spans):
        text = text[: span.start] + text[span.start + span.length :]
    return text


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline run over documents with planted questions, which keeps them."""
    folder = tmp_path_factory.mktemp("contamination")
    rows = (json.dumps({"id": name, "text": text}) for name, text in TEXTS.items())
    (folder / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in QUESTIONS)
    (folder / "exam.jsonl").write_text(lines, encoding="utf-8")
    assert run_pipeline.main(arguments(folder)) == 0
    return folder


def test_documents_say_what_they_match(spark: SparkSession, folder: Path) -> None:
    rows = table(spark, folder, "corpus")
    assert rows.keys() == TEXTS.keys()
    found = {
        name: [match.question for match in row.contamination.matches] for name, row in rows.items()
    }
    assert found == {
        "clean": [],
        "whole": ["tax-1"],
        "edited": ["law-2"],
        "short": ["tax-1", "law-2"],
        "part": [],
    }
    for name, row in rows.items():
        assert row.text == TEXTS[name]  # kept as it is
        assert row.contamination.matched == bool(found[name])
    assert {m.benchmark for row in rows.values() for m in row.contamination.matches} == {
        "exam.jsonl"
    }
    assert rows["whole"].contamination.matches[0].share == 1.0
    assert 0.5 <= rows["edited"].contamination.matches[0].share < 1.0
    (span,) = rows["whole"].contamination.spans
    assert TEXTS["whole"][span.start : span.start + span.length] == TAX
    scored = table(spark, folder, "scores/contamination")
    assert {row.artifact.partition("+")[0] for row in scored.values()} == {"contamination@local"}
    assert len({row.lock_id for row in scored.values()}) == 1
    facts = json.loads((folder / "out/run.json").read_text(encoding="utf-8"))
    assert facts["corpus"]["contaminated_rows"] == 3
    assert "score_contamination" in [stage["stage"] for stage in facts["stages"]]


def test_passages_are_cut(spark: SparkSession, folder: Path) -> None:
    spans = {n: r.contamination.spans for n, r in table(spark, folder, "corpus").items()}
    assert select_corpus.main(arguments(folder, "select.contamination=cut")) == 0
    rows = table(spark, folder, "corpus")
    assert rows.keys() == TEXTS.keys() - {"short"}
    scored = table(spark, folder, "scores/tokens")
    for name, row in rows.items():
        part = len(row.text) / scored[name].chars
        assert row.tokens == pytest.approx(scored[name].tokens * part, abs=0.5)
        assert (row.tokens < scored[name].tokens) == row.contamination.matched
        assert row.text == without(TEXTS[name], spans[name])
        edits = {edit.kind: edit.places for edit in row.edits}
        if not row.contamination.matched:
            assert (row.original_chars, row.original_sha256, edits) == (None, None, {})
            continue
        assert edits == {"benchmark": len(spans[name])}
        assert row.original_chars == len(TEXTS[name])
        assert row.original_sha256 == hashlib.sha256(TEXTS[name].encode()).hexdigest()
    assert QUESTIONS[0]["A"] not in rows["whole"].text
    (rejected,) = table(spark, folder, "rejected").values()
    assert (rejected.doc_id, rejected.stage) == ("short", "select_corpus")
    assert rejected.reasons == ["contaminated"]
    few = arguments(folder, "select.contamination=cut", "select.min_clean_chars=100")
    assert select_corpus.main(few) == 0
    assert table(spark, folder, "corpus").keys() == TEXTS.keys()


def test_documents_are_rejected(spark: SparkSession, folder: Path) -> None:
    assert select_corpus.main(arguments(folder, "select.contamination=reject")) == 0
    assert table(spark, folder, "corpus").keys() == {"clean", "part"}
    reasons = {row.doc_id: row.reasons for row in table(spark, folder, "rejected").values()}
    assert reasons == {name: ["contaminated"] for name in ("whole", "edited", "short")}
    (commit,) = Store.at(str(folder / "out")).commits("select_corpus").values()
    assert (commit.rows, commit.kept, commit.rejected) == (5, 2, {"contaminated": 3})
    assert report_run.main(arguments(folder, "select.contamination=reject")) == 0
    samples = spark.read.parquet(str(folder / "out/audit")).where("reason = 'contaminated'")
    marked = {row.doc_id: row for row in samples.collect()}
    assert marked.keys() == reasons.keys()
    (mark,) = marked["whole"].marks
    assert mark.what == "benchmark"
    assert marked["whole"].text[mark.start : mark.start + mark.length] == TAX


def test_a_named_selection_has_its_own_policy(spark: SparkSession, folder: Path) -> None:
    assert select_corpus.main(arguments(folder, "select.contamination=keep")) == 0
    named = ["--config", str(LOCAL_CONFIG), "--output", str(folder / "out"), "--name", "clean"]
    cut = ["--set", "select.contamination=cut", "select.min_clean_chars=200"]
    assert select_corpus.main([*named, *cut]) == 0
    rows = table(spark, folder, "corpora/clean/corpus")
    assert rows.keys() == TEXTS.keys() - {"short"}
    assert TAX not in rows["whole"].text
    assert table(spark, folder, "corpus")["whole"].text == TEXTS["whole"]
    facts = json.loads((folder / "out/corpora/clean/selection.json").read_text(encoding="utf-8"))
    assert "contamination" in json.dumps(facts)


def test_other_benchmarks_have_other_scores(
    spark: SparkSession, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {row.lock_id for row in table(spark, folder, "scores/contamination").values()}
    lines = (folder / "exam.jsonl").read_text(encoding="utf-8")
    try:
        (folder / "exam.jsonl").write_text(lines.split("\n")[1], encoding="utf-8")
        only = [*arguments(folder, "select.contamination=keep"), "--scorer", "contamination"]
        assert score_documents.main(only) == 0
        rows = table(spark, folder, "scores/contamination").values()
        assert {row.lock_id for row in rows}.isdisjoint(before)
        assert {row.doc_id for row in rows if row.matched} == {"edited", "short"}
    finally:
        (folder / "exam.jsonl").write_text(lines, encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["contamination.benchmarks=['absent.jsonl']"], "no such file or folder: absent.jsonl"),
        (
            ["contamination.benchmarks=[]", "select.contamination=cut"],
            "set contamination.benchmarks",
        ),
        (
            ["contamination.benchmarks=[]", 'score.scorers=["quality", "contamination"]'],
            "names no files of questions",
        ),
        (["select.contamination=drop"], "expected one of keep, cut, reject"),
        (
            [
                *("select.contamination=cut", "select.min_segment_score=0.5"),
                'score.scorers=["quality", "domain", "toxicity", "quality_bert"]',
            ],
            "only one of them can cut documents",
        ),
        (
            ["select.contamination=cut", "score.rows=all", 'dedup.levels=["paragraph"]'],
            "needs score.rows = 'survivors'",
        ),
        (
            ["contamination.ngram=200"],
            "contamination.ngram = 200: expected 5 to 100",
        ),
    ],
)
def test_a_wrong_request_ends_before_work(
    folder: Path, settings: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert select_corpus.main(arguments(folder, *settings)) == 2
    assert said in capsys.readouterr().err
