"""Which addresses are of a preferred host."""

from __future__ import annotations

import pytest

from udfs.dedup.fingerprints import PreferredHosts


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://people.com.cn/1", True),
        ("HTTPS://News.People.com.cn:8080/1", True),
        ("http://people.com.cn./", True),
        ("http://otherpeople.com.cn/", False),
        ("http://com.cn/", False),
        ("http://e.cn/people.com.cn", False),
        ("http://people.com.cn.e.cn/", False),
        ("http://xn--fiqs8s/", True),
        ("http://a.中国/", True),
        ("http://[broken/", False),
        ("no address", False),
        ("", False),
        (None, False),
    ],
)
def test_a_host_and_those_below_it(url: str | None, is_one: bool) -> None:
    assert PreferredHosts(["People.com.cn", "中国"]).match(url) == is_one


def test_none_is_preferred_where_none_is_named() -> None:
    assert not PreferredHosts([]).match("http://people.com.cn/")
