"""Products as items of WebShop's file of products.

Source:
    princeton-nlp/WebShop, web_agent_site/engine/engine.py (the keys that it reads, and how).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from udfs.products.product import Attribute, Option, Product
from udfs.products.schema import PRODUCT_TYPE

WEBSHOP_LINES = "line string"
"""Schema of `webshop_lines`."""

ASIN_CHARS = 10
"""WebShop passes over items with a longer asin."""


def webshop_item(product: Product, doc_id: str, number: int) -> dict[str, Any] | None:
    """Return a product as WebShop reads it; None for one without an image, on which it fails.

    Its reader takes numbers of a price behind dollar signs alone, whatever the currency; that
    stands beside it under ``currency``. An asin has 50 bits of a hash of the document's id: among a
    million products two share one with a chance of 1 in 2,000, and WebShop keeps the first.

    Args:
        doc_id: Document of the page: 32 hex digits, or any other string.
        number: Of the product on its page, from 0.
    """
    if not product.images:
        return None
    prices = [price for price in (product.price, product.max_price) if price is not None]
    options: dict[str, list[dict[str, Any]]] = {}
    for option in product.options:
        options.setdefault(option.name, []).append({"value": option.value, "image": option.image})
    return {
        "asin": _asin(doc_id, number),
        "name": product.title,
        "category": product.category[0] if product.category else "",
        "query": product.category[-1] if product.category else "",
        "product_category": " › ".join(product.category),
        "full_description": product.description or "",
        "small_description": [f"{name}: {value}" for name, value in product.attributes],
        "pricing": " to ".join(f"${price:.2f}" for price in prices),
        "currency": product.currency,
        "customization_options": options,
        "images": product.images,
        "brand": product.brand,
        "average_rating": product.rating,
        "total_reviews": product.reviews,
        "product_information": dict(product.attributes),
        "doc_id": doc_id,
    }


def _asin(doc_id: str, number: int) -> str:
    digest = hashlib.blake2b(f"{number}:{doc_id}".encode(), digest_size=8).digest()
    return base64.b32encode(digest).decode()[:ASIN_CHARS]


def webshop_lines(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield rows of table ``products`` as JSON texts; for mapInArrow. Those without an image give
    none."""
    for batch in batches:
        lines = []
        for row in batch.to_pylist():
            item = webshop_item(_product(row), row["doc_id"], row["product"])
            if item is not None:
                lines.append(json.dumps(item, ensure_ascii=False))
        yield pa.RecordBatch.from_pydict({"line": pa.array(lines, pa.string())})


def _product(row: dict[str, Any]) -> Product:
    stated = {name: row[name] for name in PRODUCT_TYPE.fieldNames()}
    stated["attributes"] = [Attribute(**one) for one in stated["attributes"] or ()]
    stated["options"] = [Option(**one) for one in stated["options"] or ()]
    for name in ("category", "images"):
        stated[name] = stated[name] or []
    return Product(**stated)
