"""Folded texts, and the places of their characters; what ordinary text has stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udfs.base.code_points import CODE_POINTS
from udfs.base.hash_table import ABSENT
from udfs.folding import fold as module
from udfs.folding.characters import Folding, folded_characters
from udfs.folding.contexts import MOST_SIGNS
from udfs.folding.fold import fold, fold_texts
from udfs.folding.matching import edits_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("①③⑧⓪⓿❽➑➇⑴⒈㉑🔟", "13800888112110"),
        ("0️⃣1️⃣9⃣", "019"),
        ("🅾🅰️🄱Ⓒⓓ⒠🅕🄖ｈＩ", "OABCdeFGhI"),
        ("𝐯𝓧𝟙𝟾ℚ𝖖", "vX18Qq"),
        ("看🇻🇽看", "看VX看"),
        ("ᵛˣ和ʷˣ是⁶⁶和₈₈", "vx和wx是66和88"),
        ("㊙㊣㈠🈲🉐⼈⼼", "秘正一禁得人心"),
        ("赌\u200b博\ufeff微\u2060信 v\u200dx", "赌博微信 vx"),
        ("赌\u0336博\u0301 v\u0332", "赌博 v"),
        ("🆓🆔", "FREEID"),
        ("ᴠ和ᴡ", "v和w"),
    ],
)
def test_characters_are_folded(written: str, meant: str) -> None:
    assert fold(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "面积20m²，CO₂与H₂O，10⁻³，x²+y²，[ˈtʰɪntə]，ɪʀʏ",
        "我❤️你，👨\u200d👩\u200d👧，☀️，#️",
        "🇨🇳和🇯🇵🇰🇷",
        "㎡、℃、㏑、Ⅲ级、№5、™、（一）、1.",
        "cafe\u0301，بِسْمِ",
        "！？，。：；「」～＋＝",
        "",
    ],
)
def test_characters_of_ordinary_text_stay(text: str) -> None:
    assert fold(text) == text
    assert fold_texts([text]) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("想赚米加薇芯", "想赚米加微信"),
        ("请加我威信：abc888", "请加我微信：abc888"),
        ("威信ab12345", "微信ab12345"),
        ("加V领取资料", "加微信领取资料"),
        ("+v：ab13800138", "加微信：ab13800138"),
        ("详情加vx", "详情加微信"),
        ("客服 VX：kk20201", "客服 微信：kk20201"),
        ("加扣扣2938475", "加qq2938475"),
        ("Q裙 92837465", "qq群 92837465"),
        ("资源裙见主页", "资源群见主页"),
        ("加*微*信", "加微信"),
        ("网上赌-博和六.合.彩", "网上赌博和六合彩"),
        ("彩 票 兼 职", "彩票 兼职"),
        ("弓虽女干、女票女昌、讠乍马扁", "强奸、嫖娼、诈骗"),
        ("微亻言号", "微信号"),
        ("菠菜平台", "博彩平台"),
        ("代开fapiao，用zfb", "代开发票，用支付宝"),
        ("➕√信，①⑧", "加微信，18"),
        ("薇·❤：abc9999", "微信：abc9999"),
        ("ⓩⓕⓑ转账", "支付宝转账"),
        ("vx138001，加vxkk2020", "微信138001，加微信kk2020"),
    ],
)
def test_words_are_folded_in_their_contexts(written: str, meant: str) -> None:
    assert fold(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "他在群众中威信很高，不怒自威，信用良好。增加威信，看重威信。",
        "扣扣子，叩叩门；卫星12颗，气象卫星发射。",
        "她穿着裙子走进裙房，加裙撑的连衣裙主要有两种，超短裙号码偏小",
        "微博加V认证，加v用户，大V说；增加V信号，参加微型比赛",
        "菠菜鸡蛋汤，种植菠菜的公司，博采众长",
        "设初速度vx = 3，vy = 4，vx和vy；weixin.qq.com/r/abc，wxPython3，1*tGuAv2o2UG，u}+vx+w=0",
        "wx.login()，www.zfb.com",
        "从北京出发-票价查询，出发 票价，年代-开始",
        "如果聊天，结果聊起来；坚强女干部；松木仓库；几巴掌；相约泡温泉；青涩情感；打印流水",
        "q: what is it? Q：这是什么？微：小也。",
        "讠字旁、亻旁；贝者；马扁；弓虽",
        "微信、支付宝、赌博、兼职、发票和QQ群",
        "CNM, YL, BC省, TG-43, ABC平台的GPS",
        "约PM2.5，YPbPr，ASSP，纽约PSA，WRT54GC+WUSB54G",
    ],
)
def test_words_of_ordinary_text_stay(text: str) -> None:
    assert fold(text) == text


def test_places_are_those_of_the_text_before_folding() -> None:
    texts = ["没有", "加*微*信🅆：①②，薇芯在abc12", "", "也没有"]
    folded = fold_texts(texts)
    assert folded is not None and folded.numbers.tolist() == [1]
    assert folded.texts == ["加微信W：12，微信在abc12"]
    starts, stops = folded.starts.tolist(), folded.stops.tolist()
    #                 加 微 信  W  ：  1  2  ，  微  信  在 a b c 1 2
    assert starts == [0, 0, 0, 5, 6, 7, 8, 9, 10, 10, 12, *range(13, 18), 18]
    assert stops == [5, 5, 5, 6, 7, 8, 9, 10, 12, 12, 13, *range(14, 19), 18]
    assert folded.shown.tobytes().decode("utf-32-le") == "加加加🅆：①②，薇薇在abc12"


TEXTS = st.lists(
    st.text(
        st.sampled_from("加微信薇芯vVxX+➕*- 赌博①⑧🅰🇻🇽🇨🇳²ᵛˣ0️⃣\u200b\u0301ａ裙扣威：abc123的。\n"),
        max_size=30,
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_a_batch_is_folded_text_by_text_and_its_places_are_in_order(texts: list[str]) -> None:
    folded = fold_texts(texts)
    found = {} if folded is None else dict(zip(folded.numbers.tolist(), folded.texts, strict=True))
    assert [found.get(number, text) for number, text in enumerate(texts)] == list(map(fold, texts))
    if folded is None:
        return
    first = 0
    for number, text in found.items():
        starts = folded.starts[first : first + len(text) + 1]
        stops = folded.stops[first : first + len(text) + 1]
        first += len(text) + 1
        assert (starts[1:] >= starts[:-1]).all() and (stops[1:] >= stops[:-1]).all()
        assert (starts[:-1] < stops[:-1]).all() and starts[-1] == len(texts[number])
        assert text != texts[number]
    assert first == len(folded.starts) == len(folded.stops)
    assert len(folded.shown) == first - len(found)


@settings(deadline=None, max_examples=150)
@given(TEXTS)
@example(["薇💗abc，v💕，微♡，赌***博，赌****博，赌*", "加 微 信，v *❤，微-♥"])
def test_compiled_places_beside_a_search_everywhere(texts: list[str]) -> None:
    tables = module._tables()
    for text in texts:
        codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
        places = module._word_places(codes, tables.marks, tables.pairs, tables.spellings).tolist()
        assert edits_of(text, places) == edits_of(text, range(len(text)))
        bounds = np.array([0, len(codes)])
        (has,) = module._scan(codes, bounds, tables.marks, tables.pairs, tables.spellings)
        assert bool(has & module._WORDS) == bool(places)


def test_compiled_code_knows_the_kinds() -> None:
    kinds = (module._ALWAYS, module._SMALL, module._REGION, module._UNSEEN, module._ACCENT)
    assert kinds == tuple(Folding)
    assert (module._ABSENT, module._MOST_SIGNS) == (ABSENT, MOST_SIGNS)
    assert module._CODE_POINTS == CODE_POINTS
    assert len(folded_characters()) <= module._ROW
