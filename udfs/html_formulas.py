"""Whether a page can have formulas, told from its tags: `udfs.formulas` looks at each in turn."""

from __future__ import annotations

import numpy as np

from udfs.compiled import compiled
from udfs.html_guard import Bytes, Flags, Places, Tags, tag_code

_RAISED, _LOWERED, _MATH = tag_code("sup"), tag_code("sub"), tag_code("math")
_SCRIPT, _IMAGE = tag_code("script"), tag_code("img")
_TEX_SCRIPT = np.frombuffer(b'<script type="math/tex', dtype=np.uint8)
_TEX = np.frombuffer(b"tex=", dtype=np.uint8)
_IMAGE_BYTES = 300  # of an image's tag, in which its formula is asked for


def may_hold_formulas(tags: Tags) -> bool:
    """Whether `udfs.formulas.with_formulas` may change a page; False where it does not.

    >>> from udfs.html_guard import find_tags
    >>> [may_hold_formulas(find_tags(page)) for page in (b"<p>x<sup>2</sup>", b"<img src=tex>")]
    [True, False]
    """
    return _may_hold_formulas(
        np.frombuffer(tags.page, dtype=np.uint8),
        tags.starts,
        tags.codes,
        tags.is_end,
        _TEX_SCRIPT,
        _TEX,
    )


@compiled
def _may_hold_formulas(
    page: Bytes, starts: Places, codes: Places, is_end: Flags, tex_script: Bytes, tex: Bytes
) -> bool:
    for tag in range(len(codes)):
        code = codes[tag]
        if is_end[tag]:
            continue
        if code in (_RAISED, _LOWERED, _MATH):
            return True
        start = starts[tag]
        if code == _SCRIPT:
            if _stands_at(page, start, len(page), tex_script):
                return True
        elif code == _IMAGE:
            end = min(start + _IMAGE_BYTES, len(page))
            for at in range(start, end):
                if page[at] == tex[0] and _stands_at(page, at, end, tex):
                    return True
    return False


@compiled
def _stands_at(page: Bytes, at: int, end: int, word: Bytes) -> bool:
    """Whether a word stands at a place of what ends at another."""
    is_same = at + len(word) <= end
    place = 0
    while is_same and place < len(word):
        is_same = page[at + place] == word[place]
        place += 1
    return is_same
