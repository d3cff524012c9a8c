"""The img elements of a page by a parser's tree: the plain twin of the scan."""

from __future__ import annotations

from resiliparse.parse.html import DOMNode, HTMLTree

SHOWN = ("src", "srcset", "alt", "title", "width", "data-src", "data-original")


def plain_images(page: bytes) -> list[tuple[tuple[str, ...], str | None, bool]]:
    """What an img element has of `SHOWN` ("-" without), its link's href, and if it is in a
    noscript; sorted."""
    tree = HTMLTree.parse_from_bytes(page, "utf-8")
    found = []
    for node in tree.document.get_elements_by_tag_name("img"):
        names = set(node.attrs)
        shown = tuple(
            "".join((node.getattr(name) or "").split()) if name in names else "-" for name in SHOWN
        )
        found.append((shown, _href(node), _within(node, "noscript") is not None))
    return sorted(found, key=repr)


def _href(node: DOMNode) -> str | None:
    link = _within(node, "a")
    return None if link is None else "".join((link.getattr("href") or "").split())


def _within(node: DOMNode, name: str) -> DOMNode | None:
    parent = node.parent
    while parent is not None and parent.tag != name:
        parent = parent.parent
    return parent
