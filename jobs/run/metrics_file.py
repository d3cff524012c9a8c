"""The progress of an output in Prometheus' text format, for a collector that reads files.

The file is written again after each commit, from all commits of the output, so counts continue
when a run resumes another one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jobs.run.store import Commit, Store
from udfs.files.output_files import atomic_file
from udfs.files.uris import redact

Sample = tuple[Mapping[str, str], float]

_SECONDS_DIGITS = 3


@dataclass(frozen=True)
class MetricsFile:
    """Writes the metrics of an output after each commit."""

    uri: str
    store: Store

    def __call__(self, commit: Commit) -> None:
        """Write the file, whole or not at all."""
        commits = {stage: self.store.commits(stage).values() for stage in self.store.stages()}
        with atomic_file(self.uri) as file:
            file.write(prometheus_text(redact(self.store.root), commits, time.time()).encode())


def prometheus_text(output: str, commits: Mapping[str, Iterable[Commit]], now: float) -> str:
    """Return the metrics of an output.

    Args:
        output: Its URI without credentials; a label of every metric.
        commits: Stage -> its committed waves.
        now: Time of the last commit, in seconds since 1970.
    Source:
        Prometheus, "Text-based format" (version 0.0.4).
    """
    records: list[Sample] = []
    seconds: list[Sample] = []
    waves: list[Sample] = []
    for stage, done in sorted(commits.items()):
        done = list(done)
        label = {"output": output, "stage": stage}
        for outcome, reason, count in _outcomes(done):
            records.append(({**label, "outcome": outcome, "reason": reason}, count))
        total = round(sum(commit.seconds for commit in done), _SECONDS_DIGITS)
        seconds.append((label, total))
        waves.append((label, len(done)))
    last: list[Sample] = [({"output": output}, round(now, _SECONDS_DIGITS))]
    return "".join(
        [
            _gauge("taojin_records", "Records by outcome.", records),
            _gauge("taojin_stage_seconds", "Wall-clock time of the committed waves.", seconds),
            _gauge("taojin_waves_done", "Committed waves.", waves),
            _gauge("taojin_last_wave_timestamp_seconds", "When a wave was last committed.", last),
        ]
    )


def _outcomes(commits: Iterable[Commit]) -> list[tuple[str, str, int]]:
    """Sum commits to (outcome, reason, records); kept records have the reason ""."""
    counts: dict[tuple[str, str], int] = {}
    for commit in commits:
        decided = [(("kept", ""), commit.kept)]
        for outcome, by_reason in (("rejected", commit.rejected), ("failed", commit.failed)):
            decided += [((outcome, reason), n) for reason, n in by_reason.items()]
        for key, n in decided:
            counts[key] = counts.get(key, 0) + n
    return [(outcome, reason, n) for (outcome, reason), n in sorted(counts.items())]


def _gauge(name: str, meaning: str, samples: Iterable[Sample]) -> str:
    """Format one metric. A gauge, since a wave that is done again may count less than before."""
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{shown}}} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
