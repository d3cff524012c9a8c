"""Invisible characters: removed except where a script or an emoji needs them."""

from __future__ import annotations

import re

from udfs.base.characters import EMOJI_RANGES
from udfs.base.language import HAN_RANGES

_Ranges = tuple[tuple[int, int], ...]

_ALWAYS: _Ranges = (
    (0x00AD, 0x00AD),  # soft hyphen: where a word may be broken
    (0x061C, 0x061C),  # direction marks, embeddings, overrides, isolates
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2066, 0x2069),
    (0x2060, 0x2065),  # word joiner, invisible operators
    (0x206A, 0x206F),  # deprecated
    (0x3164, 0x3164),  # Hangul fillers, which blank names and posts are made of
    (0xFFA0, 0xFFA0),
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFC),  # annotation marks, what is left of an embedded object
    (0xE0001, 0xE0001),  # language tag
)
_JOINERS: _Ranges = (
    (0x034F, 0x034F),  # grapheme joiner
    (0x115F, 0x1160),  # fillers of Hangul jamo
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian selectors and vowel separator
    (0x200B, 0x200D),  # zero-width space, non-joiner, joiner
)
_SELECTORS: _Ranges = ((0xFE00, 0xFE0F),)
_IDEOGRAPHIC_SELECTORS: _Ranges = ((0xE0100, 0xE01EF),)
_TAGS: _Ranges = ((0xE0020, 0xE007F),)

# Scripts whose letters change their shape with their neighbours, or that write words together.
_JOINING_SCRIPTS: _Ranges = (
    (0x0590, 0x08FF),  # Hebrew, Arabic, Syriac, Thaana, N'Ko
    (0x0900, 0x109F),  # India, Thai, Lao, Tibetan, Myanmar
    (0x1100, 0x11FF),  # Hangul jamo
    (0x1700, 0x18AF),  # Philippine scripts, Khmer, Mongolian
    (0x1900, 0x1AAF),  # Limbu to Tai Tham
    (0x1B00, 0x1C4F),  # Balinese to Lepcha
    (0x1CD0, 0x1CFF),  # Vedic
    (0xA800, 0xAADF),  # Syloti Nagri to Tai Viet
    (0xABC0, 0xABFF),  # Meetei Mayek
    (0xFB1D, 0xFDCF),  # presentation forms
    (0xFDF0, 0xFDFF),
    (0xFE70, 0xFEFC),
    (0x10A00, 0x10FFF),  # right to left
    (0x11000, 0x11FFF),  # Brahmic
)
_PICTOGRAPHS: _Ranges = (
    *EMOJI_RANGES,
    (0x00A9, 0x00A9),
    (0x00AE, 0x00AE),
    (0x203C, 0x203C),
    (0x2049, 0x2049),
    (0x2122, 0x2122),
    (0x2139, 0x2139),
    (0x2190, 0x21FF),  # arrows
    (0x2300, 0x23FF),
    (0x24C2, 0x24C2),
    (0x25A0, 0x27BF),  # shapes, symbols, dingbats
    (0x2900, 0x297F),
    (0x2B00, 0x2BFF),
    (0x3030, 0x3030),
    (0x303D, 0x303D),
    (0x3297, 0x3299),
    (0x1F000, 0x1F2FF),
    (0x1F650, 0x1F67F),
    (0x1F700, 0x1FAFF),
)
_MATHEMATICAL: _Ranges = ((0x2200, 0x22FF), (0x2A00, 0x2AFF))
_CJK_PUNCTUATION: _Ranges = ((0x3001, 0x303F), (0xFF01, 0xFF1F))


def _any_of(*groups: _Ranges) -> re.Pattern[str]:
    """Any of the characters of ranges."""
    ranges = (pair for group in groups for pair in group)
    return re.compile(f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)}]")


_JOINED = _any_of(_JOINING_SCRIPTS)
_PICTOGRAPH = _any_of(_PICTOGRAPHS)
_SELECTABLE = _any_of(_PICTOGRAPHS, HAN_RANGES, _JOINING_SCRIPTS, _MATHEMATICAL, _CJK_PUNCTUATION)
_IDEOGRAPH = _any_of(HAN_RANGES)
# Behind a black flag: the letters of a region, as tags.
_REGION = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
_KEYS = frozenset("0123456789#*")
_BLACK_FLAG, _JOINER, _EMOJI_SELECTOR, _KEY_FRAME = "\U0001f3f4", "\u200d", "\ufe0f", "\u20e3"

_ALL = (*_ALWAYS, *_JOINERS, *_SELECTORS, *_IDEOGRAPHIC_SELECTORS, *_TAGS)

INVISIBLE_CHARACTERS = frozenset(
    chr(code) for first, last in _ALL for code in range(first, last + 1)
)
"""Characters that `remove_invisible` can remove."""

_INVISIBLE = re.compile(f"{_any_of(_ALL).pattern}+")
_JOINER_CHARACTERS, _SELECTOR_CHARACTERS, _IDEOGRAPHIC_SELECTOR_CHARACTERS = (
    frozenset(chr(code) for first, last in ranges for code in range(first, last + 1))
    for ranges in (_JOINERS, _SELECTORS, _IDEOGRAPHIC_SELECTORS)
)


def remove_invisible(text: str) -> tuple[str, int]:
    """Remove invisible characters; return the text and the number removed.

    They come from editors and from copying, or are placed between the letters of a word to evade a
    filter. All are removed, except that

    - joiners, the non-joiner, the zero-width space and their like stay beside a letter of a script
      that needs them: Arabic and its neighbours, India's, Thai to Khmer, Mongolian, old Hangul;
    - the joiner stays between emoji, and the tags of a flag do;
    - a variation selector stays behind an emoji, an ideograph, a symbol or punctuation that has
      variants, and the first only of several.

    Direction marks are always removed: letters are stored in reading order, and the marks only
    affect where they are drawn. Zero-width marks are no spaces: their neighbours are one word.

    Source: Unicode Standard, sections 23.2 to 23.8; Unicode Technical Standard #51 (emoji).
    """

    def needed(match: re.Match[str]) -> str:
        begin, end = match.span()
        return _needed(text[begin - 1 : begin], match[0], text[end : end + 1])

    seen = _INVISIBLE.sub(needed, text)
    return seen, len(text) - len(seen)


def _needed(before: str, run: str, after: str) -> str:
    """The part of a run of invisible characters that stays, by its visible neighbours."""
    if before == _BLACK_FLAG and (region := _REGION.match(run)):
        return region[0] + _needed("", run[region.end() :], after)
    kept = ""
    for place, character in enumerate(run):
        last = kept[-1:] or before
        following = run[place + 1 : place + 2] or after
        if character in _JOINER_CHARACTERS:
            stays = _joins(last, character, following)
        elif character in _SELECTOR_CHARACTERS:
            key = character == _EMOJI_SELECTOR and last in _KEYS and following == _KEY_FRAME
            stays = key or bool(_SELECTABLE.match(last))
        else:
            stays = character in _IDEOGRAPHIC_SELECTOR_CHARACTERS and bool(_IDEOGRAPH.match(last))
        if stays:
            kept += character
    return kept


def _joins(before: str, joiner: str, after: str) -> bool:
    """Whether a neighbour needs a joiner or a character like it."""
    if _JOINED.match(before) or _JOINED.match(after):
        return True
    emoji = before == _EMOJI_SELECTOR or bool(_PICTOGRAPH.match(before))
    return joiner == _JOINER and emoji and bool(_PICTOGRAPH.match(after))
