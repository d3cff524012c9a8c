"""robots.txt: sites, agents and rules, and files that are written to cost time or memory."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest
from protego import Protego

from udfs.lists.robots_rules import (
    RobotsRules,
    disallowed,
    for_agents,
    origin_of,
    site_check,
)

CCBOT = """\
User-agent: *
Disallow: /private/
Allow: /private/open

User-agent: GPTBot
User-agent: ccbot  # Common Crawl
Disallow: /*.pdf$
Disallow: /ai
Allow: /ai/about
"""


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://EXAMPLE.cn/a?b#c", "http://example.cn"),
        ("https://example.cn:443", "https://example.cn"),
        ("https://me:pw@example.cn:8443/", "https://example.cn:8443"),
        ("http://例子.cn/", "http://xn--fsqu00a.cn"),
        ("http://[2001:db8::1]:80/a", "http://[2001:db8::1]"),
        ("http://[2001:db8::1]:81/a", "http://[2001:db8::1]:81"),
        ("http://a.cn?x://y", "http://a.cn"),
        ("dns:a.cn", None),
        ("ftp://a.cn/", None),
        ("http:///nothing", None),
        ("", None),
        (None, None),
    ],
)
def test_origins(url: str | None, origin: str | None) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("agents", "path", "expected"),
    [
        (["CCBot"], "/ai/x", True),
        (["CCBot"], "/ai/about/us", False),
        (["CCBot"], "/a/b.pdf", True),
        (["CCBot"], "/a/b.pdf?c", False),
        (["CCBot"], "/private/x", False),  # its own group holds, not that of *
        (["*"], "/private/x", True),
        (["*"], "/private/open/x", False),
        (["other"], "/private/x", True),
        (["CCBot", "*"], "/private/x", True),  # one that is forbidden is enough
        (["CCBot"], "/robots.txt", False),
    ],
)
def test_a_url_is_disallowed_by_the_group_of_an_agent(
    agents: Sequence[str], path: str, expected: bool
) -> None:
    assert RobotsRules(CCBOT, agents).disallow(f"http://a.cn{path}") is expected


@pytest.mark.parametrize(
    "text",
    [
        CCBOT,
        "user agent ccbot\nDisallow: /x\nUser agent: foo\nDisallow: /",
        "User-agent: foo*\nUser-agent: cc*bot\nDisallow: /x",
        "User-agent\nDisallow: /\nUseragent: bot # x\nDisallow: /y\n\nUser-Agent:ccbot\nAllow: /",
        "User-agent: foo:bar\nDisallow: /\nUser-agent: *\nSitemap: http://a/\nDisallow: /x",
        "Disallow: /\nuser-agent: CCBot/2.0\nnonsense\nDisallow /x",
        "User-agent: *\n\nUser-agent: -\nDisallow: /x\nUser agent foo ccbot\nDisallow: /y",
    ],
)
def test_leaving_out_other_agents_changes_no_answer(text: str) -> None:
    whole = Protego.parse(text)
    for agent in ("CCBot", "*", "foo", "my-bot"):
        rules = RobotsRules(text, [agent])
        for path in ("/", "/x", "/y/z", "/ai", "/a.pdf", "/private/a"):
            url = f"http://a.cn{path}"
            assert rules.disallow(url) is not whole.can_fetch(url, agent), (agent, path)


def test_a_file_of_many_agents_and_rules_is_parsed_for_those_that_are_asked_for() -> None:
    agents = "".join(f"User-agent: b{n}\n" for n in range(15_000))
    rules = "".join(f"Disallow: /p{n}\n" for n in range(20_000))
    text = f"{agents}User-agent: ccbot\n{rules}"
    assert for_agents(text, ["CCBot"]).count("User-agent: -\n") == 15_000
    parsed = RobotsRules(text, ["CCBot"])
    assert len(parsed._parsed._user_agents) == 2
    assert parsed.disallow("http://a.cn/p7") and not parsed.disallow("http://a.cn/q")


def test_wildcards_and_long_urls_take_no_time_that_grows_with_their_product() -> None:
    text = "User-agent: *\n" + f"Disallow: /{'*a' * 200}b$\n" * 500
    assert not RobotsRules(text, ["x"]).disallow("http://a.cn/" + "a" * 500_000)


def test_bytes_that_are_no_rules_allow_everything() -> None:
    for text in ("", "\0\x01\x02", "<html>Not found</html>", "Disallow: /", "User-agent: *"):
        assert not RobotsRules(text, ["CCBot"]).disallow("http://a.cn/x")
    assert not RobotsRules(CCBOT, ["CCBot"]).disallow("http://[broken/ai?例")


@pytest.mark.parametrize(
    ("status", "text", "unreachable", "expected"),
    [
        (200, "User-agent: *\nDisallow: /a", "disallow", [True, False]),
        (200, None, "disallow", [True, True]),  # a body that cannot be read
        (200, "User-agent: *\nDisallow: /x\n" + "Allow: *\n" * 6_000, "disallow", [True, True]),
        (200, "User-agent: *\nDisallow: /a\n" + "Allow: *z\n" * 4_000, "disallow", [True, False]),
        (None, None, "disallow", [True, True]),
        (None, None, "allow", [False, False]),
        (503, None, "disallow", [True, True]),
        (503, None, "allow", [False, False]),
        (404, None, "disallow", [False, False]),
        (429, None, "disallow", [False, False]),
        (301, None, "disallow", [False, False]),  # a redirect that leads nowhere
    ],
)
def test_what_a_status_says(
    status: int | None, text: str | None, unreachable: str, expected: list[bool]
) -> None:
    urls = ["http://a.cn/a", "http://a.cn/b"]
    found = disallowed(urls, status, text, ["CCBot"], unreachable)  # type: ignore[arg-type]
    assert found == expected


def test_the_documents_of_a_site_are_checked_together() -> None:
    documents = pa.table({"doc_id": ["1", "2"], "url": ["http://a.cn/a", "http://a.cn/b"]})
    rules = pa.table({"status": [200], "text": ["User-agent: *\nDisallow: /b"]})
    check = site_check(["CCBot"], "disallow")
    assert check(documents, rules).to_pydict() == {"doc_id": ["2"]}
    assert check(documents, rules.slice(0, 0)).num_rows == 0
