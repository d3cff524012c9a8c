"""Documents a second and core of every stage of a finished run, as a table.

python -m tests.bench.stage_rates OUTPUT --cores 2
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path


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
    return 0


if __name__ == "__main__":
    sys.exit(main())
