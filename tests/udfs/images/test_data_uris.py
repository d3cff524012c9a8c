"""data: URIs to bytes."""

from __future__ import annotations

import base64

import pytest

from tests.builders.images import image_bytes
from udfs.images.data_uris import (
    BAD_DATA_URI,
    DATA_URI_TOO_LARGE,
    decode_data_uri,
    is_data_uri,
)
from udfs.images.measure import ImageFacts, measure_image

BODY = image_bytes("gif", 8, 8)
TEXT = base64.b64encode(BODY).decode()


@pytest.mark.parametrize(
    "address",
    [
        f"data:image/gif;base64,{TEXT}",
        f" DATA:image/png;charset=x;BASE64,{TEXT.rstrip('=')}",
        f"data:;base64,{TEXT[:40]}\n  {TEXT[40:]}",
        f"data:image/gif;base64,{TEXT.replace('+', '-').replace('/', '_')}",
        f"data:image/gif;base64,{TEXT.replace('=', '%3D').replace('+', '%2B')}",
        "data:image/gif," + "".join(f"%{byte:02x}" for byte in BODY),
    ],
)
def test_bytes_of_a_data_uri(address: str) -> None:
    assert is_data_uri(address)
    assert decode_data_uri(address, 1 << 20) == BODY
    assert isinstance(measure_image(BODY), ImageFacts)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("data:image/gif;base64", BAD_DATA_URI),
        ("data:image/gif;base64,R0lGO*", BAD_DATA_URI),
        ("data:image/gif;base64,R", BAD_DATA_URI),
        ("http://a.cn/data:,x", BAD_DATA_URI),
        ("data:" + "x" * 2000 + ",a", BAD_DATA_URI),
        (f"data:image/gif;base64,{'A' * 400}", DATA_URI_TOO_LARGE),
        ("data:," + "a" * 20_000_000, DATA_URI_TOO_LARGE),
    ],
)
def test_every_other_address_has_a_reason(address: str, reason: str) -> None:
    assert decode_data_uri(address, 200) == reason
