"""Which lines are the main text: the runs, the features, and what the model makes of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.html.plain_main_text import (
    block_features,
    plain_context,
    plain_features,
    plain_groups,
    plain_inherited,
    plain_rows,
    plain_runs,
)
from udfs.html.class_words import KINDS
from udfs.html.line_features import (
    LINE_FEATURES,
    context_features,
    groups_of_blocks,
    line_facts,
    line_features,
)
from udfs.html.main_text import (
    MODEL,
    OTHER_MODEL,
    LineModel,
    inherited,
    line_probabilities,
    line_scores,
    main_rows,
    main_text,
    scoring_runs,
)
from udfs.html.markers import marked
from udfs.html.page_kinds import shares_of_kind
from udfs.html.page_lines import Lines, body_text, lines_of_text, parsed
from udfs.html.tags import find_tags

PARAGRAPHS = [
    "市图书馆从本周开始延长开放时间，读者可以在晚上十点以前借书，周末也不例外。",
    "馆长说，这样做是为了方便下班以后才有空的人。去年有三千多名读者提出了同样的要求。",
    "记者在现场看到，不少家长带着孩子来看书，二楼的座位很快就坐满了。",
]
NEXT = "<div class=recommend><div>另一篇的题目</div><p>另一篇的第一句话</p></div>"
CODE = "<div class=article><pre>set a=1\nset b=2</pre></div>"
ARTICLE = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
LONG = f"<p>{''.join(PARAGRAPHS)}</p>"
LINKS = "".join(f'<div><a href="/{n}">今天还有第{n}条新闻要看</a></div>' for n in range(12))


def lines_of(html: str) -> Lines:
    return lines_of_text(body_text(parsed(marked(find_tags(html.encode())))))


def runs_of(gains: Sequence[float]) -> list[tuple[int, int, float]]:
    firsts, ends, sums = scoring_runs(np.array(gains, dtype=np.float64))
    return list(zip(firsts.tolist(), ends.tolist(), sums.tolist(), strict=True))


def runs_by_definition(gains: Sequence[int], start: int = 0) -> list[tuple[int, int, int]]:
    """The shortest run of the largest sum, and the same of what is left on both sides of it."""
    best = max(
        (
            (sum(gains[first:end]), first - end, -first)
            for first in range(len(gains))
            for end in range(first + 1, len(gains) + 1)
        ),
        default=(0, 0, 0),
    )
    if best[0] <= 0:
        return []
    first = -best[2]
    end = first - best[1]
    return [
        *runs_by_definition(gains[:first], start),
        (start + first, start + end, best[0]),
        *runs_by_definition(gains[end:], start + end),
    ]


@settings(deadline=None)
@given(st.lists(st.integers(-6, 6), max_size=14))
def test_runs_are_the_maximal_ones(gains: list[int]) -> None:
    assert runs_of(gains) == runs_by_definition(gains)


def test_runs_take_linear_time() -> None:
    # Each new gain looks back over all runs before it, where those are not skipped.
    gains = [1.0, -2.0] * 200_000 + [0.5, -0.1] * 200_000
    assert len(runs_of(gains)) == 200_001


def test_features_of_a_line() -> None:
    lines = lines_of(
        '<div class="content">甲，乙。<p>丙<a href=x>丁</a></p><li>版权</li></div><nav>戊</nav>'
    )
    rows = features_of(lines)
    assert {name: rows[0][name] for name in LINE_FEATURES[:9]} == {
        "constant": 1.0,
        "links": 0.0,
        "has punctuation": 1.0,
        "much punctuation": 0.25,
        "frame word": 0.0,
        "paragraph": 0.0,
        "list item": 0.0,
        "prose around": 0.0,
        "links around": 0.167,
    }
    assert [row["links"] for row in rows] == [0.0, 0.5, 0.0, 0.0]
    assert [row["frame word"] for row in rows] == [0.0, 0.0, 1.0, 0.0]
    assert [row["paragraph"] for row in rows] == [0.0, 1.0, 0.0, 0.0]
    assert [row["list item"] for row in rows] == [0.0, 0.0, 1.0, 0.0]
    said = [dict(zip(KINDS, row, strict=True)) for row in block_features(lines).tolist()]
    assert [(row["content"], row["frame"]) for row in said] == [(1, 0), (1, 0), (1, 0), (0, 1)]


def test_features_by_like_lines() -> None:
    posts = "".join(
        f"<div class=post id=p{n}><div class=name>{name}</div><div class=said>{said}</div>"
        f"<div class=foot>{n}楼 回复</div></div>"
        for n, (name, said) in enumerate((("甲", "顶"), ("乙", PARAGRAPHS[0]), ("丙", "好，谢谢")))
    )
    rows = features_of(lines_of(f"<div class=nav><a href=x>今天</a></div>{posts}"))
    named = [row["prose of like lines"] for row in rows]
    assert named[2] == named[5] == named[8] > 0.06  # a post without punctuation, too
    assert {named[place] for place in (0, 1, 3, 4, 6)} == {0}
    assert [row["copies"] for row in rows[:4]] == [0, 0, 0, 0.667]  # digits are equal
    assert [row["links of like lines"] for row in rows[:4]] == [1, 0, 0, 0]
    assert [row["hint word"] for row in rows[:4]] == [0, 0, 0, 0]
    assert [row["digits"] for row in rows[:4]] == [0, 0, 0, 0.25]


def features_of(lines: Lines) -> list[dict[str, float]]:
    features = line_features(lines, line_facts(lines)).round(3).tolist()
    return [dict(zip(LINE_FEATURES, row, strict=True)) for row in features]


def test_what_a_block_says_fades_with_distance() -> None:
    lines = lines_of("<div class=nav>一<div>二<div class=menu>三</div></div></div>")
    frame = block_features(lines)[:, KINDS.index("frame")]
    assert frame.round(3).tolist() == [1.0, 0.7, 1.49]


def test_probabilities_are_the_model_s() -> None:
    lines = lines_of(f"<div class=article>{ARTICLE}</div><div class=related>{LINKS}</div>")
    facts = line_facts(lines)
    score = facts.features @ MODEL.line_weights + block_features(lines) @ MODEL.block_weights
    expected = 1 / (1 + np.exp(-score))
    assert np.allclose(line_probabilities(lines, facts, MODEL), expected)
    other = line_features(lines, facts) @ OTHER_MODEL.line_weights
    other += block_features(lines) @ OTHER_MODEL.block_weights
    context = plain_context(other, lines)
    assert np.allclose(
        line_probabilities(lines, facts, OTHER_MODEL),
        1 / (1 + np.exp(-(context @ OTHER_MODEL.context_weights))),
    )
    assert expected[:3].min() > 0.6
    assert expected[3:].max() < 0.1


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"{LINKS}{ARTICLE}{LINKS}", PARAGRAPHS),
        (f"<table><tr><td>{LINKS}<td>{'<br>'.join(PARAGRAPHS)}<td>{LINKS}</table>", PARAGRAPHS),
        # The blocks around the second say what it is.
        (f"<div>{ARTICLE}</div>{NEXT}", PARAGRAPHS),
        # The same text again, as for printing.
        (f"<div>{LONG}</div>{LINKS}<div>{LONG}</div>", ["".join(PARAGRAPHS)]),
        # Two parts as long as each other.
        (f"{''.join(f'<p>{p}' for p in PARAGRAPHS[:2])}{LINKS}<p>{PARAGRAPHS[2]}{PARAGRAPHS[1]}",
         [*PARAGRAPHS[:2], PARAGRAPHS[2] + PARAGRAPHS[1]]),
        # No line looks like prose.
        (f"{LINKS}{CODE}{LINKS}", ["set a=1", "set b=2"]),
        # Nothing is text: all that is no link.
        (f"<div class=nav>导航<li>{LINKS}<ul class=footer><li>版权</ul></div>", ["导航", "版权"]),
    ],
    ids=["links", "layout table", "recommended", "again", "two parts", "code", "portal"],
)  # fmt: skip
def test_main_text(html: str, expected: list[str]) -> None:
    assert main_text(lines_of(html)).split("\n") == expected


def test_an_index_gives_nothing() -> None:
    html = LINKS + ARTICLE + LINKS
    assert text_as("index", html) == ""
    assert PARAGRAPHS[0] in text_as("article", html)


def text_as(kind: str, html: str) -> str:
    return main_text(lines_of(html), shares=shares_of_kind(kind))


def test_short_posts_are_text_where_others_are_prose() -> None:
    said = [PARAGRAPHS[0], "顶", PARAGRAPHS[1], "谢谢分享！", PARAGRAPHS[2], "路过", PARAGRAPHS[0]]
    posts = "".join(
        f"<div class=post><div class=user><a href=/u>用户{n}</a> 新手上路</div>"
        f"<div class=post-content>{post}</div><div class=foot>{n}楼 回复 举报</div></div>"
        for n, post in enumerate(said)
    )
    html = f"<ul class=nav>{LINKS}</ul>{posts}<ul class=hot>{LINKS}</ul>"
    found = text_as("forum", html).split("\n")
    assert [line for line in found if line in said] == said
    assert not any("回复" in line or "用户" in line for line in found)


def test_names_with_days_between_posts_are_not_text() -> None:
    said = [PARAGRAPHS[0], PARAGRAPHS[1], "谢谢分享！", PARAGRAPHS[2], PARAGRAPHS[0]]
    posts = "".join(
        f"<div class=row><div class=top><b>木子{n}</b><i>2019-3-1{n}</i></div>"
        f"<div class=said>{post}</div></div>"
        for n, post in enumerate(said)
    )
    found = text_as("microblog", f"<ul class=nav>{LINKS}</ul>{posts}<ul class=hot>{LINKS}</ul>")
    assert found.split("\n") == said


def test_short_lines_may_repeat() -> None:
    html = "".join(f"<p>{line}，</p>" for line in ["啦啦啦", "我是卖报的小行家", "啦啦啦"])
    assert main_text(lines_of(html)).count("啦啦啦") == 2


def test_frame_words_are_found_in_every_piece_of_a_long_page() -> None:
    lines = lines_of(f"<p>{'字' * 500_000}<p>版权所有<p>{'字' * 300}版权")
    assert [row["frame word"] for row in features_of(lines)] == [0.0, 1.0, 0.0]


def test_a_page_without_lines() -> None:
    lines = lines_of("<p></p>")
    assert len(lines) == 0
    assert main_text(lines) == ""


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["<p>中文，好。", "<a href=x>链接", "<div class=nav>", "</div>", "1"]))
)
def test_something_is_left_of_every_page_with_text(pieces: list[str]) -> None:
    lines = lines_of("".join(pieces))
    rows = main_rows(lines, line_facts(lines), MODEL).tolist() if len(lines) else []
    assert rows == sorted(set(rows))
    assert bool(rows) == bool(len(lines))


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["<p>", "<li>", "<div class=nav>", "<div class=content>", "</div>", "<br>", "<ul>"]
        ),
        st.sampled_from(
            [
                "中文，好。",
                "<a href=x>链接</a>",
                "版权",
                "字" * 199,
                "编辑：",
                "下一",
                "页",
                "3",
                "12 楼",
                "剧情简介",
            ]
        ),
    ),
    min_size=1,
    max_size=60,
).map("".join)


SHARES = st.floats(0.05, 0.95)
MODELS = st.builds(
    replace, st.just(OTHER_MODEL), threshold=SHARES, not_text=SHARES, other_run=SHARES
)


@settings(deadline=None)
@given(
    TEXTS, MODELS, st.sampled_from(["", "中文，好。 - 站", "x 版权 页页页页 下一"]), st.booleans()
)
def test_compiled_loops_compute_what_their_twins_do(
    html: str, model: LineModel, title: str, is_thread: bool
) -> None:
    lines = lines_of(html + "末")
    facts = line_facts(lines, title)
    shares = shares_of_kind("forum" if is_thread else "article")
    assert np.allclose(line_features(lines, facts), plain_features(lines), atol=1e-12)
    assert groups_of_blocks(lines.blocks).tolist() == plain_groups(lines.blocks).tolist()
    scores = line_scores(lines, facts, model)
    assert np.allclose(
        context_features(scores, lines, facts, shares.thread),
        plain_context(scores, lines, title, is_thread=is_thread),
        atol=1e-12,
    )
    values = np.linspace(-1, 1, 256)
    assert (
        inherited(lines.blocks, values).tolist() == plain_inherited(lines.blocks, values).tolist()
    )
    probability = line_probabilities(lines, facts, model, shares)
    rows = plain_rows(lines, probability, model, is_scattered=is_thread)
    assert main_rows(lines, facts, model, shares).tolist() == rows


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 1)), min_size=1), MODELS)
def test_any_probabilities_choose_the_rows_of_the_twin(
    drawn: list[tuple[int, float]], model: LineModel
) -> None:
    lines = lines_of("<br>".join("字" * chars for chars, _ in drawn))
    probability = np.array([share for _, share in drawn])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("udfs.html.main_text.line_probabilities", lambda *_: probability)
        rows = main_rows(lines, line_facts(lines), model).tolist()
    assert rows == plain_rows(lines, probability, model)


@settings(deadline=None)
@given(st.lists(st.floats(-9, 9), max_size=60))
def test_runs_are_those_of_their_twin(gains: list[float]) -> None:
    assert runs_of(gains) == plain_runs(gains)
