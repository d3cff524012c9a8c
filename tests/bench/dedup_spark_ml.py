"""Spark ML's MinHashLSH and approxSimilarityJoin over a corpus (dedup_pass).

    python -m tests.bench.dedup_spark_ml CORPUS --warm CORPUS --output DIR --tables 3

Characters -> 5-grams -> hashed sets of 2^20 -> MinHashLSH -> self join at a distance of 0.2; the
join verifies its pairs on the hashed sets. Steps: ``ids``, ``texts``, as dedup_taojin has them;
the components of the pairs are found by union-find on the driver.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.ml import Pipeline
from pyspark.ml.feature import HashingTF, MinHashLSH, NGram, RegexTokenizer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.bench.dedup_corpus import LEAST_SIMILARITY, SHINGLE_CHARS, Corpus
from tests.bench.dedup_pass import (
    Clock,
    arguments_of,
    clusters_by_kept,
    print_answer,
    run_passes,
)
from tests.builders.near_duplicates import union_find

PROPERTIES = Path(__file__).resolve().parents[2] / "conf" / "spark-local.conf"
_FEATURES = 1 << 20


class Search:
    """Its pipeline."""

    def __init__(self, spark: SparkSession, tables: int) -> None:
        self._spark = spark
        self._stages: list[Any] = [
            RegexTokenizer(inputCol="text", outputCol="characters", pattern=".", gaps=False),
            NGram(n=SHINGLE_CHARS, inputCol="characters", outputCol="grams"),
            HashingTF(inputCol="grams", outputCol="shingles", numFeatures=_FEATURES, binary=True),
            MinHashLSH(inputCol="shingles", outputCol="hashes", numHashTables=tables, seed=1),
        ]

    def __call__(self, corpus: Corpus, folder: Path, clock: Clock) -> npt.NDArray[np.int64]:
        kept = clock.step("ids", lambda: self._ids(corpus))
        clock.step("texts", lambda: self._texts(corpus, kept, folder))
        return clusters_by_kept(corpus.doc_ids(), kept)

    def _ids(self, corpus: Corpus) -> dict[str, str]:
        """doc_id -> smallest doc_id of its component."""
        documents = self._spark.read.parquet(str(corpus.documents))
        shingled = Pipeline(stages=self._stages[:-1]).fit(documents).transform(documents)
        shingled = shingled.select("doc_id", "shingles")
        model = self._stages[-1].fit(shingled)
        hashed = model.transform(shingled).cache()
        pairs = (
            model.approxSimilarityJoin(hashed, hashed, 1 - LEAST_SIMILARITY + 1e-9)
            .select(F.col("datasetA.doc_id").alias("one"), F.col("datasetB.doc_id").alias("other"))
            .filter(F.col("one") < F.col("other"))
            .collect()
        )
        hashed.unpersist()
        return union_find((row.one, row.other) for row in pairs)

    def _texts(self, corpus: Corpus, kept: dict[str, str], folder: Path) -> None:
        removed = [(doc_id,) for doc_id, least in kept.items() if doc_id != least]
        gone = self._spark.createDataFrame(removed, "doc_id string")
        documents = self._spark.read.parquet(str(corpus.documents))
        documents.join(gone, on="doc_id", how="left_anti").write.parquet(str(folder / "kept"))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = arguments_of(__doc__)
    parser.add_argument("--tables", type=int, default=3, help="of the locality-sensitive hash")
    arguments = parser.parse_args(argv)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_SUBMIT_ARGS"] = f'--properties-file "{PROPERTIES}" pyspark-shell'
    spark = SparkSession.builder.appName("Spark ML").getOrCreate()
    facts = run_passes(arguments, Search(spark, arguments.tables), version=spark.version)
    spark.stop()
    print_answer(facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
