"""Repetition inside a text: 13-character windows that occur more than once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Float64Array, Int32Array, Int64Array, UInt32Array, UInt64Array
from udfs.base.characters import lowered_characters
from udfs.base.code_points import EncodedTexts, encode_texts
from udfs.base.jit import compiled, uncounted

WINDOW = 13

LONG_CHARS = 1 << 20
"""Longest text that is measured together with others."""

HELD_WINDOWS = 1 << 20
"""Different windows of a text that are counted at a time: bounds memory, at 24 bytes each."""

# Any odd number would do; fixed, so that two runs agree.
_BASE = np.uint64(0x9E3779B97F4A7C15)
_OLDEST = np.uint64(pow(int(_BASE), WINDOW - 1, 1 << 64))
_ONE = np.uint64(1)

_BLANKS = tuple(map(ord, " \n\t"))
_DROPPED = dict.fromkeys(_BLANKS)

_WHOLE = tuple(map(ord, "Σİ"))
"""The lower case of the first depends on its neighbours, that of the second is two characters."""


class WindowShares(NamedTuple):
    """Shares of 13-character windows that occur more than once, shape (texts,) each."""

    every: Float64Array
    """Of all windows."""
    casia: Float64Array
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
    texts, encoded = _lowered_whole(texts, encoded)
    return _shares(encoded.codes, *_stripped(texts, encoded))


def window_shares_of(kept: EncodedTexts) -> WindowShares:
    """``window_shares`` of texts that have gone through ``kept_characters``."""
    return _shares(kept.codes, kept.starts, kept.stops)


def kept_characters(texts: Sequence[str], encoded: EncodedTexts) -> EncodedTexts:
    """The code points of ``normalise_for_windows`` of each text, but for the case of letters.

    Args:
        texts: The texts as they are.
        encoded: The same texts' code points.
    Returns:
        Code points that are equal to the normalised ones once ``lowered_characters`` has
        been applied to them.
    """
    texts, encoded = _lowered_whole(texts, encoded)
    codes, lengths = np.empty_like(encoded.codes), np.empty_like(encoded.lengths)
    count = _keep(encoded.codes, *_stripped(texts, encoded), codes, lengths)
    return EncodedTexts(codes[:count], lengths)


@compiled
def _keep(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    kept: UInt32Array,
    lengths: Int64Array,
) -> int:
    """Write what is not one of _BLANKS, and how much of each text; return how much of all."""
    codes, kept = uncounted(codes), uncounted(kept)
    count = 0
    for text in range(len(starts)):
        before = count
        for place in range(starts[text], stops[text]):
            code = codes[place]
            kept[count] = code
            count += (code != _BLANKS[0]) & (code != _BLANKS[1]) & (code != _BLANKS[2])
        lengths[text] = count - before
    return count


def shares_of_counts(
    repeats: Int64Array, copies_of_last: Int64Array, windows: Int64Array
) -> WindowShares:
    """Shares from the windows that repeat, and the copies of the last, itself included.

    The published script's range ends one short: its last window is missing. Without it its
    copies are one fewer, and a single copy left over repeats nothing.
    """
    missing = np.where(copies_of_last == 2, 2, copies_of_last > 2)
    return WindowShares(
        every=repeats / np.maximum(windows, 1),
        casia=(repeats - missing) / np.maximum(windows - 1, 1),
    )


def _lowered_whole(
    texts: Sequence[str], encoded: EncodedTexts
) -> tuple[Sequence[str], EncodedTexts]:
    """Texts, normalised where a character of theirs has no fixed lower case of one character."""
    found = encoded.codes == _WHOLE[0]
    for code in _WHOLE[1:]:
        found |= encoded.codes == code
    if not found.any():
        return texts, encoded
    lowered = list(texts)
    for index in encoded.texts_with(found):
        lowered[index] = normalise_for_windows(lowered[index])
    return lowered, encode_texts(lowered)


def _stripped(texts: Sequence[str], encoded: EncodedTexts) -> tuple[Int64Array, Int64Array]:
    """Where each text begins and ends without the white space around it."""
    starts, stops = encoded.starts.copy(), encoded.stops.copy()
    for index, text in enumerate(texts):
        if text and (text[0].isspace() or text[-1].isspace()):
            stops[index] = starts[index] + len(text.rstrip())
            starts[index] = min(starts[index] + len(text) - len(text.lstrip()), stops[index])
    return starts, stops


def _shares(codes: UInt32Array, starts: Int64Array, stops: Int64Array) -> WindowShares:
    longest = int((stops - starts).max(initial=1))
    part_bits = ((longest - 1) // HELD_WINDOWS).bit_length()
    table_bits = (2 * min(longest, HELD_WINDOWS) - 1).bit_length()
    while True:
        counts = np.zeros((3, len(starts)), dtype=np.int64)
        keys, times = np.empty(1 << table_bits, np.uint64), np.empty(1 << table_bits, np.int32)
        tables = (_character_hashes(), keys, times)
        if all(
            _count_windows(codes, starts, stops, *tables, part_bits, part, counts)
            for part in range(1 << part_bits)
        ):
            return shares_of_counts(*counts)
        table_bits += 1  # one part has more different windows than its share


@compiled
def _count_windows(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    hashes: UInt64Array,
    keys: UInt64Array,
    times: Int32Array,
    part_bits: int,
    part: int,
    counts: Int64Array,
) -> bool:
    """Add to counts, shape (3, texts): windows that repeat, copies of the last, all windows.

    Args:
        hashes: Of each code point, 0 for those that are skipped.
        keys, times: Open-addressing table of hashes and how often each occurs, emptied here for
            each text.
        part_bits, part: Count those windows alone whose hash begins with these bits.
    Returns:
        Whether the table was large enough.
    """
    recent = np.zeros(WINDOW, dtype=np.uint64)
    for text in range(len(starts)):
        bits = 1
        while (1 << bits) < min(2 * (stops[text] - starts[text]), len(keys)):
            bits += 1
        shift, mask = np.uint64(64 - bits), np.uint64((1 << bits) - 1)
        times[: 1 << bits] = 0
        recent[:] = 0
        rolling = np.uint64(0)
        slot = np.uint64(0)
        chars = repeats = distinct = 0
        is_counted = False
        for place in range(starts[text], stops[text]):
            latest = hashes[codes[place]]
            if latest == 0:
                continue
            at = chars % WINDOW
            rolling = (rolling - recent[at] * _OLDEST) * _BASE + latest
            recent[at] = latest
            chars += 1
            # In two steps: a shift by 64 bits is undefined.
            is_counted = (rolling >> _ONE) >> np.uint64(63 - part_bits) == np.uint64(part)
            if chars < WINDOW or not is_counted:
                continue
            slot = (rolling * _BASE) >> shift
            while times[slot] > 0 and keys[slot] != rolling:
                slot = (slot + _ONE) & mask
            keys[slot] = rolling
            times[slot] += 1
            if times[slot] == 1:
                distinct += 1
                if 4 * distinct > 3 << bits:
                    return False
            else:
                repeats += 2 if times[slot] == 2 else 1
        counts[0, text] += repeats
        counts[1, text] += times[slot] if is_counted and chars >= WINDOW else 0
        counts[2, text] = max(chars - WINDOW + 1, 0)
    return True


@lru_cache(maxsize=1)
def _character_hashes() -> UInt64Array:
    """A random-looking number for every code point, the same for both cases of a letter; 0 for
    those that `normalise_for_windows` drops wherever they are.

    Numbers without a pattern, so that windows of neighbouring code points do not cancel out
    in the sum: the finaliser of splitmix64.
    """
    mixed = lowered_characters() + _BASE
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashes: UInt64Array = mixed ^ (mixed >> np.uint64(31))
    hashes[list(_BLANKS)] = 0
    return hashes
