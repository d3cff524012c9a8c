"""Pages that cannot hold enough Chinese, told from their bytes before anything is decoded.

Nineteen of twenty captures of a crawl are not Chinese, and to decode and parse them would be most
of the cost of an extraction. Everything here is an UPPER BOUND of `udfs.han.han_ideographs` of
the text that an extractor may give: a page that is passed over would have had too few ideographs
in the end, whatever charset `udfs.charset.decode` reads it in. Nothing is guessed:

- A page whose reading is certain (ASCII, or valid UTF-8 whose labels do not gainsay it) is
  counted: the ideographs of its bytes, markup included, and its character references. No named
  reference stands for an ideograph.
- Any other page may hold Chinese, unless it is decoded: in GB18030, Big5 and their like two bytes
  of almost any European text can be an ideograph, and which charset is right is the ladder's
  matter. So may a page with zero bytes (UTF-16, UTF-32), and an ASCII page with the escapes of HZ
  or ISO-2022-JP that a label may turn into ideographs.

Scripts, styles and comments are not stripped. To find them without a parser is no bound (a
"<script>" in an attribute or a comment opens none, and would hide the text after it).
"""

import codecs
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.charset import canonical_codec

# Where `udfs.charset.decode` looks for labels. More is found here than there, which does no harm.
_HEAD_BYTES = 4096
_LABEL = re.compile(
    rb"(?:charset|encoding)(?=\s*+=\s*+[\"']?\s*+([A-Za-z0-9_.:\-]+))", re.IGNORECASE
)
_LONGEST_LABEL = 40  # of longer ones the ladder looks at the beginning
# From so many continuation bytes on the ladder takes valid UTF-8 for what it is, whatever labels
# say; with fewer it asks the labels.
_FEW_CONTINUATIONS = 48

# Two neighbouring bytes as a little-endian number: comparing every pair at once takes an
# eighth of the time that bytes.find takes for a needle of two bytes.
_REFERENCE_PAIR = int.from_bytes(b"&#", "little")
_HZ_PAIR = int.from_bytes(b"~{", "little")

# Numbers of ideographs, by their first digits: 13312 to 40959, 63744 to 64255, 131072 to 262143.
# Not of quotes, Hangul and emoji, which many pages write as references.
_DECIMAL = (
    rb"0*+(?:1(?:3[3-9]|[4-9][0-9])[0-9]{2}|[23][0-9]{4}|40[0-9]{3}|6[34][0-9]{3}|1[3-9][0-9]{4})"
)
_HEXADECIMAL = rb"[xX]0*+(?:[3-9][0-9a-fA-F]{3}|[fF][9aA][0-9a-fA-F]{2}|2[0-9a-fA-F]{4})"
_REFERENCE = re.compile(rb"&#(?:" + _DECIMAL + rb"|" + _HEXADECIMAL + rb")")
# The same after an ampersand that is itself escaped: &amp;#  &AMP#  &#38;#  &#x26#  &#38#
_ESCAPED_REFERENCE = re.compile(rb"#(?<=[&;pP68]#)(?:" + _DECIMAL + rb"|" + _HEXADECIMAL + rb")")
_HEX_DIGIT = np.zeros(256, dtype=np.bool_)
_HEX_DIGIT[list(b"0123456789abcdefABCDEF")] = True
_JSON_TEXT = b"articleBody"
_JSON_ESCAPE = b"\\u"


def may_hold_han(
    payload: bytes, declared: str | None, at_least: int, *, twice_escaped: bool = False
) -> bool:
    """Whether the text of a page can have so many Han ideographs.

    Args:
        payload: Body of the response, transfer and content codings already undone.
        declared: Value of charset in the Content-Type header; None when there is none.
        at_least: Ideographs asked for; 0 makes every page one that may.
        twice_escaped: Also count what is escaped twice (&amp;#20013;) or in a JSON-LD article
            (\\u4e2d): trafilatura turns it into text, the other extractors do not.
    Returns:
        False only when no such text can come of it. True says nothing: the page has to be
        decoded.
    """
    if at_least <= 0:
        return True
    missing = at_least - (0 if payload.isascii() else _ideographs(payload, at_least))
    if missing <= 0 or not _is_plain_utf8(payload, declared):
        return True
    return _references_reach(payload, missing, twice_escaped)


def text_may_hold_han(html: str, at_least: int, *, twice_escaped: bool = False) -> bool:
    """The same for a page that is decoded, before it is parsed.

    Args:
        html: The decoded page.
    """
    if at_least <= 0:
        return True
    encoded = html.encode("utf-8", "replace")
    if b"\0" in encoded:
        # The extractor takes zero characters out, from inside references too.
        encoded = encoded.replace(b"\0", b"")
    missing = at_least - (0 if html.isascii() else _ideographs(encoded, at_least))
    return missing <= 0 or _references_reach(encoded, missing, twice_escaped)


def _is_plain_utf8(payload: bytes, declared: str | None) -> bool:
    """Whether `udfs.charset.decode` is certain to read a page as UTF-8 and to replace nothing."""
    if b"\0" in payload:
        return False
    if payload.isascii():
        if b"\x1b" not in payload and not (
            b"~" in payload and any(places.any() for places in _pairs(payload, _HZ_PAIR))
        ):
            return True
    else:
        end = _end_of_characters(payload)
        if end < len(payload) and payload[:end].isascii():
            return False  # ASCII but for a cut character: the ladder looks at the bytes
        if not _is_valid_utf8(payload, end):
            return False
        # As signed numbers the continuation bytes are the lowest.
        continuations = np.count_nonzero(np.frombuffer(payload, dtype=np.int8) < -0x40)
        if continuations >= _FEW_CONTINUATIONS or payload.startswith(codecs.BOM_UTF8):
            return True
    labels = [label.decode("ascii") for label in _LABEL.findall(payload[:_HEAD_BYTES])]
    labels.append(declared or "")
    return all(
        len(label) <= _LONGEST_LABEL and canonical_codec(label) in (None, "utf-8")
        for label in labels
    )


def _end_of_characters(payload: bytes) -> int:
    """The payload's length less that of a character that its end cuts: the ladder leaves it out."""
    for back, byte in enumerate(reversed(payload[-3:]), 1):
        if byte >= 0xC0:
            try:
                _, used = codecs.utf_8_decode(payload[-back:], "strict", False)
            except UnicodeDecodeError:
                break  # cut or not, no character begins so
            return len(payload) - back + used
        if byte < 0x80:
            break
    return len(payload)


def _is_valid_utf8(payload: bytes, end: int) -> bool:
    """Whether the first `end` bytes are strict UTF-8, in half of the time that decoding takes."""
    offsets = pa.py_buffer(np.array([0, end], dtype=np.int64))
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(payload)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _references_reach(page: bytes, missing: int, twice_escaped: bool) -> bool:
    """Whether references may stand for so many ideographs."""
    if not twice_escaped:
        return _possible_references(page, missing) >= missing and (
            len(_REFERENCE.findall(page)) >= missing
        )
    missing -= len(_ESCAPED_REFERENCE.findall(page))
    return missing <= 0 or (_JSON_TEXT in page and page.count(_JSON_ESCAPE) >= missing)


def _possible_references(page: bytes, enough: int) -> int:
    """References of four digits or more; where there are `enough`, or few of any, no exact number.

    Most references of a page that is not Chinese are quotes, spaces and their like (&#39; &#xa0;),
    and the pattern takes longer for a page than all the rest here.
    """
    even, odd = _pairs(page, _REFERENCE_PAIR)
    if np.count_nonzero(even) + np.count_nonzero(odd) < enough:
        return 0
    starts = np.concatenate([2 * np.flatnonzero(even), 2 * np.flatnonzero(odd) + 1])
    # What follows "&#": an x or a digit, and in either case three more digits or hex digits.
    fourth = starts + 5
    fourth = fourth[fourth < len(page) - 1]
    codes = np.frombuffer(page, dtype=np.uint8)
    return int(np.count_nonzero(_HEX_DIGIT[codes[fourth]] & _HEX_DIGIT[codes[fourth + 1]]))


def _ideographs(page: bytes, enough: int) -> int:
    """Ideographs of valid UTF-8; where there are `enough`, some smaller number that is enough too.

    E4 to E9 begin U+4000 to U+9FFF and nothing else. The rare ones are looked for only when the
    common ones do not suffice; kana, full-width signs and emoji begin with the same bytes.
    """
    codes = np.frombuffer(page, dtype=np.uint8)
    count = int(np.count_nonzero(codes - np.uint8(0xE4) <= 5))
    first, second = codes[:-1], codes[1:]
    for lead, low, high in ((0xE3, 0x90, 0xBF), (0xEF, 0xA4, 0xAB), (0xF0, 0xA0, 0xBF)):
        if count < enough and bytes((lead,)) in page:
            count += int(np.count_nonzero((first == lead) & (second - np.uint8(low) <= high - low)))
    return count


def _pairs(page: bytes, pair: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether two bytes, given as a little-endian number, stand at each even and each odd place."""
    even = np.frombuffer(page, dtype="<u2", count=len(page) // 2)
    odd = np.frombuffer(page, dtype="<u2", count=(len(page) - 1) // 2, offset=1) if page else even
    return even == pair, odd == pair
