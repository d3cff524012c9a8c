"""What near deduplication costs a document, and what that comes to for a thousand million.

    python -m tests.bench.dedup_scale EVENT_LOG_FOLDER ANSWER.json

ANSWER.json is what dedup_taojin printed. Bytes are compressed, as Spark moves and writes them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.dedup_events import Stage, stages, summed
from tests.bench.timing import table

DOCUMENTS = 1_000_000_000
EXECUTOR_CORES = 4
_ROUND = re.compile(r"near_components_\d+_(\d+)$")


def search_stages(folder: Path, facts: dict[str, Any]) -> list[Stage]:
    """The stages from texts to kept ids in the last pass of a run of dedup_taojin."""
    first, last = facts["span_ms"]["ids"]
    return stages(folder, (first, last))


def scale_report(folder: Path, facts: dict[str, Any]) -> str:
    """The measured constants, and the arithmetic with them."""
    found = search_stages(folder, facts)
    documents = facts["documents"]
    rows = []
    for name, stage in summed(found).items():
        cells = (stage.shuffled, stage.written)
        rows.append(
            [
                name or "(counts and tests)",
                *(f"{value / documents:,.1f}" for value in cells),
                f"{stage.run_seconds / documents * 1e6:,.1f}",
            ]
        )
    headings = ["step", "bytes shuffled", "bytes written", "us of tasks"]
    shuffled = sum(stage.shuffled for stage in found) / documents
    written = sum(stage.written for stage in found) / documents
    cpu = facts["rounds"][-1]["ids"] / documents
    rounds = [int(match[1]) for stage in found if (match := _ROUND.search(stage.writes))]
    hours = cpu * DOCUMENTS / 3600
    shuffles = sum(1 for stage in found if stage.shuffled)
    return "\n".join(
        [
            f"A document, of {documents:,}:",
            "",
            table(headings, rows),
            "",
            f"{DOCUMENTS:,} documents:",
            f"- shuffle: {shuffled:,.0f} bytes x 10^9 = {shuffled / 1e3:,.2f} TB "
            f"in {shuffles} shuffles",
            f"- checkpoints written: {written:,.0f} bytes x 10^9 = {written / 1e3:,.2f} TB",
            f"- processor: {cpu * 1e6:,.0f} us x 10^9 = {hours:,.0f} core hours = "
            f"{hours / EXECUTOR_CORES:,.0f} executor hours of {EXECUTOR_CORES} cores",
            f"- rounds of components here: {max(rounds, default=0)}; each moves at most four "
            "times one link a document that is in a pair",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("answer", type=Path)
    arguments = parser.parse_args(argv)
    facts = json.loads(arguments.answer.read_text("utf-8"))
    print(scale_report(arguments.folder, facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
