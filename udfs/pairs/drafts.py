"""From the significant tags of a page to its image places, before their context is read.

Only entries that `udfs.pairs.plain_places` leaves are read here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from udfs.base.array_types import Int64Array
from udfs.pairs.addresses import BAD_JSON, IN_TEMPLATE, NO_ADDRESS, TOO_MANY, Base, base_of
from udfs.pairs.choice import (
    NOSCRIPT,
    Address,
    AddressLimits,
    Attributes,
    image_address,
    read_address,
    text_address,
)
from udfs.pairs.markup import (
    BASE,
    CSS,
    IMAGE,
    INPUT,
    LINK,
    META,
    NEAR,
    NUMBERS,
    SCRIPT,
    SOURCE,
    SVG_IMAGE,
    VIDEO,
    WEAK_SOURCES,
)
from udfs.pairs.page_scan import LINE_BREAK, Scan
from udfs.pairs.relations import (
    BEGIN,
    END,
    FIRST,
    FLAGS,
    IN_NOSCRIPT,
    IN_PICTURE,
    KIND,
    LAST,
    TEXT,
)
from udfs.pairs.relations import IN_TEMPLATE as TEMPLATE_FLAG
from udfs.pairs.rows import ENTRY
from udfs.pairs.structured import (
    META_ATTRIBUTES,
    META_PROPERTIES,
    SITE_NAMES,
    declared_pixels,
    json_ld_images,
)
from udfs.pairs.texts import attribute_value, is_caption_class, one_line

(
    _SRC, _ALT, _TITLE, _WIDTH, _HEIGHT, _HREF, _XLINK, _CLASS, _STYLE, _TYPE, _REL, _CONTENT,
    _ITEMPROP, _POSTER,
) = (
    NUMBERS[name]
    for name in (
        "src", "alt", "title", "width", "height", "href", "xlink:href", "class", "style", "type",
        "rel", "content", "itemprop", "poster",
    )
)  # fmt: skip
_NAMES = [NUMBERS[name] for name in ("property", "name", "itemprop")]
_WEAK = [NUMBERS[name] for name in WEAK_SOURCES]
_CSS_PARTS = re.compile(
    r"""([A-Za-z-]+)\s*:|url\(\s*(?:"([^"]*)"|'([^']*)'|([^)]*))\s*\)""", re.IGNORECASE
)
_GAP_BYTES, _BLANKS = 200, bytes([LINE_BREAK, *b" \t\n\f\r"])  # between an image and its noscript
_BACKGROUNDS = frozenset({"background", "background-image"})


@dataclass(slots=True)
class Draft:
    """An image place without its context.

    Attributes:
        order: Number of the entry that it was read from.
        entry: The same; None for what a head or a script states.
        alt: None without the attribute; "" where it is empty.
        caption: By JSON-LD.
        heading: Title of what the image shows, by JSON-LD.
        caption_entry: Entry of the tag after it whose class is one of captions.
        in_noscript: Whether it is in a noscript alone.
        is_merged: Whether it is of an image and of one in a noscript.
    """

    order: int
    entry: int | None
    address: Address
    alt: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    caption: str | None = None
    heading: str | None = None
    caption_entry: int | None = None
    in_noscript: bool = False
    is_merged: bool = False


@dataclass(slots=True)
class Drafts:
    """The image places of a page.

    Attributes:
        places: In page order.
        rejected: Places without a draft, by reason.
        site_name: As the page states it.
        captions: Entries of captions by the numbers of plain rows.
    """

    places: list[Draft] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    site_name: str | None = None
    captions: dict[int, int] = field(default_factory=dict)


def page_base(page: bytes, url: str | None, scan: Scan) -> Base:
    """Return the base of a page's addresses: its URL, or its first base element with an href."""
    for number in np.flatnonzero(scan.entries[:, KIND] == BASE).tolist():
        first, last = scan.entries[number, FIRST], scan.entries[number, LAST]
        for attribute, begin, end in scan.attributes[first:last].tolist():
            if attribute == _HREF:
                return base_of(url, attribute_value(page[begin:end]))
    return base_of(url, None)


@lru_cache(maxsize=4096)
def _has_caption_class(value: bytes) -> bool:
    return is_caption_class(value.decode("utf-8", "replace"))


class DraftReader:
    """Reads entries of a page's scan, one after the other."""

    def __init__(
        self,
        page: bytes,
        base: Base,
        scan: Scan,
        rows: Int64Array,
        max_images: int,
        limits: AddressLimits,
    ) -> None:
        """Begin a page.

        Args:
            rows: Of the places that are plain, in page order.
        """
        self.page, self.base, self.limits, self.max_images = page, base, limits, max_images
        self._scan, self._rows = scan, rows
        self._sources: dict[int, list[Attributes]] = {}
        self._image: Draft | None = None  # the last one of an element
        self._number = self._before = 0  # the entry, and the plain rows before it
        self._before_last = 0  # the plain rows before the last place that was added
        self.found = Drafts()
        if scan.too_many:
            self.found.rejected[TOO_MANY] += scan.too_many

    def read(self, others: Int64Array) -> Drafts:
        """Return the image places of entries; each is given with the number of plain rows before
        it, shape (entries, 2)."""
        if not len(others):
            return self.found
        entries = self._scan.entries[others[:, 0]].tolist()
        for (number, before), entry in zip(others.tolist(), entries, strict=True):
            self._number, self._before = number, before
            kind = entry[KIND]
            if kind == SCRIPT:
                self._read_script(entry)
                continue
            attributes = self._attributes(entry)
            if kind == IMAGE:
                self._read_image(number, entry, attributes)
            elif kind == SOURCE:
                self._sources.setdefault(entry[IN_PICTURE], []).append(attributes)
            elif kind == NEAR:
                self._read_near(number, attributes)
            elif kind == META:
                self._read_meta(attributes)
            elif kind == LINK:
                self._read_link(attributes)
            elif kind == CSS:
                self._read_style(number, entry, attributes)
            else:
                self._read_other(number, entry, attributes)
        return self.found

    def _attributes(self, entry: Sequence[int]) -> dict[int, bytes]:
        page = self.page
        rows = self._scan.attributes[entry[FIRST] : entry[LAST]].tolist()
        return {number: page[begin:end] for number, begin, end in rows}

    @cached_property
    def _src_counts(self) -> Counter[bytes]:
        """How many images have each src."""
        rows = self._scan.attributes.tolist()
        return Counter(
            self.page[begin:end]
            for entry in self._scan.entries.tolist()
            if entry[KIND] == IMAGE
            for number, begin, end in rows[entry[FIRST] : entry[LAST]]
            if number == _SRC
        )

    def _add(self, draft: Draft) -> None:
        """Add a place, or count it as one too many."""
        if self._before + len(self.found.places) >= self.max_images:
            self.found.rejected[TOO_MANY] += 1
            return
        if draft.entry is not None and self._scan.entries[draft.entry, FLAGS] & TEMPLATE_FLAG:
            draft.address.reason = IN_TEMPLATE
        self.found.places.append(draft)
        self._before_last = self._before

    @property
    def _last_place(self) -> Draft | None:
        """The last place of the page so far; None where it is a plain row."""
        places = self.found.places
        if not places:
            return None
        is_full = self._before_last + len(places) >= self.max_images
        return places[-1] if is_full or self._before == self._before_last else None

    def _read_image(self, number: int, entry: list[int], attributes: dict[int, bytes]) -> None:
        sources = self._sources.get(entry[IN_PICTURE], ())
        has_weak = any(number in attributes for number in _WEAK)
        counts = self._src_counts if has_weak else {}
        address = image_address(attributes, sources, self.base, self.limits, counts)
        draft = self._draft(number, address, attributes)
        draft.in_noscript = bool(entry[FLAGS] & IN_NOSCRIPT)
        if draft.in_noscript and draft.address.attribute is not None:
            draft.address.attribute = NOSCRIPT
        last = self._image
        if (
            last is not None
            and not last.is_merged  # a third one is another place
            and last.in_noscript != draft.in_noscript
            and last.entry is not None
            and self._are_adjacent(int(self._scan.entries[last.entry, TEXT]), entry[TEXT])
            and _is_twin(last, draft)
        ):
            _merge(last, draft)
            return
        self._add(draft)
        self._image = draft

    def _are_adjacent(self, first: int, second: int) -> bool:
        """Whether there are only spaces and line breaks between two places of the text."""
        if second - first > _GAP_BYTES:
            return False
        return not self._scan.text[first:second].tobytes().strip(_BLANKS)

    def _draft(self, number: int, address: Address, attributes: dict[int, bytes]) -> Draft:
        draft = Draft(number, number, address)
        if _ALT in attributes:
            draft.alt = one_line(attribute_value(attributes[_ALT]))
        if _TITLE in attributes:
            draft.title = one_line(attribute_value(attributes[_TITLE]))
        if _WIDTH in attributes:
            draft.width = declared_pixels(attributes[_WIDTH].decode("utf-8", "replace"))
        if _HEIGHT in attributes:
            draft.height = declared_pixels(attributes[_HEIGHT].decode("utf-8", "replace"))
        return draft

    def _read_near(self, number: int, attributes: dict[int, bytes]) -> None:
        if _CLASS not in attributes:
            return
        last = self._image
        row = self._before - 1
        if row >= 0 and (last is None or last.order < self._rows[row, ENTRY]):
            if row not in self.found.captions and _has_caption_class(attributes[_CLASS]):
                self.found.captions[row] = number
        elif (
            last is not None
            and last.caption_entry is None
            and _has_caption_class(attributes[_CLASS])
        ):
            last.caption_entry = number

    def _read_other(self, number: int, entry: list[int], attributes: dict[int, bytes]) -> None:
        """Read an input, a video, or an image in SVG."""
        kind = entry[KIND]
        if kind == INPUT:
            if attributes.get(_TYPE, b"").strip().lower() != b"image":
                return
            value, name = attributes.get(_SRC), "input"
        elif kind == VIDEO:
            value, name = attributes.get(_POSTER), "poster"
            if not value:
                return
        else:
            assert kind == SVG_IMAGE
            value, name = attributes.get(_HREF, attributes.get(_XLINK)), "svg"
        address = (
            Address(reason=NO_ADDRESS)
            if value is None
            else read_address(value, name, self.base, self.limits)
        )
        self._image = self._draft(number, address, attributes)
        self._add(self._image)

    def _read_style(self, number: int, entry: list[int], attributes: dict[int, bytes]) -> None:
        for value in backgrounds(attribute_value(attributes.get(_STYLE, b""))):
            address = text_address(value, "css", self.base, self.limits)
            self._image = self._draft(number, address, attributes)
            self._add(self._image)

    def _read_meta(self, attributes: dict[int, bytes]) -> None:
        content = attributes.get(_CONTENT)
        if content is None:
            return
        for number in _NAMES:
            if number not in attributes:
                continue
            name = attributes[number].decode("utf-8", "replace").strip().lower()
            if name in META_ATTRIBUTES:
                if name == "image" and number != _ITEMPROP:
                    continue
                address = read_address(content, META_ATTRIBUTES[name], self.base, self.limits)
                last = self._last_place
                if last is None or last.address != address or last.entry is not None:
                    self._add(Draft(self._number, None, address))
                return
            if name in META_PROPERTIES:
                self._describe(*META_PROPERTIES[name], one_line(attribute_value(content)))
                return
            if name in SITE_NAMES and self.found.site_name is None:
                self.found.site_name = one_line(attribute_value(content)) or None

    def _describe(self, attribute: str, what: str, value: str) -> None:
        """Add what a meta element says of the last image of its kind."""
        for draft in reversed(self.found.places):
            if draft.address.attribute == attribute:
                if what == "alt":
                    draft.alt = value
                elif what == "width":
                    draft.width = declared_pixels(value)
                else:
                    draft.height = declared_pixels(value)
                return

    def _read_link(self, attributes: dict[int, bytes]) -> None:
        rel = attributes.get(_REL, b"").lower().split()
        if b"image_src" not in rel and attributes.get(_ITEMPROP, b"").lower() != b"image":
            return
        if _HREF in attributes:
            address = read_address(attributes[_HREF], "link", self.base, self.limits)
            self._add(Draft(self._number, None, address))

    def _read_script(self, entry: list[int]) -> None:
        if b"ld+json" not in self._attributes(entry).get(_TYPE, b"").lower():
            return
        script = self.page[entry[BEGIN] : entry[END]]
        images = json_ld_images(script)
        if images is None:
            self.found.rejected[BAD_JSON] += b'"image"' in script
            return
        for image in images:
            address = text_address(image.address.strip(), "json-ld", self.base, self.limits)
            self._add(
                Draft(
                    self._number,
                    None,
                    address,
                    width=image.width,
                    height=image.height,
                    caption=None if image.caption is None else one_line(image.caption),
                    heading=None if image.title is None else one_line(image.title),
                )
            )


def backgrounds(style: str) -> Iterator[str]:
    """Yield the addresses of a style attribute's background images.

    >>> list(backgrounds("list-style:url(a.png);background:#fff url('b.png') no-repeat"))
    ['b.png']
    """
    is_background = False
    for part in _CSS_PARTS.finditer(style):
        if part[1] is not None:
            is_background = part[1].lower() in _BACKGROUNDS
        elif is_background:
            yield next(value for value in (part[2], part[3], part[4]) if value is not None).strip()


def _is_twin(last: Draft, draft: Draft) -> bool:
    """Whether an image and one in a noscript, without text between them, are the same place."""
    shown = last if draft.in_noscript else draft
    if shown.address.reason is not None:
        return True
    if last.address.url == draft.address.url:
        return last.address.url is not None
    return bool(last.alt) and last.alt == draft.alt


def _merge(last: Draft, draft: Draft) -> None:
    """Keep of two elements of one place the address that can be used, and every text."""
    if last.address.reason is not None or (last.in_noscript and draft.address.reason is None):
        last.address = draft.address if draft.address.reason is None else last.address
    if not last.alt and draft.alt is not None:
        last.alt = draft.alt
    last.title = last.title or draft.title
    last.width = draft.width if last.width is None else last.width
    last.height = draft.height if last.height is None else last.height
    last.in_noscript, last.is_merged = False, True
