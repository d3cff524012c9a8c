"""Marks: words, stretches around them, and differences of two texts."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from jobs.audit.marks import MAX_MARKS, Mark, difference_marks, stretch_of, word_marks

CLAUSES = st.lists(
    st.sampled_from(["甲乙,", "丙丁。", "戊", "己\n", "庚辛;", "甲乙丙,"]), max_size=12
)


def without(text: str, marks: list[Mark]) -> str:
    kept, at = [], 0
    for mark in marks:
        kept.append(text[at : mark.start])
        at = mark.start + mark.length
    return "".join([*kept, text[at:]])


@given(CLAUSES, CLAUSES)
def test_what_is_not_marked_is_equal_in_both_texts(one: list[str], two: list[str]) -> None:
    text, other = "".join(one), "".join(two)
    marks, other_marks = difference_marks(text, other, "differs")
    assert without(text, marks) == without(other, other_marks)
    assert (not marks and not other_marks) == (text == other)


def test_differences_are_as_small_as_difflib_finds_them_in_an_edited_article() -> None:
    text = "".join(f"第{n}句说的是事情{n * 7}，还有别的。" for n in range(60))
    other = text.replace("事情21", "新闻21").replace("第40句说的是事情280，还有别的。", "")
    marks, other_marks = difference_marks(text, other, "differs")
    expected = [
        (a1, a2 - a1)
        for kind, a1, a2, _, _ in difflib.SequenceMatcher(None, text, other, False).get_opcodes()
        if kind != "equal"
    ]
    assert sum(m.length for m in marks) == sum(length for _, length in expected)
    assert next(m.start for m in marks) == expected[0][0]
    assert [m.length for m in other_marks] == [2, 2, 2]


def test_a_comparison_of_repeated_clauses_ends_soon() -> None:
    marks, _ = difference_marks("是,不," * 20_000, "不,是,是," * 15_000, "differs")
    assert marks


def test_words_are_marked_wherever_they_occur_and_not_without_end() -> None:
    assert word_marks("赌博网赌博", {"赌博": "gambling", "博网": "other", "": "none"}) == [
        Mark(0, 2, "gambling"),
        Mark(1, 2, "other"),
        Mark(3, 2, "gambling"),
    ]
    assert len(word_marks("赌" * 1000, {"赌": "gambling"})) == MAX_MARKS


def test_a_stretch_begins_before_the_first_mark_and_cuts_marks_that_leave_it() -> None:
    text = "".join(chr(0x4E00 + n) for n in range(100))
    part, marks = stretch_of(text, [Mark(50, 60, "x"), Mark(10, 2, "y")], 20)
    assert (part, marks) == (text[5:25], [Mark(5, 2, "y")])
    part, marks = stretch_of(text, [Mark(95, 5, "x")], 20)
    assert (part, marks) == (text[80:], [Mark(15, 5, "x")])
    assert stretch_of(text, [], 20, default=40) == (text[35:55], [])
    assert stretch_of("短", [Mark(0, 1, "x")], 20) == ("短", [Mark(0, 1, "x")])
