"""What a document costs in a small, a larger and a large run, and what memory they take.

    python -m tests.bench.growth --data DIR [--pages 20000 80000 320000] [--quick]

Chinese pages with the same share of duplicates in every run (build_pages, recombined), the same
number in every file. Each run has an application, which first runs over a small input; start of JVM
and session is not counted. Tables that would be sent to all executors whole in a small run are
joined as in a large one: those joins are switched off, and so are the settings for small inputs.

1. Processor seconds of all processes, per document that a stage sees. No stage may take more than
   1.1 times as long per document in the last run as in the one before it.
2. Most memory of the driver's Python, of the JVM, which under a local master is the executor too,
   and of the workers together (PSS); the JVM's heap in use after a collection at the end. The
   memory of the driver's Python and that heap, what the driver keeps, may not grow with the
   documents.
3. Bytes shuffled per document, from Spark's event log.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.build_pages import built_pages
from tests.bench.dedup_cpu import ROLES
from tests.bench.dedup_events import stages as spark_stages
from tests.bench.dedup_rates import verdict
from tests.bench.timed_run import AS_LARGE, TimedRun, run_timed
from tests.bench.timing import table

PAGES = (20_000, 80_000, 320_000)
QUICK = (2_000, 8_000, 32_000)
MAX_GROWTH = 1.1
FLAT = 1.1
"""Times the memory that the driver may take of that of the run before."""
_FLAT_MB = 32.0
"""Differences below it are not counted as growth."""
_WARM_PAGES = 500
_NO_BROADCAST = (
    "spark.sql.autoBroadcastJoinThreshold=-1",
    "spark.sql.adaptive.autoBroadcastJoinThreshold=-1",
)


@dataclass(frozen=True)
class Grown:
    """One run, reduced to what is compared."""

    documents: int
    """Extracted."""
    milliseconds: Mapping[str, float]
    """Stage -> processor milliseconds for each document that it sees."""
    shuffled: Mapping[str, float]
    """Stage -> bytes shuffled for each document that it sees."""
    wall: Mapping[str, float]
    shares: Mapping[str, float]
    """driver, jvm, workers -> share of the processor time of all stages."""
    memory: Mapping[str, float]
    """driver, jvm, workers, all, heap -> MB."""


def grown(run: TimedRun, events: Path) -> Grown:
    """Reduce a run, with the event log of its application."""
    stages = run.stages
    return Grown(
        int(next(iter(stages.values()))["kept"]),
        {name: 1e3 * sum(one["cpu"].values()) / one["seen"] for name, one in stages.items()},
        {
            name: sum(part.shuffled for part in spark_stages(events, tuple(one["span_ms"])))
            / one["seen"]
            for name, one in stages.items()
        },
        {name: one["wall"] for name, one in stages.items()},
        {role: run.cpu(role) / run.cpu() for role in ROLES},
        {**run.memory, "all": run.all_mb, "heap": run.facts["heap_mb"]},
    )


def growth_verdicts(before: Grown, last: Grown) -> list[str]:
    """Sentences that say whether costs and the driver's memory stay as they are."""
    told = [
        verdict(
            f"{name}, per document of {last.documents:,} to that of {before.documents:,}",
            last.milliseconds[name] / before.milliseconds[name],
            MAX_GROWTH,
            most=True,
        )
        for name in last.milliseconds
    ]
    for name, what in (("driver", "Memory of the driver's Python"), ("heap", "Java heap in use")):
        most = max(before.memory[name] * FLAT, before.memory[name] + _FLAT_MB)
        told.append(verdict(f"{what}, MB", last.memory[name], round(most), most=True))
    return told


def report(runs: Sequence[Grown]) -> str:
    """The tables and verdicts."""
    sizes = [f"{run.documents:,}" for run in runs]
    names = list(runs[0].milliseconds)

    costs = [[name, *(f"{run.milliseconds[name]:,.3f}" for run in runs)] for name in names]
    walls = [[name, *(f"{run.wall[name]:,.1f}" for run in runs)] for name in names]
    memory = {
        "driver": "driver's Python",
        "jvm": "JVM: driver and executor",
        "workers": "workers",
        "all": "all processes together",
        "heap": "Java heap in use at the end",
    }
    shares = [[role, *(f"{run.shares[role]:.3f}" for run in runs)] for role in ROLES]
    shuffled = [[name, *(f"{run.shuffled[name]:,.0f}" for run in runs)] for name in names]
    parts = [
        table(["CPU ms a document seen", *sizes], costs),
        table(["wall s", *sizes], walls),
        table(["share of all CPU s", *sizes], shares),
        table(
            ["most MB", *sizes],
            [
                [title, *(f"{run.memory[key]:,.0f}" for run in runs)]
                for key, title in memory.items()
            ],
        ),
        table(["bytes shuffled a document", *sizes], shuffled),
    ]
    if len(runs) > 1:
        parts.append("\n".join(growth_verdicts(runs[-2], runs[-1])))
    return "\n\n".join(parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, nargs="+", help="of each run, ascending")
    parser.add_argument("--files", type=int, default=8, help="of the first run")
    parser.add_argument("--quick", action="store_true", help="a tenth of the pages")
    parser.add_argument("--folder", type=Path, default=Path("out/bench/growth"))
    arguments = parser.parse_args(argv)
    sizes = sorted(arguments.pages or (QUICK if arguments.quick else PAGES))
    inputs = arguments.folder.parent / "inputs"
    warm = built_pages(arguments.data, _WARM_PAGES, 1, inputs)
    print("# Growth", flush=True)
    runs = []
    for pages in sizes:
        files = max(1, round(arguments.files * pages / sizes[0]))
        folder = built_pages(arguments.data, pages, files, inputs)
        events = arguments.folder / "events"
        shutil.rmtree(events, ignore_errors=True)
        run = run_timed(
            folder,
            arguments.folder / "run",
            *("--warm", str(warm), "--events", str(events), *AS_LARGE, "--conf", *_NO_BROADCAST),
        )
        runs.append(grown(run, events))
        print(f"{pages:,} pages: {sum(runs[-1].wall.values()):,.0f} s", flush=True)
    print(f"\n{report(runs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
