"""Which words of cut texts are tokens, and texts cut into characters, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
from udfs.base.characters import CASED, word_table
from udfs.base.code_points import CODE_POINTS
from udfs.base.hash_table import ABSENT, find_value
from udfs.base.jit import compiled, uncounted
from udfs.tokens.cut_words import fraction_end
from udfs.tokens.token_hashes import hash_characters
from udfs.tokens.tokens import Places, Tokens

_ALNUM, _SIGN = 1, 2


@dataclass(frozen=True)
class CutTexts:
    """Texts put end to end, and the words that a segmenter cut them into."""

    codes: UInt32Array
    bounds: Int64Array
    """Where each text begins in codes, and where the last one ends, shape (texts + 1,)."""
    words: Int32Array
    """Code points of each word; the words of a text are all of it."""
    word_bounds: Int64Array
    """Where the words of each text begin, and where the last one's end, shape (texts + 1,)."""
    has_runs: bool
    """Whether mixed runs such as ``v.qq.com`` are still to be cut up (see
    udfs/tokens/segment.py)."""


def cut_characters(codes: UInt32Array, bounds: Int64Array, *, words: bool = False) -> CutTexts:
    """Texts cut into characters, in lower case; letters a to z, and digits, in runs.

    Lower case is that of a code point by itself, one for one.

    Args:
        codes: Code points of texts end to end.
        bounds: Where each text begins, and where the last one ends, shape (texts + 1,).
        words: Runs are of any letters, digits and marks together: the words of languages that
            separate them by blanks.
    """
    lower = _lower_case()[codes]
    lengths, length_bounds = _characters(lower, bounds, word_table() if words else _ascii_runs())
    return CutTexts(lower, bounds, lengths, length_bounds, has_runs=False)


def all_tokens(cut: CutTexts, whole_runs: tuple[UInt64Array, Int32Array]) -> Tokens:
    """All words of some texts as tokens, but for white space and U+0000: fastText reads past it.

    Args:
        cut: The texts.
        whole_runs: A table of mixed runs that are not cut up.
    """
    kept = _keep(
        cut.codes, cut.bounds, cut.words, cut.word_bounds, cut.has_runs, *whole_runs, _RUN_CLASSES
    )
    begins, lengths, starts, hashes, keys, bounds = kept
    places = Places(cut.codes, begins, lengths, starts, starts + lengths)
    return Tokens(places.of, hashes, keys, bounds)


def dropped_tokens(tokens: Tokens, least: int, words: tuple[UInt64Array, Int32Array]) -> BoolArray:
    """Mark the tokens of fewer code points than some, and those that a table holds."""
    if least == 1 and not words[0].any():
        return np.zeros(len(tokens.keys), dtype=np.bool_)
    return _is_dropped(tokens.places.lengths, tokens.keys, least, *words)


def _run_classes() -> npt.NDArray[np.uint8]:
    """ASCII -> whether it is a letter or digit of mixed runs, a sign of theirs, or neither."""
    classes = np.zeros(128, dtype=np.uint8)
    for code in range(128):
        if chr(code).isalnum():
            classes[code] = _ALNUM
        elif chr(code) in "+#&._%-":
            classes[code] = _SIGN
    return classes


_RUN_CLASSES = _run_classes()


@lru_cache(maxsize=1)
def _lower_case() -> UInt32Array:
    """Code point -> that of its lower case, or itself where that is several."""
    table = np.arange(CODE_POINTS, dtype=np.uint32)
    for code in range(CASED):
        lower = chr(code).lower()
        if len(lower) == 1:
            table[code] = ord(lower)
    return table


@lru_cache(maxsize=1)
def _ascii_runs() -> UInt8Array:
    """Code point -> 1 for the letters a to z, 2 for the digits 0 to 9, 0 for others."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    table[0x61:0x7B] = 1
    table[0x30:0x3A] = 2
    return table


@compiled
def _characters(
    codes: UInt32Array, bounds: Int64Array, runs: UInt8Array
) -> tuple[Int32Array, Int64Array]:
    """The length of each character or run, and where those of each text begin.

    Args:
        runs: Of every code point the kind of runs that it is part of; 0 for none.
    """
    lengths = np.empty(len(codes), dtype=np.int32)
    starts = np.zeros(len(bounds), dtype=np.int64)
    count = 0
    for text in range(len(bounds) - 1):
        at = bounds[text]
        while at < bounds[text + 1]:
            stop = at + 1
            kind = runs[codes[at]]
            while kind and stop < bounds[text + 1] and runs[codes[stop]] == kind:
                stop += 1
            lengths[count] = stop - at
            count += 1
            at = stop
        starts[text + 1] = count
    return lengths[:count].copy(), starts


@compiled
def _keep(
    codes: UInt32Array,
    text_bounds: Int64Array,
    words: Int32Array,
    word_bounds: Int64Array,
    has_runs: bool,
    run_keys: UInt64Array,
    run_rows: Int32Array,
    classes: npt.NDArray[np.uint8],
) -> tuple[Int64Array, Int32Array, Int32Array, UInt32Array, UInt64Array, Int64Array]:
    codes, classes = uncounted(codes), uncounted(classes)
    most = len(words)
    if has_runs:  # only letters, digits and signs are cut up further
        for code in codes:
            most += code < 0x80
    begins = np.empty(most, dtype=np.int64)
    lengths = np.empty(most, dtype=np.int32)
    starts = np.empty(most, dtype=np.int32)
    hashes = np.empty(most, dtype=np.uint32)
    keys = np.empty(most, dtype=np.uint64)
    bounds = np.zeros(len(text_bounds), dtype=np.int64)
    count = 0
    for text in range(len(text_bounds) - 1):
        at = text_bounds[text]
        for word in range(word_bounds[text], word_bounds[text + 1]):
            end = at + words[word]
            is_cut_up = False
            if has_runs and end - at > 1 and codes[at] < 0x80:
                is_cut_up = _is_mixed(codes, at, end, classes)
                if is_cut_up:
                    _, key = hash_characters(codes, at, end - at)
                    is_cut_up = find_value(run_keys, run_rows, key) == ABSENT
            while at < end:
                stop = _piece_end(codes, at, end, classes) if is_cut_up else end
                if not _is_space(codes, at, stop):
                    short, key = hash_characters(codes, at, stop - at)
                    begins[count] = at
                    lengths[count] = stop - at
                    starts[count] = at - text_bounds[text]
                    hashes[count] = short
                    keys[count] = key
                    count += 1
                at = stop
        bounds[text + 1] = count
    return (
        begins[:count],
        lengths[:count],
        starts[:count],
        hashes[:count],
        keys[:count],
        bounds,
    )


@compiled
def _is_dropped(
    lengths: Int32Array,
    keys: UInt64Array,
    least: int,
    dropped_keys: UInt64Array,
    dropped_rows: Int32Array,
) -> BoolArray:
    dropped_keys, dropped_rows = uncounted(dropped_keys), uncounted(dropped_rows)
    flags = np.empty(len(keys), dtype=np.bool_)
    for token in range(len(keys)):
        flags[token] = (
            lengths[token] < least or find_value(dropped_keys, dropped_rows, keys[token]) != ABSENT
        )
    return flags


@compiled
def _is_mixed(codes: UInt32Array, at: int, end: int, classes: npt.NDArray[np.uint8]) -> bool:
    """Whether a word is letters, digits and signs of ASCII, and a sign is among them."""
    has_sign = False
    for place in range(at, end):
        code = codes[place]
        if code >= 0x80 or classes[code] == 0:
            return False
        has_sign |= classes[code] == _SIGN
    return has_sign


@compiled
def _piece_end(codes: UInt32Array, at: int, end: int, classes: npt.NDArray[np.uint8]) -> int:
    """Where the piece of a mixed run ends that begins at a place.

    A piece is signs, or letters and digits, with ``.`` and digits and with ``%`` behind them.
    """
    kind = classes[codes[at]]
    stop = at + 1
    while stop < end and classes[codes[stop]] == kind:
        stop += 1
    if kind == _SIGN:
        return stop
    return fraction_end(codes, stop, end)


@compiled
def _is_space(codes: UInt32Array, at: int, stop: int) -> bool:
    """Whether a word is white space, as str.isspace has it, or U+0000."""
    for place in range(at, stop):
        code = codes[place]
        if code <= 0x20:
            if code >= 0x1C or 9 <= code <= 13 or code == 0:
                continue
        elif code >= 0x85 and (
            code in (0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
            or 0x2000 <= code <= 0x200A
        ):
            continue
        return False
    return True
