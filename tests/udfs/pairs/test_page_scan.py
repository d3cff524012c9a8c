"""The scan finds the images that a parser's tree has, with their attributes, links and text."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.udfs.pairs.plain_images import SHOWN, plain_images
from udfs.html.tokenizer import script_end
from udfs.pairs.markup import IMAGE, NUMBERS
from udfs.pairs.page_scan import Scan, scan_page
from udfs.pairs.relations import FIRST, FLAGS, IN_LINK, IN_NOSCRIPT, IN_PICTURE, KIND, LAST
from udfs.pairs.texts import attribute_value

PIECES = [
    "<img src=a.jpg>",
    '<IMG SRC="b.jpg" alt="x>y" >',
    "<img alt src='c d.jpg'/>",
    "<image src=e>",
    '<img src="1"src="2" data-src=f data-original = "g">',
    "<img srcset='a 1x, b 2x' alt=''>",
    '<img title="&lt;p&gt; &amp;amp; &#20013;" src="?a=1&copy=2&amp;b">',
    "<img/src=h/alt=i>",
    '<img =x src=j "=k>',
    "<img\nsrc=l\falt=m\twidth=3>",
    "<img src=n",
    '<img src="o',
    "<imgs src=p>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<span>",
    "</span>",
    "<b>",
    "</b>",
    "text",
    "中文 ",
    "< ",
    "<3",
    "&nbsp;",
    "<!-- <img src=q> -->",
    "<!-->",
    "<!--",
    "-->",
    "--!>",
    "<!x <img src=r>",
    "<?y>",
    "</>",
    "</ <img src=s>",
    "<![CDATA[<img src=t>]]>",
    "<script>",
    "</script>",
    "<script>'<img src=u>'</script>",
    "<script><!-- <script></script> <img src=v> --></script>",
    "<style>",
    "</style>",
    "<textarea>",
    "</textarea >",
    "<title><img src=w></title>",
    "<xmp><img src=x></xmp>",
    "<iframe><img></iframe>",
    "<svg/>",
    "<svg><image href=y /></svg>",
    "<svg><style><img src=z></style></svg>",
    "<picture><source srcset='1 1x'><img src=2></picture>",
    "\x00",
    "\x01",
]


def scanned_images(page: bytes, scan: Scan) -> list[tuple[str, ...]]:
    """What each img entry has of SHOWN, as the plain twin says it; sorted."""
    found = []
    attributes = scan.attributes.tolist()
    for entry in scan.entries.tolist():
        if entry[KIND] == IMAGE:
            values = {
                number: "".join(attribute_value(page[begin:end]).split())
                for number, begin, end in attributes[entry[FIRST] : entry[LAST]]
            }
            found.append(tuple(values.get(NUMBERS[name], "-") for name in SHOWN))
    return sorted(found, key=repr)


@settings(max_examples=300, deadline=None)
@example(["<script><!-- <script></script> <img src=v> --></script>", "<img src=a.jpg>"])
@example(["<svg>", "<title><img src=w></title>", "<img src=a.jpg>", "<style>", "<img src=n"])
@example(["<svg>", "<title><img src=w></title>", "<title><img src=w></title>", "<img src=a.jpg>"])
@example(["<svg>", "<style>", "<img src=a.jpg>", "<style>", "<img src=b>", "</style>"])
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_the_same_images_as_in_a_parsers_tree(pieces: list[str]) -> None:
    page = ("<!doctype html><body>" + "".join(pieces)).encode()
    if b"\x00" in page:
        page = page.replace(b"\x00", b"")
    expected = sorted((shown for shown, _, _ in plain_images(page)), key=repr)
    assert scanned_images(page, scan_page(page, 1000)) == expected


def test_links_and_noscripts_as_in_a_parsers_tree() -> None:
    rng = random.Random(7)
    parts = [
        '<a href="/{n}"><img src={n}></a>',
        "<a href={n}><span><img src={n}></span> x</a>",
        "<noscript><img src={n}></noscript>",
        "<p><img src={n}></p>",
        "<a><img src={n}></a>",
        "<figure><a href={n}><img src={n}></a><figcaption>f</figcaption></figure>",
    ]
    images = "".join(rng.choice(parts).format(n=n) for n in range(200))
    page = f"<body>{images}".encode()
    scan = scan_page(page, 1000)
    attributes = scan.attributes.tolist()
    entries = scan.entries.tolist()

    def values(entry: list[int]) -> dict[int, str]:
        return {n: page[b:e].decode() for n, b, e in attributes[entry[FIRST] : entry[LAST]]}

    found = []
    for entry in entries:
        if entry[KIND] == IMAGE:
            link = entry[IN_LINK]
            href = None if link < 0 else values(entries[link]).get(NUMBERS["href"], "")
            shown = tuple(values(entry).get(NUMBERS[name], "-") for name in SHOWN)
            found.append((shown, href, bool(entry[FLAGS] & IN_NOSCRIPT)))
    assert sorted(found, key=repr) == plain_images(page)
    assert len(found) == 200


def test_sources_belong_to_the_picture_around_them() -> None:
    page = (
        b"<source srcset=0><picture><source srcset=1><img></picture><picture><img></picture><img>"
    )
    rows = scan_page(page, 9).entries.tolist()
    assert [row[IN_PICTURE] for row in rows] == [0, 0, 1, -1]


def test_the_text_has_no_markup_scripts_or_noscripts() -> None:
    page = (
        b"<title>t</title><p>a<b>b</b> c<br>d<td>e<!-- f --><script>g</script><style>h</style>"
        b"<noscript>i</noscript><template>j</template>k &amp; < 3<textarea>l</textarea>"
    )
    text = scan_page(page, 9).text.tobytes()
    assert text.replace(b"\x01", b"|") == b"|||ab c|d\tek &amp; < 3"


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ("a</script>", 1),
        ("</scripty></SCRIPT >", 10),
        ("<!-- </script>", 5),
        ("<!-- <script> </script> --></script>", 27),
        ("<!--><script></script>", 13),
        ("<!-- <script></script></script>", 22),
        ("no end", 6),
    ],
)
def test_the_end_of_a_script(script: str, end: int) -> None:
    assert script_end(script.encode(), 0) == end


HOSTILE = {
    "attributes": b"<img " + b"a=b " * 200_000 + b"src=x>",
    "images": b"<img src=x>" * 100_000,
    "links": b"<a href=x><figure>" * 50_000 + b"<img src=x>" + b"</figure>" * 50_000,
    "near": (b"<img src=x>" + b"<p class=caption>" * 5) * 20_000,
    "unclosed": b"<img src='" + b"x" * 4_000_000,
    "less": b"<" * 2_000_000,
    "declarations": b"<![CDATA[" * 200_000,
    "scripts": b"<script><!--<script>" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_read_to_their_end(name: str) -> None:
    scan = scan_page(HOSTILE[name], 1000)
    assert len(scan.entries) <= 7_000
    assert scan.too_many == {"images": 99_000, "near": 19_000}.get(name, 0)
