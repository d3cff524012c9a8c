"""Measures of URLs, against a plain twin."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.lists.urls import URL_MEASURES, is_ip_address, measure_urls, split_url


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
