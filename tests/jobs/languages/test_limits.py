"""Limits carried over by their place in a distribution."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.languages.limits import carried, carried_condition, share_beyond

LIKE = tuple((float(value), 1) for value in range(100))
OWN = tuple((value / 10, 2) for value in range(50))


@pytest.mark.parametrize(
    "limit, operator, value, rejects",
    [
        (10.0, "<", 0.5, 0.10),
        (10.0, "<=", 0.5, 0.10),  # 0.11 of the other texts; the next step is 0.12
        (89.0, ">", 4.4, 0.10),
        (99.0, ">", 99.0, 0.0),  # rejects nothing in either
        (0.0, "<", 0.0, 0.0),
    ],
)
def test_a_limit_keeps_its_place(limit: float, operator: str, value: float, rejects: float) -> None:
    found = carried(LIKE, OWN, limit, operator)
    assert (found.value, found.rejects) == (value, pytest.approx(rejects))


def test_a_limit_without_a_place_spares_the_language() -> None:
    """1 rejects nothing of 5 to 9, and would reject some of 0 to 5."""
    like = tuple((float(value), 1) for value in range(5, 10))
    assert carried(like, OWN, 1.0, "<").value == 0.0


def test_texts_of_one_value_make_no_limit_stricter() -> None:
    """No text of a set of short comments has a URL; pages have."""
    assert carried(LIKE, ((0.0, 100),), 90.0, ">=").value == 90.0
    assert carried(LIKE, ((0.0, 100),), 10.0, "<").value == 0.0


HISTOGRAMS = st.dictionaries(st.integers(0, 30), st.integers(1, 9), min_size=1).map(
    lambda counts: tuple(sorted((float(value), count) for value, count in counts.items()))
)


@given(HISTOGRAMS, HISTOGRAMS, st.integers(0, 30), st.sampled_from(["<", "<=", ">", ">="]))
def test_no_greater_share_is_rejected(like, own, limit, operator) -> None:  # type: ignore[no-untyped-def]
    found = carried(like, own, float(limit), operator)
    assert share_beyond(own, found.value, found.operator) == pytest.approx(found.rejects)
    assert found.rejects <= share_beyond(like, float(limit), operator)


def test_conditions_are_carried_over_comparison_by_comparison() -> None:
    like = {"chars": LIKE, "function_char_share": LIKE}
    own = {"chars": OWN, "stop_word_share": OWN}
    condition = "function_char_share < 10 AND chars * 2 > 5 AND url_count * 500 > chars"
    text, limits = carried_condition(condition, like, own, has_words=True) or ("", [])
    assert text == "stop_word_share < 0.5 AND chars * 2 > 5 AND url_count * 500 > chars"
    assert [name for name, _ in limits] == ["stop_word_share"]


@pytest.mark.parametrize("condition", ["sensitive_total > 3", "words > 3 AND chars < 9"])
def test_conditions_that_a_language_cannot_answer_are_left_out(condition: str) -> None:
    assert carried_condition(condition, {}, {}, has_words=False) is None
