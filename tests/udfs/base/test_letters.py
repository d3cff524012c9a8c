"""Letters of the Arabic script in one way: in texts, and in words that are looked up."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from udfs.base.letters import FOLDS, fold_letters, letter_table, normalise_letters

EVERY = tuple(FOLDS)
letters = st.text(alphabet=st.characters(min_codepoint=0x600, max_codepoint=0x6FF), max_size=20)


def test_each_step_changes_what_it_names() -> None:
    text = "قَالَ: برشــا أنا إلى ﻻ مدرسة"
    assert normalise_letters(text, ["arabic_marks"]) == (
        "قال: برشــا أنا إلى ﻻ مدرسة",
        {"arabic_marks": 2},
    )
    assert normalise_letters(text, EVERY) == (
        "قال: برشا انا الي لا مدرسه",
        {
            "arabic_marks": 2,
            "tatweel": 2,
            "alef_forms": 2,
            "alef_maqsura": 1,
            "teh_marbuta": 1,
            "presentation_forms": 1,
        },
    )
    assert normalise_letters("plain 汉字", EVERY) == ("plain 汉字", {})


def test_marks_are_marks_and_presentation_forms_compose() -> None:
    assert all(
        unicodedata.combining(chr(code))
        or code in range(0x6D6, 0x6EE)
        or unicodedata.category(chr(code)) == "Mn"
        for code in FOLDS["arabic_marks"]
    )
    for code, text in FOLDS["presentation_forms"].items():
        assert unicodedata.normalize("NFKC", chr(code)) == text != chr(code)


@given(letters)
def test_a_text_that_was_normalised_stays_as_it_is(text: str) -> None:
    once, _ = normalise_letters(text, EVERY)
    assert normalise_letters(once, EVERY) == (once, {})


@given(letters)
def test_the_table_folds_as_the_text(text: str) -> None:
    steps = ("arabic_marks", "tatweel", "alef_forms", "teh_marbuta")
    table = letter_table(steps)
    folded = "".join(chr(code) for c in text if (code := int(table[ord(c)])))
    assert folded == fold_letters(text, steps)
