"""Images among the records of a WARC or ARC file: their address and body.

Crawls by browsers store the images of a page beside it. A record is an image where its bytes begin
as one, or where the server says so: what was served in an image's place is to be counted with a
reason, not overlooked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from udfs.images.formats import image_format
from udfs.warc.http_message import HttpError, content_type, decode_body, media_type, parse_response
from udfs.warc.records import DEFAULT_WANTED, Damage, WarcRecord

NOT_IMAGE_RECORD = "not_image_record"
"""Reject reason of a record of another kind of content: pages, scripts, films."""
OTHER_RECORD = "other_record"
"""Reject reason of a record without content of its own: request, metadata, revisit, warcinfo."""
_NO_PICTURES = (None, "pdf", "eps", "flash")
"""Beginnings that make no image of a record which is not served as one."""
REDIRECT, HTTP_ERROR = "redirect", "http_error"
NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class ImageBody:
    """The body of a record that is or claims to be an image.

    Attributes:
        url: Target URI of the record.
        offset: Place of the record, as in `WarcRecord`.
        body: Its bytes, codings removed.
        declared_type: Media type as the server states it, lower-case; "" for none.
        truncated: As in `WarcRecord`; "coding" where a coding of the body ends early.
        captured: Its time as the record states it; None for none.
    """

    url: str
    offset: int
    body: bytes
    declared_type: str
    truncated: str | None
    captured: str | None = None


def image_bodies(
    records: Iterable[WarcRecord | Damage], max_bytes: int, rejected: Counter[str]
) -> Iterator[ImageBody]:
    """Yield the images among records; every other record is counted under its reason.

    Args:
        records: As `udfs.warc.reader.read_records` yields them.
        max_bytes: Most bytes of a body without its codings.
        rejected: Receives the number of other records by reason: those of this module, of `Damage`,
            and of `HttpError`.
    """
    for record in records:
        found = record.reason if isinstance(record, Damage) else _image_body(record, max_bytes)
        if isinstance(found, str):
            rejected[found] += 1
        else:
            yield found


def _image_body(record: WarcRecord, max_bytes: int) -> ImageBody | str:
    """The image of a record, or why it is none."""
    if record.record_type not in DEFAULT_WANTED:
        return OTHER_RECORD
    url = record.field("warc-target-uri")
    if url is None:
        return NO_ADDRESS
    if record.record_type != "response":
        mime, _ = content_type(record.headers)
        return _if_image(url, record, record.block, mime, record.truncated)
    kind = record.field("content-type")
    is_http = kind is None or kind.startswith("application/http")
    if not is_http or url.startswith("dns:"):
        return NOT_IMAGE_RECORD  # a DNS answer, which has no record type in ARC files
    try:
        response = parse_response(record.data, record.start, record.end)
        if 300 <= response.status < 400:
            return REDIRECT
        if not 200 <= response.status < 300:
            return HTTP_ERROR
        mime, _ = media_type(response.field("content-type") or "")
        if mime.startswith(("text/html", "text/css", "video/", "audio/", "font/")):
            return NOT_IMAGE_RECORD  # before its body is decoded
        body = decode_body(response, max_bytes)
    except HttpError as error:
        return error.reason
    truncated = record.truncated or ("coding" if body.cut else None)
    return _if_image(url, record, body.data, mime, truncated)


def _if_image(
    url: str, record: WarcRecord, body: bytes, mime: str, truncated: str | None
) -> ImageBody | str:
    if not mime.startswith("image/") and image_format(body) in _NO_PICTURES:
        return NOT_IMAGE_RECORD
    return ImageBody(url, record.offset, body, mime, truncated, record.field("warc-date"))
