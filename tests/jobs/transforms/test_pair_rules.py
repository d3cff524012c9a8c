"""The rules of pairs: each reason, what cannot be decided, conditions, and the bundled packs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.config import (
    PAIR_RULE_REASONS,
    Config,
    ConfigError,
    PairRulesConfig,
    bundled_packs,
    load_config,
)
from jobs.transforms.images.pair_rules import (
    check_on_spark,
    empty_pair,
    pair_frame_type,
    pair_rules,
    with_pair_reasons,
)

STRICT = PairRulesConfig(
    pack=None,
    text_sources=("alt", "caption"),
    min_chars=4,
    max_chars=60,
    min_han_share=0.3,
    min_script_share=0.5,
    max_kana_share=0.1,
    max_letter_share=0.5,
    max_digit_share=0.4,
    **dict.fromkeys(
        (
            *("reject_file_names", "reject_urls", "reject_interface_words", "reject_logo_words"),
            *("reject_site_name", "reject_page_title", "reject_in_page_title"),
            *("main_text_only", "licensed_only"),
        ),
        True,
    ),  # type: ignore[arg-type]
    max_page_repeats=2,
    max_text_places=10,
    max_url_places=10,
    min_nouns=1,
    min_words=2,
    max_words=30,
    max_sensitive_words=0,
    pii_kinds=("phone",),
    attributes=("src", "data-src"),
    opt_outs=("noimageindex",),
    min_declared_side=50,
    max_declared_side=5000,
    max_declared_aspect=3.0,
    min_image_side=200,
    max_image_side=5000,
    max_image_aspect=3.0,
    max_image_pixels=4_000_000,
    min_image_bytes=5000,
    image_formats=("jpeg", "png"),
    max_frames=1,
    conditions={"small_file": "image IS NOT NULL AND image.bytes < 6000", "no_link": "link = ''"},
)
"""Every rule is on."""

CLEAN: dict[str, Any] = {
    "doc_id": "d",
    "place": 0,
    "attribute": "src",
    "url": "http://a.cn/b.jpg",
    "declared_width": 640,
    "declared_height": 480,
    "alt": "雨中的老桥与集市",
    "link": "http://a.cn/",
    "text": "雨中的老桥与集市",
    "text_source": "alt",
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "in_main": True,
    "text_measures": {
        "chars": 8,
        "han_share": 1.0,
        "kana_share": 0.0,
        "letter_share": 0.0,
        "digit_share": 0.0,
        "is_file_name": False,
        "is_url": False,
        "is_interface": False,
        "has_logo_word": False,
        "is_site_name": False,
        "is_page_title": False,
        "in_page_title": False,
        "page_repeats": 1,
    },
    "more": {
        "script_share": 1.0,
        "words": 6,
        "nouns": 2,
        "sensitive_distinct": 0,
        "sensitive_words": [],
        "pii": [{"kind": "email", "start": 0, "length": 5}],
    },
    "image": {
        "image_id": "i",
        "reason": None,
        "format": "jpeg",
        "width": 800,
        "height": 600,
        "bytes": 50_000,
        "sha256": "s",
        "phash": 5,
        "orientation": None,
        "frames": 1,
        "has_alpha": False,
    },
    "page": {"opt_outs": ["noarchive"], "host": "a.cn", "title": "集市"},
    "text_places": 3,
    "url_places": 3,
}

UNUSABLE = {"reason": "truncated", "width": None, "height": None, "format": None}
CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "clean": ({}, set()),
    "no image": ({"image": None}, set()),
    "data uri": ({"url": None, "url_places": None}, set()),
    "no stated size": ({"declared_width": None, "declared_height": None}, set()),
    "one stated side": ({"declared_height": None}, set()),
    "no headers": ({"page.opt_outs": None}, set()),
    "not measured": ({"text_measures": None}, {"unmeasured_text"}),
    "not measured further": ({"more": None}, {"unmeasured_text"}),
    "not counted": ({"text_places": None}, {"unmeasured_text"}),
    "one null": ({"text_measures.han_share": None}, {"unmeasured_text"}),
    "unusable image": ({f"image.{k}": v for k, v in UNUSABLE.items()}, set()),
    "image without width": ({"image.width": None}, {"unmeasured_image"}),
    "image without frames": ({"image.frames": None}, {"unmeasured_image"}),
    "null condition": ({"link": None}, {"unmeasured_condition"}),
    "no text": (
        {"text": None, "alt": None, "text_source": None, "more": None, "text_places": None}
        | {"text_measures.chars": 0, "text_measures.han_share": 0.0},
        {"no_text"},
    ),
    "blank": ({"text": " ", "text_measures.chars": 0}, {"no_text"}),
    "title": ({"text_source": "title"}, {"text_source"}),
    "short": ({"text_measures.chars": 3}, {"text_length"}),
    "long": ({"text_measures.chars": 61}, {"text_length"}),
    "few_han": ({"text_measures.han_share": 0.29}, {"few_han"}),
    "few_script_chars": ({"more.script_share": 0.49}, {"few_script_chars"}),
    "kana": ({"text_measures.kana_share": 0.11}, {"kana"}),
    "many_letters": ({"text_measures.letter_share": 0.51}, {"many_letters"}),
    "many_digits": ({"text_measures.digit_share": 0.41}, {"many_digits"}),
    "file_name": ({"text_measures.is_file_name": True}, {"file_name"}),
    "url_text": ({"text_measures.is_url": True}, {"url_text"}),
    "interface_words": ({"text_measures.is_interface": True}, {"interface_words"}),
    "logo_word": ({"text_measures.has_logo_word": True}, {"logo_word"}),
    "site_name": ({"text_measures.is_site_name": True}, {"site_name"}),
    "page_title": ({"text_measures.is_page_title": True}, {"page_title"}),
    "in_page_title": ({"text_measures.in_page_title": True}, {"in_page_title"}),
    "repeated_on_page": ({"text_measures.page_repeats": 3}, {"repeated_on_page"}),
    "frequent_text": ({"text_places": 11}, {"frequent_text"}),
    "frequent_url": ({"url_places": 11}, {"frequent_url"}),
    "no_noun": ({"more.nouns": 0}, {"no_noun"}),
    "few_words": ({"more.words": 1}, {"few_words"}),
    "many_words": ({"more.words": 31}, {"many_words"}),
    "sensitive": ({"more.sensitive_distinct": 1}, {"sensitive"}),
    "pii": ({"more.pii": [{"kind": "phone", "start": 0, "length": 11}]}, {"pii"}),
    "attribute": ({"attribute": "og"}, {"attribute"}),
    "not_in_main": ({"in_main": False}, {"not_in_main"}),
    "no_license": ({"license": None}, {"no_license"}),
    "opted_out": ({"page.opt_outs": ["noarchive", "noimageindex"]}, {"opted_out"}),
    "declared_size": ({"declared_width": 49, "declared_height": 49}, {"declared_size"}),
    "one small side": ({"declared_width": None, "declared_height": 49}, {"declared_size"}),
    "declared_aspect": ({"declared_width": 1500}, {"declared_aspect"}),
    "no stated height": ({"declared_height": 0}, {"declared_size", "declared_aspect"}),
    "image_size": ({"image.width": 199, "image.height": 199}, {"image_size"}),
    "large": (
        {"image.width": 5001, "image.height": 2000},
        {"image_size", "image_pixels"},
    ),
    "image_aspect": ({"image.height": 2401}, {"image_aspect"}),
    "image_pixels": ({"image.width": 2001, "image.height": 2000}, {"image_pixels"}),
    "image_bytes": ({"image.bytes": 4999}, {"image_bytes", "small_file"}),
    "image_format": ({"image.format": "gif"}, {"image_format"}),
    "animated": ({"image.frames": 2}, {"animated"}),
    "small_file": ({"image.bytes": 5999}, {"small_file"}),
    "no_link": ({"link": ""}, {"no_link"}),
}
"""What a pair differs in from a clean one, and what it is rejected for."""


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    row = copy.deepcopy(CLEAN)
    for key, value in changes.items():
        name, _, inner = key.partition(".")
        if inner:
            row[name][inner] = value
        else:
            row[name] = value
    return row


def test_one_pair_for_each_reason_and_a_clean_one(spark: SparkSession) -> None:
    rows = [changed(changes) | {"doc_id": name} for name, (changes, _) in CHANGES.items()]
    frame = spark.createDataFrame(rows, pair_frame_type())
    found = with_pair_reasons(frame, STRICT).select("doc_id", "reasons").collect()
    assert {row.doc_id: row.reasons for row in found} == {
        name: [reason for reason in pair_rules(STRICT) if reason in reasons]
        for name, (_, reasons) in CHANGES.items()
    }
    tried = set().union(*(reasons for _, reasons in CHANGES.values()))
    assert tried == {*PAIR_RULE_REASONS, *STRICT.conditions}


def test_the_reasons_are_those_that_no_condition_may_have(spark: SparkSession) -> None:
    assert list(pair_rules(STRICT)) == [*PAIR_RULE_REASONS, *STRICT.conditions]
    with pytest.raises(ConfigError, match=r"pair_rules\.conditions\.kana: is the reason of"):
        load_config(None, ["pair_rules.conditions.kana=place > 3"])


def test_without_limits_only_what_cannot_be_a_pair_is_rejected(spark: SparkSession) -> None:
    rows = [changed(changes) | {"doc_id": name} for name, (changes, _) in CHANGES.items()]
    frame = spark.createDataFrame(rows, pair_frame_type())
    found = with_pair_reasons(frame, PairRulesConfig(pack=None)).select("doc_id", "reasons")
    assert {row.doc_id: row.reasons for row in found.collect() if row.reasons} == {
        "not measured": ["unmeasured_text"],
        "no text": ["no_text"],
        "blank": ["no_text"],
    }


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("chars > 3", "`chars` cannot be resolved"),
        ("text_measures.none > 3", "none"),
        ("data_body IS NULL", "`data_body` cannot be resolved"),
        ("text", "is not a boolean"),
        ("1 / text_measures.chars > 0.1", "Division by zero"),
        ("rand() > text_places", "is not deterministic"),
    ],
)
def test_what_is_no_condition_over_a_pair_is_refused(
    spark: SparkSession, expression: str, said: str
) -> None:
    rules = PairRulesConfig(conditions={"fine": "place > 3", "mine": expression})
    with pytest.raises(ConfigError) as error:
        check_on_spark(spark, Config(pair_rules=rules))
    message = str(error.value)
    assert message.startswith(f"pair_rules.conditions.mine = {expression!r}: ")
    assert said in message
    assert message.endswith("image, page, text_places, url_places, scores")


def test_conditions_are_checked_over_the_columns_that_they_are_evaluated_on(
    spark: SparkSession,
) -> None:
    assert empty_pair(spark).schema.simpleString() == pair_frame_type().simpleString()


@pytest.mark.parametrize("pack", bundled_packs("pair_rules"))
def test_a_pack_loads_has_a_source_and_its_conditions_are_in_order(
    spark: SparkSession, pack: str
) -> None:
    config = load_config(None, [f"pair_rules.pack={pack}"])
    assert config.pair_rules.pack == pack
    check_on_spark(spark, config)
    lines = bundled_packs("pair_rules")[pack].read_text(encoding="utf-8").splitlines()
    comment = [line for line in lines if line.startswith("#")]
    assert any(line.startswith("# Source: ") for line in comment)
    kept = changed({"text_measures.chars": 12, "more.pii": []})
    frame = spark.createDataFrame([kept], pair_frame_type())
    assert with_pair_reasons(frame, config.pair_rules).collect()[0].reasons == []


def test_packs_differ_in_what_they_reject(spark: SparkSession) -> None:
    rows = [
        changed({"text_measures.chars": 5}) | {"doc_id": "five"},
        changed({"text_measures.chars": 61}) | {"doc_id": "long"},
        changed({"attribute": "data-src"}) | {"doc_id": "lazy"},
        changed({"url": "http://a.cn/b.GIF?x"}) | {"doc_id": "gif"},
        changed({"text_measures.han_share": 0.0}) | {"doc_id": "latin"},
        changed({"image.width": 200, "image.height": 200}) | {"doc_id": "200"},
    ]
    frame = spark.createDataFrame(rows, pair_frame_type()).cache()
    found = {}
    for pack in ("danqing", "coyo", "laion", "wukong"):
        rules = load_config(None, [f"pair_rules.pack={pack}"]).pair_rules
        decided = with_pair_reasons(frame, rules).collect()
        found[pack] = {row.doc_id: row.reasons for row in decided if row.reasons}
    assert found == {
        "danqing": {"long": ["text_length"]},
        "coyo": {"five": ["text_length"]},
        "laion": {"lazy": ["attribute"], "gif": ["vector_or_gif"]},
        "wukong": {"latin": ["no_han"], "200": ["image_size"]},
    }
