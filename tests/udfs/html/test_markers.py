"""Tags, their cost, and the marks: the compiled loops against whole-array numpy."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.udfs.html.plain_markers import (
    plain_find_tags,
    plain_marked,
    plain_tag_cost,
    plain_unmarked,
    plain_without_scripts,
)
from udfs.html.markers import marked, unmarked, without_scripts
from udfs.html.tags import Tags, find_tags, tag_cost

_PIECES = """
    < > / \\ " ' = ! - -- <!-- --> </ <\\/ <\\ a= class="nav" id='x' title="a>b" alt='c<d" hidden
    <p> </p> <P <br> </br> <b> </b> <font </font> <i> <div> </div> <\\/div> <div </h1> <h1>
    <article> <article </article> <nav> <header> <headex> <head> <headers </header> <a </a> <li>
    <table> <tr> <td> </td> </tr> </table> <th> </th> <tr <td_class="text"> <tdx>
    <script> </script> <SCRIPT> <script <\\/script> <style> </style> <textarea> <texture>
    <section_id=main> <center> <center_class=side> <footer_hidden> <dl_style="display:none">
    <1 <é < 中 字 甲乙
"""
PIECES = [piece.replace("_", " ") for piece in _PIECES.split()]
LONG = [" ", "\n", "\t", "\r", "\f", "x" * 399, "var a = 1; " * 100, " a b/c\n" * 150]
PIECE = st.sampled_from(PIECES + LONG)
PAGES = st.one_of(
    st.lists(PIECE, max_size=40).map("".join),
    st.text(alphabet="<>/abdivplscrtn\"'=&! -\\\n\f中", max_size=200),
).map(str.encode)


def same_tags(tags: Tags, others: Tags) -> None:
    assert tags.page == others.page
    assert tags.starts.tolist() == others.starts.tolist()
    assert tags.ends.tolist() == others.ends.tolist()
    assert tags.codes.tolist() == others.codes.tolist()
    assert tags.is_end.tolist() == others.is_end.tolist()
    assert tags.may_continue.tolist() == others.may_continue.tolist()


def check(page: bytes) -> None:
    tags, plain = find_tags(page), plain_find_tags(page)
    same_tags(tags, plain)
    assert tag_cost(tags) == plain_tag_cost(plain)
    assert marked(tags) == plain_marked(plain)
    cut, plain_cut = without_scripts(tags), plain_without_scripts(plain)
    same_tags(cut, plain_cut)
    assert marked(cut) == plain_marked(plain_cut)


@settings(max_examples=1000, deadline=None)
@given(PAGES)
@example(b"")
@example(b"<")
@example(b"<\\/")
@example(b"<\\/a")
@example(b"a<b")
@example(b"<p>" + b"x" * 1100 + b"<nav")
@example(b'<div "' + b" " * 1018 + b">")
@example(b'<div "' + b" " * 1019 + b">")
@example(b"<a title=" + b'"' + b" " * 2000)
@example(b"<a title=" + b" " * 2000 + b"'>'>")
@example(b"<a title=\x0b\x0c\n'>'" + b" " * 2000 + b">")
@example(b"<div id=nav>")
@example(b"<script>" + b"x" * 1000 + b"</script>")
@example(b"<script>" + b"x" * 993 + b"</script>")
@example(b"<script>" + b"x" * 992 + b"</script>")
@example(b"<script>" + b"x" * 1000 + b"--></script>")
@example(b"<script>--" + b"x" * 1000 + b"</script>")
@example(b"<script>-->" + b"x" * 1000 + b"</script>")
@example(b"<script>!--" + b"x" * 1000 + b"<!-</script>")
@example(b"<script><!--" + b"x" * 1000 + b"</script>")
@example(b"<script" + b"x" * 1000 + b"</script>")
@example(b"< <script>" + b"x" * 1000 + b"</script>")
def test_any_page(page: bytes) -> None:
    check(page)


@pytest.mark.parametrize("seed", range(5))
def test_long_pages(seed: int) -> None:
    pick = random.Random(seed)
    check("".join(pick.choices(PIECES * 3 + LONG, k=20_000)).encode())


@pytest.mark.parametrize(
    "page",
    [
        b"<" * 300_000,
        b"<a" * 300_000,
        b"<a'" * 300_000 + b">" * 300_000,
        b"<p>" * 300_000,
        b"</p>" * 300_000,
        b"<b>" * 300_000 + b"</b>" * 300_000,
        b'<div a="' * 100_000,
        b"<div a=" * 100_000,
        b"<td>" * 100_000,
        b"<tr><td class=nav>" * 100_000,
        b"<script>" * 100_000 + b"</script>" * 100_000,
        b"<script></script>" * 100_000,
        (b"<script>" + b"-" * 1000 + b"</script>") * 1000,
        b"-" * 1_000_000,
        (b"<div " + b"/" * 1100 + b">") * 500,
    ],
    ids=lambda page: page[:16].decode(),
)
def test_hostile_pages(page: bytes) -> None:
    check(page)


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(bytes(range(256)))
@example("字\x1b\x1c".encode())
def test_a_page_has_no_marks_of_its_own(page: bytes) -> None:
    assert unmarked(page) == plain_unmarked(page)
    for code in range(256):
        assert unmarked(b"a" + bytes([code])) == plain_unmarked(b"a" + bytes([code]))
