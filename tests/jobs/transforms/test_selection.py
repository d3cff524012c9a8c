"""What enters a corpus, and how often: every reason, the cap of hosts, samples, repeats."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, ConfigError, load_config
from jobs.transforms.expressions import condition_fault, number_fault
from jobs.transforms.selection.frame import (
    frame_type,
    quality_score,
    selection_frame,
    selection_scorers,
    uses_measures,
    with_removals,
)
from jobs.transforms.selection.repeats import (
    LAST_SIZE,
    SizeCount,
    count_sizes,
    repeated_rows,
    steps_of,
    with_repeats,
)
from jobs.transforms.selection.verdicts import (
    is_sampled,
    selection_rules,
    unit_hash,
    with_host_cap,
    with_verdicts,
)
from udfs.scorers.domain import DOMAIN

GOOD: dict[str, Any] = {
    "doc_id": "good",
    "host": "a.cn",
    "language": "zh",
    "language_score": 0.9,
    "script": "hans",
    "opt_outs": [],
    "truncated": None,
    "measures": {"chars": 900},
    "quality": {"score": 0.7},
    "domain": {"single_label": "law"},
    "toxicity": {"label": 0, "kind": None, "score": 0.1},
    "perplexity": {"perplexity": 3.0},
}
DDL = (
    "doc_id string, host string, language string, language_score double, script string, "
    "opt_outs array<string>, truncated string, measures struct<chars:long>, "
    "quality struct<score:double>, domain struct<single_label:string>, "
    "toxicity struct<label:int,kind:string,score:double>, perplexity struct<perplexity:double>"
)
NEWS = {"domain": {"single_label": "news"}}
TOXIC = {"toxicity": {"label": 1, "kind": "insult", "score": 0.995}}
GAMBLING = {"toxicity": {"label": 1, "kind": "gambling", "score": 0.995}}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "good": {},
    "news": NEWS,
    "poor": {"quality": {"score": 0.4}},
    "poor_news": NEWS | {"quality": {"score": 0.4}},
    "toxic": TOXIC,
    "gambling": GAMBLING,
    "toxic_of_no_kind": {"toxicity": {"label": 1, "kind": None, "score": 0.995}},
    "hant": {"script": "hant"},
    "no_script": {"script": None},
    "english": {"language": "en"},
    "unsure": {"language_score": 0.5},
    "no_language": {"language": None, "language_score": None},
    "noai": {"opt_outs": ["noai"]},
    "noindex": {"opt_outs": ["noindex", "noarchive"]},
    "no_headers": {"opt_outs": None},
    "cut": {"truncated": "length"},
    "short": {"measures": {"chars": 20}},
    "unmeasured": {"measures": None},
    "unscored": dict.fromkeys(("quality", "domain", "toxicity", "perplexity")),
    "harmful": {"perplexity": {"perplexity": 0.8}},
}
TOXIC_ONES = {"toxic", "gambling", "toxic_of_no_kind"}
EVERYTHING_SCORED = {"unscored": {"unscored"}}
CASES: dict[str, tuple[list[str], dict[str, set[str]]]] = {
    "default": ([], {"low_quality": {"poor", "poor_news"}}),
    "quality by domain": (
        ["select.min_quality_by_domain={news = 0.3, law = 0.8}"],
        {"low_quality": set(DOCUMENTS) - {"news", "poor_news", "unscored"}},
    ),
    "no limit for a domain": (
        ['select.min_quality_by_domain={news = "off"}'],
        {"low_quality": {"poor"}},
    ),
    "a limit for a domain alone": (
        ["select.min_quality=off", "select.min_quality_by_domain.news=0.5"],
        {"low_quality": {"poor_news"}},
    ),
    "toxicity by domain": (
        ["select.min_quality=off", "select.max_toxicity_by_domain={news = 0.05}"],
        {"toxic": {"news", "poor_news"}},
    ),
    "perplexity by domain": (
        [
            "select.min_quality=off",
            "select.min_perplexity=5",
            "select.min_perplexity_by_domain.law=1",
        ],
        {"low_perplexity": {"news", "poor_news", "harmful"}},
    ),
    "no toxic ones": (["select.min_quality=off", "select.toxic=drop"], {"toxic": TOXIC_ONES}),
    "no toxic ones of some kinds": (
        ["select.min_quality=off", "select.toxic=drop", 'select.toxic_kinds=["gambling", "fraud"]'],
        {"toxic": {"gambling"}},
    ),
    "toxic ones of a kind only": (
        ["select.min_quality=off", "select.toxic=only", 'select.toxic_kinds=["insult"]'],
        {"not_toxic": set(DOCUMENTS) - {"toxic", "unscored"}},
    ),
    "a limit and no toxic ones": (
        ["select.min_quality=off", "select.toxic=drop", "select.max_toxicity=0.05"],
        {"toxic": set(DOCUMENTS) - {"unscored"}},
    ),
    "toxic ones only": (
        ["select.min_quality=off", "select.toxic=only"],
        {"not_toxic": set(DOCUMENTS) - TOXIC_ONES - {"unscored"}},
    ),
    "scripts": (
        ["select.min_quality=off", 'select.scripts=["hans"]'],
        {"script": {"hant", "no_script"}},
    ),
    "scripts and none": (
        ["select.min_quality=off", 'select.scripts=["hans", "none"]'],
        {"script": {"hant"}},
    ),
    "languages": (
        ["select.min_quality=off", 'select.languages=["zh", "yue"]'],
        {"language": {"english", "no_language"}},
    ),
    "sure languages": (
        ["select.min_quality=off", "select.min_language_score=0.6"],
        {"language": {"unsure", "no_language"}},
    ),
    "opt-outs": (
        ["select.min_quality=off", "select.opt_out_policy=drop"],
        {"opt_out": {"noai", "noindex"}},
    ),
    "some opt-outs": (
        ["select.min_quality=off", "select.opt_out_policy=drop", 'select.opt_outs=["noarchive"]'],
        {"opt_out": {"noindex"}},
    ),
    "truncated": (["select.min_quality=off", "select.truncated=drop"], {"truncated": {"cut"}}),
    "where": (
        ["select.min_quality=off", "select.where=measures.chars >= 100 AND host like '%.cn'"],
        {"where": {"short", "unmeasured"}},
    ),
    "where a score": (
        ["select.min_quality=off", "select.where=quality.score < 0.5"],
        {"where": set(DOCUMENTS) - {"poor", "poor_news"}},
    ),
    "no sample": (
        ["select.min_quality=off", "select.sample=0"],
        {"not_sampled": set(DOCUMENTS)},
    ),
    "all of a sample": (["select.min_quality=off", "select.sample=1"], {}),
}


def documents(spark: SparkSession) -> DataFrame:
    rows = [GOOD | {"doc_id": name} | other for name, other in DOCUMENTS.items()]
    return spark.createDataFrame([tuple(row.values()) for row in rows], DDL)


def test_every_reason_has_its_documents(spark: SparkSession) -> None:
    rules = {case: selection_rules(load_config(None, said)) for case, (said, _) in CASES.items()}
    columns = [
        F.array_compact(F.array(*(F.when(holds, reason) for reason, holds in of.items()))).alias(
            case
        )
        for case, of in rules.items()
    ]
    rows = documents(spark).select("doc_id", *columns).collect()
    for case, (_, expected) in CASES.items():
        found: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            for reason in row[case]:
                found[reason].add(row.doc_id)
        assert found == EVERYTHING_SCORED | expected, case


def test_a_document_has_the_stage_that_removed_it_and_its_reasons(spark: SparkSession) -> None:
    """An expression that fails is not evaluated for a document that is gone."""
    config = load_config(None, ["select.where=1 / (measures.chars - 20) > 0", "select.sample=1"])
    flagged = spark.createDataFrame(
        [("short", ["length", "character"]), ("good", [])],
        "doc_id string, reject_reasons array<string>",
    )
    duplicates = spark.createDataFrame(
        [
            ("news", "near", "good", None),
            ("gone", "near", "good", None),
            ("x", "url", "poor", "old"),
        ],
        "doc_id string, kind string, kept_doc_id string, kept_snapshot string",
    )
    frame = documents(spark).withColumns(
        {
            **{
                name: F.lit(None).cast("string")
                for name in ("url", "charset", "title", "warc_path", "page_kind")
            },
            "capture_time": F.lit(None).cast("timestamp"),
            "published": F.lit(None).cast("date"),
            "warc_offset": F.lit(3).cast("long"),
        }
    )
    scores = {
        name: frame.select("doc_id", f"{name}.*").selectExpr("*", "'m' artifact", "'l' lock_id")
        for name in ("quality", "toxicity", "perplexity")
    }
    probabilities = DOMAIN.result_type["probabilities"].dataType
    scores["domain"] = frame.selectExpr(
        "doc_id",
        "domain.single_label",
        "array(domain.single_label) multi_label",
        f"cast(null as {probabilities.simpleString()}) probabilities",
    )
    scores["perplexity"] = scores["perplexity"].withColumn("flagged", F.lit(False))
    scores["toxicity"] = scores["toxicity"].selectExpr(
        *("*", "1 worst_start", "1 worst_length", "0.0D worst_score", "0.0D mean_score")
    )
    measured = frame.select("doc_id", "measures")
    whole = selection_frame(frame, duplicates, scores, measured)
    verdicts = with_verdicts(with_removals(whole, flagged, duplicates), config, keep=["host"])
    rows = {row.doc_id: row for row in verdicts.collect()}
    assert rows.keys() == DOCUMENTS.keys()
    assert (rows["short"].stage, rows["short"].reasons) == ("apply_rules", ["length", "character"])
    assert (rows["news"].stage, rows["news"].reasons) == ("find_duplicates", ["near"])
    assert (rows["good"].stage, rows["good"].reasons) == (None, [])
    assert (rows["poor"].stage, rows["poor"].reasons) == ("select_corpus", ["low_quality"])
    assert rows["unscored"].reasons == ["unscored"]
    assert rows["unmeasured"].reasons == ["where"]
    assert (rows["good"].cluster_size, rows["poor"].cluster_size) == (3, 1)
    assert rows["good"].quality.score == 0.7 and rows["good"].host == "a.cn"


def test_expressions_see_the_columns_of_scorers_that_run(spark: SparkSession) -> None:
    config = load_config(None, ["select.where=upper(title) = 'A' or Quality_BERT.score > 0.5"])
    assert "quality_bert" not in selection_scorers(config)  # it does not run
    assert not uses_measures(config)
    assert uses_measures(load_config(None, ["select.where=Measures.chars > 3"]))
    frame = spark.createDataFrame([], frame_type(config.score.scorers))
    right = ["measures.chars > 3", "cluster_size > 1 and perplexity.flagged", "host is null"]
    assert [condition_fault(frame, text) for text in right] == [None] * len(right)
    wrong = {
        "reject_reasons is null": "reject_reasons",
        "quality_bert.score > 0.5": "quality_bert",
        "quality.scores > 0.5": "scores",
        "quality.score >": "syntax error",
        "quality.score": "BOOLEAN",
        "max(cluster_size) > 1": "",
        "rand() > 0.5": "deterministic",
        "true": "uses no column",
        "cluster_size in (select 1)": "subquery",
        "capture_time > current_timestamp()": "time",
    }
    for text, said in wrong.items():
        fault = condition_fault(frame, text)
        assert fault is not None and said.lower() in fault.lower(), (text, fault)
    assert number_fault(frame, "quality.score * 2 - toxicity.score") is None
    assert number_fault(frame, "host") == "is string, not a number"
    assert "nothing" in str(number_fault(frame, "nothing + 1"))


def kept_by_host(rows: list[Any]) -> set[str]:
    return {row.doc_id for row in rows if row.stage is None}


@pytest.mark.parametrize("partitions", [1, 5])
def test_a_host_keeps_its_best_documents(spark: SparkSession, partitions: int) -> None:
    qualities = {"a": 0.9, "b": 0.5, "c": 0.7, "d": 0.7, "e": 0.8}
    rows = [(name, "big.cn", None, [], (score,)) for name, score in qualities.items()]
    rows += [("z", "big.cn", "select_corpus", ["low_quality"], (0.99,))]
    rows += [(f"n{n}", None, None, [], (0.1,)) for n in range(4)]
    rows += [("other", "small.cn", None, [], (0.1,))]
    ddl = "doc_id string, host string, stage string, reasons array<string>, "
    ddl += "quality struct<score:double>"
    verdicts = spark.createDataFrame(rows, ddl).repartition(partitions)
    capped = with_host_cap(verdicts, 3, quality_score(load_config(None)))
    assert capped.columns == verdicts.columns
    found = capped.collect()
    assert kept_by_host(found) == {"a", "e", "c", "other", "n0", "n1", "n2", "n3"}
    by_id = {row.doc_id: row for row in found}
    assert (by_id["d"].stage, by_id["d"].reasons) == ("select_corpus", ["host_cap"])
    assert by_id["z"].reasons == ["low_quality"] and len(found) == len(rows)


def test_a_larger_sample_contains_a_smaller_one(spark: SparkSession) -> None:
    count = 4000
    shares = (0.1, 0.25, 0.5)
    frame = spark.range(count, numPartitions=3).select(
        F.sha2(F.col("id").cast("string"), 256).alias("doc_id")
    )
    columns = [is_sampled(share, 1).alias(str(share)) for share in shares]
    columns += [is_sampled(0.5, 2).alias("other"), unit_hash(1).alias("unit")]
    rows = frame.select("doc_id", *columns).collect()
    assert all(0 <= row.unit < 1 for row in rows)
    for share in shares:
        assert sum(row[str(share)] for row in rows) == pytest.approx(share * count, abs=110)
    assert all(row["0.25"] or not row["0.1"] for row in rows)
    assert all(row["0.5"] or not row["0.25"] for row in rows)
    both = sum(row["0.5"] and row["other"] for row in rows)
    assert both == pytest.approx(0.25 * count, abs=110)  # seeds are independent
    (again,) = (
        frame.where(F.col("doc_id") == rows[7].doc_id).repartition(4).select(*columns).collect()
    )
    assert tuple(again) == tuple(rows[7])[1:]


def counts(**rates: tuple[int, int]) -> list[SizeCount]:
    return [SizeCount(int(size[1:]), *of) for size, of in rates.items()]


def test_repeats_follow_the_rates_by_which_sizes_are_left_out() -> None:
    even = [
        SizeCount(size, 2000, rate)
        for size, rate in enumerate([1200, 600, 200, 600, 1200, 1600], 1)
    ]
    # Of all 5,400 of 12,000 are left out: 0.45; the lowest rate is 0.1.
    raw = [1, 1 + 4 * 0.15 / 0.35, 5, 1 + 4 * 0.15 / 0.35, 1, 1]
    smoothed = [*raw[:2], sum(raw[:5]) / 5, sum(raw[1:]) / 5, *raw[4:]]
    assert [round(value) for value in smoothed] == [1, 3, 2, 2, 1, 1]
    assert steps_of(even, 5) == {1: 1, 2: 3, 3: 2, 5: 1}
    assert steps_of(even[::-1], 5) == steps_of(even, 5)
    assert steps_of([], 5) == {}
    assert set(steps_of(even, 1).values()) == {1}
    same = [SizeCount(size, 2000, 500) for size in range(1, 9)]
    assert steps_of(same, 9) == {1: 1}


def test_few_documents_say_nothing_of_their_size() -> None:
    noisy = counts(s1=(5000, 3000), s2=(900, 0), s3=(90, 0), s4=(20, 0), s7=(3, 3))
    assert steps_of(noisy, 4) == {1: 1, 2: 4}
    assert steps_of(counts(s1=(100, 60), s2=(3, 0)), 4) == {1: 1}


def test_sizes_are_counted_over_what_deduplication_kept(spark: SparkSession) -> None:
    rows = [
        ("a", None, [], 1),
        ("b", "select_corpus", ["low_quality", "not_sampled"], 1),
        ("c", "select_corpus", ["not_sampled"], 1),
        ("d", "select_corpus", ["host_cap"], 2),
        ("e", "apply_rules", ["length"], 1),
        ("f", "find_duplicates", ["near"], 1),
        ("g", None, [], 151),
        ("h", "select_corpus", ["where"], 9000),
    ]
    frame = spark.createDataFrame(
        rows, "doc_id string, stage string, reasons array<string>, cluster_size long"
    )
    found = {tuple(row) for row in count_sizes(frame).collect()}
    assert found == {(1, 3, 1), (2, 1, 0), (LAST_SIZE, 2, 1)}


def repeats(frame: DataFrame, config: Config, by_size: Mapping[int, int]) -> dict[str, int]:
    return {row.doc_id: row.repeats for row in with_repeats(frame, config, by_size).collect()}


@pytest.mark.parametrize("partitions", [1, 4])
def test_texts_count_by_size_and_quality(spark: SparkSession, partitions: int) -> None:
    rows = [("one", 1, (0.5,)), ("two", 2, (0.91,)), ("nine", 9, (0.9,)), ("many", 900, (0.95,))]
    frame = spark.createDataFrame(
        rows, "doc_id string, cluster_size long, quality struct<score:double>"
    )
    frame = frame.repartition(partitions)
    column = load_config(
        None, ["select.repeat=column", "select.cluster_repeats={100 = 1, 2 = 2, 5 = 4}",
               'select.quality_repeats={"0.95" = 5, "0.9" = 3}']
    )  # fmt: skip
    steps = column.select.size_steps()
    assert list(steps.items()) == [(2, 2), (5, 4), (100, 1)]
    expected = {"one": 1, "two": 6, "nine": 12, "many": 5}
    assert repeats(frame, column, steps) == expected
    assert set(repeats(frame, load_config(None), {}).values()) == {1}
    counted = with_repeats(frame, column, steps).drop("cluster_size", "quality")
    copies = repeated_rows(counted)
    assert copies.columns == counted.columns and copies.dtypes == counted.dtypes
    found = copies.collect()
    assert Counter(row.doc_id for row in found) == expected
    assert {row.repeats for row in found} == {1}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (['select.scripts=["latin"]'], ["select.scripts", "latin", "hans, hant, mixed, none"]),
        (['select.opt_outs=["nosnippet"]'], ["select.opt_outs", "nosnippet", "noindex"]),
        (["select.min_quality_by_domain.law=2"], ["min_quality_by_domain.law = 2", "0 to 1"]),
        (["select.max_toxicity_by_domain.law=2"], ["max_toxicity_by_domain.law = 2", "0 to 1"]),
        (["select.sample=1.5"], ["select.sample = 1.5", "0 to 1, or off"]),
        (["select.max_per_host=0"], ["select.max_per_host = 0", "1 or more"]),
        (['select.toxic_kinds=["spam"]'], ["unknown spam", "known kinds: insult, gambling"]),
        (['select.toxic_kinds=["fraud"]'], ["select.toxic = 'keep'", "no effect"]),
        (["select.toxic=some"], ["select.toxic = 'some'", "keep, drop, only"]),
        (["select.cluster_repeats.few=2"], ["select.cluster_repeats", "'few'", "1 or more"]),
        (["select.cluster_repeats.0=2"], ["select.cluster_repeats", "'0'"]),
        (['select.quality_repeats={"90" = 2}'], ["select.quality_repeats", "'90'", "0 to 1"]),
        (['select.quality_repeats={"0.9" = 0}'], ["select.quality_repeats.0.9 = 0", "1 to 1,000"]),
        (["select.cluster_repeats.2=3"], ["has no effect while select.repeat = 'off'"]),
        (
            ["select.cluster_repeats.2=3", "select.max_cluster_repeats=4", "select.repeat=rows"],
            ["select.cluster_repeats", "select.max_cluster_repeats = 4", "--reset"],
        ),
    ],
)
def test_a_wrong_key_of_the_selection_is_named(settings: list[str], said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(None, settings)
    for words in said:
        assert words in str(error.value), json.dumps(str(error.value))


def test_keys_that_depend_on_each_other_are_checked_when_all_are_known() -> None:
    tables = ["select.cluster_repeats.2=3", 'select.quality_repeats={"0.5" = 2}']
    assert load_config(None, [*tables, "select.repeat=rows"]).select.size_steps() == {2: 3}
    assert load_config(None, ["select.repeat=rows", *tables]).select.quality_steps() == {0.5: 2}
