"""Traditional text is converted as OpenCC does it, and nothing else is touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.base.chinese_script import simplified_characters, traditional_characters
from udfs.repair.repair import Repaired
from udfs.repair.script_conversion import CONFIGS, simplify_texts

TRADITIONAL_PROSE = "市圖書館昨天開始延長開放時間，讀者可以在晚上十點以前借書。"
SIMPLIFIED_PROSE = "市图书馆昨天开始延长开放时间，读者可以在晚上十点以前借书。"


def simplified(text: str) -> str:
    [result] = simplify_texts([text])
    return result.text if result else text


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("乾坤", "乾坤"), ("乾燥", "干燥"), ("乾隆", "乾隆"), ("藉口", "借口"), ("慰藉", "慰藉"),
        ("著名", "著名"), ("看著", "看着"), ("顯著", "显著"), ("沿著", "沿着"), ("執著", "执着"),
        ("名著", "名著"), ("睡著了", "睡着了"), ("瞭望", "瞭望"), ("瞭解", "了解"),
        ("以後", "以后"), ("皇后", "皇后"), ("特徵", "特征"), ("宮商角徵羽", "宫商角徵羽"),
        ("頭髮發展", "头发发展"),
        ("什麼", "什么"), ("裡面", "里面"), ("裏面", "里面"), ("公里", "公里"), ("臺灣", "台湾"),
        ("衞生", "卫生"), ("敍述", "叙述"), ("麵包", "面包"), ("計畫", "计划"),
        ("錢鍾書", "钱锺书"), ("反覆", "反复"), ("覆蓋", "覆盖"), ("餘下", "余下"),
        ("於是", "于是"), ("隻身", "只身"),
    ],
)  # fmt: skip
def test_phrases_go_before_characters(word: str, expected: str) -> None:
    assert simplified(f"{TRADITIONAL_PROSE}\n{word}") == f"{SIMPLIFIED_PROSE}\n{expected}"


def test_words_and_quotation_marks_stay() -> None:
    assert (
        simplified("「軟體」和滑鼠：" + TRADITIONAL_PROSE) == "「软体」和滑鼠：" + SIMPLIFIED_PROSE
    )


@pytest.mark.parametrize(
    "text",
    [
        None, "", "plain", SIMPLIFIED_PROSE, "门打坏了，成绩显著，看一下么，乾隆和慰藉，皇后於丹。",
        "山高水深", "昨日の天気", "\ue000😀",
    ],
)  # fmt: skip
def test_what_has_no_traditional_character_stays(text: str | None) -> None:
    assert simplify_texts([text]) == [None]


def test_what_cannot_be_converted_stays() -> None:
    """甦 is of traditional script, and OpenCC leaves it in a name."""
    assert "甦" in traditional_characters()
    assert simplify_texts(["林甦", "甦醒"]) == [None, Repaired("苏醒", {"traditional": 1})]


def test_of_a_simplified_text_only_traditional_lines_are_converted() -> None:
    lines = {
        "门打坏了，成绩显著么": "门打坏了，成绩显著么",
        "《紅樓夢》成绩显著，你说呢么这个": "《红楼梦》成绩显著，你说呢么这个",
        "他看著我，後來發覺顯著的問題": "他看着我，后来发觉显著的问题",
        SIMPLIFIED_PROSE: SIMPLIFIED_PROSE,
    }
    assert simplified("\n".join(lines)) == "\n".join(lines.values())


def test_edits_are_the_characters_that_changed() -> None:
    assert simplify_texts(["看著乾燥的頭髮。", None, "好"]) == [
        Repaired("看着干燥的头发。", {"traditional": 4}),
        None,
        None,
    ]


def test_a_lone_surrogate_is_an_error_of_the_caller() -> None:
    with pytest.raises(UnicodeEncodeError):
        simplify_texts(["\ud800"])


WORDS = st.sampled_from(
    [
        "圖",
        "書",
        "看著",
        "衞",
        "乾",
        "乾坤",
        "這個",
        "个这",
        "显著",
        "打坏",
        "么",
        "\n",
        "，",
        "a",
        "𠮷",
        "後",
        "妳",
    ]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=12).map("".join), st.text(max_size=30))


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_a_text_does_not_see_its_neighbours(texts: list[str]) -> None:
    assert simplify_texts(texts) == [simplify_texts([text])[0] for text in texts]


def by_opencc(config: str, text: str) -> str:
    """OpenCC's conversion of each part of a text that U+0000, its end of a text, sets apart."""
    return "\0".join(opencc.OpenCC(config).convert(part) for part in text.split("\0"))


def test_nothing_is_lost_behind_a_null_character() -> None:
    assert simplify_texts(["a\0鉶後\0頭髮"])[0] == Repaired("a\0铏后\0头发", {"traditional": 4})


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_whole_texts_are_converted_as_opencc_does(text: str) -> None:
    """Hong Kong's characters to the standard, then from Taiwan's."""
    has_simplified = not simplified_characters().isdisjoint(text)
    has_traditional = not traditional_characters().isdisjoint(text)
    if has_traditional and not has_simplified:
        standard = by_opencc("hk2t", text) if "衞" in text else text
        assert simplified(text) == by_opencc("tw2s", standard)
    elif not has_traditional:
        assert simplify_texts([text]) == [None]


def test_no_conversion_changes_the_length(tmp_path: Path) -> None:
    """The tables of the installed OpenCC, written out by the tool that comes with it."""
    package = Path(opencc.__file__).parent / "clib"
    tool = package / "bin" / "opencc_dict"
    tables = {
        name
        for config in CONFIGS
        for name in (package / "share" / "opencc" / f"{config}.json").read_text().split('"')
        if name.endswith(".ocd2")
    }
    assert {"TSPhrases.ocd2", "TSCharacters.ocd2", "TWVariantsRev.ocd2"} <= tables
    for table in sorted(tables):
        written = tmp_path / table
        subprocess.run(
            [
                *(tool, "-i", package / "share" / "opencc" / table, "-f", "ocd2"),
                *("-o", written, "-t", "text"),
            ],
            check=True,
        )
        for line in written.read_text(encoding="utf-8").splitlines():
            key, _, values = line.partition("\t")
            assert not values or len(key) == len(values.split(" ")[0]), (table, line)
