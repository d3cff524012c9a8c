"""Millions of names with a category each, in 18 bytes a name."""

from __future__ import annotations

from array import array
from bisect import bisect_left

import numpy as np

MAX_CATEGORIES = 1 << 16


class HostIndex:
    """A map from names to categories, built once, then only read.

    A name is kept as two hashes of 64 bits by Python's keyed hash (SipHash), which is the same
    within a process; a dictionary of four million host names takes half a gigabyte in every
    worker. A name that is not there is found with a chance of names / 2**128; of five million names
    two share the first hash, and one of them is lost, with a chance of one in a million.
    """

    def __init__(self) -> None:
        self._keys = array("q")
        self._checks = array("q")
        self._kinds = array("H")
        self._categories: dict[str, int] = {}
        self._names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of names; before ``freeze`` those that were given twice count twice."""
        return len(self._keys)

    def __reduce__(self) -> str:
        """Refused: in another process the hashes are others.

        Raises:
            TypeError: always.
        """
        raise TypeError("a HostIndex holds for one process; read the list again in the other")

    def add(self, name: str, category: str) -> None:
        """Put a name in; given again it takes the later category.

        Raises:
            OverflowError: more than MAX_CATEGORIES categories.
        """
        kind = self._categories.setdefault(category, len(self._categories))
        if kind >= MAX_CATEGORIES:
            raise OverflowError(f"more than {MAX_CATEGORIES:,} categories")
        self._keys.append(hash(name))
        self._checks.append(hash(name[::-1]))
        self._kinds.append(kind)

    def freeze(self) -> HostIndex:
        """Sort the names; ``get`` works from here on."""
        keys = np.frombuffer(self._keys, np.int64)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        last = np.append(keys[1:] != keys[:-1], True)[: len(keys)]
        order = order[last]
        self._checks = array("q", np.frombuffer(self._checks, np.int64)[order].tobytes())
        self._kinds = array("H", np.frombuffer(self._kinds, np.uint16)[order].tobytes())
        self._keys = array("q", keys[last].tobytes())
        self._names = tuple(self._categories)
        return self

    def get(self, name: str) -> str | None:
        """Category of a name; None for one that was not put in."""
        key = hash(name)
        place = bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            return None
        if self._checks[place] != hash(name[::-1]):
            return None
        return self._names[self._kinds[place]]
