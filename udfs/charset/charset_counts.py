"""Counts over bytes decoded with a code table, with the decoded text or without.

Python's codecs are slow with a wrong table, as every bad byte calls the error handler, and of most
candidates only the plausibility is needed. Here two bytes are one table look-up
(`udfs.charset.code_tables`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Int16Array, Int32Array, UInt8Array
from udfs.base.han import text_weights
from udfs.base.jit import compiled, copy_bytes, inlined, uncounted
from udfs.charset.code_tables import BAD, ODD, PAIR, code_table

TENTHS = 10
"""Weights are summed in tenths, as all of `udfs.base.han.text_weights` are: sums are exact."""

_HIGH = 0x80
_AMPERSAND, _HASH, _ZERO, _NINE = b"&#09"
_FIRST_LEAD, _LAST_LEAD = 0x81, 0xFE  # of GB18030's characters of four bytes
# After "&#" comes an x or a digit, then the digits that a long reference has.
_REFERENCE_BYTES, _FOURTH_DIGIT, _FIFTH_DIGIT = 7, 5, 6
_BLOCK = 128
_SURROGATES, _SECOND_SURROGATES, _SURROGATES_END = 0xD800, 0xDC00, 0xE000
_BYTE_ORDER_MARK, _BAD_CHARACTER = 0xFEFF, 0xFFFD
_BMP = 0x10000
_THREE_BYTES = 0x800  # the first code point of three bytes in UTF-8
_MOST_BYTES = 3  # of UTF-8 for one byte: U+FFFD
_NO_BYTES = np.empty(0, dtype=np.uint8)


class Counts(NamedTuple):
    """Counts over decoded text: bad bytes replaced, without a character that the end cuts.

    Attributes:
        high: Characters above U+007F.
        bad: U+FFFD among them.
        weight: Sum of the `udfs.base.han.text_weights` of the high ones, in tenths.
        ideographs, kana, references: As in `udfs.base.page_counts.PageCounts`, for the text as
            UTF-8.
    """

    high: int
    bad: int
    weight: int
    ideographs: int
    kana: int
    references: int

    @property
    def bad_share(self) -> float:
        """Share of U+FFFD among the characters above U+007F."""
        return self.bad / self.high if self.high else 0.0

    @property
    def plausibility(self) -> float:
        """`udfs.base.han.text_plausibility` of the text, with the same rounding."""
        return float(np.float32(self.weight / (TENTHS * self.high))) if self.high else 0.0


def counts_of(data: bytes, codec: str) -> Counts | None:
    """Count over bytes decoded with a codec.

    Args:
        codec: Canonical name, as `udfs.charset.labels.canonical_codec` gives it.
    Returns:
        None where they must be decoded to be counted: they have zero bytes, the codec is not one
        of ASCII and two bytes, or the code tables do not decide.

    >>> counts_of("中文".encode("gbk"), "gb18030")
    Counts(high=2, bad=0, weight=50, ideographs=2, kana=0, references=0)
    """
    table = code_table(codec)
    if table is None:
        return None
    data_bytes = np.frombuffer(data, dtype=np.uint8)
    written, *counts = _read(data_bytes, *table, weights_in_tenths(), _NO_BYTES)
    return None if written < 0 else Counts(*counts)


def table_utf8(data: bytes, codec: str) -> bytes | None:
    """Decode bytes to UTF-8, in a third of the time of Python's codec.

    Returns:
        None where Python's codec is needed, as for `counts_of`.

    >>> table_utf8("中文".encode("gbk"), "gb18030").decode()
    '中文'
    """
    table = code_table(codec)
    if table is None:
        return None
    utf8 = np.empty(_MOST_BYTES * len(data), dtype=np.uint8)
    data_bytes = np.frombuffer(data, dtype=np.uint8)
    written, *_ = _read(data_bytes, *table, weights_in_tenths(), utf8)
    return None if written < 0 else utf8[:written].tobytes()


def wide_counts_of(data: bytes, codec: str) -> Counts | None:
    """`counts_of` for utf-16-le and utf-16-be; ideographs, kana and references are 0."""
    is_little = codec == "utf-16-le"
    is_odd, high, bad, weight = _count_wide(
        np.frombuffer(data, dtype=np.uint8), is_little, weights_in_tenths()
    )
    return None if is_odd else Counts(high, bad, weight, 0, 0, 0)


def counts_of_text(text: str) -> Counts:
    """Count the high and bad characters of a text and their weight; the other fields are 0."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    codes = codes[codes >= _HIGH]
    weight = int(weights_in_tenths()[np.minimum(codes, 0xFFFF)].sum(dtype=np.int64))
    return Counts(len(codes), text.count("\ufffd"), weight, 0, 0, 0)


@lru_cache(maxsize=1)
def weights_in_tenths() -> Int16Array:
    """Return `udfs.base.han.text_weights` in tenths, shape (65536,), int16."""
    weights: Int16Array = np.rint(text_weights() * TENTHS).astype(np.int16)
    return weights


@compiled
def _read(
    data: UInt8Array,
    singles: Int32Array,
    pairs: Int32Array,
    has_four: bool,
    weights: Int16Array,
    utf8: UInt8Array,
) -> tuple[int, int, int, int, int, int, int]:
    """Return the bytes written, -1 where the table does not decide, and the fields of `Counts`.

    Args:
        utf8: Receives the text: `_MOST_BYTES` for every byte; empty where it is not wanted.
    """
    data = uncounted(data)
    high = bad = weight = ideographs = kana = references = 0
    size, writes = len(data), len(utf8) > 0
    at = looked = written = 0  # up to `looked` a block is known to have other than plain bytes
    while at < size:
        lead = data[at]
        if lead < _HIGH:
            if lead == 0:
                return -1, 0, 0, 0, 0, 0, 0
            if lead == _AMPERSAND and at + 1 < size and data[at + 1] == _HASH:
                after = min(at + _REFERENCE_BYTES, size)
                for place in range(at + 2, after):
                    if data[place] >= _HIGH:  # other bytes in UTF-8, and other places
                        return -1, 0, 0, 0, 0, 0, 0
                references += (
                    after == at + _REFERENCE_BYTES
                    and _is_hex(data[at + _FOURTH_DIGIT])
                    and _is_hex(data[at + _FIFTH_DIGIT])
                )
            start = at
            at += 1
            if at >= looked:
                while at + _BLOCK <= size and _is_plain(data[at : at + _BLOCK]):
                    at += _BLOCK
                looked = at + _BLOCK
            if writes:
                if at == start + 1:
                    utf8[written] = lead
                else:
                    copy_bytes(utf8, written, data, start, at - start)
            written += at - start
            continue
        code = singles[lead]
        length = 1
        if code == PAIR:
            if at + 1 == size:
                break
            trail = data[at + 1]
            if has_four and _ZERO <= trail <= _NINE:
                if at + 3 >= size:
                    break
                code = np.int32(BAD)
                if (
                    _FIRST_LEAD <= lead <= _LAST_LEAD
                    and _FIRST_LEAD <= data[at + 2] <= _LAST_LEAD
                    and _ZERO <= data[at + 3] <= _NINE
                ):
                    code = np.int32(ODD)
            else:
                code = pairs[lead - _HIGH, trail]
                length = 1 if code == BAD else 2
        if code == ODD:
            return -1, 0, 0, 0, 0, 0, 0
        if code == BAD:
            bad += 1
            code = np.int32(_BAD_CHARACTER)
        at += length
        high += 1
        weight += weights[min(code, _BMP - 1)]
        # As `udfs.base.page_counts` counts them.
        ideographs += (
            (0x3400 <= code <= 0x9FFF) | (0xF900 <= code <= 0xFAFF) | (0x20000 <= code <= 0x3FFFF)
        )
        kana += (0x3040 <= code <= 0x30FF) & (code != 0x30FB)
        if writes:
            written = _put_utf8(utf8, written, code)
    return written, high, bad, weight, ideographs, kana, references


@inlined
def _put_utf8(utf8: UInt8Array, written: int, code: np.int32) -> int:
    """Write a character above U+007F; return the bytes written so far."""
    if code < _THREE_BYTES:
        utf8[written] = 0xC0 | code >> 6
    else:
        if code < _BMP:
            utf8[written] = 0xE0 | code >> 12
        else:
            utf8[written] = 0xF0 | code >> 18
            written += 1
            utf8[written] = 0x80 | code >> 12 & 0x3F
        written += 1
        utf8[written] = 0x80 | code >> 6 & 0x3F
    written += 1
    utf8[written] = 0x80 | code & 0x3F
    return written + 1


@compiled
def _is_plain(block: UInt8Array) -> bool:
    """Whether a block has nothing to count."""
    other = False
    for byte in block:
        other |= (byte >= _HIGH) | (byte == _AMPERSAND) | (byte == 0)
    return not other


@compiled
def _is_hex(byte: np.uint8) -> bool:
    letter = byte | 0x20
    return bool(((byte >= 0x30) & (byte <= 0x39)) | ((letter >= 0x61) & (letter <= 0x66)))


@compiled
def _count_wide(
    data: UInt8Array, is_little: bool, weights: Int16Array
) -> tuple[bool, int, int, int]:
    """Return whether the bytes must be decoded instead; the high and bad characters, the weight."""
    high = bad = weight = 0
    is_odd = False
    place, end = 0, len(data) - 1
    while place < end:
        code = _unit(data, place, is_little)
        place += 2
        if code < _HIGH:
            continue
        is_odd |= code in (_BYTE_ORDER_MARK, _BAD_CHARACTER)
        if _SURROGATES <= code < _SURROGATES_END:
            is_first = code < _SECOND_SURROGATES
            if is_first and place >= end:
                break
            if is_first and _SECOND_SURROGATES <= _unit(data, place, is_little) < _SURROGATES_END:
                code = np.int64(_BMP - 1)
                place += 2
            else:
                code = np.int64(_BAD_CHARACTER)
                bad += 1
        high += 1
        weight += weights[code]
    return is_odd, high, bad, weight


@compiled
def _unit(data: UInt8Array, place: int, is_little: bool) -> np.int64:
    first, second = np.int64(data[place]), np.int64(data[place + 1])
    return second << 8 | first if is_little else first << 8 | second
