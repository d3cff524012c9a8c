"""Pages that have no formulas, told without looking for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.html.formulas import may_hold_formulas, with_formulas
from udfs.html.tags import find_tags

PIECES = [
    "x<sup>2</sup>", "H<SUB>2</SUB>O", "<math><mi>x</mi></math>", "<math", "<mat>", "<map>",
    '<script type="math/tex">x</script>', '<script type="text/javascript">', "</script>",
    '<img src="equation?tex=x" alt="x">', "<image tex=x>", "<img", " tex=", "te", "<support>",
    "</sup>", "<p>", "x", ">", '"', "<main>",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_page_that_is_passed_over_would_not_change(html: str) -> None:
    tags = find_tags(html.encode())
    assert may_hold_formulas(tags) or with_formulas(tags) is tags


@pytest.mark.parametrize(
    ("html", "holds"),
    [
        ("<p>a<sup>2</sup>", True),
        ("<p>a<sub>2</sub>", True),
        ("<math><mi>x</mi></math>", True),
        ('<script type="math/tex">x</script>', True),
        ('<script type="text/x">', False),
        ('<img alt="x" src="/equation?tex=x">', True),
        ('<img alt="' + "x" * 300 + '" src="/equation?tex=x">', False),  # too far to be looked at
        ("<p>tex=</p></sup></math><img>", False),
    ],
)
def test_what_a_formula_may_begin_with(html: str, holds: bool) -> None:
    assert may_hold_formulas(find_tags(html.encode())) == holds
