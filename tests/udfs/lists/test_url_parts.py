"""URLs taken apart: as the standard library does, but without its failures."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.lists.urls import MAX_HOST_CHARS, is_ip_address, normal_host, split_url


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://www.a.cn/b/c?d=e&f#g", ("www.a.cn", "/b/c", "d=e&f")),
        ("www.a.cn", ("www.a.cn", "", "")),
        ("a.cn?x=http://b.cn", ("a.cn", "", "x=http://b.cn")),
        ("a.cn/go/http://b.cn/", ("a.cn", "/go/http://b.cn/", "")),
        ("//a.cn/b", ("a.cn", "/b", "")),
        ("http://a.cn\\b", ("a.cn", "/b", "")),
        ("http://me@you:pw@a.cn:/", ("a.cn", "/", "")),
        (" http://[2408::0:1]:8080/b ", ("2408::1", "/b", "")),
        *(
            (url, ("", "", ""))
            for url in ("", "http://", "http://#a", "http://[1::2::3]", "http://[")
        ),
        ("http://a b.cn/c", ("", "/c", "")),
        ("http://a..cn/c", ("", "/c", "")),
        ("http://.cn/c", ("", "/c", "")),
        ("javascript:void(0)", ("", "", "")),
    ],
)
def test_split_url(url: str, parts: tuple[str, str, str]) -> None:
    assert split_url(url) == parts


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("A.CN.", "a.cn"),
        ("a.cn:8080", "a.cn"),
        ("a.cn:x", ""),
        ("例子.中国", "xn--fsqu00a.xn--fiqs8s"),
        ("例子。中国", "xn--fsqu00a.xn--fiqs8s"),
        ("ＡＢ．ｃｎ", "ab.cn"),
        ("a_b-c.cn", "a_b-c.cn"),
        ("é" * 64 + ".cn", ""),
        ("a" * MAX_HOST_CHARS, "a" * MAX_HOST_CHARS),
        ("a" * (MAX_HOST_CHARS + 1), ""),
        ("", ""),
        (".", ""),
        ("a/b", ""),
    ],
)
def test_normal_host(host: str, normal: str) -> None:
    assert normal_host(host) == normal


@pytest.mark.parametrize("host", ["1.2.3.4", "255.255.255.255", "::1", "2408::1"])
def test_ip_addresses(host: str) -> None:
    assert is_ip_address(host)


@pytest.mark.parametrize("host", ["", "a", "1.2.3", "1.2.3.4.5", "a.1.2.3", "1.2.3.a", "4.cn", "1"])
def test_names(host: str) -> None:
    assert not is_ip_address(host)


plain_hosts = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,6}){1,3}", fullmatch=True)
paths = st.text("ab/1-_.~%=:@", max_size=20).map(lambda path: "/" + path)
queries = st.text("ab=&1/?:@", max_size=12)


@given(
    st.sampled_from(["http", "https", "ftp"]),
    plain_hosts,
    paths,
    queries,
    st.text("a?#/", max_size=4),
)
def test_good_urls_come_apart_as_by_the_standard_library(
    scheme: str, host: str, path: str, query: str, fragment: str
) -> None:
    url = f"{scheme}://u@{host.upper()}:80{path}?{query}#{fragment}"
    parts = urlsplit(url)
    assert split_url(url) == (parts.hostname, parts.path, parts.query)


@given(st.text(max_size=40), st.sampled_from(["", "http://", "//", "a://"]))
def test_no_url_fails_and_hosts_are_in_their_normal_spelling(text: str, start: str) -> None:
    host = split_url(start + text).host
    if ":" in host:
        host = f"[{host}]"
    assert normal_host(host) == host.strip("[]")
    assert host.isascii()


@pytest.mark.parametrize("url", ["http://" + "é" * 10**6, "a." * 10**6, "http://" + ":" * 10**6])
@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
def test_a_hostile_url_takes_linear_time(url: str) -> None:
    split_url(url)
