"""From a record to a document: what each page becomes, and what is known of it."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.builders.warc_files import http_response, record, written_by_warcio
from udfs.extract.outcomes import Candidate, Failed, Outcome, Rejected
from udfs.extract.pages import PageOptions, page_outcome
from udfs.warc.reader import read_records

PROSE = (
    "江边的旧码头改成了步道，傍晚有人在那里散步，也有人坐着看船。去年秋天水位高，步道关了半个月。"
)
ENGLISH = "The old quay became a promenade, and people walk there in the evening. " * 4
OPTIONS = PageOptions()
UNFILTERED = replace(OPTIONS, prefilter=False)


def html(text: str, head: str = "") -> str:
    return f"<html><head><title>步道</title>{head}</head><body><p>{text}</p></body></html>"


def outcome(
    block: bytes,
    options: PageOptions = OPTIONS,
    *,
    record_type: str = "response",
    extra: Iterable[str] = (),
) -> Outcome:
    data = record(block, record_type, "http://example.cn/a.html", extra=extra)
    (item,) = read_records(io.BytesIO(data))
    return page_outcome(item, "crawl.warc.gz", options)


def document(block: bytes, options: PageOptions = OPTIONS, **extra: object) -> Candidate:
    found = outcome(block, options, **extra)  # type: ignore[arg-type]
    assert isinstance(found, Candidate), found
    return found


def test_a_page_and_all_that_it_states() -> None:
    head = (
        '<meta charset="gb2312"><meta name="robots" content="noai, noindex">'
        '<meta property="article:published_time" content="2024-02-28T09:30:00+08:00">'
    )
    found = document(
        http_response(
            html(PROSE, head).encode("gbk"),
            ("Content-Type", "text/html"),
            ("TDM-Reservation", "1"),
        ),
        extra=["WARC-Truncated: length"],
    )
    assert found.text == PROSE
    assert found.title == "步道"
    assert found.url == "http://example.cn/a.html"
    assert found.capture_time == datetime(2024, 3, 1, 8, tzinfo=UTC)
    assert found.published == date(2024, 2, 28)
    assert found.opt_outs == ("noindex", "noai", "tdm_reservation")
    assert found.truncated == "length"
    assert (found.charset, found.charset_step) == ("gb18030", "meta")
    assert found.declared_charset is not None


def test_a_page_that_states_nothing() -> None:
    found = document(http_response(html(PROSE).encode()))
    assert found.published is None
    assert found.opt_outs == ()
    assert found.truncated is None


def test_plain_text_and_wet_records_have_no_title() -> None:
    answer = http_response(PROSE.encode(), ("Content-Type", "text/plain"), ("X-Robots-Tag", "noai"))
    found = document(answer)
    assert (found.title, found.text, found.opt_outs) == (None, PROSE, ("noai",))
    conversion = document(
        PROSE.encode(), record_type="conversion", extra=["Content-Type: text/plain"]
    )
    assert (conversion.title, conversion.text, conversion.opt_outs) == (None, PROSE, ())


@pytest.mark.parametrize("options", [OPTIONS, UNFILTERED], ids=["prefilter", "without"])
@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        ENGLISH + "简体中文 繁體中文",
        "Старая набережная стала местом прогулок. " * 40,
        "&#8220;" * 40 + ENGLISH,
        PROSE[:15].replace("，", "") + ENGLISH,
    ],
)
def test_a_page_with_too_few_ideographs_is_no_document(options: PageOptions, text: str) -> None:
    assert outcome(http_response(html(text).encode()), options) == Rejected("too_few_han")


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb18030", "utf-16"])
def test_a_page_with_enough_ideographs_is_one_with_and_without_the_prefilter(charset: str) -> None:
    sixteen = "江边的旧码头改成了步道有人散步着"
    assert len(sixteen) == 16
    page = http_response(html(ENGLISH + sixteen).encode(charset))
    assert document(page) == document(page, UNFILTERED)
    fewer = http_response(html(ENGLISH + sixteen[1:]).encode(charset))
    assert outcome(fewer) == outcome(fewer, UNFILTERED) == Rejected("too_few_han")


@pytest.mark.parametrize("options", [OPTIONS, UNFILTERED], ids=["prefilter", "without"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "shift_jis"])
def test_a_page_of_more_kana_than_ideographs_is_japanese(
    options: PageOptions, charset: str
) -> None:
    japanese = "<p>昔々、あるところにおじいさんとおばあさんが住んでいました。山へ芝刈りに。" * 5
    label = ("Content-Type", f"text/html; charset={charset}")
    page = http_response(japanese.encode(charset), label)
    assert outcome(page, options) == Rejected("mostly_kana")
    kept = replace(options, max_kana_share=None)
    assert isinstance(outcome(page, kept), Candidate)
    # A text, but no rule, for pages that need no ideographs.
    assert isinstance(outcome(page, replace(options, min_script_chars=None)), Candidate)


@pytest.mark.parametrize("options", [OPTIONS, UNFILTERED], ids=["prefilter", "without"])
def test_kana_on_a_chinese_page_lose_nothing(options: PageOptions) -> None:
    song = "さくらさくらやよいのそらは"
    assert isinstance(outcome(http_response(html(PROSE + song).encode()), options), Candidate)
    references = "".join(f"&#{ord(c)};" for c in PROSE)
    page = http_response(html(song + references).encode())
    assert isinstance(outcome(page, options), Candidate)


@pytest.mark.parametrize("options", [OPTIONS, UNFILTERED])
def test_ideographs_count_wherever_they_stand(options: PageOptions) -> None:
    text = f"{ENGLISH * 4} {PROSE}"
    block = http_response(html(text).encode(), ("Content-Type", "text/html"))
    assert document(block, options).text.endswith(PROSE)
    few = http_response(html(f"{ENGLISH * 4} {PROSE[:15]}").encode(), ("Content-Type", "text/html"))
    assert outcome(few, options) == Rejected("too_few_han")


def test_ideographs_as_references_count() -> None:
    references = "".join(f"&#{ord(c)};" if c != "，" else c for c in PROSE)
    assert document(http_response(html(references).encode())).text == PROSE


def test_other_languages_are_documents_where_no_ideographs_are_asked_for() -> None:
    found = document(http_response(html(ENGLISH).encode()), replace(OPTIONS, min_script_chars=None))
    assert found.text == ENGLISH.strip()


def test_the_extractor_is_a_choice() -> None:
    menu = "".join(f'<li><a href="/{n}">栏目{n}</a></li>' for n in range(30))
    page = http_response(html(f"{PROSE}</p><ul>{menu}</ul><p>").encode())
    assert "栏目3" not in document(page).text
    assert "栏目3" in document(page, replace(OPTIONS, extractor="plain")).text


def test_kinds_of_pages_are_a_choice() -> None:
    page = http_response(html(f"{PROSE}</p><p>{PROSE}").encode())
    assert document(page).page_kind == "article"
    articles = replace(OPTIONS, kinds=frozenset({"article"}))
    assert document(page, articles) == document(page)
    forums = replace(OPTIONS, kinds=frozenset({"forum"}))
    assert outcome(page, forums) == Rejected("unwanted_page_kind")
    plain = http_response(PROSE.encode(), ("Content-Type", "text/plain"))
    assert document(plain, forums).page_kind is None


@pytest.mark.parametrize(
    ("record_type", "reason"),
    [("request", "request_record"), ("Revisit", "revisit_record"), ("9999 ä", "other_record")],
)
def test_a_record_that_is_no_page_is_counted_by_its_type(record_type: str, reason: str) -> None:
    assert outcome(b"", record_type=record_type) == Rejected(reason)


def test_a_wrong_digest_is_a_failure_where_digests_are_verified() -> None:
    block = http_response(html(PROSE).encode())
    digest = base64.b32encode(hashlib.sha1(block).digest()).decode()
    right, wrong = [f"WARC-Block-Digest: sha1:{d}" for d in (digest, digest[::-1])]
    verifying = replace(OPTIONS, verify_digests=True)
    assert isinstance(outcome(block, verifying, extra=[right]), Candidate)
    assert isinstance(outcome(block, extra=[wrong]), Candidate)
    failed = outcome(block, verifying, extra=[wrong])
    assert isinstance(failed, Failed)
    assert failed.reason == "digest_mismatch"


def test_digests_of_records_that_are_no_pages_are_not_verified() -> None:
    data = written_by_warcio([html(PROSE).encode()])
    assert data.count(b"\x1f\x8b") >= 4
    verifying = replace(OPTIONS, verify_digests=True)
    found = [
        page_outcome(item, "crawl.warc.gz", verifying) for item in read_records(io.BytesIO(data))
    ]
    reasons = [None if isinstance(item, Candidate) else item.reason for item in found]
    assert reasons == ["warcinfo_record", "request_record", None, "metadata_record"]
