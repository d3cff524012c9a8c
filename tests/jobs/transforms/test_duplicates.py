"""Duplicates of all levels, against what a person, and a brute-force union-find, would say."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from jobs.config import ConfigError, DedupConfig, load_config
from jobs.transforms.components import Checkpoint
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.duplicate_search import find_duplicates
from tests.builders.near_duplicates import (
    edited_text,
    planted_documents,
    random_text,
    shingles,
    similar_pairs,
    union_find,
)
from tests.udfs.dedup.plain_normalise import fold_texts
from udfs.dedup.minhash import shingle_hashes, signatures

DOCUMENTS_DDL = "doc_id string, url string, capture_time timestamp, text string"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Checkpoint]:
    yield parquet_checkpoint(tmp_path)


@pytest.fixture(params=[500, 2], ids=["in one task", "larger ones by joins"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of candidates are clustered in a task; or those of more than two, as if they were too
    large for one, by joins."""
    monkeypatch.setattr("jobs.transforms.near_duplicates._GROUP_MEMBERS", request.param)


def on_day(day: int) -> datetime:
    return datetime(2024, 1, day, tzinfo=UTC)


def documents(spark: SparkSession, rows: list[tuple[Any, ...]]) -> DataFrame:
    return spark.createDataFrame(rows, DOCUMENTS_DDL)


def texts_frame(spark: SparkSession, texts: dict[str, str]) -> DataFrame:
    return documents(spark, [(doc_id, None, None, text) for doc_id, text in texts.items()])


def found(rows: DataFrame) -> dict[str, Row]:
    collected = rows.collect()
    by_id = {row.doc_id: row for row in collected}
    assert len(by_id) == len(collected)
    assert rows.columns == [
        "doc_id",
        "kind",
        "cluster_id",
        "cluster_size",
        "kept_doc_id",
        "kept_snapshot",
        "similarity",
    ]
    return by_id


def exact_jaccard(one: str, other: str) -> float:
    left, right = shingles(one), shingles(other)
    return len(left & right) / len(left | right)


def test_every_level_points_at_the_document_that_survives_them_all(
    spark: SparkSession, checkpoint: Checkpoint
) -> None:
    rng = random.Random(1)
    text = random_text(rng, 400)
    near = edited_text(rng, text, 0.9) + random_text(rng, 5)  # longest: it is kept
    other = random_text(rng, 300)
    rows = [
        ("d1", "http://e.cn/a?utm_source=x", on_day(1), text[:390]),
        ("d2", "https://E.cn/a/", on_day(2), text),  # keeps d1 out by url
        ("d3", "http://e.cn/b", on_day(3), text[:50] + "\n" + text[50:]),  # d2 and d3: exact
        ("d4", "http://e.cn/c", on_day(4), near),  # keeps d2 out as near
        ("d5", None, None, other),
        ("d6", "http://e.cn/d", on_day(6), ""),
        ("d7", "http://e.cn/e", on_day(7), None),
        ("d8", "http://e.cn/f", on_day(8), "短文"),
        ("d9", None, on_day(9), "短 文"),
        ("da", None, None, "另文"),
    ]
    removed = found(find_duplicates(documents(spark, rows), DedupConfig(), checkpoint))
    assert {
        key: (row.kind, row.cluster_id, row.cluster_size, row.kept_doc_id)
        for key, row in removed.items()
    } == {
        "d1": ("url", "d1", 4, "d4"),
        "d2": ("near", "d1", 4, "d4"),
        "d3": ("exact", "d1", 4, "d4"),
        "d9": ("exact", "d8", 2, "d8"),
    }
    assert {row.kept_snapshot for row in removed.values()} == {None}
    assert removed["d1"].similarity is None
    assert removed["d2"].similarity == exact_jaccard(text, near)
    assert removed["d3"].similarity == 1.0


@pytest.mark.parametrize(
    ("keep", "kept"), [("longest", "d3"), ("oldest", "d2"), ("newest", "d4"), ("best", "d6")]
)
def test_keep_policy(spark: SparkSession, checkpoint: Checkpoint, keep: Any, kept: str) -> None:
    rng = random.Random(2)
    text = random_text(rng, 300)
    rows = [
        ("d1", "http://e.cn/", None, text),  # no time, no score: loses wherever they decide
        ("d2", "http://e.cn/", on_day(1), text + " \n" * 50),  # white space is not length
        ("d3", "http://e.cn/", on_day(2), text + "完"),
        ("d4", "http://e.cn/", on_day(3), text),
        ("d5", "http://e.cn/", on_day(3), text),  # tie: the smaller id stays
        ("d6", "http://e.cn/", on_day(2), text),
        ("d7", "http://e.cn/", on_day(2), text),
    ]
    # Neighbouring doubles are two scores, and a null is none.
    scores = [("d2", 0.0), ("d3", 0.9 - 2**-53), ("d5", None), ("d6", 0.9), ("d7", 0.9)]
    removed = found(
        find_duplicates(
            documents(spark, rows),
            DedupConfig(levels=("url", "exact"), keep=keep),
            checkpoint,
            scores=spark.createDataFrame(scores, "doc_id string, score double"),
        )
    )
    assert {row.kept_doc_id for row in removed.values()} == {kept}
    assert len(removed) == 6


def test_preferred_hosts_win_and_addresses_have_a_policy_of_their_own(
    spark: SparkSession, checkpoint: Checkpoint
) -> None:
    rng = random.Random(12)
    text, other = random_text(rng, 300), random_text(rng, 300)
    rows = [
        ("d1", "http://e.cn/", on_day(1), text + "很长很长"),
        ("d2", "http://E.cn/#top", on_day(2), text),  # newest of its address, shorter
        ("d3", "http://news.people.com.cn/", on_day(3), text[:290]),  # preferred
        ("d4", "http://notpeople.com.cn/", on_day(4), text + "完"),
        ("d5", "http://e.cn/5", on_day(5), other),
        ("d6", "http://e.cn/6", on_day(6), other + "完"),  # longest
    ]
    config = DedupConfig(keep="longest", url_keep="newest", preferred_hosts=("People.com.cn",))
    removed = found(find_duplicates(documents(spark, rows), config, checkpoint))
    assert {key: (row.kind, row.kept_doc_id) for key, row in removed.items()} == {
        "d1": ("url", "d3"),
        "d2": ("near", "d3"),
        "d4": ("near", "d3"),
        "d5": ("near", "d6"),
    }


def test_the_best_is_not_known_without_scores(spark: SparkSession, checkpoint: Checkpoint) -> None:
    with pytest.raises(ValueError, match="scores are needed"):
        find_duplicates(documents(spark, []), DedupConfig(url_keep="best"), checkpoint)


def test_levels_that_are_off_remove_nothing(spark: SparkSession, checkpoint: Checkpoint) -> None:
    text = random_text(random.Random(3), 100)
    rows = [
        ("d1", "http://e.cn/1", None, text),
        ("d2", "http://e.cn/1", None, text),
        ("d3", "http://e.cn/3", None, text),
        ("d4", "http://e.cn/4", None, text + "完"),
    ]
    config = DedupConfig(levels=("exact",))
    removed = found(find_duplicates(documents(spark, rows), config, checkpoint))
    assert {key: row.kind for key, row in removed.items()} == {"d2": "exact", "d3": "exact"}


def test_no_documents_no_duplicates(spark: SparkSession, checkpoint: Checkpoint) -> None:
    assert found(find_duplicates(documents(spark, []), DedupConfig(), checkpoint)) == {}


@pytest.mark.usefixtures("each_way")
def test_removed_set_is_that_of_brute_force(spark: SparkSession, checkpoint: Checkpoint) -> None:
    """With bands enough that no pair is left to chance."""
    texts = planted_documents(4, families=60, singles=60, chars=(100, 500))
    config = DedupConfig(levels=("near",), bands=60, rows=6)
    removed = found(find_duplicates(texts_frame(spark, texts), config, checkpoint))
    clusters = union_find(similar_pairs(texts, config.min_similarity))
    kept: dict[str, str] = {}
    for doc_id, cluster in clusters.items():
        rival = kept.get(cluster, doc_id)
        kept[cluster] = min((doc_id, rival), key=lambda one: (-len(texts[one]), one))
    assert {
        key: (row.cluster_id, row.kept_doc_id, row.similarity) for key, row in removed.items()
    } == {
        doc_id: (cluster, kept[cluster], exact_jaccard(texts[doc_id], texts[kept[cluster]]))
        for doc_id, cluster in clusters.items()
        if kept[cluster] != doc_id
    }
    assert len(removed) > 30
    assert {row.kind for row in removed.values()} == {"near"}


@pytest.mark.slow
@pytest.mark.usefixtures("each_way")
def test_estimate_gives_about_the_same(spark: SparkSession, checkpoint: Checkpoint) -> None:
    rng = random.Random(5)
    text = random_text(rng, 600)
    texts = {"a": text, "b": edited_text(rng, text, 0.95), "c": edited_text(rng, text, 0.5)}
    config = DedupConfig(verify="estimate", bands=32)
    removed = found(find_duplicates(texts_frame(spark, texts), config, checkpoint))
    assert list(removed) == ["b"]
    assert removed["b"].similarity == pytest.approx(exact_jaccard(text, texts["b"]), abs=0.06)


def template_pages(seed: int, pages: int) -> dict[str, str]:
    """A hub that resembles nothing enough, and pairs that resemble each other.

    All share a template; the hub is the longest, so every star starts at it.
    """
    rng = random.Random(seed)
    template = random_text(rng, 400)
    texts = {"hub": template + random_text(rng, 170)}
    for page in range(pages):
        original = template + random_text(rng, 120)
        texts[f"p{page:03d}a"] = original
        texts[f"p{page:03d}b"] = edited_text(rng, original, 0.95)
    return texts


def share_a_bucket(texts: dict[str, str]) -> bool:
    """Whether the first MinHash value, a band of one row, is the same for all."""
    hashes, offsets = shingle_hashes(*fold_texts(list(texts.values())), 5)
    return len(set(signatures(hashes, offsets, 1)[:, 0].tolist())) == 1


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("max_pair_bucket", [pytest.param(32, marks=pytest.mark.slow), 2])
def test_pairs_are_found_behind_a_hub_that_resembles_neither(
    spark: SparkSession, checkpoint: Checkpoint, max_pair_bucket: int
) -> None:
    texts = next(filter(share_a_bucket, (template_pages(seed, 1) for seed in range(99))))
    assert exact_jaccard(texts["hub"], texts["p000a"]) < 0.8
    config = DedupConfig(bands=1, rows=1, max_pair_bucket=max_pair_bucket)
    removed = found(find_duplicates(texts_frame(spark, texts), config, checkpoint))
    assert {key: row.kept_doc_id for key, row in removed.items()} == {"p000b": "p000a"}


@pytest.mark.usefixtures("each_way")
def test_buckets_that_stay_unsettled_are_counted(
    spark: SparkSession, checkpoint: Checkpoint
) -> None:
    counts: dict[str, int] = {}
    config = DedupConfig(bands=10, rows=1, max_pair_bucket=4, max_hub_rounds=1)
    texts = texts_frame(spark, template_pages(7, 12))
    find_duplicates(texts, config, checkpoint, counts.__setitem__)
    assert counts["near_unsettled_buckets"] > 0


@pytest.mark.usefixtures("each_way")
def test_a_chain_is_one_cluster_whose_ends_may_differ(
    spark: SparkSession, checkpoint: Checkpoint
) -> None:
    rng = random.Random(8)
    text = random_text(rng, 700)
    texts = {f"d{start}": text[start * 30 :][:500] + "完" * (9 - start) for start in range(6)}
    config = DedupConfig(bands=60, rows=6)
    removed = found(find_duplicates(texts_frame(spark, texts), config, checkpoint))
    assert {row.kept_doc_id for row in removed.values()} == {"d0"}
    assert {key: row.similarity for key, row in removed.items()} == {
        key: exact_jaccard(texts["d0"], text) for key, text in texts.items() if key != "d0"
    }
    assert removed["d5"].similarity < config.min_similarity


@pytest.mark.parametrize(
    ("group_members", "hub_members"),
    [
        pytest.param(4096, 4096, marks=pytest.mark.slow),
        pytest.param(1, 4096, marks=pytest.mark.slow),
        (1, 30),
    ],
)
def test_many_copies_of_one_page_are_one_cluster(
    spark: SparkSession,
    checkpoint: Checkpoint,
    monkeypatch: pytest.MonkeyPatch,
    shuffle_partitions: Callable[[int], None],
    group_members: int,
    hub_members: int,
) -> None:
    """Whether one task has all of them, or compares all with the first, or several do."""
    if hub_members < 400:
        shuffle_partitions(7)
    monkeypatch.setattr("jobs.transforms.near_duplicates._HUB_MEMBERS", hub_members)
    monkeypatch.setattr("jobs.transforms.near_duplicates._GROUP_MEMBERS", group_members)
    page = random_text(random.Random(9), 120)
    texts = {f"d{number:04d}": f"{page}{number:04d}" for number in range(400)}
    removed = found(find_duplicates(texts_frame(spark, texts), DedupConfig(), checkpoint))
    assert len(removed) == 399
    assert {row.kept_doc_id for row in removed.values()} == {"d0000"}
    assert {row.cluster_size for row in removed.values()} == {400}
    assert {key: row.similarity for key, row in removed.items()} == {
        key: exact_jaccard(texts["d0000"], texts[key]) for key in removed
    }


@pytest.fixture
def shuffle_partitions(spark: SparkSession) -> Iterator[Callable[[int], None]]:
    """Sets how many tasks a shuffle has; none are put together because they have little to do."""
    key, coalesced = "spark.sql.shuffle.partitions", "spark.sql.adaptive.coalescePartitions.enabled"
    before = spark.conf.get(key) or ""

    def set_partitions(partitions: int) -> None:
        spark.conf.set(key, partitions)
        spark.conf.set(coalesced, False)

    yield set_partitions
    spark.conf.set(key, before)
    spark.conf.unset(coalesced)


@pytest.mark.slow
def test_partitions_and_row_order_change_nothing(
    spark: SparkSession, tmp_path: Path, shuffle_partitions: Callable[[int], None]
) -> None:
    texts = planted_documents(10, families=25, singles=20, chars=(100, 300))
    rows = [
        (doc_id, f"http://e.cn/{number % 90}", on_day(1 + number % 28), text)
        for number, (doc_id, text) in enumerate(texts.items())
    ]
    answers = []
    for partitions in (1, 2, 7):
        random.Random(partitions).shuffle(rows)
        shuffle_partitions(partitions)
        frame = documents(spark, rows).repartition(partitions)
        checkpoint = parquet_checkpoint(tmp_path / str(partitions))
        answers.append(sorted(find_duplicates(frame, DedupConfig(), checkpoint).collect()))
    assert answers[0] == answers[1] == answers[2]
    assert {row.kind for row in answers[0]} == {"url", "exact", "near"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("levels", ("url", "sentence")),
        ("bands", 0),
        ("rows", -1),
        ("shingle_chars", 0),
        ("min_similarity", 0.0),
        ("min_similarity", 1.1),
        ("max_pair_bucket", 1),
        ("max_hub_rounds", 0),
        ("preferred_hosts", ("http://e.cn/",)),
    ],
)
def test_settings_that_make_no_sense_are_refused(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"dedup.{key}"):
        load_config(None, [f"dedup.{key}={json.dumps(value)}"])
