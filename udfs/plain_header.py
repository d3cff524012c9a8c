"""A few named fields of a header, found without parsing the others.

Of a page that is no document three or four fields out of thirty matter. They are found here in a
tenth of the time that `udfs.warc_header.named_fields` takes, where the header is spelt plainly;
any other header is for that function, whose answers these are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from udfs.compiled import compiled, uncounted

_COLON, _SPACE, _TAB, _RETURN, _LINE_FEED, _LESS = b": \t\r\n<"
_DELETE = 0x7F
_UPPER_A, _UPPER_Z, _LOWER_CASE = 0x41, 0x5A, 0x20


_FIELDS = 5  # a tuple of fixed length comes back from compiled code in a tenth of an array's time


class FieldNames:
    """At most five names to look for, lower-case and ASCII."""

    def __init__(self, *names: str) -> None:
        self.table = np.zeros((_FIELDS, max(map(len, names))), dtype=np.uint8)
        self.lengths = np.full(_FIELDS, -1, dtype=np.int64)
        for number, name in enumerate(names):
            self.lengths[number] = len(name)
            self.table[number, : len(name)] = list(name.encode("ascii"))


def plain_header(data: bytes, start: int, end: int, names: FieldNames) -> tuple[int, ...]:
    """Where some fields of the header are whose first line begins at `start`.

    Returns:
        Twelve numbers: where the header's last line ends, and where what follows its blank line
        begins; then of each name where its value begins and ends, the space around it included, or
        twice -1 where there is none. The first is -1 for a header that is not plain: there is no
        blank line before `end`, a line is folded, a name has a space or another character that
        names do not have, a page begins without a blank line ("<"), or one of the names comes
        twice, or with a value that is not ASCII.
    """
    return _find(data, start, end, names.table, names.lengths)


def plain_values(data: bytes, places: Sequence[int], names: Sequence[str]) -> dict[str, str | None]:
    """Values by name.

    Args:
        places: Where each begins and ends, as `plain_header` gives it.
    """
    values: dict[str, str | None] = {}
    at = 0
    for name in names:
        begin = places[at]
        values[name] = None if begin < 0 else data[begin : places[at + 1]].decode("ascii").strip()
        at += 2
    return values


@compiled
def _find(
    data: bytes, start: int, end: int, table: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int64]
) -> tuple[int, ...]:
    data, table = uncounted(data), uncounted(table)
    places = np.full(2 + 2 * _FIELDS, -1, dtype=np.int64)
    at = start
    while at < end:
        line = at
        while at < end and data[at] == _RETURN:
            at += 1
        if at < end and data[at] == _LINE_FEED:
            places[0], places[1] = line, at + 1
            break
        at = line
        first = data[at]
        is_odd = False
        while at < end and data[at] != _COLON and data[at] != _LINE_FEED:
            is_odd |= data[at] <= _SPACE or data[at] >= _DELETE
            at += 1
        if at == end or first in (_LESS, _SPACE, _TAB):
            break
        if data[at] == _COLON:
            if is_odd:
                break
            field = -1
            for name in range(_FIELDS):
                if at - line == lengths[name] and _is_name(data, line, table[name]):
                    field = name
            value = at + 1
            is_high = False
            while at < end and data[at] != _LINE_FEED:
                is_high |= data[at] >= _DELETE
                at += 1
            if field >= 0:
                if at == end or is_high or places[2 + 2 * field] >= 0:
                    break
                places[2 + 2 * field], places[3 + 2 * field] = value, at
        at += 1
    return (
        places[0],
        places[1],
        places[2],
        places[3],
        places[4],
        places[5],
        places[6],
        places[7],
        places[8],
        places[9],
        places[10],
        places[11],
    )


@compiled
def _is_name(data: bytes, at: int, name: npt.NDArray[np.uint8]) -> bool:
    """Whether a name stands at a place, in whatever case."""
    for place in range(len(name)):
        if name[place] == 0:
            break
        byte = data[at + place]
        if _UPPER_A <= byte <= _UPPER_Z:
            byte |= _LOWER_CASE
        if byte != name[place]:
            return False
    return True
