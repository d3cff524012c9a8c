"""The image places of a page: addresses, texts, and where in the main text they are.

Every place is a row or is counted with the reason why it has none: `PagePlaces.seen` is their sum.
An image in a noscript, which repeats a lazy one beside it, is the same place.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from udfs.pairs.choice import AddressLimits
from udfs.pairs.drafts import Draft, DraftReader
from udfs.pairs.page_scan import Scan, scan_page
from udfs.pairs.relations import IN_FIGURE, TEXT
from udfs.pairs.text_lines import TextLines, text_lines
from udfs.pairs.text_measures import is_telling
from udfs.pairs.texts import (
    caption_text,
    is_caption_of_next,
    is_marked_caption,
    visible_text,
)

_CONTEXT_CHARS = 200
_REFERENCE_CHARS = 100  # more that are read where references are to be resolved
# In one case, as is usual: a search for both took a quarter of the time of all places.
_LICENSE = re.compile(rb"creativecommons\.org/(?:licenses|publicdomain)/[A-Za-z0-9./+-]{1,80}")
_LICENSE_START = re.compile(rb"(?:https?:)?//(?:www\.)?$", re.IGNORECASE)
_START_BYTES = 12  # "https://www."


@dataclass(frozen=True, slots=True)
class PairLimits:
    """Limits for the images of one page.

    Attributes:
        max_images: Further ones are counted as too_many_images; the most on 131 real pages is 339.
        address: Of each address.
    """

    max_images: int = 1000
    address: AddressLimits = field(default_factory=AddressLimits)


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


@dataclass(frozen=True, slots=True)
class PagePlaces:
    """The image places of a page.

    Attributes:
        rows: In page order.
        rejected: Numbers of places without a row, by a reason of `udfs.pairs.addresses.REASONS`.
        site_name: As the page states it; None where it does not.
    """

    rows: list[ImagePlace]
    rejected: Mapping[str, int]
    site_name: str | None

    @property
    def seen(self) -> int:
        """All places: those with a row and those rejected."""
        return len(self.rows) + sum(self.rejected.values())


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
    reader = DraftReader(page, url, scan, limits.max_images, limits.address)
    found = reader.read()
    surroundings = _Surroundings(page, scan, main_text) if found.places else None
    rows = []
    for place, draft in enumerate(found.places):
        if draft.address.reason is not None:
            found.rejected[draft.address.reason] += 1
            continue
        assert surroundings is not None  # there are places
        rows.append(_row(place, draft, reader, surroundings))
    return PagePlaces(rows, {k: n for k, n in found.rejected.items() if n}, found.site_name)


def _row(place: int, draft: Draft, reader: DraftReader, around: _Surroundings) -> ImagePlace:
    """Return the row of a place with an address."""
    address = draft.address
    caption, link, before, after, license_url = draft.caption, None, None, None, around.license
    is_main, line = False, None
    if draft.entry is not None:
        entry = reader.entries[draft.entry]
        link = reader.link(entry)
        before, after = around.context(draft.entry)
        caption, license_url = around.caption(draft.entry, entry[IN_FIGURE], draft.caption_entry)
        is_main, line = around.main_line(draft.entry, caption)
    text, source = _pair_text(draft, caption)
    assert address.attribute is not None  # it has an address
    return ImagePlace(
        place,
        address.attribute,
        address.written or "",
        address.url,
        draft.width,
        draft.height,
        draft.alt,
        draft.title,
        caption,
        before,
        after,
        link,
        text,
        source,
        license_url,
        is_main,
        line,
        None if address.data is None else address.data.sha256,
        None if address.data is None else address.data.size,
        None if address.data is None else address.data.body,
    )


def _pair_text(draft: Draft, caption: str | None) -> tuple[str | None, str | None]:
    """Return the text of the pair and what it is from."""
    found = [
        (text, source)
        for text, source in (
            (draft.alt, "alt"),
            (caption, "caption"),
            (draft.title, "title"),
            (draft.heading, "heading"),
        )
        if text
    ]
    if not found:
        return None, None
    if len(found) > 1:
        for text, source in found:
            if is_telling(text):
                return text, source
    return found[0]


def _licenses(page: bytes) -> list[tuple[int, str]]:
    """Return the Creative Commons links of a page and their places, in order."""
    found = []
    for match in _LICENSE.finditer(page):
        begin = max(0, match.start() - _START_BYTES)
        start = _LICENSE_START.search(page, begin, match.start())
        if start is not None:
            found.append((match.start(), (start[0] + match[0]).decode()))
    return found


class _Surroundings:
    """The visible text of a page around its entries."""

    def __init__(self, page: bytes, scan: Scan, main_text: str) -> None:
        offsets = np.concatenate((scan.entries[:, TEXT], scan.captions[:, 1], scan.captions[:, 2]))
        order = np.argsort(offsets, kind="stable")
        lines: TextLines = text_lines(scan.text, scan.lines, offsets[order], main_text)
        places = np.empty(len(offsets), dtype=np.int64)
        places[order] = lines.places
        entries, captions = len(scan.entries), len(scan.captions)
        self._text, self._lines = lines.text, lines
        self._places: list[int] = places[:entries].tolist()
        begins, ends = places[entries : entries + captions], places[entries + captions :]
        licenses = _licenses(page)
        self.license = licenses[-1][1] if licenses else None
        self._captions: dict[int, tuple[str | None, str | None]] = {}
        for (figure, _, _, begin, end), first, last in zip(
            scan.captions.tolist(), begins.tolist(), ends.tolist(), strict=True
        ):
            own = [url for at, url in licenses if begin <= at < end]
            text = caption_text(self._text[first:last])
            if figure >= 0 and figure not in self._captions:
                self._captions[figure] = text or None, own[-1] if own else self.license

    def context(self, entry: int) -> tuple[str, str]:
        """Return the text before and after an entry."""
        at = self._places[entry]
        before = self._text[max(0, at - _CONTEXT_CHARS) : at]
        after = self._text[at : at + _CONTEXT_CHARS]
        if "&" in before:
            begin = max(0, at - _CONTEXT_CHARS - _REFERENCE_CHARS)
            before = visible_text(self._text[begin:at])[-_CONTEXT_CHARS:]
        if "&" in after:
            end = at + _CONTEXT_CHARS + _REFERENCE_CHARS
            after = visible_text(self._text[at:end])[:_CONTEXT_CHARS]
        return before.strip(), after.strip()

    def caption(
        self, entry: int, figure: int, caption_entry: int | None
    ) -> tuple[str | None, str | None]:
        """Return the caption of an entry and its licence."""
        if figure in self._captions:
            return self._captions[figure]
        at, lines = self._places[entry], self._lines
        if caption_entry is not None:
            begin = self._places[caption_entry]
            following = bisect_right(lines.ends, begin)
            if following < len(lines.ends):
                text = caption_text(self._text[begin : lines.ends[following]])
                if text:
                    return text, self.license
        following = bisect_right(lines.ends, at)
        if following < len(lines.starts) and lines.starts[following] >= at:
            line = self._text[lines.starts[following] : lines.ends[following]]
            if is_marked_caption(line):
                return caption_text(line) or None, self.license
        before = bisect_left(lines.starts, at) - 1
        if before >= 0 and lines.ends[before] <= at:
            line = self._text[lines.starts[before] : lines.ends[before]]
            if is_caption_of_next(line):
                return caption_text(line) or None, self.license
        return None, self.license

    def main_line(self, entry: int, caption: str | None) -> tuple[bool, int | None]:
        """Return whether an entry is in the main text, and the line that it follows."""
        lines, at = self._lines, self._places[entry]
        before = bisect_left(lines.starts, at) - 1
        following = bisect_right(lines.ends, at)
        if (
            caption is not None
            and following < len(lines.main)
            and lines.main[following] < 0
            and caption_text(self._text[lines.starts[following] : lines.ends[following]]) == caption
        ):
            following += 1
        line_before = lines.main[before] if before >= 0 else -1
        line_after = lines.main[following] if following < len(lines.main) else -1
        if line_before >= 0:
            return True, line_before
        if line_after >= 0:
            return True, line_after - 1
        return False, None
