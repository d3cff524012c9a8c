"""Similarity of candidate pairs, streamed: the hub of a group first, then its members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from udfs.base.array_types import UInt64Array
from udfs.base.worker import BatchMap
from udfs.dedup.fingerprints import text_blocks
from udfs.dedup.minhash import Shingles, shingle_sets, similarity

SIMILARITY_DDL = "node string, hub string, similarity double"

_ARROW_SCHEMA = pa.schema(
    [("node", pa.string()), ("hub", pa.string()), ("similarity", pa.float64())]
)


def compare_batches(shingles: Shingles | None) -> BatchMap:
    """A function for mapInArrow from (hub, node, payload) to SIMILARITY_DDL.

    Rows come in groups of one hub, the row with ``node == hub`` first. Only the current hub is
    held, so a hub may have any number of members. The hub's own row gives no output.

    Args:
        shingles: Payloads are texts, compared by the exact Jaccard similarity of their
            shingles; None: payloads are signatures, compared by their share of equal values.
    Raises:
        RuntimeError: a member comes without its hub before it, so pairs would be lost.
    """
    is_estimate = shingles is None

    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        hub: str | None = None
        hub_values: UInt64Array | None = None
        for batch in batches:
            hubs = batch.column("hub").to_pylist()
            members = batch.column("node").to_pylist()
            nodes, node_hubs, similarities = [], [], []
            payloads = _payloads(batch.column("payload"), shingles)
            for group, member, values in zip(hubs, members, payloads, strict=True):
                if member == group:
                    hub, hub_values = group, values
                    continue
                if group != hub or hub_values is None:
                    raise RuntimeError(
                        f"candidate pairs: document {member!r} came without its hub {group!r} "
                        "before it"
                    )
                nodes.append(member)
                node_hubs.append(group)
                similarities.append(
                    similarity(hub_values, 0, len(hub_values), values, 0, len(values), is_estimate)
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


def _payloads(column: pa.Array, shingles: Shingles | None) -> Iterator[UInt64Array]:
    """What each payload is compared by: the values of a signature, or a set of shingle hashes."""
    if shingles is None:
        for payload in column.to_pylist():
            yield np.frombuffer(payload, dtype="<u4").astype(np.uint64)
        return
    texts = column.cast(pa.large_binary())
    for first, last in text_blocks(texts):
        hashes, starts, stops = shingle_sets(texts.slice(first, last - first), shingles)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            yield hashes[start:stop]
