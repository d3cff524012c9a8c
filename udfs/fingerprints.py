"""One pass over the text: everything the duplicate levels compare, and nothing as long as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from udfs.minhash import BLOCK_CHARS, band_keys, shingle_hashes, signatures
from udfs.normalise import fold_texts, text_digest, url_digest
from udfs.preferred_hosts import PreferredHosts

FINGERPRINT_DDL = (
    "doc_id string, capture_micros bigint, preferred boolean, url_key binary, text_key binary, "
    "chars int, bands array<bigint>, signature binary"
)
"""preferred: the URL is of a preferred host. url_key and text_key: 128 bits, null means equal to
nothing. chars: normalised characters. bands: null for a document shorter than one shingle.
signature: little-endian 32-bit values, null where they are not asked for."""

_ARROW_SCHEMA = pa.schema(
    [
        ("doc_id", pa.string()),
        ("capture_micros", pa.int64()),
        ("preferred", pa.bool_()),
        ("url_key", pa.binary()),
        ("text_key", pa.binary()),
        ("chars", pa.int32()),
        ("bands", pa.list_(pa.int64())),
        ("signature", pa.binary()),
    ]
)

NO_HOSTS = PreferredHosts(())

BatchMap = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Banding:
    """How documents become band keys."""

    shingle_chars: int
    bands: int
    rows: int
    keep_signature: bool
    """Also give the signature itself, for verification by estimate."""


def fingerprint_batches(banding: Banding | None, preferred_hosts: Sequence[str] = ()) -> BatchMap:
    """A function for mapInArrow from (doc_id, capture_micros, url, text) to FINGERPRINT_DDL.

    Batch: one batch out for each batch in; inside, documents are worked on in blocks of about
    65,000 characters, so memory beside the batch is a few MiB and one document's arrays.

    Args:
        banding: None leaves bands and signature null.
        preferred_hosts: Hosts whose documents are marked, with the hosts below them.
    """
    hosts = PreferredHosts(preferred_hosts)

    def fingerprint(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield fingerprint_batch(batch, banding, hosts)

    return fingerprint


def fingerprint_batch(
    batch: pa.RecordBatch, banding: Banding | None, hosts: PreferredHosts = NO_HOSTS
) -> pa.RecordBatch:
    """Fingerprints of one batch; rows keep their order."""
    texts = read_texts(batch.column("text"))
    urls = batch.column("url").to_pylist()
    text_keys: list[bytes | None] = []
    chars: list[int] = []
    bands: list[np.ndarray | None] = []
    kept_signatures: list[bytes | None] = []
    for first, last in text_blocks(texts):
        codes, offsets = fold_texts(texts[first:last])
        chars += np.diff(offsets).tolist()
        bounds = offsets.tolist()
        text_keys += [text_digest(codes[start:end]) for start, end in pairwise(bounds)]
        if banding is None:
            bands += [None] * (last - first)
            kept_signatures += [None] * (last - first)
            continue
        hashes, hash_offsets = shingle_hashes(codes, offsets, banding.shingle_chars)
        long_enough = np.diff(hash_offsets) > 0
        starts = np.append(hash_offsets[:-1][long_enough], hash_offsets[-1])
        values = signatures(hashes, starts, banding.bands * banding.rows)
        keys = iter(band_keys(values, banding.bands, banding.rows))
        rows = iter(values.astype("<u4"))
        for usable in long_enough:
            bands.append(next(keys) if usable else None)
            row = next(rows).tobytes() if usable else None
            kept_signatures.append(row if banding.keep_signature else None)
    return pa.RecordBatch.from_arrays(
        [
            batch.column("doc_id").cast(pa.string()),
            batch.column("capture_micros"),
            pa.array(map(hosts.match, urls), pa.bool_()),
            pa.array(map(url_digest, urls), pa.binary()),
            pa.array(text_keys, pa.binary()),
            pa.array(chars, pa.int32()),
            pa.array(bands, pa.list_(pa.int64())),
            pa.array(kept_signatures, pa.binary()),
        ],
        schema=_ARROW_SCHEMA,
    )


def read_texts(column: pa.Array) -> list[str]:
    """Texts of an Arrow column; null is the empty text, broken UTF-8 is replaced, not raised."""
    payloads = column.cast(pa.large_binary()).to_pylist()
    return ["" if payload is None else payload.decode("utf-8", "replace") for payload in payloads]


def text_blocks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut documents into runs of about BLOCK_CHARS characters, one document at least."""
    first = 0
    chars = 0
    for index, text in enumerate(texts):
        if chars and chars + len(text) > BLOCK_CHARS:
            yield first, index
            first, chars = index, 0
        chars += len(text)
    if first < len(texts):
        yield first, len(texts)
