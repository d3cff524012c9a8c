"""What class and id of a block say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.html.plain_markers import plain_block_values
from udfs.html.class_words import (
    HINT_BITS,
    KIND_BITS,
    KINDS,
    VALUE_BITS,
    block_values,
    word_automaton,
)
from udfs.html.page_kinds import HINTS


def bits_of(tags: list[bytes]) -> list[int]:
    ends = np.cumsum([len(tag) for tag in tags], dtype=np.intp)
    starts = ends - np.array([len(tag) for tag in tags], dtype=np.intp)
    found: list[int] = block_values(b"".join(tags), starts, ends, np.zeros_like(ends)).tolist()
    return found


def kinds(tag: str) -> list[str]:
    [bits] = bits_of([tag.encode()])
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
    bits = bits_of(tags)
    assert [value & (1 << KIND_BITS) - 1 for value in bits] == [2, 0, 2, 1, 2]
    assert bits[0] == bits[2] == bits[4] < 1 << VALUE_BITS
    assert bits_of([]) == []


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ('<div class="thread_list">', ["forum"]),
        ('<div class="QuestionAnswers" id="comments">', ["question_answer", "comments"]),
        ('<div class="article">', []),
    ],
)
def test_hints(tag: str, expected: list[str]) -> None:
    assert len(HINTS) == HINT_BITS
    [bits] = bits_of([tag.encode()])
    assert [hint for place, hint in enumerate(HINTS, KIND_BITS) if bits >> place & 1] == expected


def test_elements_of_the_same_first_class_have_the_same_signature() -> None:
    def signature(tag: str) -> int:
        [bits] = bits_of([tag.encode()])
        return bits >> KIND_BITS + len(HINTS)

    post = signature('<div class="post-item odd" id=post_1>')
    assert post == signature("<div id=post_2 class='postitem last'>") > 0
    assert post == signature('<div class=" 3 post_item2">') != signature('<div class="author">')
    assert signature("<div id=post_1>") == 0


PIECES = [
    "class",
    "CLASS",
    "id",
    "Id",
    "hidden",
    "display",
    "visibility",
    "none",
    ":",
    "=",
    '"',
    "'",
    ">",
    "/",
    "<",
    "-",
    "nav",
    "side",
    "text",
    "article-body",
    "leftSidebar",
    "sharetool",
    "dialog",
    "com",
    "comment",
    "commentary",
    "hot",
    "photo",
    "class=",
    'class="',
    "id='",
    'style="',
    "é",
]
TAG = st.one_of(
    st.lists(st.sampled_from([*PIECES, " ", " ", "\n", "\f", "\x1c"]), max_size=14).map("".join),
    st.text(alphabet="<>'\"= \nclasidnvhe:-", max_size=40),
).map(lambda text: b"<" + text.encode())


@settings(max_examples=2000, deadline=None)
@given(st.lists(TAG, max_size=6))
def test_as_patterns_and_a_library_find_them(tags: list[bytes]) -> None:
    zeros = np.zeros(len(tags), dtype=np.int64)
    assert bits_of(tags) == plain_block_values(tags, zeros).tolist()
    assert bits_of(tags) == [bits_of([tag])[0] for tag in tags]


WORDS = {"he": 1, "she": 2, "his": 4, "hers": 8, "e": 16, "shells": 32}


@given(st.text(alphabet="heisrl", max_size=30))
def test_all_words_are_found(text: str) -> None:
    states, bits = word_automaton(WORDS)
    state = said = 0
    for character in text:
        state = int(states[state, ord(character) - ord("a")])
        said |= int(bits[state])
    assert said == sum(bit for word, bit in WORDS.items() if word in text)


def test_other_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="'a-b' has other characters"):
        word_automaton({"a-b": 1})
