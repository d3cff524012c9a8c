"""Samples of long texts, for models that need not read all of one."""

from __future__ import annotations

import re

# fastText ends its input at a newline, and treats NUL and the other separators as spaces.
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\u3000]+")


def sample_text(text: str, pieces: int, piece_chars: int) -> str:
    """Return one line of characters taken evenly from the whole length of a text.

    The first lines of a page are its menu as often as its article, so a sample has pieces of all
    of it; the text's length alone decides their places.

    Args:
        text: Any text.
        pieces: Number of pieces; the first and the last are the text's ends.
        piece_chars: Characters of each.
    Returns:
        At most pieces * piece_chars characters, with a space between pieces; a shorter text
        whole. Line breaks and controls become spaces, lone surrogates question marks.
    """
    if len(text) > pieces * piece_chars:
        stride = (len(text) - piece_chars) / max(1, pieces - 1)
        starts = [round(piece * stride) for piece in range(pieces)]
        text = " ".join(text[start : start + piece_chars] for start in starts)
    line = _BREAKS.sub(" ", text).strip()
    return line.encode("utf-8", "replace").decode("utf-8")
