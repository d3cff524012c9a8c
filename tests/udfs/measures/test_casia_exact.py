"""What casia-exact measures decides as the published script does: parity with a plain twin."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zhconv import convert

from tests.udfs.measures.published_rules import (
    published_dup_share,
    published_han_share,
    published_reason,
    published_traditional,
    reason_of_measures,
)
from udfs.base.chinese_script import ConversionCheck, casia_conversion
from udfs.base.code_points import encode_texts
from udfs.lists.lexicon import Lexicon
from udfs.measures import measures
from udfs.measures.casia_exact import casia_columns
from udfs.measures.measures import measure_texts, measure_texts_for_casia
from udfs.measures.repetition import window_shares

WORDS = ("赌球网", "赌球", "球", "AV", "ab", "娱乐城", "城", "娱乐", "a b", "\u3000网")
LEXICON = Lexicon(dict.fromkeys(WORDS, "其他"))
PLAIN = "今天天气很好，我们去公园散步。数据处理的流程需要仔细设计，结果应当可以重复"


def casia_reasons(batch: Sequence[str]) -> list[str | None]:
    """The decisions that the measures of a batch give."""
    return list(map(reason_of_measures, measure_texts_for_casia(batch, LEXICON).to_pylist()))


def zhconv_keys() -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from zhconv import zhconv
    return list(zhconv.getdict("zh-cn"))


pieces = st.one_of(
    st.sampled_from(PLAIN),
    st.sampled_from(WORDS),
    st.sampled_from(zhconv_keys()),
    st.sampled_from(["\n", "\n\n", " ", "\t", "\r", "\u3000", "\xa0", "\x1c", "\u2028", "\x85"]),
    st.sampled_from(["Σ", "ΑΣ", "İ", "ẞ", "A", "ab", "Ａ", "ǅ", "K", "1", "𠮷", "龦", "\ufeff"]),
    st.sampled_from([PLAIN, PLAIN * 3, "一二三四五六七八九十甲乙丙丁" * 4, "重复" * 20]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
texts = st.lists(pieces, max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "length"),
        ("汉" * 200, "length"),
        ("汉字" * 100 + "完", "duplication"),
        ("\n".join(["短行文字"] * 60), "length"),
        ("plain English text " * 20, "character"),
        (PLAIN * 7, "duplication"),
        (PLAIN[:30] * 3 + "龦" * 220, "character"),
    ],
)
def test_known_verdicts(text: str, reason: str) -> None:
    assert casia_reasons([text]) == [reason] == [published_reason(text, WORDS)]


def clean_text(chars: int) -> str:
    """Text that no rule but the first rejects: the characters of PLAIN at random."""
    return "".join(random.Random(1).choices(PLAIN.replace("，", ""), k=chars))


def test_a_clean_text_passes_and_one_change_each_makes_the_other_reasons() -> None:
    clean = clean_text(300)
    changed: dict[str | None, str] = {
        None: clean,
        "length": clean[:200],
        "character": clean + "臺",
        "sensitive": clean + "赌球",
        "duplication": clean[:50] * 6,
    }
    assert casia_reasons(list(changed.values())) == list(changed)
    assert [published_reason(text, WORDS) for text in changed.values()] == list(changed)


def test_the_first_reason_wins() -> None:
    everything = "娱乐城臺" * 60
    assert casia_reasons([everything, everything[:200]]) == ["character", "length"]


@st.composite
def nearly_clean_texts(draw: st.DrawFn) -> str:
    """About long enough, with a few pieces strewn in: any rule may fire, or none."""
    text = clean_text(draw(st.integers(190, 330)))
    for piece in draw(st.lists(pieces, max_size=6)):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + piece + text[at:]
    return text * draw(st.sampled_from([1, 1, 1, 2]))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(texts, nearly_clean_texts()), max_size=4))
def test_verdicts_equal_the_twin(batch: list[str]) -> None:
    assert casia_reasons(batch) == [published_reason(text, WORDS) for text in batch]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(texts, st.none()), max_size=4))
def test_measures_for_casia_are_some_of_all_measures(batch: list[str | None]) -> None:
    every = measure_texts(batch, LEXICON)
    few = measure_texts_for_casia(batch, LEXICON)
    measured = casia_columns([(["一"], encode_texts(["一"]))], LEXICON)
    assert few.type == every.type and few.is_null().equals(every.is_null())
    for field in every.type:
        if field.name in measured:
            assert few.field(field.name).equals(every.field(field.name)), field.name
        else:
            assert few.field(field.name).null_count == len(batch)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=4))
def test_stored_measures_equal_the_twin(batch: list[str]) -> None:
    measured = measure_texts(batch, LEXICON).to_pylist()
    for text, row in zip(batch, measured, strict=True):
        assert row["chars"] == len(text)
        assert row["lines"] == len(text.split("\n"))
        assert row["casia_han_share"] == published_han_share(text)
        assert row["casia_traditional"] == published_traditional(text)
        assert row["casia_dup_13gram_share"] == published_dup_share(text)
        assert row["dup_13gram_share"] == published_dup_share(text, with_last=True)
        assert row["sensitive_words"] == sorted(word for word in WORDS if word in text)
        assert row["sensitive_distinct"] == len(row["sensitive_words"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(zhconv_keys()), max_size=6).map("".join))
def test_conversion_keys_that_shield_and_overlap(text: str) -> None:
    assert casia_changes(text) == published_traditional(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from("么乾著覆藉後於坤隆代表存在肝炎0一份子A·易经薰陶回"), max_size=12))
def test_conversion_of_ambiguous_characters(chars: list[str]) -> None:
    text = "".join(chars)
    assert casia_changes(text) == published_traditional(text)


@pytest.mark.parametrize("key", ["乾隆", "厄瓜多", "厄瓜多尔", "芮氏6", "A型肝炎", "", "「", "么"])
def test_conversion_of_single_keys(key: str) -> None:
    assert casia_changes(key) == published_traditional(key)


def test_every_table_key_alone_and_between_others() -> None:
    keys = zhconv_keys()
    for form in ("{}", "的{}么", "{}0"):
        batch = [form.format(key) for key in keys]
        expected = [published_traditional(text) for text in batch]
        assert casia_conversion().changes(batch, encode_texts(batch)).tolist() == expected


def test_replacements_that_shift_into_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    # zhconv's own table has no such keys; the check must not depend on that.
    table = {"甲乙": "甲", "丙": "乙丙"}
    monkeypatch.setattr("zhconv.zhconv.convert", lambda text, to: convert(text, to, table))
    check = ConversionCheck(table)
    for text in ("甲乙丙", "甲乙", "丙", "甲丙", "乙甲乙丙甲", "甲乙乙"):
        changes = check.changes([text], encode_texts([text]))[0]
        assert changes == (convert(text, "zh-cn", table) != text), text


def test_windows_at_the_published_edges() -> None:
    run = "一二三四五六七八九十甲乙丙"
    for text in (run[:12], run, run + "丁", run * 2, run + "一", run * 3, " " + run, "Σ" + run):
        shares = window_shares([text], encode_texts([text]))
        assert shares.casia[0] == published_dup_share(text)
        assert shares.every[0] == published_dup_share(text, with_last=True)


def test_windows_see_lower_case_as_python_does() -> None:
    # A final sigma is another letter than one inside a word, and İ becomes two characters.
    sigmas = "x一二三四五六七八九十aΣ。x一二三四五六七八九十aΣb"
    dotted = "一二三四五六七八九十甲İ" * 2
    for text in (sigmas, dotted, "X" * 13 + "x" * 13):
        shares = window_shares([text], encode_texts([text]))
        assert shares.every[0] == published_dup_share(text, with_last=True)
        assert shares.casia[0] == published_dup_share(text)
    assert published_dup_share(sigmas) == 0.0


def test_verdicts_do_not_depend_on_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [clean_text(260), "", clean_text(400), "短", clean_text(50) * 6, "汉字" * 300] * 3
    together = casia_reasons(batch)
    assert together == [casia_reasons([text])[0] for text in batch]
    monkeypatch.setattr(measures, "CHUNK_CHARS", 10)
    assert casia_reasons(batch) == together


def casia_changes(text: str) -> bool:
    return bool(casia_conversion().changes([text], encode_texts([text]))[0])
