"""Addresses are resolved as urllib does it, or refused with a reason."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.pairs.addresses import (
    NO_PAGE,
    base_of,
    data_image,
    is_data,
    is_placeholder_name,
    largest,
    resolved,
    srcset_candidates,
)

PAGE = "https://www.example.cn/news/2024/a.html?x=1"
BASE = base_of(PAGE, None)
SEGMENTS = st.sampled_from(["a", "b.jpg", "..", ".", "", "c,d", "图", "e f", ";p", "w_1,h_2"])
REFERENCES = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(
        ["", "/", "//cdn.cn/", "http://h.cn:8080/", "https://h.cn/", "HTTP://H.cn/", "?"]
    ),
    st.lists(SEGMENTS, min_size=1, max_size=4),
    st.sampled_from(["", "?a=b&c=d", "#f", "?x|imageView2/1/w/100", "?"]),
)


@settings(deadline=None)
@given(REFERENCES)
def test_resolution_is_urljoins(reference: str) -> None:
    url, reason = resolved(reference, BASE, 4096)
    expected = urljoin(PAGE, reference.strip())
    if reason == "bad_address":
        assert " " in urlsplit(expected).netloc  # "//e f" is a host
    elif reason is not None:
        assert reason == "no_address" and reference.strip()[:1] in ("", "#")
    elif "/." not in urlsplit(expected).path:
        assert url == expected
    else:
        assert url is not None and not {"..", "."} & set(urlsplit(url).path.split("/"))


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("http://h.cn/a/../b/./c.jpg", "http://h.cn/b/c.jpg"),
        ("../../../a.jpg", "https://www.example.cn/a.jpg"),
        ("//h.cn/a/..", "https://h.cn/"),
        (" a,b c.jpg\n", "https://www.example.cn/news/2024/a,b c.jpg"),
        ("/a\nb.jpg", "https://www.example.cn/ab.jpg"),
    ],
)
def test_dots_spaces_and_commas(reference: str, url: str) -> None:
    assert resolved(reference, BASE, 4096) == (url, None)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("", "no_address"),
        ("#", "no_address"),
        ("javascript:void(0)", "not_http"),
        ("blob:x", "not_http"),
        ("about:blank", "not_http"),
        ("{{item.img}}", "bad_address"),
        ("http:///a.jpg", "bad_address"),
        ("http://h:99999999/a", "bad_address"),
        ("http://[::1/a", "bad_address"),
        ("\\a.jpg", "bad_address"),
        ("<img", "bad_address"),
        ("/" + "a" * 4096, "too_long_address"),
        ("http://h/" + "a" * 4096, "too_long_address"),
        ("http://a b/c.jpg", "bad_address"),
    ],
)
def test_what_is_no_address_is_refused(reference: str, reason: str) -> None:
    assert resolved(reference, BASE, 4096) == (None, reason)


def test_the_base_element_and_pages_without_a_url() -> None:
    assert base_of(PAGE, "/b/").url == "https://www.example.cn/b/"
    assert base_of(None, "http://h.cn/b/").origin == "http://h.cn"
    assert base_of("file:///a.html", None) == base_of(None, "b/") == NO_PAGE
    assert base_of(PAGE, "javascript:1").url == PAGE
    assert resolved("a.jpg", NO_PAGE, 99) == (None, "relative_without_base")
    assert resolved("//h/a.jpg", NO_PAGE, 99) == (None, "relative_without_base")
    assert resolved("http://h/a.jpg", NO_PAGE, 99) == ("http://h/a.jpg", None)


def test_data_uris() -> None:
    body = bytes(range(256)) * 8
    uri = b"data:image/png;base64," + base64.b64encode(body)
    found = data_image(uri, 1 << 20)
    assert found == ("data:image/png;base64", 2048, hashlib.sha256(body).hexdigest(), body)
    assert data_image(uri.replace(b"=", b"%3D"), 1 << 20) == found
    svg = b"data:image/svg+xml;utf8,<svg>" + b"a" * 2000 + b"</svg>"
    assert not isinstance(data_image(svg, 1 << 20), str)
    assert data_image(uri, 100) == "data_uri_too_large"
    assert data_image(uri[:200], 1000) == "placeholder"
    assert data_image(b"data:image/png;base64,!!!!", 1000) == "bad_data_uri"
    assert data_image(b"data:image/png;base64", 1000) == "bad_data_uri"
    assert data_image(b"data:text/html,<p>", 1000) == "not_image_data"
    assert is_data(b" DATA:x") and not is_data(b"database.jpg")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("/i/blank.gif", True),
        ("/i/grey.png?v=1", True),
        ("img_loading.gif", True),
        ("1x1.gif", True),
        ("lazy-load.png", True),
        ("earl-grey.jpg", False),
        ("p.jpg", False),
        ("loading-dock.jpg", False),
        ("/blank/a.jpg", False),
        ("s.gif", False),
    ],
)
def test_names_of_placeholders(name: str, is_one: bool) -> None:
    assert is_placeholder_name(name) is is_one


@pytest.mark.parametrize(
    ("srcset", "found"),
    [
        ("a.jpg", [("a.jpg", None, 1.0)]),
        (" , a.jpg 1.5x,, b.jpg 2x ,", [("a.jpg", None, 1.5), ("b.jpg", None, 2.0)]),
        ("a,b.jpg 100w, c.jpg 50w 20h", [("a,b.jpg", 100, 1.0), ("c.jpg", 50, 1.0)]),
        ("a.jpg,b.jpg", [("a.jpg,b.jpg", None, 1.0)]),
        ("a.jpg, b.jpg", [("a.jpg", None, 1.0), ("b.jpg", None, 1.0)]),
        ("data:image/png;base64,AA== 2x", [("data:image/png;base64,AA==", None, 2.0)]),
        ("a 1x 2x, b 0w, c 1w 1x, d 5h, e -1x, f x, g (1, 2) 3x, h 1e1x", [("h", None, 10.0)]),
        ("a 99999999999999999999w, b 1e999x", []),
        ("", []),
        (" , ,", []),
    ],
)
def test_srcset(srcset: str, found: list[tuple[str, int | None, float]]) -> None:
    assert srcset_candidates(srcset) == found


def test_the_largest_source() -> None:
    assert largest(srcset_candidates("a 1x, b 3x, c 2x, d 3x")) == ("b", None, 3.0)
    assert largest(srcset_candidates("a 9x, b 100w, c 300w")) == ("c", 300, 1.0)
    assert largest([]) is None
    assert len(srcset_candidates("a 1x, " * 1_000_000)) < 20_000
