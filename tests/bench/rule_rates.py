"""Documents a second of the rules on one core, and what they remove of real documents.

    python -m tests.bench.rule_rates --data DIR

First table: the published rules in plain Python; the pass of apply_rules in mode casia-exact,
which is Arrow in, personal data, the measures that the published decisions need, Arrow out; all
measures of a text; and the pass in mode fixed, with edits and all measures. Documents have 1,200
characters; the ways are interleaved five times and their processor time is measured; medians.
Below the table, how many of the documents were edited.
Second table: share of bytes that mode casia-exact removes from the texts of DIR, by the first
rule that rejects a document, beside what is published for a whole crawl.

DIR is a folder with domain/, quality/ and lexicons/sensitive/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from tests.bench.ratios import Ratios, add_ratios_argument, write_ratios
from tests.udfs.measures.published_rules import published_reason, reason_of_measures
from udfs.lists.lexicon import Lexicon, read_lexicon
from udfs.measures.measures import measure_texts, measure_texts_for_casia
from udfs.measures.schema import Editing
from udfs.measures.text_pass import PassLists, pass_over
from udfs.pii.find import PII_KINDS

LEXICON = "lexicons/sensitive/chinesewebtext2_dict.txt"
TEXTS = (
    "domain/train.jsonl.gz",
    "domain/web_pages.jsonl.gz",
    "quality/hplt_web_read.jsonl.gz",
    "quality/hplt_web_labelled.jsonl.gz",
    "quality/cwt1_cleared1_unlabelled.jsonl.gz",
    "quality/cwt1_clean_dirty.jsonl.gz",
)
CHARS = 1200
PUBLISHED = {"length": 1.58, "character": 7.42, "sensitive": 12.98, "duplication": 3.43}
"""Percent of bytes that each rule removed. Source: ChineseWebText 2.0 (arXiv 2411.19668)."""


def read_texts(path: Path) -> list[str]:
    """The texts of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def documents_of_one_size(texts: Sequence[str], count: int) -> list[str]:
    """Beginnings of texts, all of CHARS characters, the same at every call."""
    long_enough = [text[:CHARS] for text in texts if len(text) >= CHARS]
    return random.Random(4).sample(long_enough, min(count, len(long_enough)))


def batch_of(texts: Sequence[str]) -> pa.RecordBatch:
    """Documents as Spark hands them over, with addresses of some length."""
    count = len(texts)
    return pa.RecordBatch.from_pydict(
        {
            "doc_id": [f"{number:032x}" for number in range(count)],
            "url": [f"http://www.site-{n}.example.cn/2024/{n}.html?page={n}" for n in range(count)],
            "opt_outs": pa.array([[]] * count, pa.list_(pa.string())),
            "text": list(texts),
        }
    )


def rates(
    ways: dict[str, Callable[[list[str]], object]], documents: list[str], repeats: int
) -> dict[str, float]:
    """Documents a second of processor time of each way: medians of interleaved runs."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(documents[:20])  # tables are built on first use
    for _ in range(repeats):
        for name, way in ways.items():
            begin = time.process_time()
            way(documents)
            seconds[name].append(time.process_time() - begin)
    return {name: len(documents) / statistics.median(taken) for name, taken in seconds.items()}


def print_rates(documents: list[str], lexicon: Lexicon, repeats: int) -> Ratios:
    """Print the first table; each way's ratio to the published rules."""
    lists = PassLists(lexicon)
    every_edit = Editing(simplify=True, mask=PII_KINDS)

    def passed(texts: Sequence[str], editing: Editing) -> pa.RecordBatch:
        return pass_over(batch_of(texts), editing, lists)

    def for_casia(texts: Sequence[str]) -> pa.RecordBatch:
        return pass_over(batch_of(texts), Editing(repair=False), lists, casia_only=True)

    published = "published rules, plain Python"
    ways: dict[str, Callable[[list[str]], object]] = {
        published: lambda texts: [published_reason(text, lexicon.words) for text in texts],
        "apply_rules' pass, mode casia-exact": for_casia,
        "all measures of texts": lambda texts: measure_texts(texts, lexicon),
        "apply_rules' pass, mode fixed": lambda texts: passed(texts, Editing()),
        "converted and masked too": lambda texts: passed(texts, every_edit),
    }
    found = rates(ways, documents, repeats)
    same = sum(
        reason == published_reason(text, lexicon.words)
        for text, reason in zip(documents, casia_reasons(documents, lexicon), strict=True)
    )
    print(f"{len(documents):,} documents of {CHARS:,} characters, one core")
    print(f"casia-exact decides {same:,} of them as the published rules\n")
    print("| way | documents/s | ratio |\n|---|---|---|")
    for name, rate in found.items():
        print(f"| {name} | {rate:,.0f} | {rate / found[published]:.1f} |")
    for name, editing in (("repaired", Editing()), ("with every edit", every_edit)):
        edited = len(documents) - passed(documents, editing).column("text").null_count
        print(f"{name}: {edited:,} of {len(documents):,} documents changed")
    return {
        f"{name}, to the published rules": rate / found[published]
        for name, rate in found.items()
        if name != published
    }


def casia_reasons(texts: Sequence[str], lexicon: Lexicon) -> list[str | None]:
    """What the published rules decide, from the measures of mode casia-exact."""
    return list(map(reason_of_measures, measure_texts_for_casia(texts, lexicon).to_pylist()))


def print_removal(texts: dict[str, list[str]], lexicon: Lexicon) -> None:
    """Print the second table."""
    print("\n| texts | documents | " + " | ".join(PUBLISHED) + " | kept |\n|---|---|" + "---|" * 5)
    for name, group in texts.items():
        removed: Counter[str | None] = Counter()
        for text, reason in zip(group, casia_reasons(group, lexicon), strict=True):
            removed[reason] += len(text.encode())
        shares = (f"{removed[key] / removed.total():.2%}" for key in (*PUBLISHED, None))
        print(f"| {name} | {len(group):,} | {' | '.join(shares)} |")
    shares = (f"{share:.2f}%" for share in PUBLISHED.values())
    print(f"| published, of a whole crawl | | {' | '.join(shares)} | |")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    add_ratios_argument(parser)
    arguments = parser.parse_args(argv)
    if hasattr(os, "sched_setaffinity"):  # not on macOS
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    lexicon = read_lexicon(arguments.data / LEXICON)
    texts = {name: read_texts(arguments.data / name) for name in TEXTS}
    documents = documents_of_one_size(texts[TEXTS[0]], arguments.documents)
    write_ratios(arguments.ratios, print_rates(documents, lexicon, arguments.repeats))
    if arguments.ratios is None:
        print_removal(texts, lexicon)
    return 0


if __name__ == "__main__":
    sys.exit(main())
