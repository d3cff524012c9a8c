"""The prefilter's bound on its own: whether a page can have a number of Han ideographs."""

from __future__ import annotations

from udfs.base.page_counts import page_counts
from udfs.charset.prefilter import HanRules, plain_utf8, reject_reason, without_zeros


def may_hold_han(
    payload: bytes, declared: str | None, at_least: int, *, twice_escaped: bool = False
) -> bool:
    """Whether the text of a page may have at least this many Han ideographs.

    Args:
        payload: As for `udfs.charset.decode.decode`.
        declared: Likewise.
        at_least: Number of ideographs; 0 lets every page pass.
        twice_escaped: As in `HanRules`.
    Returns:
        False only when no such text can result. True leaves it open: the page must be decoded.
    """
    plain = plain_utf8(payload, 0, len(payload), declared)
    rules = HanRules(at_least, None, twice_escaped)
    return plain is None or reject_reason(payload, 0, plain[1], plain[0], rules) is None


def text_may_hold_han(html: str, at_least: int, *, twice_escaped: bool = False) -> bool:
    """Whether a decoded page may have at least this many Han ideographs, before it is parsed."""
    page = without_zeros(html.encode("utf-8", "replace"))
    rules = HanRules(at_least, None, twice_escaped)
    return reject_reason(page, 0, len(page), page_counts(page), rules) is None
