"""All of a list of words in a text at once: Aho and Corasick's automaton over the letters a to z.

Source:
    Aho and Corasick, Efficient string matching (CACM 1975), as a table with one transition for
    each state and letter.

What the class and id of a block element say about it, in the words that page authors use.

The words are those of web conventions everywhere ("article-body", "nav", "related-news", "share"),
with the pinyin of Chinese sites; none is of one site alone. A word counts wherever it stands
("leftSidebar"), as authors glue them together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from udfs.base.jit import compiled
from udfs.html.tags import Bytes, Places

LETTERS = 26


def word_automaton(
    bits_of_words: Mapping[str, int],
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """The automaton of some words of letters a to z.

    Args:
        bits_of_words: What each word says.
    Returns:
        The state that follows each state at each letter, shape (states, 26), the first state being
        that of the beginning and of any other character; and what the words say that end where a
        state is reached, shape (states,).
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
    longest_end = [0] * len(children)  # the state of the longest word's beginning that ends each
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
    return following, np.array(bits, dtype=np.uint8)


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

_STATES, _BITS = word_automaton(
    {word: 1 << place for place, kind in enumerate(KINDS) for word in _WORDS[kind].split()}
)
_EQUALS, _GREATER, _SLASH, _SPACE, _COLON = b"=>/ :"
_TAB, _RETURN = 0x09, 0x0D
_DOUBLE_QUOTE, _SINGLE_QUOTE, _LOWER_CASE, _A = 0x22, 0x27, 0x20, 0x61
_C, _D, _H, _I, _V = b"cdhiv"
_CLASS, _ID = np.frombuffer(b"class", np.uint8), np.frombuffer(b"id", np.uint8)
_HIDDEN_WORD = np.frombuffer(b"hidden", np.uint8)
_DISPLAY, _NONE = np.frombuffer(b"display", np.uint8), np.frombuffer(b"none", np.uint8)
_VISIBILITY = np.frombuffer(b"visibility", np.uint8)


def block_kinds(page: bytes, starts: Places, stops: Places) -> Bytes:
    """What each start tag says of its element: a bit for each of `KINDS`.

    Args:
        page: Bytes that hold the tags.
        starts: Where each begins.
        stops: Where each ends, or where the reading of it does.
    Returns:
        Shape (tags,).
    """
    return _block_kinds(page, starts, stops, _STATES, _BITS)


@compiled
def _block_kinds(
    page: bytes, starts: Places, stops: Places, states: npt.NDArray[np.int16], bits: Bytes
) -> Bytes:
    kinds = np.zeros(len(starts), dtype=np.uint8)
    for tag in range(len(starts)):
        stop = stops[tag]
        found = np.uint8(0)
        class_read = id_read = 0  # a value is not searched for others of its name
        for at in range(starts[tag] + 1, stop):
            letter = page[at] | _LOWER_CASE
            if letter in (_C, _I):
                before = page[at - 1]
                if not (_is_space(before) or before in (_DOUBLE_QUOTE, _SINGLE_QUOTE)):
                    continue
                if letter == _C:
                    if at >= class_read and _is_word(page, at, stop, _CLASS):
                        end, says = _value(page, at + 5, stop, states, bits)
                        found |= says
                        class_read = max(class_read, end)
                elif at >= id_read and _is_word(page, at, stop, _ID):
                    end, says = _value(page, at + 2, stop, states, bits)
                    found |= says
                    id_read = max(id_read, end)
            elif letter == _H:
                if _is_space(page[at - 1]) and _is_word(page, at, stop, _HIDDEN_WORD):
                    found |= np.uint8(_HIDDEN) if _ends_name(page, at + 6, stop) else np.uint8(0)
            elif letter == _D:
                if _is_word(page, at, stop, _DISPLAY) and _is_set(page, at + 7, stop, _NONE):
                    found |= np.uint8(_HIDDEN)
            elif (
                letter == _V
                and _is_word(page, at, stop, _VISIBILITY)
                and _is_set(page, at + 10, stop, _HIDDEN_WORD)
            ):
                found |= np.uint8(_HIDDEN)
        kinds[tag] = found
    return kinds


@compiled
def _is_space(byte: int) -> bool:
    return byte == _SPACE or _TAB <= byte <= _RETURN


@compiled
def _ends_name(page: bytes, at: int, stop: int) -> bool:
    """Whether an attribute's name ends at a place."""
    return at == stop or _is_space(page[at]) or page[at] in (_EQUALS, _GREATER, _SLASH)


@compiled
def _is_word(page: bytes, at: int, stop: int, word: Bytes) -> bool:
    """Whether a word stands at a place, in whatever case."""
    is_same = at + len(word) <= stop
    place = 0
    while is_same and place < len(word):
        is_same = page[at + place] | _LOWER_CASE == word[place]
        place += 1
    return is_same


@compiled
def _after_sign(page: bytes, at: int, stop: int, sign: int) -> int:
    """The place of what follows a sign and spaces; -1 where no sign follows."""
    while at < stop and _is_space(page[at]):
        at += 1
    if at == stop or page[at] != sign:
        return -1
    at += 1
    while at < stop and _is_space(page[at]):
        at += 1
    return at


@compiled
def _is_set(page: bytes, at: int, stop: int, value: Bytes) -> bool:
    """Whether a property of a style, whose name ends at a place, has a value."""
    at = _after_sign(page, at, stop, _COLON)
    return at >= 0 and _is_word(page, at, stop, value)


@compiled
def _value(
    page: bytes, at: int, stop: int, states: npt.NDArray[np.int16], bits: Bytes
) -> tuple[int, np.uint8]:
    """Where an attribute's value ends, whose name ends at a place, and what its words say."""
    at = _after_sign(page, at, stop, _EQUALS)
    said = np.uint8(0)
    if at < 0 or at == stop:
        return 0, said
    quote = page[at]
    is_quoted = quote in (_DOUBLE_QUOTE, _SINGLE_QUOTE)
    at += is_quoted
    state = 0
    while at < stop:
        byte = page[at]
        if is_quoted:
            if byte == quote:
                break
        elif _is_space(byte) or byte in (_DOUBLE_QUOTE, _SINGLE_QUOTE, _GREATER):
            break
        letter = (byte | _LOWER_CASE) - _A
        state = states[state, letter] if 0 <= letter < LETTERS else 0
        said |= bits[state]
        at += 1
    return at, said
