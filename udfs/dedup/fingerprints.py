"""Fingerprints of documents: the keys that duplicate levels compare, in one pass over texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.base.worker import BatchMap, keeps_what_it_loads
from udfs.dedup.minhash import (
    BLOCK_CHARS,
    Shingles,
    band_keys,
    fold_column,
    shingle_hashes,
    signatures,
    word_codes,
)
from udfs.dedup.normalise import normalise_host, text_digest, url_digest

FINGERPRINT_DDL = (
    "doc_id string, capture_micros bigint, preferred boolean, url_key binary, text_key binary, "
    "chars int, bands array<bigint>, signature binary"
)
"""preferred: the URL is of a preferred host. url_key and text_key: 128 bits, null equals nothing.
chars: normalised characters. bands: null for a document shorter than one shingle. signature:
little-endian 32-bit values, null unless `Banding.keep_signature`."""

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

BLOCK_BYTES = 3 * BLOCK_CHARS
"""Bytes of texts that are hashed together: a Chinese character has three."""


class PreferredHosts:
    """Hosts that the keep policy prefers, each with all hosts below it."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(normalise_host(host) for host in hosts)

    def match(self, url: str | None) -> bool:
        """Whether the URL's host is one of them, or below one.

        >>> PreferredHosts(["People.com.cn"]).match("http://news.people.com.cn:80/1")
        True
        >>> PreferredHosts(["people.com.cn"]).match("http://otherpeople.com.cn/")
        False
        """
        if not self._hosts or url is None:
            return False
        try:
            host = normalise_host(urlsplit(url.strip()).hostname or "")
        except ValueError:  # a broken IPv6 host
            return False
        while host:
            if host in self._hosts:
                return True
            host = host.partition(".")[2]
        return False


NO_HOSTS = PreferredHosts(())


@dataclass(frozen=True)
class Banding:
    """How documents become band keys."""

    shingles: Shingles
    bands: int
    rows: int
    keep_signature: bool
    """Also give the signature itself, for verification by estimate."""


def fingerprint_batches(
    banding: Banding | None,
    preferred_hosts: Sequence[str] = (),
    with_url_keys: bool = True,
    with_text_keys: bool = True,
) -> BatchMap:
    """A function for mapInArrow from (doc_id, capture_micros, url, text) to FINGERPRINT_DDL.

    Batch: one batch out for each batch in; inside, documents are worked on in blocks of about
    65,000 characters, so memory beside the batch is a few MiB and one document's arrays.

    Args:
        banding: None leaves bands and signature null.
        preferred_hosts: Hosts whose documents are marked, with the hosts below them.
        with_url_keys: Else url_key is null; with_text_keys: likewise text_key.
    """
    hosts = PreferredHosts(preferred_hosts)

    @keeps_what_it_loads("fingerprint")
    def fingerprint(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield fingerprint_batch(batch, banding, hosts, with_url_keys, with_text_keys)

    return fingerprint


def fingerprint_batch(
    batch: pa.RecordBatch,
    banding: Banding | None,
    hosts: PreferredHosts = NO_HOSTS,
    with_url_keys: bool = True,
    with_text_keys: bool = True,
) -> pa.RecordBatch:
    """Fingerprints of one batch; rows keep their order."""
    rows = len(batch)
    texts = batch.column("text").cast(pa.large_binary())
    text_keys: list[bytes | None] = []
    chars = [np.empty(0, dtype=np.int64)]
    keys: list[np.ndarray] = []
    values: list[np.ndarray] = []
    usable = [np.empty(0, dtype=bool)]
    for first, last in text_blocks(texts):
        block = texts.slice(first, last - first)
        codes, offsets = fold_column(block)
        chars.append(np.diff(offsets))
        if with_text_keys:
            bounds = offsets.tolist()
            text_keys += [text_digest(codes[start:end]) for start, end in pairwise(bounds)]
        if banding is not None:
            units = word_codes(block) if banding.shingles.of_words else (codes, offsets)
            hashes, hash_offsets = shingle_hashes(*units, banding.shingles.width)
            long_enough = np.diff(hash_offsets) > 0
            starts = np.append(hash_offsets[:-1][long_enough], hash_offsets[-1])
            signed = signatures(hashes, starts, banding.bands * banding.rows)
            keys.append(band_keys(signed, banding.bands, banding.rows))
            usable.append(long_enough)
            if banding.keep_signature:
                values.append(signed.astype("<u4"))
    urls = batch.column("url").to_pylist()
    has_bands = np.concatenate(usable) if banding is not None else np.zeros(rows, dtype=bool)
    url_keys = map(url_digest, urls) if with_url_keys else [None] * rows
    return pa.RecordBatch.from_arrays(
        [
            batch.column("doc_id").cast(pa.string()),
            batch.column("capture_micros"),
            pa.array(map(hosts.match, urls), pa.bool_()),
            pa.array(url_keys, pa.binary()),
            pa.array(text_keys if with_text_keys else [None] * rows, pa.binary()),
            pa.array(np.concatenate(chars).astype(np.int32)),
            _lists(keys, has_bands),
            _signature_column(values, has_bands),
        ],
        schema=_ARROW_SCHEMA,
    )


def text_blocks(texts: pa.Array) -> Iterator[tuple[int, int]]:
    """Cut a column of texts into runs (first, last + 1) of about BLOCK_BYTES, at least one text."""
    sizes = pc.binary_length(texts).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(sizes)
    first = 0
    while first < len(texts):
        held = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, held + BLOCK_BYTES, side="right")), first + 1)
        yield first, last
        first = last


def _lists(keys: list[np.ndarray], filled: np.ndarray) -> pa.Array:
    """A list of band keys for every row that is filled, null for the others."""
    if not keys:
        return pa.nulls(len(filled), pa.list_(pa.int64()))
    matrix = np.concatenate(keys)
    offsets = np.append(0, np.cumsum(filled)).astype(np.int32) * matrix.shape[1]
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(matrix.ravel()), mask=pa.array(~filled)
    )


def _signature_column(values: list[np.ndarray], filled: np.ndarray) -> pa.Array:
    rows = (row.tobytes() for block in values for row in block)
    is_kept = filled if values else np.zeros(len(filled), dtype=bool)
    return pa.array([next(rows) if kept else None for kept in is_kept.tolist()], pa.binary())
