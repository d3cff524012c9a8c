"""Forms of texts: one input with and one without each, counts against a plain twin."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.udfs.tokens.plain_forms import plain_form_counts
from udfs.base.code_points import encode_texts
from udfs.tokens.forms import FORMS, HEAD, MARK, WORDS_PER_COPY, form_counts, form_tokens, forms_of

PIECES = st.sampled_from(
    [
        *(
            "甲：",
            "乙:",
            "第",
            "十二",
            "3",
            "条",
            "款",
            "A.",
            "Ｂ、",
            "C)",
            "d",
            "$",
            "\\",
            "ab",
            "`",
        ),
        *(
            "```",
            "()",
            "{\n",
            ";\n",
            "\ndef ",
            "\n#include ",
            "\n#",
            "。",
            "？",
            "?",
            "“",
            "「",
            " ",
        ),
        *("\n", "\u3000", "\t", "\x0b", "𠀀", "return ", "文字", "：", "\x85", "Ｅ、", "$$"),
    ]
)
PROSE = "春天来了，院子里的树开始发芽，风也暖和起来。"

WITH = {
    "turns": ["甲：去吗。\n乙：去。\n甲：走。"],
    "questions": ["你好？在吗？去哪？" + PROSE],
    "question_title": ["孩子发烧怎么办\n" + PROSE, "这是怎么回事？有人知道。\n" + PROSE],
    "options": [f"下列正确的是\nA．{PROSE}\nB．{PROSE}\nC．{PROSE}", "选(A) 或（Ｂ）或D、都可"],
    "articles": ["第一条 本法所称，第12款所指。", "第一百二十三条、第四条"],
    "dateline": ["新华社北京讯 " + PROSE, "据当地媒体报道，" + PROSE, "3月5日电 " + PROSE],
    "title_again": ["杜鹃花\n杜鹃花开在春天。"],
    "definition": ["杜鹃花是一种灌木。", "杜鹃花\n映山红（灌木）位于山坡。"],
    "definition_paren": ["杜鹃花（学名：R. simsii），灌木，开在春天。"],
    "formulas": [r"令 \alpha 与 \beta 使 $x^2$ 成立", "设 $a$、$b$、$c$ 相等"],
    "code": ["见下\nint main() {\n  f();\n}\n", "见\nimport os\nimport re\ndef f():\nreturn f()\n"],
    "headings": ["# 题\n文字\n## 节\n文字"],
    "speech": ["“走。”他说。“去哪？”“山上。”「好。」" + PROSE],
    "short_lines": ["首页\n新闻\n体育\n财经\n娱乐\n汽车\n房产\n游戏\n" + PROSE],
    "digits": ["2020 2021 2022 年"],
    "question_answered": [
        "孩子发烧怎么办？\n" + PROSE * 2,
        "山上的花什么时候开\n\n" + PROSE * 2 + "\n“走。”他说。",
    ],
}
WITHOUT = {
    "turns": [
        "时间：周日。\n地点：北京。\n人物：甲。",
        "甲：去吗。\n乙：去。\n" + "\n".join([PROSE] * 9),
    ],
    "questions": ["你好？在吗？" + PROSE * 9, r"$a$? $b$? $c$?"],
    "question_title": [PROSE, "13800000000 找哪个", "他问：“去哪。”然后走了吗"],
    "options": ["维生素A、维生素B、都好", "DNA.B、AB. "],
    "articles": ["第一条新闻", "第一二三四五六七八九条、第条、第款"],
    "dateline": ["节日电影" + PROSE, PROSE * 10 + "新华社"],
    "title_again": ["杜鹃花\n春天来了。", "杜鹃花，\n杜鹃花，开了。"],
    "definition": ["我们是学生。", PROSE],
    "definition_paren": ["新华社（记者）据悉，" + PROSE, "杜鹃花（灌木）"],
    "formulas": ["价格 $5 与 \\n \\n \\n", "$ 五\n$ 六\n$ 七\n$"],
    "code": ["def f\nfunctional \n{}{}{}"],
    "headings": ["#话题# 文字 # 文字"],
    "speech": ["“走。”" + PROSE * 5],
    "short_lines": ["首页\n" + "\n".join([PROSE] * 9)],
    "digits": ["2020 年" + PROSE * 5, ""],
    "question_answered": [
        "孩子发烧怎么办？",
        "孩子发烧怎么办？\n多喝水。\n" + PROSE * 2,
        "山上的花" * 20 + "什么时候开？\n" + PROSE * 2,
        "山上的花\n" + PROSE * 2,
        "下列哪个正确？\n" + PROSE * 2 + "\nA．春\nB．夏\nC．秋",
        "谁在山上？\n" + PROSE * 2 + "“走。”他说。“去哪？”“山上。”「好。」",
    ],
}


def test_every_form_is_shown() -> None:
    assert set(WITH) == set(WITHOUT) == set(FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_found_where_it_is(form: str) -> None:
    assert all(form in forms for forms in forms_of(WITH[form]))
    assert not any(form in forms for forms in forms_of(WITHOUT[form]))


def test_only_the_beginning_is_looked_at() -> None:
    assert forms_of(["春" * HEAD + "第一条、第二条", "春" * (HEAD - 7) + "第一条、第二条"]) == [
        [],
        ["articles"],
    ]


def test_a_text_is_read_by_itself() -> None:
    texts = [text for texts in WITH.values() for text in texts] + ["", " \n", PROSE]
    assert forms_of(texts) == [forms_of([text])[0] for text in texts]
    assert forms_of([]) == []
    assert forms_of(["", " \n\u3000"]) == [[], []]


@given(st.lists(st.lists(PIECES, max_size=24).map("".join), max_size=4))
@example(["$" + "x" * 80 + "$ $" + "x" * 81 + "$a$"])
@example(
    [
        "第1234567条第12345678条",
        "\n\n甲 ：一\n甲：二\n：三\n甲乙丙丁戊己庚辛：\n甲乙丙丁戊己庚辛壬：",
    ]
)
def test_counts_are_those_of_the_plain_twin(texts: list[str]) -> None:
    found = form_counts(encode_texts(texts)).tolist()
    assert found == [plain_form_counts(text) for text in texts]


def test_tokens_come_as_often_as_the_text_is_long() -> None:
    text = WITH["articles"][1]
    for count, copies in ((0, 1), (WORDS_PER_COPY - 1, 1), (WORDS_PER_COPY, 2), (100, 5)):
        assert form_tokens([text], [count]) == [[MARK + "articles"] * copies]
