"""The prefilter may let pages through, and may never lose one."""

import html as stdlib_html
from html.entities import html5

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.udfs.charset.plain_prefilter import may_hold_han, text_may_hold_han
from udfs.base.han import han_ideographs
from udfs.base.page_counts import page_counts
from udfs.charset.decode import decode
from udfs.charset.prefilter import HanRules, mostly_kana, plain_utf8
from udfs.html.page_text import HtmlLimits, extract_page

NO_LIMITS = HtmlLimits(None, None, None)

ENCODINGS = (
    "utf-8", "utf-8-sig", "gbk", "gb18030", "big5", "big5hkscs", "utf-16-le", "utf-16-be", "utf-16",
    "utf-32", "utf-32-le", "hz", "iso2022_jp", "shift_jis", "euc_jp", "euc_kr",
)  # fmt: skip
LABELS = st.sampled_from(
    [None, "", "utf-8", "UTF8", "gb2312", "gbk", "gb18030", "big5", "hz-gb-2312", "iso-2022-jp",
     "shift_jis", "euc-kr", "iso-8859-1", "windows-1251", "utf-16", "utf-16le", "utf-32le",
     "nonsense", "gbk" + " " * 60 + "x"]
)  # fmt: skip

HAN = st.one_of(
    st.sampled_from("的一是中国新闻網頁發展"),
    st.integers(0x3400, 0x9FFF).map(chr),
    st.integers(0xF900, 0xFAFF).map(chr),
    st.integers(0x20000, 0x3FFFF).map(chr),
)
NOT_HAN = st.sampled_from("aé©’Ж한가カー😀〇・、﹐ﬁ𝒜\u33ff\ua000\uf8ff\ufb00")


@st.composite
def reference(draw: st.DrawFn) -> str:
    """A numeric reference in one of its spellings."""
    code = ord(draw(st.one_of(HAN, NOT_HAN)))
    zeros = "0" * draw(st.integers(0, 3))
    number = draw(st.sampled_from([f"{code}", f"x{code:x}", f"X{code:X}"]))
    prefix, digits = (number[0], number[1:]) if number[0] in "xX" else ("", number)
    return f"&#{prefix}{zeros}{digits}{draw(st.sampled_from([';', '', ' ']))}"


TEXT = st.lists(
    st.one_of(
        HAN, NOT_HAN, reference(), st.sampled_from(["<p>", "</p>", " words ", "\n", "&amp;"])
    ),
    max_size=60,
).map("".join)

# What turns a page of one charset into one of another.
STRAY = st.sampled_from(
    [b"~{VPND~}", b"~", b"~{", b"\x1b$B0lFs\x1b(B", b"\x1b", b"\0", b"\xe4\xb8", b"\xe4\xb8\xad",
     b"\xa9", b"\xff", b"\xc2\xa9", b"\xb0\xa1", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff",
     b"&\0#20013;", b"&#2001\0" b"3;", b"N-N-R0R0" * 10, b'<meta charset="gbk">',
     b"<meta content='text/html; charset=\"Big5'>", b"<meta encoding=charset=gbk>",
     b"<META CHARSET=HZ-GB-2312>", b'<?xml version="1.0" encoding="utf-16"?>', b"\xf0\xa0\x80\x80",
     b"\xe3\x90\x80", b"\xef\xa4\x80"]
)  # fmt: skip


@st.composite
def page(draw: st.DrawFn) -> bytes:
    """Text in some charset, with stray bytes between, cut anywhere."""
    encoding = draw(st.sampled_from(ENCODINGS))
    parts = draw(st.lists(st.one_of(TEXT, STRAY), max_size=8))
    payload = b"".join(
        part if isinstance(part, bytes) else part.encode(encoding, "ignore") for part in parts
    )
    return payload[: draw(st.sampled_from([len(payload), len(payload) - 1, len(payload) - 2]))]


def ideographs_in(payload: bytes, declared: str | None) -> int:
    """The most that any extractor can make of a page: all of its markup, references resolved."""
    text = decode(payload, declared).text
    return max(
        han_ideographs(stdlib_html.unescape(text)),
        han_ideographs(stdlib_html.unescape(text.replace("\0", ""))),
    )


def check_bound(payload: bytes, declared: str | None) -> None:
    count = ideographs_in(payload, declared)
    assert may_hold_han(payload, declared, count), f"{count} ideographs of {payload[:200]!r}"
    assert may_hold_han(payload, declared, count, twice_escaped=True)
    assert text_may_hold_han(decode(payload, declared).text, count)
    if count > 1:
        assert may_hold_han(payload, declared, 1)


@settings(max_examples=500, deadline=None)
@given(page(), LABELS)
@example(b"~{VPND~}", "hz-gb-2312")
@example(b"~{VPND~}", "hz" + " " * 60 + "x")
@example(b"\x1b$B0lFs\x1b(B", "iso-2022-jp")
@example(b"a\xe4\xb8", "gbk")
@example("© 中".encode(), "gb2312")
@example(b"&\0#20013;", None)
@example("中".encode("utf-16-le"), None)
@example(b"N-" * 40, "utf-16be")
@example(b"~{ " + b"N-" * 40, "utf-16be")
@example(b"R0N-" * 40 + b"\xe4", None)
@example(b"\xc2\xa9" * 30, "gbk")
@example(b"\xc2\xa9" * 60 + b"\xff", None)
@example(b"\xc2\xa9" * 60 + b"\xed\xa0", None)
@example(b"\xc2\xa9" * 60 + b"\xed\xa0\x80a", None)
@example(b"\xc2\xa9" * 60 + b"\xe2\x82", "gbk")
@example(b"<meta encoding=charset=hz>~{VPND~}", None)
@example(b"<META CHARSET=HZ>~{VPND~}", None)
def test_no_page_holds_more_than_the_bound(payload: bytes, declared: str | None) -> None:
    check_bound(payload, declared)


@settings(max_examples=1000, deadline=None)
@given(page(), LABELS)
@example(b"\xef\xbb\xbf" + b"\xef\xbf\xbd" * 2, "gb2312")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa", "gb2312")
@example(b"\xc2\xa9" * 60 + b"\xe2\x82", "gbk")
@example(b"\xc2\xa9" * 10, "nonsense")
def test_what_is_plain_utf8_is_read_as_such(payload: bytes, declared: str | None) -> None:
    plain = plain_utf8(b"<p>" + payload + b"</p>", 3, 3 + len(payload), declared)
    if plain is None:
        return
    held, end = plain
    decoded = decode(payload, declared)
    assert decode(payload, declared, is_utf8=True) == decoded
    assert decoded.charset == "utf-8"
    text = decoded.text.encode()
    assert payload[: end - 3].removeprefix(b"\xef\xbb\xbf") in (text, b"\xef\xbb\xbf" + text)
    assert held[2:] == page_counts(payload[: end - 3])[2:]


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200), LABELS)
def test_no_bytes_hold_more_than_the_bound(payload: bytes, declared: str | None) -> None:
    check_bound(payload, declared)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(range(0x20, 0x7F)), max_size=300).map(bytes), LABELS)
def test_no_ascii_holds_more_than_the_bound(payload: bytes, declared: str | None) -> None:
    check_bound(payload, declared)


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_utf8_is_counted_to_the_last_ideograph(text: str) -> None:
    payload = f"<p>{text}</p>".encode()
    count = han_ideographs(stdlib_html.unescape(text))
    assert may_hold_han(payload, "utf-8", count)
    # References without an end run into the digits that follow; no other slack.
    if "&#" not in text:
        assert not may_hold_han(payload, "utf-8", count + 1)
        assert not text_may_hold_han(f"<p>{text}</p>", count + 1)


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_a_parsed_page_holds_no_more_than_the_bound(text: str) -> None:
    html = f"<html><body><div>{text}</div></body></html>"
    count = han_ideographs(extract_page(html, NO_LIMITS).text)
    assert may_hold_han(html.encode(), None, count)
    assert text_may_hold_han(html, count)


@pytest.mark.parametrize("code", [0x3400, 0x9FFF, 0xF900, 0xFAFF, 0x20000, 0x3FFFF, 20013])
def test_references_count_at_the_ends_of_the_ranges(code: int) -> None:
    for spelling in (
        f"&#{code};",
        f"&#x{code:x};",
        f"&#X{code:X}",
        f"&#000{code}",
        f"&#x00{code:X};",
    ):
        assert may_hold_han(spelling.encode() * 3, None, 3), spelling
        assert not may_hold_han(spelling.encode() * 3, None, 4), spelling


def test_references_to_other_characters_do_not_count() -> None:
    page = b"&#8217;&#039;&#x27;&#xA0;&#128512;&#x1F600;&#44032;&#xAC00;&#12354;&#65292;&#160" * 50
    assert not may_hold_han(page, None, 1)


def test_no_named_reference_is_an_ideograph() -> None:
    assert sum(map(han_ideographs, html5.values())) == 0


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("declared", [None, "right", "iso-8859-1", "utf-8"])
def test_chinese_pages_pass_in_every_encoding(encoding: str, declared: str | None) -> None:
    # Written with characters that all of these charsets have.
    sentence = "日本人大和山川水火土木金石田中小高東西南北王生花"
    label = encoding if declared == "right" else declared
    payload = f"<html><body><p>{sentence}</p></body></html>".encode(encoding, "ignore")
    if ideographs_in(payload, label) >= 16:
        assert may_hold_han(payload, label, 16)
    assert may_hold_han(payload, encoding, 16)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("It’s a page — “with” typographic quotes… © 2024", "utf-8"),
        ("It’s a page — “with” typographic quotes… © 2024", None),
        ("Ça c’est déjà l’été, où êtes-vous? " * 20, "iso-8859-1"),
        ("Съешь ещё этих мягких французских булок. " * 20, None),
        ("นี่คือหน้าเว็บภาษาไทย " * 20, None),
        ("이것은 한국어 페이지입니다。" * 20, None),
        ("これはひらがなとカタカナのページです。😀" * 20, None),
        ("menu: 中文 日本語 한국어 English", "utf-8"),
        ("plain ASCII ~ with a tilde", "gb2312"),
        ("~{ destructured", "utf-8"),
    ],
)
def test_pages_in_other_languages_are_passed_over(text: str, declared: str | None) -> None:
    assert not may_hold_han(f"<p>{text}</p>".encode(), declared, 16)


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_page_cut_inside_a_character_is_passed_over(cut: int) -> None:
    page = ("<p>Съешь ещё этих булок. " * 20 + "😀").encode()
    assert not may_hold_han(page[:-cut], "utf-8", 1)


def test_a_byte_order_mark_says_more_than_a_label() -> None:
    assert not may_hold_han("\ufeff© 2024".encode(), "gb2312", 16)


def test_what_is_escaped_twice_counts_where_the_extractor_resolves_it() -> None:
    for spelling in (
        "&amp;#20013;",
        "&AMP;#x4e2d;",
        "&#38;#20013;",
        "&#x26;#20013;",
        "&amp#20013",
        "&AMP#20013",
        "&#x26#20013",
    ):
        page = spelling.encode() * 20
        assert may_hold_han(page, None, 20, twice_escaped=True), spelling
        assert text_may_hold_han(page.decode(), 20, twice_escaped=True), spelling
        assert not may_hold_han(page, None, 20), spelling
    article = (
        rb'<script type="application/ld+json">{"articleBody":"' + rb"\u4e2d" * 20 + b'"}</script>'
    )
    assert may_hold_han(article, None, 20, twice_escaped=True)
    assert not may_hold_han(article, None, 21, twice_escaped=True)
    assert not may_hold_han(article.replace(b"articleBody", b"name"), None, 20, twice_escaped=True)


def test_nothing_asked_for_lets_everything_through() -> None:
    assert may_hold_han(b"", None, 0) and text_may_hold_han("", 0)
    assert not may_hold_han(b"", None, 1) and not text_may_hold_han("", 1)


def kana_rule(text: str, share: float | None = 0.5, *, twice_escaped: bool = False) -> bool:
    return mostly_kana(page_counts(text.encode()), HanRules(16, share, twice_escaped))


def test_a_page_of_more_kana_than_ideographs_is_mostly_kana() -> None:
    assert kana_rule("ひらがなとカタカナ漢字")
    assert kana_rule("かな漢")
    assert not kana_rule("かな漢字")
    assert not kana_rule("漢字")
    assert not kana_rule("words")
    assert kana_rule("かな漢字", 0.4)
    assert not kana_rule("かな漢", None)


def test_what_is_no_kana_or_may_be_an_ideograph_speaks_against_it() -> None:
    assert not kana_rule("・" * 50 + "中文")  # the bullet of Chinese pages
    assert not kana_rule("かな" + "&#20013;" * 2)
    assert kana_rule("かな" + "&#8217;" * 20)
    assert not kana_rule("かな", twice_escaped=True)  # Chinese may be hidden in escapes
