"""The lines of a page: where they begin and end, and what its markup says of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from tests.bench import build_pages
from tests.udfs.html.plain_page_lines import plain_lines, plain_tidy
from udfs.html.class_words import KINDS, kinds_of
from udfs.html.markers import MARKS, marked, unmarked, without_scripts
from udfs.html.page_lines import Lines, all_text, body_text, lines_of_text, parsed
from udfs.html.tags import find_tags

ARTICLE = "图书馆从本周开始延长开放时间。"


def lines_of(html: str) -> Lines:
    return lines_of_text(body_text(parsed(marked(find_tags(unmarked(html.encode()))))))


def text_of(html: str) -> str:
    return all_text(lines_of(html))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>一<p>二</p>三", "一\n二\n三"),
        ("一<br>二<BR/>三<hr>四", "一\n二\n三\n四"),
        ("<h1>题</h1>文<h6>小</h6>文", "题\n文\n小\n文"),
        ("<div>一<div>二</div>三</div>四", "一\n二\n三\n四"),
        ("<ul><li>一<li>二<ul><li>三</ul></ul>后", "一\n二\n三\n后"),
        ("<dl><dt>名<dd>义</dl>", "名\n义"),
        ("前<blockquote>引</blockquote>后<figure>图<figcaption>说</figure>", "前\n引\n后\n图\n说"),
        ("一<b>届</b><span>大</span><a href=x>会</a>", "一届大会"),
        ("<header>头</header><nav>航</nav><main>文</main><footer>脚</footer>", "头\n航\n文\n脚"),
    ],
    ids=lambda value: value[:12],
)  # fmt: skip
def test_blocks_are_lines(html: str, expected: str) -> None:
    assert text_of(html) == expected


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td>型号</td><td>价格</td></tr><tr><td>甲</td><td>12</td></tr></table>",
        "<TABLE><TR><TD>型号</TD><TH>价格</TH><TR><TD>甲</TD><TD>12</TABLE>",
        "<table><thead><tr><th>型号</th><th>价格</th></tr></thead>\n <tbody>\n<tr>\n"
        " <td> 甲 </td>\n <td>12\n</td> </tr></tbody></table>",
    ],
)
def test_rows_are_lines_and_cells_stand_apart(table: str) -> None:
    assert text_of(f"前{table}后") == "前\n型号\t价格\n甲\t12\n后"


def test_cells_are_tabbed() -> None:
    html = "<table><tr><td>甲</td><td></td><td>乙 丙</td></tr><tr><td>丁</td></tr></table>"
    assert text_of(html) == "甲\t乙 丙\n丁"


def test_space_is_as_a_browser_shows_it() -> None:
    assert text_of("<p>  one \n\t two&nbsp; three\u3000四 </p>") == "one two three\u3000四"


def test_code_keeps_its_lines_and_its_space() -> None:
    assert text_of("<p>前 <pre>if a:\n\tb  c\r\n\nd</pre> 后") == "前\nif a:\n    b  c\nd\n后"


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>var a = '<p>x</p>';</script>",
        "<script>document.write('<script>x<\\/script>')</script>",
        "<script>a('<style>x</style><iframe>x</iframe></textarea>')</script>",
        "<SCRIPT>if (a<b) x</SCRIPT >",
        "<style>p { x: y }</style>",
        "<!-- <p>x</p> <script> x -->",
        "<textarea>x</textarea>",
        "<noscript>x</noscript>",
        "<select><option>x<option>x</select>",
        "<button>x</button>",
        "<iframe>x</iframe>",
        "<template><p>x</p></template>",
        "<img alt='<p>x</p>' title=\"a>x\">",
    ],
    ids=lambda value: value[:24],
)
def test_what_is_not_for_reading_is_no_text(hidden: str) -> None:
    assert text_of(f"<p>前{hidden}后</p>") == "前后"


def test_a_page_cut_in_its_script_ends_there() -> None:
    assert text_of("<p>前</p><script>var a = '<p>") == "前"


def test_marks_change_nothing_but_the_text() -> None:
    html = "<head><title>题</title><meta name=a content=b></head><header>头</header>"
    tree = parsed(marked(find_tags(html.encode())))
    assert tree.title == "题"
    assert text_of(html) == "头"


def test_a_page_cannot_put_marks_in_itself() -> None:
    assert unmarked(b"a\0b\x01c\x10\x1bd\te\x09") == b"ab\x7fc\x7f\x7fd\te\t"
    # Taken out, it would leave a reference to an ideograph.
    assert text_of("<p>&#200\x0113;</p>") == text_of("<p>&#200\x7f13;</p>")


@pytest.mark.parametrize("code", [*range(1, 9), *range(14, 28)])
def test_references_to_marks_do_no_harm(code: int) -> None:
    for html in (f"<p>甲</p>乙&#{code};", f"<div class=nav>&#{code};&#{code};甲</div>乙"):
        assert "甲" in text_of(html) or code == 14  # as if a script began
        assert not set(text_of(html)) & set(map(chr, range(9)))


def test_links_are_counted_to_their_end() -> None:
    lines = lines_of(f"<p>看<a href=x>这里</a>吧<p><a name=top>{'字' * 400}<p><a href=y>乙</a>")
    assert lines.chars.tolist() == [4, 400, 1]
    assert lines.link_chars.tolist() == [2, 0, 1]


def test_punctuation_paragraphs_and_items() -> None:
    lines = lines_of("<p>一，二。三. 四<div>Mr. A. 3.5</div><ul><li><div>项</div></ul>文")
    assert lines.punctuation.tolist() == [3, 2, 0, 0]
    assert lines.paragraph.tolist() == [True, False, False, False]
    assert lines.item.tolist() == [False, False, True, False]


def test_blocks_know_their_lines_and_what_they_are_called() -> None:
    html = (
        "<div class='article-body'>一<div id=side style='color:red'>二<p>三</div>四</div>"
        "<nav>五</nav><div class=x><div>六</div></div>"
    )
    lines = lines_of(html)
    blocks = lines.blocks
    assert blocks.parents.tolist() == [0, 0, 1, 0, 0, 4]
    named = [
        [kind for bit, kind in enumerate(KINDS) if kinds >> bit & 1]
        for kinds in kinds_of(blocks.values)
    ]
    assert named == [[], ["content"], ["side"], ["frame"], [], []]
    assert lines.block.tolist() == [1, 2, 2, 1, 3, 5]


PIECE = st.sampled_from(
    ["<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<ul>", "<li>", "</ul>", "<br>", "<td>",
     "<table>", "<tr>", "</td>", "</tr>", "</table>", "<a href=x>", "</a>", "<h2>", "</h2>",
     "<span class=nav>", "</span>", "<section id=a>", "</section>", "<!--", "-->", "<center>",
     "<form>", "</form>", "字", "甲乙，", "a b", "\n", "&lt;p&gt;", "&#20013;", "<em", ">", "1<2"]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECE, max_size=40).map("".join))
def test_no_text_is_lost_or_made(html: str) -> None:
    """The characters are those that resiliparse's own writer gives, which knows no marks."""
    plain = extract_plain_text(HTMLTree.parse(html), list_bullets=False, alt_texts=False)
    assert sorted("".join(text_of(html).split())) == sorted("".join(plain.split()))


SCRIPTED = st.one_of(
    PIECE,
    st.sampled_from(["<script>", "</script>", "<style>", "</style>", "<!--", "-->", "<\\/script>"]),
    st.just("var a = 1; " * 100),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(SCRIPTED, max_size=30).map("".join))
def test_cutting_scripts_out_changes_no_line(html: str) -> None:
    tags = find_tags(html.encode())
    cut = without_scripts(tags)
    again = find_tags(cut.page)
    assert cut.starts.tolist() == again.starts.tolist()
    assert cut.codes.tolist() == again.codes.tolist()
    texts = [all_text(lines_of_text(body_text(parsed(marked(some))))) for some in (cut, tags)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "around",
    [
        "<!-- <script> -->{}</script>",
        "<!-- <b> <script> -->{}</script>",
        "<script><!--{}</script>",
        "<a title='<script>'>{}<a title='</script>'>",
    ],
)
def test_what_only_looks_like_a_script_is_not_cut_out(around: str) -> None:
    html = around.format(f"<p>{ARTICLE * 50}</p>").encode()
    assert without_scripts(find_tags(html)).page == html


def test_long_scripts_are_cut_out() -> None:
    html = f"<p>前<script src=x>{'var a;' * 1000}</script><style>{'a{}' * 1000}</style>后".encode()
    cut = without_scripts(find_tags(html))
    assert cut.page == "<p>前<script src=x></script><style></style>后".encode()


@settings(deadline=None)
@given(st.text(alphabet="<>/abdivplscrtn\"'=&#;! -\\\x01\x10中，。\0", max_size=300))
def test_any_characters_make_lines(html: str) -> None:
    lines = lines_of(html)
    assert len(lines) == len(lines.block) == len(lines.link_chars)
    assert (lines.link_chars <= lines.chars).all()
    assert not set(all_text(lines)) & set(map(chr, range(9)))


def test_the_compiled_loop_reads_as_its_twin() -> None:
    pool = ["新闻的题目", "另一条，新闻。", "A. B. Smith", "图片说明 © 2020"]
    for number in range(20):
        text = "\n".join(pool * number)
        html = build_pages.page(text, number, pool, random.Random(number))
        text = parsed(marked(find_tags(unmarked(html.encode())))).body.text_content.encode()
        assert_same_lines(lines_of_text(text), plain_lines(text))


MARKED = st.lists(
    st.one_of(
        st.sampled_from([*map(chr, MARKS), " ", "\t", "\n", "\r", "\x0b", "\x0c"]),
        st.sampled_from(
            [
                "\x10\x11\x12",
                "\x10\x11\x12\x13\x14\x15\x16\x17\x10",
                "\x01",
                "\x02",
                "\x18",
                "\x19",
                "\x01" + "字" * 300,
                "\x01" + "字" * 301,
                ". ",
                "\0",
            ]
        ),
        st.text("字，。.!? a\x7f\x85\xa0é\u3000\ufeff\uffff\U00020000\x1f", max_size=4),
        st.text(max_size=3),
    ),
    max_size=40,
).map("".join)


@settings(max_examples=1000, deadline=None)
@given(MARKED)
def test_any_text_with_marks_is_read_as_its_twin_reads_it(text: str) -> None:
    assert_same_lines(lines_of_text(text.encode()), plain_lines(text.encode()))


def assert_same_lines(lines: Lines, expected: Lines) -> None:
    assert lines.page == expected.page
    texts = expected.page.split(b"\n")
    assert all_text(lines) == plain_tidy(b"\n".join([texts[n] for n in expected.numbers]))
    for name in Lines.__slots__[1:-1]:
        assert getattr(lines, name).tolist() == getattr(expected, name).tolist(), name
    assert lines.blocks.parents.tolist() == expected.blocks.parents.tolist()
    assert lines.blocks.values.tolist() == expected.blocks.values.tolist()
