"""The image places of a page: addresses, texts, and where in the main text they are.

Every place is a row or is counted with the reason why it has none: `PagePlaces.seen` is their sum.
An image in a noscript, which repeats a lazy one beside it, is the same place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from udfs.base.array_types import BoolArray, Int64Array, UInt8Array
from udfs.pairs.addresses import (
    NO_ADDRESS,
    PLACEHOLDER,
    TOO_MANY,
    Base,
    DataImage,
    base_prefixes,
    resolved,
)
from udfs.pairs.choice import AddressLimits
from udfs.pairs.drafts import Draft, DraftReader, Drafts, page_base
from udfs.pairs.page_scan import Scan, scan_page
from udfs.pairs.plain_places import META_TABLE, plain_rows
from udfs.pairs.plain_values import BYTE_KINDS, OF_MORE, PLACEHOLDER_TABLE, REFERENCE_TABLE, SLOW
from udfs.pairs.relations import IN_FIGURE, TEXT
from udfs.pairs.rows import (
    ACCEPTED,
    ALT,
    ATTRIBUTE,
    ATTRIBUTE_NUMBERS,
    CAPTION,
    CONTEXT_AFTER,
    CONTEXT_BEFORE,
    ENTRY,
    HEIGHT,
    IN_MAIN,
    LICENSE,
    LINE,
    LINK_TEXT,
    NO_LINE,
    NO_PLACES,
    NOT_PLAIN,
    NOTHING,
    OF_PLACEHOLDER,
    PAIR_TEXT,
    REFUSED,
    ROW_COLUMNS,
    TEXT_SOURCE,
    TITLE,
    URL,
    URL_WRITTEN,
    WIDTH,
    ImagePlace,
    PlaceColumns,
    gathered_texts,
    pair_texts,
    span_column,
)
from udfs.pairs.surroundings import (
    CONTEXT_CHARS,
    LIKELY_AFTER,
    LIKELY_BEFORE,
    REFERENCE_CHARS,
    may_hold_license,
    surround,
)
from udfs.pairs.text_lines import TextLines, text_lines
from udfs.pairs.text_measures import NO_WORDS, Words, is_telling
from udfs.pairs.texts import (
    attribute_value,
    caption_text,
    is_caption_of_next,
    is_marked_caption,
    one_line,
    visible_text,
)


@dataclass(frozen=True, slots=True)
class PairLimits:
    """Limits for the images of one page.

    Attributes:
        max_images: Further ones are counted as too_many_images; the most on 131 real pages is 339.
        address: Of each address.
        interface_words: Of the language: texts that describe no image, as
            `udfs.pairs.text_measures.is_interface` has them.
    """

    max_images: int = 1000
    address: AddressLimits = field(default_factory=AddressLimits)
    interface_words: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class PagePlaces:
    """The image places of a page.

    Attributes:
        columns: Those with an address.
        rejected: Numbers of places without a row, by a reason of `udfs.pairs.addresses.REASONS`.
        site_name: As the page states it; None where it does not.
    """

    columns: PlaceColumns
    rejected: Mapping[str, int]
    site_name: str | None

    @property
    def rows(self) -> list[ImagePlace]:
        """The places with an address, in page order, as objects."""
        return self.columns.image_places()

    @property
    def seen(self) -> int:
        """All places: those with a row and those rejected."""
        return len(self.columns) + sum(self.rejected.values())


_NUMBERS = span_column(0)
_CONTEXT_BYTES = 4 * (CONTEXT_CHARS + REFERENCE_CHARS)
# In one case, as is usual: a search for both took a quarter of the time of all places.
_LICENSE_URL = re.compile(rb"creativecommons\.org/(?:licenses|publicdomain)/[A-Za-z0-9./+-]{1,80}")
_LICENSE_START = re.compile(rb"(?:https?:)?//(?:www\.)?$", re.IGNORECASE)
_START_BYTES = 12  # "https://www."

_is_telling = lru_cache(maxsize=4096)(is_telling)


def _licenses(page: bytes) -> list[tuple[int, str]]:
    """Return the Creative Commons links of a page and their places, in order."""
    if not may_hold_license(page):
        return []
    found = []
    for match in _LICENSE_URL.finditer(page):
        begin = max(0, match.start() - _START_BYTES)
        start = _LICENSE_START.search(page, begin, match.start())
        if start is not None:
            found.append((match.start(), (start[0] + match[0]).decode()))
    return found


class PageRows:
    """Joins the rows of a page and completes them."""

    def __init__(
        self,
        page: bytes,
        scan: Scan,
        plain: Int64Array,
        found: Drafts,
        base: Base,
        limits: PairLimits,
    ) -> None:
        """Join rows; count those without an address in `found.rejected`.

        Args:
            plain: As `udfs.pairs.plain_places.plain_rows` returns them.
            found: The other places.
            base: Of the page's addresses.
        """
        self._page, self._scan, self._base = page, scan, base
        self._max_chars, self._interface_words = limits.address.max_chars, limits.interface_words
        max_images = limits.max_images
        self._more = bytearray()
        self._made: dict[str, tuple[int, int]] = {}
        drafts, rejected = found.places, found.rejected
        rows = plain
        order = None
        if drafts:
            made = np.array([self._draft_row(draft) for draft in drafts], dtype=np.int64)
            orders = np.concatenate((plain[:, ENTRY], [draft.order for draft in drafts]))
            order = np.argsort(orders, kind="stable")
            rows = np.concatenate((plain, made))[order]
        if len(rows) > max_images:
            rejected[TOO_MANY] += len(rows) - max_images
            rows = rows[:max_images]
        refused = rows[:, REFUSED]
        rejected[NO_ADDRESS] += int(np.count_nonzero(refused == NOTHING))
        rejected[PLACEHOLDER] += int(np.count_nonzero(refused == OF_PLACEHOLDER))
        for draft in drafts:
            if draft.address.reason is not None:
                rejected[draft.address.reason] += 1
        kept: BoolArray = refused == ACCEPTED
        self._places = np.flatnonzero(kept)
        self._rows: Int64Array = rows if len(self._places) == len(rows) else rows[kept]
        self._drafts: dict[int, Draft] = {}
        self._captions = found.captions  # entries by rows
        if drafts or (found.captions and len(self._places) < len(plain)):
            self._number(order, kept, len(plain), drafts)

    def _number(
        self, order: Int64Array | None, kept: BoolArray, plain: int, drafts: list[Draft]
    ) -> None:
        """Find the rows of drafts, and of the entries of captions."""
        found = np.full(plain + len(drafts), -1, dtype=np.int64)
        sources = slice(len(kept)) if order is None else order[: len(kept)]
        found[sources] = np.where(kept, np.cumsum(kept) - 1, -1)
        rows = found.tolist()
        captions = {rows[source]: entry for source, entry in self._captions.items()}
        for draft, row in zip(drafts, rows[plain:], strict=True):
            self._drafts[row] = draft
            if draft.caption_entry is not None:
                captions[row] = draft.caption_entry
        captions.pop(-1, None)  # of those without a row
        self._drafts.pop(-1, None)
        self._captions = captions

    def _draft_row(self, draft: Draft) -> list[int]:
        row = [-1] * ROW_COLUMNS
        row[ENTRY] = -1 if draft.entry is None else draft.entry
        row[IN_MAIN], row[LINE], row[REFUSED] = 0, NO_LINE, 0
        address = draft.address
        if address.reason is not None:
            row[REFUSED] = NOT_PLAIN
            return row
        assert address.attribute is not None  # it has an address
        row[ATTRIBUTE] = ATTRIBUTE_NUMBERS[address.attribute]
        row[WIDTH] = -1 if draft.width is None else draft.width
        row[HEIGHT] = -1 if draft.height is None else draft.height
        for column, text in (
            (URL_WRITTEN, address.written or ""),
            (URL, address.url),
            (ALT, draft.alt),
            (TITLE, draft.title),
            (CAPTION, draft.caption),
        ):
            if text is not None:
                at = span_column(column)
                row[at : at + 3] = self._span(text)
        return row

    def _span(self, text: str) -> tuple[int, int, int]:
        """Return where a text is after it was added to what Python made."""
        if text not in self._made:
            begin = len(self._more)
            self._more += text.encode("utf-8", "replace")
            self._made[text] = begin, len(self._more)
        return *self._made[text], OF_MORE

    def _put(self, row: int, column: int, text: str | None) -> None:
        at = span_column(column)
        self._rows[row, at : at + 3] = -1 if text is None else self._span(text)

    def _text(self, row: int, column: int) -> str | None:
        """Return a text of the page or made by Python, one that has no prefix."""
        at = span_column(column)
        begin, end, recipe = self._rows[row, at : at + 3].tolist()
        if begin < 0:
            return None
        if recipe == OF_MORE:
            return self._more[begin:end].decode()
        return attribute_value(self._page[begin:end])

    def columns(self, main_text: str, prefix: bytes, lengths: Int64Array) -> PlaceColumns:
        """Return the rows as columns.

        Args:
            main_text: Of the page.
            prefix: And lengths, of `udfs.pairs.addresses.base_prefixes`.
        """
        rows, scan = self._rows, self._scan
        if not len(rows):
            return NO_PLACES
        lines, begins, ends = self._lines(main_text)
        likely = surround(
            self._page, lines.text, lines.places, lines.starts, lines.ends, lines.main,
            scan.entries, scan.attributes, rows, prefix, lengths, self._max_chars, BYTE_KINDS,
            *REFERENCE_TABLE,
        )  # fmt: skip
        self._resolve_slow(lines)
        self._put_captions_and_licenses(
            lines, begins, ends, np.flatnonzero(likely).tolist(), likely
        )
        self._choose_texts()
        images: dict[int, DataImage] = {
            row: draft.address.data
            for row, draft in self._drafts.items()
            if draft.address.data is not None
        }
        data, of_texts, bounds = gathered_texts(
            self._page, lines.text, bytes(self._more), prefix, lengths, *REFERENCE_TABLE, rows
        )
        numbers = rows[:, :_NUMBERS].copy()
        return PlaceColumns(self._places.astype(np.int32), numbers, data, of_texts, bounds, images)

    def _lines(self, main_text: str) -> tuple[TextLines, list[int], list[int]]:
        """Return the lines of the page, the places of its entries in them, and where its captions
        begin and end in their text."""
        scan = self._scan
        offsets = np.ascontiguousarray(scan.entries[:, TEXT])
        if not len(scan.captions):
            return text_lines(scan.text, scan.lines, offsets, main_text), [], []
        offsets = np.concatenate((offsets, scan.captions[:, 1], scan.captions[:, 2]))
        order = np.argsort(offsets, kind="stable")
        lines = text_lines(scan.text, scan.lines, offsets[order], main_text)
        places = np.empty(len(offsets), dtype=np.int64)
        places[order] = lines.places
        first, count = len(scan.entries), len(scan.captions)
        begins, ends = places[first : first + count].tolist(), places[first + count :].tolist()
        ordered = TextLines(lines.text, places[:first], lines.starts, lines.ends, lines.main)
        return ordered, begins, ends

    def _resolve_slow(self, lines: TextLines) -> None:
        """Read the texts that are not stored as they are written."""
        of_rows, columns = np.nonzero(self._rows[:, _NUMBERS + 2 :: 3] == SLOW)
        if not len(of_rows):
            return
        firsts = _NUMBERS + 3 * columns
        begins = self._rows[of_rows, firsts].tolist()
        ends = self._rows[of_rows, firsts + 1].tolist()
        made: dict[tuple[int, int, int], tuple[int, int, int]] = {}
        spans = []
        for key in zip(columns.tolist(), begins, ends, strict=True):
            if key not in made:
                found = self._slow_text(*key, lines.text)
                made[key] = (-1, -1, -1) if found is None else self._span(found)
            spans.append(made[key])
        for part, values in enumerate(zip(*spans, strict=True)):
            self._rows[of_rows, firsts + part] = values

    def _slow_text(self, column: int, begin: int, end: int, text: UInt8Array) -> str | None:
        """Return a text from where it is in the page, or of a context in its visible text."""
        if column == CONTEXT_BEFORE:
            found = text[max(0, begin - _CONTEXT_BYTES) : begin].tobytes().decode("utf-8", "ignore")
            before = visible_text(found[-CONTEXT_CHARS - REFERENCE_CHARS :])
            return before[-CONTEXT_CHARS:].strip()
        if column == CONTEXT_AFTER:
            found = text[begin : begin + _CONTEXT_BYTES].tobytes().decode("utf-8", "ignore")
            after = visible_text(found[: CONTEXT_CHARS + REFERENCE_CHARS])
            return after[:CONTEXT_CHARS].strip()
        value = attribute_value(self._page[begin:end])
        if column == LINK_TEXT:
            return resolved(value, self._base, self._max_chars)[0]
        return one_line(value)

    def _put_captions_and_licenses(
        self,
        lines: TextLines,
        begins: list[int],
        ends: list[int],
        marked: list[int],
        likely: np.ndarray[tuple[int], np.dtype[np.uint8]],
    ) -> None:
        """Store the captions of rows, and the licence that applies to them."""
        licenses = _licenses(self._page)
        last_license = licenses[-1][1] if licenses else None
        rows = self._rows
        if last_license is not None:
            at = span_column(LICENSE)
            rows[:, at : at + 3] = self._span(last_license)
        figures: dict[int, tuple[str | None, str | None]] = {}
        for (figure, _, _, begin, end), first, last in zip(
            self._scan.captions.tolist(), begins, ends, strict=True
        ):
            own = [url for at, url in licenses if begin <= at < end]
            text = caption_text(lines.text[first:last].tobytes().decode())
            if figure >= 0 and figure not in figures:
                figures[figure] = text or None, own[-1] if own else last_license
        to_read = {*marked, *self._captions}
        in_figure: dict[int, int] = {}
        if figures:
            numbers = self._scan.entries[rows[:, ENTRY], IN_FIGURE]
            numbers[rows[:, ENTRY] < 0] = -1
            in_figure = {
                row: figure for row, figure in enumerate(numbers.tolist()) if figure in figures
            }
            to_read |= in_figure.keys()
        known: dict[tuple[int, int], str] = {}
        for row in sorted(to_read):
            if row in in_figure:
                caption, license_url = figures[in_figure[row]]
                self._put(row, LICENSE, license_url)
            else:
                at = int(lines.places[rows[row, ENTRY]])
                caption = self._near_caption(row, at, lines, int(likely[row]), known)
            if caption is not None:
                self._put(row, CAPTION, caption)
                self._put_main_line(row, caption, lines, known)

    def _near_caption(
        self, row: int, at: int, lines: TextLines, likely: int, known: dict[tuple[int, int], str]
    ) -> str | None:
        """Return the caption beside a row that is in no figure with one."""
        if row in self._captions:
            begin = int(lines.places[self._captions[row]])
            following = _number_up_to(lines.ends, begin)
            if following < len(lines.ends):
                text = _caption(lines, begin, int(lines.ends[following]), known)
                if text:
                    return text
        if likely & LIKELY_AFTER:
            following = _number_up_to(lines.ends, at)
            if is_marked_caption(_line(lines, following)):
                return caption_text(_line(lines, following)) or None
        if likely & LIKELY_BEFORE:
            line = _line(lines, _number_up_to(lines.starts, at - 1) - 1)
            if is_caption_of_next(line):
                return caption_text(line) or None
        return None

    def _put_main_line(
        self, row: int, caption: str, lines: TextLines, known: dict[tuple[int, int], str]
    ) -> None:
        """Store the main text's line of a row whose caption may be between them."""
        at = int(lines.places[self._rows[row, ENTRY]])
        before = _number_up_to(lines.starts, at - 1) - 1
        following = _number_up_to(lines.ends, at)
        if before >= 0 and lines.main[before] >= 0:
            return
        if following == len(lines.main) or lines.main[following] >= 0:
            return
        begin, end = int(lines.starts[following]), int(lines.ends[following])
        if _caption(lines, begin, end, known) != caption:
            return
        following += 1
        if following < len(lines.main) and lines.main[following] >= 0:
            self._rows[row, IN_MAIN], self._rows[row, LINE] = 1, lines.main[following] - 1

    def _choose_texts(self) -> None:
        """Store the text of each pair: the first that may describe an image, else the first."""
        undecided = set(np.flatnonzero(pair_texts(self._page, self._rows)).tolist())
        headings = {row: draft.heading for row, draft in self._drafts.items() if draft.heading}
        for row in sorted(undecided | headings.keys()):
            texts = [self._text(row, column) for column in (ALT, CAPTION, TITLE)]
            found = [
                (text, source) for source, text in enumerate((*texts, headings.get(row))) if text
            ]
            text, source = found[0]
            if len(found) > 1:
                text, source = next(
                    (of for of in found if _is_telling(of[0], self._interface_words)), found[0]
                )
            self._put(row, PAIR_TEXT, text)
            self._rows[row, TEXT_SOURCE] = source


def _number_up_to(values: Int64Array, limit: int) -> int:
    """Return how many of ascending values are at most a limit."""
    return int(values.searchsorted(limit, side="right"))


def _line(lines: TextLines, line: int) -> str:
    return lines.text[lines.starts[line] : lines.ends[line]].tobytes().decode()


def _caption(lines: TextLines, begin: int, end: int, known: dict[tuple[int, int], str]) -> str:
    """Return a part of the text as a caption, each part once."""
    key = begin, end
    if key not in known:
        known[key] = caption_text(lines.text[begin:end].tobytes().decode())
    return known[key]


def image_places(
    page: bytes, url: str | None, main_text: str, limits: PairLimits | None = None
) -> PagePlaces:
    """Return the image places of a page, in time linear in its length.

    Args:
        page: HTML as valid UTF-8, before attributes are removed.
        url: Of the page; None where it is unknown, so that relative addresses are rejected.
        main_text: Its main text, lines ending with line feeds; "" where it is unknown.

    >>> found = image_places(b'<p><img alt="a cat" src=cat.jpg>', "http://h.cn/a/", "")
    >>> found.rows[0].url, found.rows[0].text, found.seen
    ('http://h.cn/a/cat.jpg', 'a cat', 1)
    """
    limits = limits or PairLimits()
    scan = scan_page(page, limits.max_images)
    base = page_base(page, url, scan)
    prefix, lengths = base_prefixes(base)
    plain, others = plain_rows(
        page, scan.entries, scan.attributes, prefix, lengths, limits.address.max_chars,
        BYTE_KINDS, *PLACEHOLDER_TABLE, *REFERENCE_TABLE, *META_TABLE,
    )  # fmt: skip
    reader = DraftReader(page, base, scan, plain, limits.max_images, limits.address)
    found = reader.read(others)
    columns = NO_PLACES
    if len(plain) or found.places:
        rows = PageRows(page, scan, plain, found, base, limits)
        columns = rows.columns(main_text, prefix, lengths)
    return PagePlaces(columns, {k: n for k, n in found.rejected.items() if n}, found.site_name)
