"""Measures of texts: known values, plain twins, and what bounds them."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql.pandas.types import to_arrow_type

from udfs import measures as measures_module
from udfs.characters import HAN_RANGES, Kind, count_kinds
from udfs.code_points import encode_texts
from udfs.lexicon import Lexicon
from udfs.measures import (
    MAX_SENSITIVE_WORDS,
    MEASURES_ARROW_TYPE,
    MEASURES_TYPE,
    count_urls,
    measure_texts,
)
from udfs.repetition import dup_line_share
from udfs.traditional import traditional_characters

LEXICON = Lexicon({"赌球": "赌博", "球": "其他"})


def measure(text: str) -> dict[str, object]:
    return measure_texts([text], LEXICON).to_pylist()[0]


def test_known_values() -> None:
    text = "灣區2019年，A股\n\ue000\u200b+球赌球"
    row = measure(text)
    assert {name: value for name, value in row.items() if not name.startswith("casia")} == {
        "chars": 17,
        "lines": 2,
        "mean_line_chars": 8.0,
        "han_share": 7 / 17,
        "traditional_share": 2 / 7,
        "digit_share": 4 / 17,
        "punctuation_share": 1 / 17,
        "symbol_share": 1 / 17,
        "private_use_share": 1 / 17,
        "control_share": 1 / 17,
        "sensitive_distinct": 2,
        "sensitive_total": 3,
        "sensitive_words": ["球", "赌球"],
        "dup_13gram_share": 0.0,
        "dup_line_share": 0.0,
        "url_count": 0,
    }
    assert row["casia_han_share"] == 7 / 17
    assert row["casia_traditional"] is True


def test_the_empty_text_is_measured_and_no_text_is_null() -> None:
    array = measure_texts(["", None, "球"], LEXICON)
    empty, absent, ball = array.to_pylist()
    assert absent is None
    assert (empty["chars"], empty["lines"], empty["han_share"]) == (0, 1, 0.0)
    assert not any(value is None for value in (*empty.values(), *ball.values()))
    assert measure_texts([], LEXICON).type == MEASURES_ARROW_TYPE == array.type
    assert measure_texts([None], LEXICON).to_pylist() == [None]


def test_arrow_and_spark_types_agree() -> None:
    for field, column in zip(MEASURES_ARROW_TYPE, MEASURES_TYPE, strict=True):
        assert field.name == column.name
        spark = to_arrow_type(column.dataType)
        assert pa.types.is_list(spark) if pa.types.is_list(field.type) else spark == field.type


def test_matched_words_are_bounded_but_counted() -> None:
    words = [chr(0x4E00 + i) for i in range(MAX_SENSITIVE_WORDS + 10)]
    lexicon = Lexicon(dict.fromkeys(words, "其他"))
    row = measure_texts(["".join(reversed(words)) * 2], lexicon).to_pylist()[0]
    assert row["sensitive_words"] == words[:MAX_SENSITIVE_WORDS]
    assert (row["sensitive_distinct"], row["sensitive_total"]) == (len(words), 2 * len(words))


texts = st.lists(
    st.one_of(
        st.sampled_from("汉語灣〇々㐀𠮷豈⺀1２.，。+😀\n\r\t \u3000\ue000\u200b\x00\x07é"),
        st.sampled_from(["赌球", "www.a.cn", "https://b.cn/球", "行文字\n行文字\n"]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=5))
def test_shares_equal_plain_twins(batch: list[str]) -> None:
    for text, row in zip(batch, measure_texts(batch, LEXICON).to_pylist(), strict=True):
        han = [char for char in text if is_han(char)]
        old = [char for char in han if char in traditional_characters()]
        others = [unicodedata.category(char) for char in text if not is_han(char)]
        controls = sum(c == "Cf" for c in others) + sum(
            unicodedata.category(char) == "Cc" and char not in "\t\n\r" for char in text
        )
        size = max(len(text), 1)
        assert row["mean_line_chars"] == sum(map(len, text.split("\n"))) / len(text.split("\n"))
        assert row["han_share"] == len(han) / size
        assert row["traditional_share"] == len(old) / max(len(han), 1)
        assert row["digit_share"] == others.count("Nd") / size
        assert row["punctuation_share"] == sum(c[0] == "P" for c in others) / size
        assert row["symbol_share"] == sum(c[0] == "S" for c in others) / size
        assert row["private_use_share"] == others.count("Co") / size
        assert row["control_share"] == controls / size
        assert row["sensitive_total"] == text.count("球") + text.count("赌球")


def is_han(char: str) -> bool:
    name = unicodedata.name(char, "")
    return name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "CJK RADICAL")) or (
        any(first <= ord(char) <= last for first, last in HAN_RANGES)
    )


def test_every_code_point_has_its_kind() -> None:
    """The table is built from parts of the code space: nothing may be missing in the rest."""
    rest = [chr(code) for code in range(0x20000, 0x110000)]
    counted = count_kinds(encode_texts(["".join(rest)]))[0]
    categories = [unicodedata.category(char) for char in rest]
    assert counted[Kind.PRIVATE_USE] == categories.count("Co")
    assert counted[Kind.CONTROL] == categories.count("Cf")
    assert counted[[Kind.DIGIT, Kind.PUNCTUATION, Kind.SYMBOL]].sum() == 0
    assert not [c for c in categories if c == "Nd" or c[0] in "PS"]
    assert not [char for char in rest if char.lower() != char], "windows see one case"


def test_han_is_the_whole_script() -> None:
    """Every ideograph that Python knows by name; kana, Hangul and bopomofo are others."""
    named = [chr(code) for code in range(0x2E80, 0x32000) if is_han(chr(code))]
    kinds = count_kinds(encode_texts(named))[:, Kind.HAN : Kind.HAN_REST_TRADITIONAL + 1]
    assert (kinds.sum(axis=1) == 1).all()
    assert count_kinds(encode_texts(["あア한ㄅ、。〜〒㈱"]))[0, Kind.HAN : Kind.DIGIT].sum() == 0


def test_traditional_characters() -> None:
    assert set("灣體國學為說們").issubset(traditional_characters())
    simplified_too = "湾体国学为说们后干里面台只谷乾於覆藉著「"
    assert not traditional_characters().intersection(simplified_too)


def test_measures_do_not_depend_on_the_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ["球" * 30, None, "", "ΑΣ 灣\n" * 9, "行文字\n行文字\n", "a" * 50, None]
    whole = measure_texts(batch, LEXICON)
    monkeypatch.setattr(measures_module, "CHUNK_CHARS", 7)
    assert measure_texts(batch, LEXICON).equals(whole)
    assert pa.concat_arrays([measure_texts([text], LEXICON) for text in batch]).equals(whole)


@pytest.mark.parametrize(
    ("text", "share"),
    [("", 0.0), ("一\n二", 0.0), ("一\n一", 0.5), ("一\n\n 一 \n二\n", 1 / 3), ("\n\n", 0.0)],
)
def test_dup_line_share(text: str, share: float) -> None:
    assert dup_line_share(text) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("没有网址 http:// www. awww.a", 0),
        ("请看http://a.cn/b和HTTPS://c.cn", 2),
        ("访问www.a.cn，或WWW.b.cn", 2),
        ("https://www.a.cn/www.b", 1),
    ],
)
def test_count_urls(text: str, count: int) -> None:
    assert count_urls(text) == count == measure(text)["url_count"]
