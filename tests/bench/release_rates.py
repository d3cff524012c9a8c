"""Megabytes of text a processor second that release_corpus writes.

    python -m tests.bench.release_rates [--mb 2000] [--keep DIR]

Makes a corpus of texts of 300 to 3,300 made-up characters, as frequent as ranks of a Zipf law, so
that they compress about as Chinese text does, and releases it in each format and order, with all
cores of this machine and Java's optimising compiler, as in a run of hours. Processor time is that
of Java and all Python processes during the release alone: both passes over the corpus, the shuffle,
hashing and the card. Each release is written twice: the first time Java compiles the code that is
made for it, which costs as much for a small corpus as for a large one. The rate is that of the
second time; the processor time of both is printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.catalogue.lock import load_lock
from jobs.config import load_config
from jobs.release.release import check_release, write_release
from jobs.release.stage import source_of
from jobs.run.request import Run
from jobs.run.splits import Split
from jobs.run.store import WHOLE, Commit, Store
from jobs.tables import CORPUS, schema_of
from tests.bench.dedup_cpu import RoleMeter
from tests.bench.pack_rates import local_session

PROPERTIES = Path(__file__).resolve().parents[2] / "conf" / "spark-local.conf"

CHARS = 4000
SETTINGS = (
    ['release.formats=["parquet"]', "release.rows=published"],
    ['release.formats=["parquet"]', "release.rows=full"],
    ['release.formats=["jsonl.zst"]', "release.rows=published"],
    ['release.formats=["jsonl.gz"]', "release.rows=published"],
    ['release.formats=["parquet"]', "release.order=url"],
    ['release.formats=["parquet"]', 'release.subsets=["quality", "domain"]'],
)


def made_up_texts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Add a text to each id."""
    weights = 1 / np.arange(1, CHARS + 1)
    bounds = np.cumsum(weights / weights.sum())
    for batch in batches:
        ids = batch.column("id").to_pylist()
        draw = np.random.default_rng(ids[:1])
        texts = []
        for _ in ids:
            ranks = np.searchsorted(bounds, draw.random(draw.integers(300, 3300)))
            texts.append((ranks + 0x4E00).astype("<u2").tobytes().decode("utf-16-le"))
        yield pa.RecordBatch.from_pydict({"id": ids, "text": texts})


def made_up_corpus(spark: SparkSession, megabytes: int) -> DataFrame:
    """Corpus rows with so many megabytes of UTF-8 text."""
    rows = megabytes * 1_000_000 // 5_400
    ids = spark.range(rows, numPartitions=8).mapInArrow(made_up_texts, "id bigint, text string")
    share = F.pmod(F.xxhash64("id", F.lit("s")), F.lit(1000)) / 1000
    label = F.element_at(
        F.array(*map(F.lit, ("law", "news", "finance", "education"))),
        (F.col("id") % 4 + 1).cast("int"),
    )
    host = F.concat(F.lit("www.h"), F.col("id") % 5000, F.lit(".cn"))
    known = {
        "text": F.col("text"),
        "domain": F.struct(label.alias("single_label"), F.array(label).alias("multi_label")),
        "toxicity": F.struct(F.lit(0).alias("label"), share.alias("score")),
        "quality_score": share,
        "harmful": F.struct((share * 900 + 9).alias("perplexity"), F.lit(False).alias("flagged")),
        "url": F.concat(F.lit("https://"), host, F.lit("/p/"), F.col("id")),
        "source_domain": host,
        "doc_id": F.md5(F.col("id").cast("string")),
        "script": F.lit("hans"),
        "cluster_size": F.lit(1),
    }
    return ids.select(
        *(
            known.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name)
            for field in schema_of(CORPUS)
        )
    )


def for_long_runs(folder: Path) -> Path:
    """Write conf/spark-local.conf without the line that it says to leave out of runs of hours."""
    lines = PROPERTIES.read_text(encoding="utf-8").splitlines()
    path = folder / "spark.conf"
    kept = [line for line in lines if not line.startswith("spark.driver.extraJavaOptions")]
    path.write_text("\n".join(kept), encoding="utf-8")
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mb", type=int, default=2000, help="megabytes of text")
    parser.add_argument("--keep", type=Path, help="folder of the corpus, which stays there")
    arguments = parser.parse_args(argv)
    with (
        tempfile.TemporaryDirectory() as scratch,
        local_session("local[*]", for_long_runs(Path(scratch))) as spark,
        RoleMeter() as meter,
    ):
        store = Store.at(str(arguments.keep or Path(scratch) / "out"))
        if not store.list_names(CORPUS):
            store.write(made_up_corpus(spark, arguments.mb), CORPUS)
        store.commit(Commit("select_corpus", WHOLE, "bench", 0.0, 0))
        text = store.read(spark, CORPUS).agg(F.sum(F.octet_length("text"))).first()
        megabytes = (text[0] if text else 0) / 1e6
        print(f"\n{megabytes:,.0f} MB of text\n")
        times = "seconds, the second time | processor seconds, first and second time"
        print(f"| settings | {times} | MB a processor second | bytes / text |")
        print("|---|---|---|---|---|")
        for settings in SETTINGS:
            config = load_config(None, settings)
            waves = {0: [Split("bench", "bench", "jsonl", 1)]}
            source = source_of(Run(config, None, store, waves, load_lock(config, None)))
            exclusions = check_release(source, config.release)
            used = []
            for _ in range(2):
                begin, before = time.monotonic(), sum(meter.seconds().values())
                uri = f"{scratch}/release"
                released = write_release(spark, source, uri, config.release, exclusions)
                seconds = time.monotonic() - begin
                used.append(sum(meter.seconds().values()) - before)
            share = sum(of["bytes"] for of in released.files) / 1e6 / megabytes
            named = " ".join(setting.removeprefix("release.") for setting in settings)
            rates = f"{seconds:.1f} | {used[0]:.1f}, {used[1]:.1f} | {megabytes / used[1]:.0f}"
            print(f"| `{named}` | {rates} | {share:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
