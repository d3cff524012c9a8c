"""The automaton of some words against looking for each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.html.class_words import word_automaton

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
