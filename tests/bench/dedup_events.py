"""What Spark's event log says of an application: seconds and bytes of every stage.

python -m tests.bench.dedup_events EVENT_LOG_FOLDER
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.timing import table

_WRITES = re.compile(
    r"InsertIntoHadoopFsRelationCommand\n(?:Input.*\n)?Arguments: file:\S*/([\w-]+),"
)
_QUERY = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"


@dataclass
class Stage:
    """One stage that ran, or several added up; bytes and seconds are those of all their tasks."""

    writes: str
    """Name of the folder that its query writes; empty for a query that only looks."""
    submitted_ms: int
    tasks: int = 0
    jvm_seconds: float = 0.0
    run_seconds: float = 0.0
    shuffled: int = 0
    written: int = 0
    spilled: int = 0
    to_driver: int = 0
    """Serialised results of tasks, which the driver receives."""


def event_log_settings(folder: Path) -> dict[str, str]:
    """Spark's settings that write one plain event log to a folder."""
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.resolve().as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }


def stages(folder: Path, span_ms: tuple[int, int] | None = None) -> list[Stage]:
    """The stages of the one application in a folder that were submitted in a span of time."""
    (path,) = folder.iterdir()
    found: dict[int, Stage] = {}
    written: dict[str, str] = {}
    queries: dict[int, str] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            kind = event["Event"]
            if kind == _QUERY:
                target = _WRITES.search(event["physicalPlanDescription"])
                written[str(event["executionId"])] = target[1] if target else ""
            elif kind == "SparkListenerJobStart":
                query = event["Properties"].get("spark.sql.execution.id", "")
                queries |= dict.fromkeys(event["Stage IDs"], query)
            elif kind == "SparkListenerStageSubmitted":
                info = event["Stage Info"]
                target_name = written.get(queries[info["Stage ID"]], "")
                found[info["Stage ID"]] = Stage(target_name, info["Submission Time"])
            elif kind == "SparkListenerTaskEnd":
                _add_task(found[event["Stage ID"]], event)
    first, last = span_ms or (0, sys.maxsize)
    return [stage for stage in found.values() if first <= stage.submitted_ms <= last]


def _add_task(stage: Stage, event: dict[str, Any]) -> None:
    metrics = event.get("Task Metrics")
    if metrics is None:  # the task was lost with its executor
        return
    stage.tasks += 1
    stage.jvm_seconds += metrics["Executor CPU Time"] / 1e9
    stage.run_seconds += metrics["Executor Run Time"] / 1e3
    stage.shuffled += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    stage.written += metrics["Output Metrics"]["Bytes Written"]
    stage.spilled += metrics["Disk Bytes Spilled"]
    stage.to_driver += metrics["Result Size"]


def summed(parts: Iterable[Stage]) -> dict[str, Stage]:
    """Stages added up by what they write, in the order of their first ones."""
    sums: dict[str, Stage] = {}
    for part in parts:
        whole = sums.setdefault(part.writes, Stage(part.writes, part.submitted_ms))
        whole.tasks += part.tasks
        whole.jvm_seconds += part.jvm_seconds
        whole.run_seconds += part.run_seconds
        whole.shuffled += part.shuffled
        whole.written += part.written
        whole.spilled += part.spilled
        whole.to_driver += part.to_driver
    return sums


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args(argv)
    rows = [
        [
            stage.writes or "(a look)",
            f"{stage.tasks}",
            f"{stage.jvm_seconds:.2f}",
            f"{stage.run_seconds:.2f}",
            *(f"{value / 1e6:.2f}" for value in (stage.shuffled, stage.written)),
            f"{stage.to_driver / 1e3:.0f}",
        ]
        for stage in stages(arguments.folder)
    ]
    headings = ["stage", "tasks", "JVM s", "run s", "MB shuffled", "MB written"]
    print(table([*headings, "KB to the driver"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
