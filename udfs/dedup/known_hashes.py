"""Hashes of 64 bits that are near to one of a known set: images of benchmarks.

The known hashes are cut into one band more than bits may differ, and sorted by each: a hash that is
near to a known one is equal to it in a band, and is compared with those that are. None is missed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import BooleanType

from udfs.base.array_types import BoolArray, Int64Array, UInt64Array
from udfs.base.jit import compiled
from udfs.dedup.near_hashes import Band, bands_of, differing_bits

_BITS = 64
_HASH = re.compile(r"[0-9a-fA-F]{16}")


class HashFileError(ValueError):
    """A file of hashes has a line that is none."""


def read_hashes(lines: Iterable[str], name: str) -> UInt64Array:
    """Read hashes of 16 hexadecimal digits a line; blank lines and those after # do not count.

    Args:
        name: Of the file, for messages.
    Returns:
        Distinct hashes, ascending.
    Raises:
        HashFileError: naming file and line, or a file without a hash.
    """
    found: set[int] = set()
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        if not _HASH.fullmatch(text):
            raise HashFileError(
                f"{name}, line {number}: {text[:40]!r} is no hash; expected 16 hexadecimal digits"
            )
        found.add(int(text, 16))
    if not found:
        raise HashFileError(f"{name}: has no hash; expected 16 hexadecimal digits a line")
    return np.array(sorted(found), dtype=np.uint64)


@dataclass(frozen=True)
class KnownHashes:
    """Known hashes, sorted by each band."""

    distance: int
    """Most bits that differ."""
    bands: Sequence[Band]
    keys: UInt64Array
    """Bits of the band, ascending, shape (bands, hashes)."""
    values: UInt64Array
    """The hashes in that order, shape (bands, hashes)."""


def known_hashes(hashes: UInt64Array, distance: int) -> KnownHashes:
    """Prepare known hashes. Memory: 16 bytes for each hash and band."""
    bands = bands_of(_BITS, distance)
    keys = np.stack([_key(hashes, band) for band in bands])
    order = np.argsort(keys, axis=1, kind="stable")
    values = np.take_along_axis(np.broadcast_to(hashes, keys.shape), order, axis=1)
    ordered = np.take_along_axis(keys, order, axis=1)
    return KnownHashes(distance, bands, ordered, np.ascontiguousarray(values))


def are_known(hashes: UInt64Array, known: KnownHashes) -> BoolArray:
    """Whether each of some hashes differs from a known one in at most its distance, shape
    (hashes,)."""
    found = np.zeros(len(hashes), dtype=np.bool_)
    for place, band in enumerate(known.bands):
        key = _key(hashes, band)
        first = np.searchsorted(known.keys[place], key, side="left")
        end = np.searchsorted(known.keys[place], key, side="right")
        _compare(hashes, first, end, known.values[place], known.distance, found)
    return found


def are_known_udf(known: KnownHashes) -> Callable[..., Any]:
    """A UDF: hash (bigint, not null) -> whether it is near to a known one, as `are_known`.

    Batch: any number of rows; the known hashes travel with the function.
    """

    @pandas_udf(BooleanType())  # type: ignore[call-overload, untyped-decorator]
    def near(hashes: pd.Series) -> pd.Series:
        return pd.Series(are_known(hashes.to_numpy().astype(np.uint64), known))

    return cast(Callable[..., Any], near.asNondeterministic())


def _key(hashes: UInt64Array, band: Band) -> UInt64Array:
    """The bits of a band."""
    return (hashes >> np.uint64(band.shift)) & np.uint64((1 << band.bits) - 1)


@compiled
def _compare(
    hashes: UInt64Array,
    first: Int64Array,
    end: Int64Array,
    values: UInt64Array,
    distance: int,
    found: BoolArray,
) -> None:
    """Mark the hashes that are near to a value from first to end."""
    for place in range(len(hashes)):
        if found[place]:
            continue
        for other in range(first[place], end[place]):
            if differing_bits(hashes[place], values[other]) <= distance:
                found[place] = True
                break
