"""How often a page's charset is found, by `udfs.charset.decode` and by the detectors of others.

    python -m tests.bench.charset_accuracy --data DIR [--peers PYTHON] [--texts 2000]

The set is every real Chinese page of DIR (extraction/, charset/, warc/), each as it is, with
right and wrong HTTP labels and with its tail cut, and pages made around texts of DIR in every
charset that Chinese pages use, their labels right, wrong or missing. The same arguments give
the same set.

A page is right when the text that comes out is the true one, or when the charset is the true
one and no more characters are bad than in the true reading. Names that peers give are read
kindly: GB2312 as GB18030, Big5 as Big5-HKSCS, and the cut tail is forgiven.
"""

from __future__ import annotations

import argparse
import codecs
import gzip
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from zhconv import convert

from tests.bench.charset_peers import DETECTORS
from tests.udfs.repair.plain_repair import mojibake_share
from udfs.base.han import han_ideographs
from udfs.charset.decode import decode
from udfs.charset.labels import canonical_codec

MIN_HAN = 16  # with fewer, no document is made
_WRONG = ("utf-8", "gb2312", "big5", "iso-8859-1", "windows-1252", "euc-kr", "shift_jis", "cp1251")
_ALIASES = {
    "utf-8": ("utf-8", "UTF8"),
    "gb18030": ("gb2312", "GBK", "gb18030", "x-gbk"),
    "big5hkscs": ("big5", "Big5-HKSCS", "x-x-big5"),
    "utf-16-le": ("utf-16", "utf-16le"),
    "utf-16-be": ("utf-16be",),
}
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}
_CANTONESE = "佢哋喺邊度㗎？冇嘢食喇，嗰個咩嚟嘅。"
_FOUR_BYTES = "𠮷野家𡃁仔㑇䶮 Zürich café 😀"
_SCRIPT = "window.__layout=function(e,t){return e.map(function(n){return t[n%t.length]})};" * 30
_STYLE = ".nav a,.side a{display:block;color:#333;text-decoration:none;line-height:28px}" * 20
_WARC_CHARSET = re.compile(r"charset\s*=\s*([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """A page whose charset is known.

    Attributes:
        payload: Its bytes.
        header: What the HTTP header says of the charset.
        codec: The Python codec that it is in.
        group: Its group in the table of failures.
    """

    payload: bytes
    header: str | None
    codec: str
    group: str

    @cached_property
    def text(self) -> str:
        return read(self.payload, self.codec)


def read(payload: bytes, codec: str) -> str:
    """The reading through a codec: U+FFFD for bad bytes, no cut tail, no byte order mark."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    return decoder.decode(payload, False).removeprefix("\ufeff")


def is_utf8(payload: bytes) -> bool:
    """Whether all bytes are UTF-8, but for a cut tail."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(payload, False)
    except UnicodeDecodeError:
        return False
    return True


def is_right(case: Case, text: str, codec: str | None) -> bool:
    """Whether a reading is the true one."""
    return text == case.text or (
        codec == case.codec and text.count("\ufffd") <= case.text.count("\ufffd")
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Rows of a gzipped JSON lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def real_pages(data: Path) -> Iterator[tuple[bytes, str | None, str]]:
    """(payload, HTTP charset, codec) of every real page."""
    for row in rows_of(data / "extraction/pages.jsonl.gz"):
        codec = canonical_codec(row["actual_encoding"].split()[0])
        if codec is not None:
            yield (data / "extraction" / row["html"]).read_bytes(), None, codec
    for entry in json.loads((data / "charset/manifest.json").read_text(encoding="utf-8")):
        codec = canonical_codec(entry["encoding"])
        if codec is None:  # EUC-TW: Python has no codec for it, and browsers do not read it
            continue
        payload = (data / "charset" / entry["file"]).read_bytes()
        if not entry["strict_decode_ok"] and is_utf8(payload):
            codec = "utf-8"  # the text of the file is garbled, its bytes are not
        yield payload, None, codec
    # Common Crawl's records say what they are: strict UTF-8, or else the GBK that they declare.
    with (data / "warc/cc-main-2020-34_zh_part_dev.warc.gz").open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type != "response":
                continue
            payload = record.content_stream().read()
            label = _WARC_CHARSET.search(record.http_headers.get_header("content-type") or "")
            for codec in ("utf-8", "gb18030"):
                text = read(payload, codec)
                if "\ufffd" not in text and han_ideographs(text) >= MIN_HAN:
                    yield payload, label and label.group(1), codec
                    break


def real_cases(data: Path, dice: random.Random) -> Iterator[Case]:
    """Real pages with every state of the HTTP label, and cut at three places."""
    for payload, header, codec in real_pages(data):
        yield Case(payload, header, codec, f"real {codec}, as it is")
        yield Case(payload, dice.choice(_ALIASES[codec]), codec, f"real {codec}, right header")
        for wrong in (label for label in _WRONG if canonical_codec(label) != codec):
            yield Case(payload, wrong, codec, f"real {codec}, wrong header")
        for _ in range(3):
            cut = payload[: dice.randrange(len(payload) // 2, len(payload))]
            yield Case(cut, header, codec, f"real {codec}, cut")


def source_texts(data: Path, count: int, dice: random.Random) -> list[str]:
    """Texts of all sources, alternating, so that a small source counts as much as a large one."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for name in ("domain/train", "domain/web_pages", "quality/hplt_web_read"):
        for row in rows_of(data / f"{name}.jsonl.gz"):
            text = row["text"]
            if han_ideographs(text) >= 2 * MIN_HAN and mojibake_share(text) < 0.1:
                by_source[row["source"]].append(text)
    for texts in by_source.values():
        dice.shuffle(texts)
    sources = sorted(by_source)
    return [
        by_source[source][turn % len(by_source[source])]
        for turn in range(-(-count // len(sources)))
        for source in sources
    ][:count]


def window(text: str, dice: random.Random) -> str:
    """A whole text, a paragraph or a line of it: one third each."""
    size = dice.choice((3000, dice.randrange(60, 200), dice.randrange(24, 60)))
    start = dice.randrange(max(1, len(text) - size))
    piece = text[start : start + size]
    return piece if han_ideographs(piece) >= MIN_HAN else text[:3000]


def html_page(body: str, meta: str | None, links: Sequence[str], dice: random.Random) -> str:
    """A bare page, or one in a template with links; ASCII outweighs the text in the template."""
    label = ""
    if meta:
        label = dice.choice(
            (
                f'<meta charset="{meta}">',
                f'<meta http-equiv="Content-Type" content="text/html; charset={meta}">',
            )
        )
    title = escape(body[:20].replace("\n", " "))
    paragraphs = "".join(f"<p>{escape(part)}</p>\n" for part in body.split("\n") if part.strip())
    head = f"<!doctype html><html><head>{label}<title>{title}</title>"
    frame = dice.randrange(3)
    if frame == 0:
        return f"{head}</head><body>{paragraphs}</body></html>"
    menu = "".join(f'<li><a href="/a/{n}.html">{escape(t)}</a></li>' for n, t in enumerate(links))
    if frame == 1:
        menu = re.sub(r"[^\x00-\x7f]", "x", menu)
    return (
        f"{head}<style>{_STYLE}</style><script>{_SCRIPT}</script></head><body><ul>{menu}</ul>"
        f'<div class="main">{paragraphs}</div><script>{_SCRIPT}</script></body></html>'
    )


def encodings(text: str, dice: random.Random) -> Iterator[tuple[str, str, str, bytes]]:
    """(name, codec, text to write, byte order mark) of each charset a text is put into."""
    traditional = convert(text, "zh-tw")
    place = dice.randrange(len(text))
    yield "utf-8", "utf-8", text, b""
    yield "utf-8 with mark", "utf-8", text, MARKS["utf-8"]
    yield "gbk", "gbk", text, b""
    yield "gbk, traditional", "gbk", traditional, b""
    yield "gb18030, 4 bytes", "gb18030", text[:place] + _FOUR_BYTES + text[place:], b""
    yield "big5", "cp950", traditional, b""
    yield "big5-hkscs", "big5hkscs", convert(text, "zh-hk")[:place] + _CANTONESE + text[place:], b""
    for codec in ("utf-16-le", "utf-16-be"):
        yield codec, codec, text, b""
        yield f"{codec} with mark", codec, text, MARKS[codec]


def made_cases(data: Path, count: int, dice: random.Random) -> Iterator[Case]:
    """Pages around texts: every charset, with labels and cuts as the dice fall."""
    texts = source_texts(data, count, dice)
    for text in texts:
        body = window(text, dice)
        links = [dice.choice(texts)[:14].replace("\n", " ") for _ in range(30)]
        for name, encoding, written, mark in encodings(body, dice):
            codec = canonical_codec(encoding) or encoding
            labels = [
                dice.choice(
                    (None, dice.choice(_ALIASES[codec]), dice.choice(_WRONG), dice.choice(_WRONG))
                )
                for _ in range(2)
            ]
            states = [
                "no" if label is None else "right" if canonical_codec(label) == codec else "wrong"
                for label in labels
            ]
            page = html_page(written, labels[1], links, dice)
            payload = mark + page.encode(encoding, "xmlcharrefreplace")
            state = f"{states[0]} header, {states[1]} meta"
            if dice.random() < 0.25:
                # Inside the text, so that a character is cut as often as not.
                high = [n for n, byte in enumerate(payload) if byte >= 0x80] or [len(payload)]
                payload = payload[: dice.choice(high[len(high) // 2 :]) + 1]
                state += ", cut"
            if han_ideographs(read(payload, codec)) >= MIN_HAN:
                yield Case(payload, labels[0], codec, f"made {name}: {state}")


def label_codec(case: Case) -> str | None:
    """What a plain reader believes: the mark, or else the first label that decodes the page."""
    marked = marked_codec(case.payload)
    if marked is not None:
        return marked
    meta = re.search(rb"charset=[\"']?([\w-]+)", case.payload[:4096])
    for label in (case.header, meta and meta.group(1).decode()):
        codec = canonical_codec(label)
        if codec is not None and "\ufffd" not in read(case.payload, codec):
            return codec
    return None


def ask_peer(python: str, name: str, cases: Sequence[Case]) -> tuple[list[str | None], float]:
    """The codec a peer gives for each case, and its seconds.

    Raises:
        FileNotFoundError: The environment does not have it.
    """
    stream = b"".join(len(case.payload).to_bytes(4, "big") + case.payload for case in cases)
    script = Path(__file__).with_name("charset_peers.py")
    done = subprocess.run([python, str(script), name], input=stream, stdout=subprocess.PIPE)
    if done.returncode == 3:
        raise FileNotFoundError(name)
    done.check_returncode()
    *names, seconds = done.stdout.decode().splitlines()
    codecs_ = [peer_codec(name, case.payload) for name, case in zip(names, cases, strict=True)]
    return codecs_, float(seconds)


def marked_codec(payload: bytes) -> str | None:
    """The codec that a byte order mark names."""
    for codec, mark in MARKS.items():
        if payload.startswith(mark):
            return codec
    return None


def peer_codec(name: str, payload: bytes) -> str | None:
    """The codec a peer means; its UTF-16 is the one of the byte order mark."""
    if name.lower().replace("_", "-") in ("utf-16", "utf-8-sig"):
        return marked_codec(payload)
    known = canonical_codec(name.replace("_", "-")) or canonical_codec(name)
    if known is not None:
        return known
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def report(name: str, cases: Sequence[Case], right: Sequence[bool], seconds: float | None) -> None:
    """One line of the table."""
    count = sum(right)
    rate = f"{len(cases) / seconds:,.0f}" if seconds else ""
    shares = []
    for kind in ("real", "made"):
        marks = [mark for mark, case in zip(right, cases, strict=True) if kind in case.group[:4]]
        shares.append(f"{100 * sum(marks) / len(marks):.2f} %")
    print(
        f"| {name} | {count:,} of {len(cases):,} | {100 * count / len(cases):.3f} % "
        f"| {' | '.join(shares)} | {rate} |"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", help="the Python of an environment with the peers")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--failures", type=int, default=10, help="groups of failures to list")
    arguments = parser.parse_args(argv)

    dice = random.Random(arguments.seed)
    cases = [*real_cases(arguments.data, dice)]
    cases += made_cases(arguments.data, arguments.texts, dice)

    print("| detector | right | share | real pages | made pages | pages/s |")
    print("|---|---|---|---|---|---|")
    started = time.process_time()
    results = [decode(case.payload, case.header) for case in cases]
    seconds = time.process_time() - started
    right = [
        is_right(case, result.text, result.charset)
        for case, result in zip(cases, results, strict=True)
    ]
    report("udfs.charset.decode.decode", cases, right, seconds)
    if arguments.peers:
        compare(arguments.peers, cases)

    failures: dict[str, Counter[str]] = defaultdict(Counter)
    for case, result, mark in zip(cases, results, right, strict=True):
        if not mark:
            failures[case.group][f"{result.charset} by {result.step}"] += 1
    for group, found in sorted(failures.items(), key=lambda item: -item[1].total())[
        : arguments.failures
    ]:
        print(f"{found.total():5}  {group} -> {dict(found)}")
    return 0


def compare(python: str, cases: Sequence[Case]) -> None:
    """Lines for the peers: alone, and behind the labels, as they are used."""
    labels = [label_codec(case) for case in cases]
    for name in DETECTORS:
        try:
            answers, seconds = ask_peer(python, name, cases)
        except FileNotFoundError:
            print(f"| {name} | not installed | | | | |")
            continue
        behind = [label or answer for label, answer in zip(labels, answers, strict=True)]
        for title, codecs_, spent in (
            (name, answers, seconds),
            (f"labels that decode, then {name}", behind, None),
        ):
            right = [
                codec is not None and is_right(case, read(case.payload, codec), codec)
                for case, codec in zip(cases, codecs_, strict=True)
            ]
            report(title, cases, right, spent)


if __name__ == "__main__":
    sys.exit(main())
