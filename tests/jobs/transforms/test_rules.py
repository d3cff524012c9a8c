"""Rules over stored measures: one document a reason, limits that move, both modes."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark import SparkFiles
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import RULE_REASONS, RulesConfig
from jobs.transforms.rules import rules, with_reject_reasons
from jobs.transforms.texts import edit_and_measure
from tests.udfs.measures.published_rules import published_reason
from udfs.files.artifacts import ArtifactFile, sha256_of
from udfs.measures.schema import MEASURES_TYPE, Editing, TextPass

WORDS = ("赌球", "娱乐城", "六合彩")
CASIA = RulesConfig(mode="casia-exact")
HOSTS = RulesConfig(host_block=("hosts",))
NO_PII = RulesConfig(pii_policy="reject")


def clean_text(chars: int) -> str:
    characters = "今天气很好我们去公园散步数据处理的流程需要仔细设计结果应当可以重复"
    return "".join(random.Random(7).choices(characters, k=chars))


CLEAN = clean_text(400)
TEXTS = {
    "clean": CLEAN,
    "short": CLEAN[:199],
    "just_200": CLEAN[:200],
    "short_lines": "\n".join(CLEAN[i : i + 9] for i in range(0, 400, 9)),
    "lines_of_10_with_newline": "\n".join(CLEAN[i : i + 9] for i in range(0, 396, 9)) + CLEAN[:8],
    "english": "the quick brown fox jumps over a lazy dog near the river bank today " * 4,
    "one_traditional": CLEAN + "臺",
    "traditional": CLEAN + "臺灣國學" * 15,
    "sensitive": CLEAN + "赌球",
    "sensitive_twice": CLEAN + "\n" + CLEAN[::-1] + "\n赌球六合彩赌球很多",
    "repeated": CLEAN[:50] * 6,
    "garbled": CLEAN.encode().decode("gb18030", "replace"),
    "everything": "娱乐城臺灣國學\n" * 3 + "赌球",
    "empty": "",
    "absent": None,
}
FIXED = {
    "short": ["length"],
    "short_lines": ["length"],
    "lines_of_10_with_newline": ["length"],
    "english": ["character", "duplication"],
    "traditional": ["character"],
    "sensitive": ["sensitive"],
    "sensitive_twice": ["sensitive"],
    "repeated": ["duplication"],
    "garbled": ["character", "mojibake"],
    "everything": ["length", "character"],
    "empty": ["length", "character"],
    "absent": ["unmeasured"],
}


MEASURED_DDL = f"doc_id string, measures {MEASURES_TYPE.simpleString()}"


@pytest.fixture(scope="module")
def measured(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    path = tmp_path_factory.mktemp("lexicon") / "rules_words.tsv"
    path.write_text("".join(f"其他\t{word}\n" for word in WORDS), encoding="utf-8")
    spark.sparkContext.addFile(str(path))
    assert Path(SparkFiles.get(path.name)).exists()
    return measured_as(spark, TextPass(lexicon_of(path), Editing(repair=False)))


@pytest.fixture(scope="module")
def measured_for_casia(spark: SparkSession, measured: DataFrame) -> DataFrame:
    path = Path(SparkFiles.get("rules_words.tsv"))
    return measured_as(spark, TextPass(lexicon_of(path), Editing(repair=False), casia_only=True))


def lexicon_of(path: Path) -> ArtifactFile:
    return ArtifactFile("words", "1", path.name, sha256_of(path))


def measured_as(spark: SparkSession, plan: TextPass) -> DataFrame:
    measured = edit_and_measure(documents(spark), plan)
    # Collected, so that the tests below do not measure again.
    return spark.createDataFrame(measured.select("doc_id", "measures").collect(), MEASURED_DDL)


def documents(spark: SparkSession) -> DataFrame:
    """The texts, without addresses."""
    texts = spark.createDataFrame(list(TEXTS.items()), "doc_id string, text string")
    null = F.lit(None)
    return texts.withColumns({"url": null.cast("string"), "opt_outs": null.cast("array<string>")})


def reasons_of(measured: DataFrame, limits: RulesConfig) -> dict[str, list[str]]:
    flagged = with_reject_reasons(measured, limits)
    return {row.doc_id: row.reject_reasons for row in flagged.collect()}


def test_measures_are_null_as_a_whole_where_there_is_no_text(measured: DataFrame) -> None:
    assert measured.where("measures is null").select("doc_id").collect() == [("absent",)]
    sensitive = measured.where("doc_id = 'sensitive_twice'").select("measures.*").first()
    assert sensitive is not None
    assert sensitive.sensitive_words == ["六合彩", "赌球"]
    assert (sensitive.sensitive_distinct, sensitive.sensitive_total) == (2, 3)
    assert measured.schema["measures"].dataType == MEASURES_TYPE


def test_one_document_for_each_reason(measured: DataFrame) -> None:
    expected = {doc_id: FIXED.get(doc_id, []) for doc_id in TEXTS}
    assert reasons_of(measured, RulesConfig()) == expected


def test_casia_exact_gives_the_published_reason_alone(
    measured: DataFrame, measured_for_casia: DataFrame
) -> None:
    expected = {
        doc_id: ["unmeasured"] if text is None else [reason] if reason else []
        for doc_id, text in TEXTS.items()
        for reason in [None if text is None else published_reason(text, WORDS)]
    }
    assert reasons_of(measured, CASIA) == reasons_of(measured_for_casia, CASIA) == expected
    assert expected["just_200"] == ["length"]
    assert expected["one_traditional"] == ["character"]
    assert expected["lines_of_10_with_newline"] == []


def test_in_casia_exact_personal_data_and_listed_hosts_are_known_too(
    measured: DataFrame, measured_for_casia: DataFrame
) -> None:
    names = ["pii", "host_block_category", "host_allow_category"]
    stored = [F.col("measures")[name] for name in names]
    for frame in (measured, measured_for_casia):
        rows = frame.where("doc_id = 'clean'").select(*stored).collect()
        assert [tuple(row) for row in rows] == [([], "", "")]
    strict = replace(CASIA, host_block=("hosts",), pii_policy="reject")
    assert reasons_of(measured, strict) == reasons_of(measured_for_casia, strict)


def test_limits_switched_off_never_fire(measured: DataFrame) -> None:
    for mode in ("fixed", "casia-exact"):
        off = RulesConfig(
            mode=mode,  # type: ignore[arg-type]
            min_chars=None,
            min_mean_line_chars=None,
            min_script_share=None,
            traditional_policy="keep",
            max_traditional_share=None,
            max_sensitive_per_line=None,
            max_dup_13gram_share=None,
            max_mojibake_share=None,
        )
        reasons = reasons_of(measured, off)
        assert reasons.pop("absent") == ["unmeasured"]
        assert set(map(tuple, reasons.values())) == {()}


def test_a_limit_of_zero_is_a_limit(measured: DataFrame) -> None:
    reasons = reasons_of(measured, replace(RulesConfig(), max_traditional_share=0.0))
    assert reasons["one_traditional"] == ["character"]
    assert reasons["clean"] == []


def test_traditional_script_can_be_kept(measured: DataFrame) -> None:
    for limits in (RulesConfig(), CASIA):
        kept = reasons_of(measured, replace(limits, traditional_policy="keep"))
        assert kept["traditional"] == kept["one_traditional"] == []


def test_sensitive_words_can_count_at_each_occurrence(measured: DataFrame) -> None:
    strict = replace(RulesConfig(), max_sensitive_per_line=0.9)
    assert reasons_of(measured, strict)["sensitive_twice"] == []
    every = replace(strict, sensitive_count="total")
    assert reasons_of(measured, every)["sensitive_twice"] == ["sensitive"]


def test_a_null_that_a_rule_looks_at_never_passes(measured: DataFrame) -> None:
    urls = RulesConfig(conditions={"urls": "url_count > 9"})
    looked_at = {
        "chars", "mean_line_chars", "script_share", "traditional_share", "sensitive_distinct",
        "lines", "dup_13gram_share", "mojibake_share",
    }  # fmt: skip
    casia = {
        "chars", "lines", "casia_han_share", "casia_traditional", "sensitive_distinct",
        "casia_dup_13gram_share",
    }  # fmt: skip
    for limits, names in (
        (RulesConfig(), looked_at),
        (urls, looked_at | {"url_count"}),
        (CASIA, casia),
        (HOSTS, looked_at | {"host_block_category"}),
        (NO_PII, looked_at | {"pii"}),
        (replace(CASIA, host_block=("hosts",)), casia | {"host_block_category"}),
    ):
        reasons = reasons_of(with_each_measure_null(measured), limits)
        assert set(reasons) == set(MEASURES_TYPE.fieldNames())
        assert {name: found for name, found in reasons.items() if found} == {
            name: ["unmeasured"] for name in names
        }


def with_each_measure_null(measured: DataFrame) -> DataFrame:
    """The clean document once for each measure, which is null."""
    clean = measured.where("doc_id = 'clean'").first()
    assert clean is not None
    measures = clean.measures.asDict()
    rows = [(name, {**measures, name: None}) for name in measures]
    return measured.sparkSession.createDataFrame(rows, measured.schema)


def test_conditions_of_the_configuration_are_further_reasons(measured: DataFrame) -> None:
    conditions = {
        "gamblers": "coalesce(sensitive_total_by_category['其他'], 0) >= 3",
        "long_text": "chars > 700 AND lines < 10 -- of any kind",
    }
    reasons = reasons_of(measured, RulesConfig(conditions=conditions))
    assert reasons.pop("sensitive_twice") == ["sensitive", "gamblers", "long_text"]
    assert reasons.pop("everything") == ["length", "character", "gamblers"]
    assert reasons == {key: FIXED.get(key, []) for key in reasons}
    assert list(rules(RulesConfig(conditions=conditions)))[-2:] == ["gamblers", "long_text"]


def test_where_a_condition_is_null_a_document_is_unmeasured(measured: DataFrame) -> None:
    condition = {"gamblers": "sensitive_total_by_category['其他'] >= 3"}
    reasons = reasons_of(measured, RulesConfig(conditions=condition))
    assert reasons["clean"] == ["unmeasured"]
    assert reasons["sensitive"] == ["sensitive"]
    assert reasons["short"] == ["unmeasured", "length"]


def test_reasons_and_their_order(spark: SparkSession) -> None:
    published = ["length", "character", "sensitive", "duplication"]
    assert list(rules(CASIA)) == published
    assert list(rules(RulesConfig())) == [*published, "mojibake"]
    limits = RulesConfig(
        opt_out_policy="reject",
        host_block=("hosts",),
        pii_policy="reject",
        robots=("robots.warc.gz",),
        language_disagreement="reject",
    )
    every = list(rules(limits))
    assert ["unmeasured", *every] == list(RULE_REASONS)


def test_only_measures_that_a_rule_looks_at_are_read(
    spark: SparkSession, measured: DataFrame, tmp_path: Path
) -> None:
    stored = str(tmp_path / "measures")
    measured.write.parquet(stored)
    limits = RulesConfig(conditions={"urls": "url_count > 9"})
    flagged = with_reject_reasons(spark.read.parquet(stored), limits)
    query = flagged.select("doc_id", "reject_reasons")._jdf.queryExecution()
    read = query.sparkPlan().collectLeaves().head().requiredSchema().json()
    for name in ("doc_id", "chars", "url_count"):
        assert f'"{name}"' in read
    for name in ("text", "zstd_ratio", "sensitive_words", "email_count"):
        assert f'"{name}"' not in read


def test_empty_input(measured: DataFrame) -> None:
    assert reasons_of(measured.where("false"), RulesConfig()) == {}


def test_measuring_happens_once_under_a_filter(spark: SparkSession) -> None:
    lexicon = ArtifactFile("words", "1", "rules_words.tsv", "0")
    passed = edit_and_measure(documents(spark), TextPass(lexicon, Editing()))
    kept = with_reject_reasons(passed, RulesConfig()).where("size(reject_reasons) = 0")
    plan = kept._jdf.queryExecution().executedPlan().toString()
    assert plan.count("MapInArrow") == 1


def test_pages_that_opt_out_are_rejected_where_the_policy_says_so(measured: DataFrame) -> None:
    stated = measured.where("doc_id = 'clean'").select(
        F.explode(F.array(F.lit(""), F.lit("noai"), F.lit("noimageai"), F.lit(None))).alias("word"),
        "measures",
    )
    pages = stated.select(
        F.coalesce("word", F.lit("unknown")).alias("doc_id"),
        "measures",
        F.when(F.col("word") == "", F.array().cast("array<string>"))
        .when(F.col("word").isNotNull(), F.array("word"))
        .alias("opt_outs"),
    )
    rejecting = RulesConfig(opt_out_policy="reject")
    assert reasons_of(pages, rejecting) == {
        "": [], "noai": ["opted_out"], "noimageai": [], "unknown": [],
    }  # fmt: skip
    assert set(map(tuple, reasons_of(pages, RulesConfig()).values())) == {()}
    assert list(rules(rejecting))[-1] == "opted_out"


def changed(measured: DataFrame, **measures: object) -> DataFrame:
    """The clean document, some of its measures others."""
    types = {field.name: field.dataType for field in MEASURES_TYPE}
    column = F.col("measures")
    for name, value in measures.items():
        column = column.withField(name, F.lit(value).cast(types[name]))
    return measured.where("doc_id = 'clean'").withColumn("measures", column)


def test_a_listed_host_is_blocked_unless_a_list_allows_it(measured: DataFrame) -> None:
    blocked = changed(measured, host_block_category="casino")
    allowed = changed(measured, host_block_category="casino", host_allow_category="fine")
    for limits in (HOSTS, replace(CASIA, host_block=("hosts",))):
        assert reasons_of(blocked, limits) == {"clean": ["host_blocked"]}
        assert reasons_of(allowed, limits) == {"clean": []}
        assert reasons_of(measured, limits)["clean"] == []
    # Categories stored by an earlier configuration have no effect without lists.
    assert reasons_of(blocked, RulesConfig()) == {"clean": []}


def test_personal_data_of_kinds_that_count_is_rejected(measured: DataFrame) -> None:
    phone = F.struct(
        F.lit("phone").alias("kind"), F.lit(1).alias("start"), F.lit(2).alias("length")
    )
    with_phone = changed(measured).withColumn(
        "measures", F.col("measures").withField("pii", F.array(phone))
    )
    assert reasons_of(with_phone, NO_PII) == {"clean": ["pii"]}
    assert reasons_of(with_phone, replace(NO_PII, pii_kinds=("email",))) == {"clean": []}
    assert reasons_of(with_phone, replace(NO_PII, pii_kinds=())) == {"clean": []}
    for policy in ("keep", "mask"):
        limits = RulesConfig(pii_policy=policy)  # type: ignore[arg-type]
        assert reasons_of(with_phone, limits) == {"clean": []}


def test_converted_text_is_not_dropped_for_what_it_was(measured: DataFrame) -> None:
    limits = RulesConfig(traditional_policy="convert")
    assert reasons_of(measured, limits)["traditional"] == []
