"""The lines and sentences of a text: how lines begin and end, which repeat, sentence counts.

A line is the text between two line feeds, without the white space around it. Blank lines separate
paragraphs and are left out of every count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int64Array, UInt8Array, UInt32Array
from udfs.base.characters import ENDS, SENTENCE_ENDS, WORDS, Kind
from udfs.base.code_points import EncodedTexts, Slices

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

_ENDS = frozenset(SENTENCE_ENDS)
_CLOSERS = frozenset(CLOSERS)
_ELLIPSIS_TAILS = frozenset(mark[-1] for mark in ELLIPSES)


class LineShares(NamedTuple):
    """Fractions in [0, 1]; 0.0 for a text without lines."""

    sentence_end_line_share: float
    """Lines that end with the end of a sentence, closing quotes and brackets aside."""
    bullet_line_share: float
    """Lines that begin with a bullet."""
    ellipsis_line_share: float
    """Lines that end with an ellipsis."""
    prose_line_char_share: float
    """Characters of lines of PROSE_CHARS or more that end a sentence / characters of all lines."""
    dup_line_share: float
    """Lines that repeat an earlier line."""
    dup_line_char_share: float
    """Characters of such lines / characters of all lines."""
    dup_paragraph_share: float
    """Paragraphs that repeat an earlier paragraph."""
    dup_paragraph_char_share: float
    """Characters of such paragraphs / characters of all paragraphs."""


def line_shares(text: str) -> LineShares:
    """Compute the shares of a text's lines and paragraphs that begin, end or repeat in some way.

    The first copy of a repeated line does not count. A text over PIECE_CHARS is searched in
    pieces of about that size, cut between lines: repeats further apart are not found.

    Source:
        Gopher (arXiv 2112.11446), section A1.1 (bullet points, ellipses) and table A1
        (duplicate line and paragraph fractions, and their character fractions); C4 (arXiv
        1910.10683), section 2.2 (lines that end in a terminal punctuation mark).
    """
    count = chars = sentence_ends = bullets = ellipses = prose = 0
    repeats = False
    for piece in _pieces(text):
        lines = [stripped for line in piece.split("\n") if (stripped := line.strip())]
        count += len(lines)
        chars += sum(map(len, lines))
        repeats = repeats or len(set(lines)) < len(lines)
        for line in lines:
            tail = line[-1]
            bullets += line[0] in BULLETS
            if tail in _ENDS or (tail in _CLOSERS and line.rstrip(CLOSERS)[-1:] in _ENDS):
                sentence_ends += 1
                prose += len(line) if len(line) >= PROSE_CHARS else 0
            if tail in _ELLIPSIS_TAILS:
                ellipses += line.endswith(ELLIPSES)
    count = max(count, 1)
    shares = (sentence_ends / count, bullets / count, ellipses / count, prose / max(chars, 1))
    # Most texts repeat no line, and so no paragraph.
    return LineShares(*shares, *(_repeat_shares(text) if repeats else (0.0, 0.0, 0.0, 0.0)))


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


def count_sentences(encoded: EncodedTexts, kinds: UInt8Array, counts: Int64Array) -> Int64Array:
    """Number of sentences of each text, shape (texts,).

    A sentence is the text between two ends that has a letter or digit; an end is a mark of
    SENTENCE_ENDS or a line feed. An ASCII full stop before an ASCII letter or digit is part of a
    number or a name, and does not end a sentence.

    Args:
        encoded: Texts.
        kinds: Their characters' kinds.
        counts: ``count_kinds`` of both.
    """
    is_word = _between(kinds, WORDS)
    matters = is_word | _between(kinds, ENDS)
    is_word[_inner_stops(encoded)] = True
    # Among words and ends alone, a sentence begins at a word right behind an end.
    is_word = is_word[matters]
    words_and_ends = Slices(counts[:, WORDS[0] : ENDS[-1] + 1].sum(axis=1))
    begins = is_word.copy()
    begins[1:] &= ~is_word[:-1]
    first = words_and_ends.starts[words_and_ends.lengths > 0]
    begins[first] = is_word[first]
    return words_and_ends.counts_of(begins)


def _between(kinds: UInt8Array, bounds: tuple[Kind, Kind]) -> npt.NDArray[np.bool_]:
    # One comparison: what is below the range wraps around to a large number.
    between: npt.NDArray[np.bool_] = (kinds - np.uint8(bounds[0])) <= bounds[1] - bounds[0]
    return between


def _inner_stops(encoded: EncodedTexts) -> npt.NDArray[np.int64]:
    """Places of full stops that an ASCII letter or digit follows."""
    codes = encoded.codes
    stops = np.flatnonzero(codes[:-1] == ord("."))
    inner = stops[_is_ascii_word(codes[stops + 1])]
    # The first character of the next text does not count.
    return inner[~np.isin(inner, encoded.stops - 1)]


def _is_ascii_word(codes: UInt32Array) -> npt.NDArray[np.bool_]:
    letters = (codes | 0x20) - np.uint32(ord("a")) < 26
    return letters | (codes - np.uint32(ord("0")) < 10)
