"""Resident memory of an extracting worker after more and more records.

    python -m tests.bench.worker_memory FILE.warc.gz... --model lid.176.ftz --records 100000

The files are read over and over, Arrow batches and all, as a Spark worker does with its splits.
Prints the memory at 1,000, 10,000, 100,000, ... records; exits with 1 when it grew by more than
--most MB after the first.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from jobs.config import Config
from jobs.pipeline.extraction_wave import extract_options
from tests.bench.timing import table
from udfs.extract.extract import extract_split, extracted_batch
from udfs.extract.language import load_language_model
from udfs.extract.outcomes import TALLY

_FIRST_MARK = 1_000


@dataclass(frozen=True)
class Split:
    """An input file as the worker knows it."""

    uri: str
    warc_path: str
    input_format: str = "warc"


def resident_mb() -> float:
    """Resident memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert kilobytes is not None
    return int(kilobytes[1]) / 1024


def growth(paths: Sequence[Path], model_file: Path, records: int) -> Iterator[tuple[int, float]]:
    """(records seen, resident MB) at every tenfold of records."""
    options = extract_options(Config())
    model = load_language_model(model_file)
    seen = 0
    mark = _FIRST_MARK
    for path in cycle(paths):
        for rows in extract_split(Split(str(path), path.name), options, model):
            extracted_batch(rows)
            if rows[-1]["row_kind"] == TALLY:
                seen += rows[-1]["seen"]
        if seen >= mark:
            yield seen, resident_mb()
            while mark <= seen:
                mark *= 10
        if seen >= records:
            return


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--most", type=float, default=50.0, help="MB that it may grow")
    arguments = parser.parse_args(argv)
    marks = list(growth(arguments.paths, arguments.model, arguments.records))
    first = marks[0][1]
    rows = [[f"{seen:,}", f"{mb:.0f}", f"{mb - first:+.0f}"] for seen, mb in marks]
    print(table(["records", "resident MB", "since the first"], rows))
    return int(max(mb for _, mb in marks) - first > arguments.most)


if __name__ == "__main__":
    sys.exit(main())
