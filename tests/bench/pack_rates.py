"""What each rule of each rule pack removes of real pages that a reader has judged.

    python -m tests.bench.pack_rates --data DIR [--pack NAME_OR_FILE ...]

Columns: pages of a raw crawl that are junk, mixed or good by a language model's reading, in two
halves of sites; the main text of real article pages, and documents of many sources of 200
characters and more, which no rule should remove. A cell is the share that a rule rejects, alone or
beside others; the first row of a pack is what it rejects as a whole, with the number rejected.

DIR is a folder with domain/, extraction/ and quality/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from jobs.config import bundled_packs, load_config
from jobs.transforms.rules import with_reject_reasons
from udfs.lists.host_lists import read_host_list
from udfs.lists.lexicon import read_lexicon
from udfs.measures.schema import Editing
from udfs.measures.text_pass import PassLists, edit_texts, measure_documents

ARTIFACTS = Path(__file__).resolve().parents[2] / "conf/artifacts"
LEXICON = ARTIFACTS / "lexicon/lexicon.tsv"
HOST_WORDS = ARTIFACTS / "host_words/host_words.tsv"
QUALITY = ("junk", "mixed", "good")
MIN_CHARS = 200
"""Shorter documents of the sources are left out: questions and answers, which the sets cut so."""


class Page(NamedTuple):
    """A text and the column of the table that it counts in."""

    column: str
    text: str
    url: str | None


def pages(data: Path) -> list[Page]:
    """All texts of the table."""
    return [
        *(
            Page(f"{QUALITY[row['quality']]} {half_of(row['site'])}", row["text"], row["url"])
            for name in ("hplt_web_read", "hplt_web_labelled")
            for row in read_rows(data / f"quality/{name}.jsonl.gz")
        ),
        *(
            Page("articles", row["gold"], row["url"])
            for row in read_rows(data / "extraction/pages.jsonl.gz")
            if row["gold_kind"] == "gold"
        ),
        *(
            Page("sources", row["text"], None)
            for row in read_rows(data / "domain/train.jsonl.gz")
            if len(row["text"]) >= MIN_CHARS
        ),
    ]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def half_of(site: str | None) -> str:
    """A or B; all pages of a site are in one half."""
    return "AB"[hashlib.md5(str(site).encode()).digest()[0] % 2]


def measured(spark: SparkSession, texts: Sequence[Page], folder: Path) -> DataFrame:
    """The texts' measures, with their columns."""
    edited = edit_texts([page.text for page in texts], Editing())
    urls = [page.url for page in texts]
    lists = PassLists(read_lexicon(LEXICON), [read_host_list(HOST_WORDS)])
    measures = measure_documents(urls, edited, lists)
    columns = pa.array([page.column for page in texts])
    path = folder / "measures.parquet"
    pq.write_table(pa.table({"column": columns, "measures": measures}), path)
    return spark.read.parquet(str(path)).cache()


def print_table(frame: DataFrame, pack: str, totals: Counter[str]) -> None:
    """Print what a pack and each of its rules reject."""
    rules = load_config(None, [f"rules.pack={pack}"]).rules
    rows = with_reject_reasons(frame, rules).select("column", "reject_reasons").collect()
    fired: Counter[tuple[str, str]] = Counter()
    for row in rows:
        fired.update((row.column, reason) for reason in row.reject_reasons)
        fired[row.column, "any"] += bool(row.reject_reasons)
    reasons = sorted({reason for _, reason in fired} - {"any"})
    columns = sorted(totals, key=_place)
    print(f"\n| {pack} | {' | '.join(f'{name} ({totals[name]:,})' for name in columns)} |")
    print("|---|" + "---|" * len(columns))
    for reason in ["any", *sorted(reasons, key=lambda name: -junk_caught(fired, name))]:
        shares = (f"{fired[c, reason] / totals[c]:.1%} ({fired[c, reason]})" for c in columns)
        print(f"| {reason} | {' | '.join(shares)} |")


def _place(column: str) -> tuple[int, str]:
    order = (*QUALITY, "articles", "sources")
    return order.index(column.partition(" ")[0]), column


def junk_caught(fired: Counter[tuple[str, str]], reason: str) -> int:
    """Junk pages of both halves."""
    return sum(fired[f"junk {half}", reason] for half in "AB")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", nargs="+", default=list(bundled_packs()))
    arguments = parser.parse_args(argv)
    texts = pages(arguments.data)
    with tempfile.TemporaryDirectory() as folder, local_session() as spark:
        frame = measured(spark, texts, Path(folder))
        for pack in arguments.pack:
            print_table(frame, pack, Counter(page.column for page in texts))
    return 0


def local_session(master: str = "local[2]", properties: Path | None = None) -> SparkSession:
    """Spark on this machine alone, with the settings of a properties file."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    lines = properties.read_text(encoding="utf-8").splitlines() if properties else []
    settings: Iterable[tuple[str, str]] = (
        *(
            (key, value)
            for key, value in (line.split(None, 1) for line in lines if line[:1].isalpha())
        ),
        ("spark.driver.host", "localhost"),
        ("spark.driver.bindAddress", "127.0.0.1"),
        ("spark.ui.enabled", "false"),
        ("spark.ui.showConsoleProgress", "false"),
        ("spark.log.level", "ERROR"),
    )
    builder = SparkSession.builder.appName("rule rates")
    for key, value in settings:
        builder = builder.config(key, value)
    return builder.master(master).getOrCreate()


if __name__ == "__main__":
    sys.exit(main())
