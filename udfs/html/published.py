"""The day of publication that a page states.

Searched from the clearest statement to the vaguest; the first one counts: meta elements, JSON-LD,
the element marked as datePublished, a labelled date in the text (发布时间：2021-04-08), the date
in the url's path, a date and time beside the heading or the source (来源). Dates of updates, of
other pages and of today do not count.

A day without a time: pages state the writer's day, often without a time zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice
from urllib.parse import urlsplit

import numpy as np

from udfs.base.array_types import UInt8Array
from udfs.base.jit import compiled
from udfs.html.head import meta_elements

_FIRST = date(1990, 1, 1)  # earlier dates, before the web, are of something else
_LAST = date(2099, 12, 31)

# Best first.
META_NAMES = (
    "article:published_time", "og:published_time", "og:article:published_time",
    "news:published_time", "bytedance:published_time", "datepublished", "og:release_date",
    "pubdate", "publishdate", "publish_date", "publish-date", "publication_date",
    "publication-date", "publishtime", "publish_time", "publish-time", "firstpublishedtime",
    "parsely-pub-date", "sailthru.date", "og:time", "weibo:article:create_at",
    "citation_publication_date", "citation_date", "prism.publicationdate", "dcterms.issued",
    "dc.date.issued", "dcterms.created", "dc.date.created", "dc.date", "dcterms.date", "date",
)  # fmt: skip

_SEPARATED = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)"
    r"(?:(?P<mark>[-/.])(?P<m>\d\d?)(?P=mark)(?P<d>\d\d?)(?!\d)"
    r"|\s{0,2}年\s{0,2}(?P<month>\d\d?)\s{0,2}月\s{0,2}(?P<day>\d\d?)\s{0,2}日)"
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)([01]\d)([0-3]\d)(?=\D|$|\d{6}(?!\d))")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(
    rf"(?<![a-z\d])(?:(\d{{1,2}})[ -])?({'|'.join(_MONTHS)})[a-z]{{0,6}}\.?[ -](?:(\d{{1,2}}),? )?"
    r"((?:19|20)\d\d)(?!\d)",
    re.IGNORECASE,
)

_DATE_PUBLISHED = "datePublished"  # schema.org's, in JSON-LD and as an itemprop
_PUB_DATE = '"pubDate"'  # Baidu's own JSON-LD context
_MAX_MARKED = 8
_MARKED_CHARS = 1_000_000  # of HTML in which these two are searched
_HEAD_CHARS = 64 << 10
_JSON_VALUE = re.compile(r"\"\s{0,20}:\s{0,20}\"([^\"<>]{8,40})\"")
_TAG_DATE = re.compile(r"\s(?:datetime|content)\s{0,5}=\s{0,5}[\"']?([^\"'<>]{8,40})")

# The letters that `may_have_marks` looks for.
_LETTERS = 4
_E, _UPPER_P, _P, _U, _B, _QUOTE = b'ePpub"'

_TEXT_CHARS = 30_000  # of HTML after the heading: further down are comments and other pages
# Patterns and not str.find: for needles this short they take half the time.
_HEAD_END, _BODY, _HEADING = re.compile("</head"), re.compile("<body"), re.compile("<h1")
_BODY_CHARS = 60_000  # of the body in which the heading begins
_MAX_DATES = 40
_BEFORE_CHARS, _AFTER_CHARS = 300, 120  # of HTML around a date that are read
_TEXT_DATE = re.compile(
    r"20\d\d(?:([-/.])\d\d?\1\d\d?(?!\d)|\s{0,2}年\s{0,2}\d\d?\s{0,2}月\s{0,2}\d\d?\s{0,2}日)"
    r"(?P<time>(?:\s|T|&nbsp;){0,4}\d\d?:\d\d)?"
)
_ENDS_TAG = re.compile(r"(?:>|&nbsp;)\s{0,40}$")
_BEGINS_TAG = re.compile(r"\s{0,40}(?:<|&nbsp;)")
# A heading and the line under it.
_NEAR_CHARS, _NEAR_VISIBLE = 2000, 150
_TITLE = re.compile(r"<title[^<>]{0,200}>([^<>]{4,300})<", re.IGNORECASE)
_TITLE_ENDS = re.compile(r"\s|[_|—–-]")
_TAGS = re.compile(r"<[^<>]*>")
_SPACES = ("&nbsp;", "&#160;", "&emsp;")
_LABEL = re.compile(
    r"(?:(?:发布|发表|发稿|刊发|上传|发帖|發佈|發布|發表|發稿|張貼)(?:时间|日期|時間|于|於)?"
    r"|(?:^|[^\u4e00-\u9fff])(?:时间|日期|時間))\s?[:：]?\s?$"
)
_NOT_PUBLISHED = re.compile(r"更新|修改|最后|最後|最新|推荐文章|今天是|截止|更正|回复|下次|有效")
_SOURCE = re.compile(r"来源|來源")

_PATH_DATES = (
    re.compile(r"/((?:19|20)\d\d)[-/_]([01]\d)[-/_]?([0-3]\d)(?=[/._])"),
    # Eight digits in a row may number anything; as a folder they are a day.
    re.compile(r"/((?:19|20)\d\d)([01]\d)/?([0-3]\d)/"),
    re.compile(r"/t((?:19|20)\d\d)([01]\d)([0-3]\d)_\d"),
    re.compile(r"/((?:19|20)\d\d)-(\d{1,2})-(\d{1,2})/"),
)


def published_date(
    html: str,
    url: str | None,
    captured: datetime | None = None,
    *,
    utf8: bytes | None = None,
    stated: Iterable[tuple[str, str]] | None = None,
) -> date | None:
    """Return the day of publication that a page states.

    Args:
        html: The decoded page.
        url: The page's url; None when it is not known.
        captured: Time of the capture; a date more than a day later does not count.
        utf8: The page as UTF-8, where the caller has it already.
        stated: The result of `udfs.html.head.meta_elements` for `META_NAMES` and perhaps others,
            where the caller has it already.
    Returns:
        The day as written, in no particular time zone; from 1990 on. None when the page states
        none.
    """
    last = _LAST if captured is None else min(captured.date(), _LAST) + timedelta(days=1)
    is_marked = utf8 is None or may_have_marks(utf8)
    if stated is None:
        stated = meta_elements(html, META_NAMES)
    for text in chain(_in_meta(stated), _marked(html) if is_marked else ()):
        found = _read(text, last)
        if found is not None:
            return found
    labelled, beside = _in_text(html, last)
    return labelled or _in_path(url, last) or beside


def may_have_marks(page: bytes) -> bool:
    """Whether a page may have datePublished or "pubDate"; False where it has neither.

    A search of the text takes ten times as long, and most pages have none.

    Args:
        page: UTF-8.

    >>> may_have_marks(b'<i itemprop="datePublished">'), may_have_marks(b"<i class=publication>")
    (True, False)
    """
    return _has_letters(np.frombuffer(page, dtype=np.uint8))


@compiled
def _has_letters(page: UInt8Array) -> bool:
    """Whether a page has "ePub" or '"pub'."""
    size = max(len(page) - _LETTERS + 1, 0)
    first, second, third, fourth = page[:size], page[1:], page[2:], page[3:]
    found = False
    # No branches and no early exit, so that the loop is vectorised.
    for place in range(size):
        byte, following = first[place], second[place]
        found |= (
            (third[place] == _U)
            & (fourth[place] == _B)
            & (((byte == _E) & (following == _UPPER_P)) | ((byte == _QUOTE) & (following == _P)))
        )
    return found


def _in_meta(stated: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the dates in meta elements, the best first."""
    contents: dict[str, str] = {}
    for name, content in stated:
        contents.setdefault(name, content)
    for name in META_NAMES:
        if name in contents:
            yield contents[name]


def _marked(html: str) -> Iterator[str]:
    """Yield the dates in JSON-LD and in elements marked as datePublished."""
    at = -1
    for _ in range(_MAX_MARKED):
        at = html.find(_DATE_PUBLISHED, at + 1, _MARKED_CHARS)
        if at < 0:
            break
        value = _JSON_VALUE.match(html, at + len(_DATE_PUBLISHED))
        if value:
            yield value[1]
        elif element := _element_around(html, at):
            yield element
    at = html.find(_PUB_DATE, 0, _MARKED_CHARS)
    if at >= 0 and (value := _JSON_VALUE.match(html, at + len(_PUB_DATE) - 1)):
        yield value[1]


def _element_around(html: str, at: int) -> str:
    """Return the date in an element with an itemprop at a place: an attribute, or its text."""
    start = html.rfind("<", max(0, at - _BEFORE_CHARS), at)
    end = html.find(">", at, at + _BEFORE_CHARS)
    if start < 0 or end < 0 or "itemprop" not in html[start:at]:
        return ""
    attribute = _TAG_DATE.search(html, start, end)
    return attribute[1] if attribute else html[end + 1 : end + 40].partition("<")[0]


def _in_text(html: str, last: date) -> tuple[date | None, date | None]:
    """Return the first labelled date, and the first date beside the heading or the source."""
    head_end = _HEAD_END.search(html, 0, _HEAD_CHARS)
    begins = _BODY.search(html, head_end.end() if head_end else 0, _MARKED_CHARS)
    body = begins.start() if begins else 0
    heads = _HEADING.search(html, body, body + _BODY_CHARS)
    heading = heads.start() if heads else -1
    start = heading if heads else body
    title: int | None = None
    beside: date | None = None
    for match in islice(_TEXT_DATE.finditer(html, start, start + _TEXT_CHARS), _MAX_DATES):
        at = match.start()
        first = max(start, at - _BEFORE_CHARS)
        closing = html.rfind(">", first, at)
        if closing < 0 or html.find("<", closing, at) >= 0:
            continue  # in a tag, a comment, a script
        before = html[first:at]
        found = _read(match[0], last)
        text = _visible(before)
        if found is None or _NOT_PUBLISHED.search(text[-20:]):
            continue
        if _LABEL.search(text[-14:]):
            return found, beside
        if beside is None:
            after = html[match.end() : match.end() + _AFTER_CHARS]
            if match["time"]:
                stated = (
                    _SOURCE.search(text[-40:]) is not None
                    or _SOURCE.search(_visible(after)[:20]) is not None
                    or _is_under(heading, match, html)
                )
                if not stated:
                    title = _title_in_body(html, body) if title is None else title
                    stated = _is_under(title, match, html)
            else:
                # A day among other words belongs to the text; one under words of the title may be
                # the first of a list.
                is_alone = _ENDS_TAG.search(before) and _BEGINS_TAG.match(after)
                stated = is_alone is not None and _is_under(heading, match, html)
            beside = found if stated else None
    return None, beside


def _title_in_body(html: str, body: int) -> int:
    """Return where the first words of the title are in the body; -1 without them."""
    title = _TITLE.search(html, 0, body)
    if title is None:
        return -1
    words = _TITLE_ENDS.split(title[1].strip(), maxsplit=1)[0][:20]
    return html.find(words, body, body + _BODY_CHARS) if len(words) >= 4 else -1


def _is_under(heading: int, match: re.Match[str], html: str) -> bool:
    """Whether a date is under a heading, with little text between."""
    return (
        0 <= heading < match.start() < heading + _NEAR_CHARS
        and len(_visible(html[heading : match.start()])) < _NEAR_VISIBLE
    )


def _visible(html: str) -> str:
    """Return a part of HTML without its tags, and without those that its borders cut."""
    opening, closing = html.find("<"), html.find(">")
    if closing >= 0 and not 0 <= opening < closing:
        html = html[closing + 1 :]
    text = _TAGS.sub(" ", html).partition("<")[0]
    if "&" in text:
        for reference in _SPACES:
            text = text.replace(reference, " ")
    return " ".join(text.split())


def _in_path(url: str | None, last: date) -> date | None:
    if url is None or ("/19" not in url and "/20" not in url and "/t20" not in url):
        return None
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    for pattern in _PATH_DATES:
        match = pattern.search(path)
        if match and (found := _day(*match.groups(), last=last)):
            return found
    return None


def _read(text: str, last: date) -> date | None:
    """Parse the first date in a short text, in any notation; None without a valid one."""
    if match := _SEPARATED.search(text):
        month, day = match["m"] or match["month"], match["d"] or match["day"]
        return _day(match["year"], month, day, last=last)
    if match := _COMPACT.search(text):
        return _day(*match.groups(), last=last)
    if match := _NAMED.search(text):
        before, month, after, year = match.groups()
        if before or after:
            number = _MONTHS.index(month.lower()) + 1
            return _day(year, str(number), before or after, last=last)
    return None


def _day(year: str, month: str, day: str, *, last: date) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if _FIRST <= found <= last else None
