"""Products of a page, from nodes of schema.org and from Open Graph.

A page may state one product in several forms; they become one row, the first form's statements
first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from html import unescape
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from udfs.html.head import meta_elements
from udfs.products.microdata import may_have_products, microdata_nodes
from udfs.products.nodes import (
    Node,
    first_text,
    inner_nodes,
    json_ld_nodes,
    may_state,
    of_type,
    short_name,
)
from udfs.products.prices import currency_of, numbers_of

JSON_LD, MICRODATA, OPEN_GRAPH = "json-ld", "microdata", "open-graph"

MAX_PRODUCTS = 500
"""Products of a page that become rows; the others are counted."""
MAX_TITLE_CHARS, MAX_TEXT_CHARS, MAX_URL_CHARS = 1_000, 20_000, 4_096
MAX_ITEMS = 200
_HEAD_BYTES = 128 << 10  # of which `meta_elements` reads 64 Ki characters at most
"""Images, attributes and options of a product that are kept."""

_PRODUCTS: Final = frozenset({"Product", "ProductGroup", "ProductModel", "IndividualProduct"})
_WORD = b"Product"  # in the type of all of them
_INNER: Final = ("hasVariant", "model")
_OF_OTHERS: Final = (
    "isRelatedTo", "isSimilarTo", "isAccessoryOrSparePartFor", "isConsumableFor", "isVariantOf",
)  # fmt: skip
_ATTRIBUTES: Final = ("color", "size", "material", "pattern", "model", "weight", "mpn")
_OPTIONS: Final = ("color", "size", "material", "pattern")
_PRICES: Final = ("price", "lowPrice", "highPrice", "minPrice", "maxPrice")
_META: Final = frozenset(
    {
        "og:type", "og:title", "og:description", "og:image", "og:price:amount",
        "og:price:currency", "product:price:amount", "product:price:currency", "product:brand",
        "product:category", "product:availability", "product:retailer_item_id",
    }
)  # fmt: skip

_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,1000}>")
_SPACES = re.compile(r"\s+")
_PATH_MARKS = re.compile(r"\s*[>›»]\s*|\s+[/|]\s+")  # a bare slash is part of a name (T恤/背心)


class Attribute(NamedTuple):
    """A property of a product."""

    name: str
    value: str


class Option(NamedTuple):
    """A value that a buyer can choose."""

    name: str  # color, size, ...
    value: str
    image: str | None


@dataclass(slots=True)
class Product:
    """A product as a page states it; null or empty for what it does not state.

    Attributes:
        source: Form of the first statement: json-ld, microdata or open-graph.
        price: Lowest price that is stated.
        max_price: Highest one, where several are stated; else null.
        currency: Code of ISO 4217.
        availability: As schema.org names it: InStock, OutOfStock, ...
        category: Path from the widest to the narrowest.
        rating: Mean rating, out of `best_rating`.
        images: Absolute addresses, as far as the page's address is known.
    """

    source: str
    title: str
    description: str | None = None
    price: float | None = None
    max_price: float | None = None
    currency: str | None = None
    availability: str | None = None
    brand: str | None = None
    sku: str | None = None
    gtin: str | None = None
    category: list[str] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    rating: float | None = None
    best_rating: float | None = None
    reviews: int | None = None


class PageProducts(NamedTuple):
    """Products of a page, and what of its statements gave none, by reason.

    Reasons: bad_json, block_too_large, too_many_nodes (of a script); no_title, too_many_products
    (of a product).
    """

    products: list[Product]
    rejected: dict[str, int]


def may_state_products(page: bytes) -> bool:
    """Whether a page may state a product; False for nearly all pages, by a search of its bytes."""
    if may_state(page, _WORD) or may_have_products(page):
        return True
    return b"product:" in page or (b"og:type" in page and b"product" in page)


def page_products(page: bytes, url: str | None) -> PageProducts:
    """Return the products that a page states.

    Args:
        page: UTF-8, within the limits of `udfs.html.page_text.HtmlLimits`.
        url: The page's address; null where it is not known.
    """
    rejected: Counter[str] = Counter()
    if not may_state_products(page):
        return PageProducts([], {})
    found: list[Product] = []
    for source, nodes in _statements(page, rejected):
        path = _breadcrumbs(nodes)
        for node in _own_products(nodes):
            product = _product(node, source, url)
            if product is None:
                rejected["no_title"] += 1
            else:
                product.category = product.category or [
                    name for name in path if name != product.title
                ]
                _add(product, found, rejected)
    stated = _open_graph(page[:_HEAD_BYTES].decode("utf-8", "replace"), url)
    # One product of a page is what its head describes; among several nobody knows which.
    if stated is not None and len(found) == 1:
        _complete(found[0], stated)
    elif stated is not None and not found:
        found.append(stated)
    return PageProducts(found, dict(rejected))


def _statements(page: bytes, rejected: Counter[str]) -> Iterator[tuple[str, list[Node]]]:
    if may_state(page, _WORD):
        stated = json_ld_nodes(page)
        rejected.update(stated.failures)
        yield JSON_LD, stated.nodes
    if may_have_products(page):
        yield MICRODATA, microdata_nodes(page)


def _own_products(nodes: Sequence[Node]) -> list[Node]:
    """Return the products that are no variant of another one, and not named as like another."""
    products = of_type(nodes, _PRODUCTS)
    inner = {id(inner) for node in products for inner in inner_nodes(node, *_INNER, *_OF_OTHERS)}
    return [node for node in products if id(node) not in inner]


def _add(product: Product, found: list[Product], rejected: Counter[str]) -> None:
    """Add a product, or complete the equal one of another form or block."""
    for earlier in found:
        if earlier.title == product.title and (
            earlier.sku == product.sku or None in (earlier.sku, product.sku)
        ):
            _complete(earlier, product)
            return
    if len(found) == MAX_PRODUCTS:
        rejected["too_many_products"] += 1
    else:
        found.append(product)


def _complete(product: Product, other: Product) -> None:
    """Take from another statement what a product lacks. A price and its currency stay together."""
    priced = product.price is not None
    for name in (column.name for column in fields(product)):
        if name in ("max_price", "currency") and priced and product.currency is not None:
            continue
        if getattr(product, name) in (None, []):
            setattr(product, name, getattr(other, name))


def _product(node: Node, source: str, url: str | None) -> Product | None:
    """Return the product of a node; None without a name."""
    title = clean(first_text(node, "name", "title"), MAX_TITLE_CHARS)
    if title is None:
        return None
    product = Product(source, title)
    product.description = clean(first_text(node, "description"), MAX_TEXT_CHARS)
    product.brand = _name_of(node, "brand", "manufacturer")
    product.sku = clean(first_text(node, "sku", "productID", "productGroupID"), MAX_TITLE_CHARS)
    product.gtin = clean(
        first_text(node, "gtin13", "gtin", "gtin14", "gtin12", "gtin8"), MAX_TITLE_CHARS
    )
    product.category = _category(node)
    product.attributes = _attributes(node)
    product.images = _images(node, url)
    variants = of_type(inner_nodes(node, *_INNER), _PRODUCTS)
    product.options = _options(variants, url)
    offers = inner_nodes(node, "offers")
    for variant in variants:
        offers += inner_nodes(variant, "offers")
    _set_price(product, offers)
    _set_rating(product, inner_nodes(node, "aggregateRating"))
    return product


def _set_price(product: Product, offers: Sequence[Node]) -> None:
    """Set price, currency and availability from offers; those in another currency do not count."""
    prices: list[float] = []
    for offer in _with_inner_offers(offers):
        priced = [offer, *inner_nodes(offer, "priceSpecification")]
        for node in priced:
            written = [
                first_text(node, key) for key in ("price", "lowPrice", "highPrice", "minPrice")
            ]
            numbers = [number for text in written if text for number in numbers_of(text)]
            currency = currency_of(
                first_text(node, "priceCurrency") or first_text(offer, "priceCurrency"),
                next((text for text in written if text), None),
            )
            if numbers and (not prices or currency == product.currency):
                product.currency = currency
                prices += numbers
            if numbers:
                break  # a specification repeats the offer's price
        availability = first_text(offer, "availability")
        if availability is not None and product.availability is None:
            product.availability = short_name(availability)[:MAX_TITLE_CHARS]
    if prices:
        product.price = min(prices)
        product.max_price = max(prices) if max(prices) > min(prices) else None


def _with_inner_offers(offers: Sequence[Node]) -> Iterator[Node]:
    for offer in offers[:MAX_ITEMS]:
        yield offer
        yield from inner_nodes(offer, "offers")[:MAX_ITEMS]


def _set_rating(product: Product, ratings: Sequence[Node]) -> None:
    for node in ratings[:1]:
        value = numbers_of(first_text(node, "ratingValue") or "")
        best = numbers_of(first_text(node, "bestRating") or "")
        count = numbers_of(first_text(node, "reviewCount", "ratingCount") or "")
        product.rating = value[0] if value else None
        product.best_rating = best[0] if best else None
        product.reviews = int(count[0]) if count else None


def _attributes(node: Node) -> list[Attribute]:
    found = []
    for key in _ATTRIBUTES:
        value = _name_of(node, key)
        if value is not None:
            found.append(Attribute(key, value))
    for stated in inner_nodes(node, "additionalProperty"):
        name = clean(first_text(stated, "name", "propertyID"), MAX_TITLE_CHARS)
        value = clean(first_text(stated, "value"), MAX_TITLE_CHARS)
        unit = clean(first_text(stated, "unitText"), MAX_TITLE_CHARS)
        if name is not None and value is not None:
            found.append(Attribute(name, value if unit is None else f"{value} {unit}"))
    return list(dict.fromkeys(found))[:MAX_ITEMS]


def _options(variants: Sequence[Node], url: str | None) -> list[Option]:
    """Return each value of each property in which variants differ, with its first image."""
    found: dict[tuple[str, str], Option] = {}
    for variant in variants:
        images = _images(variant, url)
        for key in _OPTIONS:
            value = _name_of(variant, key)
            if value is not None:
                option = Option(key, value, images[0] if images else None)
                found.setdefault((key, value), option)
    return list(found.values())[:MAX_ITEMS]


def _category(node: Node) -> list[str]:
    """Return the path of the first category; several strings that have no marks are one path."""
    stated = [value for value in node.get("category", ()) if isinstance(value, str)]
    named = [first_text(inner, "name") for inner in inner_nodes(node, "category")]
    paths = [
        [part for part in _PATH_MARKS.split(clean(text, MAX_TITLE_CHARS) or "") if part]
        for text in (*stated, *(name for name in named if name))
    ]
    if all(len(path) <= 1 for path in paths):
        return [part for path in paths for part in path][:MAX_ITEMS]
    return max(paths, key=len)[:MAX_ITEMS]


def _breadcrumbs(nodes: Sequence[Node]) -> list[str]:
    """Return the names of a page's breadcrumbs by position, without the site's front page."""
    for crumbs in of_type(nodes, frozenset({"BreadcrumbList"})):
        placed = []
        for number, item in enumerate(inner_nodes(crumbs, "itemListElement")):
            position = numbers_of(first_text(item, "position") or "")
            inner = inner_nodes(item, "item")
            name = first_text(item, "name") or (first_text(inner[0], "name") if inner else None)
            title = clean(name, MAX_TITLE_CHARS)
            if title is not None:
                placed.append((position[0] if position else float(number), number, title))
        return [name for _, _, name in sorted(placed)][1:][:MAX_ITEMS]
    return []


def _images(node: Node, url: str | None) -> list[str]:
    written: list[str] = []
    for value in node.get("image", ()):
        if isinstance(value, str):
            written.append(value)
        else:
            address = first_text(value, "contentUrl", "url", "@id")
            if address is not None:
                written.append(address)
    return _addresses(written, url)


def _addresses(written: Iterable[str], url: str | None) -> list[str]:
    """Return absolute http addresses, each once; without a page's address those that are so."""
    found = []
    for text in written:
        text = unescape(text).strip()
        try:
            address = urljoin(url, text) if url else text
            is_http = urlsplit(address).scheme in ("http", "https")
        except ValueError:  # a broken IPv6 bracket
            continue
        if is_http and len(address) <= MAX_URL_CHARS:
            found.append(address)
    return list(dict.fromkeys(found))[:MAX_ITEMS]


def _name_of(node: Node, *keys: str) -> str | None:
    """Return a property that is a string or a thing with a name or value."""
    for key in keys:
        for value in node.get(key, ()):
            text = value if isinstance(value, str) else first_text(value, "name", "value")
            cleaned = clean(text, MAX_TITLE_CHARS)
            if cleaned is not None:
                return cleaned
    return None


def _open_graph(html: str, url: str | None) -> Product | None:
    """Return the product that a page's head describes; None where that is no product."""
    stated: dict[str, list[str]] = {}
    for name, content in meta_elements(html, _META):
        stated.setdefault(name, []).append(content)

    def first(*names: str) -> str | None:
        return next((stated[name][0] for name in names if name in stated), None)

    price = first("product:price:amount", "og:price:amount")
    kind = first("og:type") or ""
    if not (kind in ("product", "og:product") or kind.startswith("product.") or price):
        return None
    title = clean(first("og:title"), MAX_TITLE_CHARS)
    if title is None:
        return None
    numbers = numbers_of(price or "")
    category = clean(first("product:category"), MAX_TITLE_CHARS)
    availability = clean(first("product:availability"), MAX_TITLE_CHARS)
    return Product(
        OPEN_GRAPH,
        title,
        description=clean(first("og:description"), MAX_TEXT_CHARS),
        price=numbers[0] if numbers else None,
        currency=currency_of(first("product:price:currency", "og:price:currency"), price)
        if numbers
        else None,
        availability=_AVAILABILITY.get((availability or "").lower(), availability),
        brand=clean(first("product:brand"), MAX_TITLE_CHARS),
        sku=clean(first("product:retailer_item_id"), MAX_TITLE_CHARS),
        category=[part for part in _PATH_MARKS.split(category or "") if part],
        images=_addresses(stated.get("og:image", ()), url),
    )


_AVAILABILITY: Final = {
    "instock": "InStock",
    "in stock": "InStock",
    "oos": "OutOfStock",
    "out of stock": "OutOfStock",
    "preorder": "PreOrder",
    "available for order": "BackOrder",
    "discontinued": "Discontinued",
}
"""Open Graph's words for schema.org's."""


def clean(text: str | None, max_chars: int) -> str | None:
    """Return a text without tags, references and repeated spaces; null where nothing is left."""
    if text is None:
        return None
    text = text[: 4 * max_chars]
    if "&" in text:
        text = unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    return _SPACES.sub(" ", text).strip()[:max_chars] or None
