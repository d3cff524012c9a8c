"""Captions and judgements of pairs through the real job, with a small vision-language model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')
pytest.importorskip("torchvision", reason='not installed: pip install "taojin[pairs]"')

from jobs.pairs import import_model, score_pairs, select_pairs  # noqa: E402
from jobs.run.store import Store  # noqa: E402
from tests.builders.generators import made_picture, save_qwen2_vl  # noqa: E402
from tests.builders.judged_pairs import write_warc  # noqa: E402
from tests.builders.spark_settings import changed_settings, short_run_options  # noqa: E402
from tests.jobs.conftest import LOCAL_CONFIG, ROOT  # noqa: E402
from udfs.vision_language.generator import Generator  # noqa: E402
from udfs.vision_language.judge import JudgeSettings, record_of, scale_of  # noqa: E402
from udfs.vision_language.pictures import Picture  # noqa: E402
from udfs.vision_language.questions import AnswerSettings, Query, filled  # noqa: E402

pytestmark = pytest.mark.bert

PIXELS = 4 * 28 * 28
IMAGES = {f"{n}.png": made_picture(n) for n in range(5)} | {
    "thin.png": made_picture(9, size=(900, 2)),
    "cut.png": made_picture(4)[:120],
}
CAPTION = "What is it?"
ANSWER = r"score: [{](\d+)[}]\.$"
"""The last token's: it differs more from pair to pair than the first one's."""
SETTINGS = (
    *("extract.pairs=true", "rules.max_dup_13gram_share=off", 'dedup.levels=["url"]'),
    *("select.min_quality=off", "pair_rules.pack=off", "select_pairs.pages=all"),
    *("judge.max_tokens=3", f"judge.min_pixels={28 * 28}", f"judge.max_pixels={PIXELS}"),
    f'judge.answer="{ANSWER.replace(chr(92), 2 * chr(92))}"',
    *("judge.dtype=float32", "captioner.dtype=float32", "captioner.max_tokens=3"),
    *(f"captioner.max_pixels={PIXELS}", f"captioner.prompt={CAPTION}"),
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Several threads on a busy machine wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_qwen2_vl(tmp_path_factory.mktemp("models") / "qwen2_vl")


@pytest.fixture(scope="module")
def arguments(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    own = tmp_path_factory.mktemp("pages")
    model = own / "model.zip"
    assert import_model.main(["--model", str(folder), "--output", str(model)]) == 0
    warc = write_warc(own / "pages.warc", IMAGES)
    artifacts = [f"{scorer}.artifact={model}" for scorer in ("judge", "captioner")]
    return ["--config", str(LOCAL_CONFIG), "--input", str(warc), "--set", *SETTINGS, *artifacts]


def table(spark: SparkSession, output: Path, name: str) -> dict[tuple[str, int], Row]:
    """(doc_id, place) -> row of a scorer's table, beside its address and text."""
    rows = spark.read.parquet(str(output / "pair_scores" / name))
    pairs = spark.read.parquet(str(output / "pairs")).select("doc_id", "place", "url", "text")
    return {(row.doc_id, row.place): row for row in rows.join(pairs, ["doc_id", "place"]).collect()}


@pytest.fixture(scope="module")
def judged(
    spark: SparkSession, arguments: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    output = tmp_path_factory.mktemp("judged") / "out"
    both = 'score_pairs.scorers=["judge", "captioner"]'
    assert score_pairs.main([*arguments, both, "--output", str(output)]) == 0
    return output


def test_every_pair_has_the_answer_to_its_own_question(
    spark: SparkSession, folder: Path, judged: Path
) -> None:
    settings = JudgeSettings(answer=ANSWER)
    judge = Generator(
        folder, AnswerSettings(3, True, 28 * 28, PIXELS, dtype="float32", device="cpu"), "cpu"
    )
    captioner = Generator(
        folder, AnswerSettings(3, True, None, PIXELS, dtype="float32", device="cpu"), "cpu"
    )
    rows = table(spark, judged, "judge")
    captions = table(spark, judged, "captioner")
    assert len(rows) == len(captions) == 36
    found = set()
    for key, row in rows.items():
        name = row.url.rpartition("/")[2]
        if name in ("thin.png", "cut.png"):
            reason = "unprocessable_image" if name == "thin.png" else "unusable_image"
            assert (row.failure, row.judge_score, captions[key].failure) == (reason, None, reason)
            continue
        picture = Picture(IMAGES[name])
        question = Query(filled(settings.prompt, row.text), picture, settings.system)
        [answer] = judge.answers([question])
        expected = record_of(answer, scale_of(settings))
        assert {key: row[key] for key in expected} == expected
        found.add((row.judge_score, row.failure))
        [caption] = captioner.answers([Query(CAPTION, picture)])
        assert (captions[key].caption_syn, captions[key].failure) == (caption.text, None)
    assert len({score for score, _ in found}) > 3
    assert {reason for _, reason in found} >= {None, "unreadable_answer"}
    [commit] = Store.at(str(judged)).commits("score_pairs_judge").values()
    assert commit.rows == 36 == commit.kept + sum(commit.failed.values())
    assert commit.failed["unreadable_answer"] > 0


def test_scores_do_not_follow_from_partitions_and_batches(
    spark: SparkSession, arguments: list[str], judged: Path, tmp_path: Path
) -> None:
    other = [
        *("--output", str(tmp_path / "out"), "--set", 'score_pairs.scorers=["judge"]'),
        *("score_pairs.batch_rows=3", "judge.batch_tokens=120"),
    ]
    with changed_settings(spark, {"spark.sql.shuffle.partitions": "5"}):
        assert score_pairs.main([*arguments, *other]) == 0
    rows = [
        {key: (row.judge_score, row.judge_text, row.failure) for key, row in of.items()}
        for of in (table(spark, judged, "judge"), table(spark, tmp_path / "out", "judge"))
    ]
    assert rows[0] == rows[1]


def test_a_selection_keeps_what_the_judge_likes(
    spark: SparkSession, arguments: list[str], judged: Path
) -> None:
    both = 'score_pairs.scorers=["judge", "captioner"]'
    limit = ["--set", "select_pairs.min_judge_score=6", "--output", str(judged)]
    assert select_pairs.main([*arguments, both, *limit]) == 0
    rows = table(spark, judged, "judge")
    rejected = {
        (row.doc_id, row.place): row.reasons
        for row in spark.read.parquet(str(judged / "rejected_pairs")).collect()
    }
    for key, row in rows.items():
        reasons = rejected.get(key, [])
        is_low = row.judge_score is not None and row.judge_score < 6
        assert ("low_judge_score" in reasons) == is_low
        if row.failure == "unreadable_answer":
            assert "unscored" in reasons
    kept = spark.read.parquet(str(judged / "selected_pairs")).collect()
    assert kept and all(row.scores.judge.judge_score >= 6 for row in kept)
    assert any(row.scores.captioner.caption_syn for row in kept)


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(
    spark: SparkSession, arguments: list[str], judged: Path, tmp_path: Path
) -> None:
    """Its task is done again, from the first pair on."""
    properties = tmp_path / "retry.conf"
    common = (ROOT / "conf" / "spark-local.conf").read_text(encoding="utf-8")
    properties.write_text(f"{common}\nspark.master local[2,4]\n", encoding="utf-8")
    config = tmp_path / "retry.toml"
    config.write_text(f'[spark]\nproperties = "{properties}"\n', encoding="utf-8")
    marker = tmp_path / "died"
    command = [sys.executable, "-m", "tests.builders.judged_pairs", str(marker)]
    own = [str(config) if part == str(LOCAL_CONFIG) else part for part in arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYSPARK_")}
    environment |= {"JDK_JAVA_OPTIONS": short_run_options(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, *own, 'score_pairs.scorers=["judge"]', "--output", str(tmp_path / "out")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert marker.exists()
    rows = [
        {key: (row.judge_score, row.judge_text, row.failure) for key, row in of.items()}
        for of in (table(spark, judged, "judge"), table(spark, tmp_path / "out", "judge"))
    ]
    assert rows[0] == rows[1]
