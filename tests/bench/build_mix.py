"""A crawl-like WARC file: 5 % Chinese pages, 25 % other non-ASCII ones, the rest ASCII.

    python -m tests.bench.build_mix --data DIR --pages 2000 OUTPUT.warc.gz

Laid out as Common Crawl's files are: a warcinfo record, then request, response and metadata of
every page, a gzip member each. Chinese texts are those of DIR (see build_pages); the other
languages are those of mix_texts. Every page has a site's own template (menus, cards with hashed
image names, inline scripts and styles, structured data), sizes are log-normal around 100 KB. The
same arguments give the same bytes on the same machine. Prints what the mix is like.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tests.bench.build_pages import texts
from tests.bench.mix_texts import LANGUAGES, TextMaker, maker, scripts_and_styles

CHINESE_SHARE = 0.05
OTHER_SHARE = 0.25
MEAN_PAGE_BYTES = 100_000
_SIZE_SIGMA = (
    0.8  # of the logarithm: one page in ten is twice the mean, one in a thousand ten times
)
_SITES = 400

# Charsets of Chinese pages, about as a crawl has them; others by language where old sites use one.
_CHINESE_CHARSETS = (("utf-8", 86), ("gbk", 12), ("big5", 2))
_OLD_CHARSETS = {"ru": "windows-1251", "ja": "shift_jis", "ko": "euc-kr", "de": "iso-8859-1",
                 "fr": "iso-8859-1", "es": "iso-8859-1"}  # fmt: skip
_OLD_CHARSET_SHARE = 0.06
# Bytes of a letter, where it is not one.
_UTF8_BYTES = dict.fromkeys(["zh", "ja", "ko", "th", "hi", "ka"], 3) | dict.fromkeys(
    ["ru", "uk", "el", "ar", "fa", "he"], 2
)


@dataclass(frozen=True)
class Page:
    """One capture: its bytes and what they are."""

    url: str
    language: str
    charset: str
    body: bytes


class ChineseTexts:
    """Real Chinese texts, dealt round-robin; the same interface as TextMaker."""

    def __init__(self, pool: Sequence[str]) -> None:
        self._pool = pool

    def words(self, dice: random.Random, most_chars: int) -> str:
        text = dice.choice(self._pool)
        start = dice.randrange(max(1, len(text) - most_chars))
        return text[start : start + most_chars // 2].replace("\n", " ").strip() or "更多"

    def text(self, dice: random.Random, chars: int) -> str:
        parts: list[str] = []
        while chars > 0:
            part = dice.choice(self._pool)[: chars + 200]
            parts.append(part)
            chars -= len(part)
        return "\n".join(parts)


class Site:
    """A site's template: what all its pages have in common."""

    def __init__(self, number: int, source: TextMaker | ChineseTexts) -> None:
        dice = random.Random(f"site {number}")
        scripts, styles = scripts_and_styles()
        self._source = source
        self.host = f"www.site{number}.example.{dice.choice(['com', 'org', 'net'])}"
        self._classes = [
            f"{dice.choice(['c', 'm', 'w', 'is', 'js', 'u', 'wp-block'])}-"
            f"{dice.choice(['box', 'item', 'card', 'grid', 'list', 'nav', 'row', 'col', 'btn'])}"
            f"{dice.choice(['', '__inner', '--lg', '-' + format(dice.randrange(16**6), 'x')])}"
            for _ in range(24)
        ]
        size = dice.randrange(1_000, 22_000)
        at = dice.randrange(len(scripts) - size)
        self._script = scripts[at : at + size]
        size = dice.randrange(500, 14_000)
        at = dice.randrange(len(styles) - size)
        self._style = styles[at : at + size]
        points = " ".join(f"{dice.randrange(24)}.{dice.randrange(9)}" for _ in range(24))
        self._icon = (
            f'<svg width="24" height="24" viewBox="0 0 24 24"><path d="M{points}z"></path></svg>'
        )
        self._menu = "".join(self._link(dice) for _ in range(dice.randrange(15, 90)))
        self._foot = "".join(self._link(dice) for _ in range(dice.randrange(5, 40)))

    def _link(self, dice: random.Random) -> str:
        label = escape(self._source.words(dice, 30))
        return (
            f'<li class="{dice.choice(self._classes)}"><a href="/{dice.randrange(10**5)}/'
            f'{dice.choice(self._classes)}/">{label}</a></li>\n'
        )

    def _card(self, dice: random.Random) -> str:
        title = escape(self._source.words(dice, 60))
        image = f"https://cdn.{self.host}/uploads/2024/05/{dice.getrandbits(48):012x}"
        teaser = f"<p>{escape(self._source.words(dice, 160))}</p>" if dice.random() < 0.3 else ""
        kind = dice.choice(self._classes[:4])
        return (
            f'<div class="{kind} {self._classes[4]} {self._classes[5]}" '
            f'data-component="{self._classes[6]}" data-id="{dice.randrange(10**7)}">\n'
            f'  <a class="{self._classes[7]} {kind}__link" href="/a/{dice.randrange(10**6)}" '
            f'title="{title}">\n'
            f'    <img class="{self._classes[8]} lazyload" src="data:image/gif;base64,R0lGODlh" '
            f'data-src="{image}-300x200.jpg" data-srcset="{image}-300x200.jpg 300w, '
            f'{image}-768x512.jpg 768w" sizes="(max-width: 300px) 100vw, 300px" alt="{title}">\n'
            f'  </a>\n  <h3 class="{self._classes[9]}">{title}</h3>\n{teaser}'
            f'  <div class="{self._classes[10]}"><span class="{self._classes[11]}">'
            f"{dice.randrange(1, 29):02}.{dice.randrange(1, 13):02}.2024</span>"
            f'&nbsp;&middot;&nbsp;<span class="{self._classes[12]}">{self._icon}'
            f"{dice.randrange(2000)}</span></div>\n</div>\n"
        )

    def _state(self, dice: random.Random, count: int) -> str:
        rows = [
            {"__typename": "CatalogEntry", "id": dice.randrange(10**8), "isVisible": True,
             "priceRange": {"minimum": dice.randrange(10**4), "currencyCode": "EUR"},
             "label": self._source.words(dice, 24), "parent": None, "children": []}
            for _ in range(count)
        ]  # fmt: skip
        return json.dumps(rows).replace("</", "<\\/")

    def html(self, size: int, charset: str, language: str, dice: random.Random) -> str:
        """A page of about size bytes."""
        title = escape(self._source.words(dice, 70))
        head = (
            f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="{charset}">\n'
            f"<title>{title}</title>\n"
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta property="og:title" content="{title}">\n'
            f'<link rel="canonical" href="https://{self.host}/a/{dice.randrange(10**7)}">\n'
            f"<style>{self._style}</style>\n<script>{self._script}</script>\n</head>\n<body>\n"
            f'<nav class="{self._classes[0]}"><ul>\n{self._menu}</ul></nav>\n'
        )
        foot = f"<footer><ul>\n{self._foot}</ul><p>&copy; 2024 {self.host}</p></footer>\n"
        # Of what is left to fill: article, cards, data of a script.
        left = max(size - len(head) - len(foot), 2_000)
        unit = _UTF8_BYTES.get(language, 1)
        article_chars = int(min(left * dice.uniform(0.05, 0.35), 40_000)) // unit
        paragraphs = "".join(
            f"<p>{escape(line)}</p>\n"
            for line in self._source.text(dice, article_chars).split("\n")
            if line.strip()
        )
        left -= article_chars * unit
        state = self._state(dice, int(left * dice.uniform(0.0, 0.4) / 190))
        left -= len(state)
        cards: list[str] = []
        while left > 0:
            card = self._card(dice)
            cards.append(card)
            left -= len(card)
        half = len(cards) // 3
        return (
            f'{head}<main class="{self._classes[1]}"><h1>{title}</h1>\n<article>\n{paragraphs}'
            f"</article></main>\n<aside>{''.join(cards[:half])}</aside>\n"
            f'<section class="{self._classes[2]}">{"".join(cards[half:])}</section>\n'
            f'{foot}<script type="application/json">{state}</script>\n</body>\n</html>\n'
        )


def _deal(count: int, other_share: float, dice: random.Random) -> list[str]:
    """The pages' languages in random order; the shares are exact."""
    chinese = round(count * CHINESE_SHARE)
    other = round(count * other_share)
    total = sum(weight for weight, _ in LANGUAGES.values())
    others: list[str] = []
    for language, (weight, _) in LANGUAGES.items():
        others += [language] * math.ceil(other * weight / total)
    dice.shuffle(others)
    dealt = ["zh"] * chinese + others[:other]
    dealt += ["en"] * (count - len(dealt))
    dice.shuffle(dealt)
    return dealt


def pages(data: Path, count: int, seed: int = 21) -> Iterator[Page]:
    """The pages of the mix, in order."""
    chinese = ChineseTexts(texts(data))
    dice = random.Random(seed)
    sites: dict[tuple[str, int], Site] = {}
    mu = math.log(MEAN_PAGE_BYTES) - _SIZE_SIGMA**2 / 2
    for number, language in enumerate(_deal(count, OTHER_SHARE, dice)):
        key = (language, dice.randrange(_SITES))
        if key not in sites:
            source = chinese if language == "zh" else maker(language)
            sites[key] = Site(len(sites), source)
        if language == "zh":
            names, weights = zip(*_CHINESE_CHARSETS, strict=True)
            charset = dice.choices(names, weights)[0]
        elif dice.random() < _OLD_CHARSET_SHARE:
            charset = _OLD_CHARSETS.get(language, "utf-8")
        else:
            charset = "utf-8"
        size = min(int(dice.lognormvariate(mu, _SIZE_SIGMA)), 4_000_000)
        html = sites[key].html(size, charset, language, dice)
        yield Page(
            f"https://{sites[key].host}/a/{number}.html",
            language,
            charset,
            html.encode(charset, "xmlcharrefreplace"),
        )


def _member(record_type: str, headers: Sequence[str], block: bytes) -> bytes:
    lines = "".join(f"{line}\r\n" for line in headers)
    head = f"WARC/1.0\r\nWARC-Type: {record_type}\r\n{lines}Content-Length: {len(block)}\r\n\r\n"
    compressor = zlib.compressobj(6, wbits=31)
    return compressor.compress(head.encode() + block + b"\r\n\r\n") + compressor.flush()


def _digest(dice: random.Random) -> str:
    return "sha1:" + "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=32))


def members(page: Page, dice: random.Random) -> Iterator[bytes]:
    """Request, response and metadata of one capture, as Common Crawl writes them."""
    host = page.url.split("/")[2]

    def identity() -> str:
        return f"<urn:uuid:{dice.getrandbits(128):032x}>"

    response_id, request_id, info_id = identity(), identity(), identity()
    common = [
        "WARC-Date: 2024-05-18T06:34:17Z",
        f"WARC-Warcinfo-ID: {info_id}",
        f"WARC-Target-URI: {page.url}",
    ]
    request = (
        f"GET /{page.url.split('/', 3)[3]} HTTP/1.1\r\nUser-Agent: Bot/2.0 (https://bot.example/)\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
        f"Accept-Language: en-US,en;q=0.5\r\nHost: {host}\r\nConnection: Keep-Alive\r\n"
        "Accept-Encoding: gzip\r\n\r\n"
    ).encode()
    yield _member(
        "request",
        [
            *common,
            f"WARC-Record-ID: {request_id}",
            "Content-Type: application/http; msgtype=request",
            "WARC-IP-Address: 192.0.2.7",
        ],
        request,
    )
    gzipped = len(page.body) // 5
    response = (
        "HTTP/1.1 200 OK\r\nDate: Sat, 18 May 2024 06:34:16 GMT\r\n"
        f"Content-Type: text/html; charset={page.charset}\r\n"
        "X-Crawler-Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n"
        f"Server: nginx/1.18.0\r\nX-Powered-By: PHP/8.1.{dice.randrange(29)}\r\n"
        f'Link: <https://{host}/wp-json/>; rel="https://api.w.org/"\r\nVary: Accept-Encoding\r\n'
        f"Set-Cookie: sid={dice.getrandbits(128):032x}; path=/; HttpOnly; SameSite=Lax\r\n"
        f'ETag: W/"{dice.getrandbits(64):016x}"\r\n'
        "Cache-Control: max-age=0, private, must-revalidate\r\n"
        f"X-Crawler-Content-Encoding: gzip\r\nX-Crawler-Content-Length: {gzipped}\r\n"
        f"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
        f"Content-Length: {len(page.body)}\r\n\r\n"
    ).encode()
    yield _member(
        "response",
        [
            *common,
            f"WARC-Record-ID: {response_id}",
            "Content-Type: application/http; msgtype=response",
            f"WARC-Concurrent-To: {request_id}",
            "WARC-IP-Address: 192.0.2.7",
            f"WARC-Payload-Digest: {_digest(dice)}",
            f"WARC-Block-Digest: {_digest(dice)}",
            "WARC-Identified-Payload-Type: text/html",
        ],
        response + page.body,
    )
    metadata = (
        f"fetchTimeMs: {dice.randrange(3000)}\r\ncharset-detected: {page.charset.upper()}\r\n"
        f'languages-cld2: {{"reliable":true,"text-bytes":{len(page.body) // 7},"languages":'
        f'[{{"code":"{page.language}","text-covered":0.{dice.randrange(70, 99)}}}]}}\r\n'
    ).encode()
    yield _member(
        "metadata",
        [
            *common,
            f"WARC-Record-ID: {identity()}",
            "Content-Type: application/warc-fields",
            f"WARC-Concurrent-To: {response_id}",
        ],
        metadata,
    )


def write_mix(data: Path, count: int, path: Path, seed: int = 21) -> dict[str, object]:
    """Write the file; what it is like."""
    return write_mixes(data, count, [path], seed)


def write_mixes(data: Path, count: int, paths: Sequence[Path], seed: int = 21) -> dict[str, object]:
    """Write one mix over some files, its pages dealt round-robin; what all of it is like."""
    dice = random.Random(f"{seed} members")
    languages: Counter[str] = Counter()
    body_bytes = ascii_pages = 0
    info = b"isPartOf: a mix for measuring\r\nformat: WARC File Format 1.0\r\n"
    with ExitStack() as stack:
        files = []
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.append(stack.enter_context(path.open("wb")))
            files[-1].write(_member("warcinfo", ["Content-Type: application/warc-fields"], info))
        for number, page in enumerate(pages(data, count, seed)):
            languages[page.language] += 1
            body_bytes += len(page.body)
            ascii_pages += page.body.isascii()
            for part in members(page, dice):
                files[number % len(files)].write(part)
    size = sum(path.stat().st_size for path in paths)
    return {
        "pages": count,
        "mean_page_bytes": round(body_bytes / count),
        "compressed_bytes": size,
        "body_bytes_per_compressed_byte": round(body_bytes / size, 2),
        "chinese_share": round(languages["zh"] / count, 4),
        "ascii_share": round(ascii_pages / count, 4),
        "languages": dict(languages.most_common()),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args(argv)
    facts = write_mix(arguments.data, arguments.pages, arguments.path, arguments.seed)
    print(json.dumps(facts, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
