"""What class and id of a block say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.block_words import KINDS, block_kinds


def kinds(tag: str) -> list[str]:
    [bits] = block_kinds([tag.encode()]).tolist()
    return [kind for place, kind in enumerate(KINDS) if bits >> place & 1]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ('<div class="leftSide-2">', ["side"]),
        ("<div id='Article-Body'>", ["content"]),
        ("<div class = comments id=footer>", ["frame", "comment"]),
        ('<div class="a"\n id="xiangguan">', ["related"]),
        ("<div>", []),
        ('<div grid="nav" subclass="nav">', []),
        # Only class and id name things.
        ('<div style="text-align:right" data-class="nav" onclick="share()" title=side>', []),
        ('<div style="color:red; display : none">', ["hidden"]),
        ('<div hidden class="x">', ["hidden"]),
        ('<div class="x" hidden>', ["hidden"]),
        ('<div aria-hidden="true">', []),
        ('<div style="overflow:hidden">', []),
        ('<div class="open nav', ["frame"]),
    ],
)
def test_kinds(tag: str, expected: list[str]) -> None:
    assert kinds(tag) == expected


def test_each_tag_has_its_own() -> None:
    tags = [b"<div class=nav>", b"<div>", b'<div class="nav', b"<p id=text>", b"<div class=nav>"]
    assert block_kinds(tags).tolist() == [2, 0, 2, 1, 2]
    assert block_kinds([]).tolist() == []


TAG = st.text(alphabet="<>'\"= \nclasidnvhe:-", max_size=40).map(str.encode)


@settings(deadline=None)
@given(st.lists(TAG, max_size=6))
def test_a_tag_says_nothing_of_the_next(tags: list[bytes]) -> None:
    assert block_kinds(tags).tolist() == [block_kinds([tag])[0] for tag in tags]
