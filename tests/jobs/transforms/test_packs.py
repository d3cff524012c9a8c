"""Rule packs and conditions: what is refused before any work, and what each pack removes."""

from __future__ import annotations

import random

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from jobs.config import Config, ConfigError, RulesConfig, bundled_packs, load_config
from jobs.pipeline.rule_filtering import check_on_spark, empty_measures
from jobs.transforms.rules import check_conditions, named_measures, with_reject_reasons
from udfs.lists.lexicon import Lexicon
from udfs.measures.schema import COUNTS_TYPE, MEASURES_TYPE, Editing
from udfs.measures.text_pass import PassLists, edit_texts, measure_documents

LEXICON = Lexicon({"百家乐": "gambling", "真人荷官": "gambling", "裸聊": "pornography"})


def prose(chars: int, seed: int = 1) -> str:
    """Paragraphs of sentences with the characters that hold sentences together."""
    draw = random.Random(seed)
    words = [chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(900)] + list(
        "的了是在和不这我"
    ) * 30
    sentence = "".join(draw.choices(words, k=35))
    lines = []
    while sum(map(len, lines)) < chars:
        lines.append("，".join("".join(draw.choices(words, k=18)) for _ in range(4)) + "。")
    return "\n".join([sentence + "。", *lines])


def menu(items: int) -> str:
    """Short lines of nouns, no two alike."""
    draw = random.Random(2)
    return "\n".join("".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(12))
                     for _ in range(items))  # fmt: skip


TEXTS = {
    "prose": prose(900),
    "menu": menu(40),
    "repeated": prose(600) + "\n本页面由系统自动生成请勿回复谢谢您的理解和支持。" * 14,
    "links": prose(900) + "".join(f"\nhttp://www.a{n}.cn/b" for n in range(12)),
    "casino": prose(400) + "\n百家乐，真人荷官，百家乐，裸聊，百家乐。",
    "digits": prose(300) + "\n" + "".join(f"{n * 7919:06}，" for n in range(120)),
    "symbols": prose(300) + "\n" + "＋＝★" * 60,
    "list": "\n".join(line[:7] + "。" for line in prose(4000).split("\n")),
    "bullets": "\n".join(f"• {line}" for line in prose(900).split("\n")),
    "teasers": prose(900).replace("。", "……"),
    "long": prose(180_500),
    "phrase": "".join(f"{chr(0x4E00 + n)}春天的风，吹过山岗" for n in range(60)) + "。",
    "laughter": prose(300) + "哈" * 200 + "。",
}
REJECTED = {
    "default": {
        "menu": {"no_prose", "few_marks"},
        "repeated": {"repeated_lines"},
        "links": {"many_urls"},
        "casino": {"gambling_or_pornography"},
    },
    "chinesewebtext2": {},
    "hplt-wds": {name: {"low_wds"} for name in ("menu", "repeated", "links", "digits", "symbols")},
    "fineweb2-zh": {
        "menu": {"few_line_ends", "few_stop_words"},
        "repeated": {"dup_lines", "dup_line_chars", "dup_7_words"},
        "digits": {"few_words_with_letters"},
        "symbols": {"few_words_with_letters", "top_ngram"},
        "list": {"list_like"},
        "bullets": {"bullets"},
        "teasers": {"ellipses"},
        "long": {"too_long"},
        "laughter": {"top_ngram", "dup_6_words", "dup_7_words"},
        "phrase": {"top_ngram", "dup_5_words"},
    },
}


def rows_of(texts: list[str]) -> list[dict[str, object]]:
    """The texts' measures, as of documents without addresses."""
    edited = edit_texts(texts, Editing())
    measures = measure_documents([None] * len(texts), edited, PassLists(LEXICON))
    rows: list[dict[str, object]] = measures.to_pylist()
    return rows


@pytest.fixture(scope="module")
def measured(spark: SparkSession) -> DataFrame:
    pairs = list(zip(TEXTS, rows_of(list(TEXTS.values())), strict=True))
    frame = spark.createDataFrame(pairs, f"doc_id string, measures {MEASURES_TYPE.simpleString()}")
    return frame.coalesce(1).cache()


def test_the_measures_of_the_empty_text_are_those_that_conditions_are_checked_with(
    spark: SparkSession,
) -> None:
    [empty] = rows_of([""])
    counts = [field.name for field in MEASURES_TYPE if field.dataType == COUNTS_TYPE]
    assert len(counts) == 2
    [row] = empty_measures(spark).collect()
    nulls = {"language": "", "second_language": "", "second_language_score": 0.0}
    nulls |= {"words": 0, "mean_word_chars": 0.0, "stop_word_share": 0.0}
    assert row.asDict() == empty | {name: {} for name in counts} | nulls


def test_conditions_are_checked_over_the_columns_that_they_are_evaluated_on(
    measured: DataFrame,
) -> None:
    named = measured.select(*named_measures())
    assert (
        empty_measures(measured.sparkSession).schema.simpleString() == named.schema.simpleString()
    )


@pytest.mark.parametrize("pack", bundled_packs())
def test_conditions_of_the_packs_are_in_order(spark: SparkSession, pack: str) -> None:
    check_on_spark(spark, load_config(None, [f"rules.pack={pack}"]))


@pytest.mark.parametrize("pack", REJECTED)
def test_what_each_pack_removes(measured: DataFrame, pack: str) -> None:
    rules = load_config(None, [f"rules.pack={pack}"]).rules
    own = set(rules.conditions)
    rows = with_reject_reasons(measured, rules).collect()
    found = {row.doc_id: own & set(row.reject_reasons) for row in rows}
    assert {name: reasons for name, reasons in found.items() if reasons} == REJECTED[pack]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("chars >", "Syntax error"),
        ("chars > 3; DROP TABLE x", "Syntax error at or near ';'"),
        ("no_measure > 3", "`no_measure` cannot be resolved"),
        ("doc_id = 'a'", "`doc_id` cannot be resolved"),
        ("measures.chars > 3", "cannot be resolved"),
        ("chars", "is not a boolean"),
        ("'true'", "is not a boolean"),
        ("true", "uses no measure"),
        ("max(chars) > 3", "max(chars)"),
        ("row_number() OVER (ORDER BY chars) > 1", "window functions"),
        ("explode(array(chars)) > 1", "generator"),
        ("chars > (SELECT 1)", "contains a subquery"),
        ("EXISTS (SELECT chars)", "contains a subquery"),
        ("chars > rand()", "is not deterministic"),
        ("chars > 3 AND current_date() > DATE'2020-01-01'", "depends on the time"),
        ("digit_share / han_share > 1", "Division by zero"),
    ],
)
def test_what_is_no_condition_over_the_measures_is_refused(
    spark: SparkSession, expression: str, said: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check_on_spark(
            spark, Config(rules=RulesConfig(conditions={"fine": "lines > 1", "mine": expression}))
        )
    message = str(error.value)
    assert message.startswith(f"rules.conditions.mine = {expression!r}: ")
    assert said in message
    assert "SQLSTATE" not in message
    assert message.endswith(f"measures: {', '.join(MEASURES_TYPE.fieldNames())}")


@pytest.mark.parametrize(
    "expression",
    [
        "url_count > 0.02 * chars",
        "coalesce(sensitive_total_by_category['gambling'], 0) > 2",
        "array_contains(sensitive_words, '百家乐')",
        "exists(array(digit_share + symbol_share), share -> share > 0.5 OR share < 0)",
        "size(filter(pii, p -> p.kind = 'phone')) > 3 AND chars < 500",
        "is_ip_host OR host_block_category = 'gambling' OR path_segments > 9",
        "original_traditional_share > 0.5",
        "NOT casia_traditional\n-- and more\nAND chars BETWEEN 3 AND 5",
        "try_divide(digit_share, han_share) > 1",
    ],
)
def test_conditions_over_the_measures_are_taken(spark: SparkSession, expression: str) -> None:
    check_on_spark(spark, Config(rules=RulesConfig(conditions={"mine": expression})))


def test_a_fault_that_somebody_else_raises_later_is_still_told(spark: SparkSession) -> None:
    empty = spark.createDataFrame([], "chars bigint")
    with pytest.raises(ConfigError):
        check_conditions(empty, {"wrong": "no_such_measure > 1"})
    with pytest.raises(AnalysisException, match="no_such_column"):
        empty.where("no_such_column > 1")
