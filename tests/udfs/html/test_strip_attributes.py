"""A page without its attributes: the parser gives the same text for it."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udfs.html.page_lines import parsed
from udfs.html.strip_attributes import without_attributes

NAMES = [
    "a",
    "b",
    "big",
    "code",
    "em",
    "font",
    "i",
    "nobr",
    "small",
    "span",
    "p",
    "div",
    "br",
    "img",
    "input",
    "script",
    "style",
    "title",
    "textarea",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "xmp",
    "plaintext",
    "frameset",
    "template",
    "select",
    "option",
    "svg",
    "math",
    "desc",
    "title",
    "foreignObject",
    "mi",
    "mtext",
    "annotation-xml",
    "table",
    "tr",
    "td",
    "caption",
    "colgroup",
    "html",
    "head",
    "body",
    "h1",
    "li",
    "button",
    "form",
    "object",
    "marquee",
    "pre",
    "textareas",
    "SCRIPT",
    "Title",
    "sVg",
    'x"y',
    "a<b",
    "é",
]
ATTRIBUTES = [
    " ", "\n", "\t", "\r", "\f", "/", " /", " a", " a=b", ' a="b"', " a='b'", ' a=">"', " a='>'",
    ' a="<b>"', " a = x", " a=/", " a=x/", '"', "'", "=", " =", ' ="x', " a==b", " a=", " a= ",
    ' a="b"c', ' a="</script>"', ' a="-->"', " color=red", ' encoding="text/html"', " type=hidden",
    ' type="text"', "<", " a='<!--'", "\x03", ' class="a b"/', " a=b=c", ' a="x"/',
]  # fmt: skip
OTHERS = [
    ">", "<", "</", "</>", "</ x>", "<!", "<!-->", "<!--->", "<!--", "-->", "--!>", "--", "!", "-",
    "<?", "<? x='>'>", "<!doctype html>", '<!doctype html public "a>b">', "<![CDATA[", "]]>",
    "<! x>", "字", "one", " ", "\n", "&lt;", "<!-- <script> -->", "<script", "</script", "\x04",
]  # fmt: skip
TAG = st.builds(
    lambda slash, name, attributes, end: f"<{slash}{name}{''.join(attributes)}{end}",
    st.sampled_from(["", "", "/"]),
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(ATTRIBUTES), max_size=4),
    st.sampled_from([">", ">", ">", "/>", ""]),
)
PAGES = st.lists(st.one_of(TAG, TAG, st.sampled_from(OTHERS)), max_size=24).map("".join)


def check(page: str) -> None:
    data = page.encode()
    tree, other = parsed(data), parsed(without_attributes(data))
    assert (tree.title, tree.body and tree.body.text_content) == (
        other.title,
        other.body and other.body.text_content,
    )


@settings(max_examples=3000, deadline=None)
@given(PAGES)
@example("<svg><title><p a='</title><b x=1>'>")
@example("<svg><style><!-- </style><p a='-->'>x")
@example("<select><style><p a='</style><b x=1>'>y")
@example("<script><!--<script></script><p x=1>--></script><p x=1>z")
@example("<svg><font color=red><p>x</svg>y")
@example("<math><annotation-xml encoding='text/html'><p>x</math>y")
@example("<b a=1><b a=2><b a=3><b a=4><p>x</b></b></b></b>y")
@example("<svg><path/>x<path d=1/>y</svg><title>z")
@example("<p a=x/>y")
@example("<textareas x='</textarea>'><p x='<'>")
def test_the_text_is_the_same(page: str) -> None:
    check(page)


@pytest.mark.parametrize("seed", range(40))
def test_the_text_of_long_pages_is_the_same(seed: int) -> None:
    dice = random.Random(seed)
    parts = []
    names = [name for name in NAMES if name not in ("plaintext", "frameset")]
    for _ in range(400):
        name = dice.choice(names)
        attributes = "".join(dice.choices(ATTRIBUTES, k=dice.randrange(3)))
        parts.append(f"<{dice.choice(['', '/'])}{name}{attributes}>")
        parts.append(dice.choice(OTHERS) if dice.random() < 0.2 else "字")
        if name in ("script", "style", "title", "textarea", "iframe", "xmp"):
            parts.append(f"</{name}>")
    check("".join(parts))
