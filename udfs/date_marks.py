"""Whether a page has the marks of a date that `udfs.published` looks for, told from its bytes.

To search the text of a page for them takes ten times as long, and most pages have none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from udfs.compiled import compiled

_LETTERS = 4
_E, _UPPER_P, _P, _U, _B, _QUOTE = b'ePpub"'


def may_have_marks(page: bytes) -> bool:
    """Whether datePublished or "pubDate" may stand in a page; False where neither does.

    Args:
        page: UTF-8.

    >>> may_have_marks(b'<i itemprop="datePublished">'), may_have_marks(b"<i class=publication>")
    (True, False)
    """
    return _has_letters(np.frombuffer(page, dtype=np.uint8))


@compiled
def _has_letters(page: npt.NDArray[np.uint8]) -> bool:
    """Whether "ePub" or '"pub' stands in a page."""
    size = max(len(page) - _LETTERS + 1, 0)
    first, second, third, fourth = page[:size], page[1:], page[2:], page[3:]
    found = False
    # No branches and no way out: so the loop takes many bytes at a time.
    for place in range(size):
        byte, following = first[place], second[place]
        found |= (
            (third[place] == _U)
            & (fourth[place] == _B)
            & (((byte == _E) & (following == _UPPER_P)) | ((byte == _QUOTE) & (following == _P)))
        )
    return found
