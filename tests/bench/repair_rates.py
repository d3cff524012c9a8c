"""Documents a second of text repair and of script conversion, and what they change.

    python -m tests.bench.repair_rates --data DIR

First table: documents of 1,200 characters a second on one core, in processor time, medians of
interleaved runs. Clean texts are those of DIR that need no repair; dirty ones those that need some,
and the clean ones with every kind of damage added. Second table: how many texts of DIR are changed,
by kind. Third table: simplified texts of DIR, converted to traditional script by each standard and
back in several ways: share of the changed characters that are restored. OpenCC converts to
traditional script in all rows, so that only the way back is compared; zhconv is measured on the
same texts. Fourth table: clean lines, garbled by each mix-up of code tables that occurs on the web.

DIR is a folder with domain/, quality/ and toxicity/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from opencc import OpenCC
from zhconv import convert

from tests.bench.mojibake_accuracy import MIX_UPS
from tests.bench.rule_rates import TEXTS, documents_of_one_size, read_texts
from tests.bench.timing import medians, pin_to_one_core, table
from udfs.base.code_points import encode_texts
from udfs.base.han import han_ideographs
from udfs.repair.mojibake import MIN_IDEOGRAPHS, mend_lines
from udfs.repair.repair import KINDS, Repaired, repair_texts
from udfs.repair.script_conversion import TRADITIONAL, simplify_texts

ALL_TEXTS = (*TEXTS, "toxicity/lines.jsonl.gz")
BATCH = 1000
STANDARDS = ("s2t", "s2tw", "s2hk")
OUTCOMES = ("read rightly", "read otherwise", "dropped", "left")

Edit = Callable[[Sequence[str | None]], list[Repaired | None]]


def in_batches(edit: Edit, texts: Sequence[str]) -> list[Repaired | None]:
    """Edit texts in batches of the size that a partition has."""
    return [
        result
        for start in range(0, len(texts), BATCH)
        for result in edit(texts[start : start + BATCH])
    ]


def soiled(text: str, randomness: random.Random) -> str:
    """A clean text with one thing of each kind that repair is about."""
    place = randomness.randrange(len(text))
    dirt = "ＡＢＣ１２３\u200b\x07e\u0301！！！！！\n锟斤拷锟斤拷锟斤拷锟斤拷\n"
    return text[:place] + dirt + text[place:]


def print_rates(texts: Sequence[str], count: int, rounds: int) -> None:
    """Print the first table."""
    documents = documents_of_one_size(texts, len(texts))
    repaired = in_batches(repair_texts, documents)
    dirty = [text for text, result in zip(documents, repaired, strict=True) if result][:count]
    clean = [text for text, result in zip(documents, repaired, strict=True) if not result][:count]
    randomness = random.Random(7)
    filthy = [soiled(text, randomness) for text in clean]
    to_taiwan, t2s = OpenCC("s2tw").convert, OpenCC("t2s").convert
    traditional = [to_taiwan(text) for text in clean]
    ways: dict[str, tuple[list[str], Callable[[list[str]], object]]] = {
        "one array of code points, clean": (clean, encode_texts),
        "repair, clean": (clean, lambda texts: in_batches(repair_texts, texts)),
        "repair, dirty as found": (dirty, lambda texts: in_batches(repair_texts, texts)),
        "repair, every kind in each": (filthy, lambda texts: in_batches(repair_texts, texts)),
        "conversion, simplified": (clean, lambda texts: in_batches(simplify_texts, texts)),
        "conversion, traditional": (
            traditional,
            lambda texts: in_batches(simplify_texts, texts),
        ),
        "OpenCC t2s alone, simplified": (clean, lambda texts: list(map(t2s, texts))),
        "OpenCC t2s alone, traditional": (traditional, lambda texts: list(map(t2s, texts))),
    }
    for group, way in ways.values():
        way(group[:20])  # tables are built on first use
    seconds = medians(
        {name: lambda group=group, way=way: way(group) for name, (group, way) in ways.items()},
        rounds,
    )
    rows = [
        [name, f"{len(group):,}", f"{len(group) / seconds[name]:,.0f}"]
        for name, (group, _) in ways.items()
    ]
    print(table(["way", "documents", "documents/s"], rows))


def print_effect(texts: dict[str, list[str]]) -> None:
    """Print the second table."""
    rows = []
    for name, group in texts.items():
        repaired = in_batches(repair_texts, group)
        after = [
            result.text if result else text for text, result in zip(group, repaired, strict=True)
        ]
        again = sum(result is not None for result in in_batches(repair_texts, after))
        assert not again, f"{again} texts of {name} are repaired a second time"
        kinds = Counter(kind for result in repaired if result for kind in result.edits)
        places: Counter[str] = Counter()
        for result in repaired:
            places.update(result.edits if result else {})
        converted = [result for result in in_batches(simplify_texts, after) if result]
        kinds[TRADITIONAL] = len(converted)
        places[TRADITIONAL] = sum(result.edits[TRADITIONAL] for result in converted)
        rows.append(
            [name, f"{len(group):,}", f"{sum(result is not None for result in repaired):,}"]
            + [f"{kinds[kind]:,} ({places[kind]:,})" for kind in (*KINDS, TRADITIONAL)]
        )
    print("\ntexts changed (places)\n")
    print(table(["texts", "number", "repaired", *KINDS, TRADITIONAL], rows))


def print_conversions(texts: Sequence[str], count: int) -> None:
    """Print the third table."""
    t2s = OpenCC("t2s").convert
    simplified = [text[:2000] for text in texts if t2s(text) == text]
    simplified = random.Random(5).sample(simplified, min(count, len(simplified)))
    ways: dict[str, Callable[[str], str]] = {
        "here": lambda text: (simplify_texts([text])[0] or Repaired(text, {})).text,
        "OpenCC t2s": t2s,
        "OpenCC tw2s": OpenCC("tw2s").convert,
        "OpenCC hk2s": OpenCC("hk2s").convert,
        "zhconv zh-hans": lambda text: str(convert(text, "zh-hans")),
        "zhconv zh-cn": lambda text: str(convert(text, "zh-cn")),
    }
    rows = []
    for name, way in ways.items():
        cells = [name]
        for standard in STANDARDS:
            there = OpenCC(standard).convert
            right = changed = 0
            for text in simplified:
                written = there(text)
                read = way(written)
                if len(text) == len(written) == len(read):
                    for old, other, new in zip(text, written, read, strict=True):
                        changed += old != other or old != new
                        right += old == new != other
            cells.append(f"{100 * right / changed:.2f} %")
        rows.append(cells)
    print(f"\n{len(simplified):,} simplified texts there and back\n")
    print(table(["back by", *STANDARDS], rows))


def print_lines(texts: Sequence[str], count: int) -> None:
    """Print the fourth table."""
    clean = [text for text in texts if repair_texts([text]) == [None]]
    lines = [
        line
        for text in random.Random(1).sample(clean, min(1000, len(clean)))
        for line in text.split("\n")
        if han_ideographs(line) >= MIN_IDEOGRAPHS
    ]
    lines = random.Random(2).sample(lines, min(count, len(lines)))
    rows = []
    for name, garble in MIX_UPS.items():
        outcomes: Counter[str] = Counter()
        for line in lines:
            garbled = garble(line)
            after, changed = mend_lines(garbled)
            if not changed:
                outcomes["left"] += 1
            elif not after:
                outcomes["dropped"] += 1
            else:
                right = after in (line, convert(line, "zh-tw"))
                outcomes["read rightly" if right else "read otherwise"] += 1
        shares = (outcomes[key] / len(lines) for key in OUTCOMES)
        rows.append([name, *(f"{100 * share:.1f} %" for share in shares)])
    print(f"\n{len(lines):,} lines\n")
    print(table(["mix-up", *OUTCOMES], rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    texts = {name: read_texts(arguments.data / name) for name in ALL_TEXTS}
    whole = [text for name in TEXTS for text in texts[name]]
    print_rates(whole, arguments.documents, arguments.rounds)
    print_effect(texts)
    print_conversions(texts[TEXTS[0]], arguments.documents)
    print_lines(texts[TEXTS[0]], arguments.documents)
    return 0


if __name__ == "__main__":
    sys.exit(main())
