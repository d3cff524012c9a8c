"""Compiled loops that decide places agree with the plain functions that read every value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udfs.base.array_types import Int64Array
from udfs.pairs import places
from udfs.pairs.addresses import (
    NO_ADDRESS,
    base_of,
    base_prefixes,
    is_placeholder_name,
    largest,
    resolved,
    srcset_candidates,
)
from udfs.pairs.choice import AddressLimits
from udfs.pairs.drafts import backgrounds
from udfs.pairs.markup import ANCHOR, BASE
from udfs.pairs.page_scan import scan_page
from udfs.pairs.places import PairLimits, image_places
from udfs.pairs.plain_places import next_background
from udfs.pairs.plain_values import (
    ABSENT,
    AMPERSANDS,
    BYTE_KINDS,
    FOLDER,
    IS_PLACEHOLDER,
    LENGTH_BITS,
    NO_NUMBER,
    ORIGIN,
    PLACEHOLDER_TABLE,
    PREFIXES,
    REFERENCE_TABLE,
    SCHEME,
    SLOW,
    SLOW_NUMBER,
    address_recipe,
    largest_candidate,
    line_recipe,
    pixels,
    placeholder_kind,
)
from udfs.pairs.relations import KIND, TEXT
from udfs.pairs.rows import ALT, ROW_COLUMNS, gathered_texts, span_column
from udfs.pairs.structured import declared_pixels
from udfs.pairs.surroundings import may_hold_license, stripped
from udfs.pairs.text_lines import text_lines
from udfs.pairs.texts import attribute_value, one_line, visible_text

SPACES = " \t\n\v\f\r\x1c\x1f\x85\xa0\u1680\u2003\u200b\u2028\u205f\u3000\ufeff\uffff"
MARKS = [
    "&#xe60A;",
    "&quot;",
    "&hellip;",
    "& ",
    "&ensp;",
    "&Gt;",
    "&amp;",
    "&amp",
    "&lt;",
    "&#38;",
    "&nbsp;",
    "&a=1",
    "&b&",
    "&AMP;",
    "&copy=1",
    "&copy",
]
ADDRESS_PARTS = st.sampled_from(
    [
        *("http://", "https://", "HTTP://", "//", "/", "h.cn", ":80", ":123456", "?", "#", "../"),
        *("./", "..", "a", "b.jpg", "loading", ".gif", "1x1", "data:image/png,x", "javascript:"),
        *("@", "图", "\u2003", "a b", ";p", "=1", "{", "'", "%20", "x" * 60, *MARKS, *SPACES[:7]),
    ]
)  # fmt: skip
PAGES = [
    "https://www.example.cn/news/2024/a.html?x=1", "http://h.cn", "http://h.cn/a//b/c", "",
    "http://h.cn:8080/图/b?c#d", "http://h.cn/a;b/c", "http://h.cn/" + "d" * 1100 + "/e",
]  # fmt: skip


@settings(max_examples=1500, deadline=None)
@example(["//", "h.cn"], PAGES[0])
@example(["/", "?", "#", "http://"], PAGES[0])
@example(["http://", ".."], PAGES[0])
@example(["a", "/", "/", "b.jpg"], PAGES[0])
@example(["../", "./", "../", "b.jpg"], PAGES[0])
@example(["../", "../", "../", "a"], PAGES[0])
@example([" ", "/", "a", "?", "a", "&amp;", "b", "\n"], PAGES[0])
@given(st.lists(ADDRESS_PARTS, max_size=7), st.sampled_from(PAGES))
def test_addresses(parts: list[str], page_url: str) -> None:
    value = "".join(parts)
    base = base_of(page_url or None, None)
    prefix, lengths = base_prefixes(base)
    written = value.encode()
    begin, end, start, recipe = address_recipe(
        written, 0, len(written), prefix, lengths, 90, BYTE_KINDS
    )
    url, reason = resolved(attribute_value(written), base, 90)
    if recipe == SLOW:
        return
    if recipe == ABSENT:
        assert reason == NO_ADDRESS
        return
    kept = written[begin:end].decode()
    if recipe & AMPERSANDS:
        kept = kept.replace("&amp;", "&")
    assert kept == attribute_value(written).strip()
    known = [max(0, length) for length in lengths.tolist()]
    kinds = {0: "", SCHEME: base.scheme, ORIGIN: base.origin}
    kinds[FOLDER] = prefix[known[0] + known[1] :][: recipe >> LENGTH_BITS].decode()
    shown = written[start:end].decode()
    shown = shown.replace("&amp;", "&") if recipe & AMPERSANDS else shown
    assert (url, reason) == (kinds[recipe & PREFIXES] + shown, None)
    kind = placeholder_kind(written, begin, end, *PLACEHOLDER_TABLE)
    assert kind == SLOW or (kind == IS_PLACEHOLDER) is is_placeholder_name(url or "")


@settings(max_examples=1000, deadline=None)
@example(["lazy", "_", "load", ".", "gif"])
@example([".", "gif"])
@given(
    st.lists(
        st.sampled_from(
            [
                "loading",
                "lazy",
                "img",
                "no",
                "x",
                "1",
                "1x1",
                "_",
                ".",
                ".gif",
                "ABC",
                "Blank",
                "图",
            ]
        ),
        max_size=6,
    )
)
def test_placeholders(parts: list[str]) -> None:
    written = "".join(["h.cn/", *parts]).encode()
    kind = placeholder_kind(written, 0, len(written), *PLACEHOLDER_TABLE)
    assert kind == SLOW or (kind == IS_PLACEHOLDER) is is_placeholder_name(written.decode())


def test_most_addresses_are_decided() -> None:
    prefix, lengths = base_prefixes(base_of(PAGES[0], None))
    for value in (
        *("http://h.cn/a/b.jpg", "https://h.cn:80/图.png?a=1&b=2", "//h.cn/a,b.gif", "/a/b.png"),
        *(
            "a/b.jpg?x",
            "../a",
            "../../../a",
            "./a.jpg",
            " a.jpg\n",
            "",
            "#top",
            "http://h.cn/?a=1&amp;b=2",
        ),
    ):
        written = value.encode()
        recipe = address_recipe(written, 0, len(written), prefix, lengths, 4096, BYTE_KINDS)[3]
        assert recipe != SLOW


def shown_text(written: bytes) -> bytes:
    """A text of the page as it is gathered, references resolved."""
    rows = np.full((1, ROW_COLUMNS), -1, dtype=np.int64)
    at = span_column(ALT)
    rows[0, at : at + 3] = 0, len(written), AMPERSANDS
    none = np.empty(0, dtype=np.uint8)
    lengths = np.full(3, -1, dtype=np.int64)
    return gathered_texts(written, none, b"", b"", lengths, *REFERENCE_TABLE, rows)[0].tobytes()


@settings(max_examples=600, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*"ab图，“”…（）１", "a b", "  ", *MARKS, *SPACES, "\u2029", "\ufffe", "\ufb01"]
        ),
        max_size=8,
    )
)
def test_lines_and_their_ends(parts: list[str]) -> None:
    text = "".join(parts)
    written = text.encode()
    begin, end, recipe = line_recipe(written, 0, len(written), *REFERENCE_TABLE)
    if recipe != SLOW:
        shown = written[begin:end] if recipe == 0 else shown_text(written[begin:end])
        assert shown.decode() == one_line(attribute_value(written))
    else:
        assert written[begin:end].decode() != one_line(attribute_value(written)) or "&" in text
    begin, end = stripped(np.frombuffer(written, dtype=np.uint8).copy(), 0, len(written))
    assert written[begin:end].decode() == text.strip()


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from([*"0195", "640", "px", "PX", "p", ".", "%", *SPACES[:8], "图"])))
def test_sizes(parts: list[str]) -> None:
    written = "".join(parts).encode()
    found = pixels(written, 0, len(written))
    if found != SLOW_NUMBER:
        assert (None if found == NO_NUMBER else found) == declared_pixels(written.decode())


SRCSET_PARTS = [
    *("a.jpg", "b,c.png", ",", " ", ", ", " 2x", " 1.5x", " 300w", " 0w", " 10h", " (", ")", "é"),
    *(" 2x, ", " 640w, ", " 1x 2x", " 1.x", " 2.50x", "\t", "data:x,y", "D:", " 1e1x", " .5x"),
    " 99999999999w",
]  # fmt: skip


@settings(max_examples=1500, deadline=None)
@example(["a.jpg", " 2x", "b,c.png", " 2.50x"])
@given(st.lists(st.sampled_from(SRCSET_PARTS), max_size=9))
def test_srcsets(parts: list[str]) -> None:
    written = "".join(parts).encode()
    begin, end, recipe = largest_candidate(written, 0, len(written))
    if recipe == SLOW:
        return
    candidates = srcset_candidates(written.decode())
    assert not any(found.address[:5].lower() == "data:" for found in candidates)
    found = largest(candidates)
    assert (recipe == ABSENT) is (found is None)
    assert found is None or written[begin:end].decode() == found.address


def test_usual_srcsets_are_decided() -> None:
    for value in (b"a.jpg 1x, b.jpg 2x", b"a 300w,\n b 640w", b"a.jpg", b"//h/a.svg 1.5x", b""):
        assert largest_candidate(value, 0, len(value))[2] != SLOW


CSS_PARTS = [
    *("background", "background-image", "BACKGROUND", "color", ":", " ", ";", "url(", "URL (", "("),
    *(
        ")",
        '"',
        "'",
        "&quot;",
        "url(&quot;d&quot;)",
        "a.jpg",
        "x",
        "-",
        "http:",
        "url('b')",
        'url( "c" )',
        "\n",
        "#fff",
        "curl(",
    ),
]


@settings(max_examples=1500, deadline=None)
@example(["background", ":", "url(", '"', "a.jpg", "x", ")"])
@example(["background", ":", "url(", "a.jpg", "background", ":", "url(", "x"])
@given(st.lists(st.sampled_from(CSS_PARTS), max_size=14))
def test_backgrounds(parts: list[str]) -> None:
    style = "".join(parts)
    written = style.encode()
    found, at, is_background = [], 0, False
    while True:
        at, begin, end, is_background = next_background(written, at, len(written), is_background)
        if begin < 0:
            break
        found.append(attribute_value(written[begin:end]).strip())
    assert found == list(backgrounds(attribute_value(written)))


PIECES = [
    "<img src=a.jpg>", "<img src=/b.jpg alt=' 桥  梁 ' title='桥 梁'>", "<img>", "<img src=''>",
    "<img src=d.jpg alt='&quot;a&quot; &amp; &hellip; b' title='&#20013;'>",
    "<img src=blank.gif data-src=c.jpg alt=x>", "<img src=d.jpg data-lazy=1 original='{{e}}'>",
    "<img src=x.gif data-url=/f.jpg>", "<img srcset='g 1x, h 2x' alt=y title=z>",
    "<img srcset='' src=g.jpg>", "<img srcset='/loading.gif 2x, h' src=g.jpg data-src=/i.jpg>",
    "<img srcset='#'>", "<img srcset='g.jpg 100w, h.jpg 200w 5h' src=a.jpg>",
    "<img src=i.jpg width=20px height=5% alt='a&amp;b' title='&lt;'>", "<img src='#' alt=q>",
    "<picture><source srcset='j 2x'><img src=k.jpg></picture>", "<img data-src=l.jpg>",
    "<noscript>", "</noscript>", "<noscript><img src=l.jpg alt=x></noscript>", "<template>",
    "</template>", "<a href='/t?a=1&amp;b=2'>", "<a href=javascript:x>", "<a>", "</a>",
    "<a href='../u;v'>", "<div style='background:url(m.jpg) url(/n.png)' title=t>", "<p>", "<br>",
    "<p style='background-image:url(&quot;o.jpg&quot;)'>", "<i style='background:url()'>",
    "<input type=image src=p.jpg>", "<input type=hidden>", "<video poster=q.jpg>", "<video>",
    "<svg><image href=r.jpg /></svg>", "<p class='img-desc'>", "<p class=pictures>", "</p>",
    "<figure>", "<figcaption>图一", "</figcaption>", "</figure>", "<p>▼现场照片</p>",
    "<meta property=og:image content=s.jpg>", "<meta name=image content=t.jpg>",
    "<meta property=og:image:secure_url content=s.jpg>", "<meta name=' OG:Image:ALT' content=u>",
    "<meta property=og:site_name content=某网>", "<meta name=图 content=v>", "<meta name=x>",
    "<i style='background: url(&quot;../a1.png&quot;)'>", "<i style='background:url(&quot;b)'>",
    "<link rel=image_src href=w.jpg>", "<link rel=icon href=x.ico>", "<link itemprop=image href=y>",
    '<script type="application/ld+json">{"image": "z.jpg", "headline": "标"}</script>',
    "<script>x</script>", "<p>新华社记者 李明 摄</p>", "正文的一行，", "text &copy; b", "\u2003",
    "&gt;", "&ldquo;字&rdquo;" * 30, "&amp;lt;", "&#20013;&ensp;", "a &amp b & c&", "字" * 150,
    "<img src=loading.gif alt=x>", "<img data-src=lazy.png src=../a/../b.jpg>",
    "http://creativecommons.org/licenses/by/4.0/", "<img src='data:image/gif;base64,R0lGOD'>",
    f"<img src='data:image/gif,{'g' * 1100}' alt=▲>", "<img src='\ta b.jpg '>", "（图）",
]  # fmt: skip


def every_entry(_: bytes, entries: Int64Array, *rest: object) -> tuple[Int64Array, Int64Array]:
    """No plain rows: every entry is read."""
    others = np.flatnonzero((entries[:, KIND] != ANCHOR) & (entries[:, KIND] != BASE))
    return np.empty((0, ROW_COLUMNS), dtype=np.int64), np.stack((others, others * 0), axis=1)


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@settings(max_examples=400, deadline=None)
@example(["<img src=a.jpg>"] * 4 + ["<p class='img-desc'>", "text &copy; b"], "正文的一行，", 4)
@given(
    st.lists(st.sampled_from(PIECES), max_size=25),
    st.sampled_from(["", "正文的一行，\ntext b"]),
    st.sampled_from([3, 6, 1000]),
)
def test_plain_rows_are_those_of_drafts(
    patched: pytest.MonkeyPatch, pieces: list[str], main_text: str, max_images: int
) -> None:
    page = "".join(pieces).encode()
    limits = PairLimits(max_images, AddressLimits(max_chars=200))
    found = image_places(page, PAGES[0], main_text, limits)
    with patched.context() as patch:
        patch.setattr(places, "plain_rows", every_entry)
        expected = image_places(page, PAGES[0], main_text, limits)
    assert found.rows == expected.rows
    assert (found.rejected, found.site_name) == (expected.rejected, expected.site_name)


@pytest.mark.parametrize("length", [0, 1, 2, 5, 127, 128, 129, 130, 131, 300, 4096])
def test_the_host_of_licences_is_found_everywhere(length: int) -> None:
    for place in {0, 1, length // 2, max(0, length - 3), length}:
        page = b"v" * place + b"vecom" + b"e" * (length - place)
        assert may_hold_license(page)
        assert not may_hold_license(page.replace(b"vecom", b"vecor"))


TEXTS = [
    "字" * 90, "ab" * 60, "一，二", " ", "\u3000", "&nbsp;", "\u2003", "&gt;", "&ensp;", "&Gt;",
    "&quot;&hellip;" * 20, "&&", "&amp;lt;", "&lt", "&#20013;", "&copy", "&notit;", "<br>",
    "&#xE60a;", "&#8226;", "&#0;", "&#x2003;", "&;", "&a", "mp;", "\U00020000" * 50, "&nosuch;",
    "é" * 40, "&shy;", "&中", "&",
]  # fmt: skip


def plain_context(text: str, at: int) -> tuple[str, str]:
    """The context of a place in a page's visible text, by Python alone."""
    before, after = text[max(0, at - 200) : at], text[at : at + 200]
    if "&" in before:
        before = visible_text(text[max(0, at - 300) : at])[-200:]
    if "&" in after:
        after = visible_text(text[at : at + 300])[:200]
    return before.strip(), after.strip()


@settings(max_examples=600, deadline=None)
@example(["&quot;&hellip;" * 20] * 8 + ["&", "字" * 90], ["mp;", "&gt;"] + ["é" * 40] * 5)
@given(st.lists(st.sampled_from(TEXTS), max_size=9), st.lists(st.sampled_from(TEXTS), max_size=9))
def test_contexts(before: list[str], after: list[str]) -> None:
    page = "".join([*before, "<img src=a>", *after, "<img src=b>"]).encode()
    scan = scan_page(page, 9)
    offsets = np.ascontiguousarray(scan.entries[:, TEXT])
    lines = text_lines(scan.text, scan.lines, offsets, "")
    found = image_places(page, PAGES[0], "").rows
    for row, place in zip(found, lines.places.tolist(), strict=True):
        at = len(lines.text[:place].tobytes().decode())
        text = lines.text.tobytes().decode()
        assert (row.context_before, row.context_after) == plain_context(text, at)
