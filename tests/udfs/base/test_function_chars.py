"""Function characters."""

from __future__ import annotations

import numpy as np

from udfs.base.characters import FUNCTION_CHARS, is_function_char
from udfs.base.code_points import CODE_POINTS


def test_only_function_characters_are_found() -> None:
    flags = is_function_char(np.arange(CODE_POINTS, dtype=np.uint32))
    assert {chr(code) for code in np.flatnonzero(flags)} == set(FUNCTION_CHARS)
    assert len(set(FUNCTION_CHARS)) == len(FUNCTION_CHARS)
