"""Repetition inside a text: n-grams of 2 to 13 characters that occur more than once.

Chinese has no blanks between words, so Gopher's measures of words are computed of characters.

Each character gets a small number. A pair of characters and its position fit into one 64-bit key,
and sorting the keys brings equal pairs together. An n-gram can repeat only if its beginning
repeats, so each longer size looks only at the repeats of the size before, which are few. The
numbers are exact, not hashes: two n-grams are never mistaken for one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int64Array, UInt32Array
from udfs.base.characters import lowered_characters
from udfs.base.code_points import EncodedTexts
from udfs.measures.repetition import (
    LONG_CHARS,
    WINDOW,
    WindowShares,
    shares_of_counts,
    window_shares_of,
)

TOP_SIZES = (2, 3, 4)
"""Sizes of which the n-gram that covers most characters is found."""

DUP_SIZES = (5, 6, 7, 8, 9, 10)
"""Sizes of which all repeats are found."""

PIECE_CHARS = LONG_CHARS
"""Longest stretch that is searched for repeats: bounds memory, at about 100 bytes each."""

_SIZES = (*TOP_SIZES, *DUP_SIZES)

Keys = npt.NDArray[np.uint64]
Shares = npt.NDArray[np.float64]


class NgramShares(NamedTuple):
    """Shares of a text's characters, by size of n-gram, shape (texts,) each, in [0, 1]."""

    top: dict[int, Shares]
    """Covered by the n-gram that covers most of the text, for each of TOP_SIZES."""
    dup: dict[int, Shares]
    """Covered by n-grams that occur more than once, for each of DUP_SIZES."""
    windows: WindowShares
    """As ``udfs.measures.repetition.window_shares`` defines them."""


def ngram_shares(texts: EncodedTexts) -> NgramShares:
    """Compute the share of each text that its repeated n-grams cover.

    A character that several copies cover counts once. For ``dup`` every copy counts, the first
    included; for ``top`` an n-gram that occurs once counts too, so a short text has a high
    share. 0.0 for a text that is shorter than the n-gram.

    A text over PIECE_CHARS is searched in pieces of that size, each alone, and its share is
    that of all pieces' characters: repeats further apart are not found. ``windows`` are counted
    over the whole text.

    Args:
        texts: Texts as ``normalise_for_windows`` makes them, but for the case of letters,
            which is ignored here.
    Source:
        Gopher (arXiv 2112.11446), table A1: "top n-gram character fraction", "duplicate n-gram
        character fraction", with characters for words. Gopher's top n-gram is the most frequent
        one, times its length; DataTrove leaves out the first copy of a duplicate.
    """
    texts_count = len(texts.lengths)
    covered = np.zeros((len(_SIZES), texts_count), dtype=np.int64)
    every, casia = np.zeros(texts_count), np.zeros(texts_count)
    for first, batch in _batches(texts):
        some = slice(first, first + len(batch.lengths))
        found = _search(batch)
        covered[:, some] += found.covered
        every[some], casia[some] = found.windows
    for index in np.flatnonzero(texts.lengths > PIECE_CHARS).tolist():
        whole = texts.codes[texts.starts[index] : texts.stops[index]]
        windows = window_shares_of(EncodedTexts(whole, texts.lengths[index : index + 1]))
        every[index], casia[index] = windows.every[0], windows.casia[0]
    shares = dict(zip(_SIZES, covered / np.maximum(texts.lengths, 1), strict=True))
    return NgramShares(
        top={size: shares[size] for size in TOP_SIZES},
        dup={size: shares[size] for size in DUP_SIZES},
        windows=WindowShares(every, casia),
    )


def _batches(texts: EncodedTexts) -> Iterator[tuple[int, EncodedTexts]]:
    """Texts to search together, with the index of the first; pieces of long ones come alone."""
    begin = 0
    for index, (start, stop) in enumerate(zip(texts.starts, texts.stops, strict=True)):
        if stop - start > PIECE_CHARS:
            yield from _some(texts, begin, index)
            for at in range(start, stop, PIECE_CHARS):
                piece = texts.codes[at : min(at + PIECE_CHARS, stop)]
                yield index, EncodedTexts(piece, np.array([len(piece)]))
            begin = index + 1
        elif stop - texts.starts[begin] > 2 * PIECE_CHARS:
            yield from _some(texts, begin, index)
            begin = index
    yield from _some(texts, begin, len(texts.lengths))


def _some(texts: EncodedTexts, begin: int, end: int) -> Iterator[tuple[int, EncodedTexts]]:
    if begin < end:
        codes = texts.codes[texts.starts[begin] : texts.stops[end - 1]]
        yield begin, EncodedTexts(codes, texts.lengths[begin:end])


class _Found(NamedTuple):
    """Repeats in some texts."""

    covered: Int64Array
    """Characters that are covered, shape (sizes, texts), for each of _SIZES."""
    windows: WindowShares


def _search(texts: EncodedTexts) -> _Found:
    spaced = _Spaced(texts)
    # Length of the longest repeat that begins at a position.
    longest = np.zeros(len(spaced.numbers), dtype=np.uint8)
    tops = []
    repeats = _Repeats.of_pairs(spaced)
    for size in range(TOP_SIZES[0], WINDOW + 1):
        if size > TOP_SIZES[0]:
            repeats = repeats.longer(spaced, size - 1)
        if size in TOP_SIZES:
            best = repeats.best_cover(size, spaced.stops)
            tops.append(np.where(texts.lengths >= size, np.maximum(best, size), 0))
        else:
            longest[repeats.positions] = size
    dups = _covered_by_repeats(longest, spaced.stops)
    return _Found(np.array([*tops, *dups]), _window_shares(repeats, longest, texts, spaced))


def _window_shares(
    repeats: _Repeats, longest: npt.NDArray[np.uint8], texts: EncodedTexts, spaced: _Spaced
) -> WindowShares:
    """``window_shares`` from the repeated windows."""
    ends = np.searchsorted(repeats.positions, spaced.stops)  # as in best_cover
    counts = np.diff(ends, prepend=0)
    copies_of_last = np.zeros_like(counts)
    windows = np.maximum(texts.lengths - (WINDOW - 1), 0)
    last = np.maximum(spaced.stops - WINDOW, 0)
    for index in np.flatnonzero((windows > 0) & (longest[last] == WINDOW)).tolist():
        of_text = slice(ends[index] - counts[index], ends[index])
        at = int(np.flatnonzero(repeats.positions[of_text] == last[index])[0])
        others = np.flatnonzero(~repeats.goes_on[of_text][:at])
        copies_of_last[index] = at - (others[-1] if len(others) else -1)
    return shares_of_counts(counts, copies_of_last, windows)


def _covered_by_repeats(longest: npt.NDArray[np.uint8], stops: Int64Array) -> list[Int64Array]:
    """Characters that are covered by repeats, shape (texts,), for each of DUP_SIZES."""
    positions = np.flatnonzero(longest > 0)
    sizes = longest[positions]
    covered = []
    for size in DUP_SIZES:
        if size > DUP_SIZES[0]:
            begins = sizes >= size
            positions, sizes = positions[begins], sizes[begins]
        # Up to the next repeat, which in another text is beyond the end of this one.
        before = np.zeros(len(positions) + 1, dtype=np.int64)
        np.minimum(np.diff(positions), size, out=before[1:-1])
        before[-1:] = size if len(positions) else 0
        np.cumsum(before, out=before)
        covered.append(np.diff(before[np.searchsorted(positions, stops)], prepend=0))
    return covered


class _Spaced:
    """Texts end to end with one separator between, their characters as small numbers.

    Attributes:
        numbers: 1 and up, equal for equal letters of either case; 0 behind each text, where
            every n-gram ends: it makes the n-grams that reach it unique in the text.
        starts, stops: Where each text begins and ends, shape (texts,).
        number_bits: Bits that hold a number.
        position_bits: Bits that hold a position.
    """

    def __init__(self, texts: EncodedTexts) -> None:
        gaps = np.arange(len(texts.lengths))
        self.starts = texts.starts + gaps
        self.stops = texts.stops + gaps
        numbers, largest = _small_numbers(texts.codes)
        self.numbers = np.zeros(len(texts.codes) + len(texts.lengths), dtype=np.uint64)
        for (start, stop), at in zip(self.slices(), texts.starts.tolist(), strict=True):
            self.numbers[start:stop] = numbers[at : at + stop - start]
        self.number_bits = largest.bit_length()
        self.position_bits = len(self.numbers).bit_length()

    def slices(self) -> Iterator[tuple[int, int]]:
        return zip(self.starts.tolist(), self.stops.tolist(), strict=True)


class _Repeats:
    """The n-grams of one size that repeat.

    Attributes:
        positions: Where they begin; the copies of one n-gram are neighbours, ascending.
        goes_on: Whether the next position has the same n-gram, as long as positions.
    """

    def __init__(self, keys: Keys, same: npt.NDArray[np.bool_], position_bits: int) -> None:
        """Select the repeats from sorted keys.

        Args:
            keys: N-gram in the upper bits, position in the lower.
            same: Whether the next key has the same n-gram, one shorter than keys.
        """
        goes_on = np.zeros(len(keys), dtype=bool)
        goes_on[:-1] = same
        repeats = goes_on.copy()
        repeats[1:] |= same
        found = np.flatnonzero(repeats)
        self.positions = (keys[found] & np.uint64((1 << position_bits) - 1)).astype(np.int64)
        self.goes_on = goes_on[found]

    @classmethod
    def of_pairs(cls, texts: _Spaced) -> _Repeats:
        """The pairs of characters that repeat."""
        keys = _sorted_pairs(texts)
        same = _same(keys, texts.position_bits)
        same[texts.stops[:-1]] = False  # a separator and a character are no pair
        return cls(keys, same, texts.position_bits)

    def best_cover(self, size: int, stops: Int64Array) -> Int64Array:
        """Characters covered by the n-gram that covers most, shape (texts,); 0 for none."""
        best = np.zeros(len(stops), dtype=np.int64)
        last = np.flatnonzero(~self.goes_on)
        first = np.zeros_like(last)
        first[1:] = last[:-1] + 1
        reach = np.empty(len(self.positions), dtype=np.int64)
        np.minimum(np.diff(self.positions), size, out=reach[:-1])
        reach[last] = size
        covers = np.add.reduceat(reach, first) if len(first) else first
        # Positions ascend from text to text, if not within one, which is enough for a binary
        # search by the ends of texts.
        ends = np.searchsorted(self.positions[first], stops)
        begins = np.zeros_like(ends)
        begins[1:] = ends[:-1]
        some = begins < ends
        best[some] = np.maximum.reduceat(covers, begins[some]) if some.any() else 0
        return best

    def longer(self, texts: _Spaced, size: int) -> _Repeats:
        """The repeats that are one character longer than these of the given size."""
        keys = np.zeros(len(self.positions), dtype=np.uint64)
        np.cumsum(~self.goes_on[:-1], out=keys[1:])
        keys <<= np.uint64(texts.number_bits)
        keys |= texts.numbers[self.positions + size]
        keys <<= np.uint64(texts.position_bits)
        keys |= self.positions.astype(np.uint64)
        keys.sort()
        return _Repeats(keys, _same(keys, texts.position_bits), texts.position_bits)


def _sorted_pairs(texts: _Spaced) -> Keys:
    """Character, next character and position, for each position, sorted text by text."""
    keys = texts.numbers << np.uint64(texts.number_bits)
    keys[:-1] |= texts.numbers[1:]
    keys <<= np.uint64(texts.position_bits)
    keys |= np.arange(len(keys), dtype=np.uint64)
    for start, stop in texts.slices():
        keys[start:stop].sort()
    return keys


def _same(keys: Keys, ignored_bits: int) -> npt.NDArray[np.bool_]:
    """Whether neighbouring keys agree in all but their lower bits."""
    same: npt.NDArray[np.bool_] = (keys[1:] ^ keys[:-1]) < np.uint64(1 << ignored_bits)
    return same


def _small_numbers(codes: UInt32Array) -> tuple[npt.NDArray[np.uint32], int]:
    """A number from 1 on for each character, equal for both cases; and the largest of them."""
    table_size = int(codes.max(initial=0)) + 1
    occurs = np.zeros(table_size, dtype=bool)
    occurs[codes] = True
    present = np.flatnonzero(occurs)
    lowered = lowered_characters()[present]
    numbers = np.zeros(max(table_size, int(lowered.max(initial=0)) + 1), dtype=np.uint32)
    numbers[lowered] = np.arange(1, len(present) + 1)
    numbers[present] = numbers[lowered]
    return numbers[codes], len(present)
