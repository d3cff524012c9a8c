"""Products of pages that shops write, beside extruct.

    python -m tests.bench.product_rates --extruct PYTHON [--pages 300] [--rounds 5]

Makes pages with one product each: JSON-LD, microdata or Open Graph alone, and all three, around
the same body; and as many pages that state none. Both programs read what the pages state; extruct
in an environment of its own (``pip install extruct``) with the same three syntaxes. Seconds are
those of the processor, of the best round.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from udfs.products.product import page_products

_CHARS = "木竹茶杯壶椅桌灯布纸笔书包鞋帽伞镜钟盒刀锅碗筷盘"
_BODY_LINES = 150

EXTRUCT = """
import json, sys, time
import extruct
pages = json.load(open(sys.argv[1], encoding="utf-8"))
best = 1e9
for _ in range(int(sys.argv[2])):
    started = time.process_time()
    stated = [extruct.extract(page, base_url="https://shop.example.cn/",
                              syntaxes=["json-ld", "microdata", "opengraph"]) for page in pages]
    best = min(best, time.process_time() - started)
def named(found):
    for one in found["json-ld"]:
        if one.get("@type") == "Product":
            return one["name"]
    for one in found["microdata"]:
        if one.get("type", "").endswith("/Product"):
            return one["properties"]["name"]
    for one in found["opengraph"]:
        pairs = dict(one["properties"])
        if pairs.get("og:type") == "product":
            return pairs["og:title"]
    return None
json.dump([best, [named(found) for found in stated]], sys.stdout)
"""


def made_up_page(number: int) -> str:
    """Return a page; the forms of its statement depend on its number, 0 of 5 for none."""
    draw = random.Random(number)
    title = "".join(draw.choices(_CHARS, k=8)) + str(number)
    price = f"{draw.randint(100, 99_999) / 100:.2f}"
    words = "".join(draw.choices(_CHARS, k=60))
    head, body = "", ""
    form = number % 5
    if form in (1, 4):
        stated = {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": title,
            "description": words,
            "image": [f"https://cdn.example.cn/{number}/{n}.jpg" for n in range(4)],
            "brand": {"@type": "Brand", "name": words[:4]},
            "offers": {"@type": "Offer", "price": price, "priceCurrency": "CNY"},
        }
        head += f'<script type="application/ld+json">{json.dumps(stated)}</script>'
    if form in (3, 4):
        head += (
            f'<meta property="og:type" content="product"><meta property="og:title" '
            f'content="{title}"><meta property="product:price:amount" content="{price}">'
        )
    if form in (2, 4):
        body = (
            '<div itemscope itemtype="https://schema.org/Product">'
            f'<h1 itemprop="name">{title}</h1><p itemprop="description">{words}</p>'
            '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
            '<meta itemprop="priceCurrency" content="CNY">'
            f'<b itemprop="price">{price}</b></div></div>'
        )
    lines = "".join(
        f'<div class="row"><a href="/{number}/{line}"><img src="/i/{line}.jpg" alt="{words[:6]}">'
        f"</a><span>{words[line % 40 : line % 40 + 12]}</span></div>"
        for line in range(_BODY_LINES)
    )
    return f"<html><head><title>{title}</title>{head}</head><body>{body}{lines}</body></html>"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extruct", required=True, help="Python of an environment with extruct")
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    pages = [made_up_page(number) for number in range(arguments.pages)]
    encoded = [page.encode() for page in pages]
    best = float("inf")
    for _ in range(arguments.rounds):
        started = time.process_time()
        found = [page_products(page, "https://shop.example.cn/").products for page in encoded]
        best = min(best, time.process_time() - started)
    names = [products[0].title if products else None for products in found]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pages.json"
        file.write_text(json.dumps(pages), encoding="utf-8")
        command = [arguments.extruct, "-c", EXTRUCT, str(file), str(arguments.rounds)]
        theirs_s, theirs = json.loads(
            subprocess.run(command, capture_output=True, check=True).stdout
        )
    count = len(pages)
    print("| program | pages a processor second | titles found | equal to the other's |")
    print("|---|---|---|---|")
    equal = sum(a == b for a, b in zip(names, theirs, strict=True))
    for name, seconds, titles in (("taojin", best, names), ("extruct", theirs_s, theirs)):
        print(f"| {name} | {count / seconds:,.0f} | {sum(map(bool, titles))} | {equal} |")
    print(f"\nratio {theirs_s / best:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
