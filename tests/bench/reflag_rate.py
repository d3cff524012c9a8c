"""How long rules take over measures that are stored.

    python -m tests.bench.reflag_rate [--rows 1000000] [--keep DIR]

Writes the tables of apply_rules for this many documents: their measures, which are those of
2,000 made-up texts over and over, and the documents without texts, which no rule looks at. Then it
runs apply_rules with other limits and conditions, each time over all of them, ledger included.
"""

from __future__ import annotations

import argparse
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
from jobs.run.request import MEASURE_DOCUMENTS, Run
from jobs.run.splits import Split, write_wave
from jobs.run.store import Commit, Store
from jobs.tables import DOCUMENTS, MEASURED, schema_of
from tests.bench.pack_rates import LEXICON, local_session
from udfs.lists.lexicon import read_lexicon
from udfs.measures.schema import Editing
from udfs.measures.text_pass import PassLists, edit_texts, measure_documents

TEXTS = 2000
SETTINGS = (
    ["rules.pack=off"],
    ["rules.pack=default"],
    ["rules.pack=default", "rules.min_chars=300"],
    ["rules.pack=fineweb2-zh"],
    ["rules.pack=hplt-wds"],
    ["rules.mode=casia-exact"],
)


def made_up_texts() -> list[str]:
    """Texts of 100 to 3,000 characters in lines of 8 to 60, some with words of the lexicon."""
    draw = random.Random(5)
    sensitive = read_lexicon(LEXICON).words
    plain = [*sorted(set("".join(sensitive))), *"的了是在，。，。" * 20, *"0123"]
    texts = []
    for _ in range(TEXTS):
        words = draw.choices(plain, k=draw.randrange(100, 3000))
        words += draw.choices(sensitive, k=draw.choice((0, 0, 0, 20)))
        draw.shuffle(words)
        line_words = draw.choice((8, 25, 60))
        starts = range(0, len(words), line_words)
        texts.append("\n".join("".join(words[at : at + line_words]) for at in starts))
    return texts


def write_tables(spark: SparkSession, store: Store, rows: int, folder: Path) -> None:
    """The documents and measures tables of one wave."""
    edited = edit_texts(made_up_texts(), Editing(repair=False))
    lists = PassLists(read_lexicon(LEXICON))
    measures = measure_documents(
        [f"http://a{n}.example.cn/{n}" for n in range(TEXTS)], edited, lists
    )
    path = folder / "measures.parquet"
    pq.write_table(pa.table({"n": pa.array(range(TEXTS)), "measures": measures}), path)
    ids = spark.range(rows).withColumn("doc_id", F.md5(F.col("id").cast("string")))
    ids = ids.withColumn("n", F.col("id") % TEXTS)
    measured = ids.join(F.broadcast(spark.read.parquet(str(path))), on="n", how="inner")
    opt_outs = F.array().cast("array<string>").alias("opt_outs")
    store.write(measured.select("doc_id", opt_outs, "measures"), MEASURED, 0)
    documents = ids.select(
        *(
            F.col("doc_id")
            if field.name == "doc_id"
            else F.lit("bench.warc.gz" if field.name == "warc_path" else None)
            .cast(field.dataType)
            .alias(field.name)
            for field in schema_of(DOCUMENTS)
        )
    )
    store.write(documents, DOCUMENTS, 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="folder of the tables, which stay there")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch, local_session() as spark:
        store = Store.at(str(arguments.keep or Path(scratch) / "out"))
        config = load_config(None)
        lock = load_lock(config, None)
        splits = [Split("bench.warc.gz", "bench.warc.gz", "warc", 1)]
        write_wave(store, 0, splits)
        write_tables(spark, store, arguments.rows, Path(scratch))
        store.commit(Commit("extract_documents", 0, "documents", 0.0, arguments.rows))
        print(f"\n{arguments.rows:,} rows\n\n| settings | seconds | rejected |\n|---|---|---|")
        for settings in SETTINGS:
            run = Run(load_config(None, settings), None, store, {0: splits}, lock)
            # Measured as this configuration has it: only the rules are timed.
            made_from = rule_filtering.measuring_of(run).basis("documents").fingerprint
            store.commit(Commit(MEASURE_DOCUMENTS, 0, made_from, 0.0, arguments.rows, "documents"))
            begin = time.monotonic()
            rule_filtering.check_on_spark(spark, run.config)
            rule_filtering.run(spark, run)
            seconds = time.monotonic() - begin
            flagged = spark.read.parquet(store.table_path("flagged", 0))
            rejected = flagged.where("size(reject_reasons) > 0").count()
            print(f"| {' '.join(settings)} | {seconds:.1f} | {rejected:,} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
