"""What folding changes in ordinary text, and what it costs.

    python -m tests.bench.folding_hits --data DIR [--show KIND] [--rounds 5]

First table: of the curated documents of DIR, by kind of folding: documents that it changes, and
places; of words each way of writing with its meaning. With --show, fifty places of a kind, to read.
Second table: how many texts of other sets change, of which only counts are looked at.
Third table: documents of 1,200 characters a second on one core, in processor time, medians of
interleaved runs: the scan of documents without anything to fold, folding of all, and the bundled
toxicity scorer without and with folding.

DIR is a folder with domain/, quality/ and toxicity/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench.charset_accuracy import rows_of
from tests.bench.rule_rates import TEXTS, documents_of_one_size, read_texts
from tests.bench.score_rates import bundles, ours
from tests.bench.timing import medians, pin_to_one_core, table
from udfs.base.code_points import TextBatch
from udfs.folding.fold import fold_texts

CURATED = "domain/train.jsonl.gz"
OTHERS = {
    "articles of web pages": ("domain/web_pages.jsonl.gz", None),
    "crawl pages as read": ("quality/hplt_web_read.jsonl.gz", "toxic"),
    "lines of social media": ("toxicity/lines.jsonl.gz", "source"),
}
"""Set -> its file, and the column by which it is parted."""
SHOWN, AROUND = 50, 12
WORD = "words"
_BLOCKS = (
    (0xFF00, 0xFFEF, "full-width letters and digits"),
    (0x2F00, 0x2FDF, "radicals"),
    (0x3200, 0x32FF, "enclosed ideographs and numbers"),
    (0x1F200, 0x1F2FF, "enclosed ideographs and numbers"),
    (0x2460, 0x27BF, "circled and bracketed letters and digits"),
    (0x1F100, 0x1F1E5, "circled and bracketed letters and digits"),
    (0x1D400, 0x1D7FF, "mathematical letters and digits"),
    (0x2100, 0x214F, "mathematical letters and digits"),
    (0x1F1E6, 0x1F1FF, "letters of flags"),
    (0x00B2, 0x00B9, "superscripts and subscripts"),
    (0x02B0, 0x02E3, "superscripts and subscripts"),
    (0x1D2C, 0x209C, "superscripts and subscripts"),
)


def changes_of(texts: Sequence[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield every change: number of the text, begin and end there, and what it is folded to."""
    folded = fold_texts(texts)
    if folded is None:
        return
    first = 0
    for number, text in zip(folded.numbers.tolist(), folded.texts, strict=True):
        part = slice(first, first + len(text) + 1)
        first += len(text) + 1
        starts, stops = folded.starts[part].tolist(), folded.stops[part].tolist()
        at = end = 0
        while at <= len(text):
            if starts[at] > end:
                yield number, end, starts[at], ""
            stop = at + 1
            while stop < len(text) and starts[stop] == starts[at]:
                stop += 1
            if at < len(text) and texts[number][starts[at] : stops[at]] != text[at:stop]:
                yield number, starts[at], stops[at], text[at:stop]
            end = stops[at]
            at = stop


def kind_of(written: str, meant: str) -> str:
    """The kind of a change."""
    if not meant:
        return "invisible marks"
    if len(written) > 1:
        return WORD
    names = [name for low, high, name in _BLOCKS if low <= ord(written) <= high]
    return names[0] if names else unicodedata.name(written, "unnamed")


def print_curated(texts: Sequence[str], show: str | None) -> None:
    """Print the first table, and places of a kind."""
    places: Counter[str] = Counter()
    documents: dict[str, set[int]] = {}
    words: Counter[tuple[str, str]] = Counter()
    shown = 0
    for number, begin, end, meant in changes_of(texts):
        text = texts[number]
        kind = kind_of(text[begin:end], meant)
        places[kind] += 1
        documents.setdefault(kind, set()).add(number)
        if kind == WORD:
            words[text[begin:end], meant] += 1
        if kind == show and shown < SHOWN:
            shown += 1
            around = text[max(0, begin - AROUND) : begin], text[end : end + AROUND]
            print(f"{around[0]!r} [{text[begin:end]} -> {meant}] {around[1]!r}")
    changed = set().union(*documents.values()) if documents else set()
    rows = [
        [kind, f"{len(documents[kind]):,}", f"{count:,}"] for kind, count in places.most_common()
    ]
    print(f"{len(texts):,} curated documents, of which {len(changed):,} change\n")
    print(table(["folded", "documents", "places"], rows))
    print("\nwords: " + ", ".join(f"{a!r} -> {b} {n}" for (a, b), n in words.most_common()))


def print_others(data: Path) -> None:
    """Print the second table."""
    rows = []
    for name, (file, column) in OTHERS.items():
        sets: dict[str, list[str]] = {}
        for row in rows_of(data / file):
            part = "" if column is None else f", {column} {json.dumps(row[column])}"
            sets.setdefault(name + part, []).append(row["text"])
        for part, texts in sets.items():
            found: dict[int, set[str]] = {}
            for number, begin, end, meant in changes_of(texts):
                found.setdefault(number, set()).add(kind_of(texts[number][begin:end], meant))
            with_words = sum(WORD in kinds for kinds in found.values())
            rows.append([part, f"{len(texts):,}", f"{len(found):,}", f"{with_words:,}"])
    print("\n" + table(["set", "texts", "changed", "with words"], rows))


def print_rates(texts: Sequence[str], count: int, rounds: int) -> None:
    """Print the third table."""
    documents = documents_of_one_size(texts, count)
    folded = fold_texts(documents)
    changed = set() if folded is None else set(folded.numbers.tolist())
    plain = [text for number, text in enumerate(documents) if number not in changed]
    with tempfile.TemporaryDirectory(prefix="taojin-bench-") as folder:
        bundle = bundles(Path(folder))["toxicity"]
        scorer = bundle.scorer
        assert scorer.tokenizer is not None
        chosen = [
            replace(bundle, scorer=replace(scorer, tokenizer=replace(scorer.tokenizer, folding=on)))
            for on in (False, True)
        ]
        ways = {
            "nothing to fold": (plain, lambda: fold_texts(TextBatch(plain))),
            "folding": (documents, lambda: fold_texts(TextBatch(documents))),
            "toxicity": (documents, lambda: ours(documents, chosen[:1])),
            "toxicity with folding": (documents, lambda: ours(documents, chosen[1:])),
        }
        for _, way in ways.values():
            way()
        seconds = medians({name: way for name, (_, way) in ways.items()}, rounds)
    rows = [
        [name, f"{len(group):,}", f"{len(group) / seconds[name]:,.0f}"]
        for name, (group, _) in ways.items()
    ]
    print("\n" + table(["way", "documents", "a second"], rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--show", metavar="KIND", help=f"print places of a kind, such as {WORD}")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    print_curated([row["text"] for row in rows_of(arguments.data / CURATED)], arguments.show)
    if arguments.show is not None:
        return 0
    print_others(arguments.data)
    texts = [text for name in TEXTS for text in read_texts(arguments.data / name)]
    print_rates(texts, arguments.documents, arguments.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
