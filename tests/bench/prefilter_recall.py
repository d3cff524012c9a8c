"""Whether the byte prefilter loses a Chinese page, and how many others it spares the work.

    python -m tests.bench.prefilter_recall --data DIR [--least 16] [--pages 60] [--quick]

Recall: every Chinese page of DIR (extraction, charset, warc) and every text of its quality
folder in a page, in every charset that can write it, as numeric references, whole and cut; and
English pages with a few ideographs in the beginning, the middle, the end, a script, a comment. A
page is lost when its main text has --least ideographs and a bound says that it cannot, or when it
is mostly kana and the language model is sure enough, for a document, that its main text is Chinese.

Skipped: pages in other languages, generated and from DIR/warc, in UTF-8 and in old charsets: the
share that the bytes decide, the share that the decoded page decides before it is parsed, and CPU
time in microseconds for 100 KB (best of five passes over the group). Exits with 1 when a page is
lost.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jobs.config import ExtractConfig
from tests.bench.build_mix import Site
from tests.bench.build_pages import page as chinese_page
from tests.bench.mix_texts import LANGUAGES, maker
from tests.udfs.charset.plain_prefilter import may_hold_han, text_may_hold_han
from udfs.base.han import han_ideographs
from udfs.base.page_counts import page_counts
from udfs.charset.decode import decode
from udfs.charset.prefilter import HanRules, mostly_kana
from udfs.extract.language import LanguageModel, load_language_model
from udfs.extract.pages import HTML_TYPES, PageOptions
from udfs.html.page_text import HtmlLimits, PageRejected, extract_page
from udfs.warc.http_message import HttpError, content_type, decode_body, parse_response
from udfs.warc.reader import read_records
from udfs.warc.records import WarcRecord

CODECS = (
    "utf-8", "utf-8-sig", "gbk", "gb18030", "big5", "big5hkscs", "utf-16-le", "utf-16-be",
    "utf-16", "utf-32", "hz",
)  # fmt: skip
OLD_CHARSETS = {
    "ru": ("windows-1251", "koi8-r"), "uk": ("windows-1251",), "de": ("iso-8859-1",),
    "fr": ("iso-8859-1",), "es": ("iso-8859-1",), "pl": ("iso-8859-2",), "el": ("iso-8859-7",),
    "tr": ("iso-8859-9",), "ja": ("shift_jis", "euc_jp"), "ko": ("euc_kr",), "th": ("cp874",),
    "he": ("windows-1255",), "ar": ("windows-1256",), "vi": ("windows-1258",),
}  # fmt: skip
LIMITS = HtmlLimits()
MIN_LANGUAGE_SCORE = ExtractConfig().min_language_score or 0.0


class Page(NamedTuple):
    """A payload, what its HTTP header says of its charset, and the group that it counts in."""

    payload: bytes
    declared: str | None
    group: str


def chinese_htmls(data: Path) -> Iterator[str]:
    """Real pages, and real texts in pages."""
    with gzip.open(data / "extraction/pages.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            payload = (data / "extraction" / row["html"]).read_bytes()
            yield decode(payload, row["declared_charset"]).text
    for row in json.loads((data / "charset/manifest.json").read_text(encoding="utf-8")):
        yield decode((data / "charset" / row["file"]).read_bytes(), None).text
    for page in warc_pages(data):
        yield decode(page.payload, page.declared).text
    dice = random.Random(3)
    for name in (
        "hplt_web_labelled",
        "hplt_web_read",
        "cwt1_clean_dirty",
        "cwt1_cleared1_unlabelled",
    ):
        with gzip.open(data / f"quality/{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            texts = [json.loads(line)["text"] for line in file]
        for number, text in enumerate(texts):
            yield chinese_page(text, number, texts, dice)


def warc_pages(data: Path) -> Iterator[Page]:
    """The HTML captures of the folder's WARC and ARC files, each once."""
    seen: set[bytes] = set()
    for path in sorted((data / "warc").iterdir()):
        if path.suffix == ".json":
            continue
        with path.open("rb") as file:
            for record in read_records(file):
                if not isinstance(record, WarcRecord) or record.record_type != "response":
                    continue
                try:
                    response = parse_response(record.block)
                    body = decode_body(response, 64 << 20).data
                except HttpError:
                    continue
                mime, declared = content_type(response.headers)
                if mime in HTML_TYPES and body and body not in seen:
                    seen.add(body)
                    yield Page(body, declared, "captures of the WARC files")


def spellings(html: str) -> Iterator[Page]:
    """A page in every charset that can write nearly all of it, and as numeric references."""
    for codec in CODECS:
        payload = html.encode(codec, "ignore")
        if codec != "hz" and len(payload.decode(codec, "ignore")) < 0.98 * len(html):
            continue
        for declared in (codec, None):
            yield Page(payload, declared, codec if declared else f"{codec}, no label")
        yield Page(payload[: len(payload) * 2 // 3 + 1], codec, f"{codec}, cut")
    yield Page(html.encode("ascii", "xmlcharrefreplace"), None, "references, decimal")
    hexadecimal = "".join(c if c.isascii() else f"&#x{ord(c):x};" for c in html)
    yield Page(hexadecimal.encode(), "gb2312", "references, hexadecimal")


def mixtures(least: int) -> Iterator[Page]:
    """English pages with about `least` ideographs."""
    english = maker("en")
    for number in range(12):
        dice = random.Random(number)
        parts = english.text(dice, 8000).split("\n")
        for count in range(least - 3, least + 4):
            some = "".join(dice.choices("中文網頁简体字與漢字混合一二三𠮷㐂豈", k=count))
            for place in (0, len(parts) // 2, len(parts)):
                body = "".join(f"<p>{p}</p>\n" for p in [*parts[:place], some, *parts[place:]])
                yield from _mixed(body)
            body = "".join(f"<p>{p}</p>\n" for p in parts)
            yield from _mixed(f"<script>var x='{some}'</script><!-- {some} -->{body}")


def _mixed(body: str) -> Iterator[Page]:
    html = f"<!doctype html><html><head><title>t</title></head><body>{body}</body></html>"
    for codec in ("utf-8", "gb18030", "big5hkscs", "utf-16-le", "hz"):
        yield Page(html.encode(codec, "ignore"), codec, "mixtures")
        yield Page(html.encode(codec, "ignore"), None, "mixtures")
    yield Page(html.encode("ascii", "xmlcharrefreplace"), None, "mixtures")


def main_text(page: Page) -> str:
    """A page's main text; none for a page that a limit rejects."""
    try:
        return extract_page(decode(page.payload, page.declared).text, LIMITS).text
    except PageRejected:
        return ""


def recall(
    pages: Iterator[Page], least: int, model: LanguageModel
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Pages with `least` ideographs, those lost, and those of mostly kana, by group."""
    documents: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    kana: Counter[str] = Counter()
    rules = HanRules(least, PageOptions().max_kana_share)
    for page in pages:
        main = main_text(page)
        if han_ideographs(main) < least:
            continue
        documents[page.group] += 1
        text = decode(page.payload, page.declared).text
        for twice_escaped in (False, True):
            if not (
                may_hold_han(page.payload, page.declared, least, twice_escaped=twice_escaped)
                and text_may_hold_han(text, least, twice_escaped=twice_escaped)
            ):
                lost[page.group] += 1
                print(f"LOST: {page.group}: {page.payload[:200]!r}", file=sys.stderr)
                break
        if mostly_kana(page_counts(text.encode()), rules):
            kana[page.group] += 1
            language, score = model.identify([main])[0]
            if language == "zh" and score >= MIN_LANGUAGE_SCORE:
                lost[page.group] += 1
                print(f"LOST as kana: {page.group}: {score} {main[:100]!r}", file=sys.stderr)
    return documents, lost, kana


def others(data: Path, count: int) -> dict[str, list[Page]]:
    """Pages that are not Chinese, by group."""
    groups: dict[str, list[Page]] = {}

    def add(group: str, html: str, codec: str, label: str | None) -> None:
        payload = html.encode(codec, "xmlcharrefreplace")
        groups.setdefault(group, []).append(Page(payload, label, group))

    for language in ("en", *LANGUAGES):
        for number in range(count):
            dice = random.Random(f"{language} {number}")
            site = Site(number % 40 + 1000 * len(language), maker(language))
            html = site.html(100_000, "utf-8", language, dice)
            if language == "en":
                add("en ASCII", html, "utf-8", "utf-8")
                quotes = html.replace("'", "’").replace(". ", ".\u00a0 ").replace(" - ", " — ")
                add("en typographic", quotes, "utf-8", "utf-8")
                add("en typographic references", quotes, "ascii", None)
                add("en one © in Latin-1", html + "©", "iso-8859-1", "iso-8859-1")
                menu = "<li>中文</li><li>繁體中文</li><li>日本語</li><li>한국어</li>"
                add(
                    "en with a language menu",
                    html.replace("<body>", f"<body>{menu}"),
                    "utf-8",
                    None,
                )
                continue
            add(f"{language} UTF-8", html, "utf-8", "utf-8")
            for codec in OLD_CHARSETS.get(language, ()):
                old = html.replace('charset="utf-8"', f'charset="{codec}"')
                add(f"{language} {codec}", old, codec, codec)
    for page in warc_pages(data):
        if han_ideographs(main_text(page)) < 16:
            groups.setdefault(page.group, []).append(page)
    return groups


def microseconds(work: Callable[[Page], object], pages: Sequence[Page]) -> float:
    """CPU time for 100 KB, the best of five passes."""
    size = sum(len(page.payload) for page in pages)
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for page in pages:
            work(page)
        best = min(best, time.process_time() - start)
    return best * 1e6 * 100_000 / max(size, 1)


def print_skipped(groups: dict[str, list[Page]], least: int) -> None:
    print(f"\n{'group':34}{'pages':>6}{'skipped by bytes':>17}{'by text':>9}{'parsed':>8}"
          f"{'us/100 KB':>10}{'with decode':>12}")  # fmt: skip
    for group, pages in groups.items():
        by_bytes = by_text = 0
        for page in pages:
            if not may_hold_han(page.payload, page.declared, least):
                by_bytes += 1
            elif not text_may_hold_han(decode(page.payload, page.declared).text, least):
                by_text += 1

        def first(page: Page) -> bool:
            return may_hold_han(page.payload, page.declared, least)

        def both(page: Page) -> bool:
            return may_hold_han(page.payload, page.declared, least) and text_may_hold_han(
                decode(page.payload, page.declared).text, least
            )

        count = len(pages)
        print(
            f"{group:34}{count:6}{by_bytes / count:17.1%}{by_text / count:9.1%}"
            f"{1 - (by_bytes + by_text) / count:8.1%}{microseconds(first, pages):10.1f}"
            f"{microseconds(both, pages):12.1f}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--least", type=int, default=16)
    parser.add_argument("--pages", type=int, default=60, help="generated pages of a language")
    parser.add_argument("--quick", action="store_true", help="every tenth Chinese page")
    arguments = parser.parse_args(argv)

    def all_pages() -> Iterator[Page]:
        for number, html in enumerate(chinese_htmls(arguments.data)):
            if not arguments.quick or number % 10 == 0:
                yield from spellings(html)
        yield from mixtures(arguments.least)

    model = load_language_model(arguments.data / "models" / "lid.176.ftz")
    documents, lost, kana = recall(all_pages(), arguments.least, model)
    print(f"{'spelling':34}{'documents':>10}{'mostly kana':>12}{'lost':>6}")
    for group, count in documents.items():
        print(f"{group:34}{count:10}{kana[group]:12}{lost[group]:6}")
    print(f"{'all':34}{documents.total():10}{kana.total():12}{lost.total():6}")
    print_skipped(others(arguments.data, arguments.pages), arguments.least)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
