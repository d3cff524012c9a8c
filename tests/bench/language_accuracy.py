"""What judging a text's language on samples costs in accuracy and saves in time; its script.

    python -m tests.bench.language_accuracy --data DIR --model lid.176.ftz

The texts are those of DIR (Chinese: corpora, web articles, raw pages of a crawl), English and
Japanese ones from the WARC files of DIR, and mixtures: an article behind a menu in another
language, halves, alternating lines. Each is judged on its whole length and on samples of every
shape; a sample is right when it has the whole text's label, and when it falls on the same side
of the threshold. Long texts are counted apart: short ones are judged whole either way.

Then the script: texts of one script, the same converted, and texts of which some lines are.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from resiliparse.extract.html2text import extract_plain_text
from warcio.archiveiterator import ArchiveIterator
from zhconv import convert

from tests.bench.charset_accuracy import rows_of
from udfs.base.chinese_script import script_of
from udfs.charset.decode import decode
from udfs.extract.language import SAMPLES, SampleSize, load_language_model

THRESHOLD = 0.65
LONG = 1000  # characters
WHOLE = SampleSize(1, 1 << 30, 0.0)
SINGLE_LOOKS = [
    SampleSize(*shape, 0.0)
    for shape in (
        (1, 300), (1, 1000), (3, 100), (3, 200), (5, 40), (5, 60), (5, 100), (5, 200), (8, 60),
        (10, 100), (10, 200), (20, 50),
    )
]  # fmt: skip
_TWO_SCRIPTS = ("dureader_web", "tal_scq5k", "quality/hplt_web_read", "quality/hplt_web_labelled")
_CHINESE = (
    "domain/train",
    "domain/web_pages",
    "quality/hplt_web_read",
    "quality/hplt_web_labelled",
)
_ENGLISH_WARCS = ("dolma__sample-0000.warc.gz", "dolma__sample-0001.warc.gz")
_JAPANESE_WARCS = ("chatnoir-resiliparse__clueweb-quirk.warc.gz",)
_BATCH = 256


def warc_texts(data: Path, names: Sequence[str]) -> list[str]:
    """Texts of the HTML pages of some WARC files, long enough to stand for their language."""
    found = []
    for name in names:
        with (data / "warc" / name).open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response" and record.http_headers is not None:
                    text = extract_plain_text(decode(record.content_stream().read(), None).text)
                    if len(text) >= LONG:
                        found.append(text)
    return found


def chinese_texts(data: Path, per_source: int, dice: random.Random) -> list[str]:
    """Texts of every source, all of a crawl's and at most per_source of another."""
    by_source: dict[str, list[str]] = {}
    for name in _CHINESE:
        for row in rows_of(data / f"{name}.jsonl.gz"):
            source = name if name.startswith("quality") else row["source"]
            by_source.setdefault(source, []).append(row["text"])
    return [
        text
        for source, texts in sorted(by_source.items())
        for text in (
            texts
            if len(texts) <= per_source or source.startswith("quality")
            else dice.sample(texts, per_source)
        )
    ]


def mixtures(
    chinese: Sequence[str], others: Sequence[str], count: int, dice: random.Random
) -> Iterator[str]:
    """Texts in two languages: 1 to 9 tenths in the other one."""
    articles = [text for text in chinese if len(text) >= LONG]
    for _ in range(count):
        own, other = dice.choice(articles)[:5000], dice.choice(others)
        tenths = dice.randrange(1, 10)
        size = len(own) * tenths // (10 - tenths)
        start = dice.randrange(max(1, len(other) - size))
        other = other[start : start + size]
        match dice.randrange(3):
            case 0:  # a menu in front, a footer behind
                place = dice.randrange(len(other) + 1)
                yield f"{other[:place]}\n{own}\n{other[place:]}"
            case 1:
                yield f"{own}\n{other}"
            case _:
                parts = 12
                steps = [(len(own) * n // parts, len(other) * n // parts) for n in range(parts + 1)]
                yield "\n".join(f"{own[a:c]}\n{other[b:d]}" for (a, b), (c, d) in pairwise(steps))


def judge(
    path: Path, texts: Sequence[str], samples: Sequence[SampleSize]
) -> tuple[list[tuple[str, float]], float]:
    """(label, score) of each text, and the seconds of processor time, samples included."""
    model = load_language_model(path, samples)
    best = float("inf")
    for _ in range(3):
        results = []
        started = time.process_time()
        for start in range(0, len(texts), _BATCH):
            results += model.identify(texts[start : start + _BATCH])
        best = min(best, time.process_time() - started)
    return results, best


def is_chinese(result: tuple[str, float]) -> bool:
    """The decision that extraction takes."""
    return result[0] == "zh" and result[1] >= THRESHOLD


def compare(path: Path, name: str, texts: Sequence[str]) -> None:
    """One table: every shape against the whole text."""
    whole, seconds = judge(path, texts, [WHOLE])
    mean = sum(map(len, texts)) / len(texts)
    kept = sum(map(is_chinese, whole))
    print(f"\n{name}: {len(texts):,} texts of {mean:,.0f} characters, {kept:,} taken for Chinese")
    print("| looked at | same label | same decision | lost | let in | texts/s |")
    print(f"|---|---|---|---|---|---|\n| whole text | | | | | {len(texts) / seconds:,.0f} |")
    for samples in [[look] for look in SINGLE_LOOKS] + [list(SAMPLES)]:
        results, seconds = judge(path, texts, samples)
        pairs = list(zip(whole, results, strict=True))
        label = sum(a[0] == b[0] for a, b in pairs) / len(pairs)
        lost = sum(is_chinese(a) and not is_chinese(b) for a, b in pairs)
        gained = sum(is_chinese(b) and not is_chinese(a) for a, b in pairs)
        decision = 1 - (lost + gained) / len(pairs)
        title = ", else ".join(f"{look.pieces} x {look.piece_chars}" for look in samples)
        print(
            f"| {title} | {100 * label:.2f} % | {100 * decision:.2f} % | {lost} | {gained} "
            f"| {len(texts) / seconds:,.0f} |"
        )


def scripts(data: Path, dice: random.Random) -> None:
    """One table: what script_of says of texts whose script is known."""
    rows = [
        row
        for row in rows_of(data / "domain/train.jsonl.gz")
        if row["source"] not in _TWO_SCRIPTS and len(row["text"]) >= 60
    ]
    simplified = [row["text"] for row in rows if row["source"] != "drcd"]
    traditional = [row["text"] for row in rows if row["source"] == "drcd"]
    sample = dice.sample(simplified, 2000)
    sets = {
        "simplified (all sources but drcd)": simplified,
        "traditional (drcd)": traditional,
        "simplified, converted to Taiwan's": [convert(text, "zh-tw") for text in sample],
        "simplified, converted to Hong Kong's": [convert(text, "zh-hk") for text in sample],
        "traditional, converted": [convert(text, "zh-cn") for text in traditional],
    }
    for percent in (2, 5, 10, 20, 30, 50):
        sets[f"{percent} % of the characters converted"] = [
            text[: (cut := round(len(text) * (1 - percent / 100)))] + convert(text[cut:], "zh-tw")
            for text in (text[:3000] for text in sample if len(text) >= 400)
        ]
    print("\n| texts | number | hans | hant | mixed | none |\n|---|---|---|---|---|---|")
    for name, texts in sets.items():
        found = Counter(map(script_of, texts))
        shares = [f"{100 * found[key] / len(texts):.2f} %" for key in ("hans", "hant", "mixed")]
        print(f"| {name} | {len(texts):,} | {' | '.join(shares)} | {found[None]} |")
    started = time.process_time()
    for text in simplified:
        script_of(text)
    rate = sum(map(len, simplified)) / (time.process_time() - started)
    print(f"{rate / 1200:,.0f} texts/s of 1,200 characters")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--per-source", type=int, default=150)
    parser.add_argument("--mixtures", type=int, default=1500)
    arguments = parser.parse_args(argv)

    dice = random.Random(7)
    chinese = chinese_texts(arguments.data, arguments.per_source, dice)
    others = [
        *warc_texts(arguments.data, _ENGLISH_WARCS),
        *warc_texts(arguments.data, _JAPANESE_WARCS),
    ]
    mixed = list(mixtures(chinese, others, arguments.mixtures, dice))
    for name, texts in (
        (f"Chinese, {LONG} characters and more", [text for text in chinese if len(text) >= LONG]),
        (f"Chinese, fewer than {LONG}", [text for text in chinese if len(text) < LONG]),
        ("Chinese mixed with English or Japanese", mixed),
        ("English and Japanese", others),
    ):
        compare(arguments.model, name, texts)
    scripts(arguments.data, dice)
    return 0


if __name__ == "__main__":
    sys.exit(main())
