"""Scorers of pairs through the real job: tables, failures, ledgers, and a selection that reads
them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from jobs.image_text.pair_scoring import read_fitted
from jobs.pairs import score_pairs, select_pairs
from jobs.run.store import Store
from tests.builders.images import image_bytes
from tests.builders.pair_scorers import MADE_SCORERS
from tests.builders.warc_files import http_response, record
from tests.jobs.conftest import LOCAL_CONFIG

PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 8
BRIDGE, FAIR = image_bytes("png", 320, 240, 1), image_bytes("jpeg", 300, 300, 2)
PLACES = {
    "http://a.cn/1": (
        "/bridge.png 老桥老桥",
        "/away.jpg 没有抓到",
        "/cut.png 只有一半",
        "/fair.jpg",
    ),
    "http://a.cn/2": ("/bridge.png 老桥老桥", "/bridge.png 坏的老桥", "/fair.jpg 老集市上"),
    "http://a.cn/3": ("/fair.jpg 集市上老桥", "/copy.jpg 集市上老桥"),
}
IMAGES = {"bridge.png": BRIDGE, "fair.jpg": FAIR, "copy.jpg": FAIR, "cut.png": BRIDGE[:200]}
SETTINGS = (
    *("extract.pairs=true", "rules.max_dup_13gram_share=off", 'dedup.levels=["url"]'),
    *("select.min_quality=off", "pair_rules.pack=off", "select_pairs.pages=all"),
)


@pytest.fixture(autouse=True)
def made_scorers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.config.scorers.PAIR_SCORERS", MADE_SCORERS)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    words = tmp_path / "words.txt"
    words.write_text("老桥", encoding="utf-8")
    records = []
    for uri, places in PLACES.items():
        shown = "".join(
            '<img src={} alt="{}">'.format(*place.partition(" ")[::2]) for place in places
        )
        page = f"<title>老桥</title><p>{PROSE}{uri}</p>{shown}<p>{PROSE}</p>"
        records.append(record(http_response(page.encode()), uri=uri))
    for name, body in IMAGES.items():
        kind = ("Content-Type", "image/jpeg" if name.endswith("jpg") else "image/png")
        records.append(record(http_response(body, kind), uri=f"http://a.cn/{name}"))
    warc = tmp_path / "pages.warc"
    warc.write_bytes(b"".join(records))
    scorers = 'score_pairs.scorers=["relative","words","first_byte"]'
    return [
        *("--config", str(LOCAL_CONFIG), "--output", str(tmp_path / "out"), "--input", str(warc)),
        *("--set", *SETTINGS, scorers, f"words.artifact={words}"),
    ]


def scores_of(spark: SparkSession, output: Path, name: str) -> dict[tuple[str, str], Row]:
    """(page, image, text) -> row of a scorer's table."""
    pairs = spark.read.parquet(str(output / "pairs"))
    rows = pairs.join(spark.read.parquet(str(output / "pair_scores" / name)), ["doc_id", "place"])
    return {
        (row.page_url[-1], row.url.rpartition("/")[2], row.text or ""): row
        for row in rows.collect()
    }


def test_every_distinct_pair_is_scored_once_and_a_selection_reads_it(
    spark: SparkSession, tmp_path: Path, arguments: list[str]
) -> None:
    assert score_pairs.main(arguments) == 0
    output = tmp_path / "out"
    words = scores_of(spark, output, "words")
    assert {key: (row.share, row.failure) for key, row in words.items()} == {
        ("1", "bridge.png", "老桥老桥"): (1.0, None),
        ("1", "away.jpg", "没有抓到"): (None, "no_image"),
        ("1", "cut.png", "只有一半"): (None, "unusable_image"),
        ("1", "fair.jpg", ""): (None, "empty_text"),
        ("2", "bridge.png", "老桥老桥"): (1.0, None),
        ("2", "bridge.png", "坏的老桥"): (None, "odd_text"),
        ("2", "fair.jpg", "老集市上"): (0.25, None),
        ("3", "fair.jpg", "集市上老桥"): (0.4, None),
        ("3", "copy.jpg", "集市上老桥"): (0.4, None),
    }
    assert words["1", "bridge.png", "老桥老桥"].bytes == len(BRIDGE)
    assert words["1", "bridge.png", "老桥老桥"].artifact.startswith("words.txt@local+")
    first = scores_of(spark, output, "first_byte")
    assert first["1", "fair.jpg", ""].first == FAIR[0]
    relative = scores_of(spark, output, "relative")
    assert relative["2", "fair.jpg", "老集市上"].of_most == 0.25
    assert relative["2", "bridge.png", "坏的老桥"].failure == "unscored_before"
    same = [relative["3", name, "集市上老桥"].key for name in ("fair.jpg", "copy.jpg")]
    assert same[0] == same[1] and len(same[0]) == 32
    store = Store.at(str(output))
    assert read_fitted(store) == {"relative": {"most": 1.0}}
    [commit] = store.commits("score_pairs_words").values()
    failed = {"no_image": 1, "unusable_image": 1, "empty_text": 1, "odd_text": 1}
    assert (commit.rows, commit.kept, commit.failed) == (9, 5, failed)

    before = {stage: store.commits(stage) for stage in store.stages()}
    where = "select_pairs.where=coalesce(scores.first_byte.first, 255) > 1"
    limits = ["--set", "select_pairs.min_share=0.3", where]
    assert select_pairs.main([*arguments, *limits]) == 0
    assert {stage: store.commits(stage) for stage in before} == before
    rejected = spark.read.parquet(str(output / "rejected_pairs")).collect()
    reasons = {(row.page_url[-1], row.url.rpartition("/")[2]): row.reasons for row in rejected}
    assert reasons["2", "fair.jpg"] == ["few_words"]
    assert reasons["1", "away.jpg"] == ["unscored"]
    kept = spark.read.parquet(str(output / "selected_pairs")).collect()
    assert {row.scores.words.share for row in kept} == {1.0, 0.4}
    assert "vector" not in kept[0].scores.words
    assert [row.url for row in spark.read.parquet(str(output / "fetch_list")).collect()] == [
        "http://a.cn/away.jpg"
    ]
