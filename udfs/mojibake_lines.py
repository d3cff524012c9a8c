"""Lines that somebody read through the wrong table: read anew where that is exact, else dropped.

A page can hold garbled lines among good ones: a comment from another database, a template's
footer. What cannot be read is noise to a model, and what can may be the better half of a page.
"""

from __future__ import annotations

import re

import numpy as np

from udfs.code_points import encode_texts
from udfs.han import han_ideographs, text_plausibility
from udfs.mojibake import mojibake_shares

MIN_SHARE = 0.5
"""Share of a line's non-ASCII characters that must look like a wrong reading."""
MIN_IDEOGRAPHS = 4
"""Fewer ideographs that a line reads as are no proof."""
MIN_IDEOGRAPHS_BESIDE_PROOF = 2
"""They are where another line of the text is proof of the same mix-up."""
MIN_PLAUSIBILITY = 0.7
"""What text has, read rightly (see `udfs.han.text_plausibility`)."""
MIN_GAIN = 0.7
"""By how much the new reading must be more plausible than the old one."""

_LATIN = "latin"
# How a line was read, and how it was written.
_MixUp = tuple[str, str]
_MIX_UPS: tuple[_MixUp, ...] = (
    ("gb18030", "utf-8"),
    (_LATIN, "utf-8"),
    (_LATIN, "gb18030"),
    (_LATIN, "big5hkscs"),
    ("gb18030", "big5hkscs"),
    ("big5hkscs", "gb18030"),
)
# Of the rest nearly any bytes are text of a kind: an inexact reading proves nothing.
_PROVEN_INEXACT = _MIX_UPS[:4]
_REPLACED = "\ufffd"
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]+")
# What browsers call Latin-1 is Windows-1252, whose five gaps are controls.
_WINDOWS_BYTES = {
    ord(bytes((byte,)).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def mend_lines(text: str) -> tuple[str, int]:
    """A text without garbled lines, and how many lines were read anew or dropped.

    A line is looked at when half of its non-ASCII characters, private use aside, look like a wrong
    reading (`udfs.mojibake`). It is read anew when the bytes that it came from are known to the
    last one and make text in another table. It is dropped when that fails, and either most of it
    is U+FFFD, or its bytes make text but for some that were lost. What is neither stays: a list of
    rare characters, a language that nobody thought of.

    Of 54,137 real texts 9 have such lines; all of those were garbled, and none of the rare names
    and made-up spellings (榅桲, 郑倢伃, 洳泚歭嬡) that look alike was touched.
    """
    lines = text.split("\n")
    shares = mojibake_shares(encode_texts(_PRIVATE_USE.sub("", text).split("\n")))
    suspects = np.flatnonzero(shares >= MIN_SHARE).tolist()
    mended: dict[int, str | None] = {}
    proven: set[_MixUp] = set()
    for index in suspects:
        reading = _read_anew(lines[index], _MIX_UPS, MIN_IDEOGRAPHS)
        if reading is not None:
            mended[index], mix_up = reading
            proven |= {mix_up} if mix_up else set()
    for index in suspects:
        if proven and index not in mended:
            known = tuple(mix_up for mix_up in _MIX_UPS if mix_up in proven)
            reading = _read_anew(lines[index], known, MIN_IDEOGRAPHS_BESIDE_PROOF)
            if reading is not None:
                mended[index], _ = reading
    if not mended:
        return text, 0
    kept = (mended.get(index, line) for index, line in enumerate(lines))
    return "\n".join([line for line in kept if line is not None]), len(mended)


def _read_anew(
    line: str, mix_ups: tuple[_MixUp, ...], min_ideographs: int
) -> tuple[str | None, _MixUp | None] | None:
    """What a garbled line says, None where bytes of it are lost, and how it was mixed up.

    None for a line that may be meant as it is.
    """
    plausibility = max(MIN_PLAUSIBILITY, text_plausibility(line) + MIN_GAIN)
    readings = []
    for mix_up in mix_ups:
        seen, written = mix_up
        try:
            read = _bytes_of(line, seen).decode(written)
        except UnicodeError:
            continue
        if _is_text(read, plausibility, min_ideographs):
            readings.append((text_plausibility(read), read, mix_up))
    if readings:
        _, read, mix_up = max(readings)
        return read, mix_up
    replaced = line.count(_REPLACED)
    if replaced >= min_ideographs and 2 * replaced >= sum(char > "\x7f" for char in line):
        return None, None
    for mix_up in mix_ups:
        if mix_up in _PROVEN_INEXACT:
            seen, written = mix_up
            data = _bytes_of(line, seen, "ignore")
            read = data.decode(written, "replace").replace(_REPLACED, "")
            # U+FFFD that was written as UTF-8 and read as GBK is 锟斤拷.
            lost_before = data.count(_REPLACED.encode()) >= min_ideographs
            if lost_before or _is_text(read, plausibility, min_ideographs):
                return None, mix_up
    return None


def _is_text(read: str, plausibility: float, min_ideographs: int) -> bool:
    return text_plausibility(read) >= plausibility and han_ideographs(read) >= min_ideographs


def _bytes_of(line: str, charset: str, errors: str = "strict") -> bytes:
    """The bytes that read as a line in a charset."""
    if charset == _LATIN:
        return line.translate(_WINDOWS_BYTES).encode("latin-1", errors)
    return line.encode(charset, errors)
