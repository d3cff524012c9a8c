"""Processor time of every stage with the code of a commit and with that of this checkout.

    python -m tests.bench.commit_rates --commit REF --data DIR [--pages 4000] [--rounds 5]

Both run the pipeline over the same recombined pages in applications of their own, in turns, so that
a busy machine slows both alike. In each a run over a small input comes first, which loads and
compiles what is loaded and compiled once; start of JVM and session is not counted. Both are planned
as runs over a large input. A ratio is that of two runs that follow each other, after divided by
before: the median of the rounds, the least and the most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.build_pages import built_pages
from tests.bench.dedup_cpu import ROLES
from tests.bench.same_outputs import ROOT, checked_out
from tests.bench.timed_run import AS_LARGE
from tests.bench.timing import table

_WARM_PAGES = 500
_ALL = "all stages"
Stages = Mapping[str, Mapping[str, float]]
"""Stage -> role of a process -> processor seconds."""


def stages_of(code: Path, pages: Path, warm: Path, output: Path) -> Stages:
    """Run the pipeline with the code of a checkout.

    Raises:
        SystemExit: it failed, with the end of what it printed.
    """
    output.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.bench.timed_run", str(pages), str(output)]
    environment = {**os.environ, "PYTHONPATH": str(code)}
    done = subprocess.run(
        [*command, "--warm", str(warm), *AS_LARGE],
        cwd=code,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{code}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    stages: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])["stages"]
    found = {name: dict(stage["cpu"]) for name, stage in stages.items()}
    found[_ALL] = {role: sum(cpu[role] for cpu in found.values()) for role in ROLES}
    return found


def rates_table(rounds: Sequence[tuple[Stages, Stages]]) -> str:
    """A row for each stage that both have: medians of processor seconds, and the ratios."""
    figures: dict[str, Callable[[Mapping[str, float]], float]] = {
        "all processes": lambda cpu: sum(cpu.values()),
        "workers": lambda cpu: cpu["workers"],
    }
    rows = []
    for stage in rounds[0][0].keys() & rounds[0][1].keys():
        row = [stage]
        for figure in figures.values():
            pairs = [(figure(before[stage]), figure(after[stage])) for before, after in rounds]
            ratios = sorted(after / before for before, after in pairs if before)
            row += [f"{statistics.median(side):.2f}" for side in zip(*pairs, strict=True)]
            middle = f"{statistics.median(ratios):.3f}" if ratios else ""
            row.append(f"{middle} ({ratios[0]:.2f} to {ratios[-1]:.2f})" if ratios else "")
        rows.append(row)
    order = list(rounds[0][1])
    rows.sort(key=lambda row: order.index(row[0]))
    headings = [f"{name}: {of}" for name in figures for of in ("before", "after", "ratio")]
    return table(["stage", *headings], rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commit", metavar="REF", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, checked_out(arguments.commit) as before:
        work = Path(folder)
        pages, warm = (
            built_pages(arguments.data, count, 4, work) for count in (arguments.pages, _WARM_PAGES)
        )
        for code in (before, ROOT):  # the machine code of a new checkout
            stages_of(code, warm, warm, work / "compiled" / code.name)
        rounds = []
        for number in range(arguments.rounds):
            outputs = [work / f"{side}-{number}" for side in ("before", "after")]
            old, new = (
                stages_of(code, pages, warm, output)
                for code, output in zip((before, ROOT), outputs, strict=True)
            )
            rounds.append((old, new))
    print(f"{arguments.pages:,} pages, processor seconds, medians of {arguments.rounds} rounds\n")
    print(rates_table(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
