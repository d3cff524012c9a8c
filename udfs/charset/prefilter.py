"""Pages that cannot hold enough Chinese, told from their bytes before anything is decoded.

Nineteen of twenty captures of a crawl are not Chinese, and to decode and parse them would be most
of the cost of an extraction. Everything here is an UPPER BOUND of `udfs.base.han.han_ideographs` of
the text that an extractor may give: a page that is passed over would have had too few ideographs
in the end, whatever charset `udfs.charset.decode.decode` reads it in. Nothing is guessed:

- A page whose reading is certain (ASCII, or valid UTF-8 whose labels do not gainsay it) is
  counted: the ideographs of its bytes, markup included, and its character references. No named
  reference stands for an ideograph.
- Any other page may hold Chinese, unless it is decoded: in GB18030, Big5 and their like two bytes
  of almost any European text can be an ideograph, and which charset is right is the ladder's
  matter. So may a page with zero bytes (UTF-16, UTF-32), and an ASCII page with the escapes of HZ
  or ISO-2022-JP that a label may turn into ideographs.

One rule is exact and no bound: a page with more kana than ideographs is Japanese (`mostly_kana`).
It is judged on the whole page wherever ideographs are asked for, and here only earlier.

Scripts, styles and comments are not stripped. To find them without a parser is no bound (a
"<script>" in an attribute or a comment opens none, and would hide the text after it).
"""

import codecs
import re
from dataclasses import dataclass

from udfs.base.page_bytes import PageBytes, page_bytes
from udfs.charset.decode import canonical_codec

TOO_FEW_HAN = "too_few_han"
MOSTLY_KANA = "mostly_kana"

# Where `udfs.charset.decode.decode` looks for labels. More is found here than there, which does no
# harm.
_HEAD_BYTES = 4096
_LABEL = re.compile(
    rb"(?:charset|encoding)(?=\s*+=\s*+[\"']?\s*+([A-Za-z0-9_.:\-]+))", re.IGNORECASE
)
_LONGEST_LABEL = 40  # of longer ones the ladder looks at the beginning
# From so many continuation bytes on the ladder takes valid UTF-8 for what it is, whatever labels
# say; with fewer it asks the labels.
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
_JSON_TEXT = b"articleBody"
_JSON_ESCAPE = b"\\u"
_REPLACEMENT = "\ufffd".encode()


@dataclass(frozen=True, slots=True)
class HanRules:
    """What is asked of a page, whatever its main text will be.

    Attributes:
        min_han_chars: Fewest ideographs that may become of it; 0 asks for none.
        max_kana_share: Most kana of its kana, ideographs and references to ideographs; None for
            any share. Exact, and no bound: it is judged on the whole page, with its markup, and
            whether or not the bytes are looked at first. References count as ideographs, so that
            a page that writes its Chinese so is none of kana.
        twice_escaped: The extractor also resolves what is escaped twice (&amp;#20013;) or in a
            JSON-LD article (\\u4e2d), as trafilatura does: it counts, and no page is one of kana.
    """

    min_han_chars: int
    max_kana_share: float | None = None
    twice_escaped: bool = False


def plain_utf8(
    data: bytes, start: int, end: int, declared: str | None
) -> tuple[PageBytes, int] | None:
    """What a page holds that `udfs.charset.decode.decode` is certain to read as UTF-8, replacing
    nothing.

    Args:
        data: Bytes that hold the page from `start` to `end`: the body of the response, transfer
            and content codings already undone.
        declared: Value of charset in the Content-Type header; None when there is none.
    Returns:
        What it holds, and where it ends, without a character that its end cuts. None for a page
        that has to be decoded.
    """
    last = _end_of_characters(data, start, end)
    held = page_bytes(data, start, last)
    if not held.is_utf8 or (held.has_shift and data.find(b"\0", start, last) >= 0):
        return None
    if held.is_ascii:
        if last < end:
            return None  # ASCII but for a cut character: the ladder looks at the bytes
        if not held.has_shift:
            return held, last
    elif data.startswith(codecs.BOM_UTF8, start):
        # The ladder believes a mark in front of a text with few replacement characters.
        return None if data.find(_REPLACEMENT, start, last) >= 0 else (held, last)
    elif held.continuations >= _FEW_CONTINUATIONS:
        return held, last
    found = _LABEL.findall(data, start, min(end, start + _HEAD_BYTES))
    labels = [label.decode("ascii") for label in found]
    labels.append(declared or "")
    for label in labels:
        if len(label) > _LONGEST_LABEL or canonical_codec(label) not in (None, "utf-8"):
            return None
    return held, last


def refusal(page: bytes, start: int, end: int, held: PageBytes, rules: HanRules) -> str | None:
    """Why a page cannot become a document, None where it may.

    Args:
        page: Bytes that hold the page as UTF-8 from `start` to `end`, without zero bytes.
        held: What it holds.
    """
    missing = rules.min_han_chars - held.ideographs
    if missing > 0 and not _references_reach(page, start, end, held, missing, rules.twice_escaped):
        return TOO_FEW_HAN
    return MOSTLY_KANA if mostly_kana(held, rules) else None


def mostly_kana(held: PageBytes, rules: HanRules) -> bool:
    """Whether more of a page than the rules let pass is kana: it is Japanese.

    Kana are half to three quarters of Japanese, and a tenth at most of the pages of a Chinese
    crawl that show some.
    """
    if rules.max_kana_share is None or rules.twice_escaped:
        return False
    others = held.ideographs + held.references
    return held.kana > rules.max_kana_share * (held.kana + others)


def without_zeros(page: bytes) -> bytes:
    """A page without zero bytes, which the extractor takes out, from inside references too."""
    return page.replace(b"\0", b"") if b"\0" in page else page


def _end_of_characters(data: bytes, start: int, end: int) -> int:
    """Where a page ends, without a character that its end cuts: the ladder leaves it out."""
    tail = data[max(start, end - 3) : end]
    if tail.isascii():
        return end
    for back, byte in enumerate(reversed(tail), 1):
        if byte >= 0xC0:
            try:
                _, used = codecs.utf_8_decode(tail[-back:], "strict", False)
            except UnicodeDecodeError:
                break  # cut or not, no character begins so
            return end - back + used
        if byte < 0x80:
            break
    return end


def _references_reach(
    page: bytes, start: int, end: int, held: PageBytes, missing: int, twice_escaped: bool
) -> bool:
    """Whether references may stand for so many ideographs."""
    if not twice_escaped:
        # Most references of a page are quotes, spaces and their like; to tell them by the pattern
        # takes longer for a page than all the rest here.
        return held.references >= missing and (len(_REFERENCE.findall(page, start, end)) >= missing)
    missing -= len(_ESCAPED_REFERENCE.findall(page, start, end))
    return missing <= 0 or (
        page.find(_JSON_TEXT, start, end) >= 0 and page.count(_JSON_ESCAPE, start, end) >= missing
    )
