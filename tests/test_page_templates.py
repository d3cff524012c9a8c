"""Made pages: their main text is on them, nothing else is; and how families are judged."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from tests.bench.page_families import (
    FOLDS,
    FamilyPage,
    family_rows,
    folds_of,
    held_out_texts,
)
from tests.builders.page_templates import names
from tests.builders.page_templates.page import FAMILIES, MadePage, Template
from tests.builders.page_templates.templates import TEMPLATES, made_pages
from tests.builders.page_templates.texts import PageTexts, lines_of, sentences_of
from udfs.html.page_text import HtmlLimits, extract_page

TEXTS = [
    "开放时间延长\n市图书馆从本周开始延长开放时间，读者可以在晚上十点以前借书，周末也不例外。馆长说，这样做"
    "是为了方便下班以后才有空的人。\n记者在现场看到，不少家长带着孩子来看书，二楼的座位很快就坐满了。",
    "A：这家店的面条味道真不错，就是排队太久了！\nB：我上次等了四十分钟；后来干脆提前打电话订位。\nA：老板人很好。",
    "青石桥\n青石桥位于城东，长三十二米，建于1783年。桥上原有亭子，后来毁于一场大火；现在的亭子是重修的。",
    "他推开门，屋里没有人。桌上的茶还是热的，窗户开着一条缝。\n“来迟了一步。”他低声说。",
]
HOSTILE = [
    "<script>alert(1)</script>，<b onclick=x>点我</b> & \"引号\" 'x'。</div></td>\n"
    "]]><!--坏，注释--><img src=x onerror=y>。"
]
SEED = 3


def written(texts: Sequence[str] = TEXTS, pages_each: int = 3) -> list[MadePage]:
    return list(made_pages(PageTexts.of_one_kind(texts), SEED, pages_each=pages_each))


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("texts", [TEXTS, HOSTILE], ids=["texts", "hostile"])
def test_the_main_text_is_visible_in_its_order(texts: list[str]) -> None:
    for page in written(texts):
        visible = squeezed(extract_page(page.html.decode(), HtmlLimits(), "plain").text)
        at = 0
        for line in page.gold.splitlines():
            found = visible.find(squeezed(line), at)
            assert found >= 0, (page.name, line)
            at = found + len(squeezed(line))


def test_texts_are_escaped() -> None:
    for page in written(HOSTILE):
        assert not re.search(rb"<script|<!--|<img src=x|<b onclick", page.html), page.name


def test_pages_of_an_index_have_no_main_text_and_all_others_have() -> None:
    assert {page.name for page in written() if not page.gold} == {
        page.name for page in written() if page.family == "index"
    }


def test_what_a_site_says_is_not_main_text() -> None:
    lines = {line for page in written() for line in page.gold.splitlines()}
    assert not lines & {*names.SIGNATURES, *names.SLOGANS, *names.FOOTS, *names.LOGIN}


def test_a_page_depends_on_seed_template_and_number_alone() -> None:
    every = {page.name: page.html for page in written()}
    template = TEMPLATES[20]
    texts = PageTexts.of_one_kind(TEXTS)
    for page in made_pages(texts, SEED, pages_each=2, templates=[template]):
        assert every[page.name] == page.html
    [other] = made_pages(texts, SEED + 1, pages_each=1, templates=[template])
    assert other.html != every[other.name]


def test_no_class_is_on_all_pages_of_a_template() -> None:
    by_template: dict[str, list[set[bytes]]] = {}
    for page in written(pages_each=16):
        classes = {
            name for value in re.findall(rb'class="([^"]*)"', page.html) for name in value.split()
        }
        by_template.setdefault(page.template, []).append(classes)
    assert {name for name, pages in by_template.items() if set.intersection(*pages)} == set()


def test_every_family_can_be_judged_by_templates_held_out() -> None:
    by_family: dict[str, set[str]] = {}
    for template in TEMPLATES:
        by_family.setdefault(template.family, set()).add(template.name)
    assert set(by_family) == set(FAMILIES)
    assert min(map(len, by_family.values())) >= 4
    assert len({template.name for template in TEMPLATES}) == len(TEMPLATES)


def test_lines_of_a_text_hold_it_whole() -> None:
    long = "一句话说完了。" * 200
    assert "".join(lines_of(long)) == long
    assert max(map(len, lines_of(long))) <= 320
    assert "".join(sentences_of("！开头有标点。后面没有")) == "！开头有标点。后面没有"
    assert lines_of("A：你好吗\n\n# 标题\n  两 个  空格 ") == ["你好吗", "两 个 空格"]


# --- the judge


def pages_to_judge() -> list[FamilyPage]:
    return [
        FamilyPage(page.name, page.template, page.html.decode(), page.gold, page.family)
        for page in written(pages_each=2)
    ]


def test_templates_stay_whole_in_folds_that_have_all_families() -> None:
    pages = pages_to_judge()
    folds = folds_of(pages)
    assert len({(page.site, fold) for page, fold in zip(pages, folds, strict=True)}) == len(
        TEMPLATES
    )
    for fold in range(FOLDS):
        in_fold = {page.family for page, own in zip(pages, folds, strict=True) if own == fold}
        assert in_fold == set(FAMILIES)


def test_an_extractor_judges_pages_of_templates_that_it_did_not_see() -> None:
    pages = pages_to_judge()
    html_of = {page.html: page for page in pages}

    def fitted(seen: Sequence[FamilyPage]) -> object:
        known = {page.site for page in seen}

        def extract(html: str) -> str:
            assert html_of[html].site not in known
            return html_of[html].gold

        return extract

    texts = held_out_texts(pages, folds_of(pages), fitted)  # type: ignore[arg-type]
    assert texts == [page.gold for page in pages]
    assert [(row.family, row.f1, row.lost) for row in family_rows(pages, texts)] == [
        (family, 1.0, 0) for family in FAMILIES
    ]


def test_rows_count_pages_that_are_lost_and_text_on_pages_without_any() -> None:
    long, short = "市图书馆从本周开始延长开放时间，" * 10, "太短的一页"
    pages = [
        FamilyPage("a", "s", "", long, "forum"),
        FamilyPage("b", "s", "", short, "forum"),
        FamilyPage("c", "t", "", "", "index"),
        FamilyPage("d", "t", "", "", "index"),
    ]
    forum, index = family_rows(pages, ["别的话", "", "", "首页"])
    assert (forum.family, forum.pages, forum.f1, forum.lost) == ("forum", 2, 0.0, 1)
    assert (index.family, index.pages, index.f1, index.lost) == ("index", 2, 0.5, 0)
    assert [row.family for row in family_rows(pages, ["", "", "", ""], by_template=True)] == [
        "s",
        "t",
    ]


def test_a_template_is_named_after_its_function() -> None:
    def some_page(w: object) -> str:
        return ""

    assert Template("index", some_page).name == "some_page"
