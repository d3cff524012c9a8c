"""WARC files of realistic pages around real texts, for measuring.

    python -m tests.bench.build_pages --data DIR --pages 20000 --files 8 OUTPUT_FOLDER

The texts are those of DIR/domain/train.jsonl.gz and DIR/quality/hplt_web_read.jsonl.gz, over
again in windows where there are too few. Each is in a page of navigation, link lists,
scripts and styles, so that a page weighs about what a page of a crawl weighs. The same arguments
give the same bytes. With --recombined a text is made of sentences of the others, as long as one of
them, and one text in ten is like an earlier one: so any number of pages has the same share of
duplicates.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

TEXTS = ("domain/train.jsonl.gz", "quality/hplt_web_read.jsonl.gz")
_SENTENCE = re.compile(r"[^。！？\n]{8,}[。！？]")
_COPIES = 10
_LINE_ENDS = 0.3
_SCRIPT = "window.__layout=function(e,t){return e.map(function(n){return t[n%t.length]})};" * 40
_STYLE = ".nav a,.side a{display:block;color:#333;text-decoration:none;line-height:28px}" * 40


def texts(data: Path) -> list[str]:
    """All texts of the data folder that are long enough for a page."""
    found = []
    for name in TEXTS:
        with gzip.open(data / name, "rt", encoding="utf-8") as file:
            found += [json.loads(line)["text"] for line in file]
    return [text for text in found if len(text) >= 220]


def recombined(pool: Sequence[str], number: int, sentences: Sequence[str]) -> str:
    """A text of sentences from anywhere, as long as one of the pool; every tenth is a near copy."""
    copied = number % _COPIES == _COPIES - 1
    dice = random.Random(number - _COPIES + 1 if copied else number)
    wanted = len(dice.choice(pool))
    parts: list[str] = []
    size = 0
    while size < wanted:
        parts.append(dice.choice(sentences) + ("\n" if dice.random() < _LINE_ENDS else ""))
        size += len(parts[-1])
    if copied and number % (2 * _COPIES) != _COPIES - 1:  # every second copy is an exact one
        parts[0] = dice.choice(sentences)
    return "".join(parts)


def sentences_of(pool: Sequence[str]) -> list[str]:
    """The sentences of all texts that are neither short nor long."""
    return [
        sentence for text in pool for sentence in _SENTENCE.findall(text) if len(sentence) < 120
    ]


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


def pages(data: Path, count: int, is_recombined: bool = False) -> Iterator[tuple[str, bytes]]:
    """(url, payload) of every page, in order."""
    pool = texts(data)
    sentences = sentences_of(pool) if is_recombined else []
    dice = random.Random(20)
    for number in range(count):
        text = pool[number % len(pool)]
        if is_recombined:
            text = recombined(pool, number, sentences)
        elif number >= len(pool):  # again, but not the same: its second half, with a new opening
            text = f"{pool[-1 - number % len(pool)][:200]}\n{text[len(text) // 2 :]}"
        yield (
            f"http://site{number % 997}.example.cn/{number}.html",
            page(text, number, pool, dice).encode(),
        )


def built_pages(data: Path, count: int, files: int, folder: Path) -> Path:
    """A folder under the given one with recombined pages, written unless it is there already."""
    found = folder / f"recombined-{count}-{files}"
    if not (found / "complete").exists():
        write_files(data, count, files, found, is_recombined=True)
        (found / "complete").touch()
    return found


def write_files(
    data: Path, count: int, files: int, folder: Path, is_recombined: bool = False
) -> None:
    """Write the pages over some WARC files, dealt round-robin."""
    folder.mkdir(parents=True, exist_ok=True)
    handles = [(folder / f"pages-{n:03d}.warc.gz").open("wb") for n in range(files)]
    writers = [WARCWriter(handle, gzip=True) for handle in handles]
    for number, (url, payload) in enumerate(pages(data, count, is_recombined)):
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
    parser.add_argument("--recombined", action="store_true")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args(argv)
    write_files(
        arguments.data, arguments.pages, arguments.files, arguments.folder, arguments.recombined
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
