"""A batch of documents, as scorers come to know them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

_Found = TypeVar("_Found")


class Documents(list[str]):
    """The texts of a batch, and what is known beside them.

    Attributes:
        urls: The address of each document; None where it is not known.
    """

    def __init__(self, texts: Iterable[str], urls: Sequence[str | None] | None = None) -> None:
        super().__init__(texts)
        self.urls: Sequence[str | None] = [None] * len(self) if urls is None else urls
        self._found: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], _Found]) -> _Found:
        """What is made of the documents under a key, by whichever scorer asks first."""
        if key not in self._found:
            self._found[key] = make()
        found: _Found = self._found[key]
        return found
