"""Personal data: documents a second, precision and recall on added numbers, counts on pages.

    python -m tests.bench.pii_rates --data DIR [--show KIND]

First table: documents of 1,200 characters a second on one core, in processor time, medians of
interleaved runs: all documents, those without personal data, and raw crawl pages.
Second table: precision and recall, exact spans, on DIR's clean documents with added numbers of
known kind, in usual forms, among as many others of similar form (orders, dates, ISBN, amounts,
versions, numbers with a wrong check digit).
Third table: what is found in the texts of DIR; with --show, fifty of a kind, to read.

DIR is a folder with domain/ and quality/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.rule_rates import CHARS, documents_of_one_size, read_texts
from tests.bench.timing import medians, pin_to_one_core, table
from tests.udfs.pii.plain_pii import find_pii
from udfs.pii.find import PII_KINDS, pii_of_texts
from udfs.pii.numbers import has_checksum, has_luhn_digit

TEXTS = (
    "domain/train.jsonl.gz",
    "domain/web_pages.jsonl.gz",
    "quality/hplt_web_read.jsonl.gz",
    "quality/hplt_web_labelled.jsonl.gz",
    "quality/cwt1_cleared1_unlabelled.jsonl.gz",
)
RAW = "quality/hplt_web_read.jsonl.gz"


def digits(rng: random.Random, count: int) -> str:
    """So many random digits."""
    return "".join(rng.choice("0123456789") for _ in range(count))


def mobile(rng: random.Random) -> str:
    """A mobile number in one of the forms in use."""
    number = rng.choice(("13", "15", "17", "18", "19")) + rng.choice("0125678") + digits(rng, 8)
    a, b, c = number[:3], number[3:7], number[7:]
    form = rng.choice(
        ("{a}{b}{c}",) * 4 + ("{a} {b} {c}", "{a}-{b}-{c}", "+86 {a}{b}{c}", "+86-{a}-{b}-{c}")
    )
    return wide(form.format(a=a, b=b, c=c), rng)


def landline(rng: random.Random) -> str:
    """A landline number in one of the forms in use."""
    area = rng.choice(("010", "021", "0571", "0755", "0411", "028", "0851"))
    local = rng.choice("2345678") + digits(rng, 7 if len(area) == 3 or rng.random() < 0.5 else 6)
    form = rng.choice(("{a}-{n}", "({a}){n}", "（{a}）{n}", "{a}－{n}", "+86-{b}-{n}", "{a} {n}"))
    return wide(form.format(a=area, b=area[1:], n=local), rng)


def wide(text: str, rng: random.Random) -> str:
    """One in ten in full-width digits."""
    if rng.random() < 0.9:
        return text
    return text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


def identity(rng: random.Random) -> str:
    """An identity number with its check character."""
    head = rng.choice(("110105", "310104", "440305", "510104", "330106", "610113"))
    head += f"{rng.randint(1940, 2015)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    head += digits(rng, 3)
    return next(head + last for last in "0123456789X" if has_checksum(head + last))


def card(rng: random.Random) -> str:
    """A UnionPay number, in one piece or in groups."""
    head = "62" + digits(rng, rng.choice((13, 16)))
    number = next(head + last for last in "0123456789" if has_luhn_digit(head + last))
    if rng.random() < 0.3:
        return " ".join(number[place : place + 4] for place in range(0, len(number), 4))
    return number


def email(rng: random.Random) -> str:
    """An address."""
    name = "".join(rng.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(rng.randint(3, 9)))
    name = rng.choice((name, digits(rng, 9), f"{name}.{digits(rng, 2)}", f"{name}_{name[:2]}"))
    return (
        name + rng.choice("@@@＠") + rng.choice(("qq.com", "163.com", "mail.edu.cn", "foxmail.com"))
    )


def address(rng: random.Random) -> str:
    """A public IP address of either version."""
    if rng.random() < 0.3:
        return "240e:" + ":".join(f"{rng.randint(1, 65535):x}" for _ in range(7))
    first = rng.choice((36, 42, 58, 61, 111, 123, 183, 202, 218, 222))
    return f"{first}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


MADE: dict[str, tuple[Callable[[random.Random], str], Sequence[str]]] = {
    "phone": (
        lambda rng: mobile(rng) if rng.random() < 0.6 else landline(rng),
        ("电话：{}。", "联系人{}，", "手机 {} ", "{}（微信同号）", "热线{}\n", "拨打{}咨询"),
    ),
    "id_number": (identity, ("身份证号{}，", "公民身份号码：{}。", "（{}）", "被告人，{}，")),
    "bank_card": (card, ("卡号：{}，", "汇入{}账户", "尾号的银行卡{}。", "账号 {}\n")),
    "email": (email, ("邮箱：{}。", "发送至{}，", "<{}>", "E-mail: {} ")),
    "ip": (address, ("IP：{}，", "来自{}的网友", "登录地址 {} ", "[{}]")),
}
LOOKALIKES: Sequence[Callable[[random.Random], str]] = (
    lambda rng: f"订单号：1{rng.choice('3578')}{digits(rng, 9)}，",
    lambda rng: f"流水号 {digits(rng, 18)}。",
    lambda rng: (
        f"{rng.randint(1990, 2024)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} 10:20:30"
    ),
    lambda rng: f"{rng.randint(1990, 2024)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}102030，",
    lambda rng: f"ISBN 978-7-{digits(rng, 3)}-{digits(rng, 5)}-{digits(rng, 1)}。",
    lambda rng: f"共1{rng.choice('3578')}{digits(rng, 9)}元，",
    lambda rng: f"为0.1{rng.choice('3578')}{digits(rng, 9)}，",
    lambda rng: (
        f"版本V{rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}.{rng.randint(1, 99)}，"
    ),
    lambda rng: f"网关192.168.{rng.randint(0, 9)}.{rng.randint(1, 99)}，",
    lambda rng: f"热线400-{digits(rng, 3)}-{digits(rng, 4)}，",
    lambda rng: f"http://www.site.cn/p/1{rng.choice('3578')}{digits(rng, 9)}.html ",
    lambda rng: f"QQ群{rng.choice('123456789')}{digits(rng, 8)}，",
    lambda rng: wrong_last(identity(rng)),
    lambda rng: wrong_last(card(rng)),
    lambda rng: f"图片icon{rng.randint(1, 9)}@2x.png，",
    lambda rng: f"统一社会信用代码91{digits(rng, 6)}MA{digits(rng, 7)}X，",
    lambda rng: (
        f"第{rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)}条"
    ),
)


def wrong_last(number: str) -> str:
    """The number with another last digit."""
    return (
        "号码" + number[:-1] + str((int(number[-1]) + 3) % 10 if number[-1].isdigit() else 0) + "，"
    )


def text_with_known(base: str, rng: random.Random) -> tuple[str, set[tuple[str, int, str]]]:
    """A text with ten numbers of known kinds and ten that look like some, and where they are."""
    pieces: list[str] = []
    known: set[tuple[str, int, str]] = set()
    chars = place = 0
    for step in range(20):
        piece = base[place : place + 50]
        place += 50
        pieces.append(piece + "。")
        chars += len(piece) + 1
        if step % 2:
            insert = rng.choice(LOOKALIKES)(rng)
        else:
            kind = rng.choice(PII_KINDS)
            make, frames = MADE[kind]
            number, frame = make(rng), rng.choice(frames)
            known.add((kind, chars + frame.index("{"), number))
            insert = frame.format(number)
        pieces.append(insert)
        chars += len(insert)
    return "".join(pieces), known


def print_rates(groups: dict[str, list[str]], rounds: int) -> None:
    """Print the first table."""
    seconds = medians(
        {name: lambda texts=texts: pii_of_texts(texts) for name, texts in groups.items()}, rounds
    )
    rows = []
    for name, texts in groups.items():
        share = sum(map(bool, pii_of_texts(texts))) / len(texts)
        rows.append([name, f"{len(texts):,}", f"{share:.1%}", f"{len(texts) / seconds[name]:,.0f}"])
    print(table(["documents of 1,200 characters", "count", "with PII", "documents/s"], rows))


def print_accuracy(bases: Sequence[str]) -> None:
    """Print the second table."""
    rng = random.Random(8)
    there, right, said = Counter[str](), Counter[str](), Counter[str]()
    for base in bases:
        text, known = text_with_known(base, rng)
        found = {(s.kind, s.start, text[s.start : s.start + s.length]) for s in find_pii(text)}
        there.update(kind for kind, _, _ in known)
        said.update(kind for kind, _, _ in found)
        right.update(kind for kind, _, _ in known & found)
    rows = [
        [
            kind,
            f"{there[kind]:,}",
            f"{right[kind] / said[kind]:.2%}",
            f"{right[kind] / there[kind]:.2%}",
        ]
        for kind in PII_KINDS
    ]
    print("\n" + table(["put in", "count", "precision", "recall"], rows))


def print_counts(texts: dict[str, list[str]], shown: str | None) -> None:
    """Print the third table, and some of what was found."""
    rows, hits = [], []
    for name, group in texts.items():
        found = pii_of_texts(group)
        counts = Counter(span.kind for spans in found for span in spans)
        rows.append(
            [
                name,
                f"{len(group):,}",
                f"{sum(map(bool, found)):,}",
                *(f"{counts[k]:,}" for k in PII_KINDS),
            ]
        )
        for text, spans in zip(group, found, strict=True):
            for kind, start, length in spans:
                if kind == shown:
                    before, behind = text[max(start - 25, 0) : start], text[start + length :][:15]
                    hits.append(f"{before}⟦{text[start : start + length]}⟧{behind}")
    print("\n" + table(["texts", "documents", "with PII", *PII_KINDS], rows))
    for hit in random.Random(3).sample(hits, min(50, len(hits))):
        print(" ".join(hit.split()))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--show", choices=PII_KINDS)
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    texts = {name: read_texts(arguments.data / name) for name in TEXTS}
    documents = documents_of_one_size(
        [text for group in texts.values() for text in group], arguments.documents
    )
    clean = [
        text for text, spans in zip(documents, pii_of_texts(documents), strict=True) if not spans
    ]
    raw = [
        text[start : start + CHARS]
        for text in texts[RAW]
        for start in range(0, len(text) - CHARS + 1, CHARS)
    ]
    print_rates(
        {"all sources": documents, "without PII": clean, "raw crawl pages": raw}, arguments.rounds
    )
    print_accuracy(clean[:1000])
    print_counts(texts, arguments.show)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
