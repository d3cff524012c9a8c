"""Pages made from labelled ones."""

from __future__ import annotations

from collections import Counter

import pytest

from jobs.training.quality.made_pages import COUNTS, LabelledPage, MadePage, is_prose, made_pages

MENUS = [f"栏目{number}" for number in range(12)]
ARTICLE = "店主给每个人都倒了茶，说这里的书大多是他父亲留下的，愿意的话可以再坐一会。" * 9
SPAM_TITLE = "金沙娱乐城_澳门赌场_注册送彩金"

CLEAN = LabelledPage(
    "\n".join(["旧书店 - 城北网", *MENUS, ARTICLE, *MENUS]), True, False, "clean.cn"
)
SPAM = LabelledPage("\n".join([SPAM_TITLE, *("开户 优惠",) * 11]), False, True, "spam.cn")
SHOP = LabelledPage("\n".join(["机床厂家", *("型号 报价",) * 11]), False, False, "shop.cn")
SOURCES = [[f"甲{'河边的路修好了，人们又开始散步。' * 30}"], [f"乙{'实验的结果写在下一章。' * 40}"]]


@pytest.fixture(scope="module")
def made() -> dict[str, list[MadePage]]:
    pages = made_pages([CLEAN, SPAM, SHOP], SOURCES, seed=5)
    return {how: [page for page in pages if page.how == how] for how in COUNTS}


def test_all_kinds_are_made_and_a_seed_makes_them_again(made: dict[str, list[MadePage]]) -> None:
    for how, count in COUNTS.items():
        assert count / 2 < len(made[how]) <= count
    again = made_pages([CLEAN, SPAM, SHOP], SOURCES, seed=5)
    assert again == [page for pages in made.values() for page in pages]
    assert again != made_pages([CLEAN, SPAM, SHOP], SOURCES, seed=6)


def test_a_made_page_is_held_out_with_what_it_is_made_of(made: dict[str, list[MadePage]]) -> None:
    units = {how: {page.unit for page in pages} for how, pages in made.items()}
    assert units == {
        "mixed": {"clean.cn", "shop.cn"},
        "bare": {"clean.cn"},
        "spam_head": {"spam.cn"},
        "clean_crop": {"clean.cn"},
        "junk_crop": {"spam.cn", "shop.cn"},
        "prose": {"source 0", "source 1"},
        "stub": {"clean.cn", "spam.cn", "shop.cn"},
    }


def test_prose_alone_is_what_makes_a_page_of_use(made: dict[str, list[MadePage]]) -> None:
    is_clean = {how: {page.is_clean for page in pages} for how, pages in made.items()}
    useful = {how for how, values in is_clean.items() if values == {True}}
    assert useful == {"mixed", "clean_crop", "prose"}
    assert all(len(values) == 1 for values in is_clean.values())
    for page in made["mixed"] + made["clean_crop"] + made["prose"]:
        assert sum(map(len, page.text.split("\n"))) > 200
    assert not any(is_prose(line) for page in made["bare"] for line in page.text.split("\n"))
    assert max(len(page.text) for page in made["stub"]) <= 150


def test_spam_keeps_its_head_over_prose_of_others(made: dict[str, list[MadePage]]) -> None:
    for page in made["spam_head"]:
        assert page.text.startswith(SPAM_TITLE)
        assert "散步" in page.text or "实验" in page.text
    strewn = Counter("金沙娱乐城" in page.text.split("\n", 1)[1] for page in made["spam_head"])
    assert strewn[True] > strewn[False] > 0


def test_pages_that_lack_what_a_kind_needs_give_none_of_it() -> None:
    made = made_pages([CLEAN], SOURCES, seed=5)
    assert {page.how for page in made} == {"mixed", "bare", "clean_crop", "prose", "stub"}
    made = made_pages([LabelledPage("短", False, True, "s")], SOURCES, seed=5)
    assert {page.how for page in made} == {"prose", "stub"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("店主给每个人都倒了茶，说这里的书大多是他父亲留下的，可以再坐。", True),
        ("店主给每个人都倒了茶，可以再坐。", False),
        ("首页 新闻 图片 视频 论坛 博客 汽车 房产 家居 教育 健康 旅游 美食，", False),
        ("的" * 200 + "，。", False),
    ],
)
def test_prose_is_a_long_line_with_marks(line: str, expected: bool) -> None:
    assert is_prose(line) is expected
