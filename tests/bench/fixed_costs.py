"""What a run costs however little there is to do, and where that goes.

    python -m tests.bench.fixed_costs --data DIR [--rounds 3]

1. Commands as a user gives them, each in a process of its own with all that it starts: the whole
   pipeline over the bundled sample; the same for one more WARC file of 200 Chinese pages, in an
   output that has one; a rerun with nothing to do; --plan. Medians, and the least and the most.
2. One run over the sample, from Spark's event log and the run's own log: for every stage its
   seconds, queries, Spark jobs and tasks; the seconds in queries, and the others, in which Python
   builds frames and Spark plans them. Before that, Python and the check of the request, and the
   start of Java and the session.

What is compiled and archived once is so before anything is measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from jobs.config.spark_properties import read_properties
from tests.bench.build_pages import write_files
from tests.bench.dedup_events import event_log_settings
from tests.bench.process_tree import Usage, measure
from tests.bench.timing import table
from tests.sample.build_sample import build

CONF = Path(__file__).resolve().parents[2] / "conf"
PAGES = 200
_SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecution"


@dataclass
class Part:
    """A part of a run: what happened between two moments."""

    name: str
    first_ms: float
    last_ms: float
    queries: list[tuple[float, float]] = field(default_factory=list)
    """(first, last) millisecond of each."""
    jobs: int = 0
    tasks: int = 0

    @property
    def seconds(self) -> float:
        return (self.last_ms - self.first_ms) / 1000

    @property
    def query_seconds(self) -> float:
        """Seconds in which at least one query ran."""
        total = until = 0.0
        for first, last in sorted(self.queries):
            total += max(0.0, last - max(first, until))
            until = max(until, last)
        return total / 1000


def command(output: Path, *inputs: Path, more: Sequence[str] = ()) -> list[str]:
    """The whole pipeline over some files."""
    run = [sys.executable, "-m", "jobs.run_pipeline", "--config", str(CONF / "local.toml")]
    return [*run, "--input", *map(str, inputs), "--output", str(output), *more]


def timed(arguments: Sequence[str]) -> Usage:
    """What a command took. Raises SystemExit if it failed."""
    with tempfile.TemporaryFile() as log:
        usage = measure(arguments, log, cwd=CONF.parent)
        if usage.status:
            log.seek(0)
            raise SystemExit(log.read().decode(errors="replace")[-2000:])
    return usage


def command_rounds(folder: Path, data: Path, rounds: int) -> Iterator[dict[str, Usage]]:
    """One round after the other: name of a command -> what it took."""
    sample = folder / "sample.warc.gz"
    build(sample)
    write_files(data, 2 * PAGES, 2, folder / "pages")
    first, second = sorted((folder / "pages").glob("*.warc.gz"))
    one_wave = folder / "one_wave"
    timed(command(folder / "warm", sample))
    timed(command(one_wave, first))
    for number in range(rounds):
        output, waves = folder / f"sample-{number}", folder / f"waves-{number}"
        shutil.copytree(one_wave, waves)
        yield {
            "the bundled sample": timed(command(output, sample)),
            f"one more wave, of {PAGES} pages": timed(command(waves, first, second)),
            "a rerun with nothing to do": timed(command(waves, first, second)),
            "--plan": timed(command(folder / "none", sample, more=["--plan"])),
        }


def command_table(rounds: Sequence[Mapping[str, Usage]]) -> str:
    """Table 1."""

    def spread(values: Sequence[float]) -> str:
        return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"

    rows = [
        [
            name,
            spread([found[name].wall for found in rounds]),
            spread([found[name].cpu for found in rounds]),
        ]
        for name in rounds[0]
    ]
    return table(["command", "wall s", "CPU s"], rows)


def profile(folder: Path) -> list[Part]:
    """The parts of one run over the sample, in order."""
    events = folder / "events"
    events.mkdir()
    properties = read_properties(CONF / "spark-local.conf") | event_log_settings(events)
    file = folder / "profile.conf"
    file.write_text("".join(f"{key} {value}\n" for key, value in properties.items()))
    settings = ["--set", f"spark.properties={file}", 'run.log="json"']
    started = time.time() * 1000
    done = subprocess.run(
        command(folder / "profiled", folder / "sample.warc.gz", more=settings),
        capture_output=True,
        text=True,
        check=True,
    )
    ended = time.time() * 1000
    (log,) = events.iterdir()
    with log.open(encoding="utf-8") as lines:
        found = list(map(json.loads, lines))
    return with_queries(parts_of(started, ended, done.stderr.splitlines(), found), found)


def parts_of(
    started: float, ended: float, lines: Iterable[str], events: Iterable[Mapping[str, Any]]
) -> list[Part]:
    """Cut a run at the moments that its logs state.

    Args:
        started, ended: Milliseconds since 1970 of the process.
        lines: Standard error, whose JSON lines say when a stage's wave ended and how long it took.
    """
    stages: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        if line.startswith("{") and (facts := json.loads(line))["event"] == "wave_done":
            last = datetime.fromisoformat(facts["time"]).timestamp() * 1000
            name = "score_documents" if facts["stage"].startswith("score_") else facts["stage"]
            stages.setdefault(name, []).append((last - facts["seconds"] * 1000, last))
    stages.pop("measure_documents", None)  # a part of apply_rules
    (ready,) = (e["Timestamp"] for e in events if e["Event"].endswith("ApplicationStart"))
    parts = [Part("Python, the request, start of Java", started, ready)]
    before = ready
    for name, waves in stages.items():
        first, last = min(wave[0] for wave in waves), max(wave[1] for wave in waves)
        if name == next(iter(stages)):
            parts.append(Part("session, conditions of the rules", before, first))
            before = first
        parts.append(Part(name, before, last))
        before = last
    return [*parts, Part("report_run, end of Spark", before, ended)]


def with_queries(parts: list[Part], events: Iterable[Mapping[str, Any]]) -> list[Part]:
    """Count queries, jobs and tasks in the part in which each began."""

    def part_at(moment: float) -> Part:
        return next((part for part in reversed(parts) if part.first_ms <= moment), parts[0])

    began: dict[int, float] = {}
    for event in events:
        kind = event["Event"]
        if kind == f"{_SQL}Start":
            began[event["executionId"]] = event["time"]
        elif kind == f"{_SQL}End":
            first = began[event["executionId"]]
            part_at(first).queries.append((first, event["time"]))
        elif kind == "SparkListenerJobStart":
            part_at(event["Submission Time"]).jobs += 1
        elif kind == "SparkListenerTaskEnd":
            part_at(event["Task Info"]["Launch Time"]).tasks += 1
    return parts


def profile_table(parts: Sequence[Part]) -> str:
    """Table 2."""
    rows: list[tuple[str, list[float]]] = [
        (
            part.name,
            [
                part.seconds,
                len(part.queries),
                part.jobs,
                part.tasks,
                part.query_seconds,
                part.seconds - part.query_seconds,
            ],
        )
        for part in parts
    ]
    rows.append(("all", [sum(column) for column in zip(*(row[1] for row in rows), strict=True)]))
    digits = (1, 0, 0, 0, 1, 1)
    shown = [
        [name, *(f"{value:.{digit}f}" for value, digit in zip(values, digits, strict=True))]
        for name, values in rows
    ]
    return table(["part", "s", "queries", "jobs", "tasks", "s in queries", "other s"], shown)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rounds = list(command_rounds(folder, arguments.data, arguments.rounds))
        print(f"## Commands\n\n{command_table(rounds)}\n")
        print(f"## One run over the sample\n\n{profile_table(profile(folder))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
