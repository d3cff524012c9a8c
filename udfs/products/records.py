"""Products as the records that Arrow takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from udfs.products.product import Product


def product_record(product: Product) -> dict[str, Any]:
    """Return a product as Arrow takes it."""
    record = asdict(product)
    record["attributes"] = [attribute._asdict() for attribute in product.attributes]
    record["options"] = [option._asdict() for option in product.options]
    return record


def product_chars(product: Product) -> int:
    """Characters of a product's texts, about: bounds the batches that hold it."""
    texts = (product.title, product.description, *product.category, *product.images)
    inner = (value for pair in (*product.attributes, *product.options) for value in pair)
    return sum(len(text) for text in (*texts, *inner) if text)
