"""Documents a second and core of every stage of a finished run, and bytes of its tables.

python -m tests.bench.stage_rates OUTPUT --cores 2
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

TABLES = ("documents", "edits", "measures", "flagged", "duplicates", "scores", "corpus", "rejected")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--cores", type=int, required=True)
    arguments = parser.parse_args(argv)
    facts = json.loads((arguments.output / "run.json").read_text(encoding="utf-8"))
    print("| stage | seen | seconds | documents/s a core |\n|---|---|---|---|")
    for stage in facts["stages"]:
        rate = stage["per_second"] / arguments.cores
        print(f"| {stage['stage']} | {stage['seen']:,} | {stage['seconds']:.1f} | {rate:,.0f} |")
    documents = facts["stages"][0]["kept"]
    print(f"\n| table | bytes for each of {documents:,} documents |\n|---|---|")
    for table in TABLES:
        size = sum(file.stat().st_size for file in (arguments.output / table).rglob("*.parquet"))
        print(f"| {table} | {size / documents:,.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
