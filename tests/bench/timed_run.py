"""A run of the pipeline in one application: processor time, wall time, memory of each stage.

    python -m tests.bench.timed_run INPUT OUTPUT [--warm INPUT] [--events DIR] [--limits]

The stages run as run_pipeline runs them. With --warm they run over another input first, so that
what is loaded or compiled once is so; start of JVM and session is never counted. Prints one JSON
object: ``stages``, name -> ``cpu`` (seconds of driver, jvm and workers), ``wall``, ``span_ms``,
``seen`` and ``kept``; ``heap_mb``, the JVM's heap in use after a collection at the end; with
--limits, ``limits`` (see stage_limits). --flame FILE.svg samples the Python processes with py-spy,
of one stage with --flame-stage.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from jobs import run_pipeline
from jobs.config import Config
from jobs.pipeline import command_line
from jobs.run.request import SCORE_DOCUMENTS, Run, Stage, score_stage
from jobs.run.session import spark_session
from tests.bench.dedup_cpu import ROLES, RoleMeter, memory_by_role
from tests.bench.dedup_taojin import driver_memory, submit_arguments
from tests.bench.stage_limits import Limits

AS_LARGE = ("--set", "spark.small_properties=off")
"""Arguments for a run over a small input that is to be planned as one over a large input."""
LOCAL = Path(__file__).resolve().parents[2] / "conf" / "local.toml"
_SAMPLE_SECONDS = 0.5
_CLEANING_SECONDS = 2.0
_MOST_COLLECTIONS = 10


# --- in the application ------------------------------------------------------------------


class StageClock:
    """Processor and wall seconds of the stages of a run, in running order."""

    def __init__(self, meter: Callable[[], Mapping[str, float]]) -> None:
        self.stages: dict[str, dict[str, Any]] = {}
        self._meter = meter

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Take the time of a block."""
        cpu, wall, since = self._meter(), time.monotonic(), _now_ms()
        yield
        after = self._meter()
        self.stages[name] = {
            "cpu": {role: after[role] - cpu[role] for role in ROLES},
            "wall": time.monotonic() - wall,
            "span_ms": [since, _now_ms()],
        }


@contextmanager
def timed_stages(clock: StageClock, sampled: str | None, sampler: Sampler) -> Iterator[None]:
    """Take the time of every stage of the runs in the block."""
    order = command_line.running_order

    def timed(stage: Stage) -> Stage:
        work = stage.run
        assert work is not None

        def run(spark: SparkSession, request: Run) -> None:
            here = sampler() if stage.name == sampled else nullcontext()
            with here, clock.time(stage.name):
                work(spark, request)

        return replace(stage, run=run)

    def running_order(command: Stage, config: Config) -> tuple[Stage, ...]:
        return tuple(map(timed, order(command, config)))

    command_line.running_order = running_order
    try:
        yield
    finally:
        command_line.running_order = order


Sampler = Callable[[], AbstractContextManager[None]]


def py_spy(program: str, svg: Path) -> Sampler:
    """Sample this process and its workers while a block runs; a flame graph afterwards."""

    @contextmanager
    def sampled() -> Iterator[None]:
        command = [program, "record", "--pid", str(os.getpid()), "--subprocesses"]
        command += ["--rate", "50", "--nonblocking", "--output", str(svg)]
        recorder = subprocess.Popen(command, stdout=sys.stderr)
        try:
            yield
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()

    return sampled


def run_over(source: Path, output: Path, settings: Sequence[str]) -> None:
    """Run the pipeline in the running session.

    Raises:
        SystemExit: it failed.
    """
    arguments = ["--config", str(LOCAL), "--input", str(source), "--output", str(output)]
    if settings:
        arguments += ["--set", *settings]
    with _standard_output_to_error():
        status = run_pipeline.main(arguments)
    if status:
        raise SystemExit(f"run_pipeline over {source} failed with {status}")


@contextmanager
def _standard_output_to_error() -> Iterator[None]:
    """Keep standard output for the answer."""
    kept, sys.stdout = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdout = kept


def _now_ms() -> int:
    return int(time.time() * 1000)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the pipeline as the arguments say; the answer."""
    sampler: Sampler = nullcontext
    if arguments.flame is not None:
        sampler = py_spy(arguments.py_spy, arguments.flame)
    stage = arguments.flame_stage
    with RoleMeter() as meter, spark_session("bench", Config(), None) as spark:
        clock = StageClock(meter.seconds)
        if arguments.warm is not None:
            run_over(arguments.warm, arguments.output / "warm", arguments.set)
        output = arguments.output / "run"
        with sampler() if stage is None else nullcontext(), timed_stages(clock, stage, sampler):
            run_over(arguments.input, output, arguments.set)
        facts: dict[str, Any] = {"stages": clock.stages, **settled_memory(spark)}
        if arguments.limits:
            limits = Limits(spark, output, arguments.output / "written", meter.seconds)
            facts["limits"] = limits.measure()
    counts = json.loads((output / "run.json").read_text(encoding="utf-8"))["stages"]
    for name, found in clock.stages.items():
        found |= counts_of(name, counts)
    return facts


def settled_memory(spark: SparkSession) -> dict[str, float]:
    """The driver's memory when another collection frees nothing more.

    Spark drops broadcasts and shuffles some time after a collection found that nobody refers to
    them, and only the next collection frees what they held.
    """
    memory = driver_memory(spark)
    for _ in range(_MOST_COLLECTIONS):
        time.sleep(_CLEANING_SECONDS)
        before, memory = memory["heap_mb"], driver_memory(spark)
        if memory["heap_mb"] > 0.99 * before:
            break
    return memory


def counts_of(stage: str, counts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What a stage saw and kept, of the stages of run.json; nothing for a stage that keeps none.

    All scorers see the same documents.
    """
    prefix = score_stage("") if stage == SCORE_DOCUMENTS else stage
    for one in counts:
        if one["stage"].startswith(prefix):
            return {"seen": one["seen"], "kept": one["kept"]}
    return {}


# --- beside the application --------------------------------------------------------------


@dataclass(frozen=True)
class TimedRun:
    """The answer of one application, with the memory of its processes."""

    facts: Mapping[str, Any]
    memory: Mapping[str, float]
    """Role -> most MB while stages ran."""
    all_mb: float
    """Most MB of all processes together, likewise."""

    @property
    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """The stages that saw documents: the report is no stage of the pipeline's."""
        found: Mapping[str, Mapping[str, Any]] = self.facts["stages"]
        return {name: stage for name, stage in found.items() if "seen" in stage}

    def cpu(self, role: str | None = None) -> float:
        """Processor seconds of all stages, the report included, of a role or of all."""
        stages = self.facts["stages"].values()
        return sum(sum(s["cpu"].values()) if role is None else s["cpu"][role] for s in stages)


def run_timed(source: Path, output: Path, *more: str) -> TimedRun:
    """Run this module in a separate process over an empty output folder.

    Raises:
        subprocess.CalledProcessError: it failed; standard error says why.
    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.bench.timed_run", str(source), str(output), *more]
    log = output / "stderr.log"
    samples: list[tuple[int, dict[str, float]]] = []
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        ended = threading.Event()
        sampler = threading.Thread(target=_sample, args=(process.pid, ended, samples))
        sampler.start()
        try:
            answer, _ = process.communicate()
        finally:
            ended.set()
            sampler.join()
    if process.returncode:
        sys.stderr.write(log.read_text("utf-8", "replace")[-3000:])
        raise subprocess.CalledProcessError(process.returncode, command)
    facts = json.loads(answer.decode().splitlines()[-1])
    return with_memory(facts, samples)


def _sample(pid: int, ended: threading.Event, samples: list[tuple[int, dict[str, float]]]) -> None:
    while not ended.wait(_SAMPLE_SECONDS):
        samples.append((_now_ms(), memory_by_role(pid)))


def with_memory(
    facts: Mapping[str, Any], samples: Sequence[tuple[int, Mapping[str, float]]]
) -> TimedRun:
    """Add the peaks of memory from samples of (milliseconds, role -> MB)."""
    spans = [stage["span_ms"] for stage in facts["stages"].values()]
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    inside = [found for moment, found in samples if first <= moment <= last]
    peaks = {role: max((found[role] for found in inside), default=0.0) for role in ROLES}
    return TimedRun(facts, peaks, max((sum(found.values()) for found in inside), default=0.0))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path, help="an empty folder")
    parser.add_argument("--warm", type=Path, help="a small input, run before")
    parser.add_argument("--events", type=Path, help="folder for Spark's event log")
    parser.add_argument("--conf", nargs="*", default=[], help="of Spark: key=value")
    parser.add_argument("--set", nargs="*", default=[], help="of the run: section.key=value")
    parser.add_argument("--limits", action="store_true", help="measure limits on its tables, too")
    parser.add_argument("--flame", type=Path, help="an SVG file")
    parser.add_argument("--flame-stage", help="of this stage alone")
    parser.add_argument("--py-spy", default="py-spy", help="the program")
    arguments = parser.parse_args(argv)
    if arguments.flame is not None and shutil.which(arguments.py_spy) is None:
        parser.error(f"--flame needs {arguments.py_spy}: pip install py-spy")
    os.environ["PYSPARK_SUBMIT_ARGS"] = submit_arguments(arguments.events, arguments.conf)
    print(json.dumps(measure(arguments)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
