"""Microdata of a page as nodes, as those of JSON-LD.

Source:
    HTML Standard, section 5.2 (items, itemref, values of properties).
"""

from __future__ import annotations

from typing import Final

from resiliparse.parse.html import DocumentNode, ElementNode, HTMLTree

from udfs.products.nodes import MAX_DEPTH, TYPE, Node, short_name

MAX_ELEMENTS = 20_000
"""Elements inside the items of a page that are read."""
MAX_VALUE_CHARS = 20_000
MAX_TEXT_CHARS = 4_000_000
"""Characters of all values together: elements in each other repeat their text."""

_PLACES: Final = {
    "meta": "content",
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "source": "src",
    "track": "src",
    "video": "src",
    "a": "href",
    "area": "href",
    "link": "href",
    "object": "data",
    "data": "value",
    "meter": "value",
    "time": "datetime",
}
"""Attribute that holds the value of an element's property."""


def may_have_products(page: bytes) -> bool:
    """Whether a page has an item that is a product, as far as its bytes show."""
    return b"schema.org/Product" in page and b"itemscope" in page


def microdata_nodes(page: bytes) -> list[Node]:
    """Return the items of a page, each before those inside it.

    Args:
        page: UTF-8, within the limits of `udfs.html.page_text.HtmlLimits`.
    """
    tree = HTMLTree.parse_from_bytes(page, "utf-8")
    nodes: list[Node] = []
    document = tree.document
    if document is None:
        return nodes
    walk = _Walk(document, nodes)
    for item in document.query_selector_all("[itemscope][itemtype]"):
        if walk.is_outermost(item):
            walk.add_item(item)
    return nodes


class _Walk:
    """Reads items until a limit is reached."""

    def __init__(self, document: DocumentNode, nodes: list[Node]) -> None:
        self._document = document
        self._nodes = nodes
        self._left = MAX_ELEMENTS
        self._chars_left = MAX_TEXT_CHARS

    def is_outermost(self, item: ElementNode) -> bool:
        """Whether an item is inside no other one, whatever it is called: real pages name items
        (``itemprop="mainEntity"``) whose outer item they have left out."""
        if not item.hasattr("itemprop"):
            return True
        outer = item.parent
        while isinstance(outer, ElementNode) and self._left > 0:
            if outer.hasattr("itemscope"):
                return False
            outer = outer.parent
            self._left -= 1
        return self._left > 0

    def add_item(self, item: ElementNode) -> None:
        """Append the node of an item and of those inside it."""
        waiting: list[tuple[ElementNode, Node, int]] = []
        self._begin(item, waiting, 0)
        while waiting and self._left > 0 and self._chars_left > 0:
            element, node, depth = waiting.pop()
            self._left -= 1
            names = (element.getattr("itemprop") or "").split()
            if element.hasattr("itemscope"):
                # An item without a name belongs to nothing; it is read where the page has it.
                inner = self._begin(element, waiting, depth + 1) if names else None
                values: list[str | Node] = [] if inner is None else [inner]
            else:
                values = [self._text_value(element)] if names else []
                waiting.extend(_children(element, node, depth + 1))
            for name in names:
                node.setdefault(short_name(name), []).extend(values)

    def _begin(
        self, item: ElementNode, waiting: list[tuple[ElementNode, Node, int]], depth: int
    ) -> Node | None:
        """Append an item's node and put its children on the stack; None beyond the limits."""
        if depth > MAX_DEPTH:
            return None
        types = (item.getattr("itemtype") or "").split()
        node: Node = {TYPE: [short_name(name) for name in types]}
        self._nodes.append(node)
        for name in reversed((item.getattr("itemref") or "").split()[:20]):
            referred = self._document.get_element_by_id(name)
            if referred is not None and referred is not item:
                waiting.append((referred, node, depth + 1))
        waiting.extend(_children(item, node, depth + 1))
        return node

    def _text_value(self, element: ElementNode) -> str:
        """Return the value of a property that is no item."""
        attribute = _PLACES.get(element.tag or "")
        # Shops also write <span itemprop=price content=9.90>, which the standard does not know.
        for name in (attribute, "content"):
            value = element.getattr(name) if name else None
            if value:
                return str(value)[:MAX_VALUE_CHARS]
        text = element.text or ""
        self._chars_left -= len(text)
        return text[:MAX_VALUE_CHARS]


def _children(element: ElementNode, node: Node, depth: int) -> list[tuple[ElementNode, Node, int]]:
    """Return the child elements in the order of a stack."""
    # From child to child: the list of children takes time by the square of its length.
    children = []
    child = element.first_child
    while child is not None:
        if isinstance(child, ElementNode):
            children.append((child, node, depth))
        child = child.next_sibling
    return children[::-1]
