"""URLs, split as the standard library splits them but without its failures, and their measures."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.lists.urls import (
    MAX_HOST_CHARS,
    URL_MEASURES,
    is_ip_address,
    measure_urls,
    normal_host,
    split_url,
)


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


def measures_of(url: str | None) -> dict[str, Any]:
    return {name: column.tolist()[0] for name, column in measure_urls([url]).items()}


def plain_measures(url: str | None) -> dict[str, Any]:
    """The twin: one URL at a time, in plain Python."""
    if url is None:
        return {name: kind() for name, kind in URL_MEASURES.items()}
    host, path, query = split_url(url)
    labels = host.split(".") if host else []
    return {
        "url_chars": len(url),
        "host_chars": len(host),
        "host_labels": len(labels),
        "longest_host_label_chars": max(map(len, labels), default=0),
        "host_hyphens": sum(label.count("-") for label in labels if label[:4] != "xn--"),
        "host_digit_share": sum(char in "0123456789" for char in host) / max(len(host), 1),
        "path_chars": len(path),
        "path_segments": sum(1 for part in path.split("/") if part),
        "path_digit_share": sum(char in "0123456789" for char in path) / max(len(path), 1),
        "query_chars": len(query),
        "query_parameters": sum(1 for part in query.replace(";", "&").split("&") if part),
        "percent_escapes": (path + query).count("%"),
        "is_ip_host": is_ip_address(host),
        "is_punycode_host": any(label.startswith("xn--") for label in labels),
    }


def test_a_spam_url() -> None:
    assert measures_of(
        "http://win-88-vip.xn--fsqu00a.a1234.com/2024/05//b%20c.html?x=1&&y=2;z#f"
    ) == {
        "url_chars": 72,
        "host_chars": 32,
        "host_labels": 4,
        "longest_host_label_chars": 11,
        "host_hyphens": 2,
        "host_digit_share": 8 / 32,
        "path_chars": 20,
        "path_segments": 3,
        "path_digit_share": 8 / 20,
        "query_chars": 10,
        "query_parameters": 3,
        "percent_escapes": 1,
        "is_ip_host": False,
        "is_punycode_host": True,
    }


@pytest.mark.parametrize("url", [None, "", "http://", "not a url", "/path?x"])
def test_what_has_no_host(url: str | None) -> None:
    measures = measures_of(url)
    assert measures["host_chars"] == measures["host_labels"] == measures["host_digit_share"] == 0
    assert measures["url_chars"] == len(url or "")


def test_addresses_as_hosts() -> None:
    assert measures_of("http://61.135.169.121/")["is_ip_host"]
    v6 = measures_of("http://[2408::1]/a")
    assert v6["is_ip_host"] and v6["host_labels"] == 1


def test_no_urls_give_empty_columns() -> None:
    columns = measure_urls([])
    assert list(columns) == list(URL_MEASURES)
    assert all(len(column) == 0 for column in columns.values())


pieces = st.sampled_from(
    [
        "http://",
        "//",
        "a",
        "1",
        "-",
        ".",
        "xn--fsqu00a",
        "汉",
        "/",
        "?",
        "&",
        ";",
        "%",
        "=",
        "#",
        "[::1]",
        ":",
        "@",
    ]
)
urls = st.one_of(st.none(), st.lists(pieces, max_size=12).map("".join))


@settings(max_examples=500, deadline=None)
@given(st.lists(urls, max_size=6))
def test_batches_equal_the_plain_twin(batch: list[str | None]) -> None:
    columns = measure_urls(batch)
    rows = [{name: columns[name].tolist()[row] for name in columns} for row in range(len(batch))]
    assert rows == [plain_measures(url) for url in batch]
    kinds = {
        name: {"int64": int, "float64": float, "bool": bool}[c.dtype.name]
        for name, c in columns.items()
    }
    assert kinds == URL_MEASURES


def test_a_large_batch_equals_the_plain_twin() -> None:
    batch = [
        f"https://www.n{i}.example.com.cn/news/2024/{i}.html?id={i}&x=%20" for i in range(20_000)
    ]
    columns = measure_urls(batch)
    assert {len(column) for column in columns.values()} == {len(batch)}
    for row in (0, 9, 10, 9_999, 10_000, len(batch) - 1):
        assert {name: columns[name].tolist()[row] for name in columns} == plain_measures(batch[row])
