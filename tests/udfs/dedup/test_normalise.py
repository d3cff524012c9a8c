"""Normalisation for the duplicate levels: what is folded, and what must stay apart."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.dedup.plain_normalise import fold_texts, normalise_text
from udfs.dedup.normalise import (
    normalise_url,
    text_digest,
    url_digest,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("天气 很\t好\r\n", "天气很好"),
        ("天\u3000气\u00a0很\u2003好", "天气很好"),
        ("天\u200b气\ufeff很\u00ad好\ufe0f", "天气很好"),
        ("ＡＢＣ１２３，！（）", "abc123,!()"),
        ("Straße ÀÉ ΑΒΓ АБВ", "straßeàéαβγабв"),
        ("\u2f00\u2f08", "一人"),  # Kangxi radicals
        ("\uf900", "豈"),  # compatibility ideograph
        ("ｱ", "ア"),
        ("嘅𠮷😀", "嘅𠮷😀"),
        ("a\x00b", "ab"),
        ("", ""),
        (" \u3000\n", ""),
    ],
)
def test_text_is_folded(written: str, folded: str) -> None:
    assert normalise_text(written) == folded


@pytest.mark.parametrize(
    ("one", "other"), [("臺灣", "台湾"), ("天气。", "天气"), ("123", "124"), ("㎏", "kg")]
)
def test_texts_that_say_different_things_stay_apart(one: str, other: str) -> None:
    assert normalise_text(one) != normalise_text(other)


@given(st.lists(st.text(max_size=30), max_size=8))
def test_a_batch_folds_as_single_texts_do(texts: list[str]) -> None:
    codes, offsets = fold_texts(texts)
    assert ["".join(map(chr, codes[start:end])) for start, end in pairwise(offsets)] == [
        normalise_text(text) for text in texts
    ]


@given(st.text(st.characters(max_codepoint=0xFFFF), max_size=50))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert normalise_text(normalise_text(text)) == normalise_text(text)


@given(st.text(st.characters(categories=["Lo", "Ll", "Lu", "Nd", "Zs", "Cc"]), max_size=50))
def test_nothing_that_takes_space_only_is_left(text: str) -> None:
    assert not any(
        character.isspace() or unicodedata.category(character) == "Cc"
        for character in normalise_text(text)
    )


def test_lone_surrogates_pass_through() -> None:
    assert normalise_text("天\ud800气") == "天\ud800气"


def test_digest_tells_texts_apart_and_empty_text_has_none() -> None:
    def digest(text: str) -> bytes | None:
        return text_digest(fold_texts([text])[0])

    assert digest("天气 ＡＢＣ") == digest("天\n气abc")
    assert digest("天气") != digest("气天")
    assert len(digest("天气") or b"") == 16
    assert digest(" \n") is None


def test_digest_is_the_same_on_every_machine() -> None:
    digest = text_digest(fold_texts(["天气很好"])[0]) or b""
    assert digest.hex() == "610768236afd2c08032fcb209b050730"


SAME_PAGE = [
    "http://example.com/news/1?a=1&b=2",
    "https://example.com/news/1?a=1&b=2",
    "HTTP://EXAMPLE.com:80/news/1?a=1&b=2",
    "https://example.com:443/news/1/?b=2&a=1",
    "http://example.com./news/1?a=1&b=2#top",
    "http://user:word@example.com/news/./x/../1?a=1&b=2",
    "http://example.com/news/1/index.html?a=1&b=2",
    "http://example.com/news/1/Default.aspx?a=1&b=2",
    "http://example.com/news/1;jsessionid=A1B2?a=1&b=2",
    "http://example.com/n%65ws/1?utm_source=x&a=1&UTM_Medium=y&b=2&spm=a.b&gclid=z",
    "  http://example.com/news/1?a=1&&b=2 \n",
]

OTHER_PAGES = [
    "http://example.com/news/2?a=1&b=2",
    "http://www.example.com/news/1?a=1&b=2",
    "http://example.com:8080/news/1?a=1&b=2",
    "https://example.com:80/news/1?a=1&b=2",
    "http://example.com/News/1?a=1&b=2",
    "http://example.com//news/1?a=1&b=2",
    "http://example.com/news/1?a=1&b=2&b=2",
    "http://example.com/news/1?a=2&b=1",
    "http://example.com/news/1?a=1&b=",
    "http://example.com/news/1?a=1%26b=2",
    "http://example.com/news%2F1?a=1&b=2",
    "http://example.com/news/1",
    "ftp://example.com/news/1?a=1&b=2",
]


@pytest.mark.parametrize("url", SAME_PAGE)
def test_addresses_of_one_page_share_a_key(url: str) -> None:
    assert normalise_url(url) == "//example.com/news/1?a=1&b=2"


def test_other_addresses_keep_keys_of_their_own() -> None:
    keys = [normalise_url(url) for url in (SAME_PAGE[0], *OTHER_PAGES)]
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://例子.测试/", "https://xn--fsqu00a.xn--0zwm56d"),
        (
            "http://e.cn/搜索?词=天 气",
            "http://e.cn/%e6%90%9c%e7%b4%a2?%E8%AF%8D=%E5%A4%A9+%E6%B0%94",
        ),
        ("http://e.cn", "http://e.cn/?"),
    ],
)
def test_spellings_of_one_address(one: str, other: str) -> None:
    assert normalise_url(one) == normalise_url(other)


@pytest.mark.parametrize("url", ["", "   ", "not a url", "/news/1", "mailto:a@b.cn", "http:///x"])
def test_without_a_host_there_is_no_key(url: str) -> None:
    assert normalise_url(url) is None
    assert url_digest(url) is None
    assert url_digest(None) is None


@pytest.mark.parametrize("url", ["http://[::1/x", "http://e.cn:99999/x", "http://e.cn:port/x"])
def test_a_broken_address_equals_only_itself(url: str) -> None:
    assert normalise_url(url) == url


@given(st.text(max_size=40))
def test_any_text_is_survived_as_an_address(text: str) -> None:
    for url in (text, f"http://e.cn/{text}", f"http://{text}/", f"http://e.cn/?{text}"):
        assert url_digest(url) == url_digest(url)


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=20))
def test_a_normal_form_is_normal(text: str) -> None:
    key = normalise_url(f"http://e.cn/{text}?{text}")
    assert key is not None
    assert normalise_url(key) == key


_PIECES = (
    "/",
    ".",
    "..",
    "a",
    "B",
    "/index.html",
    "/default.php",
    "-",
    "~",
    "%41",
    "?a=1",
    "#x",
    "中",
)
_HOSTS = ("e.cn", "E.cn", "e", "a.b-c.cn", "e.cn.", "", "1.2.3.4")


@given(
    st.sampled_from(("http://", "https://")),
    st.sampled_from(_HOSTS),
    st.lists(st.sampled_from((*_PIECES, ";jsessionid=1", "\n")), max_size=6).map("".join),
)
def test_a_plain_address_has_the_form_that_the_long_way_gives(
    scheme: str, host: str, rest: str
) -> None:
    """An upper-case scheme makes an address no plain one."""
    url = f"{scheme}{host}{rest}"
    assert normalise_url(url) == normalise_url(f"{scheme.upper()}{host}{rest}")
