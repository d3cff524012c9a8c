"""datatrove's pipeline for Chinese: from WARC files to JSON lines without near duplicates.

    PYTHON -m tests.bench.pipeline_datatrove INPUT OUTPUT --model lid.176.ftz --cores 2

Runs in a separate environment. WarcReader, Trafilatura with its default timeout of a second,
LanguageFilter (zh, 0.65), GopherRepetitionFilter and FineWebQualityFilter with the limits that
switch off what is for lines of European texts, JSON lines; then MinHash, 14 bands of 8 rows over
5-grams, in its four steps. Words are those of datatrove's tokenizer for Chinese, spaCy's with
jieba. A task a file, as many at once as there are cores. No scorers.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    FineWebQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
)
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.typeshelper import Languages

CHINESE = Languages.mandarin_chinese
MINHASH = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)


def steps_of(
    source: Path, output: Path, model: Path, timeout: float
) -> dict[str, tuple[int, list[PipelineStep]]]:
    """Name -> (tasks, pipeline) of every step, in order.

    Args:
        timeout: Wall seconds that trafilatura gets for a page.
    """
    files = len(list(source.glob("*.warc.gz")))
    language = LanguageFilter(["zh"], language_threshold=0.65)
    # An attribute of the object, since the class is imported again by every worker. A path is
    # copied like an address is fetched.
    language.model.MODEL_URL = str(model)
    filtered, signatures, buckets, removed = (
        str(output / name) for name in ("filtered", "signatures", "buckets", "removed")
    )
    return {
        "filter": (
            files,
            [
                WarcReader(str(source), glob_pattern="*.warc.gz"),
                Trafilatura(timeout=timeout),
                language,
                GopherRepetitionFilter(language=CHINESE),
                FineWebQualityFilter(
                    line_punct_thr=0, short_line_thr=1, new_line_ratio=1, language=CHINESE
                ),
                JsonlWriter(filtered),
            ],
        ),
        "signatures": (
            files,
            [
                JsonlReader(filtered),
                MinhashDedupSignature(signatures, config=MINHASH, language=CHINESE),
            ],
        ),
        "buckets": (
            MINHASH.num_buckets,
            [MinhashDedupBuckets(signatures, buckets, config=MINHASH)],
        ),
        "clusters": (1, [MinhashDedupCluster(buckets, removed, config=MINHASH)]),
        "kept": (
            files,
            [JsonlReader(filtered), MinhashDedupFilter(removed), JsonlWriter(str(output / "kept"))],
        ),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timeout", type=float, default=1.0, help="wall seconds a page")
    arguments = parser.parse_args(argv)
    steps = steps_of(
        arguments.source, arguments.output, arguments.model.resolve(), arguments.timeout
    )
    for name, (tasks, pipeline) in steps.items():
        LocalPipelineExecutor(
            pipeline,
            tasks=tasks,
            workers=min(tasks, arguments.cores),
            logging_dir=str(arguments.output / "logs" / name),
        ).run()
    return 0


if __name__ == "__main__":  # its workers import this module again
    sys.exit(main())
