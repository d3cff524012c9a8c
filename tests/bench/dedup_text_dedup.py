"""text-dedup's Spark script over a corpus (dedup_pass).

    PYTHON -m tests.bench.dedup_text_dedup CORPUS --warm CORPUS --output DIR

Runs in a separate environment. The script has no functions for its stages, so they stand here
in its order, on its own functions; ``ids`` and ``texts`` are its two halves. What differs, each
in its favour: characters for words (its own split finds few pairs in Chinese); as many partitions
as this machine has use for, not 4,096; the components of its pairs are found by its own
union-find on the driver, as GraphFrames is a Java package that the package registry lacks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType

from tests.bench.dedup_corpus import Corpus
from tests.bench.dedup_pass import (
    Clock,
    arguments_of,
    clusters_by_kept,
    print_answer,
    run_passes,
)

PROPERTIES = Path(__file__).resolve().parents[2] / "conf" / "spark-local.conf"
_NGRAM = _MIN_LENGTH = 5


class Characters:
    """Stands where the script has a pattern to split by."""

    @staticmethod
    def split(text: str) -> list[str]:
        return list(text)


def script() -> Any:
    """The script's module, splitting into characters; in a worker as well as in the driver."""
    sys.modules.setdefault("graphframes", ModuleType("graphframes"))
    sys.modules["graphframes"].GraphFrame = None  # type: ignore[attr-defined]
    import text_dedup.minhash_spark as module

    module.NON_ALPHA = Characters
    return module


class Search:
    """Its stages."""

    def __init__(self, spark: SparkSession, bands: int, rows: int) -> None:
        self._spark = spark
        module = script()
        size = bands * rows
        dice = np.random.RandomState(module.SEED)
        self._options = {
            "num_perm": size,
            "ngram_size": _NGRAM,
            "min_length": _MIN_LENGTH,
            "hashranges": [(band * rows, (band + 1) * rows) for band in range(bands)],
            "permutations": (
                dice.randint(1, module.MOD_PRIME, size=(size,), dtype=module.DTYPE),
                dice.randint(0, module.MOD_PRIME, size=(size,), dtype=module.DTYPE),
            ),
        }

    def __call__(self, corpus: Corpus, folder: Path, clock: Clock) -> npt.NDArray[np.int64]:
        documents, kept = clock.step("ids", lambda: self._ids(corpus))
        clock.step("texts", lambda: self._texts(documents, kept, folder))
        names = {row["__id__"]: row["doc_id"] for row in documents.drop("text").toLocalIterator()}
        documents.unpersist()
        return clusters_by_kept(
            corpus.doc_ids(), {names[node]: names[root] for node, root in kept.items()}
        )

    def _ids(self, corpus: Corpus) -> tuple[Any, dict[int, int]]:
        """The numbered documents, and the root of each that is in a pair."""
        from text_dedup.utils.union_find import UnionFind

        options = self._options

        def is_long(text: str) -> bool:
            return bool(script().ngrams_length_check(text, _NGRAM, _MIN_LENGTH))

        def hash_values(row: Any) -> list[Any]:
            return script().generate_hash_values(content=row[1], idx=row[0], **options)  # type: ignore[no-any-return]

        def edges_of(group: tuple[Any, Iterable[Any]]) -> list[tuple[int, int]]:
            return script().generate_edges([member[2] for member in group[1]])  # type: ignore[no-any-return]

        documents = (
            self._spark.read.parquet(str(corpus.documents))
            .filter(F.udf(is_long, BooleanType())("text"))
            .withColumn("__id__", F.monotonically_increasing_id())
            .persist(StorageLevel.DISK_ONLY)
        )
        documents.count()
        edges = (
            documents.select("__id__", "text")
            .rdd.flatMap(hash_values)
            .groupBy(lambda value: (value[0], value[1]))
            .flatMap(edges_of)
            .distinct()
        )
        sets = UnionFind()
        for one, other in edges.collect():
            sets.union(one, other)
        return documents, {node: sets.find(node) for node in list(sets.parent)}

    def _texts(self, documents: Any, kept: dict[int, int], folder: Path) -> None:
        """The script's last part: join, filter, write."""
        assignment = self._spark.createDataFrame(
            list(kept.items()), "__id__ long, __component__ long"
        )
        component = F.col("__component__")
        (
            documents.join(assignment, on="__id__", how="left")
            .filter(component.isNull() | (component == F.col("__id__")))
            .write.parquet(str(folder / "kept"))
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = arguments_of(__doc__).parse_args(argv)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f'--properties-file "{PROPERTIES}" --conf spark.default.parallelism=8 pyspark-shell'
    )
    spark = SparkSession.builder.appName("text-dedup").getOrCreate()
    search = Search(spark, arguments.bands, arguments.rows)
    facts = run_passes(arguments, search, version=version("text-dedup"))
    spark.stop()
    print_answer(facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
