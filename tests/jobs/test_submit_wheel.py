"""The wheel, given to spark-submit from another folder, runs the same job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.jobs.conftest import C1_ONLY, ROOT, Output


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    result = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (path,) = folder.glob("taojin-*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_runs_the_pipeline(
    spark: SparkSession, wheel: Path, sample_warc: Path, sample_output: Output, tmp_path: Path
) -> None:
    script = tmp_path / "elsewhere" / "run_pipeline.py"
    script.parent.mkdir()
    job = (ROOT / "jobs" / "run_pipeline.py").read_text(encoding="utf-8")
    mark = "if __name__ =="
    script.write_text(
        job.replace(
            mark, f"import jobs, udfs\nprint('CODE', jobs.__file__, udfs.__file__)\n{mark}"
        ),
        encoding="utf-8",
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYSPARK_GATEWAY")}
    environment |= {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": C1_ONLY,
    }
    environment.pop("PYTHONPATH", None)
    result = subprocess.run(
        [
            str(Path(sys.executable).parent / "spark-submit"),
            *("--properties-file", str(ROOT / "conf" / "spark-local.conf")),
            *("--py-files", str(wheel), str(script)),
            *("--input", str(sample_warc), "--output", str(tmp_path / "out")),
        ],
        cwd=script.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    code = next(line for line in result.stdout.splitlines() if line.startswith("CODE"))
    assert code.count(wheel.name) == 2
    corpus = spark.read.parquet(str(tmp_path / "out" / "corpus"))
    rows = sorted(corpus.toJSON().collect())
    assert rows == sorted(sample_output.table("corpus").toJSON().collect())
