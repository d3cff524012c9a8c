"""Similarity of candidate pairs, streamed: a group's hub first, then those compared with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from udfs.base.worker import BatchMap
from udfs.dedup.fingerprints import read_texts, text_blocks
from udfs.dedup.minhash import agreement, jaccard, shingle_hashes, shingle_sets
from udfs.dedup.normalise import fold_texts

SIMILARITY_DDL = "node string, hub string, similarity double"

_ARROW_SCHEMA = pa.schema(
    [("node", pa.string()), ("hub", pa.string()), ("similarity", pa.float64())]
)


def compare_batches(shingle_chars: int | None) -> BatchMap:
    """A function for mapInArrow from (hub, node, payload) to SIMILARITY_DDL.

    Rows come in groups of one hub, the row with ``node == hub`` first. Only the current hub is
    held, so a hub may have any number of members. The hub's own row gives no output.

    Args:
        shingle_chars: The payload is a text, compared by the exact Jaccard similarity of its
            shingles; None: the payload is a signature, compared by agreement.
    Raises:
        RuntimeError: a member without its hub before it; the shuffle broke its promise, and to
            go on would lose pairs silently.
    """

    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        hub: str | None = None
        hub_values: np.ndarray | None = None
        for batch in batches:
            hubs = batch.column("hub").to_pylist()
            members = batch.column("node").to_pylist()
            nodes, node_hubs, similarities = [], [], []
            payloads = _payloads(batch.column("payload"), shingle_chars)
            for group, member, values in zip(hubs, members, payloads, strict=True):
                if member == group:
                    hub, hub_values = group, values
                    continue
                if group != hub or hub_values is None:
                    raise RuntimeError(f"document {member!r} arrived without its hub {group!r}")
                nodes.append(member)
                node_hubs.append(group)
                similarities.append(
                    agreement(hub_values, values)
                    if shingle_chars is None
                    else jaccard(hub_values, values)
                )
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(nodes, pa.string()),
                    pa.array(node_hubs, pa.string()),
                    pa.array(similarities, pa.float64()),
                ],
                schema=_ARROW_SCHEMA,
            )

    return compare


def _payloads(column: pa.Array, shingle_chars: int | None) -> Iterator[np.ndarray]:
    if shingle_chars is None:
        for payload in column.to_pylist():
            yield np.frombuffer(payload, dtype="<u4")
        return
    texts = read_texts(column)
    for first, last in text_blocks(texts):
        codes, offsets = fold_texts(texts[first:last])
        yield from shingle_sets(*shingle_hashes(codes, offsets, shingle_chars))
