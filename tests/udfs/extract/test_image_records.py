"""Images among the records of a file: bodies, and a count for everything else."""

from __future__ import annotations

import gzip
import io
from collections import Counter

from tests.builders.images import image_bytes
from tests.builders.warc_files import http_response, page, record
from udfs.extract.image_records import ImageBody, image_bodies
from udfs.images.measure import UnusableImage, measure_image
from udfs.warc.reader import read_records

JPEG, PNG = image_bytes("jpeg"), image_bytes("png")
REVISIT = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"


def typed(body: bytes, mime: str, *more: tuple[str, str], status: str = "200 OK") -> bytes:
    return http_response(body, ("Content-Type", mime), *more, status=status)


def found(*records: bytes, max_bytes: int = 1 << 20) -> tuple[list[ImageBody], Counter[str]]:
    rejected: Counter[str] = Counter()
    items = read_records(io.BytesIO(b"".join(records)))
    return list(image_bodies(items, max_bytes, rejected)), rejected


def test_images_of_every_kind_of_record() -> None:
    bodies, rejected = found(
        record(typed(JPEG, "image/jpeg"), uri="http://a.cn/1.jpg"),
        record(typed(PNG, "application/octet-stream"), uri="http://a.cn/2"),
        record(typed(gzip.compress(PNG), "image/png", ("Content-Encoding", "gzip"))),
        record(JPEG, "resource", "http://a.cn/4.jpg", extra=["Content-Type: image/jpeg"]),
        record(typed(b"<html>404</html>", "image/gif"), uri="http://a.cn/5.gif"),
    )
    assert [body.body for body in bodies] == [JPEG, PNG, PNG, JPEG, b"<html>404</html>"]
    assert [body.url for body in bodies][:2] == ["http://a.cn/1.jpg", "http://a.cn/2"]
    assert bodies[0].declared_type == "image/jpeg"
    assert not rejected
    assert measure_image(bodies[4].body) == UnusableImage("html")


def test_every_other_record_is_counted() -> None:
    records = [
        record(typed(page(1), "text/html")),
        record(typed(b"%PDF-1.4 x", "application/pdf")),
        record(typed(b"", "image/png", status="302 Found")),
        record(typed(b"", "image/png", status="404 Not Found")),
        record(b"HTTP/1.1 200 OK\r\n\r\n", "revisit", extra=[REVISIT]),
        record(b"GET / HTTP/1.1\r\n\r\n", "request"),
        record(b"", extra=["Content-Type: application/http"]),
        record(typed(b"\xff\xd8\xff" + b"x" * 9000, "image/jpeg")),
    ]
    bodies, rejected = found(*records, max_bytes=8000)
    assert bodies == []
    assert rejected == {
        "not_image_record": 2,
        "redirect": 1,
        "http_error": 1,
        "other_record": 2,
        "empty_http": 1,
        "body_too_large": 1,
    }


def test_a_cut_file_gives_a_cut_image() -> None:
    whole = record(typed(JPEG, "image/jpeg"))
    bodies, rejected = found(whole[:-300])
    assert rejected == {} and bodies[0].truncated == "cut"
    assert measure_image(bodies[0].body) == UnusableImage("truncated")
