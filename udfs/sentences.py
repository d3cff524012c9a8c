"""How many sentences a text has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from udfs.characters import ENDS, WORDS, Kind, Kinds
from udfs.code_points import CodePoints, Counts, EncodedTexts, Slices


def count_sentences(encoded: EncodedTexts, kinds: Kinds, counts: Counts) -> Counts:
    """Number of sentences of each text, shape (texts,).

    A sentence is what stands between two ends and has a letter or digit in it; an end is a
    mark of SENTENCE_ENDS or a line feed. A full stop before a Latin letter or a digit, in ASCII
    all of them, is inside a number or a name and no end.

    Args:
        encoded: Texts.
        kinds: Their characters' kinds.
        counts: ``count_kinds`` of both.
    """
    is_word = _between(kinds, WORDS)
    matters = is_word | _between(kinds, ENDS)
    is_word[_inner_stops(encoded)] = True
    # Without what is neither, a sentence is a word right behind an end.
    is_word = is_word[matters]
    words_and_ends = Slices(counts[:, WORDS[0] : ENDS[-1] + 1].sum(axis=1))
    begins = is_word.copy()
    begins[1:] &= ~is_word[:-1]
    first = words_and_ends.starts[words_and_ends.lengths > 0]
    begins[first] = is_word[first]
    return words_and_ends.counts_of(begins)


def _between(kinds: Kinds, bounds: tuple[Kind, Kind]) -> npt.NDArray[np.bool_]:
    # One comparison: what lies below wraps around to a large number.
    between: npt.NDArray[np.bool_] = (kinds - np.uint8(bounds[0])) <= bounds[1] - bounds[0]
    return between


def _inner_stops(encoded: EncodedTexts) -> npt.NDArray[np.int64]:
    """Where a full stop has an ASCII letter or digit behind it."""
    codes = encoded.codes
    stops = np.flatnonzero(codes[:-1] == ord("."))
    inner = stops[_is_ascii_word(codes[stops + 1])]
    # What follows in the next text does not count.
    return inner[~np.isin(inner, encoded.stops - 1)]


def _is_ascii_word(codes: CodePoints) -> npt.NDArray[np.bool_]:
    letters = (codes | 0x20) - np.uint32(ord("a")) < 26
    return letters | (codes - np.uint32(ord("0")) < 10)
