"""Repetition inside a text: 13-character windows and lines that occur more than once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.code_points import CODE_POINTS, CodePoints, EncodedTexts, Slices, encode_texts

WINDOW = 13

# Any odd number would do; fixed, so that two runs agree.
_BASE = np.uint64(0x9E3779B97F4A7C15)

# Letters with case end well before this; to ask all 1.1 million code points takes a second.
_CASED = 0x20000

Shares = npt.NDArray[np.float64]


class WindowShares(NamedTuple):
    """Shares of 13-character windows that occur more than once, shape (texts,) each."""

    every: Shares
    """Of all windows."""
    casia: Shares
    """Of all windows but the last, as the published script counts."""


def normalise_for_windows(text: str) -> str:
    """Text as the windows see it: stripped, lower case, without spaces, newlines, tabs.

    Source: ChineseWebText 2.0's script, rule "duplication".
    """
    return text.strip().lower().translate(_DROPPED)


def window_shares(texts: Sequence[str], encoded: EncodedTexts) -> WindowShares:
    """Shares of a text's 13-character windows that occur more than once in it.

    Every copy counts, the first included. 0.0 where there is no window. Windows are compared
    by a 64-bit hash: the chance that a text of 1,200 characters has two windows mistaken for
    one another is 4e-14.

    Args:
        texts: The texts as they are, not normalised.
        encoded: The same texts' code points.
    Source:
        ChineseWebText 2.0, section 3 (limit 0.5).
    """
    codes = encoded.codes
    dropped = (codes == ord(" ")) | (codes == ord("\n")) | (codes == ord("\t"))
    starts = encoded.starts
    for index, text in enumerate(texts):
        if text and (text[0].isspace() or text[-1].isspace()):
            start, stop = starts[index], starts[index] + len(text)
            dropped[start : start + len(text) - len(text.lstrip())] = True
            dropped[start + len(text.rstrip()) : stop] = True
    lengths = encoded.lengths - encoded.counts_of(dropped)
    shares = _shares(EncodedTexts(codes[~dropped], lengths))
    for index in _texts_to_lower_whole(encoded):
        alone = _shares(encode_texts([normalise_for_windows(texts[index])]))
        shares.every[index], shares.casia[index] = alone.every[0], alone.casia[0]
    return shares


def dup_line_share(text: str) -> float:
    """Share of a text's lines that repeat an earlier line; blank lines are left out.

    Returns:
        Fraction in [0, 1), 0.0 for no lines. The first copy does not count.
    Source:
        Gopher (arXiv 2112.11446), table A1, duplicate line fraction.
    """
    if "\n" not in text:
        return 0.0
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


_DROPPED = dict.fromkeys(map(ord, " \n\t"))


def _shares(kept: EncodedTexts) -> WindowShares:
    """Shares for texts that are normalised but for lower case."""
    windows = np.maximum(kept.lengths - (WINDOW - 1), 0)
    hashes = _window_hashes(kept.codes)[_begins_window(kept)]
    cut = Slices(windows)
    has_windows = np.flatnonzero(windows)
    last = np.zeros(len(windows), dtype=np.uint64)
    last[has_windows] = hashes[cut.stops[has_windows] - 1]
    bounds = list(zip(cut.starts.tolist(), cut.stops.tolist(), strict=True))
    for start, stop in bounds:
        hashes[start:stop].sort()
    same_as_next = np.zeros(len(hashes) + 1, dtype=bool)
    same_as_next[1:-1] = hashes[1:] == hashes[:-1]
    same_as_next[cut.starts] = False
    repeats = cut.counts_of(same_as_next[1:] | same_as_next[:-1])

    # The published script's range ends one short: its last window is missing. Without it its
    # copies are one fewer, and a single copy left over repeats nothing.
    casia_repeats = repeats.copy()
    for index in np.flatnonzero(repeats).tolist():
        start, stop = bounds[index]
        copies = np.count_nonzero(hashes[start:stop] == last[index])
        casia_repeats[index] -= 2 if copies == 2 else copies > 2
    return WindowShares(
        every=repeats / np.maximum(windows, 1),
        casia=casia_repeats / np.maximum(windows - 1, 1),
    )


def _begins_window(texts: EncodedTexts) -> npt.NDArray[np.bool_]:
    """True where a window of the same text begins: not in its last 12 places."""
    tails = texts.stops[:, None] - np.arange(1, WINDOW)
    begins = np.ones(len(texts.codes), dtype=bool)
    begins[tails[tails >= texts.starts[:, None]]] = False
    return begins


def _window_hashes(codes: CodePoints) -> npt.NDArray[np.uint64]:
    """Hash of the 13 characters from each position on; what lies past the end is zero."""
    by_1 = np.zeros(len(codes) + WINDOW - 1, dtype=np.uint64)
    by_1[: len(codes)] = _character_hashes()[codes]
    by_2 = _joined(by_1[:-1], 1, by_1[1:])
    by_4 = _joined(by_2[:-2], 2, by_2[2:])
    by_8 = _joined(by_4[:-4], 4, by_4[4:])
    by_12 = _joined(by_8[:-4], 4, by_4[8:])
    return _joined(by_12[:-1], 1, by_1[12:])


def _joined(
    left: npt.NDArray[np.uint64], right_width: int, right: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """Hash of left's characters followed by right's, from the hashes of both."""
    joined: npt.NDArray[np.uint64] = left * _BASE**right_width
    joined += right
    return joined


def _texts_to_lower_whole(encoded: EncodedTexts) -> list[int]:
    """Indexes of texts with a character whose lower case is not one fixed character."""
    found = reduce(or_, (encoded.codes == code for code in _whole_characters()))
    return encoded.texts_with(found)


@lru_cache(maxsize=1)
def _whole_characters() -> list[int]:
    """What ``str.lower`` turns into several characters, or looks around for."""
    final_or_not = ord("Σ")
    return [final_or_not, *(c for c in range(_CASED) if len(chr(c).lower()) != 1)]


@lru_cache(maxsize=1)
def _character_hashes() -> npt.NDArray[np.uint64]:
    """A random-looking number for every code point, the same for both cases of a letter.

    Numbers without a pattern, so that windows of neighbouring code points do not cancel out
    in the sum: the finaliser of splitmix64.
    """
    lowered = np.arange(CODE_POINTS, dtype=np.uint64)
    lowered[:_CASED] = [
        ord(lower) if len(lower := chr(c).lower()) == 1 else c for c in range(_CASED)
    ]
    mixed = lowered + _BASE
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashes: npt.NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return hashes
