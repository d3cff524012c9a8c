"""Image places as rows of numbers: compiled loops fill them and copy their texts into columns.

A row has numbers, then for each text of a place where it is: begin, end and recipe. A place in
bytes is one of the page, of its visible text, or of the texts that Python made, as the recipe says
(`udfs.pairs.plain_values`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt64Array
from udfs.base.jit import compiled, copy_bytes, uncounted
from udfs.pairs.addresses import DataImage
from udfs.pairs.markup import ATTRIBUTES
from udfs.pairs.plain_values import (
    AMPERSANDS,
    FOLDER,
    LENGTH_BITS,
    OF_MORE,
    OF_PAGE,
    OF_TEXT,
    PREFIXES,
    SOURCES,
    reference_at,
)

ATTRIBUTE_NAMES = (
    *ATTRIBUTES, "picture", "noscript", "css", "svg", "input", "og", "twitter", "json-ld", "link",
)  # fmt: skip
"""What names an image; an attribute's number is its index."""
ATTRIBUTE_NUMBERS = {name: number for number, name in enumerate(ATTRIBUTE_NAMES)}
CSS_NUMBER = ATTRIBUTE_NUMBERS["css"]
TEXT_SOURCES = ("alt", "caption", "title", "heading")
"""What the text of a pair is from."""

# Columns of a row.
ENTRY, ATTRIBUTE, WIDTH, HEIGHT, IN_MAIN, LINE, TEXT_SOURCE, REFUSED = range(8)
NO_LINE = -2
_AMPERSAND = 0x26
ACCEPTED, NOTHING, OF_PLACEHOLDER, NOT_PLAIN = range(4)
"""Why a place has no address, in column REFUSED; NOT_PLAIN where a draft says it."""
TEXT_COLUMNS = (
    "url_written", "url", "alt", "title", "caption", "context_before", "context_after", "link",
    "text", "license",
)  # fmt: skip
"""The texts of a place that rows have."""
(
    URL_WRITTEN, URL, ALT, TITLE, CAPTION, CONTEXT_BEFORE, CONTEXT_AFTER, LINK_TEXT, PAIR_TEXT,
    LICENSE,
) = range(10)  # fmt: skip
_SPANS, _TEXTS = 8, 10
ROW_COLUMNS = _SPANS + 3 * _TEXTS


@compiled
def new_row(rows: Int64Array, row: int, entry: int) -> None:
    """Begin a row: nothing is known of the place of an entry."""
    rows[row, :] = -1
    rows[row, ENTRY], rows[row, LINE] = entry, NO_LINE
    rows[row, IN_MAIN] = rows[row, REFUSED] = 0


@compiled
def put_span(rows: Int64Array, row: int, text: int, begin: int, end: int, recipe: int) -> None:
    """Store where a text is."""
    at = _SPANS + 3 * text
    rows[row, at], rows[row, at + 1], rows[row, at + 2] = begin, end, recipe


def span_column(text: int) -> int:
    """Return the column where a text begins; its end and its recipe follow."""
    return _SPANS + 3 * text


@compiled
def pair_texts(page: bytes, rows: Int64Array) -> UInt8Array:
    """Store the text of rows that have one text alone; flag those with several, shape (rows,)."""
    several = np.zeros(len(rows), dtype=np.uint8)
    for row in range(len(rows)):
        found = -1
        for source in range(3):
            at = _SPANS + 3 * (ALT if source == 0 else CAPTION if source == 1 else TITLE)
            begin, end, recipe = rows[row, at], rows[row, at + 1], rows[row, at + 2]
            if begin < 0 or begin == end:
                continue
            if found < 0:
                found = at
                put_span(rows, row, PAIR_TEXT, begin, end, recipe)
                rows[row, TEXT_SOURCE] = source
            elif not (
                recipe == rows[row, found + 2]
                and end - begin == rows[row, found + 1] - rows[row, found]
                and _are_equal(page, recipe, rows[row, found], begin, end - begin)
            ):
                several[row] = 1
    return several


@compiled
def _are_equal(page: bytes, recipe: int, first: int, second: int, length: int) -> bool:
    """Whether two texts are certainly equal."""
    if first == second:
        return True
    if recipe != OF_PAGE:
        return False
    at = 0
    while at < length and page[first + at] == page[second + at]:
        at += 1
    return at == length


@compiled
def gathered_texts(
    page: bytes,
    text: UInt8Array,
    more: bytes,
    prefix: bytes,
    prefixes: Int64Array,
    names: UInt64Array,
    codes: Int32Array,
    rows: Int64Array,
) -> tuple[UInt8Array, Int32Array, Int64Array]:
    """Copy the texts of rows.

    Args:
        more: Texts that Python made.
        prefix: Scheme, origin and folder; `prefixes` are their lengths.
        names: And codes, `udfs.pairs.plain_values.REFERENCE_TABLE`, whose keys are of `name_hash`.
    Returns:
        All texts of the first column, then those of the next; the bytes of each, -1 for none,
        shape (columns, rows); where the texts of each column begin, and the end, (columns + 1,).
    """
    page, text, more, prefix = uncounted(page), uncounted(text), uncounted(more), uncounted(prefix)
    rows = uncounted(rows)
    lengths = np.empty((_TEXTS, len(rows)), dtype=np.int32)
    size = 0
    for column in range(_TEXTS):
        for row in range(len(rows)):
            at = _SPANS + 3 * column
            if rows[row, at] >= 0:
                size += rows[row, at + 1] - rows[row, at]
                kind = rows[row, at + 2] & PREFIXES
                size += max(0, prefixes[(kind >> 3) - 1]) if kind else 0
    data = np.empty(size, dtype=np.uint8)
    bounds = np.zeros(_TEXTS + 1, dtype=np.int64)
    to = 0
    for column in range(_TEXTS):
        bounds[column] = to
        for row in range(len(rows)):
            at = _SPANS + 3 * column
            begin, end, recipe = rows[row, at], rows[row, at + 1], rows[row, at + 2]
            if begin < 0:
                lengths[column, row] = -1
                continue
            start = to
            kind = recipe & PREFIXES
            if kind:
                skipped = 0
                for earlier in range((kind >> 3) - 1):
                    skipped += max(0, prefixes[earlier])
                length = recipe >> LENGTH_BITS if kind == FOLDER else prefixes[(kind >> 3) - 1]
                copy_bytes(data, to, prefix, skipped, length)
                to += length
            source = recipe & SOURCES
            if recipe & AMPERSANDS and source == OF_PAGE:
                to = _without_references(page, begin, end, names, codes, data, to)
            elif recipe & AMPERSANDS:
                to = _without_references(text, begin, end, names, codes, data, to)
            elif source == OF_PAGE:
                copy_bytes(data, to, page, begin, end - begin)
                to += end - begin
            elif source == OF_TEXT:
                copy_bytes(data, to, text, begin, end - begin)
                to += end - begin
            elif source == OF_MORE:
                copy_bytes(data, to, more, begin, end - begin)
                to += end - begin
            lengths[column, row] = to - start
    bounds[_TEXTS] = to
    return data[:to], lengths, bounds


@compiled
def _without_references(
    text: bytes | UInt8Array,
    begin: int,
    end: int,
    names: UInt64Array,
    codes: Int32Array,
    data: UInt8Array,
    to: int,
) -> int:
    """Copy a text with its references resolved, which never makes it longer; return the end of the
    copy."""
    at = begin
    while at < end:
        byte = text[at]
        if byte != _AMPERSAND:
            data[to] = byte
            to, at = to + 1, at + 1
            continue
        length, code = reference_at(text, at, end, names, codes)
        if length <= 1:
            code = _AMPERSAND
        at += max(1, length)
        if code < 0x80:
            data[to] = code
            to += 1
        elif code < 0x800:
            data[to], data[to + 1] = 0xC0 | code >> 6, 0x80 | code & 63
            to += 2
        else:
            data[to], data[to + 1] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63
            data[to + 2] = 0x80 | code & 63
            to += 3
    return to


@dataclass(slots=True)
class ImagePlace:
    """A place of a page that names an image.

    Attributes:
        place: Its number on the page, in page order; rejected places count, too.
        attribute: What names it: src, srcset, a lazy attribute, picture, noscript, css, svg,
            input, poster, link, og, twitter, itemprop or json-ld.
        url_written: The address as written, references resolved; of a data: URI what precedes its
            comma.
        url: The address resolved; None for a data: URI.
        declared_width: Pixels; None where they are not stated.
        declared_height: As the width.
        alt: None without the attribute; "" where it is empty.
        title: None without the attribute.
        caption: A figcaption, a block whose class says caption, a line that is marked as one, or
            that of JSON-LD; None without one.
        context_before: Visible text before it, at most 200 characters, a line feed between lines;
            None for an image that a head or a script names.
        context_after: As the one before.
        link: Target of the link around it, resolved; None without one.
        text: The text of the pair: the first of alt, caption, title and the heading in JSON-LD
            that may describe an image, else the first that is not empty; None without any.
        text_source: Which of them: alt, caption, title or heading.
        license: The Creative Commons link in its figure's caption, else the last of the page.
        in_main: Whether a line beside it, captions aside, is main text.
        line: Index of the main text's line that it follows, -1 before the first; None outside.
        data_sha256: Of the image in a data: URI, hexadecimal; else None.
        data_bytes: Its size.
        data_body: Its bytes.
    """

    place: int
    attribute: str
    url_written: str
    url: str | None
    declared_width: int | None
    declared_height: int | None
    alt: str | None
    title: str | None
    caption: str | None
    context_before: str | None
    context_after: str | None
    link: str | None
    text: str | None
    text_source: str | None
    license: str | None
    in_main: bool
    line: int | None
    data_sha256: str | None
    data_bytes: int | None
    data_body: bytes | None


@dataclass(frozen=True, slots=True, eq=False)
class PlaceColumns:
    """The image places of a page that have an address, in page order.

    Attributes:
        places: Their numbers on the page, shape (rows,).
        numbers: The first columns of `udfs.pairs.rows`, shape (rows, 8).
        data: UTF-8 of the texts of the first of TEXT_COLUMNS, then of the next.
        lengths: Bytes of each text, -1 for none, shape (columns, rows).
        bounds: Where the texts of each column begin in `data`, and its end, shape (columns + 1,).
        images: The images of data: URIs, by row.
    """

    places: Int32Array
    numbers: Int64Array
    data: UInt8Array
    lengths: Int32Array
    bounds: Int64Array
    images: dict[int, DataImage]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def size(self) -> int:
        """Bytes of the texts and of the images."""
        return len(self.data) + sum(image.size for image in self.images.values())

    def texts(self, column: int) -> list[str | None]:
        """Return the texts of a column."""
        data = self.data[self.bounds[column] : self.bounds[column + 1]].tobytes()
        texts: list[str | None] = []
        at = 0
        for length in self.lengths[column].tolist():
            texts.append(None if length < 0 else data[at : at + length].decode())
            at += max(0, length)
        return texts

    def image_places(self) -> list[ImagePlace]:
        """Return the places as objects."""
        texts = {name: self.texts(column) for column, name in enumerate(TEXT_COLUMNS)}
        rows = []
        for row, (place, numbers) in enumerate(
            zip(self.places.tolist(), self.numbers.tolist(), strict=True)
        ):
            source, line, image = numbers[TEXT_SOURCE], numbers[LINE], self.images.get(row)
            width, height = numbers[WIDTH], numbers[HEIGHT]
            rows.append(
                ImagePlace(
                    place=place,
                    attribute=ATTRIBUTE_NAMES[numbers[ATTRIBUTE]],
                    declared_width=None if width < 0 else width,
                    declared_height=None if height < 0 else height,
                    text_source=None if source < 0 else TEXT_SOURCES[source],
                    in_main=bool(numbers[IN_MAIN]),
                    line=None if line == NO_LINE else line,
                    data_sha256=None if image is None else image.sha256,
                    data_bytes=None if image is None else image.size,
                    data_body=None if image is None else image.body,
                    **{name: found[row] for name, found in texts.items()},  # type: ignore[arg-type]
                )
            )
        return rows


NO_PLACES = PlaceColumns(
    np.empty(0, dtype=np.int32),
    np.empty((0, 8), dtype=np.int64),
    np.empty(0, dtype=np.uint8),
    np.empty((len(TEXT_COLUMNS), 0), dtype=np.int32),
    np.zeros(len(TEXT_COLUMNS) + 1, dtype=np.int64),
    {},
)
"""Of a page without any."""
