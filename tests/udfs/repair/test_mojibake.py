"""Garbled text is distinguished from text, for each pair of code tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.repair.plain_repair import mojibake_share
from udfs.base.code_points import encode_texts
from udfs.repair.mojibake import mojibake_shares

SIMPLIFIED = (
    "市图书馆昨天开始延长开放时间，读者可以在晚上十点以前借书。馆长说，这样做是为了方便下班以后"
    "才有空的人。记者在现场看到，不少家长带着孩子来看书，二楼的座位很快就坐满了。"
)
TRADITIONAL = (
    "市圖書館昨天開始延長開放時間，讀者可以在晚上十點以前借書。館長說，這樣做是為了方便下班以後"
    "才有空的人。記者在現場看到，不少家長帶著孩子來看書，二樓的座位很快就坐滿了。"
)


@pytest.mark.parametrize(
    ("text", "written", "read", "least"),
    [
        (SIMPLIFIED, "utf-8", "gb18030", 0.8),
        (TRADITIONAL, "utf-8", "gb18030", 0.8),
        (SIMPLIFIED, "utf-8", "latin-1", 0.95),
        (SIMPLIFIED, "utf-8", "cp1252", 0.8),
        (SIMPLIFIED, "gbk", "latin-1", 0.8),
        (TRADITIONAL, "big5", "latin-1", 0.6),
        (SIMPLIFIED, "gbk", "utf-8", 0.7),
        (TRADITIONAL, "big5", "gb18030", 0.3),
        (SIMPLIFIED, "gbk", "big5hkscs", 0.1),
    ],
)
def test_wrong_readings(text: str, written: str, read: str, least: float) -> None:
    garbled = text.encode(written).decode(read, "ignore" if read == "cp1252" else "replace")
    assert mojibake_share(garbled) >= least


def test_bytes_that_were_lost_before_they_were_read() -> None:
    lost = SIMPLIFIED.encode("gbk").decode("utf-8", "replace")
    assert mojibake_share(lost.encode().decode("gb18030", "replace")) > 0.6
    dropped = SIMPLIFIED.encode().decode("gbk", "ignore")
    assert mojibake_share(dropped) > 0.7


@pytest.mark.parametrize(
    "text",
    [
        "", "plain", SIMPLIFIED, TRADITIONAL, "😀☺①→", "癫痫、鹦鹉、嘌呤、狒狒、嗖嗖的蝙蝠",
        "豫×××××的车主说······没有", "Les élèves étaient à l'école, là-bas: « liberté »",
        "昨日の天気はとても良かったです。", "오늘은 날씨가 좋습니다.", "Это просто текст.",
        "佢哋喺邊度㗎？冇嘢食喇，嗰個咩嚟嘅。", "公斤，拷贝", "\ud800",
    ],
)  # fmt: skip
def test_text_has_none(text: str) -> None:
    assert mojibake_share(text) == 0.0


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("中文\ufffd\ufffd", 0.5),
        ("icon \ue600 中", 0.5),
        ("\U000f0000中文页", 0.25),
        ("\x80\x9f中文", 0.5),
        ("锟斤拷" + "中文页", 0.5),
        ("abc é è à ç", 0.0),  # letters apart are no run
        ("ÖÐÎÄ中文页面", 0.5),
        ("ÖÐÎ中文页", 0.0),
        ("龘 靐 中文", 0.0),
        ("龘靐中文", 0.5),
    ],
)
def test_what_is_counted(text: str, share: float) -> None:
    assert mojibake_share(text) == share


@given(st.text(max_size=100), st.text(alphabet="ab \n", max_size=20))
def test_a_share_that_ascii_around_the_text_does_not_change(text: str, ascii_text: str) -> None:
    share = mojibake_share(text)
    assert 0.0 <= share <= 1.0
    assert mojibake_share(ascii_text + text + ascii_text) == share


GARBLED = SIMPLIFIED.encode().decode("gb18030", "replace")
PIECES = ["", "a", "锟", "斤", "拷", "龘", "Ö", "ÖÐÎÄ", "ä¸­", "\ufffd", "中文", GARBLED[:7]]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), max_size=6))
def test_a_text_does_not_see_its_neighbours(texts: list[str]) -> None:
    shares = mojibake_shares(encode_texts(texts))
    assert shares.tolist() == [mojibake_share(text) for text in texts]
