"""GPUs that Spark hands to tasks: conf/spark-gpu.conf on two executors without any.

Spark asks the real discovery script, which asks a stand-in for nvidia-smi: another number at each
call, so that every executor has another GPU.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.config.spark_properties import read_properties
from tests.builders.spark_settings import short_run_options
from tests.jobs.conftest import ROOT

DISCOVERY = ROOT / "docker" / "find_gpus.sh"
NVIDIA_SMI = """#!/bin/sh
[ "$*" = "--query-gpu=index --format=csv,noheader" ] || exit 9
n=0
while ! mkdir "{folder}/gpu-$n" 2>/dev/null; do n=$((n + 1)); done
echo $n
"""
CLUSTER = {
    "spark.master": "local-cluster[2,2,1024]",
    "spark.executor.cores": "2",
    "spark.task.resource.gpu.amount": "0.5",
    "spark.executor.memory": "768m",
    "spark.executor.resource.gpu.discoveryScript": str(DISCOVERY),
    "spark.worker.resource.gpu.amount": "1",
    "spark.worker.resource.gpu.discoveryScript": str(DISCOVERY),
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
}


def environment(folder: Path, nvidia_smi: str) -> dict[str, str]:
    """Of a process that finds a stand-in for nvidia-smi."""
    program = folder / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(nvidia_smi, encoding="utf-8")
    program.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYSPARK_", "SPARK_"))}
    return kept | {"PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.mark.slow
@pytest.mark.spark
def test_every_task_sees_the_gpu_of_its_executor(tmp_path: Path) -> None:
    settings = read_properties(ROOT / "conf" / "spark-gpu.conf") | CLUSTER
    properties = tmp_path / "gpu.conf"
    lines = (f"{key} {value}\n" for key, value in settings.items())
    properties.write_text("".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.builders.gpu_tasks"],
        cwd=ROOT,
        env=environment(tmp_path, NVIDIA_SMI.format(folder=tmp_path))
        | {
            "PYSPARK_SUBMIT_ARGS": f"--properties-file {properties} pyspark-shell",
            "PYSPARK_PYTHON": sys.executable,
            "JDK_JAVA_OPTIONS": short_run_options(),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(tmp_path / "work"),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    tasks = json.loads(done.stdout.splitlines()[-1])
    by_executor: dict[str, list[str]] = {}
    for task in tasks:
        by_executor.setdefault(task["executor"], []).append(task["gpu"])
        assert (task["device"], task["cpu"], task["cores"]) == (f"cuda:{task['gpu']}", "cpu", 1)
    assert sorted(by_executor.values()) == [["0", "0"], ["1", "1"]]


def test_the_discovery_script_names_every_gpu(tmp_path: Path) -> None:
    found = subprocess.run(
        [DISCOVERY],
        env=environment(tmp_path, "#!/bin/sh\nprintf '0\\n1\\n7\\n'\n"),
        capture_output=True,
        text=True,
    )
    assert json.loads(found.stdout) == {"name": "gpu", "addresses": ["0", "1", "7"]}


def test_without_a_driver_the_discovery_script_fails(tmp_path: Path) -> None:
    found = subprocess.run(
        [DISCOVERY], env=environment(tmp_path, "#!/bin/sh\nexit 9\n"), capture_output=True
    )
    assert (found.returncode, found.stdout) == (9, b"")
