"""Parse srcset attributes."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_SPACES = " \t\n\f\r"
_START = re.compile(r"[ \t\n\f\r,]*+([^ \t\n\f\r]+)")
_DESCRIPTORS = re.compile(r"(?:[^,(]|\([^)]*(?:\)|\Z))*+")
_WIDTH = re.compile(r"[0-9]+w")
_HEIGHT = re.compile(r"[0-9]+h")
_DENSITY = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?x")
MAX_SRCSET_CHARS = 1 << 16
"""The rest of a longer attribute is not read."""


class SourceCandidate(NamedTuple):
    """An address of a srcset.

    Attributes:
        address: As written.
        width: Pixels; None without a w descriptor.
        density: 1.0 without a descriptor.
    """

    address: str
    width: int | None
    density: float


def srcset_candidates(value: str) -> list[SourceCandidate]:
    """Return the addresses of a srcset; those with invalid descriptors are left out.

    Source: HTML Standard, "parse a srcset attribute".

    >>> srcset_candidates("a,b.jpg?x=1,2 200w, /c d.jpg, e.jpg 2x")
    [SourceCandidate(address='a,b.jpg?x=1,2', width=200, density=1.0), \
SourceCandidate(address='e.jpg', width=None, density=2.0)]
    """
    value = value[:MAX_SRCSET_CHARS]
    found = []
    at = 0
    while match := _START.match(value, at):
        address, at = match[1], match.end()
        descriptors: list[str] = []
        if address.endswith(","):
            address = address.rstrip(",")
        else:
            rest = _DESCRIPTORS.match(value, at)
            assert rest is not None  # it matches nothing, too
            descriptors, at = rest[0].strip(_SPACES).split(), rest.end()
        candidate = _candidate(address, descriptors)
        if candidate is not None:
            found.append(candidate)
    return found


def _candidate(address: str, descriptors: list[str]) -> SourceCandidate | None:
    """Return a candidate with its descriptors; None where one of them is invalid."""
    width: int | None = None
    density: float | None = None
    height = False
    for descriptor in descriptors:
        if _WIDTH.fullmatch(descriptor) and width is None and density is None:
            if len(descriptor) > 10 or (width := int(descriptor[:-1])) == 0:
                return None
        elif _DENSITY.fullmatch(descriptor) and density is None and width is None and not height:
            density = float(descriptor[:-1])
            if density < 0 or not math.isfinite(density):
                return None
        elif _HEIGHT.fullmatch(descriptor) and not height and density is None:
            height = True
        else:
            return None
    if height and width is None:
        return None
    return SourceCandidate(address, width, 1.0 if density is None else density)


def largest(candidates: list[SourceCandidate]) -> SourceCandidate | None:
    """Return the candidate with the greatest width, else the greatest density; the first of equals.

    Candidates without a width are left out where another has one.
    """
    if not candidates:
        return None
    return max(candidates, key=lambda candidate: (candidate.width or 0, candidate.density))
