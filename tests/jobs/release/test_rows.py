"""Rows of a release: excluded, labelled, dealt to files; the same for any partitioning."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError
from jobs.config.release_settings import ReleaseConfig
from jobs.publishing.excluded import EXCLUDED
from jobs.publishing.exclusions import Exclusions
from jobs.publishing.files import FILE
from jobs.release.facts import counts_by, measured_rows, release_facts, row_counts, summed
from jobs.release.layout import shuffled, sorted_by_column
from jobs.release.rows import (
    BUCKET,
    BYTES,
    GROUP,
    ORDER,
    perplexity_limits,
    released_columns,
    with_labels,
)
from jobs.tables import CORPUS, schema_of
from tests.builders.corpus_outputs import made_rows

ROWS = made_rows(60)


@pytest.fixture(scope="module")
def corpus(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ROWS, schema_of(CORPUS)).repartition(3).cache()


def excluded(corpus: DataFrame, keys: dict[str, list[str]]) -> dict[int, str]:
    """Number of a row -> the kind that excludes it."""
    entries = Exclusions({kind: frozenset(of) for kind, of in keys.items()})
    rows = with_labels(corpus, ReleaseConfig(), entries, None).select("doc_id", EXCLUDED).collect()
    assert len(rows) == len(ROWS)
    numbers = {row["doc_id"]: number for number, row in enumerate(ROWS)}
    return {numbers[row.doc_id]: row[1] for row in rows if row[1] is not None}


def test_nothing_is_excluded_without_a_list(corpus: DataFrame) -> None:
    assert excluded(corpus, {}) == {}


def test_each_kind_excludes_what_it_names(corpus: DataFrame) -> None:
    text = hashlib.sha256(ROWS[4]["text"].encode()).hexdigest()
    same = {n: "sha256" for n, row in enumerate(ROWS) if row["text"] == ROWS[4]["text"]}
    assert excluded(corpus, {"doc_id": [ROWS[7]["doc_id"], "no such"]}) == {7: "doc_id"}
    assert excluded(corpus, {"url": ["www.h1.cn/p/11", "h1.cn/p/1"]}) == {11: "url"}
    assert excluded(corpus, {"sha256": [text]}) == same
    of_host = {n: "host" for n in range(60) if n % 5 == 2}
    assert excluded(corpus, {"host": ["h2.cn"]}) == of_host
    assert excluded(corpus, {"host": ["www.h2.cn", "2.cn", "other.cn"]}) == of_host


def test_the_text_as_extracted_is_named_by_its_digest_too(spark: SparkSession) -> None:
    row = {**ROWS[0], "original_sha256": "ab" * 32}
    frame = spark.createDataFrame([row], schema_of(CORPUS))
    labelled = with_labels(frame, ReleaseConfig(), Exclusions({"sha256": {"ab" * 32}}), None)
    assert [of[0] for of in labelled.select(EXCLUDED).collect()] == ["sha256"]


def test_a_row_counts_under_the_first_kind(corpus: DataFrame) -> None:
    found = excluded(
        corpus,
        {"doc_id": [ROWS[2]["doc_id"]], "url": ["www.h2.cn/p/7"], "host": ["h2.cn"]},
    )
    assert Counter(found.values()) == {"doc_id": 1, "url": 1, "host": 10}
    assert (found[2], found[7]) == ("doc_id", "url")


def test_folders_and_counts(corpus: DataFrame) -> None:
    settings = ReleaseConfig(
        subsets=("quality", "domain", "perplexity"), head_perplexity=20.0, tail_perplexity=50.0
    )
    limits = perplexity_limits(corpus, settings)
    assert limits == (20.0, 50.0)
    entries = Exclusions({"host": frozenset(["h0.cn"])})
    counts = row_counts(with_labels(corpus, settings, entries, limits))
    facts = release_facts({"settings": {}}, counts, settings, limits)
    assert facts["ledger"] == {
        "seen": 60, "released": 48, "excluded": [{"kind": "host", "rows": 12}],
    }  # fmt: skip
    kept = [row for n, row in enumerate(ROWS) if n % 5]
    unset = {"tokens": 0, "repeats": 0}  # columns of nulls
    assert unset | facts["counts"] == unset | {
        "rows": 48,
        "chars": sum(len(row["text"]) for row in kept),
        "bytes": sum(len(row["text"].encode()) for row in kept),
        "toxic_rows": sum(row["toxicity"]["label"] for row in kept),
    }

    def band(score: float) -> str:
        return "high" if score >= 0.9 else "medium" if score >= 0.7 else "low"

    def bucket(perplexity: float) -> str:
        return "head" if perplexity < 20 else "middle" if perplexity < 50 else "tail"

    folders = Counter(
        f"quality_{band(row['quality_score'])}/domain_{row['domain']['single_label']}/"
        f"perplexity_{bucket(row['harmful']['perplexity'])}"
        for row in kept
    )
    assert {of["folder"]: of["rows"] for of in facts["folders"]} == folders
    assert [of["band"] for of in facts["quality_bands"]] == ["high", "medium", "low"]
    assert sum(of["rows"] for of in facts["domains"]) == 48
    assert summed([]) == {"rows": 0, "chars": 0, "bytes": 0, "toxic_rows": 0}


def test_buckets_are_shares_of_this_corpus(corpus: DataFrame) -> None:
    settings = ReleaseConfig(subsets=("perplexity",))
    limits = perplexity_limits(corpus, settings)
    assert limits == perplexity_limits(corpus.repartition(1), settings)
    counts = row_counts(with_labels(corpus, settings, Exclusions(), limits))
    rows = {name: of["rows"] for name, of in counts_by(counts, BUCKET).items()}
    assert rows["head"] == pytest.approx(18, abs=2)
    assert rows["tail"] == pytest.approx(24, abs=2)
    assert sum(rows.values()) == 60
    unscored = corpus.withColumn("harmful", F.lit(None).cast(corpus.schema["harmful"].dataType))
    nothing = perplexity_limits(unscored, settings)
    counts = row_counts(with_labels(unscored, settings, Exclusions(), nothing))
    assert list(counts_by(counts, BUCKET)) == ["unscored"]


def dealt(corpus: DataFrame, settings: ReleaseConfig) -> tuple[list[list[Any]], list[str]]:
    """The sorted rows of each file, and the files' names."""
    labelled = with_labels(corpus, settings, Exclusions(), None)
    if settings.order == "hash":
        sizes = {name: of["bytes"] for name, of in counts_by(row_counts(labelled), GROUP).items()}
        rows, layout = shuffled(labelled, sizes, settings)
    else:
        # Ids and files of few rows are sent to all, those of many are shuffled with the texts.
        count = 1 if settings.order.startswith("-") else 10**9
        rows, layout = sorted_by_column(labelled, measured_rows(labelled), count, settings)
    found = rows.select(FILE, "doc_id", "quality_score", BYTES, GROUP).collect()
    assert len(found) == len(ROWS)
    files: list[list[Any]] = [[] for _ in range(layout.files)]
    for row in found:
        files[row[0]].append(tuple(row)[1:])
    return [sorted(rows) for rows in files], [layout.name_of(n) for n in range(layout.files)]


def test_shuffled_rows_go_to_files_by_their_ids(corpus: DataFrame) -> None:
    settings = ReleaseConfig(file_bytes=4000)
    files, names = dealt(corpus, settings)
    total = sum(len(row["text"].encode()) for row in ROWS)
    assert len(files) == -(-total // 4000) > 3
    assert dealt(corpus.repartition(1), settings) == (files, names)
    assert sum(1 for rows in files if rows) > 2
    other, _ = dealt(corpus, ReleaseConfig(file_bytes=4000, seed=1))
    assert other != files


def test_folders_are_filled_by_themselves(corpus: DataFrame) -> None:
    files, names = dealt(corpus, ReleaseConfig(file_bytes=4000, subsets=("domain",)))
    assert {name.partition("/")[0] for name in names} == {
        f"domain_{label}" for label in ("law", "news", "medicine", "education")
    }
    for rows, name in zip(files, names, strict=True):
        assert {row[3] for row in rows} <= {name.partition("/")[0]}


@pytest.mark.parametrize("order", ["quality_score", "-quality_score"])
@pytest.mark.parametrize("subsets", [(), ("domain",)])
def test_sorted_rows_fill_one_file_after_the_other(
    corpus: DataFrame, order: str, subsets: tuple[str, ...]
) -> None:
    settings = ReleaseConfig(file_bytes=3000, order=order, subsets=subsets)
    files, names = dealt(corpus, settings)
    assert dealt(corpus.repartition(1), settings) == (files, names)
    sign = -1 if order.startswith("-") else 1
    by_folder: dict[str, list[list[Any]]] = {}
    for rows, name in zip(files, names, strict=True):
        by_folder.setdefault(name.rpartition("/")[0], []).append(rows)
    assert len(by_folder) == (4 if subsets else 1)
    for of_folder in by_folder.values():
        assert len(of_folder) > 1
        keys = [[(sign * row[1], row[0]) for row in rows] for rows in of_folder]
        assert all(max(one) < min(next_) for one, next_ in pairwise(keys))
        before = 0
        for number, rows in enumerate(of_folder):
            assert before // 3000 == number  # the first row's place in the whole order
            before += sum(row[2] for row in rows)


def test_columns_that_the_corpus_has_not_are_refused() -> None:
    schema = schema_of(CORPUS)
    assert released_columns(schema, ReleaseConfig()) == [
        *("text", "domain", "toxicity", "quality_score")
    ]
    assert released_columns(schema, ReleaseConfig(rows="full")) == schema.fieldNames()
    chosen = ReleaseConfig(rows="full", columns=("url", "text"))
    assert released_columns(schema, chosen) == ["url", "text"]
    with pytest.raises(ConfigError, match=r"release\.columns: the corpus has no column 'txt'"):
        released_columns(schema, ReleaseConfig(rows="full", columns=("txt",)))
    with pytest.raises(ConfigError, match=r"release\.order: the corpus has no column 'score'"):
        released_columns(schema, ReleaseConfig(order="-score"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"formats": ()}, "release.formats"),
        ({"formats": ("csv",)}, "csv"),
        ({"formats": ("jsonl.gz", "jsonl.zst")}, "not both"),
        ({"subsets": ("language",)}, "language"),
        ({"split": "train-1"}, "release.split"),
        ({"quality_bands": {"good": 0.5}}, "begin at 0"),
        ({"quality_bands": {"a/b": 0.0}}, "letters, digits"),
        ({"quality_bands": {"a": 0.0, "b": 0.0}}, "one score"),
        ({"head_share": 0.7}, "more than 1"),
        ({"head_perplexity": 9.0, "tail_perplexity": 8.0}, "is above"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ReleaseConfig(**given)


def test_copies_are_shuffled_apart(corpus: DataFrame) -> None:
    twice = corpus.union(corpus)
    orders = []
    for rows in (twice, twice.repartition(1)):
        labelled = with_labels(rows, ReleaseConfig(), Exclusions(), None, has_copies=True)
        found = labelled.select("doc_id", ORDER).collect()
        assert len(found) == 2 * len(ROWS) == len({row[1] for row in found})
        orders.append(sorted(map(tuple, found)))
    assert orders[0] == orders[1]
