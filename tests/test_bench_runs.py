"""What benches make of a run: processes by role, event logs, peaks, limits, growth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.build_pages import recombined, sentences_of
from tests.bench.dedup_cpu import RoleMeter, memory_by_role, roles_of
from tests.bench.dedup_events import stages, summed
from tests.bench.growth import Grown, grown, growth_verdicts
from tests.bench.growth import report as growth_report
from tests.bench.limits import Round, spark_table, stages_table
from tests.bench.timed_run import TimedRun, counts_of, with_memory


def test_processes_below_java_are_workers() -> None:
    processes = {
        1: ("python", 0),
        2: ("bash", 1),
        3: ("java", 2),
        4: ("python3", 3),
        5: ("python3", 4),
    }
    roles = roles_of(1, processes)
    assert roles == {1: "driver", 2: "driver", 3: "jvm", 4: "workers", 5: "workers"}


DAEMON = """
import signal, subprocess, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
work = "import time\\nwhile time.process_time() < 0.5: pass\\nprint(flush=True)\\ninput()"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
worker = subprocess.Popen([sys.executable, "-c", work], **pipes)
worker.stdout.readline()
print(flush=True)
input()
worker.kill()
worker.wait()
print(flush=True)
input()
"""


def test_a_worker_that_nobody_waits_for_still_counts() -> None:
    """PySpark's daemon ignores SIGCHLD: the kernel charges it nothing for its workers."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", DAEMON], text=True, **pipes) as daemon:  # type: ignore[call-overload]
        with RoleMeter(daemon.pid, interval=0.05) as meter:
            daemon.stdout.readline()
            before = meter.seconds()["driver"]  # no Java between
            daemon.stdin.write("\n")
            daemon.stdin.flush()
            daemon.stdout.readline()
            assert meter.seconds()["driver"] >= before >= 0.5
        daemon.communicate("\n")


def test_memory_of_this_process() -> None:
    assert memory_by_role()["driver"] > 10


def spark_log(folder: Path, tasks: list[tuple[int, int, int]]) -> Path:
    """An event log with one stage for each (moment it was submitted, tasks, bytes shuffled)."""
    folder.mkdir()
    events: list[dict[str, Any]] = []
    for number, (moment, count, shuffled) in enumerate(tasks):
        events.append({"Event": "SparkListenerJobStart", "Stage IDs": [number], "Properties": {}})
        info = {"Stage ID": number, "Submission Time": moment}
        events.append({"Event": "SparkListenerStageSubmitted", "Stage Info": info})
        metrics = {
            "Executor CPU Time": 2_000_000_000,
            "Executor Run Time": 3_000,
            "Shuffle Write Metrics": {"Shuffle Bytes Written": shuffled},
            "Output Metrics": {"Bytes Written": 7},
            "Disk Bytes Spilled": 0,
            "Result Size": 5,
        }
        task = {"Event": "SparkListenerTaskEnd", "Stage ID": number}
        events += [task | {"Task Metrics": metrics}] * count
        events.append(task | {"Task Metrics": None})  # lost with its executor
    text = "".join(json.dumps(event) + "\n" for event in events)
    (folder / "local-1").write_text(text, encoding="utf-8")
    return folder


def test_stages_of_an_event_log_by_span(tmp_path: Path) -> None:
    log = spark_log(tmp_path / "events", [(100, 1, 10), (200, 2, 20), (300, 1, 40)])
    assert [stage.shuffled for stage in stages(log, (150, 300))] == [40, 40]
    (whole,) = summed(stages(log)).values()
    assert (whole.tasks, whole.shuffled, whole.jvm_seconds) == (4, 90, 8.0)


def stage(seen: int, span: tuple[int, int], **cpu: float) -> dict[str, Any]:
    return {"seen": seen, "kept": seen, "wall": 1.0, "span_ms": list(span), "cpu": cpu}


def a_run(jvm: float = 1.0) -> TimedRun:
    facts = {
        "stages": {
            "extract_documents": stage(100, (0, 100), driver=0.5, jvm=jvm, workers=2.5),
            "score_documents": stage(50, (100, 200), driver=0.0, jvm=1.0, workers=3.0),
            "report_run": {"wall": 0.1, "span_ms": [200, 210], "cpu": dict.fromkeys(
                ("driver", "jvm", "workers"), 0.5)},
        },
        "heap_mb": 90.0,
        "limits": {
            "documents": {},
            "stages": {
                "score_documents": {
                    "read": {"driver": 0.0, "jvm": 0.25, "workers": 0.0},
                    "transfer": {"driver": 0.0, "jvm": 1.0, "workers": 0.5},
                    "write": {"driver": 0.0, "jvm": 0.5, "workers": 0.0},
                }
            },
        },
    }  # fmt: skip
    samples = [
        (-5, {"driver": 1e6, "jvm": 1e6, "workers": 1e6}),
        (50, {"driver": 100.0, "jvm": 700.0, "workers": 300.0}),
        (150, {"driver": 110.0, "jvm": 600.0, "workers": 200.0}),
    ]
    return with_memory(facts, samples)


def test_peaks_are_of_the_time_of_the_stages() -> None:
    run = a_run()
    assert run.memory == {"driver": 110.0, "jvm": 700.0, "workers": 300.0}
    assert run.all_mb == 1100.0
    assert list(run.stages) == ["extract_documents", "score_documents"]
    assert (run.cpu(), run.cpu("jvm")) == (9.5, 2.5)


def test_scorers_share_one_stage() -> None:
    counts = [
        {"stage": "select_corpus", "seen": 4, "kept": 3},
        {"stage": "score_quality", "seen": 9, "kept": 8},
    ]
    assert counts_of("score_documents", counts) == {"seen": 9, "kept": 8}
    assert counts_of("select_corpus", counts) == {"seen": 4, "kept": 3}
    assert counts_of("report_run", counts) == {}


def test_a_limit_counts_the_texts_that_a_stage_passes() -> None:
    one = Round(inflate=1.0, headers=1.5, run=a_run())
    assert one.limit("extract_documents") == 1.0
    assert one.limit("score_documents") == 0.25 + 0.5 * 1.5 + 0.5
    found: dict[str, float] = {}
    stages_table([one], found)
    assert found["extract_documents of its limit"] == pytest.approx(1.0 / 4.0)
    assert found["score_documents of its limit"] == pytest.approx(1.5 / 4.0)
    assert "NOT reached" in spark_table([one], found)
    assert one.spark_share == pytest.approx((2.5 + 0.25) / 9.5)
    assert found["Python code of all processor time"] == pytest.approx(1 - one.spark_share)


def test_growth_is_per_document_that_a_stage_sees(tmp_path: Path) -> None:
    log = spark_log(tmp_path / "events", [(50, 1, 1000), (150, 1, 200), (900, 1, 5)])
    found = grown(a_run(), log)
    assert found.milliseconds == {"extract_documents": 40.0, "score_documents": 80.0}
    assert found.shuffled == {"extract_documents": 10.0, "score_documents": 4.0}
    assert found.memory["heap"] == 90.0
    assert "| extract_documents | 40.000 | 40.000 |" in growth_report([found, found])


@pytest.mark.parametrize(
    ("cost", "driver_mb", "not_reached"), [(1.05, 120, 0), (1.2, 120, 1), (1.2, 160, 2)]
)
def test_growth_is_judged(cost: float, driver_mb: float, not_reached: int) -> None:
    def run(milliseconds: float, driver: float) -> Grown:
        memory = {"driver": driver, "heap": 90.0}
        return Grown(1, {"apply_rules": milliseconds}, {}, {}, {}, memory)

    told = growth_verdicts(run(1.0, 100.0), run(cost, driver_mb))
    assert sum("NOT reached" in line for line in told) == not_reached


def test_any_number_of_recombined_texts_has_the_same_share_of_copies() -> None:
    pool = [f"第{n}篇的第一句话写得比较长。第{n}篇的第二句话也写得不短！" * 3 for n in range(50)]
    sentences = sentences_of(pool)
    texts = [recombined(pool, number, sentences) for number in range(40)]
    assert texts[9] == texts[0] and texts[29] == texts[20]
    assert texts[19] != texts[10] and texts[19][-10:] == texts[10][-10:]
    assert len(set(texts)) == 38
    assert texts == [recombined(pool, number, sentences) for number in range(40)]
