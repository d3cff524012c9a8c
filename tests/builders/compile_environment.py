"""Compiles the loops of a packed environment, so that no worker of a cluster has to.

Run as ``python -m tests.builders.compile_environment ENVIRONMENT SAMPLE.warc.gz``: the pipeline
works through the sample with the environment's Python, which leaves every loop's machine code
beside its source. Without it each worker that unpacks the archive compiles them all, which takes
half a minute of its time.

The code is for this machine's kind of processor: one of another name finds no code, and compiles
it. With NUMBA_CPU_NAME=generic, here and in spark.executorEnv, it is for any of the architecture.
It is found again by what is in the source, wherever the environment lies.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyspark

from jobs.run.java_runtime import java_home
from tests.builders.spark_settings import C1_ONLY

ROOT = Path(__file__).resolve().parents[2]
_SETTINGS = {
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
}


class NothingCompiled(RuntimeError):
    """The run failed, or its workers took their code from elsewhere; the message says more."""


def compile_environment(environment: Path, sample: Path) -> int:
    """How many loops have their machine code beside them.

    Args:
        environment: Of the wheel and what it needs; Spark is this Python's own.
        sample: Pages that go through every stage.
    Raises:
        NothingCompiled: with what the run said.
    """
    python = environment.resolve() / "bin" / "python"
    settings = _SETTINGS | {
        "spark.pyspark.python": str(python),
        "spark.pyspark.driver.python": str(python),
    }
    with tempfile.TemporaryDirectory() as scratch:
        # Another folder than the checkout: workers import what lies where they start. One task at
        # a time: two processes that write one function's index at once lose one's entry.
        result = subprocess.run(
            [
                *(Path(pyspark.__file__).parent / "bin" / "spark-submit", "--master", "local[1]"),
                *(part for pair in settings.items() for part in ("--conf", "=".join(pair))),
                *(ROOT / "jobs" / "run_pipeline.py", "--config", ROOT / "conf" / "cluster.toml"),
                *("--input", sample.resolve(), "--output", Path(scratch) / "out"),
            ],
            cwd=scratch,
            env=_variables(Path(scratch)),
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        raise NothingCompiled(f"the run over the sample failed:\n{result.stderr[-3000:]}")
    found = len(list(environment.glob("lib/python*/site-packages/udfs/**/*.nbc")))
    if not found:
        raise NothingCompiled(f"the run left no machine code in {environment}")
    return found


def _variables(scratch: Path) -> dict[str, str]:
    others = ("PYSPARK_", "SPARK_", "NUMBA_CACHE_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    inherited.pop("PYTHONPATH", None)
    home = java_home(scratch)
    return inherited | {
        **({} if home is None else {"JAVA_HOME": str(home)}),
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": C1_ONLY,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: the environment's folder and the sample."""
    parser = argparse.ArgumentParser(prog="tests.builders.compile_environment")
    parser.add_argument("environment", type=Path)
    parser.add_argument("sample", type=Path)
    arguments = parser.parse_args(argv)
    count = compile_environment(arguments.environment, arguments.sample)
    print(f"{arguments.environment}: machine code of {count} loops")
    return 0


if __name__ == "__main__":
    sys.exit(main())
