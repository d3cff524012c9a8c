"""Chinese pages whose main text is known, and how near an extracted text comes to it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from udfs.charset.decode import decode

_GRAM = 4


@dataclass(frozen=True)
class GoldPage:
    """A page, decoded, and its main text as somebody marked it. `site` is its domain."""

    name: str
    site: str
    html: str
    gold: str


def gold_pages(data: Path) -> list[GoldPage]:
    """The pages of DIR/extraction whose main text a reader marked."""
    folder = data / "extraction"
    pages = []
    with gzip.open(folder / "pages.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["gold_kind"] == "gold":
                html = decode((folder / row["html"]).read_bytes(), None).text
                pages.append(GoldPage(row["id"], row["site"], html, row["gold"]))
    return pages


def grams(text: str) -> Counter[str]:
    """The character 4-grams of a text without its whitespace, each as often as it occurs."""
    text = "".join(text.split())
    return Counter(
        text[at : at + _GRAM] for at in range(max(len(text) - _GRAM + 1, min(len(text), 1)))
    )


def scores(text: str, gold: Counter[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of a text's 4-grams against those of the known text.

    All are 1 where neither has a character.
    """
    found = grams(text)
    if not found and not gold:
        return 1.0, 1.0, 1.0
    common = sum((found & gold).values())
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / found.total(), common / gold.total()
    return precision, recall, 2 * precision * recall / (precision + recall)


def mean_scores(found: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Means over pages."""
    precision, recall, f1 = (sum(column) / len(found) for column in zip(*found, strict=True))
    return precision, recall, f1
