"""Web and e-mail addresses in texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int64Array
from udfs.base.code_points import EncodedTexts

# One character class first: a search for alternatives, or without case, takes ten times as long.
_URL = re.compile("[hHwW](?i:(?<=h)ttps?://[!-~]|(?<=w)(?<![0-9a-z./_-]w)ww[.][!-~])")
# The pattern begins with the sign: one that begins with the name tries every letter of a text, and
# takes quadratic time over a long run of letters. The engine jumps to the signs only if the look
# back is behind the sign and no letter's case is ignored.
_EMAIL = re.compile("[@＠](?<=[0-9A-Za-z_%+-][@＠])(?:[0-9A-Za-z-]{1,63}[.]){1,8}[A-Za-z]{2,63}")
_LOCAL_PART_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
MAX_LOCAL_PART_CHARS = 64
"""Longest part before the sign @. Source: RFC 5321, section 4.5.3.1.1."""


def count_urls(text: str) -> int:
    """Number of web addresses that begin with http://, https:// or www."""
    return sum(1 for _ in _URL.finditer(text))


def count_emails(text: str) -> int:
    """Number of e-mail addresses in ASCII letters, the sign @ in either width."""
    return sum(1 for _ in _EMAIL.finditer(text))


def find_emails(text: str) -> list[tuple[int, int]]:
    """Where e-mail addresses begin and end, in code points, ascending and disjoint.

    These are the addresses that ``count_emails`` counts; of two that share letters
    (``a@b.cn@c.cn``) the second is part of the first.
    """
    found: list[tuple[int, int]] = []
    floor = 0
    for match in _EMAIL.finditer(text):
        sign, stop = match.span()
        start = _local_part_start(text, sign, floor)
        if start == floor and found and found[-1][1] == floor:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
        floor = stop
    return found


def _local_part_start(text: str, sign: int, floor: int) -> int:
    """Where the local part begins: no dot first, at most 64 characters."""
    start = sign
    lowest = max(floor, sign - MAX_LOCAL_PART_CHARS)
    while start > lowest and text[start - 1] in _LOCAL_PART_CHARS:
        start -= 1
    while start < sign - 1 and text[start] in ".-":
        start += 1
    return start


def url_counts(texts: Sequence[str], encoded: EncodedTexts) -> Int64Array:
    """``count_urls`` of each text, shape (texts,); among many, only of those with // or ww."""
    if len(texts) == 1:
        return np.array([count_urls(texts[0])])
    lowered = encoded.codes | 0x20  # w for W; / stays /
    doubled = lowered[1:] == lowered[:-1]
    doubled &= (lowered[1:] == ord("/")) | (lowered[1:] == ord("w"))
    return _counts_where(count_urls, doubled, texts, encoded)


def email_counts(texts: Sequence[str], encoded: EncodedTexts) -> Int64Array:
    """``count_emails`` of each text, shape (texts,); only texts with the sign are searched."""
    signs = (encoded.codes == ord("@")) | (encoded.codes == ord("＠"))
    return _counts_where(count_emails, signs, texts, encoded)


def _counts_where(
    count: Callable[[str], int],
    flags: npt.NDArray[np.bool_],
    texts: Sequence[str],
    encoded: EncodedTexts,
) -> Int64Array:
    """Count in the texts that have a flag; the others have 0."""
    counts = np.zeros(len(texts), dtype=np.int64)
    for index in encoded.texts_with(flags):
        counts[index] = count(texts[index])
    return counts
