"""Snapshots one after another, through the signature store, against one search over all of them.

What is promised: with ``keep = "oldest"``, later snapshots captured later, and no bucket left
mixed, snapshots searched one after another keep every document that one search over all keeps.
Beside these they keep the earlier documents that a later one bridges: a document that resembles two
kept documents of earlier snapshots would, in one search, have removed the younger of the two. How
many they are is counted, and none is of the last snapshot.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyspark.sql import Row, SparkSession

from jobs.config import DedupConfig
from jobs.run.signature_store import open_store
from jobs.transforms.duplicates import duplicate_rows, search_duplicates
from jobs.transforms.earlier_snapshots import snapshot_keys
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.near_duplicates import edited_text, random_text

DDL = "doc_id string, url string, capture_time timestamp, text string"

# Bands enough that no pair is left to chance, and no bucket so large that pairs are passed over.
CERTAIN = DedupConfig(keep="oldest", bands=60, rows=6, max_pair_bucket=1000)


class Page(NamedTuple):
    """A row of the documents."""

    doc_id: str
    url: str
    capture_time: datetime
    text: str


class Searched(NamedTuple):
    """What became of a snapshot."""

    removed: dict[str, Row]
    counts: dict[str, int]


def captured(day: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)


def pages_of_snapshots(seed: int, snapshots: int, families: int = 40) -> list[list[Page]]:
    """Families of pages whose members are captured again, copied, moved, edited and edited once
    more, over all snapshots; later snapshots are captured later."""
    rng = random.Random(seed)
    found: list[list[Page]] = [[] for _ in range(snapshots)]
    for family in range(families):
        texts = [random_text(rng, rng.randint(80, 250))]
        url = f"http://h{family % 5}.cn/{family}"
        for member in range(rng.randint(1, 7)):
            kind = rng.choice(("recapture", "copy", "edit", "edit", "edit of an edit"))
            text = rng.choice(texts)
            if kind == "edit":
                text = edited_text(rng, texts[0], rng.uniform(0.6, 1.0))
            elif kind == "edit of an edit":
                text = edited_text(rng, texts[-1], 0.85)
            texts.append(text)
            snapshot = rng.randrange(snapshots)
            # Ids say nothing about age, and are unique.
            doc_id = f"p{rng.randrange(1000):03d}-{family}-{member}"
            own_url = url if kind == "recapture" else f"{url}/{member}"
            day = captured(30 * snapshot + rng.randrange(30))
            found[snapshot].append(Page(doc_id, own_url, day, text))
    return found


def search(
    spark: SparkSession, folder: Path, pages: Sequence[Page], config: DedupConfig, mark: str = ""
) -> Searched:
    """One run over some pages, with the store that the configuration names, if it does.

    Args:
        mark: Fingerprint of the run; another one means other pages or settings.
    """
    session = open_store(config)
    earlier = None if session is None else session.read(spark)
    documents = spark.createDataFrame(pages, DDL)
    counts: dict[str, int] = {}
    checkpoint = parquet_checkpoint(folder / f"scratch-{random.random()}")
    found = search_duplicates(documents, config, checkpoint, counts.__setitem__, earlier=earlier)
    rows = duplicate_rows(found.removed, earlier).collect()
    by_id = {row.doc_id: row for row in rows}
    assert len(by_id) == len(rows)
    if session is not None:
        keys = snapshot_keys(found.prints, found.removed)
        session.write(keys, documents.select("doc_id", "text"), mark or "once", config, "out")
    return Searched(by_id, counts)


def stored(config: DedupConfig, folder: Path, snapshot: str) -> DedupConfig:
    return replace(config, signature_store=str(folder / "store"), snapshot=snapshot)


@pytest.mark.parametrize(
    ("seed", "snapshots", "verify", "group_members"),
    [
        (1, 2, "exact", 500),
        pytest.param(2, 3, "exact", 2, marks=pytest.mark.slow),
        pytest.param(3, 2, "estimate", 500, marks=pytest.mark.slow),
        pytest.param(3, 2, "estimate", 2, marks=pytest.mark.slow),
    ],
)
def test_snapshots_in_turn_keep_what_one_search_keeps(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    snapshots: int,
    verify: Any,
    group_members: int,
) -> None:
    monkeypatch.setattr("jobs.transforms.near_duplicates._GROUP_MEMBERS", group_members)
    parts = pages_of_snapshots(seed, snapshots)
    config = replace(CERTAIN, verify=verify)
    whole = search(spark, tmp_path, [page for part in parts for page in part], config).removed
    kept_beside: set[str] = set()
    bridged = 0
    for number, part in enumerate(parts):
        config_here = stored(config, tmp_path, f"s{number}")
        ours = search(spark, tmp_path, part, config_here)
        ids = {page.doc_id for page in part}
        assert ours.removed.keys() <= whole.keys() & ids
        kept_beside |= whole.keys() & ids - ours.removed.keys()
        bridged += ours.counts.get("near_bridged_documents", 0)
        for row in ours.removed.values():
            assert (row.kept_snapshot is None) == (row.kept_doc_id in ids)
            at_home = kept_beside.isdisjoint((row.kept_doc_id, whole[row.doc_id].kept_doc_id))
            if at_home:  # where nothing is bridged, the same document is named
                assert row.kept_doc_id == whole[row.doc_id].kept_doc_id
    assert len(kept_beside) == bridged
    assert kept_beside.isdisjoint(page.doc_id for page in parts[-1])
    named = {row.kept_snapshot for row in ours.removed.values()}
    assert named >= {None, *(f"s{number}" for number in range(snapshots - 1))}
    assert {row.kind for row in ours.removed.values()} == {"url", "exact", "near"}


@pytest.mark.slow
def test_what_an_earlier_snapshot_has_stays_and_is_named(
    spark: SparkSession, tmp_path: Path
) -> None:
    rng = random.Random(4)
    text, other, third = (random_text(rng, 300) for _ in range(3))
    copy = edited_text(rng, text, 0.9)
    config = replace(CERTAIN, keep="longest")
    first = [
        Page("a1", "http://e.cn/1", captured(1), text + "完完"),
        Page("a2", "http://e.cn/2", captured(2), copy),  # goes: near a1
        Page("a3", "http://e.cn/3", captured(3), other),
        Page("a4", "http://e.cn/3?utm_source=x", captured(4), "旧" + other),  # keeps a3 out: url
    ]
    one = search(spark, tmp_path, first, stored(config, tmp_path, "one"))
    assert {key: row.kept_doc_id for key, row in one.removed.items()} == {"a2": "a1", "a3": "a4"}
    assert one.counts["near_bridged_documents"] == 0

    longer = edited_text(rng, copy, 0.95) + "长" * 20
    second = [
        Page("b1", "http://e.cn/b1", captured(40), copy),  # the text of a2, which is gone
        Page("b2", "http://e.cn/b2", captured(41), longer),  # near a2, longer than all
        Page("b3", "http://E.cn/3/", captured(42), third),  # the address of a4
        Page("a3", "http://e.cn/b4", captured(43), third + "新" * 90),  # an id that was there
        Page("b5", "http://e.cn/b5", captured(44), third),  # near it
    ]
    settings = stored(config, tmp_path, "two")
    two = search(spark, tmp_path, second, settings)
    assert {
        key: (row.kind, row.kept_doc_id, row.kept_snapshot, row.cluster_id, row.cluster_size)
        for key, row in two.removed.items()
    } == {
        "b1": ("exact", "a1", "one", "a1", 3),
        "b2": ("near", "a1", "one", "a1", 3),
        "b3": ("url", "a4", "one", "a4", 2),
        "b5": ("near", "a3", None, "a3", 2),  # of this run
    }
    again = search(spark, tmp_path, second, settings)  # a rerun does not meet itself
    assert again == two

    third_run = [Page("c1", "http://e.cn/b4", captured(90), longer)]
    three = search(spark, tmp_path, third_run, stored(config, tmp_path, "three"))
    assert [(row.kind, row.kept_doc_id, row.kept_snapshot) for row in three.removed.values()] == [
        ("url", "a3", "two")
    ]
    by_text = [Page("d1", "http://e.cn/d", captured(99), longer)]
    four = search(spark, tmp_path, by_text, stored(config, tmp_path, "four"))
    assert [(row.kind, row.kept_doc_id, row.kept_snapshot) for row in four.removed.values()] == [
        ("exact", "a1", "one")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("group_members", [pytest.param(500, marks=pytest.mark.slow), 2])
def test_a_document_between_two_earlier_ones_is_counted(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group_members: int
) -> None:
    monkeypatch.setattr("jobs.transforms.near_duplicates._GROUP_MEMBERS", group_members)
    text = random_text(random.Random(5), 460)  # pages that are 20 characters apart are similar
    first = [
        Page("a1", "http://e.cn/1", captured(1), text[:400]),
        Page("a2", "http://e.cn/2", captured(2), text[60:]),
        Page("a3", "http://e.cn/3", captured(3), text[40:440]),
    ]
    between = [Page("b1", "http://e.cn/4", captured(40), text[20:420])]  # a1 and a3
    config = replace(CERTAIN, min_similarity=0.88)
    one = search(spark, tmp_path, first, stored(config, tmp_path, "one"))
    assert {key: row.kept_doc_id for key, row in one.removed.items()} == {"a3": "a2"}
    two = search(spark, tmp_path, between, stored(config, tmp_path, "two"))
    assert [row.kept_doc_id for row in two.removed.values()] == ["a1"]
    assert two.counts["near_bridged_documents"] == 1  # a2
    whole = search(spark, tmp_path, [*first, *between], config)
    assert whole.removed.keys() == {"a2", "a3", "b1"}
