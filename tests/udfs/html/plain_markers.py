"""What `udfs.html.tags` and `udfs.html.markers` give, by whole-array numpy: for tests.

Written before the compiled loops and apart from them; they share the tables of elements alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, reduce
from math import isqrt
from operator import xor

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick

from udfs.html.class_words import (
    _HIDDEN,
    _SIGNATURE_MASK,
    _SIGNATURE_PLACE,
    _WORDS,
    KIND_BITS,
)
from udfs.html.markers import (
    _BLOCK,
    _CELL,
    _END_MARKS,
    _FIFTH_LETTERS,
    _IS_SCRIPT,
    _OUTSIDE,
    _ROW,
    _START_MARKS,
    _VALUE_OF_ELEMENT,
    BREAK,
    DIGIT,
    DIGIT_BITS,
    DIGITS,
    MARKS,
)
from udfs.html.page_kinds import CLASS_WORDS
from udfs.html.tags import _FLAT, _FORMATTING, _LINE_BREAK, _PARAGRAPH, _TRAITS, TagCost, Tags

_LESS, _GREATER, _SLASH, _BACKSLASH, _SPACE = b"<>/\\ "
_DOUBLE_QUOTE, _SINGLE_QUOTE = b"\"'"
_SEPARATORS = (b" ", b"\n", b"\t", b"\r", b"/")
_LONG_TAG_BYTES, _LONG_SCRIPT_BYTES, _MAX_TAG_BYTES, _BARE_TAG_BYTES = 1024, 1000, 400, 7
_END_TAG = 16
# A tag to its ">": quotes hide one only after an equals sign.
_TAG_REST = re.compile(rb"(?:[^>=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?)*+")


def plain_find_tags(page: bytes) -> Tags:
    """Everything in a page that looks like a tag.

    Args:
        page: UTF-8.
    """
    padded = np.frombuffer(page + b"      ", dtype=np.uint8)
    # All of < > " ' in one search, which is most of the work.
    places = np.flatnonzero(
        (padded | 2 == _GREATER) | (padded == _DOUBLE_QUOTE) | (padded == _SINGLE_QUOTE)
    )
    signs = padded[places]
    less, greater = np.flatnonzero(signs == _LESS), np.flatnonzero(signs == _GREATER)
    opens = places[less]
    escaped = padded[opens + 1] == _BACKSLASH  # <\\/div> in the JSON of a script
    is_end = padded[opens + 1 + escaped] == _SLASH
    name_at = opens + 1 + escaped + is_end
    # Bit 5 makes ASCII letters lower-case; a name ends at what is no letter.
    letters = [padded[name_at + offset] | _SPACE for offset in range(3)]
    is_letter = [(byte >= ord("a")) & (byte <= ord("z")) for byte in letters]
    is_letter[2] &= is_letter[1]
    first, second, third = (
        np.where(inside, byte & 31, 0).astype(np.intp)
        for byte, inside in zip(letters, is_letter, strict=True)
    )
    is_tag = is_letter[0]
    code = first << 10 | second << 5 | third
    less = less[is_tag]
    end = np.append(greater, len(places))[np.searchsorted(greater, less)]
    is_single = signs == _SINGLE_QUOTE
    singles = np.append(0, np.cumsum(is_single))
    quotes = np.append(0, np.cumsum(is_single | (signs == _DOUBLE_QUOTE)))
    single, both = singles[end] - singles[less], quotes[end] - quotes[less]
    return Tags(
        page,
        starts=opens[is_tag],
        ends=np.append(places, len(page))[end] + 1,
        codes=code[is_tag],
        is_end=is_end[is_tag],
        may_continue=(both & 1 > 0) | ((single > 0) & (single < both)),
    )


def plain_tag_cost(tags: Tags) -> TagCost:
    """What a page's tags cost."""
    if not len(tags.codes):
        return TagCost(0, 0, 0)
    traits = _TRAITS[tags.codes]
    step = np.where(tags.is_end, -1, 1)
    step[traits & _FLAT > 0] = 0
    level = np.cumsum(step)
    # A stray end tag closes nothing: count from the lowest level seen so far.
    depth = int((level - np.minimum(np.minimum.accumulate(level), 0)).max())

    counts = np.bincount(traits + _END_TAG * tags.is_end, minlength=2 * _END_TAG).tolist()
    starts = sum(counts[:_END_TAG])
    unclosed = sum(counts[kind] - counts[kind + _END_TAG] for kind in _with(_FORMATTING))
    # The parser makes an element of an end tag of p that closes none, and of every </br>.
    unopened = sum(counts[kind + _END_TAG] - counts[kind] for kind in _with(_PARAGRAPH))
    invented = max(0, unopened) + sum(counts[kind + _END_TAG] for kind in _with(_LINE_BREAK))
    return TagCost(
        nodes=2 * (starts + invented) + max(0, unclosed) * starts // 4,
        depth=max(depth, 0),
        attributes=_attribute_cost(tags),
    )


@cache
def _with(trait: int) -> list[int]:
    """All sets of traits that have one."""
    return [traits for traits in range(_END_TAG) if traits & trait]


def _attribute_cost(tags: Tags) -> int:
    """Root of the sum of the squared numbers of separators in long start tags.

    Tags that may go on are read to their end; what they hold is not read again.
    """
    page = tags.page
    looked_at = np.flatnonzero(
        ~tags.is_end & (tags.may_continue | (tags.ends - tags.starts > _LONG_TAG_BYTES))
    )
    squares = 0
    read_to = 0
    for start, end, may_continue in zip(
        tags.starts[looked_at].tolist(),
        tags.ends[looked_at].tolist(),
        tags.may_continue[looked_at].tolist(),
        strict=True,
    ):
        if start >= read_to:
            rest = _TAG_REST.match(page, start) if may_continue else None
            read_to = rest.end() if rest else end
            if read_to - start > _LONG_TAG_BYTES:
                tag = page[start:read_to]
                squares += sum(map(tag.count, _SEPARATORS)) ** 2
    return isqrt(squares)


def plain_without_scripts(tags: Tags) -> Tags:
    """A page without what is in its long scripts and styles: often half of its bytes.

    What looks like a script may stand in a comment or an attribute, and reach from there into the
    text: over a comment's end, over another script's tag, or from within a tag. Those stay.
    """
    raw = np.flatnonzero(_IS_SCRIPT[tags.codes])
    starts, codes = tags.starts[raw], tags.codes[raw]
    pairs = np.flatnonzero(
        ~tags.is_end[raw[:-1]]
        & tags.is_end[raw[1:]]
        & (codes[1:] == codes[:-1])
        & (np.diff(starts) > _LONG_SCRIPT_BYTES)
    )
    page = tags.page
    begins: list[int] = []
    ends: list[int] = []
    for start, end in zip(starts[pairs].tolist(), starts[pairs + 1].tolist(), strict=True):
        begin = page.find(b">", start, end) + 1
        if (
            begin
            and page.rfind(b"<", 0, start) <= page.rfind(b">", 0, start)
            and page.find(b"<!--", begin, end) < 0
            and page.find(b"-->", begin, end) < 0
        ):
            begins.append(begin)
            ends.append(end)
    if not begins:
        return tags
    gone = np.append(0, np.cumsum(np.subtract(ends, begins)))
    before = np.searchsorted(ends, tags.starts, side="right")  # scripts that end before each tag
    kept = tags.starts < np.append(begins, len(page))[before]
    return Tags(
        b"".join([page[a:b] for a, b in zip([0, *ends], [*begins, len(page)], strict=True)]),
        (tags.starts - gone[before])[kept],
        (tags.ends - gone[before])[kept],
        tags.codes[kept],
        tags.is_end[kept],
        tags.may_continue[kept],
    )


def plain_marked(tags: Tags) -> bytes:
    """A page with the marks put in.

    Args:
        tags: Of a page without its own marks.
    """
    marks = np.where(tags.is_end, _END_MARKS[tags.codes], _START_MARKS[tags.codes])
    chosen = np.flatnonzero(marks)
    if not len(chosen):
        return tags.page
    page = np.frombuffer(tags.page, dtype=np.uint8)
    marks, codes, is_end = marks[chosen], tags.codes[chosen], tags.is_end[chosen]
    starts, ends = tags.starts[chosen], tags.ends[chosen]
    kept = ends <= len(page)  # a tag that the page's end cuts is none
    kept &= page[starts + 1] != ord("\\")  # <\/script> in a script
    letters = _FIFTH_LETTERS[codes]
    fifth = page[np.minimum(starts + is_end + 5, len(page) - 1)] | 0x20
    kept &= (letters == 0) | (letters == fifth)
    # The cells that are the first of their row.
    in_tables = np.flatnonzero((marks == _CELL) | (marks == _ROW))
    first_cells = in_tables[1:][(marks[in_tables[:-1]] == _ROW) & (marks[in_tables[1:]] == _CELL)]
    marks[first_cells] = _BLOCK
    kept[in_tables] &= marks[in_tables] != _ROW
    marks, codes, is_end = marks[kept], codes[kept], is_end[kept]
    starts, ends = starts[kept], ends[kept]

    is_block = marks >= _BLOCK
    blocks = np.flatnonzero(is_block)
    values = _VALUE_OF_ELEMENT[codes[blocks]]
    lengths = ends[blocks] - starts[blocks]
    says = np.flatnonzero(lengths > _BARE_TAG_BYTES)
    tag_starts = starts[blocks][says]
    tag_stops = tag_starts + np.minimum(lengths[says], _MAX_TAG_BYTES)
    values[says] = plain_block_values(
        [tags.page[a:b] for a, b in zip(tag_starts.tolist(), tag_stops.tolist(), strict=True)],
        values[says],
    )

    # After a start tag, before an end tag. "<" in an attribute can put two out of order.
    places = np.maximum.accumulate(np.where(is_end ^ _OUTSIDE[codes], starts, ends))
    sizes = np.where(is_block, DIGITS, 1) + (marks == _BLOCK)
    after = places + np.cumsum(sizes)
    whole = np.empty(len(page) + int(sizes.sum()), dtype=np.uint8)
    is_text = np.ones(len(whole), dtype=np.bool_)
    to = after - sizes
    is_text[to] = False
    whole[to] = np.where(is_block, BREAK, marks)
    for digit in range(DIGITS):  # over the break, for cells
        to = after[blocks] - 1 - digit
        is_text[to] = False
        whole[to] = DIGIT + (values >> DIGIT_BITS * digit & 7)
    whole[is_text] = page
    return whole.tobytes()


def plain_unmarked(page: bytes) -> bytes:
    """A page without zero bytes and without characters that could be taken for marks."""
    return bytes(0x7F if code in MARKS else code for code in page if code)


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


def plain_block_values(
    tags: Sequence[bytes], values: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """What each start tag says of its element, with what is known of it before.

    Args:
        tags: Start tags as bytes, without zero bytes.
    Returns:
        Shape (tags,).
    """
    kinds = _word_bits(tags)
    signatures = [
        reduce(xor, (_first_word(found[1]) for found in _VALUES[0].finditer(tag.lower())), 0)
        for tag in tags
    ]
    signed = np.array(signatures, dtype=np.int64) << _SIGNATURE_PLACE
    return np.asarray((values | kinds) ^ signed)


def _first_word(value: bytes) -> int:
    """The hash of the letters of an attribute's first word that has some."""
    letters = re.match(rb"[^a-z]*([^ \t-\r]*)", value)
    assert letters is not None
    signature = 0
    for letter in re.findall(rb"[a-z]", letters[1]):
        signature = signature * 31 + letter[0] - ord("a") + 1 & _SIGNATURE_MASK
    return signature


def _word_bits(tags: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """The bits of the words in each start tag, and whether it is hidden."""
    numbers = {tag: number for number, tag in enumerate(dict.fromkeys(tags))}
    listed = (_END.join(numbers) + _END).lower()
    ends = np.flatnonzero(np.frombuffer(listed, dtype=np.uint8) == 0)
    kinds = np.zeros(len(numbers), dtype=np.int64)
    if b"hidden" in listed or b"display" in listed:
        hidden = [found.start() for hiding in _HIDING for found in hiding.finditer(listed)]
        kinds[np.searchsorted(ends, hidden)] = _HIDDEN
    values = [(found[1], found.start()) for value in _VALUES for found in value.finditer(listed)]
    if values:
        words, bits = _block_words()
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
def _block_words() -> tuple[BytesAhoCorasick, npt.NDArray[np.int64]]:
    """The automaton of all words, and each one's bit."""
    bits = [
        (word, 1 << place)
        for first, words in ((0, _WORDS), (KIND_BITS, CLASS_WORDS))
        for place, listed in enumerate(words.values(), first)
        for word in listed.split()
    ]
    return (
        BytesAhoCorasick([word.encode() for word, _ in bits]),
        np.array([bit for _, bit in bits], dtype=np.int64),
    )
