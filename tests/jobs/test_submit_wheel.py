"""The wheel, given to spark-submit as the first page says, runs the same job."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.builders import checkout_code
from tests.builders.spark_settings import short_run_options
from tests.jobs.conftest import ROOT, Output
from tests.jobs.test_readme import commands_of

SCRIPT, INPUT = "jobs/run_pipeline.py", "out/sample.warc.gz"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    result = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (path,) = folder.glob("taojin-*.whl")
    return path


def checkout_without_code(folder: Path, wheel: Path) -> None:
    """A folder with what the page's command names, and none of the modules of the wheel."""
    (folder / "dist").mkdir(parents=True)
    shutil.copy(wheel, folder / "dist")
    (folder / "conf").symlink_to(ROOT / "conf")


def telling_script(folder: Path) -> Path:
    """The job in a copy of its folder, which comes first on sys.path; it prints what it imports."""
    shutil.copytree(ROOT / "jobs", folder / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    script = folder / SCRIPT
    mark = "if __name__ =="
    tells = f"import jobs, udfs\nprint('CODE', jobs.__file__, udfs.__file__)\n{mark}"
    script.write_text(script.read_text(encoding="utf-8").replace(mark, tells), encoding="utf-8")
    return script


@pytest.mark.slow
def test_the_command_of_the_page_runs_the_pipeline_of_the_wheel(
    spark: SparkSession, wheel: Path, sample_warc: Path, sample_output: Output, tmp_path: Path
) -> None:
    folder, modules = tmp_path / "elsewhere", tmp_path / "modules"
    checkout_without_code(folder, wheel)
    modules.mkdir()
    script = telling_script(tmp_path / "copy")
    (command,) = (text for text in commands_of("README.md") if text.startswith("spark-submit"))
    assert f"--py-files dist/{wheel.name} {SCRIPT} --input {INPUT} --output out/" in command
    # The corpus names its inputs: one path for both runs.
    command = command.replace(SCRIPT, str(script)).replace(INPUT, str(sample_warc))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYSPARK_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": short_run_options(),
        **checkout_code.variables(modules, ROOT),
    }
    result = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    code = next(line for line in result.stdout.splitlines() if line.startswith("CODE"))
    assert code.count(wheel.name) == 2
    corpus = spark.read.parquet(str(folder / "out" / "submitted" / "corpus"))
    rows = sorted(corpus.toJSON().collect())
    assert rows == sorted(sample_output.table("corpus").toJSON().collect())
