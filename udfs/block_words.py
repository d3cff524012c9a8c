"""What the class and id of a block element say about it, in the words that page authors use.

The words are those of web conventions everywhere ("article-body", "nav", "related-news", "share"),
with the pinyin of Chinese sites; none is of one site alone. A word counts wherever it stands
("leftSidebar"), as authors glue them together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick

_WORDS = {
    "content": """
        article content detail text body main post entry editor markdown zhengwen txt
    """,
    "frame": """
        nav menu foot copyright header banner crumb sidebar aside search logo link friend top
        bottom
    """,
    "side": "right side",
    "related": """
        relat recom hot rank more guess tuijian xiangguan latest feed promo similar list
    """,
    "comment": "comment cmt reply discuss pinglun",
    "tool": """
        share tool btn button qr icon action user author login info meta date time source tag
        like collect vote tip dialog modal pop toast close tab input form label error video weibo
        bar
    """,
    "hidden": "",  # said by attributes, not by words
}
KINDS = tuple(_WORDS)
_HIDDEN = 1 << KINDS.index("hidden")
# Elements that say as much by their names.
ELEMENT_KINDS = {
    "nav": 1 << KINDS.index("frame"),
    "header": 1 << KINDS.index("frame"),
    "footer": 1 << KINDS.index("frame"),
    "aside": 1 << KINDS.index("frame"),
    "article": 1 << KINDS.index("content"),
    "main": 1 << KINDS.index("content"),
}

_END = b"\0"  # between tags; no tag holds one
# Each begins with its literal and looks back from there: searching is six times as fast so.
_VALUE = rb"\s*+=\s*+(\"[^\"\0]*+|'[^'\0]*+|[^\s\"'>\0]++)"
_VALUES = (
    re.compile(rb"class(?<=[\s\"']class)" + _VALUE),
    re.compile(rb"id(?<=[\s\"']id)" + _VALUE),
)
_HIDING = (
    re.compile(rb"display\s*+:\s*+none"),
    re.compile(rb"visibility\s*+:\s*+hidden"),
    re.compile(rb"hidden(?<=\shidden)(?=[\s=>/\0])"),
)


def block_kinds(tags: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    """What each start tag says of its element: a bit for each of `KINDS`.

    Args:
        tags: Start tags as bytes, without zero bytes.
    Returns:
        Shape (tags,).
    """
    numbers = {tag: number for number, tag in enumerate(dict.fromkeys(tags))}
    listed = _END.join(numbers).lower()
    ends = np.flatnonzero(np.frombuffer(listed, dtype=np.uint8) == 0)
    kinds = np.zeros(len(numbers), dtype=np.uint8)
    if b"hidden" in listed or b"display" in listed:
        hidden = [found.start() for hiding in _HIDING for found in hiding.finditer(listed)]
        kinds[np.searchsorted(ends, hidden)] = _HIDDEN
    values = [(found[1], found.start()) for value in _VALUES for found in value.finditer(listed)]
    if values:
        words, bits = _words()
        said = _END.join([value for value, _ in values])
        matches = words.find_matches_as_indexes(said, overlapping=True)
        word = np.array([word for word, _, _ in matches], dtype=np.intp)
        place = np.array([start for _, start, _ in matches], dtype=np.intp)
        value_ends = np.flatnonzero(np.frombuffer(said, dtype=np.uint8) == 0)
        places = np.array([place for _, place in values])
        of_tag = np.searchsorted(ends, places[np.searchsorted(value_ends, place)])
        np.bitwise_or.at(kinds, of_tag, bits[word])
    return kinds[np.fromiter(map(numbers.__getitem__, tags), np.intp, len(tags))]


@cache
def _words() -> tuple[BytesAhoCorasick, npt.NDArray[np.uint8]]:
    """The automaton of all words, and each one's bit."""
    bits = [(word, 1 << place) for place, kind in enumerate(KINDS) for word in _WORDS[kind].split()]
    return (
        BytesAhoCorasick([word.encode() for word, _ in bits]),
        np.array([bit for _, bit in bits], dtype=np.uint8),
    )
