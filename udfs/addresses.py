"""Web and e-mail addresses in texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from udfs.code_points import Counts, EncodedTexts

_URL = re.compile(r"https?://[!-~]|(?<![0-9a-z./_-])www\.[!-~]", re.IGNORECASE)
# Found from the middle: a pattern that begins with the name tries every letter of a text, and
# a long run of letters again and again.
_EMAIL = re.compile(
    r"(?<=[0-9a-z_%+-])[@＠](?:[0-9a-z-]{1,63}\.){1,8}[a-z]{2,63}", re.IGNORECASE | re.ASCII
)


def count_urls(text: str) -> int:
    """Number of web addresses that begin with http://, https:// or www."""
    return sum(1 for _ in _URL.finditer(text))


def count_emails(text: str) -> int:
    """Number of e-mail addresses in ASCII letters, the sign @ in either width."""
    return sum(1 for _ in _EMAIL.finditer(text))


def url_counts(texts: Sequence[str], encoded: EncodedTexts) -> Counts:
    """``count_urls`` of each text, shape (texts,); among many, only of those with // or ww."""
    if len(texts) == 1:
        return np.array([count_urls(texts[0])])
    lowered = encoded.codes | 0x20  # w for W; / stays /
    doubled = lowered[1:] == lowered[:-1]
    doubled &= (lowered[1:] == ord("/")) | (lowered[1:] == ord("w"))
    return _counts_where(count_urls, doubled, texts, encoded)


def email_counts(texts: Sequence[str], encoded: EncodedTexts) -> Counts:
    """``count_emails`` of each text, shape (texts,); only texts with the sign are searched."""
    signs = (encoded.codes == ord("@")) | (encoded.codes == ord("＠"))
    return _counts_where(count_emails, signs, texts, encoded)


def _counts_where(
    count: Callable[[str], int],
    flags: npt.NDArray[np.bool_],
    texts: Sequence[str],
    encoded: EncodedTexts,
) -> Counts:
    """Count in the texts that have a flag; in the others there is nothing."""
    counts = np.zeros(len(texts), dtype=np.int64)
    for index in encoded.texts_with(flags):
        counts[index] = count(texts[index])
    return counts
