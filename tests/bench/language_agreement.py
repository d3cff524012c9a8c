"""How often two identifiers of languages agree, and what the second one costs.

    python -m tests.bench.language_agreement --data DIR --model lid.176.ftz

Texts of DIR: pages of a Chinese crawl, articles of web pages, corpora; English and Japanese pages;
and mixtures of a Chinese article with them. Of each set: how many the first identifier takes for
Chinese, and for how many of these the second one names another language. Chinese, Wu and Cantonese
count as one.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jobs.config import LanguageConfig
from tests.bench.charset_accuracy import rows_of
from tests.bench.language_accuracy import (
    _ENGLISH_WARCS,
    _JAPANESE_WARCS,
    chinese_texts,
    is_chinese,
    mixtures,
    warc_texts,
)
from udfs.extract.language import load_language_model
from udfs.measures.second_language import identify

_CRAWL = ("quality/hplt_web_read", "quality/hplt_web_labelled")
_SHOWN = 4

SAME = LanguageConfig().labels
"""Labels of Chinese, which the two identifiers need not tell apart."""


def text_sets(data: Path, per_source: int, mixed: int) -> dict[str, list[str]]:
    """Texts by the name of their set."""
    dice = random.Random(7)
    chinese = chinese_texts(data, per_source, dice)
    english = warc_texts(data, _ENGLISH_WARCS)
    japanese = warc_texts(data, _JAPANESE_WARCS)
    sets = {
        "pages of a Chinese crawl": [
            row["text"] for name in _CRAWL for row in rows_of(data / f"{name}.jsonl.gz")
        ],
        "articles of web pages": [
            row["text"] for row in rows_of(data / "domain/web_pages.jsonl.gz")
        ],
        "Chinese corpora and pages": chinese,
        "Chinese mixed with English or Japanese": list(
            mixtures(chinese, [*english, *japanese], mixed, dice)
        ),
        "English pages": english,
        "Japanese pages": japanese,
    }
    return {name: texts for name, texts in sets.items() if texts}


def report(name: str, texts: Sequence[str], model: Path) -> None:
    """Print a set's row."""
    first = load_language_model(model).identify(texts)
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        second = identify(texts)
        best = min(best, time.process_time() - started)
    chinese = [
        (text, other)
        for text, one, other in zip(texts, first, second, strict=True)
        if is_chinese(one)
    ]
    others = Counter(label for _, (label, _) in chinese if label not in SAME)
    least = min((score for _, (label, score) in chinese if label in SAME), default=0.0)
    shown = ", ".join(f"{label} {n}" for label, n in others.most_common(_SHOWN))
    share = 100 * others.total() / max(1, len(chinese))
    print(
        f"| {name} | {len(texts):,} | {len(chinese):,} | {others.total():,} ({share:.2f} %) "
        f"| {shown} | {least:.2f} | {len(texts) / best:,.0f} |"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--per-source", type=int, default=150)
    parser.add_argument("--mixtures", type=int, default=1500)
    arguments = parser.parse_args(argv)

    sets = text_sets(arguments.data, arguments.per_source, arguments.mixtures)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        "| texts | number | Chinese | of these another language | which | least score | texts/s |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, texts in sets.items():
        report(name, texts, arguments.model)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"memory grew by {grown / 1024:,.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
