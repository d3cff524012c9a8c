"""What a list of hosts and words says about the URLs of real pages, by what the pages are.

    python -m tests.bench.host_word_hits --data DIR [--list FILE] [--show]

Rows: URLs in the texts of DIR, apart for pages that are labelled gambling, pornography, or clean;
links of whole HTML pages; URLs and links of WARC files; a published list of illegal sites. With
--show every URL that is found. Then URLs a second on one core, for the list and for the measures.
DIR is laid out as the README of the data says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.timing import table
from udfs.lists.host_lists import read_host_list
from udfs.lists.urls import measure_urls

OURS = Path(__file__).resolve().parents[2] / "conf/artifacts/host_words/host_words.tsv"
TEXTS = ("domain/train.jsonl.gz", "domain/web_pages.jsonl.gz", "toxicity/lines.jsonl.gz")
LABELLED = ("quality/hplt_web_read.jsonl.gz", "quality/hplt_web_labelled.jsonl.gz")
_URL = re.compile(
    r"(?:https?://|www\.)[!-~]+|(?<![\w@.-])(?:[a-z0-9-]+\.)+"
    r"(?:com|cn|net|org|cc|top|xyz|vip|tv|info|me|la|club|edu|gov)\b(?:/[!-~]*)?",
    re.IGNORECASE,
)
_LINK = re.compile(rb"""(?:href|src)=["']?(https?://[^"'\s>]+)""", re.IGNORECASE)
_TARGET = re.compile(rb"WARC-Target-URI: *<?([^\r\n>]+)")


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def unpacked(path: Path) -> bytes:
    """Bytes of a file; of a damaged gzip file those before the damage."""
    data = path.read_bytes()
    out = bytearray()
    while data[:2] == b"\x1f\x8b":
        member = zlib.decompressobj(31)
        try:
            out += member.decompress(data)
        except zlib.error:
            break
        data = member.unused_data
    return bytes(out) or data


def urls_of(data: Path) -> dict[str, set[str]]:
    """Different URLs by where they come from."""
    urls: defaultdict[str, set[str]] = defaultdict(set)
    for name in TEXTS:
        for row in rows_of(data / name):
            urls["texts of documents and lines"].update(_URL.findall(row["text"]))
    for name in LABELLED:
        for row in rows_of(data / name):
            kind = row.get("toxic_kind") or "other" if row.get("toxic") else "not toxic"
            urls[f"texts of raw pages, {kind}"].update(_URL.findall(row["text"]))
    for path in sorted((data / "extraction/html").iterdir()):
        urls["links of pages"].update(
            link.decode("latin-1") for link in _LINK.findall(path.read_bytes())
        )
    for path in sorted((data / "warc").iterdir()):
        content = unpacked(path)
        found = _TARGET.findall(content) + _LINK.findall(content)
        urls["targets and links of WARC files"].update(url.decode("latin-1") for url in found)
    illegal = (data / "lexicons/sensitive/konsheng_非法网址.txt").read_text(encoding="utf-8-sig")
    urls["a published list of illegal sites"].update(illegal.split("\n"))
    return urls


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--list", type=Path, default=OURS)
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args(argv)
    hosts = read_host_list(arguments.list)
    urls = urls_of(arguments.data)
    rows = []
    for name, group in urls.items():
        found = {url: category for url in sorted(group) if (category := hosts.match(url))}
        counts = ", ".join(
            f"{kind} {count}" for kind, count in sorted(Counter(found.values()).items())
        )
        rows.append([name, f"{len(group):,}", f"{len(found):,}", counts])
        if arguments.show:
            print(*(f"{category}\t{url}" for url, category in found.items()), sep="\n")
    every = sorted(set().union(*urls.values()))
    rates = []
    for work in (lambda: [hosts.match(url) for url in every], lambda: measure_urls(every)):
        begin = time.process_time()
        work()
        rates.append(len(every) / (time.process_time() - begin))
    print(table(["URLs", "different", "found", "as"], rows))
    print(
        f"\n{len(hosts):,} entries; URLs a second: match {rates[0]:,.0f}, measure {rates[1]:,.0f}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
