"""From a WARC record to a candidate document: HTTP, charset, main text.

A WET file's `conversion` records and a WARC file's HTML captures end in the same shape. What
costs least comes first: most captures of a crawl are no Chinese pages, and are passed over
before they are decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from udfs.charset import decode
from udfs.digests import digest_problem
from udfs.han import han_ideographs
from udfs.html_text import Extractor, HtmlLimits, PageRejected, clean_text, extract_page
from udfs.http_message import HttpError, content_type, decode_body, parse_response
from udfs.outcomes import Candidate, Failed, Outcome, Rejected, content_id
from udfs.prefilter import may_hold_han, text_may_hold_han
from udfs.published import published_date
from udfs.robots import opt_outs
from udfs.warc import DEFAULT_WANTED, Damage, WarcRecord

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
TEXT_TYPE = "text/plain"

TOO_FEW_HAN = "too_few_han"

# Records that are no pages; any other type is counted as other_record.
_OTHER_TYPES = frozenset({"warcinfo", "request", "metadata", "revisit", "continuation"})


@dataclass(frozen=True)
class PageOptions:
    """Limits and choices for a page. None switches a limit off."""

    max_body_bytes: int = 64 << 20  # a body that inflates past this is a failure
    html: HtmlLimits = field(default_factory=HtmlLimits)
    extractor: Extractor = "fast"
    verify_digests: bool = False
    min_han_chars: int | None = 16  # fewest Han ideographs of a text
    prefilter: bool = True  # judge min_han_chars on the bytes first


@dataclass(frozen=True, slots=True)
class _Payload:
    """A body to decode. `headers` are HTTP's, lower-case; empty where there are none."""

    body: bytes
    mime: str
    declared: str | None
    headers: Mapping[str, str]


def page_outcome(record: WarcRecord | Damage, warc_path: str, options: PageOptions) -> Outcome:
    """The one outcome of what the WARC reader yields.

    Args:
        warc_path: Names the file in the document's id.
    """
    if isinstance(record, Damage):
        return Failed(record.offset, record.reason, record.detail)
    try:
        return _readable_outcome(record, warc_path, options)
    except HttpError as error:
        return Failed(record.offset, error.reason, record.headers.get("warc-target-uri", ""))
    except PageRejected as error:
        return Rejected(error.reason)


def _readable_outcome(record: WarcRecord, warc_path: str, options: PageOptions) -> Outcome:
    if record.record_type not in DEFAULT_WANTED:
        # A header may hold anything; a reason is one of a few.
        kind = record.record_type if record.record_type in _OTHER_TYPES else "other"
        return Rejected(f"{kind}_record")
    if options.verify_digests:  # of the others the reader delivers no block
        problem = digest_problem(record)
        if problem is not None:
            return Failed(record.offset, "digest_mismatch", problem)
    payload = _payload(record, options.max_body_bytes)
    if isinstance(payload, Rejected):
        return payload
    if not payload.body:
        return Rejected("empty_body")
    is_text = payload.mime == TEXT_TYPE
    if not is_text and payload.mime not in HTML_TYPES and not _looks_like_html(payload):
        return Rejected("not_html")
    least = options.min_han_chars or 0
    unescapes = options.extractor == "trafilatura"
    if options.prefilter and not may_hold_han(
        payload.body, payload.declared, least, twice_escaped=unescapes
    ):
        return Rejected(TOO_FEW_HAN)
    decoded = decode(payload.body, payload.declared)
    # The bytes of UTF-8 were as good a bound as its text.
    if (
        options.prefilter
        and decoded.charset != "utf-8"
        and not text_may_hold_han(decoded.text, least, twice_escaped=unescapes)
    ):
        return Rejected(TOO_FEW_HAN)
    if is_text:
        title, text = None, clean_text(decoded.text)
    else:
        page = extract_page(decoded.text, options.html, options.extractor)
        title, text = page.title, page.text
    if not text:
        return Rejected("empty_text")
    if han_ideographs(text) < least:
        return Rejected(TOO_FEW_HAN)
    url = record.headers.get("warc-target-uri")
    capture_time = parse_time(record.headers.get("warc-date"))
    html = "" if is_text else decoded.text
    return Candidate(
        offset=record.offset,
        doc_id=content_id(warc_path, str(record.offset)),
        url=url,
        capture_time=capture_time,
        truncated=record.truncated,
        charset=decoded.charset,
        declared_charset=decoded.declared,
        charset_step=decoded.step,
        title=title,
        published=None if is_text else published_date(html, url, capture_time),
        opt_outs=opt_outs(payload.headers, html),
        text=text,
    )


def _payload(record: WarcRecord, max_body_bytes: int) -> _Payload | Rejected:
    if record.record_type == "response":
        return _http_payload(record, max_body_bytes)
    mime, charset = content_type(record.headers)
    return _Payload(record.block, mime, charset, {})


def _http_payload(record: WarcRecord, max_body_bytes: int) -> _Payload | Rejected:
    """The payload of an HTTP capture, or why it has none."""
    kind = record.headers.get("content-type", "application/http")
    url = record.headers.get("warc-target-uri", "")
    if not kind.startswith("application/http") or url.startswith("dns:"):
        return Rejected("not_http")  # a DNS answer: ARC files give it no type of its own
    response = parse_response(record.data, record.start, record.end)
    if 300 <= response.status < 400:
        return Rejected("redirect")
    if not 200 <= response.status < 300:
        return Rejected("http_error")
    mime, charset = content_type(response.headers)
    if mime and mime not in HTML_TYPES and mime != TEXT_TYPE:
        return Rejected("not_html")  # before the work of decoding its body
    body = decode_body(response, max_body_bytes).data
    return _Payload(body, mime, charset, response.headers)


def _looks_like_html(payload: _Payload) -> bool:
    """Whether a body of no declared type is HTML, by its opening."""
    if payload.mime:
        return False
    head = payload.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
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
