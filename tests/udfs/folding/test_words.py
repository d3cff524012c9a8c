"""Every line of the tables, in its context and out of it."""

from __future__ import annotations

import re

import pytest

from udfs.folding import matching
from udfs.folding.contexts import CONTEXTS
from udfs.folding.fold import fold
from udfs.folding.matching import WordTableError, disguised_words

IN_CONTEXT = {
    "any": "，{}。",
    "contact": "加{}",
    "account": "，{} ab12345",
    "asked": "请加我{}",
    "offer": "，{}领取",
    "web": "，{}平台",
}
NAMES = {id(context): name for name, context in CONTEXTS.items()}


@pytest.mark.parametrize("name", CONTEXTS)
def test_every_way_of_writing_is_found_in_its_context(name: str) -> None:
    words = [
        word
        for word in disguised_words()
        if NAMES[id(word.context)] == name and not word.needs_gaps
    ]
    assert words
    for word in words:
        text = IN_CONTEXT[name].format(word.written)
        assert word.meant in fold(text), (word.written, fold(text))


def test_words_of_a_context_stay_without_it() -> None:
    everywhere = {word.written for word in disguised_words() if word.context is None}
    for word in disguised_words():
        if word.context is not None and word.written not in everywhere:
            text = f"说{word.written}吧"
            assert fold(text) == text, word.written


def test_spelled_words_are_folded_with_signs_alone() -> None:
    for word in disguised_words():
        if word.needs_gaps:
            assert fold(f"，{word.written}。") == f"，{word.meant}。"
            assert fold(f"，{'*'.join(word.written)}。") == f"，{word.meant}。"


def test_no_way_of_writing_is_listed_twice() -> None:
    keys = [(word.written.lower(), id(word.context), word.needs_gaps) for word in disguised_words()]
    assert len(set(keys)) == len(keys)


def test_nothing_that_is_meant_is_folded_again() -> None:
    for word in disguised_words():
        if not word.needs_gaps:
            assert fold(f"，{word.meant}。") == f"，{word.meant}。"


def test_a_line_that_cannot_be_read_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in ("微信 nowhere 薇信", "微信 any", "微信 any 薇"):
        monkeypatch.setattr(matching, "TABLES", (line,))
        matching.disguised_words.cache_clear()
        with pytest.raises(WordTableError, match=re.escape(line.split()[-1])):
            disguised_words()
    monkeypatch.undo()
    matching.disguised_words.cache_clear()
