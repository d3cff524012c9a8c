"""Kinds of block elements by the words in their class and id, and their signatures.

The words are web conventions ("article-body", "nav", "related-news", "share"), with the pinyin of
Chinese sites; none is specific to one site. A word counts anywhere in a value ("leftSidebar"), as
authors concatenate words. An automaton over the letters a to z finds all words in one pass.

Further words hint at the kind of the page (`udfs.html.page_kinds`). The signature of an element is
a hash of its name and its first class: posts of a thread have the same one.

Source:
    Aho and Corasick, Efficient string matching (CACM 1975), as a table with one transition for
    each state and letter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from udfs.base.array_types import Int16Array, Int64Array, IntpArray, UInt8Array
from udfs.base.jit import compiled
from udfs.html.page_kinds import CLASS_WORDS

LETTERS = 26


def word_automaton(
    bits_of_words: Mapping[str, int],
) -> tuple[Int16Array, Int64Array]:
    """Build the automaton of some words of letters a to z.

    Args:
        bits_of_words: The bits that each word sets.
    Returns:
        The state after each state and letter, shape (states, 26); the first state is that of the
        beginning and of any other character. The bits of the words that end in a state, shape
        (states,).
    Raises:
        ValueError: a word has other characters.
    """
    children: list[dict[int, int]] = [{}]
    bits = [0]
    for word, says in bits_of_words.items():
        state = 0
        for character in word:
            letter = ord(character) - ord("a")
            if not 0 <= letter < LETTERS:
                raise ValueError(f"{word!r} has other characters than the letters a to z")
            if letter not in children[state]:
                children[state][letter] = len(children)
                children.append({})
                bits.append(0)
            state = children[state][letter]
        bits[state] |= says
    following = np.zeros((len(children), LETTERS), dtype=np.int16)
    longest_end = [0] * len(children)  # for each state that of its longest suffix in the automaton
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        bits[state] |= bits[longest_end[state]]
        for letter in range(LETTERS):
            other = following[longest_end[state], letter] if state else 0
            child = children[state].get(letter)
            if child is None:
                following[state, letter] = other
            else:
                following[state, letter] = child
                longest_end[child] = int(other)
                waiting.append(child)
    return following, np.array(bits, dtype=np.int64)


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
    "hidden": "",  # by attributes, not by words
}
KINDS = tuple(_WORDS)
_HIDDEN = 1 << KINDS.index("hidden")
KIND_BITS, HINT_BITS, SIGNATURE_BITS = 8, 9, 10
VALUE_BITS = KIND_BITS + HINT_BITS + SIGNATURE_BITS
"""Bits of a block's value: from the lowest its kinds, its hints, and its signature."""
_SIGNATURE_PLACE = KIND_BITS + HINT_BITS
_SIGNATURE_MASK = (1 << SIGNATURE_BITS) - 1
_SIGNATURE_FACTOR = 31
# Kinds of elements by their names.
ELEMENT_KINDS = {
    "nav": 1 << KINDS.index("frame"),
    "header": 1 << KINDS.index("frame"),
    "footer": 1 << KINDS.index("frame"),
    "aside": 1 << KINDS.index("frame"),
    "article": 1 << KINDS.index("content"),
    "main": 1 << KINDS.index("content"),
}


def _bits_of_words() -> dict[str, int]:
    """Return the bits of each word: of kinds, of hints, or of both."""
    bits: dict[str, int] = {}
    for first, words in ((0, _WORDS), (KIND_BITS, CLASS_WORDS)):
        for place, listed in enumerate(words.values(), first):
            for word in listed.split():
                bits[word] = bits.get(word, 0) | 1 << place
    return bits


_STATES, _BITS = word_automaton(_bits_of_words())
_EQUALS, _GREATER, _SLASH, _SPACE, _COLON = b"=>/ :"
_TAB, _RETURN = 0x09, 0x0D
_DOUBLE_QUOTE, _SINGLE_QUOTE, _LOWER_CASE, _A = 0x22, 0x27, 0x20, 0x61
_C, _D, _H, _I, _V = b"cdhiv"
_CLASS, _ID = np.frombuffer(b"class", np.uint8), np.frombuffer(b"id", np.uint8)
_HIDDEN_WORD = np.frombuffer(b"hidden", np.uint8)
_DISPLAY, _NONE = np.frombuffer(b"display", np.uint8), np.frombuffer(b"none", np.uint8)
_VISIBILITY = np.frombuffer(b"visibility", np.uint8)


def kinds_of(values: Int64Array) -> Int64Array:
    """Return the kinds in the values of blocks, a bit for each of `KINDS`."""
    return values & ((1 << KIND_BITS) - 1)


def signatures_of(values: Int64Array) -> Int64Array:
    """Return the signatures in the values of blocks; the page itself, block 0, has 0."""
    return values >> _SIGNATURE_PLACE


def hints_of(values: Int64Array) -> Int64Array:
    """Return the hints in the values of blocks, a bit for each of `udfs.html.page_kinds.HINTS`."""
    return (values >> KIND_BITS) & ((1 << HINT_BITS) - 1)


def element_value(name: str, code: int) -> int:
    """Return the value of an element without class and id.

    Args:
        name: Of the element.
        code: `udfs.html.tags.tag_code` of it.
    """
    return ELEMENT_KINDS.get(name, 0) | ((code ^ code >> 5) & _SIGNATURE_MASK) << _SIGNATURE_PLACE


def block_values(
    page: bytes, starts: IntpArray, stops: IntpArray, values: Int64Array
) -> Int64Array:
    """Return the values of elements with their classes and ids; shape (tags,), `VALUE_BITS` bits.

    Args:
        page: Bytes that contain the start tags.
        starts: Start of each tag.
        stops: End of each tag, or of the part of it that is read.
        values: Of each element without them.
    """
    return _block_values(page, starts, stops, values, _STATES, _BITS)


@compiled
def _block_values(
    page: bytes,
    starts: IntpArray,
    stops: IntpArray,
    values: Int64Array,
    states: Int16Array,
    bits: Int64Array,
) -> Int64Array:
    found_values = np.empty(len(starts), dtype=np.int64)
    for tag in range(len(starts)):
        stop = stops[tag]
        found = np.int64(values[tag])
        class_read = id_read = 0  # values are not searched for attributes
        for at in range(starts[tag] + 1, stop):
            letter = page[at] | _LOWER_CASE
            if letter in (_C, _I):
                before = page[at - 1]
                if not (_is_space(before) or before in (_DOUBLE_QUOTE, _SINGLE_QUOTE)):
                    continue
                if letter == _C:
                    if at >= class_read and _is_word(page, at, stop, _CLASS):
                        end, says, signature = _value(page, at + 5, stop, states, bits)
                        found |= says
                        found ^= signature << _SIGNATURE_PLACE
                        class_read = max(class_read, end)
                elif at >= id_read and _is_word(page, at, stop, _ID):
                    end, says, _ = _value(page, at + 2, stop, states, bits)
                    found |= says
                    id_read = max(id_read, end)
            elif letter == _H:
                if _is_space(page[at - 1]) and _is_word(page, at, stop, _HIDDEN_WORD):
                    found |= _HIDDEN if _ends_name(page, at + 6, stop) else 0
            elif letter == _D:
                if _is_word(page, at, stop, _DISPLAY) and _is_set(page, at + 7, stop, _NONE):
                    found |= _HIDDEN
            elif (
                letter == _V
                and _is_word(page, at, stop, _VISIBILITY)
                and _is_set(page, at + 10, stop, _HIDDEN_WORD)
            ):
                found |= _HIDDEN
        found_values[tag] = found
    return found_values


@compiled
def _is_space(byte: int) -> bool:
    return byte == _SPACE or _TAB <= byte <= _RETURN


@compiled
def _ends_name(page: bytes, at: int, stop: int) -> bool:
    """Whether an attribute's name ends at a place."""
    return at == stop or _is_space(page[at]) or page[at] in (_EQUALS, _GREATER, _SLASH)


@compiled
def _is_word(page: bytes, at: int, stop: int, word: UInt8Array) -> bool:
    """Whether a word is at a place, in upper or lower case."""
    is_same = at + len(word) <= stop
    place = 0
    while is_same and place < len(word):
        is_same = page[at + place] | _LOWER_CASE == word[place]
        place += 1
    return is_same


@compiled
def _after_sign(page: bytes, at: int, stop: int, sign: int) -> int:
    """Return the place behind a sign and the spaces around it; -1 where the sign is missing."""
    while at < stop and _is_space(page[at]):
        at += 1
    if at == stop or page[at] != sign:
        return -1
    at += 1
    while at < stop and _is_space(page[at]):
        at += 1
    return at


@compiled
def _is_set(page: bytes, at: int, stop: int, value: UInt8Array) -> bool:
    """Whether a style property whose name ends at a place has this value."""
    at = _after_sign(page, at, stop, _COLON)
    return at >= 0 and _is_word(page, at, stop, value)


@compiled
def _value(
    page: bytes, at: int, stop: int, states: Int16Array, bits: Int64Array
) -> tuple[int, np.int64, np.int64]:
    """Return the end of an attribute's value, its words' bits, and the hash of its first word.

    The hash is of the letters from the first one to a space.

    Args:
        at: Where the attribute's name ends.
    """
    at = _after_sign(page, at, stop, _EQUALS)
    said = np.int64(0)
    signature = np.int64(0)
    if at < 0 or at == stop:
        return 0, said, signature
    quote = page[at]
    is_quoted = quote in (_DOUBLE_QUOTE, _SINGLE_QUOTE)
    at += is_quoted
    state = 0
    is_first, begun = True, False  # within the first word; with a letter before
    while at < stop:
        byte = page[at]
        if is_quoted:
            if byte == quote:
                break
        elif _is_space(byte) or byte in (_DOUBLE_QUOTE, _SINGLE_QUOTE, _GREATER):
            break
        letter = (byte | _LOWER_CASE) - _A
        if 0 <= letter < LETTERS:
            state = states[state, letter]
            said |= bits[state]
            begun = True
            if is_first:
                signature = (signature * _SIGNATURE_FACTOR + letter + 1) & _SIGNATURE_MASK
        else:
            state = 0
            is_first &= not (begun and _is_space(byte))
        at += 1
    return at, said, signature
