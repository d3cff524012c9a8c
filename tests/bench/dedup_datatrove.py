"""datatrove's four MinHash steps over a corpus, as its own example has them (dedup_pass).

    PYTHON -m tests.bench.dedup_datatrove CORPUS --warm CORPUS --output DIR

Runs in a separate environment. Steps: ``signatures``, ``buckets``, ``clusters``, ``filter``.
What differs from the example, each in its favour: one worker and no others to start, no
normalisation (the texts are normalised), characters for words, Parquet instead of gzipped JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.text import TextNormConfig
from datatrove.utils.word_tokenizers import WordTokenizer
from loguru import logger

from tests.bench.dedup_corpus import FILES, Corpus
from tests.bench.dedup_pass import Clock, arguments_of, print_answer, run_passes


class Characters(WordTokenizer):
    """Every character is a word."""

    def word_tokenize(self, text: str) -> list[str]:
        return list(text)

    def sent_tokenize(self, text: str) -> list[str]:
        return [text]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 1) for at in range(len(text))]


class Search:
    """The four steps, each a run of all its tasks in this process."""

    def __init__(self, bands: int, rows: int) -> None:
        plain = TextNormConfig(
            lowercase=False,
            norm_whitespace=False,
            remove_punctuation=False,
            norm_unicode_diacritics=False,
            norm_numbers=False,
        )
        self._config = MinhashConfig(
            n_grams=5, num_buckets=bands, hashes_per_bucket=rows, norm_config=plain
        )

    def __call__(self, corpus: Corpus, folder: Path, clock: Clock) -> npt.NDArray[np.int64]:
        config = self._config
        signatures, buckets, removed = (
            str(folder / name) for name in ("signatures", "buckets", "removed")
        )
        steps: dict[str, tuple[int, list[PipelineStep]]] = {
            "signatures": (
                FILES,
                [
                    _reader(corpus),
                    MinhashDedupSignature(signatures, config=config, language=Characters()),
                ],
            ),
            "buckets": (
                config.num_buckets,
                [MinhashDedupBuckets(signatures, buckets, config=config)],
            ),
            "clusters": (
                1,
                [MinhashDedupCluster(buckets, removed, config=config, save_cluster_id=True)],
            ),
            "filter": (
                FILES,
                [
                    _reader(corpus),
                    MinhashDedupFilter(removed),
                    ParquetWriter(str(folder / "kept"), compression="zstd"),
                ],
            ),
        }
        for name, (tasks, pipeline) in steps.items():
            executor = LocalPipelineExecutor(
                pipeline, tasks=tasks, workers=1, logging_dir=str(folder / "logs" / name)
            )
            clock.step(name, executor.run)
        return _clusters(corpus, folder / "removed")


def _reader(corpus: Corpus) -> ParquetReader:
    return ParquetReader(str(corpus.documents), text_key="text", id_key="doc_id")


def _clusters(corpus: Corpus, folder: Path) -> npt.NDArray[np.int64]:
    """Cluster of each document, from one file of (document, cluster) for each input file."""
    counts = [
        pq.read_metadata(path).num_rows for path in sorted(corpus.documents.glob("*.parquet"))
    ]
    total = sum(counts)
    clusters = np.arange(total)
    first = 0
    for number, count in enumerate(counts):
        path = folder / f"{number:06d}.clusters"
        if path.exists():
            members = np.fromfile(path, dtype="<u4").reshape(-1, 2).astype(np.int64)
            clusters[first + members[:, 0]] = total + members[:, 1]
        first += count
    return clusters


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = arguments_of(__doc__).parse_args(argv)
    logger.remove()
    search = Search(arguments.bands, arguments.rows)
    print_answer(run_passes(arguments, search, version=version("datatrove")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
