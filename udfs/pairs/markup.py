"""Elements and attributes that image places are read from, as tables for compiled loops.

Lazy attributes are those that scripts copy to src when the image comes into view; until then src
is missing or the address of a placeholder. Names are conventions of the libraries and sites that
use them; none is specific to a page.

Source:
    OBELICS (Laurençon et al., 2023), its order of sources; 131 Chinese pages with 451 lazy images
    (original 294, data-original 90, data-lazyload 35, data-src 27, data-actualsrc 14,
    data-tb-lazyload 3); lazysizes, jquery.lazyload, layzr, echo.js, Discuz (file, zoomfile).
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt64Array
from udfs.base.hash_table import hash_map
from udfs.html.tokenizer import name_hash

# What a significant tag is, in the low bits of an element's traits.
(
    PLAIN, IMAGE, SVG_IMAGE, INPUT, VIDEO, META, LINK, BASE, SCRIPT, CSS, NEAR, ANCHOR, FIGURE,
    CAPTION, PICTURE, SOURCE, NOSCRIPT, TEMPLATE,
) = range(18)  # fmt: skip
KIND_MASK = 31
# Other traits: the text of another line begins and ends; of another cell; ends foreign content;
# content that is no markup; begins foreign content; has HTML within foreign content.
BREAKS, CELL, LEAVES_FOREIGN, RAW, FOREIGN, INTEGRATES = (1 << bit for bit in range(5, 11))

_ELEMENT_KINDS = {
    "img": IMAGE, "image": SVG_IMAGE, "amp-img": IMAGE, "input": INPUT, "video": VIDEO,
    "meta": META, "link": LINK, "base": BASE, "script": SCRIPT, "a": ANCHOR, "figure": FIGURE,
    "figcaption": CAPTION, "picture": PICTURE, "source": SOURCE, "noscript": NOSCRIPT,
    "template": TEMPLATE,
}  # fmt: skip
_TRAITS: dict[int, str] = {
    # As udfs.html.markers has them, so that lines are the same.
    BREAKS: """
        p li br hr option h1 h2 h3 h4 h5 h6 hgroup dt dd form legend figure figcaption address
        details summary dialog caption table tr div section article main ul ol dl aside footer
        header nav center blockquote fieldset pre title body
    """,
    CELL: "td th",
    LEAVES_FOREIGN: """
        b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img
        li listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul
        var
    """,
    INTEGRATES: "foreignobject desc title mi mo mn ms mtext annotation-xml",
    RAW: "script style title textarea iframe noembed noframes xmp",
    FOREIGN: "svg math",
}


def _table(values: dict[str, int]) -> tuple[UInt64Array, Int32Array]:
    keys = np.array([name_hash(name) for name in values], dtype=np.uint64)
    return hash_map(keys, np.array(list(values.values()), dtype=np.int32))


def _elements() -> dict[str, int]:
    traits = dict(_ELEMENT_KINDS)
    for trait, names in _TRAITS.items():
        for name in names.split():
            traits[name] = traits.get(name, 0) | trait
    return traits


ELEMENTS = _table(_elements())
"""Traits of elements by the hash of their name, for `udfs.base.hash_table.find_value`."""

LAZY_SOURCES = (
    "data-original", "original", "data-lazyload", "data-src", "data-actualsrc", "data-tb-lazyload",
    "data-ks-lazyload", "data-lazy-src", "data-lazy", "data-lazyload-src", "data-lazy-original",
    "data-lazyimg", "data-original-src", "data-img-src", "data-src-fg", "data-scroll-image",
    "data-lateloadsrc", "data-gt-lazy-src", "data-echo", "data-layzr", "data-real-src",
    "data-realsrc", "real_src", "data-rawsrc", "data-backsrc", "data-imgurl", "data-image-src",
    "lazysrc", "lazy-src", "lazyload-src", "lay-src", "_src", "src2", "zoomfile", "file",
)  # fmt: skip
"""Attributes with an image's address that come before src, the first of them first."""
WEAK_SOURCES = ("data-url", "data-img", "data-image", "data-thumb", "data-pic")
"""Attributes that may have it, and that count where src names none or a placeholder."""
LAZY_SRCSETS = ("data-srcset", "data-lazy-srcset", "lazy-srcset", "data-original-set")

ATTRIBUTES = (
    "src", "srcset", "alt", "title", "width", "height", "href", "xlink:href", "class", "style",
    "type", "rel", "content", "name", "property", "itemprop", "poster", "media",
    *LAZY_SRCSETS, *LAZY_SOURCES, *WEAK_SOURCES,
)  # fmt: skip
"""Attributes that are read; an attribute's number is its index."""
NUMBERS = {name: number for number, name in enumerate(ATTRIBUTES)}
ATTRIBUTE_TABLE = _table(NUMBERS)
"""Numbers of attributes by the hash of their name."""


def _bits(*names: str) -> int:
    return sum(1 << NUMBERS[name] for name in names)


_LAZY = _bits(*LAZY_SRCSETS, *LAZY_SOURCES, *WEAK_SOURCES)
_READ = {
    IMAGE: _bits("src", "srcset", "alt", "title", "width", "height") | _LAZY,
    SVG_IMAGE: _bits("href", "xlink:href", "title", "width", "height"),
    INPUT: _bits("type", "src", "alt", "title", "width", "height"),
    VIDEO: _bits("poster", "title", "width", "height"),
    META: _bits("name", "property", "itemprop", "content"),
    LINK: _bits("rel", "itemprop", "href"),
    BASE: _bits("href"),
    SCRIPT: _bits("type"),
    CSS: _bits("style", "title"),
    NEAR: _bits("class"),
    ANCHOR: _bits("href"),
    SOURCE: _bits("src", "srcset", "type", "media", "width") | _bits(*LAZY_SRCSETS),
}
READ_ATTRIBUTES: Int64Array = np.array([_READ.get(kind, 0) for kind in range(18)], dtype=np.int64)
"""The numbers of the attributes that are read of each kind of tag, as bits."""
