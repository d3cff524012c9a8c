"""Image places of made pages: a row for each, or a reason; texts, captions, context, main text."""

from __future__ import annotations

from collections import Counter

import pytest

from udfs.pairs.addresses import REASONS
from udfs.pairs.choice import AddressLimits
from udfs.pairs.places import ImagePlace, PagePlaces, PairLimits, image_places
from udfs.pairs.records import place_chars
from udfs.pairs.structured import json_ld_images
from udfs.pairs.texts import attribute_value

URL = "http://h.cn/a/p.html"


def places(page: str, main_text: str = "", limits: PairLimits | None = None) -> PagePlaces:
    return image_places(page.encode(), URL, main_text, limits)


def only(page: str, main_text: str = "") -> ImagePlace:
    [row] = places(page, main_text).rows
    return row


@pytest.mark.parametrize(
    ("page", "attribute", "url"),
    [
        ("<img src=a.jpg>", "src", "http://h.cn/a/a.jpg"),
        ("<img src=grey.gif data-original=/b.jpg>", "data-original", "http://h.cn/b.jpg"),
        ("<img src=thumb.jpg data-src=b.jpg>", "data-src", "http://h.cn/a/b.jpg"),
        ("<img src=a.jpg data-lazy=true data-src=1>", "src", "http://h.cn/a/a.jpg"),
        ("<img src=a.jpg data-src='{{url}}'>", "src", "http://h.cn/a/a.jpg"),
        ("<img src=a.jpg data-url=/news/1.html>", "src", "http://h.cn/a/a.jpg"),
        ("<img src=none.gif data-url=/b.jpg>", "data-url", "http://h.cn/b.jpg"),
        ("<img src=s.jpg srcset='m.jpg 300w, l,1.jpg 900w'>", "srcset", "http://h.cn/a/l,1.jpg"),
        (
            "<img src=s.jpg srcset='data:image/gif;base64,R0 1w' data-srcset='l.jpg 2x'>",
            "data-srcset",
            "http://h.cn/a/l.jpg",
        ),
        (
            "<picture><source type=image/avif srcset='x.avif 9x'><source srcset='b.webp 2x'>"
            "<source srcset='c.webp 3x'><img src=a.jpg></picture>",
            "picture",
            "http://h.cn/a/c.webp",
        ),
        (
            "<picture><source srcset='s.jpg 100w'><img srcset='l.jpg 200w'></picture>",
            "srcset",
            "http://h.cn/a/l.jpg",
        ),
        (
            "<picture><source media='(min-width: 500px)' srcset=s.jpg>"
            "<source media='(min-width: 900px)' srcset=l.jpg><img src=a.jpg></picture>",
            "picture",
            "http://h.cn/a/l.jpg",
        ),
        ("<noscript><img src=a.jpg></noscript>", "noscript", "http://h.cn/a/a.jpg"),
        ("<input type=IMAGE src=a.jpg>", "input", "http://h.cn/a/a.jpg"),
        ("<video poster=a.jpg src=v.mp4></video>", "poster", "http://h.cn/a/a.jpg"),
        ("<svg><image xlink:href='a.jpg'/></svg>", "svg", "http://h.cn/a/a.jpg"),
        ("<a style='BACKGROUND: url(&quot;a.jpg&quot;)'>x</a>", "css", "http://h.cn/a/a.jpg"),
        ("<p style='background-image:url( a.jpg )'>", "css", "http://h.cn/a/a.jpg"),
        ("<link rel='image_src' href=a.jpg>", "link", "http://h.cn/a/a.jpg"),
        ("<meta property=og:image content=a.jpg>", "og", "http://h.cn/a/a.jpg"),
        ("<meta name=twitter:image content=a.jpg>", "twitter", "http://h.cn/a/a.jpg"),
        ("<meta itemprop=image content=a.jpg>", "itemprop", "http://h.cn/a/a.jpg"),
        (
            '<script type="application/ld+json">{"image": {"url": "a.jpg"}}</script>',
            "json-ld",
            "http://h.cn/a/a.jpg",
        ),
        ("<base href='//c.cn/x/y'><base href=z><img src=../a.jpg>", "src", "http://c.cn/a.jpg"),
    ],
)
def test_where_an_address_is_from(page: str, attribute: str, url: str) -> None:
    row = only(page)
    assert (row.attribute, row.url) == (attribute, url)


REJECTED = {
    "no_address": "<img><img src=''>",
    "bad_address": "<img src='{{a}}'><img src='http://[1'>",
    "not_http": "<img src='javascript:1'><input type=image src=about:blank>",
    "too_long_address": f"<img src='{'a' * 5000}'><p style='background:url({'a' * 5000})'>",
    "placeholder": "<img src=blank.gif><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>",
    "data_uri_too_large": f"<img src='data:image/png,{'a' * 9000}'><img src='data:,{'a' * 9000}'>",
    "bad_data_uri": "<img src='data:image/png;base64,*'><img src='data:'>",
    "not_image_data": "<img src='data:text/html,<p>'><img src='data:,x'>",
    "in_template": "<template><img src=a.jpg><p><img src=b.jpg></template>",
    "bad_json_ld": "<script type=application/ld+json>{'\"image\"'</script>" * 2,
    "too_many_images": "<img src=a.jpg>" * 22,
}


@pytest.mark.parametrize("reason", REJECTED)
def test_every_reason_and_the_sum_of_places(reason: str) -> None:
    limits = PairLimits(max_images=20, address=AddressLimits(max_data_bytes=8192))
    found = places(REJECTED[reason], limits=limits)
    assert found.rejected == {reason: 2}
    assert found.seen == len(found.rows) + 2
    assert len(found.rows) == (20 if reason == "too_many_images" else 0)


def test_pages_without_a_url() -> None:
    found = image_places(b"<img src=a.jpg><img src=http://h/b.jpg>", None, "")
    assert (found.rejected, len(found.rows)) == ({"relative_without_base": 1}, 1)
    assert set(REJECTED) | {"relative_without_base"} == set(REASONS)


@pytest.mark.parametrize(
    ("page", "urls"),
    [
        ("<img data-src=b.jpg><noscript><img src=b.jpg alt=x></noscript>", ["b.jpg"]),
        ("<img src=blank.gif><noscript><img src=b.jpg></noscript>", ["b.jpg"]),
        ("<noscript><img src=b.jpg></noscript><img data-src=b.jpg>", ["b.jpg"]),
        ("<noscript><img src=b.jpg></noscript>\n<div><img data-src=b.jpg></div>", ["b.jpg"]),
        ("<img src=b.jpg><noscript><img src=c.jpg></noscript>", ["b.jpg", "c.jpg"]),
        ("<img src=b.jpg alt=x><noscript><img src=c.jpg alt=x></noscript>", ["b.jpg"]),
        ("<img src=b.jpg>x<noscript><img src=b.jpg></noscript>", ["b.jpg", "b.jpg"]),
        ("<img><noscript><img src=b.jpg><img src=c.jpg></noscript>", ["b.jpg", "c.jpg"]),
    ],
)
def test_a_noscript_repeats_the_image_beside_it(page: str, urls: list[str]) -> None:
    found = places(page)
    assert [row.url_written for row in found.rows] == urls
    assert found.seen == len(urls)


def test_weak_attributes_where_images_share_a_src() -> None:
    page = (
        "<img src=x.gif data-url=/a.jpg><img src=x.gif data-url=/b.jpg><img src=c.jpg data-url=/d>"
    )
    assert [row.url_written for row in places(page).rows] == ["/a.jpg", "/b.jpg", "c.jpg"]


def test_data_uris_have_no_url() -> None:
    found = places(f"<img src='data:image/svg+xml;utf8,{'a' * 3000}'>")
    [row] = found.rows
    assert (row.url, row.url_written, row.data_bytes) == (None, "data:image/svg+xml;utf8", 3000)
    assert row.data_sha256 is not None and len(row.data_sha256) == 64
    assert row.data_body == b"a" * 3000
    assert place_chars(found.columns) == (3000 + len(row.url_written) + 2) // 3
    assert only("<img src=a>").data_body is None


def test_declared_sizes_links_and_texts() -> None:
    row = only(
        "<a href='../t?a=1&amp;b=2'><img src=a alt=' x\n&amp; y ' title=t width=30px height=5%>"
    )
    assert (row.alt, row.title, row.declared_width, row.declared_height) == ("x & y", "t", 30, None)
    assert row.link == "http://h.cn/t?a=1&b=2"
    assert (row.text, row.text_source) == ("x & y", "alt")
    row = only("<a href=javascript:1><img src=a alt=''></a>")
    assert (row.alt, row.title, row.link, row.text, row.text_source) == ("", None, None, None, None)
    assert only("<a href=x>" + "字" * 400 + "<img src=a>").link is None  # the link was never closed


@pytest.mark.parametrize(
    ("page", "caption"),
    [
        ("<figure><img src=a><figcaption>图 <b>一</b></figcaption></figure>", "图 一"),
        ("<figure><figcaption>长江</figcaption><img src=a></figure>", "长江"),
        ("<figure><img src=a><figcaption>长江</figure>", "长江"),
        ("<figure><img src=a></figure><figure><figcaption>长江</figcaption></figure>", None),
        ("<img src=a><p class='x img-desc'>长江&amp;黄河</p><p>y", "长江&黄河"),
        ("<img src=a><p>▲长江", "▲长江"),
        ("<p>▼长江</p><img src=a><p>x", "▼长江"),
        ("<img src=a><p>新华社记者 李明 摄", "新华社记者 李明 摄"),
        ("<img src=a><p class=text>x<p class=img-desc>长江", "长江"),
        ("<img src=a><p>图书馆今天开放", None),
        ("<img src=a><p>长江", None),
    ],
)
def test_captions(page: str, caption: str | None) -> None:
    row = only(page)
    assert row.caption == caption
    assert row.text_source == (None if caption is None else "caption")


def test_the_text_that_may_describe_an_image_comes_first() -> None:
    page = "<figure><img src=a alt='{}' title='长江大桥'><figcaption>{}</figcaption></figure>"
    assert only(page.format("IMG_1.JPG", "大桥通车")).text_source == "caption"
    assert only(page.format("图片", "查看大图")).text_source == "title"
    assert only("<img src=a alt=图片>").text == "图片"
    script = '{"headline": "标题", "image": {"url": "a", "caption": "图片", "width": 5}}'
    row = only(f"<script type=application/ld+json>{script}</script>")
    assert (row.text, row.text_source, row.declared_width) == ("标题", "heading", 5)


def test_what_meta_elements_say_of_an_image() -> None:
    page = (
        "<meta property=og:image content=a.jpg><meta property=og:image:secure_url content=a.jpg>"
        "<meta property=og:image:alt content='长江'><meta property=og:image:width content=600>"
        "<meta property=og:site_name content=某网><meta name=description content=x><img src=b>"
    )
    found = places(page)
    assert [(row.text, row.declared_width) for row in found.rows] == [("长江", 600), (None, None)]
    assert found.site_name == "某网"
    assert found.rows[0].context_before is None and found.rows[1].context_before == ""


def test_context_is_visible_text_of_200_characters() -> None:
    row = only(f"<p>{'前' * 300}<p>b&lt;c<script>x</script><img src=a>d\n e<br>f{'&amp;' * 300}")
    assert row.context_before == "前" * 196 + "\nb<c"
    assert row.context_after is not None
    assert row.context_after.startswith("d e\nf&&&") and len(row.context_after) <= 200


def test_places_in_the_main_text() -> None:
    page = (
        "<div>导航<img src=0></div><p>作者<img src=1><p>第一段，&ldquo;正文&rdquo;。</p><img src=2>"
        "<p class=pic-desc>图注<p>第二段 text<img src=3>后半<p>第一段，正文<p><img src=4>"
        "<div>广告</div><img src=5>页脚"
    )
    main = "第一段，“正文”。\n\n第二段 text后半\n第一段，正文"
    rows = places(page, main).rows
    assert [(row.in_main, row.line) for row in rows] == [
        (False, None), (True, -1), (True, 0), (True, 2), (True, 3), (False, None),
    ]  # fmt: skip
    assert all(not row.in_main and row.line is None for row in places(page).rows)


def test_licences() -> None:
    by = "https://creativecommons.org/licenses/by/4.0/"
    zero = "//creativecommons.org/publicdomain/zero/1.0/"
    page = (
        f"<img src=a><figure><img src=b><figcaption>c <a href={by}>x</a></figcaption></figure>"
        f"<a href='{zero}'>cc</a>"
    )
    assert [row.license for row in places(page).rows] == [zero, by]
    assert only("<img src=a><a href=https://creativecommons.org/>x</a>").license is None


def test_json_ld_of_many_shapes() -> None:
    script = b"""<!-- {"@graph": [
        {"@type": "Article", "name": "n", "image": ["a", {"@id": "b"}, 3]},
        {"@type": ["X", "ImageObject"], "contentUrl": "c", "width": {"value": "7"}}, "a"],
        "image": "a", "logo": {"url": "l"}, "x": {"image": {"name": "no address"}}} -->"""
    images = json_ld_images(script)
    assert images is not None
    assert [(image.address, image.title, image.width) for image in images] == [
        ("a", None, None), ("b", "n", None), ("c", None, 7),
    ]  # fmt: skip
    assert json_ld_images(b"[" * 100_000) is None
    assert json_ld_images(b'{"image": "a"}' + b" " * (1 << 20)) is None


def test_references_in_attributes() -> None:
    value = b"&amp;&#65;&#x42;&copy=1&copy;&copy2&copy &lt&nosuch;&"
    assert attribute_value(value) == "&AB&copy=1©&copy2© <&nosuch;&"


def test_hostile_pages_end_with_counts() -> None:
    page = "<img src='data:image/png;base64," + "A" * 20_000_000 + "'>"
    assert places(page).rejected == {"data_uri_too_large": 1}
    found = places("<a href=b>" + "<img alt=x src=a.jpg>" * 100_000)
    assert (len(found.rows), found.seen) == (1000, 100_000)
    found = places("<p style='" + "background:url(a.jpg);" * 50_000 + "'>")
    assert (len(found.rows), found.seen) == (1000, 50_000)
    found = places("<img src=a.jpg>" + "a\x01" * 500_000, "a\n" * 500)
    assert (len(found.rows), found.rows[0].line) == (1, -1)
    images = Counter(places("<img srcset='" + "a.jpg 1x," * 1_000_000 + "'>").rejected)
    assert images.total() <= 1


def test_a_text_of_the_interface_gives_way_to_the_next_one() -> None:
    page = '<p><img src=/a.jpg alt="اقرأ المزيد" title="سوق المدينة">'
    limits = PairLimits(interface_words=frozenset({"اقرأالمزيد"}))
    assert [places(page).rows[0].text, places(page, limits=limits).rows[0].text] == [
        "اقرأ المزيد",
        "سوق المدينة",
    ]
