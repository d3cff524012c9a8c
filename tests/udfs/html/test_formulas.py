"""Formulas that markup hides become readable, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.html.formulas import may_hold_formulas, with_formulas
from udfs.html.markers import marked
from udfs.html.page_lines import all_text, body_text, lines_of_text, parsed
from udfs.html.tags import find_tags

TEX = r"x^{2} < y"
MATH = (
    '<math alttext="{\\displaystyle x}"><semantics><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow>'
    f'<annotation encoding="application/x-tex">{{\\displaystyle {TEX.replace("<", "&lt;")}}}'
    "</annotation></semantics></math>"
)


def text_of(html: str) -> str:
    return all_text(
        lines_of_text(body_text(parsed(marked(with_formulas(find_tags(html.encode()))))))
    )


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("设$x$和\\(y\\)，则", "设$x$和\\(y\\)，则"),
        (f"设{MATH}，则", f"设${TEX}$，则"),
        ("设<math alttext='y'><mi>z</mi></math>，", "设$y$，"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><msub><mi>a</mi><mi>i</mi></msub></math>",
         "x^2+a_i"),
        ("<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>", "ab"),
        ('设<script type="math/tex">a<b & c</script>，', "设$a<b & c$，"),
        ('<script type="math/tex; mode=display">x</script>', "$$x$$"),
        ('设<img src="//a.b/equation?tex=x" alt="x&lt;1" width=2>，', "设 $x<1$ ，"),
        ('设<img src="a.png" alt="图">，', "设，"),
        ("x<sup>2</sup>，H<SUB>2</SUB>O，10<sup class=a>-3</sup>，f(x)<sub>i</sub>",
         "x^2，H_2O，10^-3，f(x)_i"),
        # Notes and ordinals are no powers.
        ("文字<sup>1</sup>，a<sup><a href=x>[1]</a></sup>，1<sup>st</sup>", "文字1，a[1]，1st"),
        (f'{MATH}<span class="katex-html"><span>x</span>2</span>后', f"${TEX}$后"),
        (f'{MATH}<span class="katex-html"><span>x</span>后', f"${TEX}$x后"),
        ("<math>未完", "未完"),
        ('<script type="math/tex">未完', ""),
    ],
)  # fmt: skip
def test_formulas_are_readable(html: str, expected: str) -> None:
    assert text_of(html) == expected


def test_a_page_without_formulas_is_left_alone() -> None:
    tags = find_tags(b"<p>a<img src=x><sup><a>1</a></sup><script>x</script>")
    assert with_formulas(tags) is tags


@pytest.mark.parametrize(
    "piece",
    ["<math>", "<math><annotation tex>", "a<sup ", "<sup>1</su", '<script type="math/tex">',
     "<img equation?tex= alt=", "<math><msup><mi>", 'a<sup>1</sup><span class="katex-html">'],
)  # fmt: skip
def test_unfinished_formulas_take_linear_time(piece: str) -> None:
    with_formulas(find_tags((piece * (1_000_000 // len(piece))).encode()))


PIECE = st.sampled_from(
    ["<math>", "</math>", "<annotation tex>", "</annotation>", "<sup>", "</sup>", "2", "x", "&#",
     "20013;", "&amp;", '<script type="math/tex">', "</script>", "中", '<img alt="', '">', " tex="]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECE, max_size=30).map("".join))
def test_formulas_bring_no_ideographs(html: str) -> None:
    """The bound of udfs/charset/prefilter.py counts those of the markup and its references."""
    plain = html.count("中") + html.count("&#20013;")
    assert text_of(html).count("中") <= plain


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
