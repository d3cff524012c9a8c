"""What is measured of the texts of image places."""

from __future__ import annotations

import numpy as np
import pytest

from udfs.pairs.interface_words import GENERIC_TEXTS
from udfs.pairs.text_measures import (
    PAIR_TEXT_MEASURES,
    is_file_name,
    is_interface,
    is_telling,
    is_url,
    measure_pair_texts,
    plain,
    title_parts,
)


def test_every_measure_has_its_type_and_a_value_for_each_text() -> None:
    texts = ["长江 大桥", "ネコの写真", "abc 123・", None, ""]
    found = measure_pair_texts(texts, [0] * 5, [None] * 5, [None] * 5)
    assert list(found) == list(PAIR_TEXT_MEASURES)
    kinds = {int: np.int64, float: np.float64, bool: np.bool_}
    assert {name: column.dtype.type for name, column in found.items()} == {
        name: kinds[kind] for name, kind in PAIR_TEXT_MEASURES.items()
    }
    assert found["chars"].tolist() == [4, 5, 7, 0, 0]
    assert found["han_share"].tolist() == [1.0, 0.4, 0.0, 0.0, 0.0]
    assert found["kana_share"].tolist() == [0.0, 0.6, 0.0, 0.0, 0.0]
    assert found["letter_share"].round(3).tolist() == [0.0, 0.0, 0.429, 0.0, 0.0]
    assert not any(found[name][3:].any() for name in PAIR_TEXT_MEASURES)
    assert all(len(column) == 0 for column in measure_pair_texts([], [], [], []).values())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("IMG_20190807.jpg", "file"),
        ("微信图片_20190807123456", "file"),
        ("DSC 0123", "file"),
        ("d41d8cd98f00b204e9800998ecf8427e", "file"),
        ("12", "file"),
        ("截图 2019-08-07", "file"),
        ("http://a.cn/b", "url"),
        ("//a.cn/b", "url"),
        ("example.com.cn", "url"),
        ("点击图片查看幻灯模式", "interface"),
        ("图片 3", "interface"),
        ("【二维码】", "interface"),
        ("Loading...", "interface"),
        ("查看大图>>", "interface"),
        ("...", "empty"),
        ("", "empty"),
        ("长江大桥", "telling"),
        ("2019年", "telling"),
        ("故宫的图片", "telling"),
        ("第3张", "telling"),
        ("A cat", "telling"),
        ("苹果手机 iPhone12", "telling"),
        ("Node.js 教程", "telling"),
    ],
)
def test_kinds_of_texts(text: str, kind: str) -> None:
    kinds = [is_file_name(text), is_url(text), is_interface(text)]
    assert kinds == [kind == name for name in ("file", "url", "interface")]
    assert is_telling(text) is (kind == "telling")


def test_measures_that_depend_on_the_page() -> None:
    title = "长江大桥今日通车_新闻中心 - 某某网"
    texts = [
        "长江大桥今日通车",
        "新闻中心",
        "某某网",
        "某某网Logo",
        "大桥",
        title,
        "别的",
        "别 的！",
    ]
    pages = [1] * 7 + [2]
    found = measure_pair_texts(texts, pages, [title] * 8, [None] * 8)
    assert found["is_page_title"].tolist() == [True, *[False] * 4, True, False, False]
    assert found["in_page_title"].tolist() == [True, True, True, False, True, True, False, False]
    assert found["is_site_name"].tolist() == [False, False, True, *[False] * 5]
    assert found["has_logo_word"].tolist() == [False, False, False, True, *[False] * 4]
    assert found["page_repeats"].tolist() == [1] * 8
    same_page = measure_pair_texts(texts, [1] * 8, [title] * 8, ["新闻中心网"] * 8)
    assert same_page["page_repeats"].tolist() == [1] * 6 + [2, 2]
    assert same_page["is_site_name"].tolist() == [False, True, *[False] * 6]


def test_titles_without_separators_have_one_part() -> None:
    assert title_parts("iPhone-12 评测") == ["iphone12评测"]
    assert title_parts(" - _ ") == []
    found = measure_pair_texts(["长江"], [0], ["长江"], [None])
    assert found["is_page_title"][0] and not found["is_site_name"][0]


def test_generic_texts_are_as_texts_are_compared() -> None:
    assert {word for word in GENERIC_TEXTS if plain(word) != word} == set()


def test_a_language_has_words_of_interfaces_of_its_own() -> None:
    more = frozenset({plain("اقرأ المزيد")})
    assert not is_interface("اقرأ المزيد")
    assert is_interface("اقرأ المزيد 2", more) and is_interface("图片3", more)
    assert not is_telling("اقرأ المزيد", more) and is_telling("اقرأ المزيد عن السوق", more)
    found = measure_pair_texts(["اقرأ المزيد", "السوق"], [0, 0], [None] * 2, [None] * 2, more)
    assert found["is_interface"].tolist() == [True, False]
