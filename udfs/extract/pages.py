"""From a WARC record to a candidate document: HTTP, charset, main text.

A WET file's `conversion` records and a WARC file's HTML captures become the same candidates. The
cheapest checks come first: most captures of a crawl are not pages of the language that is wanted,
and are rejected before they are decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from udfs.base.language import HAN, Script
from udfs.base.page_counts import PageCounts, page_counts
from udfs.charset.decode import CHINESE, Decoded, choose, decode, decode_as, utf8_counts
from udfs.charset.prefilter import (
    MOSTLY_KANA,
    HanRules,
    PageRules,
    ScriptRules,
    mostly_kana,
    plain_utf8,
    reject_reason,
    too_few,
    without_zeros,
)
from udfs.extract.outcomes import Candidate, Failed, Outcome, Rejected, content_id
from udfs.html.head import meta_elements
from udfs.html.page_kinds import PAGE_KINDS
from udfs.html.page_text import Extractor, HtmlLimits, Page, clean_text, extract_pages
from udfs.html.published import META_NAMES as DATE_NAMES
from udfs.html.published import published_date
from udfs.html.robots import META_NAMES as OPT_OUT_NAMES
from udfs.html.robots import opt_outs
from udfs.pairs.places import PairLimits, image_places
from udfs.products.product import page_products
from udfs.warc.digests import digest_problem
from udfs.warc.http_message import (
    HttpError,
    HttpResponse,
    content_type,
    decode_body,
    media_type,
    parse_response,
)
from udfs.warc.records import DEFAULT_WANTED, Damage, WarcRecord

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
TEXT_TYPE = "text/plain"

UNWANTED_KIND = "unwanted_page_kind"
"""Reject reason of a page whose kind is not one of `PageOptions.kinds`."""

_META_NAMES = frozenset({*DATE_NAMES, *OPT_OUT_NAMES})  # a head is parsed once for both

# Records that are not pages; any other type is counted as other_record.
_OTHER_TYPES = ("warcinfo", "request", "metadata", "revisit", "continuation")
_OTHER_RECORDS = {kind: Rejected(f"{kind}_record") for kind in _OTHER_TYPES}
_OTHER_RECORD = Rejected("other_record")


@dataclass(frozen=True)
class PageOptions:
    """Limits and settings for a page. None switches a limit off."""

    max_body_bytes: int = 64 << 20  # a body that inflates past this is a failure
    html: HtmlLimits = field(default_factory=HtmlLimits)
    extractor: Extractor = "fast"
    verify_digests: bool = False
    script: Script = HAN  # that the wanted languages are written in
    min_script_chars: int | None = 16  # fewest characters of it in a text
    # Largest share of kana among a page's kana and ideographs; needs min_script_chars, of Han.
    max_kana_share: float | None = 0.5
    charsets: tuple[str, ...] = CHINESE  # tried first where labels decide nothing
    prefilter: bool = True  # check both on the bytes first
    # Kinds of HTML pages that become documents; plain text and pages of no kind always may.
    kinds: frozenset[str] = frozenset(PAGE_KINDS)
    products: bool = False  # read what pages state of products
    pairs: PairLimits | None = None  # read image places, within these limits

    @cached_property
    def rules(self) -> PageRules | None:
        """Limits of a page's characters of the script, and kana; None without any."""
        if not self.min_script_chars:
            return None
        unescapes = self.extractor == "trafilatura"
        if self.script == HAN:
            return HanRules(self.min_script_chars, self.max_kana_share, twice_escaped=unescapes)
        return ScriptRules(self.script, self.min_script_chars, twice_escaped=unescapes)


@dataclass(slots=True)  # not frozen, which takes a microsecond a page
class _Payload:
    """A body to decode: `data` from `start` to `end`, and its HTTP response, if any."""

    data: bytes
    start: int
    end: int
    mime: str
    declared: str | None
    response: HttpResponse | None

    @property
    def body(self) -> bytes:
        """The bytes of the body. A copy."""
        return self.data[self.start : self.end]


@dataclass(slots=True)
class PendingPage:
    """A page that may become a document; it is neither decoded nor parsed yet.

    Attributes:
        plain: The result of `udfs.charset.prefilter.plain_utf8`; None for a page that must be
            decoded first, or where the prefilter is off.
    """

    record: WarcRecord
    payload: _Payload
    plain: tuple[PageCounts, int] | None

    @property
    def is_text(self) -> bool:
        """Whether it is plain text, not HTML."""
        return self.payload.mime == TEXT_TYPE

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self.payload.data)


def page_outcome(record: WarcRecord | Damage, warc_path: str, options: PageOptions) -> Outcome:
    """Return the outcome of an item of the WARC reader.

    Args:
        warc_path: The file's name in the document's id.
    """
    seen = early_outcome(record, options)
    return page_outcomes([seen], warc_path, options)[0] if isinstance(seen, PendingPage) else seen


def early_outcome(record: WarcRecord | Damage, options: PageOptions) -> Outcome | PendingPage:
    """Return the outcome that a record's headers and byte counts decide, else a pending page."""
    if isinstance(record, Damage):
        return Failed(record.offset, record.reason, record.detail)
    try:
        return _early_outcome(record, options)
    except HttpError as error:
        return Failed(record.offset, error.reason, record.field("warc-target-uri") or "")


def page_outcomes(
    pending: Sequence[PendingPage], warc_path: str, options: PageOptions
) -> list[Outcome]:
    """Return the outcomes of pending pages, in order; arguments as for `page_outcome`."""
    outcomes: list[Outcome | None] = []
    read: list[tuple[int, PendingPage, Decoded, bytes]] = []
    for number, page in enumerate(pending):
        found = _decoded(page, options)
        outcomes.append(found if isinstance(found, Rejected) else None)
        if not isinstance(found, Rejected):
            read.append((number, page, *found))
    extracted = iter(
        extract_pages(
            [utf8 for _, page, _, utf8 in read if not page.is_text],
            options.html,
            options.extractor,
        )
    )
    for number, page, decoded, utf8 in read:
        main = Page(None, clean_text(decoded.text)) if page.is_text else next(extracted)
        if isinstance(main, str):
            outcomes[number] = Rejected(main)
        else:
            outcomes[number] = _outcome(page, decoded, utf8, main, warc_path, options)
    return [outcome for outcome in outcomes if outcome is not None]


def _early_outcome(record: WarcRecord, options: PageOptions) -> Outcome | PendingPage:
    if record.record_type not in DEFAULT_WANTED:
        # A header may have any value; a reason is one of a few.
        return _OTHER_RECORDS.get(record.record_type, _OTHER_RECORD)
    if options.verify_digests:  # records of other types come without their block
        problem = digest_problem(record)
        if problem is not None:
            return Failed(record.offset, "digest_mismatch", problem)
    payload = _payload(record, options.max_body_bytes)
    if isinstance(payload, Rejected):
        return payload
    if payload.start >= payload.end:
        return Rejected("empty_body")
    is_html = payload.mime in HTML_TYPES or payload.mime == TEXT_TYPE or _looks_like_html(payload)
    if not is_html:
        return Rejected("not_html")
    rules = options.rules
    plain = None
    if options.prefilter and rules is not None:
        data, start = payload.data, payload.start
        plain = plain_utf8(data, start, payload.end, payload.declared)
        if plain is not None:
            counts, last = plain
            reason = reject_reason(data, start, last, counts, rules)
            if reason is not None:
                return Rejected(reason)
    return PendingPage(record, payload, plain)


def _decoded(pending: PendingPage, options: PageOptions) -> tuple[Decoded, bytes] | Rejected:
    """Return a page's text, and the same as UTF-8; or its rejection."""
    payload, rules = pending.payload, options.rules
    body = payload.body
    if pending.plain is not None:
        decoded = decode(body, payload.declared, is_utf8=True)
        is_whole = decoded.step == "utf8" and len(body) == _plain_end(pending)
        return decoded, body if is_whole else decoded.text.encode("utf-8", "replace")
    choice = choose(body, payload.declared, options.charsets)
    # Pages in the language's own charsets nearly always pass: counting them saves nothing.
    if options.prefilter and isinstance(rules, HanRules) and choice.codec not in options.charsets:
        counts = None if rules.twice_escaped else utf8_counts(body, choice)
        reason = None if counts is None else reject_reason(body, 0, len(body), counts, rules)
        if reason is not None:
            return Rejected(reason)
    decoded = decode_as(body, choice, options.charsets)
    page = decoded.text.encode("utf-8", "replace") if decoded.utf8 is None else decoded.utf8
    if rules is not None:
        looked_at = without_zeros(page)
        counts = page_counts(looked_at)
        if options.prefilter:
            reason = reject_reason(looked_at, 0, len(looked_at), counts, rules)
            if reason is not None:
                return Rejected(reason)
        elif mostly_kana(counts, rules):
            return Rejected(MOSTLY_KANA)
    return decoded, page


def _outcome(
    pending: PendingPage,
    decoded: Decoded,
    utf8: bytes,
    page: Page,
    warc_path: str,
    options: PageOptions,
) -> Outcome:
    """Return the outcome of a page with its main text."""
    if page.kind is not None and page.kind not in options.kinds:
        return Rejected(UNWANTED_KIND)
    if not page.text:
        return Rejected("empty_text")
    rules = options.rules
    reason = None if rules is None else too_few(page.text, rules)
    if reason is not None:
        return Rejected(reason)
    record, response = pending.record, pending.payload.response
    url = record.headers.get("warc-target-uri")
    capture_time = parse_time(record.headers.get("warc-date"))
    html = "" if pending.is_text else decoded.text
    stated = list(meta_elements(html, _META_NAMES))
    return Candidate(
        offset=record.offset,
        doc_id=content_id(warc_path, str(record.offset)),
        url=url,
        capture_time=capture_time,
        truncated=record.truncated,
        charset=decoded.charset,
        declared_charset=decoded.declared,
        charset_step=decoded.step,
        title=page.title,
        published=None
        if pending.is_text
        else published_date(html, url, capture_time, utf8=utf8, stated=stated),
        opt_outs=opt_outs(response.headers if response else {}, html, stated),
        page_kind=page.kind,
        text=page.text,
        products=page_products(utf8, url) if options.products and not pending.is_text else None,
        images=None
        if options.pairs is None or pending.is_text
        else image_places(utf8, url, page.text, options.pairs),
    )


def _plain_end(pending: PendingPage) -> int:
    """Length in bytes of a page that is certainly UTF-8; 0 for any other."""
    return 0 if pending.plain is None else pending.plain[1] - pending.payload.start


def _payload(record: WarcRecord, max_body_bytes: int) -> _Payload | Rejected:
    if record.record_type == "response":
        return _http_payload(record, max_body_bytes)
    mime, charset = content_type(record.headers)
    block = record.block
    return _Payload(block, 0, len(block), mime, charset, None)


def _http_payload(record: WarcRecord, max_body_bytes: int) -> _Payload | Rejected:
    """Return the payload of an HTTP capture, or its rejection."""
    kind, url = record.field("content-type"), record.field("warc-target-uri")
    is_http = kind is None or kind.startswith("application/http")
    if not is_http or (url is not None and url.startswith("dns:")):
        return Rejected("not_http")  # a DNS answer, which has no record type in ARC files
    response = parse_response(record.data, record.start, record.end)
    if 300 <= response.status < 400:
        return Rejected("redirect")
    if not 200 <= response.status < 300:
        return Rejected("http_error")
    mime, charset = media_type(response.field("content-type") or "")
    if mime and mime not in HTML_TYPES and mime != TEXT_TYPE:
        return Rejected("not_html")  # before its body is decoded
    if not response.is_coded:
        end = len(response.data) if response.end is None else response.end
        if end - response.start <= max_body_bytes:
            return _Payload(response.data, response.start, end, mime, charset, response)
    body = decode_body(response, max_body_bytes).data
    return _Payload(body, 0, len(body), mime, charset, response)


def _looks_like_html(payload: _Payload) -> bool:
    """Whether a body without a declared type is HTML, by its first bytes."""
    if payload.mime:
        return False
    head = payload.data[payload.start : min(payload.end, payload.start + 1024)]
    head = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in head


def parse_time(value: object) -> datetime | None:
    """Parse a WARC-Date or another ISO 8601 time as UTC; None for any other value."""
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
    except OverflowError:  # year 1 or 9999 becomes another year in UTC
        return None
