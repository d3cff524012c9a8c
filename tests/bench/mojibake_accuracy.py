"""How much mojibake is found in garbled and in clean texts, at which limit.

    python -m tests.bench.mojibake_accuracy --data DIR

Clean texts are all of DIR/domain and DIR/quality; those over the limit are listed, for the crawl
among them has real mojibake. Garbled ones are made from the clean ones, by each mix-up of tables
that is met on the web; DIR/charset has garbled files.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from zhconv import convert

from tests.bench.charset_accuracy import is_utf8, read, rows_of
from tests.udfs.repair.plain_repair import mojibake_share

LIMITS = (0.05, 0.1, 0.2)
_CLEAN = (
    "domain/train", "domain/web_pages", "quality/hplt_web_read", "quality/hplt_web_labelled",
    "quality/cwt1_clean_dirty", "quality/cwt1_cleared1_unlabelled",
)  # fmt: skip


def misread(written: str, seen: str, errors: str = "replace") -> Callable[[str], str]:
    """A text written in one charset and read in another."""
    return lambda text: text.encode(written, "ignore").decode(seen, errors)


MIX_UPS: dict[str, Callable[[str], str]] = {
    "UTF-8 read as GBK": misread("utf-8", "gb18030"),
    "UTF-8 read as GBK, faults dropped": misread("utf-8", "gbk", "ignore"),
    "UTF-8 read as Latin-1": misread("utf-8", "latin-1"),
    "UTF-8 read as Windows-1252, faults dropped": misread("utf-8", "cp1252", "ignore"),
    "UTF-8 read as Big5": misread("utf-8", "big5hkscs", "ignore"),
    "GBK read as UTF-8": misread("gbk", "utf-8"),
    "GBK read as UTF-8, that as GBK": lambda text: misread("utf-8", "gb18030")(
        misread("gbk", "utf-8")(text)
    ),
    "GBK read as Latin-1": misread("gbk", "latin-1"),
    "GBK read as Big5": misread("gbk", "big5hkscs"),
    "Big5 read as GBK": lambda text: misread("big5", "gb18030")(convert(text, "zh-tw")),
    "Big5 read as Latin-1": lambda text: misread("big5", "latin-1")(convert(text, "zh-tw")),
}


def row(name: str, shares: Sequence[float]) -> None:
    """One line of the table."""
    values = np.array(shares)
    over = " | ".join(f"{100 * float(np.mean(values >= limit)):.2f} %" for limit in LIMITS)
    print(
        f"| {name} | {len(values):,} | {values.min():.3f} | {np.quantile(values, 0.01):.3f} "
        f"| {np.median(values):.3f} | {values.max():.3f} | {over} |"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=1000, help="to garble")
    arguments = parser.parse_args(argv)
    data = arguments.data

    texts = [r["text"] for name in _CLEAN for r in rows_of(data / f"{name}.jsonl.gz")]
    mojibake_share(texts[0])  # builds the table
    started = time.process_time()
    shares = [mojibake_share(text) for text in texts]
    seconds = time.process_time() - started
    print("| texts | number | min | 1 % | median | max | " + "".join(f">= {x} | " for x in LIMITS))
    print("|---" * (6 + len(LIMITS)) + "|")
    row("as they are", shares)
    suspects = sorted(zip(shares, texts, strict=True), reverse=True)
    clean = [(share, text) for share, text in suspects if share < LIMITS[0]]
    row(f"of them below {LIMITS[0]}", [share for share, _ in clean])
    sample = random.Random(5).sample([text[:1500] for _, text in clean], arguments.texts)
    for name, garble in MIX_UPS.items():
        row(name, [mojibake_share(garble(text)) for text in sample])
    for entry in json.loads((data / "charset/manifest.json").read_text(encoding="utf-8")):
        payload = (data / "charset" / entry["file"]).read_bytes()
        share = mojibake_share(read(payload, "utf-8")) if is_utf8(payload) else 0.0
        if share >= LIMITS[0]:
            print(f"| {entry['file']} | | | | {share:.3f} |")
    chars = sum(map(len, texts))
    print(f"{len(texts) / seconds:,.0f} texts/s of {chars / len(texts):,.0f} characters")
    print(f"{chars / seconds / 1200:,.0f} texts/s if they had 1,200")
    for share, text in suspects[:12]:
        print(f"{share:.3f} {text[:60]!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
