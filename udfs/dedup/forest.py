"""Union-find over a stream of edges: edges of any shape in, stars out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

LINK_DDL = "node string, parent string"

_ARROW_SCHEMA = pa.schema([("node", pa.string()), ("parent", pa.string())])


class Forest:
    """Disjoint sets of names; the smallest name of a set is its root."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def __len__(self) -> int:
        """Nodes that are not the root of their set."""
        return len(self._parents)

    def root(self, node: str) -> str:
        top = node
        while (above := self._parents.get(top)) is not None:
            top = above
        while node != top:  # second walk: everything on the way points at the top
            self._parents[node], node = top, self._parents[node]
        return top

    def join(self, first: str, second: str) -> None:
        low, high = sorted((self.root(first), self.root(second)))
        if low != high:
            self._parents[high] = low

    def links(self) -> dict[str, str]:
        """Root of every node that is not one.

        >>> forest = Forest()
        >>> for edge in [("c", "b"), ("b", "a"), ("e", "d")]:
        ...     forest.join(*edge)
        >>> forest.links()
        {'c': 'a', 'b': 'a', 'e': 'd'}
        """
        return {node: self.root(node) for node in list(self._parents)}


def contract_batches(
    max_links: int,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for mapInArrow from edges (node, hub) to LINK_DDL with the same components.

    Edges are contracted in runs that end once more than max_links links are held, which bounds
    the memory (about 300 bytes a link). What lies in two runs, or in two tasks, is joined later.
    """

    def contract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        forest = Forest()
        for batch in batches:
            nodes, hubs = batch.column("node").to_pylist(), batch.column("hub").to_pylist()
            for node, hub in zip(nodes, hubs, strict=True):
                forest.join(node, hub)
            if len(forest) > max_links:
                yield _batch(forest.links())
                forest = Forest()
        yield _batch(forest.links())

    return contract


def _batch(links: dict[str, str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(links.keys(), pa.string()), pa.array(links.values(), pa.string())],
        schema=_ARROW_SCHEMA,
    )
