"""Repetition inside a text: n-grams of 2 to 13 characters that occur more than once.

Chinese has no blanks between words, so Gopher's measures of words are computed of characters.

Equal n-grams get the same number. An n-gram can repeat only if its beginning repeats, so the
numbers of one size follow from those of the size before, and each longer size looks only at the
repeats of the shorter one, which are few. The number of the beginning and the next character make
one 64-bit key: nothing is hashed to less, and two n-grams are never mistaken for one another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt32Array, UInt64Array
from udfs.base.characters import lowered_characters
from udfs.base.code_points import EncodedTexts
from udfs.base.hash_table import find_slot, table_size
from udfs.base.jit import compiled, uncounted
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
"""Longest stretch that is searched for repeats: bounds memory, at about 50 bytes each. Numbers of
n-grams have 21 bits."""

_SIZES = (*TOP_SIZES, *DUP_SIZES)
_LAST_TOP, _LAST_DUP = TOP_SIZES[-1], DUP_SIZES[-1]
_CODE_BITS, _NUMBER_BITS = 21, 22  # one bit more: 0 is a free slot
_NUMBER_MASK = (1 << _NUMBER_BITS) - 1
_SPREAD = 0x9E3779B97F4A7C15  # as in `udfs.base.hash_table`

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
    windows = np.zeros((3, texts_count), dtype=np.int64)
    places = (texts.codes, texts.starts, texts.stops)
    _search(*places, lowered_characters(), PIECE_CHARS, WINDOW, covered, windows)
    every, casia = shares_of_counts(*windows)
    for index in np.flatnonzero(texts.lengths > PIECE_CHARS).tolist():
        whole = texts.codes[texts.starts[index] : texts.stops[index]]
        found = window_shares_of(EncodedTexts(whole, texts.lengths[index : index + 1]))
        every[index], casia[index] = found.every[0], found.casia[0]
    shares = dict(zip(_SIZES, covered / np.maximum(texts.lengths, 1), strict=True))
    return NgramShares(
        top={size: shares[size] for size in TOP_SIZES},
        dup={size: shares[size] for size in DUP_SIZES},
        windows=WindowShares(every, casia),
    )


@compiled
def _search(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    lowered: UInt32Array,
    piece_chars: int,
    window: int,
    covered: Int64Array,
    windows: Int64Array,
) -> None:
    """Search texts piece by piece.

    Args:
        lowered: Lower case of every code point.
        window: Size of a window, the largest of all sizes.
        covered: Characters that are covered, shape (sizes, texts), for each of _SIZES; added to.
        windows: The arguments of `shares_of_counts`, shape (3, texts), right for texts of one
            piece; written to.
    """
    longest = 0
    for text in range(len(starts)):
        longest = max(longest, min(stops[text] - starts[text], piece_chars))
    characters = np.empty(longest, np.uint32)
    entries = np.empty(table_size(longest), np.uint64)
    places, numbers = np.empty(longest, np.int32), np.empty(longest, np.int32)
    groups, seen = np.empty((3, longest), np.int32), np.empty(table_size(2 * longest), np.uint8)
    for text in range(len(starts)):
        for start in range(starts[text], stops[text], piece_chars):
            size_of_piece = min(piece_chars, stops[text] - start)
            for place in range(size_of_piece):
                characters[place] = lowered[codes[start + place]]
            repeats = _repeated_pairs(characters[:size_of_piece], seen, places, numbers)
            for size in range(2, window + 1):
                repeats, groups_count = _number(
                    characters[:size_of_piece], size, entries, places[:repeats], numbers, groups
                )
                if size == window and repeats and places[repeats - 1] == size_of_piece - window:
                    windows[1, text] = groups[0, numbers[repeats - 1]]
                if size <= _LAST_TOP:
                    best = size if size <= size_of_piece else 0
                    for group in range(groups_count):
                        best = max(best, groups[1, group])
                    covered[size - 2, text] += best
                elif size <= _LAST_DUP and repeats:
                    found = size
                    for index in range(1, repeats):
                        found += min(places[index] - places[index - 1], size)
                    covered[size - 2, text] += found
                if repeats == 0 and size >= _LAST_TOP:
                    break
            windows[0, text] = repeats
        windows[2, text] = max(stops[text] - starts[text] - window + 1, 0)


@compiled
def _repeated_pairs(
    characters: UInt32Array, seen: UInt8Array, places: Int32Array, numbers: Int32Array
) -> int:
    """Write where pairs begin that may repeat, by a hash, and their first characters.

    Half of all pairs occur once: they need not be numbered, which takes three times as long.

    Args:
        seen: Room for a byte for each hash.
    Returns:
        How many pairs were written.
    """
    characters, seen = uncounted(characters), uncounted(seen)
    places, numbers = uncounted(places), uncounted(numbers)
    pairs = max(0, len(characters) - 1)
    seen = seen[: table_size(2 * pairs)]
    seen[:] = 0
    mask = np.uint64(len(seen) - 1)
    for place in range(pairs):
        slot = _pair_hash(characters[place], characters[place + 1]) & mask
        seen[slot] = np.uint8(seen[slot] << np.uint8(1) | np.uint8(1))  # 1, then more
    count = 0
    for place in range(pairs):
        slot = _pair_hash(characters[place], characters[place + 1]) & mask
        places[count] = place
        numbers[count] = characters[place]
        count += seen[slot] > 1
    return count


@compiled
def _pair_hash(first: np.uint32, second: np.uint32) -> np.uint64:
    pair = np.uint64(first) << np.uint64(_CODE_BITS) | np.uint64(second)
    return (pair * np.uint64(_SPREAD)) >> np.uint64(32)


@compiled
def _number(
    characters: UInt32Array,
    size: int,
    entries: UInt64Array,
    places: Int32Array,
    numbers: Int32Array,
    groups: Int32Array,
) -> tuple[int, int]:
    """Number the n-grams of a size, and keep those that repeat.

    Args:
        characters: Of the piece, in lower case.
        entries: Room for a hash table of all n-grams.
        places: Where the repeats that are one shorter begin, ascending; those of this size are
            written to its beginning.
        numbers: The number of each shorter one; likewise.
        groups: Room for copies, characters covered and latest place of each n-gram, by its number.
    Returns:
        How many repeats there are, and how many numbers were given.
    """
    characters, places, numbers = uncounted(characters), uncounted(places), uncounted(numbers)
    entries, groups = uncounted(entries), uncounted(groups)
    count = len(places)
    while count and places[count - 1] + size > len(characters):
        count -= 1
    table, copies, cover, latest = entries[: table_size(count)], groups[0], groups[1], groups[2]
    table[:] = 0
    copies[:count] = 0
    cover[:count] = 0
    latest[:count] = -size
    given = np.uint64(0)
    # Without branches: whether an n-gram is new, or repeats, cannot be predicted. Unsigned: a
    # signed index is tested for being negative.
    last = np.uint64(size - 1)
    for index in range(count):
        place = np.uint64(places[index])
        key = np.uint64(numbers[index]) << np.uint64(_CODE_BITS) | np.uint64(
            characters[place + last]
        )
        slot = find_slot(table, key, _NUMBER_BITS)
        entry = table[slot] & np.uint64(_NUMBER_MASK)
        is_new = np.uint64(entry == np.uint64(0))
        number = given if is_new else entry - np.uint64(1)
        given += is_new
        table[slot] = key << np.uint64(_NUMBER_BITS) | (number + np.uint64(1))
        copies[number] += 1
        if size <= _LAST_TOP:
            cover[number] += min(np.int64(place) - latest[number], size)
            latest[number] = place
        numbers[index] = number
    repeats = 0
    for index in range(count):
        number = np.uint64(numbers[index])
        places[repeats] = places[index]
        numbers[repeats] = numbers[index]
        repeats += copies[number] > 1
    return repeats, int(given)
