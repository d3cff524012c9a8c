"""The bundled sample is complete, well-formed and built the same way every time."""

from __future__ import annotations

import codecs
import io
import shutil
import urllib.parse
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import brotli
import pytest
from warcio.archiveiterator import ArchiveIterator

from tests.sample import build_sample
from tests.sample.build_sample import PAGES_DIR, Page, body_bytes
from tests.sample.drawings import data_uri

PAGES = {page.name: page for page in build_sample.load_pages()}
TEXT_PAGES = [page for page in PAGES.values() if page.file and page.content_type == "text/html"]
WARC = b"".join(build_sample.warc_bytes(list(PAGES.values())))

# Names that RFC 2606 and RFC 6761 reserve, and example.cn, their form under .cn.
RESERVED = ("example.com", "example.net", "example.org", "example.cn", "test", "invalid")

EXPECTATIONS = {
    "kept",
    "failed:malformed_http",
    "rejected:extract:not_html",
    "rejected:extract:http_error",
    "rejected:extract:redirect",
    "rejected:extract:too_few_han",
    "rejected:extract:mostly_kana",
    "rejected:extract:empty_body",
    "rejected:extract:empty_text",
    "rejected:rules:length",
    "rejected:rules:character",
    "rejected:rules:sensitive",
    "rejected:rules:duplication",
    "rejected:duplicates:url",
    "rejected:duplicates:exact",
    "rejected:duplicates:near",
    "rejected:select:low_quality",
}


def responses() -> dict[str, tuple[dict[str, str], dict[str, str], bytes]]:
    """Record id -> WARC headers, HTTP headers, payload as stored, for every whole response."""
    found: dict[str, Any] = {}
    for record in ArchiveIterator(io.BytesIO(WARC)):
        record_id = record.rec_headers["WARC-Record-ID"]
        assert record_id not in found
        if record.rec_type == "response":
            warc, http = dict(record.rec_headers.headers), dict(record.http_headers.headers)
            found[record_id] = (warc, http, record.raw_stream.read())
    return found


def source(page: Page) -> str:
    return (page.folder / page.file).read_text(encoding="utf-8")


def test_sample_has_pages_of_all_parts_and_enough_of_them() -> None:
    assert len(PAGES) >= 60
    assert {page.folder.name for page in PAGES.values()} == {"part1", "part2", "part3"}


def test_no_two_captures_share_url_and_time() -> None:
    captures = Counter((page.url, page.capture_time) for page in PAGES.values())
    assert [capture for capture, count in captures.items() if count > 1] == []


def test_every_page_says_why_it_is_there_and_no_two_say_the_same() -> None:
    reasons = [page.why for page in PAGES.values()]
    assert all(len(why) >= 8 and "\n" not in why for why in reasons)
    assert len(set(reasons)) == len(reasons)


def test_every_expectation_is_represented() -> None:
    assert {page.expect for page in PAGES.values()} >= EXPECTATIONS


def test_every_domain_of_the_paper_is_represented() -> None:
    assert {page.domain for page in PAGES.values() if page.expect == "kept"} >= {
        "book",
        "dialogue",
        "education",
        "encyclopedia",
        "finance",
        "general",
        "law",
        "math",
        "medicine",
        "news",
        "technology",
    }


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_hosts_are_reserved_for_examples(page: Page) -> None:
    for url in filter(None, (page.url, page.location)):
        host = urllib.parse.urlsplit(url).hostname or ""
        assert any(host == name or host.endswith("." + name) for name in RESERVED), url


def test_every_file_belongs_to_a_page() -> None:
    listed = {page.folder / page.file for page in PAGES.values() if page.file}
    stored = {path for path in PAGES_DIR.glob("*/*") if path.name != "pages.toml"}
    assert listed == stored


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "sample.warc.gz", tmp_path / "b.warc.gz"
    assert build_sample.main([str(first)]) == 0
    assert build_sample.main([str(second)]) == 0
    assert first.read_bytes() == second.read_bytes() == WARC
    assert sorted(path.name for path in first.parent.iterdir()) == ["sample.warc.gz"]


def test_warcio_reads_back_every_record() -> None:
    kinds = Counter(record.rec_type for record in ArchiveIterator(io.BytesIO(WARC)))
    companions = sum(page.companions for page in PAGES.values())
    assert companions == 2
    assert kinds == {
        "warcinfo": 1,
        "response": len(PAGES),
        "request": companions,
        "metadata": companions,
    }
    assert next(iter(ArchiveIterator(io.BytesIO(WARC)))).rec_type == "warcinfo"


def test_every_record_is_a_gzip_member_of_its_own_and_in_name_order() -> None:
    starts = []
    rest = WARC
    while rest:
        member = zlib.decompressobj(zlib.MAX_WBITS + 16)
        data = member.decompress(rest)
        assert member.eof
        assert data.startswith(b"WARC/1.0\r\n") and data.endswith(b"\r\n\r\n")
        if b"WARC-Type: response" in data.partition(b"\r\n\r\n")[0]:
            starts.append(data)
        rest = member.unused_data
    in_order = sorted(PAGES.values(), key=lambda page: (page.folder.name, page.name))
    assert len(starts) == len(in_order)
    for page, data in zip(in_order, starts, strict=True):
        assert page.record_id.encode() in data


def test_stored_payloads_decode_to_what_the_sources_say() -> None:
    stored = responses()
    for page in TEXT_PAGES:
        if page.cut_at or not page.http:
            continue
        warc, http, payload = stored[page.record_id]
        assert warc["WARC-Target-URI"] == page.url
        assert warc["WARC-Date"] == page.capture_time
        if page.chunked:
            payload = join_chunks(payload)
        else:
            assert int(http["Content-Length"]) == len(payload)
        if page.content_encoding == "gzip":
            payload = zlib.decompress(payload, zlib.MAX_WBITS + 16)
        elif page.content_encoding == "br":
            payload = brotli.decompress(payload)
        text = payload.decode(page.encoding).replace(data_uri("seal"), "drawing:seal")
        assert text == source(page), page.name


def join_chunks(data: bytes) -> bytes:
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        assert data[length : length + 2] == b"\r\n"
        if length == 0:
            return body
        body, data = body + data[:length], data[length + 2 :]


@pytest.mark.parametrize("page", TEXT_PAGES, ids=lambda page: page.name)
def test_encodings_round_trip_and_pages_do_not_contradict_them(page: Page) -> None:
    text = source(page)
    assert "\ufffd" not in text
    assert text.encode(page.encoding).decode(page.encoding) == text


def test_legacy_encodings_need_more_than_their_labels_name() -> None:
    gbk = PAGES["edu_reading_class_gbk"]
    assert (gbk.encoding, gbk.declared) == ("gbk", "gb2312")
    with pytest.raises(UnicodeDecodeError):
        body_bytes(gbk).decode("gb2312")

    undeclared = PAGES["news_wetland_birds_gb18030"]
    assert (undeclared.encoding, undeclared.declared) == ("gb18030", "")
    assert "charset" not in source(undeclared)
    with pytest.raises(UnicodeEncodeError):
        source(undeclared).encode("gbk")

    big5 = body_bytes(PAGES["big5_fishing_port"])
    with pytest.raises(UnicodeDecodeError):
        big5.decode("utf-8")

    lying = PAGES["tech_sodium_battery_wrong_header"]
    assert (lying.encoding, lying.declared) == ("utf-8", "gb2312")


def test_content_codings_and_chunks_are_on_the_pages_that_are_there_for_them() -> None:
    assert PAGES["enc_tides_gzip"].content_encoding == "gzip"
    assert PAGES["tech_compression_brotli"].content_encoding == "br"
    assert PAGES["life_old_town_chunked"].chunked
    body = body_bytes(PAGES["life_old_town_chunked"])
    ends = range(build_sample.CHUNK_BYTES, len(body), build_sample.CHUNK_BYTES)
    assert any(ends_inside_character(body[:end]) for end in ends)


def ends_inside_character(data: bytes) -> bool:
    """Whether UTF-8 `data` is sound but for a last character that is not whole."""
    _, used = codecs.utf_8_decode(data, "strict", False)
    return used < len(data)


def test_cut_page_ends_inside_a_character_and_says_that_it_is_cut() -> None:
    page = PAGES["book_snow_line_cut"]
    warc, http, payload = responses()[page.record_id]
    assert warc["WARC-Truncated"] == "length"
    assert len(payload) == page.cut_at < int(http["Content-Length"])
    assert ends_inside_character(payload)
    article = payload.decode("utf-8", "ignore").partition('<div id="content">')[2]
    assert len(article) > 600


def test_duplicates_are_what_their_expectation_says() -> None:
    original, copy = PAGES["life_braised_eggplant"], PAGES["life_braised_eggplant_copy"]
    assert body_bytes(original) == body_bytes(copy)
    hosts = {urllib.parse.urlsplit(page.url).hostname for page in (original, copy)}
    assert len(hosts) == 2

    newer, older = PAGES["news_metro_line"], PAGES["news_metro_line_earlier"]
    assert newer.url == older.url
    assert newer.capture_time > older.capture_time
    assert len(source(newer)) > len(source(older))

    first, update = PAGES["news_flood_control"], PAGES["news_flood_control_updated"]
    assert first.capture_time < update.capture_time
    assert len(source(first)) > len(source(update))
    shingles = [windows(source(page), 5) for page in (first, update)]
    assert 0.85 < len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1]) < 1


def windows(text: str, length: int) -> set[str]:
    return {text[start : start + length] for start in range(len(text) - length + 1)}


def test_records_without_page_carry_what_they_claim() -> None:
    stored = responses()
    assert stored[PAGES["leaflet_pdf"].record_id][2].startswith(b"%PDF-")
    assert stored[PAGES["dot_png"].record_id][2].startswith(b"\x89PNG")
    assert stored[PAGES["empty_body"].record_id][2] == b""
    moved = PAGES["moved_301"]
    assert stored[moved.record_id][1]["Location"] == moved.location
    bare = PAGES["no_http_head"]
    assert not bare.http
    assert b"Content-Type: application/http" in WARC_HEADERS[bare.record_id]


def raw_headers() -> dict[str, bytes]:
    """Record id -> the bytes of the record up to the first blank line."""
    found, rest = {}, WARC
    while rest:
        member = zlib.decompressobj(zlib.MAX_WBITS + 16)
        head = member.decompress(rest).partition(b"\r\n\r\n")[0]
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        found[lines[b"WARC-Record-ID"].decode()] = head
        rest = member.unused_data
    return found


WARC_HEADERS = raw_headers()


def test_page_with_one_traditional_name_is_otherwise_simplified() -> None:
    article = source(PAGES["news_old_beacon_tai"]).partition('<TD class="big">')[2]
    assert article.count("望潮臺") == 1
    article.replace("臺", "台").encode("gb2312")  # GB2312 has no traditional forms: none is left


GOOD_ENTRY = (
    '[[page]]\nname = "a"\nurl = "https://a.example.com/"\n'
    'capture_time = "2024-01-01T00:00:00Z"\nexpect = "kept"\nwhy = "a page for a test"\n'
)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (GOOD_ENTRY + 'colour = "red"\n', "unknown keys \\['colour'\\]"),
        (GOOD_ENTRY.replace('why = "a page for a test"\n', ""), "missing keys \\['why'\\]"),
        (GOOD_ENTRY.replace('"kept"', '"dropped"'), "malformed values .*'dropped'"),
        (GOOD_ENTRY.replace("2024-01-01T", "2024-01-01 "), "malformed values .*capture_time"),
        (GOOD_ENTRY + GOOD_ENTRY, "'a' occurs twice"),
    ],
)
def test_bad_manifest_is_refused_with_its_place(
    tmp_path: Path, manifest: str, message: str
) -> None:
    (tmp_path / "part1").mkdir()
    (tmp_path / "part1" / "pages.toml").write_text(manifest, encoding="utf-8")
    with pytest.raises(ValueError, match=f"part1/pages.toml.*{message}"):
        build_sample.load_pages(tmp_path)


def test_failed_build_leaves_the_old_file(tmp_path: Path) -> None:
    pages_dir = tmp_path / "pages"
    shutil.copytree(PAGES_DIR / "part1", pages_dir / "part1")
    output = tmp_path / "sample.warc.gz"
    build_sample.build(output, pages_dir)
    before = output.read_bytes()
    (pages_dir / "part1" / "edu_reading_class_gbk.html").write_text("<p>㊗🙂", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        build_sample.build(output, pages_dir)
    assert output.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages", "sample.warc.gz"]
