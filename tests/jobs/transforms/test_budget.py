"""Selection within a budget beside a plain cut of a sorted list, for any partitioning."""

from __future__ import annotations

import math
import random
import struct
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError
from jobs.config.budget import Budget, apportion, check_mix, parse_budget
from jobs.transforms.selection import budget
from jobs.transforms.selection.budget import (
    DOMAIN,
    HASH,
    IMAGE,
    DomainShare,
    budget_reason,
    cut,
    deal,
    with_budget_columns,
)

Document = tuple[str, str | None, float | None, int | None]
"""doc_id, label, order key, amount."""
COLUMNS = "doc_id string, label string, key double, amount bigint"


def ranked(spark: SparkSession, rows: Sequence[Document], mix: Mapping[str, float]) -> DataFrame:
    frame = spark.createDataFrame(list(rows), COLUMNS)
    return with_budget_columns(frame, mix, F.col("label"), F.col("key"), F.col("amount"))


def plain_cut(
    rows: Sequence[Document],
    hashes: Mapping[str, int],
    asked: Mapping[str, int],
    goals: Mapping[str, int],
) -> set[str]:
    """The documents that a budget keeps, one after another."""

    def place(row: Document) -> tuple[float, int, str]:
        key = row[2]
        worst = key is None or math.isnan(key)
        return (math.inf if worst else -float(key or 0.0), hashes[row[0]], row[0])

    # -inf as a key is before no key at all.
    ordered = sorted(rows, key=lambda row: (row[2] is None or math.isnan(row[2]), place(row)))
    left, is_open, kept = dict(goals), dict.fromkeys(goals, True), set()
    for doc_id, label, _, amount in ordered:
        domain = label if label in asked else "*" if "*" in asked else None
        domain = "" if "" in asked else domain
        if domain is None or amount is None or amount > asked[domain] or not is_open[domain]:
            continue
        if amount > left[domain]:
            is_open[domain] = False
            continue
        left[domain] -= amount
        kept.add(doc_id)
    return kept


def documents(kind: str) -> list[Document]:
    draw = random.Random(kind)
    labels = ["law", "news", "math", "book", None]
    rows: list[Document] = []
    for number in range(400):
        amount: int | None = draw.randrange(0, 200)
        key: float | None = draw.random()
        if kind == "skewed":
            key = draw.choice([-1.0, 1.0]) * 10.0 ** draw.randrange(-300, 300)
            key = draw.choice([key, key, key, 0.0, -0.0, None, math.nan, math.inf, -math.inf])
        elif kind == "equal":
            key = 0.25
        elif kind == "tied":
            key = draw.choice([0.1, 0.2, 0.2000001])
        elif kind == "huge":
            amount = draw.choice([1, 2, 3, 10_000, 9_000_000_000, None])
        elif kind == "unit":
            amount = 1
        label = draw.choice(labels)
        rows.append((f"d{number:03}", None if kind == "empty" else label, key, amount))
    return rows


CASES = [
    ("even", 9_000, {}, False),
    ("even", 9_000, {"law": 0.1, "news": 0.6, "*": 0.3}, False),
    ("even", 30_000, {"law": 0.5, "news": 0.25, "*": 0.25}, True),
    ("even", 10**9, {}, False),
    ("skewed", 11_000, {"math": 0.5, "*": 0.5}, False),
    ("skewed", 17_000, {}, False),
    ("equal", 12_345, {"law": 0.2, "book": 0.8}, False),
    ("tied", 15_000, {}, False),
    ("huge", 5_000, {"law": 0.25, "*": 0.75}, True),
    ("unit", 101, {"law": 0.3, "math": 0.3, "news": 0.4}, False),
    ("empty", 4_000, {"law": 0.5, "*": 0.5}, True),
    ("empty", 4_000, {"law": 1.0}, False),
]


@pytest.mark.parametrize(("kind", "asked", "mix", "deals"), CASES)
def test_what_is_kept_is_the_best_that_fits(
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    asked: int,
    mix: dict[str, float],
    deals: bool,
) -> None:
    monkeypatch.setattr(budget, "COLLECTED", 256)  # else all of them are collected at once
    rows = documents(kind)
    frame = ranked(spark, rows, mix)
    amounts = {doc_id: amount or 0 for doc_id, _, _, amount in rows}
    kept: list[tuple[set[str], list[DomainShare]]] = []
    for partitions in (1, 3):
        parts = frame.repartition(partitions, "key").persist()
        shares = cut(parts, asked, mix, deals=deals)
        found = parts.where(budget_reason(shares).isNull()).select("doc_id").collect()
        kept.append(({row.doc_id for row in found}, shares))
        parts.unpersist()
    assert kept[0] == kept[1]
    ids, shares = kept[0]
    hashes = {row.doc_id: row[HASH] for row in frame.select("doc_id", HASH).collect()}
    expected = plain_cut(
        rows,
        hashes,
        {share.domain: share.asked for share in shares},
        {share.domain: share.goal for share in shares},
    )
    assert ids == expected
    assert sum(share.asked for share in shares) == asked
    assert sum(share.kept for share in shares) == sum(amounts[doc_id] for doc_id in ids) <= asked
    assert sum(share.documents for share in shares) == len(ids)
    for share in shares:
        assert share.kept <= share.goal and (share.bound is None) == (share.there <= share.goal)
        if deals:
            assert sum(of.goal for of in shares) == min(asked, sum(of.there for of in shares))


def test_reasons_of_what_a_budget_leaves_out(spark: SparkSession) -> None:
    rows: list[Document] = [
        ("kept", "law", 0.9, 10),
        ("worse", "law", 0.8, 10),
        ("larger", "law", 1.0, 11),
        ("other", "news", 1.0, 1),
        ("unlabelled", None, 1.0, 1),
        ("unscored", "law", 1.0, None),
    ]
    frame = ranked(spark, rows, {"law": 1.0})
    shares = cut(frame, 10, {"law": 1.0})
    found = frame.select("doc_id", budget_reason(shares).alias("reason")).collect()
    assert {row.doc_id: row.reason for row in found} == {
        "kept": None,
        "worse": "over_budget",
        "larger": "over_budget",
        "other": "not_in_mix",
        "unlabelled": "not_in_mix",
        "unscored": "unscored",
    }
    assert shares == [
        DomainShare("law", 10, there=20, goal=10, kept=10, documents=1, bound=shares[0].bound)
    ]
    assert shares[0].bound is not None and shares[0].bound[2] == "worse"


def test_order_keys_fall_as_their_images_rise(spark: SparkSession) -> None:
    draw = random.Random(3)
    keys: list[float | None] = [
        draw.choice([-1, 1]) * 10 ** draw.uniform(-308, 308) for _ in "x" * 200
    ]
    keys += [0.0, 5e-324, -5e-324, math.inf, -math.inf]
    for power in (-1073, -1023, -1022, -1021, -54, -1, 0, 1, 29, 52, 53, 1023):
        edge = 2.0**power
        keys += [math.nextafter(edge, 0), edge, -math.nextafter(edge, math.inf)]
    keys += [sys.float_info.max, math.nextafter(1.0, 2.0)]
    rows = [(str(n), None, key, 1) for n, key in enumerate([*keys, None, math.nan, -0.0])]
    found = ranked(spark, rows, {}).select("doc_id", "key", IMAGE, DOMAIN).collect()
    images = {row.doc_id: row[IMAGE] for row in found}
    ordered = sorted(range(len(keys)), key=lambda n: -float(keys[n] or 0.0))
    assert [images[str(n)] for n in ordered] == sorted(images[str(n)] for n in range(len(keys)))
    assert len({images[str(n)] for n in range(len(keys))}) == len(set(keys))
    for number, key in enumerate(keys):
        (bits,) = struct.unpack("<q", struct.pack("<d", abs(key or 0.0)))
        assert images[str(number)] == (bits if (key or 0.0) < 0 else -1 - bits), key
    none, nan, negative_zero = (images[str(len(keys) + n)] for n in range(3))
    assert none == nan > max(images[str(n)] for n in range(len(keys)))
    assert negative_zero == images[str(keys.index(0.0))]
    assert {row[DOMAIN] for row in found} == {0}


@given(
    st.integers(0, 10**15),
    st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(lambda shares: sum(shares) > 0.01),
)
def test_parts_add_up_and_are_within_one_of_exact_ones(amount: int, shares: list[float]) -> None:
    parts = apportion(amount, shares)
    assert sum(parts) == amount
    exact = [Fraction(share) * amount / sum(map(Fraction, shares)) for share in shares]
    assert all(abs(part - of) < 1 for part, of in zip(parts, exact, strict=True))


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.floats(0.001, 1)), min_size=1, max_size=6),
    st.integers(1, 4000),
)
def test_goals_are_full_or_in_proportion(domains: list[tuple[int, float]], asked: int) -> None:
    there, shares = [n for n, _ in domains], [share for _, share in domains]
    goals = deal(there, shares, asked)
    assert sum(goals) == min(asked, sum(there))
    assert all(goal <= most for goal, most in zip(goals, there, strict=True))
    part_full = [n for n, goal in enumerate(goals) if goal < there[n]]
    for one in part_full:  # a domain that is not exhausted has no less, by its share, than another
        for other in range(len(goals)):
            assert goals[other] / shares[other] <= (goals[one] + 1) / shares[one] + 1e-6 + 1 / min(
                shares
            )


@pytest.mark.parametrize(
    ("text", "budget_"),
    [
        ("20B tokens", Budget(20 * 10**9, "tokens")),
        ("1.5k characters", Budget(1500, "characters")),
        ("3T bytes", Budget(3 * 10**12, "bytes")),
        (" 1,000 documents ", Budget(1000, "documents")),
        ("0.1M tokens", Budget(100_000, "tokens")),
    ],
)
def test_a_budget_is_an_amount_of_a_unit(text: str, budget_: Budget) -> None:
    assert parse_budget(text) == budget_


@pytest.mark.parametrize(
    "text",
    [
        *("", "20B", "tokens", "20 B", "20B words", "0 tokens", "-3 tokens", "20Btokens"),
        *("1e3 tokens", "20G tokens", "5000000000B tokens"),
    ],
)
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"select\.budget = .*expected"):
        parse_budget(text)


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ({"law": 0.6, "news": 0.6}, "add up to 1.2, expected 1"),
        ({"law": 0.1}, 'add up to 0.1, expected 1; add "*" = 0.9 for all other domains'),
        ({"law": 0.1, "*": 0.1}, "add up to 0.2, expected 1"),
    ],
)
def test_a_mix_adds_up(mix: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_mix(mix)
    assert str(error.value).endswith(said)
    check_mix({})
    check_mix({"law": 0.1, "news": 0.2, "*": 0.7})
