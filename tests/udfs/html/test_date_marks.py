"""A look at bytes for the marks of a date, against a search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.html.published import may_have_marks, published_date

PIECES = ["datePublished", '"pubDate"', '"pub', "ePub", "epub", "Pub", '"', "d", "中", "<i>"]


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_it_is_a_search_for_parts_of_the_marks(html: str) -> None:
    assert may_have_marks(html.encode()) == ("ePub" in html or '"pub' in html)


@pytest.mark.parametrize("mark", ["datePublished", '"pubDate"'])
@pytest.mark.parametrize("before", range(70))
def test_no_mark_is_missed_wherever_it_stands(mark: str, before: int) -> None:
    assert may_have_marks(b"-" * before + mark.encode())


@pytest.mark.parametrize(
    "html",
    [
        '<script>{"datePublished": "2021-03-04"}</script>',
        '<script>{"pubDate": "2021-03-04T00:00:00"}</script>',
        '<i itemprop="datePublished" datetime="2021-03-04">',
        "<h1>x</h1> 发布时间：2021-03-04",
        "<p>2021</p>",
    ],
)
def test_the_date_is_the_same_with_the_bytes_at_hand(html: str) -> None:
    assert published_date(html, None, utf8=html.encode()) == published_date(html, None)
