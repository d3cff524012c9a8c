"""What a reading of bytes through a code table holds, with its text or without.

To decode a stretch through a wrong table is slow, as every bad byte passes the error handler, and
of most readings nothing is wanted but how plausible they are. Here two bytes are one look into a
table (`udfs.charset.code_tables`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.han import text_weights
from udfs.base.jit import compiled, copy_bytes, uncounted
from udfs.charset.code_tables import BAD, ODD, PAIR, Codes, code_table

Bytes = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.int16]

TENTHS = 10
"""Weights are counted in tenths, which all of `udfs.base.han.text_weights` are: sums are exact."""

_HIGH = 0x80
_AMPERSAND, _HASH, _ZERO, _NINE = b"&#09"
_FIRST_LEAD, _LAST_LEAD = 0x81, 0xFE  # of GB18030's characters of four bytes
# After "&#" comes an x or a digit, then the digits that tell a reference of some length.
_REFERENCE_BYTES, _FOURTH_DIGIT, _FIFTH_DIGIT = 7, 5, 6
_BLOCK = 128
_SURROGATES, _SECOND_SURROGATES, _SURROGATES_END = 0xD800, 0xDC00, 0xE000
_BYTE_ORDER_MARK, _BAD_CHARACTER = 0xFEFF, 0xFFFD
_BMP = 0x10000
_THREE_BYTES = 0x800  # the first code of so many in UTF-8
_MOST_BYTES = 3  # that a byte becomes: U+FFFD
_NO_BYTES = np.empty(0, dtype=np.uint8)


class Counts(NamedTuple):
    """What a reading holds: bad bytes replaced, without a character that the end cuts.

    Attributes:
        high: Characters above U+007F.
        bad: U+FFFD among them.
        weight: Sum of the `udfs.base.han.text_weights` of the high ones, in tenths.
        ideographs, kana, references: As in `udfs.base.page_bytes.PageBytes`, for the reading as
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
        """`udfs.base.han.text_plausibility` of the reading, rounded as that is."""
        return float(np.float32(self.weight / (TENTHS * self.high))) if self.high else 0.0


def counts_of(data: bytes, codec: str) -> Counts | None:
    """What the reading of some bytes through a codec holds.

    Args:
        codec: Canonical name, as `udfs.charset.decode.canonical_codec` gives it.
    Returns:
        None where they have to be decoded to know: zero bytes are among them, the codec is none of
        ASCII and two bytes, or the bytes are not what it can be counted of.

    >>> counts_of("中文".encode("gbk"), "gb18030")
    Counts(high=2, bad=0, weight=30, ideographs=2, kana=0, references=0)
    """
    table = code_table(codec)
    if table is None:
        return None
    data_bytes = np.frombuffer(data, dtype=np.uint8)
    written, *counts = _read(data_bytes, *table, weights_in_tenths(), _NO_BYTES)
    return None if written < 0 else Counts(*counts)


def table_utf8(data: bytes, codec: str) -> bytes | None:
    """The reading itself as UTF-8, in a third of the time that the codec takes.

    Returns:
        None where the codec has to read, as for `counts_of`.

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
    """The same for utf-16-le and utf-16-be; no ideographs, kana and references are counted."""
    is_little = codec == "utf-16-le"
    is_odd, high, bad, weight = _count_wide(
        np.frombuffer(data, dtype=np.uint8), is_little, weights_in_tenths()
    )
    return None if is_odd else Counts(high, bad, weight, 0, 0, 0)


def counts_of_text(text: str) -> Counts:
    """High and bad characters and the weight of a text; the rest is not counted."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    codes = codes[codes >= _HIGH]
    weight = int(weights_in_tenths()[np.minimum(codes, 0xFFFF)].sum(dtype=np.int64))
    return Counts(len(codes), text.count("\ufffd"), weight, 0, 0, 0)


@lru_cache(maxsize=1)
def weights_in_tenths() -> Weights:
    """`udfs.base.han.text_weights` as whole numbers, shape (65536,)."""
    weights: Weights = np.rint(text_weights() * TENTHS).astype(np.int16)
    return weights


@compiled
def _read(
    data: Bytes,
    singles: Codes,
    pairs: Codes,
    has_four: bool,
    weights: Weights,
    utf8: Bytes,
) -> tuple[int, int, int, int, int, int, int]:
    """The bytes of the reading, or -1 for what the table does not tell; the fields of `Counts`.

    Args:
        utf8: Gets the reading, where it has room for `_MOST_BYTES` for every byte; of no length
            where it is not wanted.
    """
    data = uncounted(data)
    high = bad = weight = ideographs = kana = references = 0
    size, writes = len(data), len(utf8) > 0
    at = looked = written = 0  # up to `looked` the bytes are known not to be plain all
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
        # As `udfs.base.page_bytes` counts them.
        ideographs += (
            (0x3400 <= code <= 0x9FFF) | (0xF900 <= code <= 0xFAFF) | (0x20000 <= code <= 0x3FFFF)
        )
        kana += (0x3040 <= code <= 0x30FF) & (code != 0x30FB)
        if writes:
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
            written += 1
    return written, high, bad, weight, ideographs, kana, references


@compiled
def _is_plain(block: Bytes) -> bool:
    """Whether there is nothing to count in a block."""
    other = False
    for byte in block:
        other |= (byte >= _HIGH) | (byte == _AMPERSAND) | (byte == 0)
    return not other


@compiled
def _is_hex(byte: np.uint8) -> bool:
    letter = byte | 0x20
    return bool(((byte >= 0x30) & (byte <= 0x39)) | ((letter >= 0x61) & (letter <= 0x66)))


@compiled
def _count_wide(data: Bytes, is_little: bool, weights: Weights) -> tuple[bool, int, int, int]:
    """Whether the bytes are not to be counted; the high characters, the bad ones, the weight."""
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
def _unit(data: Bytes, place: int, is_little: bool) -> np.int64:
    first, second = np.int64(data[place]), np.int64(data[place + 1])
    return second << 8 | first if is_little else first << 8 | second
