"""Fold texts as a reader takes them, with the place of every character in the text as stored.

One compiled scan finds the texts that may change: 1,200 characters of ordinary text take a few
microseconds. Only those are folded: characters first, compiled, then words, at the places where one
is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import (
    BoolArray,
    Int32Array,
    Int64Array,
    UInt8Array,
    UInt32Array,
    UInt64Array,
)
from udfs.base.code_points import TextBatch, batch_of
from udfs.base.jit import compiled, uncounted
from udfs.base.word_trie import PAIRS, child, pair_place, word_trie
from udfs.folding.characters import LETTERS, character_table
from udfs.folding.matching import (
    Edit,
    edits_of,
    first_pairs,
    gap_signs,
    plain_characters,
    spelled_firsts,
    spellings,
    words_by_first,
)

_BEGINS, _BEGINS_SPELLED, _SIGN, _ROW = 0x8000, 0x4000, 0x2000, 0x1FFF
"""Bits of `_Tables.marks`: a character that a word begins with, or a word that may have signs
between its characters; such a sign; and the row of a folded character."""
_ALWAYS, _SMALL, _REGION, _UNSEEN, _ACCENT = range(1, 6)
"""Values of `Folding`: compiled code keeps those of its own file."""
_ABSENT, _MOST_SIGNS, _FIRST_PLANE, _CODE_POINTS = -1, 3, 0x10000, 0x110000
"""`ABSENT`, `MOST_SIGNS`, and `CODE_POINTS`, likewise."""
_CHARACTERS, _WORDS = 1, 2
"""Bits of what a text may have."""


@dataclass(frozen=True)
class FoldedBatch:
    """The texts of a batch that change, folded."""

    numbers: Int64Array
    """Which texts of the batch they are, ascending, shape (folded,)."""
    texts: TextBatch
    """The folded texts."""
    starts: Int32Array
    """Where each character begins in its text before folding; texts are end to end, and each has
    one entry more, its length before folding: shape (characters + folded,)."""
    stops: Int32Array
    """Where each ends there, likewise."""
    shown: UInt32Array
    """The character that stands there, without the entries of ends, shape (characters,)."""


class _Folded(NamedTuple):
    """A folded text; its places have no entry for the end."""

    text: str
    starts: Int32Array
    stops: Int32Array


class _Spellings(NamedTuple):
    """A trie of words, see `WordTrie`, for `_is_written`."""

    plain: npt.NDArray[np.uint16]
    """Character of the first plane -> the one of the trie that it stands for."""
    keys: UInt64Array
    nodes: Int32Array
    words: Int64Array
    needs_gaps: BoolArray
    """Whether a word is one only with signs inside, shape (words,)."""


class _Tables(NamedTuple):
    """What the compiled functions look at."""

    marks: npt.NDArray[np.uint16]
    """Row of `CharacterTable` of every code point, and bits."""
    pairs: BoolArray
    """Whether a word may begin with two characters, by `pair_place`."""
    spellings: _Spellings
    """The words."""
    kinds: UInt8Array
    begins: Int32Array
    codes: UInt32Array
    flags: BoolArray


def fold(text: str) -> str:
    """Fold one text.

    Raises:
        UnicodeEncodeError: it has a lone surrogate.

    >>> fold("➕🆅\\u200b：①⑧⑧ab12，赌*博"), fold("树立威信，扣扣子，第①章")
    ('加微信：188ab12，赌博', '树立威信，扣扣子，第1章')
    """
    folded = fold_texts([text])
    return text if folded is None else folded.texts[0]


def fold_texts(texts: Sequence[str]) -> FoldedBatch | None:
    """Fold texts.

    Returns:
        Those that change; None where none does.
    Raises:
        UnicodeEncodeError: a text has a lone surrogate, which no Arrow string can hold.
    """
    batch = batch_of(texts)
    encoded, tables = batch.encoded, _tables()
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), encoded.stops])
    may_have = _scan(encoded.codes, bounds, tables.marks, tables.pairs, tables.spellings)
    numbers: list[int] = []
    found: list[_Folded] = []
    shown: list[UInt32Array] = []
    for number in np.flatnonzero(may_have).tolist():
        codes = encoded.codes[bounds[number] : bounds[number + 1]]
        folded = _folded(batch[number], codes, int(may_have[number]))
        if folded is not None:
            numbers.append(number)
            found.append(folded)
            shown.append(codes[folded.starts])
    if not numbers:
        return None
    ends = [np.array([len(batch[number])], dtype=np.int32) for number in numbers]
    places = [
        np.concatenate([part for pair in zip(of_texts, ends, strict=True) for part in pair])
        for of_texts in ([one.starts for one in found], [one.stops for one in found])
    ]
    return FoldedBatch(
        np.array(numbers, dtype=np.int64),
        TextBatch(one.text for one in found),
        places[0],
        places[1],
        np.concatenate(shown),
    )


def _folded(text: str, codes: UInt32Array, may_have: int) -> _Folded | None:
    """A text folded, or None where it stays."""
    tables = _tables()
    places = None
    if may_have & _CHARACTERS:
        folded, starts, stops, is_changed = _fold_characters(codes, tables)
        if is_changed:
            codes, places = folded, (starts, stops)
            text = folded.tobytes().decode("utf-32-le")
            may_have |= _WORDS
    if may_have & _WORDS:
        begins = _word_places(codes, tables.marks, tables.pairs, tables.spellings)
        edits = edits_of(text, begins.tolist()) if len(begins) else []
        if edits:
            if places is None:
                whole = np.arange(len(text), dtype=np.int32)
                places = whole, whole + np.int32(1)
            return _with_edits(text, *places, edits)
    return None if places is None else _Folded(text, *places)


def _with_edits(text: str, starts: Int32Array, stops: Int32Array, edits: Sequence[Edit]) -> _Folded:
    """A text with words replaced; each of a word's characters stands where all of it stood."""
    words, begins, ends = [], [], []
    done = 0
    for begin, end, meant in edits:
        words += [text[done:begin], meant]
        size = len(meant)
        begins += [starts[done:begin], np.full(size, starts[begin], dtype=np.int32)]
        ends += [stops[done:begin], np.full(size, stops[end - 1], dtype=np.int32)]
        done = end
    words.append(text[done:])
    begins.append(starts[done:])
    ends.append(stops[done:])
    return _Folded("".join(words), np.concatenate(begins), np.concatenate(ends))


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    characters = character_table()
    marks = characters.numbers.copy()
    marks[[ord(char) for char in words_by_first()]] |= _BEGINS
    marks[[ord(char) for char in spelled_firsts()]] |= _BEGINS_SPELLED
    marks[[ord(char) for char in gap_signs()]] |= _SIGN
    pairs = np.zeros(PAIRS, dtype=np.bool_)
    pairs[[pair_place(ord(first), ord(second)) for first, second in first_pairs()]] = True
    kinds, begins, codes = characters.kinds, characters.begins, characters.codes
    return _Tables(marks, pairs, _spellings(), kinds, begins, codes, characters.flags)


def _spellings() -> _Spellings:
    plain = np.arange(_FIRST_PLANE, dtype=np.uint16)
    for way, char in plain_characters().items():
        plain[ord(way)] = ord(char)
    written = spellings()
    trie = word_trie([word for word, _ in written])
    needs_gaps = np.array([needs for _, needs in written], dtype=np.bool_)
    return _Spellings(plain, trie.keys, trie.nodes, trie.words, needs_gaps)


@compiled
def _scan(
    codes: UInt32Array,
    bounds: Int64Array,
    marks: npt.NDArray[np.uint16],
    pairs: BoolArray,
    spellings: _Spellings,
) -> UInt8Array:
    """What each text may have: folded characters, words. Shape (texts,)."""
    codes, marks, pairs = uncounted(codes), uncounted(marks), uncounted(pairs)
    found = np.zeros(len(bounds) - 1, dtype=np.uint8)
    for text in range(len(found)):
        has = 0
        begin, stop = bounds[text], bounds[text + 1]
        before = False
        for at in range(begin, stop):
            mark = marks[codes[at]]
            is_ascii = _is_ascii_word(codes[at])
            if mark & _ROW:
                has |= _CHARACTERS
            # Inside a word of ASCII none begins.
            if (
                mark & _BEGINS
                and at + 1 < stop
                and not (before and is_ascii)
                and (
                    (mark & _BEGINS_SPELLED and marks[codes[at + 1]] & _SIGN)
                    or pairs[pair_place(int(codes[at]), int(codes[at + 1]))]
                )
                and not has & _WORDS
                and _is_written(codes, at, stop, marks, spellings)
            ):
                has |= _WORDS
            before = is_ascii
        found[text] = has
    return found


@compiled
def _word_places(
    codes: UInt32Array,
    marks: npt.NDArray[np.uint16],
    pairs: BoolArray,
    spellings: _Spellings,
) -> Int64Array:
    """Where a word is written in a text, whatever its context."""
    places = np.empty(len(codes), dtype=np.int64)
    count = 0
    stop = len(codes)
    for at in range(stop - 1):
        mark = marks[codes[at]]
        if not mark & _BEGINS or (
            at > 0 and _is_ascii_word(codes[at]) and _is_ascii_word(codes[at - 1])
        ):
            continue
        if (mark & _BEGINS_SPELLED and marks[codes[at + 1]] & _SIGN) or pairs[
            pair_place(int(codes[at]), int(codes[at + 1]))
        ]:
            places[count] = at
            count += _is_written(codes, at, stop, marks, spellings)
    return places[:count].copy()


@compiled
def _is_written(
    codes: UInt32Array,
    begin: int,
    stop: int,
    marks: npt.NDArray[np.uint16],
    spellings: _Spellings,
) -> bool:
    """Whether a word is written at a place, signs inside it or not."""
    has_gaps = False
    node = 0
    at = begin
    while at < stop:
        following = _child(codes[at], node, spellings)
        if following == _ABSENT:
            if at == begin or not marks[codes[begin]] & _BEGINS_SPELLED:
                return False
            signs = 0
            # ❤ is a sign and a part of words: signs end at the first character that goes on.
            while (
                following == _ABSENT
                and signs < _MOST_SIGNS
                and at + 1 < stop
                and marks[codes[at]] & _SIGN
            ):
                at += 1
                signs += 1
                following = _child(codes[at], node, spellings)
            if following == _ABSENT:
                return False
            has_gaps = True
        node = following
        at += 1
        word = spellings.words[node]
        if word != _ABSENT and (has_gaps or not spellings.needs_gaps[word]):
            return True
    return False


@compiled
def _child(code: np.uint32, node: int, spellings: _Spellings) -> int:
    plain = np.uint32(spellings.plain[code]) if code < _FIRST_PLANE else code
    return child(spellings.keys, spellings.nodes, node, plain, _CODE_POINTS)


def _fold_characters(
    codes: UInt32Array, tables: _Tables
) -> tuple[UInt32Array, Int32Array, Int32Array, bool]:
    """A text with its characters folded, where each begins and ends, and whether any changed."""
    return _fold(
        codes, tables.marks, tables.kinds, tables.begins, tables.codes, tables.flags, LETTERS
    )


@compiled
def _fold(
    codes: UInt32Array,
    marks: npt.NDArray[np.uint16],
    kinds: UInt8Array,
    begins: Int32Array,
    meanings: UInt32Array,
    flags: BoolArray,
    letters: int,
) -> tuple[UInt32Array, Int32Array, Int32Array, bool]:
    most = len(codes)
    for at in range(len(codes)):
        row = marks[codes[at]] & _ROW
        most += begins[row + 1] - begins[row]
    folded = np.empty(most, dtype=np.uint32)
    starts = np.empty(most, dtype=np.int32)
    stops = np.empty(most, dtype=np.int32)
    count = 0
    is_changed = False
    run_end = 0
    folds_run = False
    for at in range(len(codes)):
        row = marks[codes[at]] & _ROW
        kind = kinds[row]
        folds = kind == _ALWAYS
        if kind in (_SMALL, _REGION):
            if at >= run_end:
                run_end = at + 1
                while run_end < len(codes) and kinds[marks[codes[run_end]] & _ROW] == kind:
                    run_end += 1
                if kind == _SMALL:
                    folds_run = run_end - at > 1 and not (at > 0 and _is_ascii_word(codes[at - 1]))
                else:
                    folds_run = not _is_of_flags(
                        codes, at, run_end, marks, begins, meanings, flags, letters
                    )
            folds = folds_run
        elif kind == _UNSEEN:
            folds = count > 0 and (_is_ascii_word(folded[count - 1]) or _is_han(folded[count - 1]))
        elif kind == _ACCENT:
            folds = count > 0 and _is_han(folded[count - 1])
        if not folds:
            folded[count] = codes[at]
            starts[count] = at
            stops[count] = at + 1
            count += 1
            continue
        is_changed = True
        for place in range(begins[row], begins[row + 1]):
            folded[count] = meanings[place]
            starts[count] = at
            stops[count] = at + 1
            count += 1
    return folded[:count].copy(), starts[:count].copy(), stops[:count].copy(), is_changed


@compiled
def _is_of_flags(
    codes: UInt32Array,
    begin: int,
    end: int,
    marks: npt.NDArray[np.uint16],
    begins: Int32Array,
    meanings: UInt32Array,
    flags: BoolArray,
    letters: int,
) -> bool:
    """Whether a run of letters of flags is made of flags."""
    if (end - begin) % 2:
        return False
    for at in range(begin, end, 2):
        first = meanings[begins[marks[codes[at]] & _ROW]] - np.uint32(65)
        second = meanings[begins[marks[codes[at + 1]] & _ROW]] - np.uint32(65)
        if not flags[np.int64(first) * letters + np.int64(second)]:
            return False
    return True


@compiled
def _is_ascii_word(code: np.uint32) -> bool:
    return bool((0x30 <= code <= 0x39) | (0x61 <= (code | 0x20) <= 0x7A))


@compiled
def _is_han(code: np.uint32) -> bool:
    return bool(
        (0x3400 <= code <= 0x9FFF) | (0xF900 <= code <= 0xFAFF) | (0x20000 <= code <= 0x323AF)
    )
