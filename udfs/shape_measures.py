"""What can be seen of a page's text without reading it: its lines, signs, repetition, tell-tale
words.

Raw crawl pages differ from prose in shape more than in words: menus are short lines that end in no
sign, stuffed pages repeat themselves, spun prose has another share of particles and stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from udfs.code_points import CODE_POINTS, CodePoints, EncodedTexts, encode_texts
from udfs.compiled import compiled
from udfs.function_chars import FUNCTION_CHARS
from udfs.shape_words import CATEGORIES, SPAM, WORDS
from udfs.token_hashes import ABSENT, Keys, Numbers, Rows
from udfs.word_trie import WordTrie, longest_word, pair_place, word_trie

Measures = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]

NAMES = (
    "chars",
    "longest_line",
    "long_prose_chars",
    "clean_prose_chars",
    "clean_prose_share",
    "prose_sentences",
    "prose_function_share",
    "prose_comma_share",
    "prose_stop_share",
    "prose_variety",
    "prose_top_window",
    "prose_repeats_share",
    "function_share",
    "mark_share",
    "han_share",
    "bar_share",
    "rare_share",
    "open_lines_share",
    "short_lines_share",
    "lines_before_prose_share",
    *(f"{name}_words" for name in CATEGORIES),
)
"""The measures, in the order of the columns.

A line is one that is not blank, without white space around it; prose is a line of 30 characters or
more with two marks of a sentence, and one in 60 characters. clean_prose is prose without a word of
a spam category; prose_variety the different characters of prose, those beyond U+FFFF left out, by
the square root of its length; prose_top_window how often its most frequent five characters in a row
come, and prose_repeats_share the share of such windows that have come before. function_share,
mark_share, han_share and bar_share are of all characters, rare_share of ideographs, shares of lines
of lines, others of prose; X_words counts the different words of a category."""

PROSE_CHARS = 30
LONG_PROSE_CHARS = 80

_SHORT_CHARS = 6
_CHARS_A_MARK = 60
_SENTENCE_CHARS = (8, 120)
_WINDOW = 5
_KEY_BITS = 13  # five characters fill the 64 bits of a window's key; a sixth is out of it
_TABLE_BITS = 15
_MOST_TRIES = 64
_OF_WORDS = len(NAMES) - len(CATEGORIES)

_HAN, SPACE, _FUNCTION, _MARK, _END, _BAR, _RARE, _BEGIN, _ALONE = (1 << bit for bit in range(9))
_MARKS = "。，、；：！？“”…,;!?"
_ENDS = "。！？!?…”；"
_BARS = "|｜>»·_-【】[]"
_COMMA, _STOP = ord("，"), ord("。")


def shape_measures(texts: Sequence[str]) -> Measures:
    """The measures of some texts, shape (texts, len(NAMES)); all 0 for a blank text.

    Args:
        texts: Pages as text, a line for each block.
    """
    return measures_of(encode_texts(texts))


def measures_of(encoded: EncodedTexts) -> Measures:
    """The same of texts that are code points already."""
    trie, kinds = _trie()
    table = np.zeros((len(encoded.lengths), len(NAMES)), dtype=np.float64)
    _measure(
        encoded.codes, encoded.starts, encoded.stops, character_bits(), trie.keys, trie.nodes,
        trie.words, trie.begins, CODE_POINTS, kinds, np.isin(kinds, SPAM), table,
    )  # fmt: skip
    return table


@lru_cache(maxsize=1)
def character_bits() -> Bits:
    """Code point -> what it is; SPACE is all white space, and U+0000, but the line feed."""
    bits = np.zeros(CODE_POINTS, dtype=np.uint16)
    bits[0x4E00:0xA000] |= _HAN | _RARE
    for high in range(0xB0, 0xD8):  # GB 2312 begins with its 3,755 common characters
        row = bytes(byte for low in range(0xA1, 0xFF) for byte in (high, low))
        bits[[ord(char) for char in row.decode("gb2312", "ignore")]] = _HAN
    spaces = "\0" + "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
    for chars, bit in (
        (spaces.replace("\n", ""), SPACE),
        (FUNCTION_CHARS, _FUNCTION),
        (_MARKS, _MARK),
        (_ENDS, _END),
        (_BARS, _BAR),
        ([word[0] for words in WORDS.values() for word in words], _BEGIN),
        ([word for words in WORDS.values() for word in words if len(word) == 1], _ALONE),
    ):
        bits[[ord(char) for char in chars]] |= bit
    return bits


@lru_cache(maxsize=1)
def _trie() -> tuple[WordTrie, Numbers]:
    """All words, and the number of the category of each."""
    kinds = [kind for kind, words in enumerate(WORDS.values()) for _ in words]
    trie = word_trie([word for words in WORDS.values() for word in words])
    return trie, np.array(kinds, dtype=np.int64)


@compiled
def _measure(
    codes: CodePoints,
    starts: Numbers,
    stops: Numbers,
    bits: Bits,
    trie_keys: Keys,
    trie_nodes: Rows,
    trie_words: Numbers,
    trie_begins: Flags,
    trie_step: int,
    kinds: Numbers,
    is_of_spam: Flags,
    table: Measures,
) -> None:
    """Fill a table of measures."""
    seen_chars = np.full(0x10000, -1, dtype=np.int32)
    seen_words = np.full(len(kinds), -1, dtype=np.int32)
    keys = np.zeros(1 << _TABLE_BITS, dtype=np.uint64)
    owners = np.full(1 << _TABLE_BITS, -1, dtype=np.int32)
    tallies = np.zeros(1 << _TABLE_BITS, dtype=np.int32)
    for text in range(len(starts)):
        stop = stops[text]
        row = table[text]
        lines = longest = opened = short = before_prose = 0
        function = marks = han = bars = rare = 0
        prose = long_prose = clean = sentences = windows = repeats = top = variety = 0
        prose_function = prose_commas = prose_stops = 0
        used_bits = 4  # a short text's part of the table stays in the processor's cache
        while used_bits < _TABLE_BITS and (1 << used_bits) < 2 * (stop - starts[text]):
            used_bits += 1
        at = starts[text]
        while at < stop:
            left = at
            right = at  # behind the last character that is no white space
            is_spam = False
            behind_word = at
            line_han = line_marks = line_function = line_commas = line_stops = 0
            while at < stop and codes[at] != 10:
                code = codes[at]
                what = bits[code]
                if what & SPACE:
                    left += left == at
                    at += 1
                    continue
                if what & _HAN:
                    line_han += 1
                    line_function += (what & _FUNCTION) != 0
                    rare += (what & _RARE) != 0
                elif what & _MARK:
                    line_marks += 1
                    line_commas += code == _COMMA
                    line_stops += code == _STOP
                elif what & _BAR:
                    bars += 1
                if (what & _BEGIN and at >= behind_word) and (
                    what & _ALONE
                    or (at + 1 < stop and trie_begins[pair_place(code, codes[at + 1])])
                ):
                    word, length = longest_word(
                        codes, at, stop, trie_keys, trie_nodes, trie_words, trie_step
                    )
                    if word != ABSENT:
                        behind_word = at + length
                        is_spam |= is_of_spam[word]
                        if seen_words[word] != text:
                            seen_words[word] = text
                            row[_OF_WORDS + kinds[word]] += 1
                at += 1
                right = at
            at += 1
            length = right - left
            if length <= 0:
                continue
            lines += 1
            longest = max(longest, length)
            opened += (bits[codes[right - 1]] & _END) == 0
            short += length <= _SHORT_CHARS
            han += line_han
            marks += line_marks
            function += line_function
            if length < PROSE_CHARS or line_marks < max(2, length / _CHARS_A_MARK):
                before_prose += prose == 0
                continue
            prose += length
            if length >= LONG_PROSE_CHARS:
                long_prose += length
            if not is_spam:
                clean += length
            prose_function += line_function
            prose_commas += line_commas
            prose_stops += line_stops
            sentence = 0
            key = np.uint64(0)
            for place in range(left, right):
                code = codes[place]
                if code < 0x10000 and seen_chars[code] != text:
                    seen_chars[code] = text
                    variety += 1
                sentence += 1
                if bits[code] & _END:
                    sentences += _SENTENCE_CHARS[0] <= sentence <= _SENTENCE_CHARS[1]
                    sentence = 0
                key = (key << np.uint64(_KEY_BITS)) ^ np.uint64(code)
                if place < left + _WINDOW - 1:
                    continue
                mixed = key * np.uint64(0x9E3779B97F4A7C15)
                slot = np.int64(mixed >> np.uint64(64 - used_bits))
                tries = 0
                while owners[slot] == text and keys[slot] != key and tries < _MOST_TRIES:
                    slot = (slot + 1) & ((1 << used_bits) - 1)
                    tries += 1
                if owners[slot] != text or keys[slot] != key:
                    owners[slot], keys[slot], tallies[slot] = text, key, 0
                windows += 1
                repeats += tallies[slot] > 0
                tallies[slot] += 1
                top = max(top, tallies[slot])
        if lines == 0:
            continue
        total, of_prose = float(stop - starts[text]), float(max(1, prose))
        row[0] = total
        row[1] = longest
        row[2] = long_prose
        row[3] = clean
        row[4] = clean / total
        row[5] = sentences
        row[6] = prose_function / of_prose
        row[7] = prose_commas / of_prose
        row[8] = prose_stops / of_prose
        row[9] = variety / np.sqrt(of_prose)
        row[10] = top
        row[11] = repeats / float(max(1, windows))
        row[12] = function / total
        row[13] = marks / total
        row[14] = han / total
        row[15] = bars / total
        row[16] = rare / float(max(1, han))
        row[17] = opened / lines
        row[18] = short / lines
        row[19] = before_prose / lines
