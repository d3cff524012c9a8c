"""Reject pages that cannot have enough text of a script by their bytes, before decoding anything.

Nineteen of twenty captures of a crawl are not Chinese, and decoding and parsing them would be most
of the cost of an extraction. The count here is an UPPER BOUND of `udfs.base.han.han_ideographs` of
the text that an extractor may return: a rejected page would have had too few ideographs in the end,
whatever charset `udfs.charset.decode.decode` chooses. Nothing is guessed:

- A page whose charset is certain (ASCII, or valid UTF-8 that no label contradicts) is counted: the
  ideographs of its bytes, markup included, and its character references. No named reference is an
  ideograph.
- Any other page may have Chinese until it is decoded: in GB18030, Big5 and similar charsets two
  bytes of almost any European text can be an ideograph, and `decode` chooses the charset. So may a
  page with zero bytes (UTF-16, UTF-32), and an ASCII page with the escapes of HZ or ISO-2022-JP,
  which a label may turn into ideographs.

One rule is exact, not a bound: a page with more kana than ideographs is Japanese (`mostly_kana`).
It holds for the whole page wherever a minimum of ideographs is set; here it is only applied early.

Other scripts than Han have the same bound (`ScriptRules`), with the characters of the script in the
place of ideographs: a page that is certainly UTF-8 is counted as it is, any other when it is
decoded, before it is parsed. Named references count as two characters each where HTML has names for
the script's characters.

Code, styles and comments are not stripped: finding them without a parser would break the bound
(a "<script>" in an attribute or a comment opens no script, and would hide the text after it).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from udfs.base.han import han_ideographs
from udfs.base.language import Script
from udfs.base.page_counts import PageCounts, page_counts
from udfs.base.script_counts import has_named_references, reference_chars, script_chars
from udfs.charset.labels import HEAD_BYTES, canonical_codec

TOO_FEW_HAN = "too_few_han"
TOO_FEW_OF_SCRIPT = "too_few_script_chars"
MOSTLY_KANA = "mostly_kana"

# More labels are found here than by `udfs.charset.labels.page_labels`, which does no harm.
_LABEL = re.compile(
    rb"(?:charset|encoding)(?=\s*+=\s*+[\"']?\s*+([A-Za-z0-9_.:\-]+))", re.IGNORECASE
)
_LONGEST_LABEL = 40  # `decode` compares only the beginning of longer ones
# With this many continuation bytes `decode` accepts valid UTF-8 whatever labels say; with fewer it
# considers the labels.
_FEW_CONTINUATIONS = 48

# Numbers of ideographs, by their first digits: 13312 to 40959, 63744 to 64255, 131072 to 262143.
# Not of quotes, Hangul and emoji, which many pages write as references.
_DECIMAL = (
    rb"0*+(?:1(?:3[3-9]|[4-9][0-9])[0-9]{2}|[23][0-9]{4}|40[0-9]{3}|6[34][0-9]{3}|1[3-9][0-9]{4})"
)
_HEXADECIMAL = rb"[xX]0*+(?:[3-9][0-9a-fA-F]{3}|[fF][9aA][0-9a-fA-F]{2}|2[0-9a-fA-F]{4})"
_REFERENCE = re.compile(rb"&#(?:" + _DECIMAL + rb"|" + _HEXADECIMAL + rb")")
# The same after an ampersand that is itself escaped: &amp;#  &AMP#  &#38;#  &#x26#  &#38#
_ESCAPED_REFERENCE = re.compile(rb"#(?<=[&;pP68]#)(?:" + _DECIMAL + rb"|" + _HEXADECIMAL + rb")")
_FIRST_CHARS = 500  # of a text: counted before the rest
_JSON_TEXT = b"articleBody"
_JSON_ESCAPE = b"\\u"
_REPLACEMENT = "\ufffd".encode()


@dataclass(frozen=True, slots=True)
class HanRules:
    """Limits that a page must pass, whatever its main text will be.

    Attributes:
        min_han_chars: Fewest ideographs that its text may have; 0 for no limit.
        max_kana_share: Largest share of kana among its kana, ideographs and references to
            ideographs; None for no limit. Exact, not a bound: computed over the whole page with
            its markup, whether or not the bytes are counted first. References count as
            ideographs: a page may write its Chinese as references.
        twice_escaped: The extractor also resolves text that is escaped twice (&amp;#20013;) or in
            a JSON-LD article (\\u4e2d), as trafilatura does: such text counts, and
            max_kana_share is off.
    """

    min_han_chars: int
    max_kana_share: float | None = None
    twice_escaped: bool = False


@dataclass(frozen=True, slots=True)
class ScriptRules:
    """The limit of a page whose language is written in another script than Han.

    Attributes:
        script: Names and ranges, as `udfs.base.language` has them.
        min_chars: Fewest characters of it that its text may have.
        twice_escaped: As in `HanRules`; nothing is rejected by bytes then.
    """

    script: Script
    min_chars: int
    twice_escaped: bool = False


PageRules = HanRules | ScriptRules


def plain_utf8(
    data: bytes, start: int, end: int, declared: str | None
) -> tuple[PageCounts, int] | None:
    """Count over a page that `udfs.charset.decode.decode` certainly reads as UTF-8 without
    replacement characters.

    Args:
        data: Bytes that contain the page from `start` to `end`: the body of the response without
            transfer and content codings.
        declared: Value of charset in the Content-Type header; None when it has none.
    Returns:
        The counts, and the page's end without a character that it cuts. None for a page that must
        be decoded.
    """
    last = _end_of_characters(data, start, end)
    counts = page_counts(data, start, last)
    if not counts.is_utf8 or (counts.has_shift and data.find(b"\0", start, last) >= 0):
        return None
    if counts.is_ascii:
        if last < end:
            return None  # ASCII except for a cut character: `decode` must choose
        if not counts.has_shift:
            return counts, last
    elif data.startswith(codecs.BOM_UTF8, start):
        # `decode` accepts a byte order mark before a text with few replacement characters.
        return None if data.find(_REPLACEMENT, start, last) >= 0 else (counts, last)
    elif counts.continuations >= _FEW_CONTINUATIONS:
        return counts, last
    found = _LABEL.findall(data, start, min(end, start + HEAD_BYTES))
    labels = [label.decode("ascii") for label in found]
    labels.append(declared or "")
    for label in labels:
        if len(label) > _LONGEST_LABEL or canonical_codec(label) not in (None, "utf-8"):
            return None
    return counts, last


def reject_reason(
    page: bytes, start: int, end: int, counts: PageCounts, rules: PageRules
) -> str | None:
    """Return the reject reason of a page that cannot become a document; None for any other.

    Args:
        page: Bytes that contain the page as UTF-8 from `start` to `end`, without zero bytes.
        counts: Its counts.
    """
    if isinstance(rules, ScriptRules):
        reaches = rules.twice_escaped or _script_reaches(page, start, end, rules)
        return None if reaches else TOO_FEW_OF_SCRIPT
    missing = rules.min_han_chars - counts.ideographs
    if missing > 0 and not _references_reach(
        page, start, end, counts, missing, rules.twice_escaped
    ):
        return TOO_FEW_HAN
    return MOSTLY_KANA if mostly_kana(counts, rules) else None


def too_few(text: str, rules: PageRules) -> str | None:
    """Return the reject reason of a text with too few characters of the script; None for any other.

    Most texts have enough in their first lines.
    """
    if isinstance(rules, ScriptRules):
        has_enough = any(
            script_chars(part.encode("utf-8", "replace"), rules.script) >= rules.min_chars
            for part in _beginning_and_all(text)
        )
        return None if has_enough else TOO_FEW_OF_SCRIPT
    has_enough = any(
        han_ideographs(part) >= rules.min_han_chars for part in _beginning_and_all(text)
    )
    return None if has_enough else TOO_FEW_HAN


def mostly_kana(counts: PageCounts, rules: PageRules) -> bool:
    """Whether the share of kana exceeds the limit: the page is Japanese.

    Kana are half to three quarters of Japanese text, and at most a tenth of Chinese pages that
    have any.
    """
    if isinstance(rules, ScriptRules) or rules.max_kana_share is None or rules.twice_escaped:
        return False
    others = counts.ideographs + counts.references
    return counts.kana > rules.max_kana_share * (counts.kana + others)


def without_zeros(page: bytes) -> bytes:
    """Return a page without zero bytes, which the extractor removes, inside references too."""
    return page.replace(b"\0", b"") if b"\0" in page else page


def _beginning_and_all(text: str) -> Iterator[str]:
    yield text[:_FIRST_CHARS]
    if len(text) > _FIRST_CHARS:
        yield text


def _script_reaches(page: bytes, start: int, end: int, rules: ScriptRules) -> bool:
    """Whether a page may have enough characters of a script, references among them."""
    found = script_chars(page, rules.script, start, end)
    if found < rules.min_chars and has_named_references(rules.script):
        found += 2 * page.count(b"&", start, end)  # no name stands for more than two characters
    return found >= rules.min_chars or (
        found + reference_chars(page, rules.script, start, end) >= rules.min_chars
    )


def _end_of_characters(data: bytes, start: int, end: int) -> int:
    """Return the end of a page without a character that it cuts, as `decode` drops it."""
    tail = data[max(start, end - 3) : end]
    if tail.isascii():
        return end
    for back, byte in enumerate(reversed(tail), 1):
        if byte >= 0xC0:
            try:
                _, used = codecs.utf_8_decode(tail[-back:], "strict", False)
            except UnicodeDecodeError:
                break  # no character begins with these bytes
            return end - back + used
        if byte < 0x80:
            break
    return end


def _references_reach(
    page: bytes, start: int, end: int, counts: PageCounts, missing: int, twice_escaped: bool
) -> bool:
    """Whether the page may have the missing ideographs as references."""
    if not twice_escaped:
        # Most references are quotes and spaces; the pattern that excludes them takes longer for a
        # page than everything else here.
        return counts.references >= missing and (
            len(_REFERENCE.findall(page, start, end)) >= missing
        )
    missing -= len(_ESCAPED_REFERENCE.findall(page, start, end))
    return missing <= 0 or (
        page.find(_JSON_TEXT, start, end) >= 0 and page.count(_JSON_ESCAPE, start, end) >= missing
    )
