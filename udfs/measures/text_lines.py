"""The lines of a text: how they begin and end, and which repeat.

A line is the text between two line feeds, without the white space around it. Blank lines separate
paragraphs and are left out of every count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Float64Array, Int64Array, UInt8Array, UInt32Array, UInt64Array
from udfs.base.code_points import CODE_POINTS, EncodedTexts
from udfs.base.hash_table import find_slot, table_size
from udfs.base.jit import compiled, uncounted
from udfs.base.language import SENTENCE_ENDS

BULLETS = frozenset(
    "-－–*＊•‣⁃∙·・◦●○◎■□▪▫◆◇◈❖★☆※▲△▶►▷▸➢➤→✓✔√»>＞\uf06c\uf06e\uf075\uf0b7\uf0d8\uf0fc"
)
"""First characters of list items: dashes, dots, boxes, stars, arrows, ticks, and the private-use
characters that word processors write for them. No em dash: it opens speech."""

ELLIPSES = ("…", "⋯", "...", "．．．", "。。。")
"""Ends of a line that is continued elsewhere."""

PROSE_CHARS = 30
"""Fewest characters of a line that counts as prose where it ends with the end of a sentence: a
button or a slogan may end so, a sentence of a paragraph is longer."""

CLOSERS = "”’」』）)】］]》〉〕｝}\"'＂＇»›﹂﹄｣"
"""Quotes and brackets that may follow the mark that ends a sentence."""

PIECE_CHARS = 1 << 20
"""Characters of a text whose lines are compared with one another."""

# Bits of a code point.
_SPACE, _BULLET, _END, _CLOSER, _ELLIPSIS, _THIRD_DOT = (1 << bit for bit in range(6))
_NEWLINE = ord("\n")
_BASE = 0x9E3779B97F4A7C15  # any odd number


class LineShares(NamedTuple):
    """Fractions in [0, 1], shape (texts,) each; 0.0 for a text without lines."""

    sentence_end_line_share: Float64Array
    """Lines that end with the end of a sentence, closing quotes and brackets aside."""
    bullet_line_share: Float64Array
    """Lines that begin with a bullet."""
    ellipsis_line_share: Float64Array
    """Lines that end with an ellipsis."""
    prose_line_char_share: Float64Array
    """Characters of lines of PROSE_CHARS or more that end a sentence / characters of all lines."""
    dup_line_share: Float64Array
    """Lines that repeat an earlier line."""
    dup_line_char_share: Float64Array
    """Characters of such lines / characters of all lines."""
    dup_paragraph_share: Float64Array
    """Paragraphs that repeat an earlier paragraph."""
    dup_paragraph_char_share: Float64Array
    """Characters of such paragraphs / characters of all paragraphs."""


def line_shares(
    texts: Sequence[str], encoded: EncodedTexts, sentence_ends: str = SENTENCE_ENDS
) -> LineShares:
    """Compute the shares of texts' lines and paragraphs that begin, end or repeat in some way.

    The first copy of a repeated line does not count. A text over PIECE_CHARS is searched in
    pieces of about that size, cut between lines: repeats further apart are not found.

    Args:
        texts: The texts.
        encoded: The same texts' code points.
        sentence_ends: Characters that end a sentence.
    Source:
        Gopher (arXiv 2112.11446), section A1.1 (bullet points, ellipses) and table A1
        (duplicate line and paragraph fractions, and their character fractions); C4 (arXiv
        1910.10683), section 2.2 (lines that end in a terminal punctuation mark).
    """
    counts = np.zeros((len(_LineCounts._fields), len(texts)), dtype=np.int64)
    _count(encoded.codes, encoded.starts, encoded.stops, _table(sentence_ends), counts)
    counted = _LineCounts(*counts)
    repeated = np.zeros((4, len(texts)))
    # Most texts repeat no line, and so no paragraph.
    for index in np.flatnonzero(counted.repeats).tolist():
        repeated[:, index] = _repeat_shares(texts[index])
    lines, chars = np.maximum(counted.lines, 1), np.maximum(counted.chars, 1)
    return LineShares(
        counted.sentence_ends / lines,
        counted.bullets / lines,
        counted.ellipses / lines,
        counted.prose_chars / chars,
        *repeated,
    )


class _LineCounts(NamedTuple):
    """Counts of each text's lines, shape (texts,) each."""

    lines: Int64Array
    chars: Int64Array
    """Characters of lines."""
    sentence_ends: Int64Array
    bullets: Int64Array
    ellipses: Int64Array
    prose_chars: Int64Array
    repeats: Int64Array
    """1 where two lines have the same hash, as equal lines do."""


@compiled
def _count(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    table: UInt8Array,
    counts: Int64Array,
) -> None:
    """Write the fields of `_LineCounts`.

    Args:
        table: Bits of every code point.
    """
    codes, table = uncounted(codes), uncounted(table)
    most = 0
    for text in range(len(starts)):
        most = max(most, (stops[text] - starts[text]) // 2 + 1)
    hashes, entries = np.empty(most, np.uint64), np.empty(table_size(most), np.uint64)
    for text in range(len(starts)):
        stop = stops[text]
        lines = chars = sentence_ends = bullets = ellipses = prose = 0
        begin = end = -1  # of the line, without white space
        rolling = hash_ = np.uint64(0)
        for place in range(starts[text], stop + 1):
            code = codes[place] if place < stop else np.uint32(_NEWLINE)
            if code != _NEWLINE:
                rolling = (rolling + np.uint64(code)) * np.uint64(_BASE)
                if not table[code] & _SPACE:
                    if begin < 0:
                        begin = place
                        rolling = np.uint64(code) * np.uint64(_BASE)
                    end = place
                    hash_ = rolling
            elif begin >= 0:
                length = end + 1 - begin
                is_end, is_ellipsis = _tail(codes[begin : end + 1], table)
                chars += length
                sentence_ends += is_end
                ellipses += is_ellipsis
                bullets += (table[codes[begin]] & _BULLET) != 0
                prose += length if is_end and length >= PROSE_CHARS else 0
                hashes[lines] = max(hash_, np.uint64(1))  # 0 is a free slot
                lines += 1
                begin = -1
        counts[0, text], counts[1, text] = lines, chars
        counts[2, text], counts[3, text] = sentence_ends, bullets
        counts[4, text], counts[5, text] = ellipses, prose
        counts[6, text] = _has_repeats(hashes[:lines], entries)


@compiled
def _tail(line: UInt32Array, table: UInt8Array) -> tuple[bool, bool]:
    """Whether a line ends with the end of a sentence, and whether with an ellipsis."""
    last = len(line) - 1
    bits = table[line[last]]
    is_ellipsis = (bits & _ELLIPSIS) != 0
    if bits & _THIRD_DOT and last >= 2:
        is_ellipsis |= line[last] == line[last - 1] and line[last] == line[last - 2]
    while last >= 0 and table[line[last]] & _CLOSER:
        last -= 1
    return last >= 0 and (table[line[last]] & _END) != 0, is_ellipsis


@compiled
def _has_repeats(hashes: UInt64Array, entries: UInt64Array) -> bool:
    """Whether a number occurs twice; entries is room for a hash table of them."""
    table = entries[: table_size(len(hashes))]
    table[:] = 0
    for hash_ in hashes:
        slot = find_slot(table, hash_)
        if table[slot]:
            return True
        table[slot] = hash_
    return False


@lru_cache(maxsize=4)
def _table(sentence_ends: str) -> UInt8Array:
    """Bits of every code point, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for bit, characters in (
        (_SPACE, [chr(code) for code in range(0x10000) if chr(code).isspace()]),
        (_BULLET, BULLETS),
        (_END, sentence_ends),
        (_CLOSER, CLOSERS),
        (_ELLIPSIS, [mark for mark in ELLIPSES if len(mark) == 1]),
        (_THIRD_DOT, [mark[0] for mark in ELLIPSES if len(mark) == 3]),
    ):
        table[[ord(character) for character in characters]] |= bit
    return table


def _repeat_shares(text: str) -> tuple[float, float, float, float]:
    """Repeated shares of lines, of their characters, of paragraphs, and of their characters."""
    lines, paragraphs = _RepeatCounts(), _RepeatCounts()
    for piece in _pieces(text):
        stripped = [line.strip() for line in piece.split("\n")]
        lines.add([line for line in stripped if line])
        paragraphs.add(_paragraphs(stripped))
    return (*lines.shares(), *paragraphs.shares())


class _RepeatCounts:
    """Counts of parts that equal an earlier part."""

    _count = _chars = _copies = _copied_chars = 0

    def add(self, parts: Sequence[str]) -> None:
        """Count parts, which are compared with one another only."""
        chars = sum(map(len, parts))
        self._count += len(parts)
        self._chars += chars
        distinct = set(parts)
        self._copies += len(parts) - len(distinct)
        self._copied_chars += chars - sum(map(len, distinct))

    def shares(self) -> tuple[float, float]:
        """Repeated share of the parts, and of their characters."""
        return self._copies / max(self._count, 1), self._copied_chars / max(self._chars, 1)


def _paragraphs(stripped: list[str]) -> list[str]:
    """Join stripped lines to paragraphs, which blank lines separate."""
    runs = groupby(stripped, key=bool)
    return ["\n".join(lines) for has_text, lines in runs if has_text]


def _pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of about PIECE_CHARS that end with a line."""
    start = 0
    while start < len(text):
        stop = len(text)
        if stop - start > PIECE_CHARS:
            last = text.rfind("\n", start, start + PIECE_CHARS)
            stop = (last if last >= 0 else text.find("\n", start + PIECE_CHARS)) + 1 or stop
        yield text[start:stop]
        start = stop
