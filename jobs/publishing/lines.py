"""JSON lines of a release: Spark writes the columns beside the text, Python workers the text.

A text is most of a row. Java's writer decodes it, looks at each character and encodes it again;
here bytes are replaced, which gives the same line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

from udfs.base.array_types import UInt8Array

HEAD, TEXT, TAIL = "_head", "text", "_tail"
"""Columns that make a line: JSON up to the text, the text, JSON after it with the line break."""

_ESCAPES = {b"\\": b"\\\\", b'"': b'\\"', b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t"}
_SHORT = {0x08: b"\\b", 0x0C: b"\\f"}
_CONTROL = re.compile(rb"[\x00-\x1f]")


def line_names(columns: Sequence[str]) -> list[str]:
    """Return the columns that make lines of a release with these columns."""
    return [HEAD, TEXT, TAIL] if TEXT in columns else [HEAD, TAIL]


def line_columns(columns: Sequence[str]) -> list[Column]:
    """Return `line_names`, computed from the columns of a release."""
    if TEXT not in columns:
        return [F.concat(_json(columns), F.lit("\n")).alias(HEAD), F.lit("").alias(TAIL)]
    place = list(columns).index(TEXT)
    before, after = columns[:place], columns[place + 1 :]
    head, tail = F.lit("{"), F.lit("}\n")
    if before:
        json = _json(before)
        head = F.concat(json.substr(F.lit(1), F.length(json) - 1), F.lit(","))
    if after:
        json = _json(after)
        tail = F.concat(F.lit(","), json.substr(F.lit(2), F.length(json)), F.lit("\n"))
    return [
        F.concat(head, F.lit(f'"{TEXT}":')).alias(HEAD),
        F.col(TEXT),
        tail.alias(TAIL),
    ]


def joined_lines(rows: pa.RecordBatch) -> bytes:
    """Return the lines of rows.

    Args:
        rows: Columns `line_names`.
    """
    heads, tails = (rows.column(name).cast(pa.binary()).to_pylist() for name in (HEAD, TAIL))
    if TEXT not in rows.schema.names:
        return b"".join(heads)
    texts = rows.column(TEXT).cast(pa.string())
    has_controls = _has_other_controls(_data_of(texts))
    parts: list[bytes] = []
    for head, text, tail in zip(heads, texts.cast(pa.binary()).to_pylist(), tails, strict=True):
        if text is None:
            parts += (head, b"null", tail)
            continue
        for plain, escape in _ESCAPES.items():
            text = text.replace(plain, escape)
        if has_controls:
            text = _CONTROL.sub(_escape_of, text)
        parts += (head, b'"', text, b'"', tail)
    return b"".join(parts)


def _json(columns: Sequence[str]) -> Column:
    return F.to_json(F.struct(*columns), {"ignoreNullFields": "false"})


def _data_of(texts: pa.StringArray) -> UInt8Array:
    """Return the bytes of all texts, one after the other."""
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return np.empty(0, np.uint8)
    places = np.frombuffer(offsets, np.int32)
    return np.frombuffer(data, np.uint8)[places[texts.offset] : places[texts.offset + len(texts)]]


def _has_other_controls(data: UInt8Array) -> bool:
    """Whether there is a control character that `_ESCAPES` lacks."""
    found = data[np.flatnonzero(data < 0x20)]
    return bool(np.isin(found, (0x09, 0x0A, 0x0D), invert=True).any())


def _escape_of(match: re.Match[bytes]) -> bytes:
    code = match[0][0]
    return _SHORT.get(code) or b"\\u%04X" % code
