"""Repetition inside a text: 13-character windows that occur more than once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.characters import lowered_characters
from udfs.base.code_points import CodePoints, Counts, EncodedTexts, Slices, encode_texts

WINDOW = 13

LONG_CHARS = 1 << 20
"""Longest text whose windows are all held at once, at 8 bytes each and as much again."""

_HELD_WINDOWS = 1 << 22
_BLOCK_CHARS = 1 << 16

# Any odd number would do; fixed, so that two runs agree.
_BASE = np.uint64(0x9E3779B97F4A7C15)

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
    one another is 4e-14, for one of a million characters 3e-8.

    Args:
        texts: The texts as they are, not normalised.
        encoded: The same texts' code points.
    Source:
        ChineseWebText 2.0, section 3 (limit 0.5).
    """
    return window_shares_of(kept_characters(texts, encoded))


def kept_characters(texts: Sequence[str], encoded: EncodedTexts) -> EncodedTexts:
    """The code points of ``normalise_for_windows`` of each text, but for the case of letters.

    Args:
        texts: The texts as they are.
        encoded: The same texts' code points.
    Returns:
        Code points that are equal to the normalised ones once ``lowered_characters`` has
        been applied to them.
    """
    whole = _texts_to_lower_whole(encoded)
    if whole:
        lowered = list(texts)
        for index in whole:
            lowered[index] = normalise_for_windows(lowered[index])
        texts, encoded = lowered, encode_texts(lowered)
    codes = encoded.codes
    dropped = (codes == ord(" ")) | (codes == ord("\n")) | (codes == ord("\t"))
    starts = encoded.starts
    for index, text in enumerate(texts):
        if text and (text[0].isspace() or text[-1].isspace()):
            start, stop = starts[index], starts[index] + len(text)
            dropped[start : start + len(text) - len(text.lstrip())] = True
            dropped[start + len(text.rstrip()) : stop] = True
    return EncodedTexts(codes[~dropped], encoded.lengths - encoded.counts_of(dropped))


def window_shares_of(kept: EncodedTexts) -> WindowShares:
    """``window_shares`` of texts that have gone through ``kept_characters``."""
    if len(kept.lengths) == 1 and len(kept.codes) > LONG_CHARS:
        return _long_shares(kept.codes)
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
    copies_of_last = np.zeros_like(repeats)
    for index in np.flatnonzero(repeats).tolist():
        start, stop = bounds[index]
        copies_of_last[index] = np.count_nonzero(hashes[start:stop] == last[index])
    return shares_of_counts(repeats, copies_of_last, windows)


_WHOLE = tuple(map(ord, "Σİ"))
"""Looks around for its lower case; has two characters as its lower case. No other does."""

_DROPPED = dict.fromkeys(map(ord, " \n\t"))


def shares_of_counts(repeats: Counts, copies_of_last: Counts, windows: Counts) -> WindowShares:
    """Shares from the windows that repeat, and the copies of the last, itself included.

    The published script's range ends one short: its last window is missing. Without it its
    copies are one fewer, and a single copy left over repeats nothing.
    """
    missing = np.where(copies_of_last == 2, 2, copies_of_last > 2)
    return WindowShares(
        every=repeats / np.maximum(windows, 1),
        casia=(repeats - missing) / np.maximum(windows - 1, 1),
    )


def _long_shares(codes: CodePoints) -> WindowShares:
    """Shares of one long text, a part of all hashes at a time: twice as slow, but bounded."""
    windows = len(codes) - (WINDOW - 1)
    part_bits = max(windows // _HELD_WINDOWS, 1).bit_length()
    last = _window_hashes(codes[-WINDOW:])[0]
    repeats = copies_of_last = 0
    for part in range(1 << part_bits):
        tally = _Tally()
        for hashes in _blocks_of_hashes(codes):
            tally.add(hashes[hashes >> np.uint64(64 - part_bits) == part])
        values, counts = tally.total()
        repeats += int(counts[counts > 1].sum())
        copies_of_last += int(counts[values == last].sum())
    return shares_of_counts(np.array([repeats]), np.array([copies_of_last]), np.array([windows]))


def _blocks_of_hashes(codes: CodePoints) -> Iterator[npt.NDArray[np.uint64]]:
    windows = len(codes) - (WINDOW - 1)
    for start in range(0, windows, _BLOCK_CHARS):
        block = codes[start : start + _BLOCK_CHARS + WINDOW - 1]
        yield _window_hashes(block)[: len(block) - (WINDOW - 1)]


class _Tally:
    """How often each number was added."""

    def __init__(self) -> None:
        self._values = np.zeros(0, dtype=np.uint64)
        self._counts = np.zeros(0, dtype=np.int64)
        self._added: list[npt.NDArray[np.uint64]] = []
        self._added_count = 0

    def add(self, values: npt.NDArray[np.uint64]) -> None:
        self._added.append(values)
        self._added_count += len(values)
        # Else a text of one character, over and over, would be held whole.
        if self._added_count > _HELD_WINDOWS:
            self._values, self._counts = self.total()
            self._added, self._added_count = [], 0

    def total(self) -> tuple[npt.NDArray[np.uint64], Counts]:
        """The numbers, and how often each was added."""
        if not self._added:
            return self._values, self._counts
        values, counts = np.unique(np.concatenate(self._added), return_counts=True)
        every, which = np.unique(np.concatenate((self._values, values)), return_inverse=True)
        added = np.bincount(which, np.concatenate((self._counts, counts)), len(every))
        return every, added.astype(np.int64)


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
    found = encoded.codes == _WHOLE[0]
    for code in _WHOLE[1:]:
        found |= encoded.codes == code
    return encoded.texts_with(found)


@lru_cache(maxsize=1)
def _character_hashes() -> npt.NDArray[np.uint64]:
    """A random-looking number for every code point, the same for both cases of a letter.

    Numbers without a pattern, so that windows of neighbouring code points do not cancel out
    in the sum: the finaliser of splitmix64.
    """
    mixed = lowered_characters() + _BASE
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashes: npt.NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return hashes
