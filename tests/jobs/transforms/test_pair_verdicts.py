"""What is decided on pairs: every reason, repeats against plain Python, budgets, missing images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError, SelectPairsConfig
from jobs.config.pair_settings import PAIR_LEVELS
from jobs.transforms.images.pair_reasons import LEVEL_REASONS, with_reasons
from jobs.transforms.images.pair_verdicts import (
    decided_pairs,
    pair_budget,
    repeated_pairs,
    wanted_images,
    with_benchmarks,
)
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.near_duplicates import union_find
from udfs.dedup.known_hashes import known_hashes

Pair = dict[str, Any]
FRAME_DDL = (
    "doc_id string, place int, url string, data_sha256 string, text string, "
    "image struct<reason:string,phash:bigint>, page struct<quality_score:double>, "
    "in_corpus boolean, captured bigint, is_benchmark boolean"
)


def rules() -> dict[str, Column]:
    return {"short": F.length("text") < 2, "long": F.length("text") > 4}


def frame_of(spark: SparkSession, pairs: Sequence[Pair]) -> DataFrame:
    names = [part.split()[0] for part in FRAME_DDL.split(", ")]
    return spark.createDataFrame(
        [tuple(pair.get(name) for name in names) for pair in pairs], FRAME_DDL
    )


def pair_of(doc: int, place: int, **more: Any) -> Pair:
    return {
        **{"doc_id": f"{doc:032x}", "place": place, "url": f"http://x/{doc}/{place}"},
        **{"image": None, "text": "三个字", "page": Row(quality_score=0.5), "in_corpus": True},
        **more,
    }


def image_of(phash: int | None, reason: str | None = None) -> Row:
    return Row(reason=reason, phash=phash)


def test_every_reason_of_a_pair_itself(spark: SparkSession) -> None:
    settings = SelectPairsConfig(
        images="required", benchmarks=("coco.txt",), where="page.quality_score > 0.25"
    )
    found = image_of(1)
    expected = [
        ([], pair_of(0, 0, image=found, is_benchmark=False)),
        (["page_not_in_corpus"], pair_of(0, 1, image=found, in_corpus=False)),
        (["short"], pair_of(0, 2, image=found, text="字")),
        (["no_image"], pair_of(0, 3)),
        (["broken"], pair_of(0, 4, image=image_of(None, "broken"))),
        (["benchmark_image"], pair_of(0, 5, image=found, is_benchmark=True)),
        (["where"], pair_of(0, 6, image=found, page=Row(quality_score=None))),
        (
            ["page_not_in_corpus", "long", "no_image", "where"],
            pair_of(0, 7, text="五个字以上", in_corpus=False, page=Row(quality_score=0.1)),
        ),
    ]
    judged = with_reasons(frame_of(spark, [pair for _, pair in expected]), rules(), settings)
    rows = sorted(judged.collect(), key=lambda row: row.place)
    assert [row.reasons for row in rows] == [reasons for reasons, _ in expected]

    least = SelectPairsConfig(pages="all")
    rows = with_reasons(frame_of(spark, [pair for _, pair in expected]), {}, least).collect()
    assert {row.place: row.reasons for row in rows if row.reasons} == {4: ["broken"]}


def test_images_of_benchmarks_are_found_by_all_bits_of_their_hashes(spark: SparkSession) -> None:
    hashes = [None, -1, -1 ^ 0b101, -1 ^ 0b111, (1 << 62) + 1, 7]
    pairs = [
        pair_of(0, place, image=None if phash is None else image_of(phash))
        for place, phash in enumerate(hashes)
    ]
    known = known_hashes(np.array([(1 << 64) - 1, 1 << 62], dtype=np.uint64), 2)
    found = with_benchmarks(frame_of(spark, pairs).drop("is_benchmark"), known).collect()
    assert {row.place: row.is_benchmark for row in found} == {
        **{0: None, 1: True, 2: True},
        **{3: False, 4: True, 5: False},
    }


def made_pairs(count: int) -> list[Pair]:
    """Pairs of which most repeat others in several ways."""
    rng = np.random.default_rng(5)
    pictures = rng.integers(-(1 << 63), 1 << 63, 12, dtype=np.int64).tolist()
    pairs = []
    for number in range(count):
        doc = int(rng.integers(count // 6))
        phash = pictures[int(rng.integers(len(pictures)))]
        for bit in rng.choice(63, int(rng.integers(0, 4)), replace=False).tolist():
            phash ^= 1 << bit
        quality = [None, 0.25, 0.5, 1.0][doc % 4]
        pairs.append(
            pair_of(
                *(doc, number),
                url=None if number % 9 == 0 else f"http://x/{rng.integers(20)}",
                data_sha256=f"d{rng.integers(3)}" if number % 9 == 0 else None,
                text=None if number % 13 == 0 else f"文{rng.integers(6)}字",
                image=None if number % 5 == 0 else image_of(phash),
                page=Row(quality_score=quality),
                captured=None if doc % 7 == 0 else doc % 5,
            )
        )
    for doc in (901, 902, 903):  # one image, texts of their own
        pairs.append(pair_of(doc, 0, url="http://x/set", text=f"第{doc}页", captured=doc % 902))
    return pairs


def preferred(pair: Pair) -> tuple[float, str, int]:
    score = pair["page"].quality_score
    return (-score if score is not None else 2.0, pair["doc_id"], pair["place"])


def address_of(pair: Pair) -> Any:
    return pair["url"] or pair["data_sha256"]


def phash_of(pair: Pair) -> int | None:
    return None if pair["image"] is None else pair["image"].phash


def differing(one: int, other: int) -> int:
    return ((one ^ other) % (1 << 64)).bit_count()


def equal_by(key: Callable[[Pair], tuple[Any, ...]], pairs: Sequence[Pair]) -> list[Pair]:
    """Those that go, all but the first of each group of equal keys."""
    first: dict[tuple[Any, ...], Pair] = {}
    for pair in sorted(pairs, key=preferred):
        if None not in key(pair):
            first.setdefault(key(pair), pair)
    return [pair for pair in pairs if None not in key(pair) and first[key(pair)] is not pair]


def near_by_document(pairs: Sequence[Pair]) -> list[Pair]:
    kept: dict[str, list[int]] = {}
    gone = []
    for pair in sorted(pairs, key=lambda pair: (pair["doc_id"], pair["place"])):
        phash, there = phash_of(pair), kept.setdefault(pair["doc_id"], [])
        if phash is not None and any(differing(phash, other) <= 5 for other in there):
            gone.append(pair)
        elif phash is not None:
            there.append(phash)
    return gone


def near_anywhere(pairs: Sequence[Pair]) -> list[Pair]:
    hashes = sorted({phash for pair in pairs if (phash := phash_of(pair)) is not None})
    root = union_find([both for both in combinations(hashes, 2) if differing(*both) <= 5])

    def cluster(pair: Pair) -> tuple[Any, ...]:
        phash = phash_of(pair)
        return (None if phash is None else root.get(phash, phash),)

    return equal_by(cluster, pairs)


def of_equal_sets(pairs: Sequence[Pair]) -> list[Pair]:
    sets: dict[str, set[Any]] = {}
    captured = {}
    for pair in pairs:
        sets.setdefault(pair["doc_id"], set()).add(address_of(pair))
        captured[pair["doc_id"]] = pair["captured"]
    first: dict[frozenset[Any], str] = {}
    by_time = sorted(sets, key=lambda d: (captured[d] is None, -(captured[d] or 0), d))
    gone = {doc for doc in by_time if first.setdefault(frozenset(sets[doc]), doc) != doc}
    return [pair for pair in pairs if pair["doc_id"] in gone]


PLAIN: Mapping[str, Callable[[Sequence[Pair]], list[Pair]]] = {
    "url_text": lambda pairs: equal_by(lambda pair: (address_of(pair), pair["text"]), pairs),
    "phash_text": lambda pairs: equal_by(lambda pair: (phash_of(pair), pair["text"]), pairs),
    "document": near_by_document,
    "near_images": near_anywhere,
    "image_sets": of_equal_sets,
}


@pytest.mark.parametrize("levels", [PAIR_LEVELS, ("image_sets",), ("near_images",)], ids=len)
def test_levels_are_plain_python_for_any_partitioning(
    spark: SparkSession, tmp_path: Path, levels: tuple[str, ...]
) -> None:
    pairs = made_pairs(240)
    left, expected = pairs, {}
    for level in levels:
        gone = PLAIN[level](left)
        expected |= {(pair["doc_id"], pair["place"]): LEVEL_REASONS[level] for pair in gone}
        left = [pair for pair in left if all(pair is not other for other in gone)]
    assert set(expected.values()) == {LEVEL_REASONS[level] for level in levels}
    settings = SelectPairsConfig(levels=levels[::-1])
    for partitions in (1, 4):
        frame = frame_of(spark, pairs).repartition(partitions)
        judged = with_reasons(frame, {}, settings)
        checkpoint = parquet_checkpoint(tmp_path / str(partitions))
        found = repeated_pairs(judged, settings, checkpoint, 20)
        assert found is not None
        rows = found.collect()
        assert len(rows) == len(expected)
        assert {(row.doc_id, row.place): row.reason for row in rows} == expected


def test_a_budget_keeps_the_first_in_order(spark: SparkSession, tmp_path: Path) -> None:
    pairs = made_pairs(200)[:200]
    pairs[0]["text"] = "很长的一段文字"
    pairs[1]["text"] = pairs[2]["text"] = "同一个"
    pairs[1]["url"] = pairs[2]["url"] = "http://x/same"
    settings = SelectPairsConfig(levels=("url_text",), budget="50 pairs", order="captured % 3")
    gone_by = {id(pair): "repeated_pair" for pair in PLAIN["url_text"](pairs[1:])}
    left = [pair for pair in pairs[1:] if id(pair) not in gone_by]

    def in_order(pair: Pair) -> tuple[float, str, int]:
        order = None if pair["captured"] is None else pair["captured"] % 3
        return (9.0 if order is None else -order, pair["doc_id"], pair["place"])

    kept = {(pair["doc_id"], pair["place"]) for pair in sorted(left, key=in_order)[:50]}
    for partitions in (1, 3):
        checkpoint = parquet_checkpoint(tmp_path / str(partitions))
        frame = frame_of(spark, pairs).repartition(partitions)
        judged = checkpoint(with_reasons(frame, rules(), settings), "judged")
        gone = repeated_pairs(judged, settings, checkpoint, 20)
        budget = pair_budget(judged, gone, "50 pairs", checkpoint)
        assert (budget.asked, budget.missing, budget.share.kept) == (50, 0, 50)
        rows = decided_pairs(judged, gone, budget).collect()
        assert len(rows) == len(pairs)
        found = {(row.doc_id, row.place): row.reasons for row in rows}
        assert {key for key, reasons in found.items() if not reasons} == kept
        assert found[pairs[0]["doc_id"], 0] == ["long"]
        assert sum(reasons == ["repeated_pair"] for reasons in found.values()) == len(gone_by)
        assert sum(reasons == ["over_budget"] for reasons in found.values()) == len(left) - 50
    more = pair_budget(judged, gone, "1K pairs", parquet_checkpoint(tmp_path / "more"))
    assert (more.missing, more.share.bound) == (1000 - len(left), None)


@pytest.mark.parametrize("images", ["optional", "required"])
def test_missing_images_have_the_caption_of_the_first_pair(
    spark: SparkSession, images: Any
) -> None:
    pairs = [
        pair_of(3, 0, url="http://x/1", text="第一处"),
        pair_of(2, 0, url="http://x/1", text="第二处"),
        pair_of(1, 0, url="http://x/1", text="第三处", page=Row(quality_score=None)),
        pair_of(4, 0, url="http://x/1", text="字", page=Row(quality_score=0.9)),
        pair_of(5, 0, url="http://x/2", image=image_of(7)),
        pair_of(6, 0, url=None, data_sha256="f0"),
        pair_of(7, 0, url="http://x/3", in_corpus=False),
        pair_of(8, 0, url="http://x/4", text="唯一处"),
    ]
    settings = SelectPairsConfig(images=images, levels=())
    decided = decided_pairs(with_reasons(frame_of(spark, pairs), rules(), settings), None, None)
    rows = sorted(wanted_images(decided, settings).collect())
    assert [tuple(row) for row in rows] == [
        ("http://x/1", "第二处", f"{2:032x}", 0),
        ("http://x/4", "唯一处", f"{8:032x}", 0),
    ]


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match=r"levels = \['phash'\]: unknown phash; known levels:"):
        SelectPairsConfig(levels=("phash",))
    with pytest.raises(ConfigError, match=r"select_pairs\.budget = '1M tokens': .* and pairs"):
        SelectPairsConfig(budget="1M tokens")
