"""Bodies of images to rows: from records, data: URIs and shards; what is none is counted."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.builders.images import image_bytes, turned_jpeg, unusable_images
from tests.builders.warc_files import http_response, page, record
from udfs.extract import stored_images
from udfs.extract.outcomes import TALLY
from udfs.extract.stored_images import (
    MEASURED_IMAGES,
    FoundImage,
    ImageOptions,
    batched,
    file_rows,
    measured_rows,
    place_image,
    shard_rows,
)
from udfs.images.measure import ImageLimits

OPTIONS = ImageOptions(ImageLimits(), max_record_bytes=1 << 20, reduced=False, timeout_s=300.0)
JPEG, PNG = image_bytes("jpeg"), image_bytes("png")


@dataclass(frozen=True)
class WholeFile:
    """A file to read."""

    uri: str
    warc_path: str = "crawl/1.warc"
    input_format: str = "warc"


def typed(body: bytes, mime: str) -> bytes:
    return http_response(body, ("Content-Type", mime))


def split_rows(rows: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of images, and the counts of the tally behind them."""
    *images, tally = rows
    assert tally["row_kind"] == TALLY
    counts = {
        outcome: {row["reason"]: row["records"] for row in tally[outcome]}
        for outcome in ("rejected", "failed")
    }
    return images, {"seen": tally["seen"], "path": tally["source_path"], **counts}


def test_every_record_is_a_row_or_counted(tmp_path: Path) -> None:
    path = tmp_path / "1.warc"
    bad = unusable_images()
    path.write_bytes(
        b"".join(
            [
                record(typed(page(1), "text/html")),
                record(typed(JPEG, "image/jpeg"), uri="http://a.cn/1.jpg"),
                record(typed(PNG, "application/octet-stream"), uri="http://a.cn/2"),
                record(typed(turned_jpeg(6, 96, 64), "image/jpeg"), uri="http://a.cn/3.jpg"),
                *(
                    record(typed(b, "image/png"), uri=f"http://a.cn/{n}")
                    for n, (_, b) in bad.items()
                ),
                record(b"", "revisit", "http://a.cn/1.jpg"),
                record(b"no HTTP", uri="http://a.cn/broken"),
            ]
        )
    )
    images, tally = split_rows(file_rows(WholeFile(str(path)), OPTIONS))
    assert tally == {
        "seen": 6 + len(bad),
        "path": "crawl/1.warc",
        "rejected": {"not_image_record": 1, "other_record": 1},
        "failed": {"malformed_http": 1},
    }
    first, second, turned, *unusable = images
    assert (first["url"], first["declared_type"]) == ("http://a.cn/1.jpg", "image/jpeg")
    assert (first["format"], first["body"], first["bytes"]) == ("jpeg", JPEG, len(JPEG))
    assert first["capture_time"].isoformat() == "2024-03-01T08:00:00+00:00"
    assert (second["format"], second["declared_type"]) == ("png", "application/octet-stream")
    assert (turned["width"], turned["height"], turned["orientation"]) == (64, 96, 6)
    assert [row["reason"] for row in unusable] == [reason for reason, _ in bad.values()]
    assert not any("body" in row or "width" in row for row in unusable)
    assert all(len(row["sha256"]) == 64 and "bytes" in row for row in images)
    assert len({row["image_id"] for row in images}) == len(images)


def test_files_that_are_missing_or_hold_texts_alone(tmp_path: Path) -> None:
    missing = WholeFile(str(tmp_path / "none.warc"))
    assert split_rows(file_rows(missing, OPTIONS)) == (
        [],
        {"seen": 1, "path": "crawl/1.warc", "rejected": {}, "failed": {"missing_file": 1}},
    )
    texts = replace(missing, input_format="jsonl")
    assert split_rows(file_rows(texts, OPTIONS))[1]["seen"] == 0


def tar_of(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return file.getvalue()


def test_every_sample_of_a_shard_is_a_row_or_counted() -> None:
    shard = tar_of(
        {
            "1.jpg": JPEG,
            "1.json": json.dumps({"url": "http://a.cn/\ud800"}).encode(),
            "../2.jpg": JPEG,
            "3.txt": b"no image",
            "4.png": PNG,
            "4.json": b"{",
            "5.jpg": JPEG[:200],
        }
    )
    images, tally = split_rows(shard_rows(partial(io.BytesIO, shard), "00000.tar", OPTIONS))
    assert tally == {
        "seen": 6,
        "path": "00000.tar",
        "rejected": {"no_image": 1},
        "failed": {"bad_json": 1, "unsafe_name": 1},
    }
    assert [row.get("reason") for row in images] == [None, None, "truncated"]
    assert [row["url"] for row in images] == ["http://a.cn/?", None, None]
    assert images[0]["source_offset"] == 0 < images[1]["source_offset"]
    assert len({row["image_id"] for row in images}) == 3
    [batch] = batched(iter(images))
    assert batch.schema == MEASURED_IMAGES


def found(*bodies: bytes) -> list[FoundImage]:
    places = [
        {"warc_path": "a", "warc_offset": 3, "place": n, "url_written": mime, "data_body": body}
        for n, (mime, body) in enumerate(
            zip(
                ["data:image/PNG;base64", "data:image/gif", "data:", "data:x"], bodies, strict=False
            )
        )
    ]
    return [place_image(place) for place in places]


def test_images_of_places_have_the_type_that_their_uri_states() -> None:
    rows = list(measured_rows(found(PNG, JPEG, b"?"), OPTIONS))
    assert [row["declared_type"] for row in rows] == ["image/png", "image/gif", None]
    assert [row.get("format") for row in rows] == ["png", "jpeg", None]
    assert {row["source"] for row in rows} == {"data_uri"}


def test_a_further_attempt_measures_the_same_in_an_isolated_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = found(PNG, b"<html>", JPEG, JPEG[:99])
    first = list(measured_rows(images, OPTIONS))
    monkeypatch.setattr(stored_images, "is_retry", lambda: True)
    monkeypatch.setattr(stored_images, "measure_image", None)  # would kill this process
    assert list(measured_rows(images, OPTIONS)) == first


def test_batches_are_bounded_by_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_images, "BATCH_BYTES", len(PNG) + 1)
    rows = list(measured_rows(found(PNG, PNG, PNG), OPTIONS))
    assert [batch.num_rows for batch in batched(iter(rows))] == [2, 1]
    monkeypatch.setattr(stored_images, "BATCH_ROWS", 1)
    assert [batch.num_rows for batch in batched(iter(rows))] == [1, 1, 1]
