"""Statements of schema.org on a page, as nodes: dicts of lists, however they were written.

JSON-LD and microdata state the same things in two forms. A node has the key ``@type`` with short
names ("Product") and short keys ("offers"); every value is a list of strings and nodes.

Source:
    JSON-LD 1.1, sections 3 and 4 (scripts, @graph, @id); schema.org's own examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

Value: TypeAlias = "str | Node"
Node: TypeAlias = "dict[str, list[Value]]"

TYPE, ID = "@type", "@id"

MAX_BLOCK_BYTES = 2 << 20
"""Bytes of a JSON-LD script that is read; the largest of a real shop seen has 120,000."""
MAX_NODES = 20_000
"""Nodes and lists of a page that are read."""
MAX_DEPTH = 60
"""Depth of nodes in each other."""

_OPENING = re.compile(rb"<(?:(!--)|[sS][cC][rR][iI][pP][tT](?=[\s>/])([^<>]{0,4096}+)>)", re.DOTALL)
_COMMENT_END, _SCRIPT_END = re.compile(rb"-->"), re.compile(rb"</[sS][cC][rR][iI][pP][tT]")
_IS_JSON_LD = b"ld+json"
# Shops write JSON by hand: a comma before a bracket, a comment or CDATA around all of it.
_TRAILING_COMMA = re.compile(r",(?=\s*+[\]}])")
_WRAPPED = re.compile(r"\A\s*+(?:<!--|<!\[CDATA\[|//<!\[CDATA\[)|(?:-->|\]\]>|//\]\]>)\s*+\Z")
_NAMESPACE = re.compile(r"\A(?:https?://(?:www\.)?schema\.org/|schema:)")


class Stated(NamedTuple):
    """What a page's scripts state.

    Attributes:
        nodes: Every node, each before those inside it, in the page's order.
        failures: Reasons of blocks that could not be read: bad_json, block_too_large,
            too_many_nodes.
    """

    nodes: list[Node]
    failures: list[str]


def may_state(page: bytes, word: bytes) -> bool:
    """Whether a JSON-LD script of a page has a word."""
    return _IS_JSON_LD in page and word in page and any(word in block for block in _blocks(page))


def json_ld_nodes(page: bytes) -> Stated:
    """Return all nodes of a page's JSON-LD scripts.

    Linear in the page's length, whatever it contains. A reference to another node of the page
    (``{"@id": "#brand"}``) becomes that node.

    Args:
        page: UTF-8.
    """
    found = Stated([], [])
    for block in _blocks(page):
        if len(block) > MAX_BLOCK_BYTES:
            found.failures.append("block_too_large")
            continue
        try:
            value = _parsed(block.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            found.failures.append("bad_json")
            continue
        if not _add_nodes(value, found.nodes):
            found.failures.append("too_many_nodes")
    _resolve_references(found.nodes)
    return found


def of_type(nodes: Sequence[Node], types: frozenset[str]) -> list[Node]:
    """Return the nodes that have one of these types."""
    return [node for node in nodes if not types.isdisjoint(_strings(node.get(TYPE)))]


def short_name(name: str) -> str:
    """Return a type or key without schema.org's namespace.

    >>> short_name("https://schema.org/InStock"), short_name("offers")
    ('InStock', 'offers')
    """
    return _NAMESPACE.sub("", name.strip())


def _blocks(page: bytes) -> Iterator[bytes]:
    """Yield the content of each JSON-LD script outside of comments."""
    position = 0
    while (tag := _OPENING.search(page, position)) is not None:
        end = (_COMMENT_END if tag[1] else _SCRIPT_END).search(page, tag.end())
        if end is None:
            return
        if not tag[1] and _IS_JSON_LD in tag[2].lower():
            yield page[tag.end() : end.start()]
        position = end.end()


def _parsed(text: str) -> object:
    """Parse JSON as shops write it.

    Raises:
        ValueError: it is none.
        RecursionError: its brackets are too deep.
    """
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return json.loads(_TRAILING_COMMA.sub("", _WRAPPED.sub("", text)), strict=False)


def _add_nodes(value: object, nodes: list[Node]) -> bool:
    """Append every node of a parsed script; False if there are too many, or too deep."""
    top: Node = {}
    left = MAX_NODES - len(nodes)
    # Last in, first out, and items reversed: nodes come in the order of the script.
    waiting: list[tuple[object, list[Value], int]] = [(value, top.setdefault("", []), 0)]
    while waiting:
        value, into, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > MAX_DEPTH:
            return False
        if isinstance(value, list):
            waiting.extend((item, into, depth + 1) for item in reversed(value))
        elif isinstance(value, dict):
            node: Node = {}
            nodes.append(node)
            into.append(node)
            fields = [(short_name(key), item) for key, item in value.items()]
            waiting.extend(
                (item, node.setdefault(key, []), depth + 1) for key, item in reversed(fields)
            )
        elif isinstance(value, bool):
            into.append(str(value).lower())
        elif value is not None:
            into.append(str(value))
    return True


def _resolve_references(nodes: Sequence[Node]) -> None:
    """Put the nodes of a page in the place of references to them."""
    by_id: dict[str, Node] = {}
    for node in nodes:
        name = first_text(node, ID)
        if name is not None and len(node) > 1:
            by_id.setdefault(name, node)
    if not by_id:
        return
    for node in nodes:
        for values in node.values():
            for place, value in enumerate(values):
                if isinstance(value, dict) and len(value) == 1 and ID in value:
                    values[place] = by_id.get(first_text(value, ID) or "", value)


def first_text(node: Node, *keys: str) -> str | None:
    """Return the first string that is not blank under the first of these keys that has one."""
    for key in keys:
        for value in node.get(key, ()):
            if isinstance(value, str) and value.strip():
                return value.strip()
    return None


def inner_nodes(node: Node, *keys: str) -> list[Node]:
    """Return the nodes under some keys."""
    return [value for key in keys for value in node.get(key, ()) if isinstance(value, dict)]


def _strings(values: Sequence[Value] | None) -> list[str]:
    return [short_name(value) for value in values or () if isinstance(value, str)]
