"""Simplified, traditional and mixed text are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhconv import convert

from udfs.base.chinese_script import (
    MIN_MINORITY_CHARS,
    script_of,
    simplified_characters,
    traditional_characters,
)

SIMPLIFIED = (
    "市图书馆昨天开始延长开放时间，读者可以在晚上十点以前借书。馆长说，这样做是为了方便下班以后"
    "才有空的人。记者在现场看到，不少家长带着孩子来看书，二楼的座位很快就坐满了。"
)
TRADITIONAL = (
    "市圖書館昨天開始延長開放時間，讀者可以在晚上十點以前借書。館長說，這樣做是為了方便下班以後"
    "才有空的人。記者在現場看到，不少家長帶著孩子來看書，二樓的座位很快就坐滿了。"
)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (SIMPLIFIED, "hans"),
        (TRADITIONAL, "hant"),
        (convert(SIMPLIFIED, "zh-hk"), "hant"),
        (convert(TRADITIONAL, "zh-sg"), "hans"),
        (SIMPLIFIED + TRADITIONAL, "mixed"),
        (SIMPLIFIED * 3 + TRADITIONAL, "mixed"),
        ("", None),
        ("plain, ひらがな 한글", None),
        ("山高水深，上下左右", None),
        ("皇后在公里台只面干", None),  # both scripts write them
        ("這", "hant"),
        ("这", "hans"),
        ("这這", "mixed"),
        ("\ud800这", "hans"),
    ],
)
def test_scripts(text: str, script: str | None) -> None:
    assert script_of(text) == script


def test_strays_do_not_make_a_text_mixed() -> None:
    strays = "為這個們門"
    assert len(strays) == MIN_MINORITY_CHARS
    text = SIMPLIFIED * 2
    assert script_of(text + strays) == "mixed"
    assert script_of(text + strays[1:]) == "hans"  # too few
    assert script_of(text * 5 + strays) == "hans"  # too small a share
    assert script_of(TRADITIONAL * 10 + "们这个为") == "hant"


def test_the_share_is_of_the_characters_that_tell() -> None:
    assert script_of("这" * 95 + "這" * 5 + "山" * 900) == "mixed"
    assert script_of("这" * 96 + "這" * 5 + "山" * 900) == "hans"
    assert script_of("這" * 95 + "这" * 5) == "mixed"
    assert script_of("這" * 96 + "这" * 5) == "hant"


def test_the_tables() -> None:
    simplified, traditional = simplified_characters(), traditional_characters()
    assert not simplified & traditional
    assert simplified >= set("这个说时间图书馆门东车")
    assert traditional >= set("這個說時間圖書館門東車")
    assert not simplified & set("后里台只面干户税温脱")
    assert not traditional & set("乾覆於徵")


@given(st.text(max_size=40), st.text(alphabet="山水 a。", max_size=40))
def test_other_characters_change_nothing(text: str, filling: str) -> None:
    assert script_of(text + filling) == script_of(text)
