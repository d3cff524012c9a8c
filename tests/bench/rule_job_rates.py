"""Documents that apply_rules passes in a second of processor time, in both modes.

    python -m tests.bench.rule_job_rates --data DIR [--documents 20000]

Runs the stage over tables of documents of 1,200 characters, on one task thread and with the
settings of conf/spark-local.conf, in mode casia-exact and in mode fixed without a rule pack: over a
small wave, twice, then over all documents. Counted is the processor time of all processes, Spark's
and the Python worker's, from the plan to the ledger. "more" is the rate of the documents that the
last wave has more than the one before, which is that of a long run: what a wave costs however
small it is has been taken away. The ratio is to the published rules in plain Python on the same
documents, measured in the same run.

DIR is a folder with domain/, quality/ and lexicons/sensitive/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.catalogue.lock import load_lock
from jobs.config import load_config
from jobs.pipeline import rule_filtering
from jobs.run.request import Run
from jobs.run.splits import Split, write_wave
from jobs.run.store import Commit, Store
from jobs.tables import DOCUMENTS, FLAGGED, schema_of
from tests.bench.pack_rates import local_session
from tests.bench.rule_rates import CHARS, LEXICON, TEXTS, read_texts
from tests.udfs.measures.published_rules import published_reason
from udfs.lists.lexicon import read_lexicon

MODES = ("casia-exact", "fixed")
STEP_CHARS = CHARS // 6
"""From piece to piece of one text; the data has 5,836 that do not overlap."""
SPARK = Path(__file__).resolve().parents[2] / "conf/spark-local.conf"


def pieces(data: Path, count: int) -> list[str]:
    """Pieces of CHARS characters of texts, which may overlap; the same at every call."""
    found = [
        text[at : at + CHARS]
        for name in TEXTS
        for text in read_texts(data / name)
        for at in range(0, len(text) - CHARS + 1, STEP_CHARS)
    ]
    return random.Random(4).sample(found, count)


def processor_seconds() -> float:
    """Processor time of this process and all that it started, themselves and ended children."""
    stats = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "stat").read_text()
            except OSError:
                continue  # ended meanwhile
            fields = line.rpartition(") ")[2].split()
            stats[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    family = {os.getpid()}
    while True:
        grown = family | {pid for pid, (parent, _) in stats.items() if parent in family}
        if grown == family:
            break
        family = grown
    ticks = sum(stats[pid][1] for pid in family if pid in stats)
    return ticks / os.sysconf("SC_CLK_TCK")


def write_documents(spark: SparkSession, store: Store, texts: Sequence[str], wave: int) -> None:
    """The documents table of one wave, and its commit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.parquet"
        ids = [f"{wave:02}{number:030x}" for number in range(len(texts))]
        urls = [f"http://www.site-{n}.example.cn/2024/{n}.html" for n in range(len(texts))]
        pq.write_table(pa.table({"doc_id": ids, "url": urls, "text": list(texts)}), path)
        known = {"doc_id", "url", "text"}
        documents = spark.read.parquet(str(path)).select(
            *(
                F.col(field.name)
                if field.name in known
                else F.lit(f"bench-{wave}.warc.gz" if field.name == "warc_path" else None)
                .cast(field.dataType)
                .alias(field.name)
                for field in schema_of(DOCUMENTS)
            )
        )
        store.write(documents, DOCUMENTS, wave)
    store.commit(Commit("extract_documents", wave, f"documents {wave}", 0.0, len(texts)))


def run_wave(
    spark: SparkSession, store: Store, settings: list[str], wave: int, texts: Sequence[str]
) -> float:
    """Processor seconds of the stage over texts."""
    splits = [Split(f"bench-{wave}.warc.gz", f"bench-{wave}.warc.gz", "warc", 1)]
    write_wave(store, wave, splits)
    write_documents(spark, store, texts, wave)
    config = load_config(None, settings)
    run = Run(config, None, store, {wave: splits}, load_lock(config, None))
    begin = processor_seconds()
    rule_filtering.run(spark, run)
    return processor_seconds() - begin


def print_row(name: str, documents: int, seconds: float, published: float) -> None:
    """Print a row of the table."""
    rate = documents / seconds
    print(f"| {name} | {documents:,} | {rate:,.0f} | {rate / published:.1f} |", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--small", type=int, default=1000, help="documents of the small waves")
    arguments = parser.parse_args(argv)
    lexicon = arguments.data / LEXICON
    documents = pieces(arguments.data, arguments.documents)
    words = read_lexicon(lexicon).words
    some = documents[: arguments.small]
    begin = time.process_time()
    expected = [published_reason(text, words) for text in some]
    published = len(some) / (time.process_time() - begin)
    print(f"{len(documents):,} documents; published rules: {published:,.0f} documents/s\n")
    print("| mode | documents | documents/s of a core | ratio |\n|---|---|---|---|")
    waves = [some, some, documents]
    for mode in MODES:
        with tempfile.TemporaryDirectory() as folder, local_session("local[1]", SPARK) as spark:
            store = Store.at(folder)
            settings = [f"rules.mode={mode}", f"rules.lexicon={lexicon}", "rules.pack=off"]
            seconds = [run_wave(spark, store, settings, *wave) for wave in enumerate(waves)]
            flagged = spark.read.parquet(store.table_path(FLAGGED, 0)).orderBy("doc_id").collect()
        print_row(mode, len(documents), seconds[-1], published)
        more = len(documents) - len(some)
        print_row(f"{mode}, more", more, seconds[-1] - seconds[-2], published)
        if mode == "casia-exact":
            found = [(row.reject_reasons or [None])[0] for row in flagged]
            same = sum(ours == reason for ours, reason in zip(found, expected, strict=True))
            print(f"decided as published: {same:,} of {len(some):,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
