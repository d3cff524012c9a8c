"""WARC files of realistic pages around real texts, for measuring.

    python -m tests.bench.build_pages --data DIR --pages 20000 --files 8 OUTPUT_FOLDER

The texts are those of DIR/domain/train.jsonl.gz and DIR/quality/hplt_web_read.jsonl.gz, over
again in windows where there are too few. Each is in a page of navigation, link lists,
scripts and styles, so that a page weighs about what a page of a crawl weighs. The same arguments
give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

TEXTS = ("domain/train.jsonl.gz", "quality/hplt_web_read.jsonl.gz")
_SCRIPT = "window.__layout=function(e,t){return e.map(function(n){return t[n%t.length]})};" * 40
_STYLE = ".nav a,.side a{display:block;color:#333;text-decoration:none;line-height:28px}" * 40


def texts(data: Path) -> list[str]:
    """All texts of the data folder that are long enough for a page."""
    found = []
    for name in TEXTS:
        with gzip.open(data / name, "rt", encoding="utf-8") as file:
            found += [json.loads(line)["text"] for line in file]
    return [text for text in found if len(text) >= 220]


def page(text: str, number: int, pool: Sequence[str], dice: random.Random) -> str:
    """An HTML page of some 30 to 60 KB whose main text is the given one."""
    title = escape(text[:24].replace("\n", " "))
    links = [
        f'<li><a href="/a/{dice.randrange(10**6)}.html" title="{escape(t)}">{escape(t)}</a></li>'
        for t in (dice.choice(pool)[:18].replace("\n", " ") for _ in range(120))
    ]
    paragraphs = "".join(f"<p>{escape(part)}</p>\n" for part in text.split("\n") if part.strip())
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><script>{_SCRIPT}</script></head><body>"
        f'<div class="nav"><ul>{"".join(links[:40])}</ul></div>'
        f'<div class="main"><h1>{title}</h1><div class="content" id="c{number}">'
        f"{paragraphs}</div></div>"
        f'<div class="side"><ul>{"".join(links[40:])}</ul></div>'
        f'<div class="footer">版权所有 第{number}页</div><script>{_SCRIPT}</script></body></html>'
    )


def pages(data: Path, count: int) -> Iterator[tuple[str, bytes]]:
    """(url, payload) of every page, in order."""
    pool = texts(data)
    dice = random.Random(20)
    for number in range(count):
        text = pool[number % len(pool)]
        if number >= len(pool):  # again, but not the same: its second half, with a new opening
            text = f"{pool[-1 - number % len(pool)][:200]}\n{text[len(text) // 2 :]}"
        yield (
            f"http://site{number % 997}.example.cn/{number}.html",
            page(text, number, pool, dice).encode(),
        )


def write_files(data: Path, count: int, files: int, folder: Path) -> None:
    """Write the pages over some WARC files, dealt round-robin."""
    folder.mkdir(parents=True, exist_ok=True)
    handles = [(folder / f"pages-{n:03d}.warc.gz").open("wb") for n in range(files)]
    writers = [WARCWriter(handle, gzip=True) for handle in handles]
    for number, (url, payload) in enumerate(pages(data, count)):
        writer = writers[number % files]
        record = writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(payload),
            http_headers=StatusAndHeaders(
                "200 OK", [("Content-Type", "text/html; charset=utf-8")], "HTTP/1.1"
            ),
            warc_headers_dict={
                "WARC-Date": "2024-05-01T00:00:00Z",
                "WARC-Record-ID": f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>",
            },
        )
        writer.write_record(record)
    for handle in handles:
        handle.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args(argv)
    write_files(arguments.data, arguments.pages, arguments.files, arguments.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
