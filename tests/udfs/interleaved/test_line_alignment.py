"""Lines of a text in its later versions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from udfs.interleaved.line_alignment import moved_places

LINES = st.lists(st.sampled_from(["", " ", "甲", "乙", "丙丁", "电话", "a b"]), max_size=12)


def lines_of(text: str) -> list[str]:
    return text.split("\n")


def test_an_edited_line_is_found_by_its_number() -> None:
    assert moved_places(["一\n二\n三", "一\n二二\n三"], [0, 1, 2, 3]) == [0, 1, 2, 3]


def test_a_place_after_a_cut_line_follows_the_last_line_before_it() -> None:
    first = "一\n二\n三\n四"
    assert moved_places([first, "一\n四"], [0, 1, 2, 3, 4]) == [0, 1, 1, 1, 2]
    assert moved_places([first, "三\n四"], [0, 1, 2, 3, 4]) == [0, 0, 0, 1, 2]


def test_lines_are_found_where_one_is_edited_and_another_one_cut() -> None:
    first, edited, cut = "一\n二\n三\n四\n五", "一\n二\n三*\n四\n五", "一\n三*\n四\n五"
    assert moved_places([first, edited, cut], [2, 3, 4, 5]) == [1, 2, 3, 4]
    # Without the version between, the edited line is one of two that lie between found ones.
    assert moved_places([first, cut], [3, 4, 5]) == [1, 3, 4]
    # Where equally many are left between lines that are found, they are the same.
    assert moved_places([first, "一\n二*\n三\n五"], [2, 3, 4]) == [2, 3, 3]


def test_a_place_beyond_a_text_is_at_its_end() -> None:
    assert moved_places(["一\n二"], [-3, 7]) == [0, 2]
    assert moved_places(["一\n二", ""], [2]) == [0]


@given(st.data())
def test_lines_that_were_cut_are_the_only_ones_that_are_missed(data: st.DataObject) -> None:
    """Of lines that differ from each other the places are exact, whichever were cut."""
    names = [f"第{number}行" for number in range(data.draw(st.integers(1, 15)))]
    is_left = data.draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    left = [name for name, kept in zip(names, is_left, strict=True) if kept]
    places = list(range(len(names) + 1))
    moved = moved_places(["\n".join(names), "\n".join(left)], places)
    expected = [sum(is_left[:place]) for place in places]
    if left:
        assert moved == expected


@given(LINES, LINES, st.lists(st.integers(-2, 15), max_size=8))
def test_places_stay_in_order_and_in_the_text(
    lines: list[str], later: list[str], places: list[int]
) -> None:
    first, last = "\n".join(lines), "\n".join(later)
    moved = moved_places([first, last], sorted(places))
    assert moved == sorted(moved)
    assert all(0 <= place <= len(lines_of(last)) for place in moved)
    clamped = [min(max(place, 0), len(lines_of(first))) for place in sorted(places)]
    assert moved_places([first, first], sorted(places)) == clamped
