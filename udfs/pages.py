"""From a WARC record to a candidate document: HTTP, charset, main text.

A WET file's `conversion` records and a WARC file's HTML captures end in the same shape.
"""

from __future__ import annotations

from datetime import UTC, datetime

from udfs.charset import decode
from udfs.html_text import HtmlLimits, PageRejected, clean_text, extract_page
from udfs.http_message import HttpError, content_type, decode_body, parse_response
from udfs.outcomes import Candidate, Failed, Outcome, Rejected, content_id
from udfs.warc import Damage, WarcRecord

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
TEXT_TYPE = "text/plain"


def page_outcome(
    record: WarcRecord | Damage, warc_path: str, max_body_bytes: int, limits: HtmlLimits
) -> Outcome:
    """The one outcome of what the WARC reader yields.

    Args:
        warc_path: Names the file in the document's id.
        max_body_bytes: A body that inflates past this is a failure.
    """
    if isinstance(record, Damage):
        return Failed(record.offset, record.reason, record.detail)
    try:
        return _readable_outcome(record, warc_path, max_body_bytes, limits)
    except HttpError as error:
        return Failed(record.offset, error.reason, record.headers.get("warc-target-uri", ""))
    except PageRejected as error:
        return Rejected(error.reason)


def _readable_outcome(
    record: WarcRecord, warc_path: str, max_body_bytes: int, limits: HtmlLimits
) -> Outcome:
    if record.record_type == "response":
        payload = _http_payload(record, max_body_bytes)
    elif record.record_type in ("resource", "conversion"):
        mime, charset = content_type(record.headers)
        payload = record.block, mime, charset
    else:
        return Rejected(f"{record.record_type or 'untyped'}_record")
    if isinstance(payload, Rejected):
        return payload
    body, mime, declared = payload
    if not body:
        return Rejected("empty_body")
    if mime not in HTML_TYPES and mime != TEXT_TYPE and not (mime == "" and _looks_like_html(body)):
        return Rejected("not_html")
    decoded = decode(body, declared)
    if mime == TEXT_TYPE:
        title, text = None, clean_text(decoded.text)
    else:
        page = extract_page(decoded.text, limits)
        title, text = page.title, page.text
    if not text:
        return Rejected("empty_text")
    return Candidate(
        offset=record.offset,
        doc_id=content_id(warc_path, str(record.offset)),
        url=record.headers.get("warc-target-uri"),
        capture_time=parse_time(record.headers.get("warc-date")),
        charset=decoded.charset,
        title=title,
        text=text,
    )


def _http_payload(
    record: WarcRecord, max_body_bytes: int
) -> tuple[bytes, str, str | None] | Rejected:
    """Body, media type and declared charset of an HTTP capture, or why it has none."""
    kind = record.headers.get("content-type", "application/http")
    url = record.headers.get("warc-target-uri", "")
    if not kind.startswith("application/http") or url.startswith("dns:"):
        return Rejected("not_http")  # a DNS answer: ARC files give it no type of its own
    response = parse_response(record.block)
    if 300 <= response.status < 400:
        return Rejected("redirect")
    if not 200 <= response.status < 300:
        return Rejected("http_error")
    mime, charset = content_type(response.headers)
    if mime and mime not in HTML_TYPES and mime != TEXT_TYPE:
        return Rejected("not_html")  # before the work of decoding its body
    return decode_body(response, max_body_bytes).data, mime, charset


def _looks_like_html(body: bytes) -> bool:
    """Whether a body of no declared type is HTML, by its opening."""
    head = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in head


def parse_time(value: object) -> datetime | None:
    """A WARC-Date or another ISO 8601 time as UTC; None where it is none."""
    if isinstance(value, datetime):
        parsed = value
    elif isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    else:
        return None
    try:
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # year 1 or 9999 moved over the calendar's edge
        return None
