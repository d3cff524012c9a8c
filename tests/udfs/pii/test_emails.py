"""Web and e-mail addresses in texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.base.code_points import encode_texts
from udfs.pii.emails import count_emails, count_urls, email_counts, url_counts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("没有网址 http:// www. awww.a", 0),
        ("请看http://a.cn/b和HTTPS://c.cn", 2),
        ("访问www.a.cn，或WWW.b.cn", 2),
        ("https://www.a.cn/www.b", 1),
    ],
)
def test_count_urls(text: str, count: int) -> None:
    assert count_urls(text) == count == url_counts([text], encode_texts([text]))[0]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("没有邮箱 @ a@ @b.cn a@b a@b.1", 0),
        ("信箱：first.last+x@mail.example.com。", 1),
        ("a@b.cn，A＠B.COM.CN；c_d@e-f.org", 3),
        ("微博@某人 a@b.cn", 1),
        ("甲＠b.cn，a＠b.cn", 1),
        ("a@b.c", 0),
    ],
)
def test_count_emails(text: str, count: int) -> None:
    assert count_emails(text) == count == email_counts([text], encode_texts([text]))[0]


pieces = st.sampled_from(["http://", "www.", "a", ".cn", "@", "＠", "W", "/", "汉", " ", "ww", ""])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(pieces, max_size=8).map("".join), max_size=5))
def test_counts_equal_those_of_single_texts(texts: list[str]) -> None:
    encoded = encode_texts(texts)
    assert url_counts(texts, encoded).tolist() == [count_urls(text) for text in texts]
    assert email_counts(texts, encoded).tolist() == [count_emails(text) for text in texts]


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "a@" * 10**5, "a@" + "b." * 10**5, "a@" + "1." * 10**5]
)
@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
def test_a_hostile_text_takes_linear_time(text: str) -> None:
    count_emails(text)
    count_urls(text)
