"""Compiles the loops of a packed environment, so that no worker of a cluster has to.

Run as ``python -m tests.builders.compile_environment ENVIRONMENT SAMPLE.warc.gz``: the pipeline
works through the sample with the environment's Python, which leaves every loop's machine code
beside its source. Without it each worker that unpacks the archive compiles them all, which takes
minutes of its time.

The code is for this machine's kind of processor: one of another name finds no code, and compiles
it. With NUMBA_CPU_NAME=generic, here and in spark.executorEnv, it is for any of the architecture.
It is found again by what is in the source, wherever the environment lies.

With ``--reuse`` the run starts from the checkout's own machine code, for checkouts that are new:
code with another file's constants is not compiled again when those change (udfs.base.jit).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyspark

from jobs.run.java_runtime import java_home
from tests.builders.spark_settings import short_run_options

ROOT = Path(__file__).resolve().parents[2]
_COMPILED_HERE = "dedup"
_SETTINGS = {
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
}


class NothingCompiled(RuntimeError):
    """The run failed, or its workers took their code from elsewhere; the message says more."""


def reuse_code(environment: Path) -> None:
    """Copy the checkout's machine code to where the environment has the same source.

    That of one room stays away: the run shows with it that workers write beside the source.
    """
    (packages,) = environment.glob("lib/python*/site-packages")
    for code in ROOT.glob("udfs/**/__pycache__/*.nb[ic]"):
        folder = packages / code.parent.relative_to(ROOT)
        if folder.parent.is_dir() and folder.parent.name != _COMPILED_HERE:
            folder.mkdir(exist_ok=True)
            shutil.copyfile(code, folder / code.name)


def compile_environment(environment: Path, sample: Path) -> int:
    """How many loops have their machine code beside them.

    Args:
        environment: Of the wheel and what it needs; Spark is this Python's own.
        sample: Pages that go through every stage.
    Raises:
        NothingCompiled: with what the run said.
    """
    python = environment.resolve() / "bin" / "python"
    there = set(_code_of(environment))
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
    found = set(_code_of(environment))
    if not found - there:
        raise NothingCompiled(f"the run left no machine code in {environment}")
    return len(found)


def _code_of(environment: Path) -> Iterator[Path]:
    return environment.glob("lib/python*/site-packages/udfs/**/*.nbc")


def _variables(scratch: Path) -> dict[str, str]:
    others = ("PYSPARK_", "SPARK_", "NUMBA_CACHE_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    inherited.pop("PYTHONPATH", None)
    home = java_home(scratch)
    return inherited | {
        **({} if home is None else {"JAVA_HOME": str(home)}),
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": short_run_options(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: the environment's folder and the sample."""
    parser = argparse.ArgumentParser(prog="tests.builders.compile_environment")
    parser.add_argument("environment", type=Path)
    parser.add_argument("sample", type=Path)
    parser.add_argument("--reuse", action="store_true", help="start from the checkout's code")
    arguments = parser.parse_args(argv)
    if arguments.reuse:
        reuse_code(arguments.environment)
    count = compile_environment(arguments.environment, arguments.sample)
    print(f"{arguments.environment}: machine code of {count} loops")
    return 0


if __name__ == "__main__":
    sys.exit(main())
