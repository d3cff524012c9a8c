"""A small crawl laid out like Common Crawl's: WARC files, path list, columnar index."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

CRAWL = "CC-MAIN-2024-10"
OTHER_CRAWL = "CC-MAIN-2023-50"
LANGUAGES = ("zho", "eng", "zho,eng", None, "jpn,zho")
"""What the index says of a file's pages, over and over in this order."""

_PLACES = ["码头", "车站", "河堤", "市场", "学校", "公园", "医院", "图书馆", "体育馆", "老街"]
_SCHEMA = pa.schema(
    [
        ("url", pa.string()),
        ("fetch_status", pa.int16()),
        ("content_mime_detected", pa.string()),
        ("content_languages", pa.string()),
        ("warc_filename", pa.string()),
        ("warc_record_offset", pa.int32()),
        ("warc_record_length", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Crawl:
    """Where its parts lie."""

    root: Path  # what crawl-data/ lies in
    paths: tuple[str, ...]  # of the WARC files
    index: Path
    rows: tuple[dict[str, object], ...]  # of the index that are captures of CRAWL


def chinese_page(number: int, paragraphs: int = 3) -> bytes:
    """A page that ends as a document, another one for every number."""
    place = _PLACES[number % len(_PLACES)]
    text = "".join(
        f"<p>{place}旁边的第{number}号院子在去年秋天重新修过，第{n}段说的是它的门窗、屋顶和院里的树，"
        f"住在这里的人早上出门买菜，晚上回来坐在树下聊天，孩子们在门口写作业。</p>"
        for n in range(paragraphs)
    )
    head = f"<head><meta charset=utf-8><title>{place}{number}</title></head>"
    return f"<!doctype html><html>{head}<body>{text}</body></html>".encode()


def warc_file(first: int, pages: int, paragraphs: int = 3) -> bytes:
    """warcinfo, then request and response of each page, each record a gzip member."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    writer.write_record(writer.create_warcinfo_record("test.warc.gz", {"software": "test"}))
    for number in range(first, first + pages):
        heads = {
            "request": StatusAndHeaders(f"GET /{number} HTTP/1.1", [("Host", "example.cn")]),
            "response": StatusAndHeaders(
                "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
            ),
        }
        for kind, head in heads.items():
            body = chinese_page(number, paragraphs) if kind == "response" else b""
            writer.write_record(
                writer.create_warc_record(
                    f"http://example.cn/{number}",
                    kind,
                    payload=io.BytesIO(body),
                    http_headers=head,
                    warc_headers_dict={"WARC-Date": "2024-03-01T08:00:00Z"},
                )
            )
    return out.getvalue()


def index_rows(warc: bytes, path: str) -> list[dict[str, object]]:
    """A row for every response, with its place as warcio finds it."""
    rows = []
    archive = ArchiveIterator(io.BytesIO(warc))
    for record in archive:
        if record.rec_type != "response":
            continue
        url = record.rec_headers.get_header("WARC-Target-URI")
        offset = archive.get_record_offset()
        rows.append(
            {
                "url": url,
                "fetch_status": 200,
                "content_mime_detected": "text/html",
                "content_languages": LANGUAGES[len(rows) % len(LANGUAGES)],
                "warc_filename": path,
                "warc_record_offset": offset,
                "warc_record_length": archive.get_record_length(),
            }
        )
    return rows


def build_crawl(root: Path, files: int = 3, pages: int = 10) -> Crawl:
    """Write a crawl of some files under a folder, and an index that lists one more."""
    segment = f"crawl-data/{CRAWL}/segments/1700000000000.1"
    rows: list[dict[str, object]] = []
    paths = []
    for number in range(files):
        path = f"{segment}/warc/CC-MAIN-20240301-{number:05d}.warc.gz"
        warc = warc_file(number * pages, pages)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(warc)
        paths.append(path)
        rows += index_rows(warc, path)
    listed = gzip.compress("".join(f"{path}\n" for path in paths).encode())
    (root / f"crawl-data/{CRAWL}/warc.paths.gz").write_bytes(listed)
    unlike = [
        {**rows[0], "fetch_status": 404},
        {**rows[0], "content_mime_detected": "application/pdf"},
    ]
    index = root / "cc-index"
    write_index([*rows, *unlike], index / f"crawl={CRAWL}/subset=warc")
    write_index(rows[:2], index / f"crawl={CRAWL}/subset=robotstxt")
    elsewhere = [{**rows[0], "warc_filename": f"crawl-data/{OTHER_CRAWL}/a.warc.gz"}]
    write_index(elsewhere, index / f"crawl={OTHER_CRAWL}/subset=warc")
    return Crawl(root, tuple(paths), index, tuple(rows))


def write_index(rows: list[dict[str, object]], folder: Path) -> None:
    """Rows as a Parquet table of several files, in no order that would help anybody."""
    folder.mkdir(parents=True)
    for part in range(2):
        table = pa.Table.from_pylist(rows[part::2][::-1], _SCHEMA)
        pq.write_table(table, folder / f"part-{part:05d}.gz.parquet", compression="gzip")
