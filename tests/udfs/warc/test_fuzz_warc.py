"""Ten thousand damaged WARC files through the whole pass: no crash, every record accounted for.

Every file is made from its number alone, so that a failure names what to build again. Damage is
done at one of four depths, because a change of a compressed file's bytes is caught by its
checksum and never reaches what lies deeper: the file's bytes, a record's, an HTTP message's, a
page's.
"""

from __future__ import annotations

import gzip
import io
import random
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard

from tests.builders.warc_files import arc_file, http_response, member, record
from udfs.extract.extract import ExtractOptions, extract_split
from udfs.extract.outcomes import DOCUMENT, FAILURE, TALLY
from udfs.extract.pages import PageOptions
from udfs.html.page_text import HtmlLimits
from udfs.warc.headers import header_size
from udfs.warc.reader import read_records
from udfs.warc.records import Damage, WarcRecord

FILES = 10_000
PARTS = 20
QUICK_PARTS = 5
"""Of the twenty, those of each run of `make test`; SUITE=all has them all."""

MAX_RECORD_BYTES = 60_000
MAX_BODY_BYTES = 80_000

PROSE = (
    "江边的旧码头改成了步道，傍晚有人在那里散步，也有人坐着看船。去年秋天水位高，步道关了半个月。"
    "修好以后，栏杆换成了木头的，夜里有灯。"
)
OPTIONS = ExtractOptions(
    languages=frozenset({"zh"}),
    min_language_score=0.65,
    max_record_bytes=MAX_RECORD_BYTES,
    page=PageOptions(
        max_body_bytes=MAX_BODY_BYTES,
        html=HtmlLimits(max_chars=70_000, max_nodes=5_000, max_depth=100),
    ),
    text_column="text",
    id_column="id",
    batch_rows=3,
    batch_bytes=1 << 20,
)


class HanModel:
    """Stands for the language model: sure of Chinese where a tenth of a text is Han."""

    def identify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        shares = [sum("一" <= c <= "鿿" for c in text) / (len(text) or 1) for text in texts]
        return [("zh" if share > 0.1 else "en", min(1.0, 0.5 + share)) for share in shares]


@dataclass(frozen=True)
class File:
    """What one number gives.

    Attributes:
        units: The members, frames or plain records of the file before its damage.
        intact: How many of the units lie before the first damaged byte.
        sound: How many lie behind the last one.
    """

    kind: str
    data: bytes
    units: list[bytes]
    intact: int
    sound: int


# --- sound files -------------------------------------------------------------------------


def html(dice: random.Random) -> str:
    """A small page with one or two of the things that pages have."""
    parts = dice.choices(
        [
            f"<p>{PROSE}</p>",
            "<p>The old quay became a promenade.</p>",
            "<script>if (a < b && c > d) { document.write('<div>'); }</script>",
            "<table><tr><td>水位<td>三米<tr><td>去年<td>二米</table>",
            "<ul><li>一<li>二<ul><li>三</ul></ul>",
            "<p>&#20013;&#x6587;&nbsp;&amp;#20013; &bogus; &#1114112;",
            "<!-- <p>不是正文</p> --><pre>\n  int a;\n</pre>",
            "<font><b><i>" * 12,
            "<div>" * dice.choice([3, 120]),
            f"<a {' '.join(f'x{n}' for n in range(40))}>甲</a>",
            '<script type="application/ld+json">{"articleBody": "\\u4e2d\\u6587"}</script>',
            "<svg><path d='M0 0'/><title>x</title></svg><math><mi>x</mi></math>",
            "\x00\x08\ufeff\u2028",
        ],
        k=dice.randrange(1, 6),
    )
    charset = dice.choice(["utf-8", "gbk", "gb2312", "big5", "nonsense", ""])
    return (
        f'<!doctype html><html><head><meta charset="{charset}"><title>步道</title>'
        '<meta name="robots" content="noai"><meta name="date" content="2024-02-30">'
        f"</head><body>{''.join(parts)}</body></html>"
    )


def chunked(body: bytes, dice: random.Random) -> bytes:
    out = b""
    while body:
        size = dice.randrange(1, 600)
        out += b"%x\r\n%b\r\n" % (len(body[:size]), body[:size])
        body = body[size:]
    return out + b"0\r\n\r\n"


def deflated(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


BOMB = gzip.compress(gzip.compress(bytes(8 << 20), mtime=0), mtime=0)

CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "Deflate": deflated,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, gzip": lambda _: BOMB,
    "br, gzip": lambda body: gzip.compress(brotli.compress(body), mtime=0),
}


def response(dice: random.Random, spoil: Callable[[bytes], bytes]) -> bytes:
    """An HTTP message; `spoil` may change the page inside it."""
    codec = dice.choice(["utf-8"] * 4 + ["gb18030", "big5hkscs", "utf-16", "hz"])
    body = spoil(html(dice).encode(codec, "replace"))
    label = dice.choice([codec, "utf-8", "gbk", "x" * 30, ""])
    mime = dice.choice(["text/html"] * 6 + ["", "text/plain", "image/png", "application/xhtml+xml"])
    headers = [("Content-Type", f"{mime}; charset={label}")]
    if dice.random() < 0.5:
        coding = dice.choice(sorted(CODINGS))
        headers.append(("Content-Encoding", coding))
        if dice.random() < 0.8:  # else declared only, as crawlers store it
            body = CODINGS[coding](body)
    if dice.random() < 0.3:
        headers.append(("Transfer-Encoding", "chunked"))
        if dice.random() < 0.8:
            body = chunked(body, dice)
    headers.append(("Content-Length", str(len(body) + dice.choice([0, 0, 7, -7]))))
    status = dice.choice(["200 OK"] * 8 + ["301 Moved", "404 Not Found", "99 x"])
    return http_response(body, *headers, status=status)


def sound_units(kind: str, dice: random.Random, spoil: dict[str, Callable[[bytes], bytes]]) -> (
    list[bytes]
):  # fmt: skip
    """The members, frames or plain records of a file of that kind."""
    blocks = [spoil["http"](response(dice, spoil["page"])) for _ in range(dice.randrange(1, 5))]
    if kind.startswith("arc"):
        plain = [spoil["record"](part) for part in arc_file(blocks)]
    else:
        plain = []
        for number, block in enumerate(blocks):
            uri = f"http://example.cn/{dice.randrange(10**6)}/{number}"
            if dice.random() < 0.3:
                plain.append(record(b"GET / HTTP/1.1\r\n\r\n", "request", uri))
            record_type = dice.choice(["response"] * 6 + ["resource", "conversion", "revisit"])
            extra = dice.choice([["Content-Type: text/html"], ["WARC-Truncated: time"], [], []])
            newline = dice.choice(["\r\n"] * 5 + ["\n"])
            plain.append(
                spoil["record"](record(block, record_type, uri, extra=extra, newline=newline))
            )
    if kind == "one.gz":
        return [member(b"".join(plain))]
    if kind == "zst":
        return [zstandard.compress(part) for part in plain]
    return plain if kind in ("warc", "arc") else [member(part) for part in plain]


KINDS = ("warc.gz", "warc.gz", "warc.gz", "warc", "one.gz", "zst", "arc", "arc.gz")


# --- damage ------------------------------------------------------------------------------


def flip(data: bytearray, at: int, dice: random.Random) -> None:
    if at < len(data):
        data[at] ^= 1 << dice.randrange(8)


def cut(data: bytearray, at: int, dice: random.Random) -> None:
    del data[at:]


def drop(data: bytearray, at: int, dice: random.Random) -> None:
    del data[at : at + dice.randrange(1, 400)]


def double(data: bytearray, at: int, dice: random.Random) -> None:
    data[at:at] = data[at : at + dice.randrange(1, 900)]


def insert(data: bytearray, at: int, dice: random.Random) -> None:
    data[at:at] = dice.choice(
        [
            dice.randbytes(dice.randrange(1, 80)),
            bytes(dice.randrange(1, 700)),
            b"\r\n" * dice.randrange(1, 5),
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
            b"WARC/1.0\r\nWARC-Type: response\r\n",
            b"\x28\xb5\x2f\xfd\x00",
            b"http://a.cn/ 10.0.0.1 20080430204825 text/html 20\n",
        ]
    )


def splice(data: bytearray, at: int, dice: random.Random) -> None:
    """Part of another file, often of another kind, in the middle of this one."""
    spare = b"".join(sound_units(dice.choice(KINDS), dice, UNSPOILT))
    start = dice.randrange(len(spare))
    data[at:at] = spare[start : start + dice.randrange(1, 3000)]


def lie(data: bytearray, at: int, dice: random.Random) -> None:
    """Another number after a Content-Length, or another header's value."""
    name = dice.choice([b"Content-Length: ", b"Content-Length: ", b"WARC-Type: ", b"Encoding: "])
    found = data.find(name)
    if found >= 0:
        start = found + len(name)
        end = data.find(b"\n", start)
        value = dice.choice(
            [b"%d" % dice.randrange(10 ** dice.randrange(1, 13)), b"-1", b"", b"abc", b"response",
             b"9" * 30, b"gzip, br, zstd", b"\xff\xfe"]
        )  # fmt: skip
        data[start:end] = value + b"\r"


DAMAGE = (flip, flip, cut, drop, double, insert, insert, splice, lie, lie)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """One to three changes."""
    changed = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        dice.choice(DAMAGE)(changed, dice.randrange(len(changed) + 1), dice)
    return bytes(changed)


def _same(data: bytes) -> bytes:
    return data


UNSPOILT = {"record": _same, "http": _same, "page": _same}


def build(number: int) -> File:
    """The file of a number."""
    dice = random.Random(f"fuzz {number}")
    kind = dice.choice(KINDS)
    depth = dice.choice(["file", "file", "record", "http", "page"])

    def spoil(data: bytes) -> bytes:
        return damaged(data, dice) if dice.random() < 0.7 else data

    units = sound_units(kind, dice, UNSPOILT | ({} if depth == "file" else {depth: spoil}))
    whole = b"".join(units)
    if depth != "file":
        whole_units = len(units) if depth != "record" else 0
        return File(kind, whole, units, whole_units, whole_units)
    data = damaged(whole, dice)
    intact = _units_within(units, _common(data, whole))
    sound = _units_within(units[::-1], _common(data[::-1], whole[::-1]))
    return File(kind, data, units, intact, sound)


def _common(one: bytes, other: bytes) -> int:
    """Bytes that two files have in common at their front."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _units_within(units: list[bytes], size: int) -> int:
    """Return the number of units within a number of bytes."""
    count = end = 0
    for unit in units:
        end += len(unit)
        if end > size:
            break
        count += 1
    return count


# --- what must hold ----------------------------------------------------------------------


def records_of(data: bytes) -> list[WarcRecord | Damage]:
    return list(read_records(io.BytesIO(data), max_record_bytes=MAX_RECORD_BYTES))


def identity(item: WarcRecord) -> tuple[object, ...]:
    """A record less its place."""
    return item.record_type, tuple(item.headers.items()), item.block, item.truncated


def check_intact_records(file: File, items: list[WarcRecord | Damage]) -> None:
    """What lies before the damage is there, at its place."""
    # One line feed between plain ARC records is no border: what follows it must be a record.
    intact = file.intact - (file.kind == "arc")
    before = b"".join(file.units[: max(intact, 0)])
    expected = [item for item in records_of(before) if isinstance(item, WarcRecord)]
    if file.kind == "one.gz" and before != file.data:
        return  # its checksum covers everything
    found = items[: len(expected)]
    for one, other in zip(expected, found, strict=True):
        assert isinstance(other, WarcRecord)
        assert (one.offset, identity(one)) == (other.offset, identity(other))


def check_sound_records(file: File, items: list[WarcRecord | Damage]) -> None:
    """What lies behind the damage of a compressed file is there, in whatever state the file is."""
    if file.kind not in ("warc.gz", "zst") or not file.sound or not items:
        return
    last = items[-1]
    if isinstance(last, WarcRecord) and last.truncated in ("cut", "wrong_length"):
        return  # broken deflate that runs on to the end of the file without an error
    behind = b"".join(file.units[-file.sound :])
    expected = [identity(r) for r in records_of(behind) if isinstance(r, WarcRecord)]
    found = [identity(r) for r in items if isinstance(r, WarcRecord)]
    assert found[len(found) - len(expected) :] == expected


def check_every_byte(file: File, items: list[WarcRecord | Damage]) -> None:
    """Records, damages and padding make up a plain file without a gap."""
    at = 0
    for item in items:
        assert not file.data[at : item.offset].strip(b"\r\n\0 \t"), (at, item)
        if isinstance(item, Damage):
            at = item.offset + item.skipped_bytes
        elif item.block:
            head = header_size(file.data, item.offset)
            assert file.data.startswith(item.block, item.offset + head)
            at = item.offset + head + len(item.block)
        else:
            return  # not wanted: its length is not known here
        assert at <= len(file.data)
    assert not file.data[at:].strip(b"\r\n\0 \t")


def extracted(path: Path, options: ExtractOptions) -> list[dict[str, Any]]:
    @dataclass(frozen=True)
    class Split:
        uri: str
        warc_path: str
        input_format: str = "warc"

    rows: list[dict[str, Any]] = []
    for batch in extract_split(Split(str(path), path.name), options, HanModel()):  # type: ignore[arg-type]
        rows += batch
    return rows


def check_balance(rows: list[dict[str, Any]], seen: int) -> None:
    *others, tally = rows
    kinds = Counter(row["row_kind"] for row in others)
    assert tally["row_kind"] == TALLY
    assert tally["seen"] == seen
    rejected = sum(of["records"] for of in tally["rejected"])
    failed = sum(of["records"] for of in tally["failed"])
    assert kinds[DOCUMENT] + rejected + failed == seen
    assert Counter(row["reason"] for row in others if row["row_kind"] == FAILURE) == Counter(
        {of["reason"]: of["records"] for of in tally["failed"]}
    )
    documents = [row for row in others if row["row_kind"] == DOCUMENT]
    assert len({row["doc_id"] for row in documents}) == len(documents)
    for row in documents:
        assert row["text"].strip()
        row["text"].encode("utf-8")
        (row["title"] or "").encode("utf-8")


@pytest.mark.parametrize(
    "part",
    [
        *range(QUICK_PARTS),
        *(pytest.param(part, marks=pytest.mark.slow) for part in range(QUICK_PARTS, PARTS)),
    ],
)
def test_damaged_files(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if part % 2:  # else no file is longer than a chunk
        monkeypatch.setattr("udfs.warc.byte_pieces.CHUNK_BYTES", 3000)
        monkeypatch.setattr("udfs.warc.reader.CHUNK_BYTES", 3000)
    kept = 0
    for number in range(part, FILES, PARTS):
        file = build(number)
        try:
            items = records_of(file.data)
            assert items, "a file never passes without a word"
            check_intact_records(file, items)
            check_sound_records(file, items)
            if file.kind == "warc":
                check_every_byte(file, items)
            path = tmp_path / "file"
            path.write_bytes(file.data)
            rows = extracted(path, OPTIONS)
            check_balance(rows, len(items))
            kept += sum(row["row_kind"] == DOCUMENT for row in rows)
            if number % 4 == 0:
                # The prefilter passes over work, never over a document.
                unfiltered = replace(OPTIONS, page=replace(OPTIONS.page, prefilter=False))
                assert documents_of(extracted(path, unfiltered)) == documents_of(rows)
            elif number % 8 == 1:
                plain = replace(OPTIONS.page, extractor="plain", verify_digests=True)
                check_balance(extracted(path, replace(OPTIONS, page=plain)), len(items))
        except BaseException as error:
            error.add_note(f"file {number}: build({number})")
            raise
    assert kept > FILES // PARTS // 10, "damage that leaves no document tests little"


def documents_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["row_kind"] == DOCUMENT]
