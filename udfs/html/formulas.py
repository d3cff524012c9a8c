r"""Replace formulas in a page's markup by readable text, before the page is parsed.

TeX of MathML annotations (Wikipedia, KaTeX), of MathJax's scripts and of formula images is kept
between dollar signs; the drawing that KaTeX adds for browsers is removed. Superscripts and
subscripts of one term are written with ^ and _. Formulas that are TeX in the text already, $x$ or
\(x\), stay unchanged.
"""

from __future__ import annotations

import re

import numpy as np

from udfs.base.array_types import BoolArray, IntpArray, UInt8Array
from udfs.base.jit import compiled
from udfs.html.tags import CODES, Tags, find_tags, tag_code

_HOLDS_FORMULA = np.zeros(CODES, dtype=np.bool_)
_HOLDS_FORMULA[[tag_code(name) for name in ("math", "sup", "sub", "script", "img")]] = True
_RAISED_TAG, _LOWERED, _MATH_TAG = tag_code("sup"), tag_code("sub"), tag_code("math")
_SCRIPT_TAG, _IMAGE_TAG = tag_code("script"), tag_code("img")
_TEX_SCRIPT = b'<script type="math/tex'
_TEX_SCRIPT_TAG = np.frombuffer(_TEX_SCRIPT, dtype=np.uint8)
_TEX = np.frombuffer(b"tex=", dtype=np.uint8)
_IMAGE_BYTES = 300  # of an image's tag in which "tex=" is searched
_TEX_BYTES = 4000  # the longest formula that is read
_DRAWN = b'<span class="katex-html"'

# Each is matched where a tag begins, and ends at the next tag at the latest, or after some thousand
# bytes: linear on any page.
_ATTRIBUTES = rb"(?:\s[^<>]{0,2000}+)?+>"
_MATH = re.compile(
    rb"<math\b([^<>]{0,2000}+)>((?:[^<]++|<(?!/?math\b))*+)</math\s*+>", re.IGNORECASE
)
_ANNOTATION = re.compile(rb"<annotation\b[^<>]{0,200}?tex[^<>]{0,200}>([^<]*+)<", re.IGNORECASE)
_ALT_TEXT = re.compile(rb"\salttext\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')", re.IGNORECASE)
_POWER = re.compile(
    rb"<m(sup|sub)" + _ATTRIBUTES + rb"\s*+(<m[ino]" + _ATTRIBUTES + rb"[^<]*+</m[ino]>)\s*+"
    rb"(?=<m[ino][\s>])"
)
_STYLED = re.compile(rb"\s*+\{\\(?:display|text)style\s*+(.*)\}\s*+", re.DOTALL)
_SCRIPT = re.compile(_TEX_SCRIPT + rb"([^<>]{0,200}+)>")
_IMAGE = re.compile(
    rb"<img\b(?=[^<>]{0,4000}?equation\?tex=)[^<>]{0,4000}?\salt=\"([^\"<>]{1,2000}+)\"[^<>]{0,4000}>"
)
_RAISED = re.compile(
    rb"(?<=[A-Za-z0-9)\]])<(sup|sub)" + _ATTRIBUTES
    + rb"((?!(?:st|nd|rd|th|tm)<)(?:[+-]|\xe2\x88\x92)?[0-9A-Za-z]{1,6})</su[pb]>",
    re.IGNORECASE,
)  # fmt: skip
_SPAN = re.compile(rb"<(/?)span\b", re.IGNORECASE)


def may_hold_formulas(tags: Tags) -> bool:
    """Whether `with_formulas` may change a page; False where it does not.

    >>> from udfs.html.tags import find_tags
    >>> [may_hold_formulas(find_tags(page)) for page in (b"<p>x<sup>2</sup>", b"<img src=tex>")]
    [True, False]
    """
    return _may_hold_formulas(
        np.frombuffer(tags.page, dtype=np.uint8),
        tags.starts,
        tags.codes,
        tags.is_end,
        _TEX_SCRIPT_TAG,
        _TEX,
    )


def with_formulas(tags: Tags) -> Tags:
    """Return a page with readable formulas; the same object for a page without any.

    Args:
        tags: Tags of a page within `udfs.html.page_text.HtmlLimits`.
    """
    page = tags.page
    kept: list[bytes] = []
    position = 0
    for start in tags.starts[_HOLDS_FORMULA[tags.codes] & ~tags.is_end].tolist():
        if start < position:
            continue
        formula = _formula_at(page, start)
        if formula is not None:
            kept += page[position:start], formula[0]
            position = formula[1]
    if not kept:
        return tags
    return find_tags(_without_drawings(b"".join(kept) + page[position:]))


def _formula_at(page: bytes, start: int) -> tuple[bytes, int] | None:
    """Return the text of the formula that a tag begins, and the formula's end; None without one."""
    name = page[start + 1 : start + 3].lower()
    if name == b"su":
        raised = _RAISED.match(page, start)
        if raised:
            return (b"^" if raised[1].lower() == b"sup" else b"_") + raised[2], raised.end()
    elif name == b"ma":
        math = _MATH.match(page, start)
        if math:
            return _math(math), math.end()
    elif name == b"im":
        image = page.find(b"tex=", start, start + _IMAGE_BYTES) > 0 and _IMAGE.match(page, start)
        if image:
            return b" $" + image[1] + b"$ ", image.end()
    elif page.startswith(_TEX_SCRIPT, start):
        script = _SCRIPT.match(page, start)
        end = page.find(b"</script>", script.end(), script.end() + _TEX_BYTES) if script else -1
        if script and end > 0:
            tex = page[script.end() : end].strip().replace(b"&", b"&amp;").replace(b"<", b"&lt;")
            sign = b"$$" if b"display" in script[1] else b"$"
            return sign + tex + sign, end + len(b"</script>")
    return None


def _math(math: re.Match[bytes]) -> bytes:
    annotation = _ANNOTATION.search(math[2])
    alternative = _ALT_TEXT.search(math[1])
    if annotation:
        tex = annotation[1]
    elif alternative:
        tex = alternative[1] or alternative[2] or b""
    else:
        return _POWER.sub(_power, math[0])
    styled = _STYLED.fullmatch(tex)
    tex = (styled[1] if styled else tex).strip()
    return b"$" + tex + b"$" if tex else b""


def _power(power: re.Match[bytes]) -> bytes:
    sign = b"^" if power[1].lower() == b"sup" else b"_"
    return power[0] + b"<mo>" + sign + b"</mo>"


def _without_drawings(page: bytes) -> bytes:
    """Return a page without the spans in which KaTeX draws a formula that is also MathML."""
    kept: list[bytes] = []
    position = 0
    while (start := page.find(_DRAWN, position)) >= 0:
        end = _span_end(page, start)
        if end is None:
            break
        kept.append(page[position:start])
        position = end
    return b"".join(kept) + page[position:] if kept else page


def _span_end(page: bytes, start: int) -> int | None:
    """Return the end of the span that begins at a place; None for an unclosed span."""
    depth = 0
    for span in _SPAN.finditer(page, start):
        depth += -1 if span[1] else 1
        if depth == 0:
            return page.find(b">", span.end()) + 1 or None
    return None


@compiled
def _may_hold_formulas(
    page: UInt8Array,
    starts: IntpArray,
    codes: IntpArray,
    is_end: BoolArray,
    tex_script: UInt8Array,
    tex: UInt8Array,
) -> bool:
    for tag in range(len(codes)):
        code = codes[tag]
        if is_end[tag]:
            continue
        if code in (_RAISED_TAG, _LOWERED, _MATH_TAG):
            return True
        start = starts[tag]
        if code == _SCRIPT_TAG:
            if _stands_at(page, start, len(page), tex_script):
                return True
        elif code == _IMAGE_TAG:
            end = min(start + _IMAGE_BYTES, len(page))
            for at in range(start, end):
                if page[at] == tex[0] and _stands_at(page, at, end, tex):
                    return True
    return False


@compiled
def _stands_at(page: UInt8Array, at: int, end: int, word: UInt8Array) -> bool:
    """Whether a word is at a place of a range that ends at another."""
    is_same = at + len(word) <= end
    place = 0
    while is_same and place < len(word):
        is_same = page[at + place] == word[place]
        place += 1
    return is_same
