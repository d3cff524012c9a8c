"""Products of own-made pages in JSON-LD, microdata and Open Graph."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql.pandas.types import from_arrow_type

from udfs.products.product import (
    MAX_PRODUCTS,
    MICRODATA,
    OPEN_GRAPH,
    Attribute,
    Option,
    page_products,
)
from udfs.products.records import product_record
from udfs.products.schema import PRODUCT_ARROW_TYPE, PRODUCT_TYPE
from udfs.products.webshop import ASIN_CHARS, webshop_item

URL = "https://shop.example.cn/goods/7.html"


def script(*blocks: Any) -> bytes:
    written = [block if isinstance(block, str) else json.dumps(block) for block in blocks]
    scripts = "".join(f'<script type="application/ld+json">{block}</script>' for block in written)
    return f"<html><head>{scripts}</head><body>商品 Product</body></html>".encode()


KETTLE = {
    "@context": "https://schema.org/",
    "@type": "Product",
    "name": "保温壶 &amp; 茶杯",
    "description": "<p>双层不锈钢，<b>保温</b>十二小时。</p>",
    "image": ["/img/a.jpg", {"@type": "ImageObject", "contentUrl": "//cdn.example.cn/b.jpg"}],
    "brand": {"@id": "#brand"},
    "sku": "K-7",
    "gtin13": "6901234567892",
    "color": "银色",
    "category": "厨房 > 水具 > 保温壶",
    "additionalProperty": [
        {"@type": "PropertyValue", "name": "容量", "value": 1.5, "unitText": "升"}
    ],
    "offers": {
        "@type": "Offer",
        "price": "1,299.00",
        "priceCurrency": "CNY",
        "availability": "https://schema.org/InStock",
    },
    "aggregateRating": {"ratingValue": "4.6", "bestRating": 5, "reviewCount": "1,204"},
    "isRelatedTo": {"@type": "Product", "name": "别的商品"},
}


def test_json_ld() -> None:
    brand = {"@type": "Brand", "@id": "#brand", "name": "山泉"}
    [product], rejected = page_products(script({"@graph": [KETTLE, brand]}), URL)
    assert rejected == {}
    assert product.title == "保温壶 & 茶杯"
    assert product.description == "双层不锈钢， 保温 十二小时。"
    assert (product.price, product.max_price, product.currency) == (1299.0, None, "CNY")
    assert product.availability == "InStock"
    assert (product.brand, product.sku, product.gtin) == ("山泉", "K-7", "6901234567892")
    assert product.category == ["厨房", "水具", "保温壶"]
    assert product.attributes == [Attribute("color", "银色"), Attribute("容量", "1.5 升")]
    assert product.images == ["https://shop.example.cn/img/a.jpg", "https://cdn.example.cn/b.jpg"]
    assert (product.rating, product.best_rating, product.reviews) == (4.6, 5.0, 1204)


def test_variants_are_options_of_one_product() -> None:
    variants = [
        {
            "@type": "Product",
            "name": f"衬衫 {color}{size}",
            "color": color,
            "size": size,
            "image": f"/{color}.jpg",
            "offers": {"price": price, "priceCurrency": "CNY"},
        }
        for color, size, price in [("白", "M", 88), ("白", "L", 98), ("蓝", "M", 92.5)]
    ]
    group = {"@type": "http://schema.org/ProductGroup", "name": "衬衫", "hasVariant": variants}
    [product], _ = page_products(script(group), URL)
    assert (product.title, product.price, product.max_price) == ("衬衫", 88.0, 98.0)
    assert product.options == [
        Option("color", "白", "https://shop.example.cn/白.jpg"),
        Option("size", "M", "https://shop.example.cn/白.jpg"),
        Option("size", "L", "https://shop.example.cn/白.jpg"),
        Option("color", "蓝", "https://shop.example.cn/蓝.jpg"),
    ]


def test_offers_in_another_currency_do_not_count() -> None:
    offers = [
        {"@type": "AggregateOffer", "lowPrice": 10, "highPrice": "12", "priceCurrency": "CNY"},
        {"@type": "Offer", "price": "2", "priceCurrency": "USD"},
        {"@type": "Offer", "priceSpecification": {"price": 9, "priceCurrency": "CNY"}},
    ]
    [product], _ = page_products(script({"@type": "Product", "name": "笔", "offers": offers}), URL)
    assert (product.price, product.max_price, product.currency) == (9.0, 12.0, "CNY")


def test_breadcrumbs_are_the_category_of_a_product_without_one() -> None:
    crumbs = {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": 3, "name": "笔"},
            {"@type": "ListItem", "position": 1, "name": "首页"},
            {"@type": "ListItem", "position": 2, "item": {"@id": "/c", "name": "文具"}},
        ],
    }
    [product], _ = page_products(script(crumbs, {"@type": ["Product"], "name": "笔"}), URL)
    assert product.category == ["文具"]


MICRODATA_PAGE = """<html><body><p>前</p>
<div itemscope itemtype="http://schema.org/Product" itemref="rest">
  <h1 itemprop="name">  竹 椅 </h1><img itemprop="image" src="../chair.webp">
  <div itemprop="offers" itemscope itemtype="http://schema.org/Offer">
    <meta itemprop="priceCurrency" content="CNY">
    <span itemprop="price" content="359.00">￥359</span>
    <link itemprop="availability" href="http://schema.org/OutOfStock">
  </div>
  <div itemprop="isSimilarTo" itemscope itemtype="http://schema.org/Product">
    <span itemprop="name">木椅</span></div>
</div><div id="rest"><span itemprop="brand">青竹</span>
<p itemprop="description">一把椅子。</p></div>
</body></html>"""


def test_microdata() -> None:
    [product], _ = page_products(MICRODATA_PAGE.encode(), URL)
    assert (product.source, product.title, product.brand) == (MICRODATA, "竹 椅", "青竹")
    assert (product.price, product.currency) == (359.0, "CNY")
    assert product.availability == "OutOfStock"
    assert product.description == "一把椅子。"
    assert product.images == ["https://shop.example.cn/chair.webp"]


def test_open_graph_completes_the_one_product_of_a_page() -> None:
    head = (
        '<meta property="og:type" content="product"><meta property="og:title" content="茶">'
        '<meta property="og:image" content="/tea.jpg">'
        '<meta property="product:price:amount" content="45.5">'
        '<meta property="product:price:currency" content="cny">'
        '<meta property="product:availability" content="in stock">'
    )
    alone = f"<html><head>{head}</head></html>".encode()
    [product], _ = page_products(alone, URL)
    assert (product.source, product.title, product.price) == (OPEN_GRAPH, "茶", 45.5)
    assert (product.currency, product.availability) == ("CNY", "InStock")
    # Its price may be of another day: what the product itself states counts.
    stated = {"@type": "Product", "name": "绿茶", "offers": {"price": 50, "priceCurrency": "CNY"}}
    [completed], _ = page_products(
        script(stated).replace(b"<head>", b"<head>" + head.encode()), URL
    )
    assert (completed.title, completed.price) == ("绿茶", 50.0)
    assert completed.images == ["https://shop.example.cn/tea.jpg"]


def test_one_product_in_two_forms_is_one_row() -> None:
    stated = {"@type": "Product", "name": "竹 椅", "sku": "C1"}
    page = MICRODATA_PAGE.replace("<p>前</p>", script(stated).decode()).encode()
    [product], _ = page_products(page, URL)
    assert (product.source, product.sku, product.price) == ("json-ld", "C1", 359.0)


@pytest.mark.parametrize(
    ("blocks", "titles", "rejected"),
    [
        (['{"@type": "Product", "name": "甲",}'], ["甲"], {}),
        (['<!-- {"@type": "Product", "name": "甲"} -->'], ["甲"], {}),
        (['{"@type": "Product", "name": "甲\n乙"}'], ["甲 乙"], {}),
        (['{"@type": "Product", "name": "甲"'], [], {"bad_json": 1}),
        (['{"@type": "Article", "name": "甲"'], [], {}),  # states no product
        (["[" * 100_000, {"@type": "Product", "name": "乙"}], ["乙"], {"bad_json": 1}),
        ([{"@type": "Product"}], [], {"no_title": 1}),
        ([["Product"] * 30_000], [], {"too_many_nodes": 1}),
        (['"Product' + "x" * (3 << 20) + '"'], [], {"block_too_large": 1}),
        ([{"@type": "Article", "name": "Product"}], [], {}),
        ([[{"@type": "Product", "name": f"第{n}件"} for n in range(MAX_PRODUCTS + 3)]],
         [f"第{n}件" for n in range(MAX_PRODUCTS)], {"too_many_products": 3}),
    ],
)  # fmt: skip
def test_what_gives_no_product_is_counted(
    blocks: list[Any], titles: list[str], rejected: dict[str, int]
) -> None:
    found = page_products(script(*blocks), URL)
    assert [product.title for product in found.products] == titles
    assert found.rejected == rejected


def test_a_script_in_a_comment_states_nothing() -> None:
    page = (
        script(KETTLE).replace(b"<script", b"<!-- <script").replace(b"</script>", b"</script>-->")
    )
    assert page_products(page, URL).products == []


def test_items_in_each_other_end() -> None:
    opened = '<div id=a itemscope itemtype="http://schema.org/Product" itemprop=name itemref=a>'
    page = f"<html><body>{opened * 300}".encode()
    assert page_products(page, URL).products == []


def test_webshop_reads_the_item() -> None:
    [product], _ = page_products(script(KETTLE), URL)
    item = webshop_item(product, "ab" * 16, 0)
    assert item is not None
    # As its engine does: numbers behind dollar signs, the first image, short asins alone.
    assert [float(price) for price in item["pricing"].split("$")[1:]] == [1299.0]
    assert item["images"][0].endswith("a.jpg")
    assert len(item["asin"]) == ASIN_CHARS
    assert item["asin"] != webshop_item(product, "ab" * 16, 1)["asin"]  # type: ignore[index]
    assert item["product_category"] == "厨房 › 水具 › 保温壶"
    product.images = []
    assert webshop_item(product, "ab" * 16, 0) is None


def test_arrow_takes_a_product_and_spark_has_its_type() -> None:
    [product], _ = page_products(script(KETTLE), URL)
    record = product_record(product)
    assert pa.array([record], PRODUCT_ARROW_TYPE).to_pylist() == [record]
    assert from_arrow_type(PRODUCT_ARROW_TYPE) == PRODUCT_TYPE
