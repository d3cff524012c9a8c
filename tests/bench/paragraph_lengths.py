"""How many lines of a length stand in several documents: what dedup.min_paragraph_chars goes by.

    python -m tests.bench.paragraph_lengths --data DIR

A row: lines of that many normalised characters; those that another document of the set has too;
their characters, as a share of all characters of the set; the most frequent of them. DIR is a
folder with domain/ and quality/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.pack_rates import MIN_CHARS, read_rows
from tests.bench.timing import table
from tests.udfs.dedup.plain_normalise import normalise_text

STARTS = (1, 4, 8, 10, 13, 16, 20, 25, 30, 50)
SHOWN = 3
SHOWN_CHARS = 16


def documents(data: Path) -> Mapping[str, list[str]]:
    """Name of a set -> its texts."""
    pages = read_rows(data / "quality/hplt_web_read.jsonl.gz")
    rows = read_rows(data / "domain/train.jsonl.gz")
    return {
        "documents of sources": [row["text"] for row in rows if len(row["text"]) >= MIN_CHARS],
        "junk pages of a crawl": [page["text"] for page in pages if page["quality"] == 0],
    }


def print_lengths(name: str, texts: Sequence[str]) -> None:
    """Print the table of a set."""
    lines = [[key for line in text.split("\n") if (key := normalise_text(line))] for text in texts]
    holders = Counter(key for keys in lines for key in set(keys))
    counts: Counter[int] = Counter()
    repeated: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for key in (key for keys in lines for key in keys):
        start = STARTS[bisect_right(STARTS, len(key)) - 1]
        counts[start] += 1
        repeated[start][key] += holders[key] > 1
    chars = sum(len(key) for keys in lines for key in keys)
    rows = []
    for start in STARTS:
        found = repeated[start]
        rows.append(
            [
                f"from {start}",
                f"{counts[start]:,}",
                f"{found.total():,}",
                f"{found.total() / max(counts[start], 1):.1%}",
                f"{sum(len(key) * n for key, n in found.items()) / chars:.2%}",
                " ".join(
                    key[:SHOWN_CHARS].replace("|", "/") for key, _ in found.most_common(SHOWN)
                ),
            ]
        )
    print(f"\n{name}: {len(texts):,} texts, {chars:,} characters\n")
    print(table(["characters", "lines", "repeated", "share", "of all characters", "such as"], rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    for name, texts in documents(parser.parse_args(argv).data).items():
        print_lengths(name, texts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
