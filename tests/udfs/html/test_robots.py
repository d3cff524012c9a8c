"""Opt-outs as headers and meta elements state them."""

import doctest

import pytest

import udfs.html.robots
from udfs.html.robots import OPT_OUTS, opt_outs


def header(value: str) -> tuple[str, ...]:
    return opt_outs({"x-robots-tag": value}, "")


def meta(name: str, content: str) -> tuple[str, ...]:
    return opt_outs({}, f'<head><meta name="{name}" content="{content}"></head>')


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("noindex", ("noindex",)),
        ("NoIndex, NoFollow", ("noindex",)),
        ("none", ("noindex",)),
        ("noai, noimageai", ("noai", "noimageai")),
        ("noimageai,noai", ("noai", "noimageai")),
        ("noml", ("noml",)),
        ("NoImageIndex, nofollow", ("noimageindex",)),
        ("googlebot-image: noimageindex", ()),
        ("noarchive", ("noarchive",)),
        ("nocache", ("nocache",)),
        ("index, follow", ()),
        ("all", ()),
        ("nosnippet, max-snippet: 0, max-image-preview:none", ()),
        ("", ()),
        # Who is meant.
        ("googlebot: noindex", ()),
        ("googlebot: noindex, noai", ()),
        ("noai, googlebot: noindex", ("noai",)),
        ("ccbot: noai", ("noai",)),
        ("CCBot:noai", ("noai",)),
        ("CCBot : noai", ("noai",)),
        ("*: noindex", ("noindex",)),
        ("googlebot: nofollow, ccbot: noindex", ("noindex",)),
        ("ccbot: noindex, bingbot: noai", ("noindex",)),
        ("googlebot: nofollow\nnoai", ("noai",)),
        ("ccbot: noindex\nbingbot: noai", ("noindex",)),
        # Dates have commas and colons of their own.
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", ()),
        ("unavailable_after: Saturday, 25-Jun-10 15:00:00 UTC, noai", ("noai",)),
        ("noindex, unavailable_after: 2030-01-01T00:00:00+08:00", ("noindex",)),
        ("googlebot: unavailable_after: 25 Jun 2010 15:00:00 PST, noindex", ()),
        # As people write it.
        ("noindex; noai", ("noindex", "noai")),
        ("noindex noai", ("noindex", "noai")),
        ("noindexing, xnoai", ()),
        (":", ()),
        ("::noindex", ()),
    ],
)
def test_x_robots_tag(value: str, found: tuple[str, ...]) -> None:
    assert header(value) == found


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("robots", "noindex,noai", ("noindex", "noai")),
        ("ROBOTS", "NOINDEX", ("noindex",)),
        ("ccbot", "noai", ("noai",)),
        ("robots", "max-image-preview:none, noimageindex", ("noimageindex",)),
        ("X-Robots-Tag", "googlebot: noindex, noai", ()),
        ("googlebot", "noindex", ()),
        ("GPTBot", "noai", ()),
        ("robots", "index,follow", ()),
        ("robots", "no&#105;ndex", ("noindex",)),
        ("tdm-reservation", "1", ("tdm_reservation",)),
        ("TDM-Reservation", " 1 ", ("tdm_reservation",)),
        ("tdm-reservation", "0", ()),
        ("tdm-reservation", "noindex", ()),
        ("tdm-policy", "https://example.cn/policy.json", ()),
        ("robots", "1", ()),
    ],
)
def test_meta_elements(name: str, content: str, found: tuple[str, ...]) -> None:
    assert meta(name, content) == found


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"tdm-reservation": "1"}, ("tdm_reservation",)),
        ({"tdm-reservation": " 1 "}, ("tdm_reservation",)),
        ({"tdm-reservation": "0"}, ()),
        ({"tdm-policy": "https://example.cn/policy"}, ()),
        ({"content-usage": "train-ai=n"}, ("content_usage",)),
        ({"content-usage": "search=y, train-ai=n;exc=x"}, ("content_usage",)),
        ({"content-usage": "train-ai=y, search=n"}, ()),
        ({"content-signal": "search=yes, ai-train=no"}, ("content_usage",)),
        ({"content-signal": "ai-train=yes, ai-input=no"}, ()),
        ({"content-usage": "train-ai"}, ()),
        ({"content-type": "text/html"}, ()),
    ],
)
def test_other_headers(headers: dict[str, str], found: tuple[str, ...]) -> None:
    assert opt_outs(headers, "") == found


def test_all_places_count_together_in_a_fixed_order() -> None:
    html = (
        "<head><meta name=robots content='noimageai, none'><meta name=ccbot content=noai>"
        "<meta name=robots content='index, noml, nocache'></head>"
    )
    headers = {
        "x-robots-tag": "noarchive, noimageindex", "tdm-reservation": "1",
        "content-usage": "train-ai=n",
    }  # fmt: skip
    assert opt_outs(headers, html) == OPT_OUTS


def test_a_page_that_states_nothing() -> None:
    assert opt_outs({}, "") == ()
    assert opt_outs({}, "<html><head><meta name=viewport content=noindex></head></html>") == ()


@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
@pytest.mark.parametrize("unit", ["a:", ",", "noindex ", ": ", " \t", "googlebot: ", "noindex,"])
def test_a_hostile_header_takes_linear_time(unit: str) -> None:
    header(unit * (1_000_000 // len(unit)))


def test_examples() -> None:
    assert doctest.testmod(udfs.html.robots).failed == 0
