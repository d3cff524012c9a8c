"""Image places of real pages: counts, addresses, and the time beside two published rules.

    python -m tests.bench.pair_places --data DIR [--rounds 3]

DIR/extraction has pages, DIR/pairs/warc files with pages and their images. The plain twin walks the
tree that resiliparse makes of a page. OBELICS' order of attributes and cc2dataset's rule (an alt
that is not empty, src against the base element) are walked on the same tree; their times include
the parse, without which they cannot be.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from resiliparse.parse.html import HTMLTree

from tests.bench.timing import medians, pin_to_one_core, table
from udfs.charset.decode import decode
from udfs.html.page_text import HtmlLimits, extract_pages
from udfs.pairs.addresses import is_placeholder_name
from udfs.pairs.page_scan import scan_page
from udfs.pairs.places import PagePlaces, image_places
from udfs.warc.http_message import HttpError, decode_body, media_type, parse_response
from udfs.warc.reader import read_records
from udfs.warc.records import Damage

OBELICS_ORDER = (
    "src", "data-src", "data-src-fg", "data-scroll-image", "srcset", "data-lateloadsrc",
    "data-img-src", "data-original", "data-gt-lazy-src", "data-lazy", "data-lazy-src", "src2",
)  # fmt: skip
_LAZY = (
    "original", "data-original", "data-lazyload", "data-src", "data-actualsrc", "data-tb-lazyload",
)  # fmt: skip
_PAGE_URL = "http://unknown.invalid/a/page.html"  # of pages whose URL is not known


@dataclass(frozen=True)
class BenchPage:
    """A page as UTF-8; `is_known` says whether its URL is."""

    name: str
    url: str
    is_known: bool
    html: bytes
    text: str


@dataclass(frozen=True)
class ImageTag:
    """An img element with all its attributes."""

    attributes: dict[str, str]

    @property
    def src(self) -> str:
        return self.attributes.get("src", "").strip()


def bench_pages(data: Path) -> list[BenchPage]:
    """All pages of DIR/extraction with their main texts."""
    folder = data / "extraction"
    with gzip.open(folder / "pages.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    pages = [decode((folder / row["html"]).read_bytes(), None).text.encode() for row in rows]
    texts = extract_pages(pages, HtmlLimits())
    return [
        BenchPage(
            row["id"],
            row["url"] or _PAGE_URL,
            row["url"] is not None,
            page,
            "" if isinstance(text, str) else text.text,
        )
        for row, page, text in zip(rows, pages, texts, strict=True)
    ]


def elements(tree: HTMLTree, name: str) -> Sequence[Any]:
    """The elements of a tree with a name."""
    document: Any = tree.document
    return [] if document is None else document.get_elements_by_tag_name(name)


def image_tags(page: bytes) -> tuple[list[ImageTag], str | None]:
    """The img elements of a page, and the href of its base element."""
    tree = HTMLTree.parse_from_bytes(page, "utf-8")
    images = [
        ImageTag({name: node.getattr(name) or "" for name in node.attrs})
        for node in elements(tree, "img")
    ]
    bases = [
        node.getattr("href") for node in elements(tree, "base") if node.getattr("href") is not None
    ]
    return images, bases[0] if bases else None


def placeholders(images: Sequence[ImageTag]) -> list[bool]:
    """Whether the src of each image of a page is a placeholder for a lazy attribute."""
    lazies: dict[str, set[str]] = {}
    for image in images:
        for name in _LAZY:
            if name in image.attributes:
                lazies.setdefault(image.src, set()).add(image.attributes[name].strip())
    return [
        bool(image.src)
        and any(image.attributes.get(name, image.src).strip() != image.src for name in _LAZY)
        and (
            image.src.startswith("data:")
            or len(lazies.get(image.src, ())) > 1
            or is_placeholder_name(image.src)
        )
        for image in images
    ]


def obelics_source(image: ImageTag) -> str | None:
    """The address that OBELICS takes: the first attribute without a comma or a space."""
    for name in OBELICS_ORDER:
        value = image.attributes.get(name)
        if value and "," not in value and " " not in value:
            return value
    return None


def obelics_rule(page: bytes) -> list[tuple[str, str]]:
    """Address and alt of each image by OBELICS' order, walked from Python."""
    tree = HTMLTree.parse_from_bytes(page, "utf-8")
    found = []
    for node in elements(tree, "img"):
        for name in OBELICS_ORDER:
            value = node.getattr(name)
            if value and "," not in value and " " not in value:
                found.append((value, node.getattr("alt") or ""))
                break
    return found


def cc2dataset_rule(page: bytes, url: str) -> list[tuple[str, str, str]]:
    """Identifier, address and alt of each image with both, by cc2dataset's rule."""
    tree = HTMLTree.parse_from_bytes(page, "utf-8")
    bases = elements(tree, "base")
    base = urljoin(url, bases[0].getattr("href") or "") if bases else url
    found = []
    for node in elements(tree, "img"):
        alt, source = node.getattr("alt"), node.getattr("src")
        if alt and source:
            try:
                address = urljoin(base, source)
            except ValueError:
                continue
            if address.startswith(("http://", "https://")):
                uid = hashlib.md5(f"{alt}{address}".encode()).hexdigest()
                found.append((uid, address, alt))
    return found


def print_counts(pages: Sequence[BenchPage]) -> None:
    """Print what img elements the pages have, and what becomes of them."""
    tags = alts = empty = lazy = shown_placeholders = obelics = chosen = 0
    attributes: Counter[str] = Counter()
    for page in pages:
        images, _ = image_tags(page.html)
        flags = placeholders(images)
        hidden = {
            urljoin(page.url, image.src) for image, flag in zip(images, flags, strict=True) if flag
        }
        tags += len(images)
        alts += sum("alt" not in image.attributes for image in images)
        empty += sum(image.attributes.get("alt", "x") == "" for image in images)
        for image in images:
            attributes.update(name for name in _LAZY if name in image.attributes)
        lazy += sum(any(name in image.attributes for name in _LAZY) for image in images)
        shown_placeholders += sum(flags)
        obelics += sum(
            flag and obelics_source(image) == image.attributes["src"]
            for image, flag in zip(images, flags, strict=True)
        )
        places = image_places(page.html, page.url, page.text)
        chosen += sum(row.url in hidden for row in places.rows)
    rows = [
        ["img elements", str(tags)],
        ["alt absent", f"{alts} ({alts / tags:.1%})"],
        ["alt empty", f"{empty} ({empty / tags:.1%})"],
        ["with lazy attributes", str(lazy)],
        *([name, str(attributes[name])] for name in _LAZY),
        ["src a placeholder for one", str(shown_placeholders)],
        ["placeholders taken by OBELICS' order", str(obelics)],
        ["placeholders taken by this project", str(chosen)],
    ]
    print(table(["131 Chinese pages", "number"], rows))


def print_places(pages: Sequence[BenchPage]) -> None:
    """Print places by attribute, rejections by reason, and texts by source."""
    found = [image_places(page.html, page.url, page.text) for page in pages]
    rows = [row for places in found for row in places.rows]
    rejected: Counter[str] = Counter()
    for places in found:
        rejected.update(places.rejected)
    print(f"\nplaces {sum(p.seen for p in found)}, rows {len(rows)}, rejected {dict(rejected)}")
    print("attributes", dict(Counter(row.attribute for row in rows).most_common()))
    print("texts", dict(Counter(row.text_source for row in rows).most_common()))
    print(
        f"captions {sum(row.caption is not None for row in rows)}, "
        f"in main text {sum(row.in_main for row in rows)}, "
        f"in a link {sum(row.link is not None for row in rows)}"
    )


def print_addresses(pages: Sequence[BenchPage]) -> None:
    """Compare the address of every src and lazy attribute that was taken with urljoin's."""
    equal = relative = 0
    wrong: list[tuple[str, str, str | None]] = []
    for page in pages:
        _, base_href = image_tags(page.html)
        base = urljoin(page.url, base_href or "")
        for row in image_places(page.html, page.url, page.text).rows:
            if row.url is None:
                continue
            expected = urljoin(base, row.url_written)
            relative += not row.url_written.startswith(("http:", "https:"))
            equal += row.url == expected
            if row.url != expected:
                wrong.append((page.name, row.url_written, row.url))
    print(f"\naddresses equal to urljoin's {equal}, of these relative {relative}; other {wrong}")


def print_times(pages: Sequence[BenchPage], rounds: int) -> None:
    """Print the time a page of the scan, of the places, and of the two rules."""
    functions = {
        "taojin: scan": lambda: [scan_page(page.html, 1000) for page in pages],
        "taojin: places with texts and context": lambda: [
            image_places(page.html, page.url, page.text) for page in pages
        ],
        "resiliparse: parse alone": lambda: [
            HTMLTree.parse_from_bytes(page.html, "utf-8") for page in pages
        ],
        "OBELICS' order of attributes": lambda: [obelics_rule(page.html) for page in pages],
        "cc2dataset's rule": lambda: [cc2dataset_rule(page.html, page.url) for page in pages],
    }
    seconds = medians(functions, rounds)
    print()
    print(
        table(
            ["", "ms for all pages", "microseconds a page"],
            [
                [name, f"{1e3 * time:.1f}", f"{1e6 * time / len(pages):.0f}"]
                for name, time in seconds.items()
            ],
        )
    )


@dataclass
class WarcCounts:
    """Images of a file's pages, and how many of them the file has."""

    images: int = 0
    found: int = 0
    rows: int = 0
    rows_found: int = 0


def warc_counts(path: Path) -> tuple[WarcCounts, set[tuple[str, str]]]:
    """Counts of a file, and its distinct pairs of an image in the file and an alt."""
    urls: set[str] = set()
    pages: list[tuple[str, bytes]] = []
    for url, status, media, body in _captures(path):
        if status == 200:
            urls.add(_normal(url))
        if media in ("text/html", "application/xhtml+xml"):
            pages.append((url, decode(body, None).text.encode("utf-8", "replace")))
    counts, pairs = WarcCounts(), set()
    for url, page in pages:
        images, base_href = image_tags(page)
        base = urljoin(url, base_href or "")
        counts.images += len(images)
        counts.found += sum(
            bool(image.src) and _normal(urljoin(base, image.src)) in urls for image in images
        )
        places: PagePlaces = image_places(page, url, "")
        for row in places.rows:
            counts.rows += 1
            if row.url is not None and _normal(row.url) in urls:
                counts.rows_found += 1
                if row.alt:
                    pairs.add((row.url, row.alt))
    return counts, pairs


def _captures(path: Path) -> Iterator[tuple[str, int, str, bytes]]:
    """URL, status, media type and body of each response of a file."""
    with path.open("rb") as file:
        for record in read_records(file):
            if isinstance(record, Damage) or record.record_type not in ("response", "resource"):
                continue
            url = record.headers.get("warc-target-uri")
            try:
                response = parse_response(record.data, record.start, record.end)
                if url is None:
                    continue
                body = decode_body(response, 64 << 20).data
            except HttpError:
                continue
            yield url, response.status, media_type(response.field("content-type") or "")[0], body


def _normal(url: str) -> str:
    """An address without its fragment, with what writers of WARC files escape."""
    return quote(url.partition("#")[0], safe="%/:=&?~#+!$,;'@()*[]|")


def print_warcs(folder: Path) -> None:
    """Print for each file how many of its pages' images it has."""
    rows = []
    for path in sorted(folder.iterdir()):
        counts, pairs = warc_counts(path)
        rows.append(
            [
                path.name,
                str(counts.images),
                str(counts.found),
                str(counts.rows),
                str(counts.rows_found),
                str(len(pairs)),
            ]
        )
    print()
    print(
        table(
            ["file", "img", "src in the file", "rows", "rows in the file", "distinct pairs"], rows
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    pin_to_one_core()
    pages = bench_pages(options.data)
    print_counts(pages)
    print_places(pages)
    print_addresses(pages)
    print_warcs(options.data / "pairs" / "warc")
    print_times(pages, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
