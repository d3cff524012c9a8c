"""The image: its Dockerfile by its linter, its entry point by what it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from jobs.config.spark_properties import read_properties

ROOT = Path(__file__).resolve().parents[1]
Started = Callable[..., list[str]]
ENTRYPOINT = ROOT / "docker" / "entrypoint.sh"

PRINTING = '#!/bin/sh\nfor word in "$@"; do printf \'%s\\n\' "$word"; done\n'


@pytest.fixture
def started(tmp_path: Path) -> Started:
    """Runs the entry point where tini only prints what it was to start; gives the words."""
    tini = tmp_path / "tini"
    tini.write_text(PRINTING)
    tini.chmod(0o755)

    def run(*arguments: str, **variables: str) -> list[str]:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
        command = ["bash", str(ENTRYPOINT), *arguments]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    return run


def test_dockerfile_is_clean() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint is packaged for Linux on x86-64 only")
    result = subprocess.run(
        [hadolint, ROOT / "docker" / "Dockerfile"], capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (0, "")


def test_a_driver_is_submitted_in_client_mode(started: Started) -> None:
    words = started(
        "driver", "--properties-file", "/a b", "x.py", SPARK_DRIVER_BIND_ADDRESS="10.0.0.9"
    )
    assert words[:3] == ["-s", "--", "spark-submit"]
    assert "spark.driver.bindAddress=10.0.0.9" in words
    assert words[-5:] == ["--deploy-mode", "client", "--properties-file", "/a b", "x.py"]


EXECUTOR = {
    "SPARK_HOME": "/opt/spark",
    "SPARK_EXECUTOR_MEMORY": "4g",
    "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@driver:7078",
    "SPARK_EXECUTOR_ID": "7",
    "SPARK_EXECUTOR_CORES": "4",
    "SPARK_APPLICATION_ID": "app",
    "SPARK_EXECUTOR_POD_IP": "10.0.0.7",
    "SPARK_RESOURCE_PROFILE_ID": "0",
    "SPARK_EXECUTOR_POD_NAME": "exec-7",
}


def test_an_executor_has_sparks_options_in_order(started: Started) -> None:
    options = {f"SPARK_JAVA_OPT_{n}": f"-Dn={n} words" for n in range(12)}
    words = started("executor", **EXECUTOR, **options)
    assert words[:3] == ["-s", "--", "java"]
    assert words[3:15] == [f"-Dn={n} words" for n in range(12)]
    assert words[15:19] == ["-Xms4g", "-Xmx4g", "-cp", "/opt/spark/jars/*"]
    assert words[19].endswith("KubernetesExecutorBackend")
    assert words[20:24] == ["--driver-url", EXECUTOR["SPARK_DRIVER_URL"], "--executor-id", "7"]


def test_an_executor_may_have_no_options_and_more_classes(started: Started) -> None:
    words = started("executor", **EXECUTOR, SPARK_CLASSPATH="/a/*", SPARK_DIST_CLASSPATH="/z/*")
    assert words[3:7] == ["-Xms4g", "-Xmx4g", "-cp", "/a/*:/opt/spark/jars/*:/z/*"]


def test_an_executor_that_spark_did_not_describe_is_an_error() -> None:
    result = subprocess.run(
        ["bash", ENTRYPOINT, "executor"], env={"PATH": os.environ["PATH"]}, capture_output=True
    )
    assert result.returncode != 0


def test_anything_else_is_a_command(started: Started) -> None:
    assert started("echo", "a b", "c") == ["a b c"]


def test_the_composed_run_is_of_this_image_and_version() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]
    assert all("build" in service or ":" in service["image"] for service in services.values())
    command = services["submit"]["command"]
    here = [word.partition("/opt/taojin/")[2] for word in command if "/opt/taojin/" in word]
    assert len(here) == 3
    assert all((ROOT / path).is_file() for path in here)
    of_a_store = read_properties(ROOT / "conf" / "spark-store.conf")
    committers = {f"--conf={key}={value}" for key, value in of_a_store.items() if ".gs" not in key}
    assert committers <= set(command)
    (packages,) = (word for word in command if word.startswith("--packages="))
    version = packages.rpartition(":")[2]
    assert f"ARG SPARK={version}\n" in (ROOT / "docker" / "Dockerfile").read_text()
