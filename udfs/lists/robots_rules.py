"""robots.txt: whether agents may fetch a URL, by the rules of its site.

protego parses the rules and compares them with URLs. Its work is bounded here: only the groups that
an agent may belong to are parsed, since a file of many agents and many rules has as many rules as
their product.

Source: RFC 9309, The Robots Exclusion Protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import pyarrow as pa
from protego import Protego

from udfs.lists.urls import normal_host

Unreachable = Literal["disallow", "allow"]
"""What holds of a site whose robots.txt could not be read."""

MAX_URL_CHARS = 4_096
"""Leading characters of a URL that are compared."""
MAX_WILDCARDS = 5_000
"""Asterisks of a file; one of more cannot be used. With 160,000 of them a URL takes 92 ms, with
none 0.6 ms at most, in an ordinary file 0.015 ms."""

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_AGENT_FIELDS = frozenset({"user-agent", "useragent", "user agent"})
_NO_AGENT = "User-agent: -"
"""Begins or continues a group of agents that nobody asks for."""


def origin_of(url: str | None) -> str | None:
    """Return scheme, host and port of a URL, the part that a robots.txt is for; None without one.

    >>> origin_of("HTTPS://WWW.Example.cn:443/a?b"), origin_of("http://a.cn:8080")
    ('https://www.example.cn', 'http://a.cn:8080')
    >>> origin_of("mailto:me@a.cn")
    """
    scheme, separator, rest = (url or "").strip().partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _DEFAULT_PORTS:
        return None
    for end in "/?#\\":
        rest = rest.partition(end)[0]
    authority = rest.rpartition("@")[2]
    host = normal_host(authority)
    if not host:
        return None
    port = authority.rpartition("]")[2].rpartition(":")[2] if ":" in authority else ""
    if not port.isdecimal() or port == _DEFAULT_PORTS[scheme]:
        port = ""
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"


class RobotsRules:
    """What a site's robots.txt says to some agents."""

    def __init__(self, text: str, agents: Sequence[str]) -> None:
        """Parse a robots.txt, whatever it holds."""
        self._agents = tuple(agents)
        self._parsed = Protego.parse(for_agents(text, self._agents))

    def disallow(self, url: str) -> bool:
        """Whether one of the agents may not fetch a URL; False for what is no URL."""
        compared = url[:MAX_URL_CHARS]
        try:
            return not all(self._parsed.can_fetch(compared, agent) for agent in self._agents)
        except ValueError:  # a broken IPv6 bracket
            return False


def for_agents(text: str, agents: Sequence[str]) -> str:
    """Replace the names of agents that are none of these, and match none of them, by one name.

    >>> for_agents("User-agent: a\\nuser agent x # c\\nUser-agent: *\\nDisallow: /", ["ccbot"])
    'User-agent: -\\nUser-agent: -\\nUser-agent: *\\nDisallow: /'
    """
    asked = [agent.lower() for agent in agents]
    lines = []
    for line in text.splitlines():
        named = _named_agent(line)
        if named and named != "*":
            name = named.replace("*", "")
            if not any(name in agent for agent in asked):
                line = _NO_AGENT
        lines.append(line)
    return "\n".join(lines)


def _named_agent(line: str) -> str | None:
    """Return the agent that a line names, as protego reads lines; None for another line."""
    line = line.partition("#")[0].strip().lower()
    field, colon, value = line.partition(":")
    if colon:
        if field.strip() in _AGENT_FIELDS:
            return value.strip()
        if not value or value[0].isspace():
            return None
    words = line.split(maxsplit=2)
    for count in (1, 2):
        if " ".join(words[:count]) in _AGENT_FIELDS:
            return line.split(maxsplit=count)[count] if len(words) > count else ""
    return None


def disallowed(
    urls: Sequence[str],
    status: int | None,
    text: str | None,
    agents: Sequence[str],
    unreachable: Unreachable,
) -> list[bool]:
    """Whether agents may not fetch URLs of one site.

    Args:
        status: HTTP status of its robots.txt; None for an answer that could not be read.
        text: Its rules; None where there are none.
        unreachable: For a site that answered with a server error, or with what cannot be read or
            used.
    """
    if text is not None and text.count("*") <= MAX_WILDCARDS:
        rules = RobotsRules(text, agents)
        return [rules.disallow(url) for url in urls]
    is_unreachable = status is None or status >= 500 or 200 <= status < 300
    return [is_unreachable and unreachable == "disallow"] * len(urls)


def origin_adder(
    column: str, name: str
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for mapInArrow that adds a column of the origins of URLs."""

    def added(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            origins = [origin_of(url) for url in batch.column(column).to_pylist()]
            yield batch.append_column(name, pa.array(origins, pa.string()))

    return added


def site_check(
    agents: Sequence[str], unreachable: Unreachable
) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """Return the function for applyInArrow over the documents of a site and its robots.txt.

    Batch: doc_id and url of all documents of a site; status and text of its robots.txt, one row or
    none. Returns doc_id of those that are disallowed.
    """

    def checked(documents: pa.Table, rules: pa.Table) -> pa.Table:
        ids = documents.select(["doc_id"])
        if not rules.num_rows:  # a redirect to a site whose file was not captured
            return ids.slice(0, 0)
        status, text = (rules.column(name)[0].as_py() for name in ("status", "text"))
        urls = documents.column("url").to_pylist()
        found = disallowed(urls, status, text, agents, unreachable)
        return ids.filter(pa.array(found, pa.bool_()))

    return checked
