"""Charset labels as pages write them, and the codecs that they stand for."""

from __future__ import annotations

import pytest

from udfs.charset.labels import canonical_codec


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("gb2312", "gb18030"), (" GBK ", "gb18030"), ("x-gbk", "gb18030"), ("cp936", "gb18030"),
        ("Big5", "big5hkscs"), ("big5-hkscs", "big5hkscs"), ("cp950", "big5hkscs"),
        ("UTF8", "utf-8"), ('"utf-8"', "utf-8"), ("iso-8859-1", "cp1252"), ("rot13", None),
        ("unicode_escape", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_labels(label: str | None, codec: str | None) -> None:
    assert canonical_codec(label) == codec
