"""A file's records to rows: what waits, what the language model decides, that all is counted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.builders.warc_files import http_response, member, record
from udfs.extract import extract
from udfs.extract.extract import ExtractOptions, extract_split
from udfs.extract.language import LanguageModel
from udfs.extract.outcomes import DOCUMENT, FAILURE, TALLY
from udfs.extract.pages import PageOptions
from udfs.warc.records import WarcRecord

PROSE = (
    "江边的旧码头改成了步道，傍晚有人在那里散步，也有人坐着看船。去年秋天水位高，步道关了半个月。"
)
OPTIONS = ExtractOptions(
    languages=frozenset({"zh"}),
    min_language_score=0.65,
    max_record_bytes=1 << 20,
    page=PageOptions(),
    text_column="text",
    id_column="id",
    batch_rows=1000,
    batch_bytes=1 << 20,
)


@dataclass(frozen=True)
class Split:
    uri: str
    warc_path: str = "crawl.warc.gz"
    input_format: str = "warc"


class Model:
    """Identifies a text's language by its first character."""

    def identify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        return [{"日": ("ja", 0.9), "疑": ("zh", 0.4)}.get(text[0], ("zh", 0.9)) for text in texts]


def rows_of(
    path: Path, bodies: Sequence[bytes], options: ExtractOptions = OPTIONS
) -> list[dict[str, Any]]:
    data = b""
    for number, body in enumerate(bodies):
        url = f"http://example.cn/{number}"
        data += member(record(b"", "request", url))
        data += member(record(http_response(body), "response", url))
    path.write_bytes(data)
    model = cast(LanguageModel, Model())
    return [row for rows in extract_split(Split(str(path)), options, model) for row in rows]


def counts_of(reasons: list[dict[str, Any]]) -> dict[str, int]:
    return {of["reason"]: of["records"] for of in reasons}


def page(text: str) -> bytes:
    return f"<html><body><p>{text}</p></body></html>".encode()


@pytest.mark.parametrize("pages", [1, 31, 32, 33, 70])
@pytest.mark.parametrize("most_bytes", [1, 1 << 20])
def test_pages_that_wait_come_out_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int, most_bytes: int
) -> None:
    monkeypatch.setattr(extract, "PAGE_BATCH_BYTES", most_bytes)
    bodies = [page(f"{number}：{PROSE}") for number in range(pages)]
    for number in range(0, pages, 3):
        bodies.insert(2 * number, page("nothing but English"))
    rows = rows_of(tmp_path / "a.warc.gz", bodies)
    documents = [row["text"] for row in rows if row["row_kind"] == DOCUMENT]
    assert documents == [f"{number}：{PROSE}" for number in range(pages)]
    tally = rows[-1]
    assert (tally["row_kind"], tally["seen"]) == (TALLY, 2 * len(bodies))
    rejected = counts_of(tally["rejected"])
    assert rejected.get("too_few_han", 0) == len(bodies) - pages
    assert rejected.get("request_record", 0) == len(bodies)


def test_every_reason_of_the_language_is_counted(tmp_path: Path) -> None:
    bodies = [
        page(PROSE),
        page("日" + PROSE),
        page("疑" + PROSE),
        page("ひらがなとカタカナだけのページです" * 4 + "漢字" * 9),
        page("words " * 40),
        b"",
    ]
    rows = rows_of(tmp_path / "a.warc.gz", bodies)
    assert [row["row_kind"] for row in rows] == [DOCUMENT, TALLY]
    assert counts_of(rows[-1]["rejected"]) == {
        "request_record": 6,
        "wrong_language": 1,
        "uncertain_language": 1,
        "mostly_kana": 1,
        "too_few_han": 1,
        "empty_body": 1,
    }


def test_pages_of_an_unwanted_kind_are_counted(tmp_path: Path) -> None:
    bodies = [page(PROSE), page(PROSE + PROSE), page("words " * 40)]
    options = replace(OPTIONS, page=PageOptions(kinds=frozenset({"forum"})))
    [tally] = rows_of(tmp_path / "a.warc.gz", bodies, options)
    assert tally["seen"] == 6
    assert counts_of(tally["rejected"]) == {
        "request_record": 3,
        "unwanted_page_kind": 2,
        "too_few_han": 1,
    }


def test_pages_before_a_file_that_vanishes_are_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    def vanishing(*_: object, **__: object) -> Any:
        block = http_response(page(PROSE))
        yield WarcRecord(0, "response", {"content-type": "application/http"}, block, None)
        raise FileNotFoundError

    monkeypatch.setattr(extract, "read_records", vanishing)
    monkeypatch.setattr(extract, "open_input", lambda _: nullcontext())
    model = cast(LanguageModel, Model())
    rows = [row for rows in extract_split(Split("x"), OPTIONS, model) for row in rows]
    assert [row["row_kind"] for row in rows] == [FAILURE, DOCUMENT, TALLY]
    assert rows[-1]["failed"] == [{"reason": "missing_file", "records": 1}]
