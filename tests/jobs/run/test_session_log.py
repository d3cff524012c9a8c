"""What Spark, Java and libraries print goes to a file of the command, not to the terminal."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from pyspark import SparkContext

from jobs.run.session_log import KEPT_FILES, JavaFailed, libraries_logged, new_log, start_java
from tests.builders.spark_settings import short_run_options
from tests.jobs.conftest import ROOT


def test_a_local_output_has_its_logs_and_another_has_them_on_this_machine(tmp_path: Path) -> None:
    output, cache = tmp_path / "out", tmp_path / "cache"
    assert new_log(str(output), cache, "apply_rules").parent == output / "logs"
    assert new_log(f"file://{output}", cache, "apply_rules").parent == output / "logs"
    assert new_log("s3://bucket/out", cache, "apply_rules").parent == cache / "logs"


def test_only_the_newest_logs_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "notes.txt").write_text("not a log", encoding="utf-8")
    earlier = [folder / f"run_pipeline-{number:02d}.log" for number in range(KEPT_FILES + 3)]
    for age, path in enumerate(reversed(earlier)):
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    log = new_log(str(tmp_path), tmp_path, "apply_rules")
    kept = {path.name for path in folder.glob("*.log")}
    assert kept == {log.name, *(path.name for path in earlier[4:])}
    assert len(kept) == KEPT_FILES
    assert (folder / "notes.txt").exists()


def test_warnings_and_records_of_libraries_go_to_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "run.log"
    with libraries_logged(log):
        warnings.warn("this will change", FutureWarning, stacklevel=1)
        logging.getLogger("py4j.clientserver").error("no connection")
    logging.getLogger("py4j.clientserver").error("after the command")
    text = log.read_text(encoding="utf-8")
    assert "FutureWarning: this will change" in text
    assert "ERROR py4j.clientserver: no connection" in text
    assert "after the command" not in text
    assert "this will change" not in capsys.readouterr().err


def test_a_java_that_ends_at_once_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'Invalid maximum heap size: -Xmx9z' >&2\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setattr(SparkContext, "_gateway", None)
    log = tmp_path / "run.log"
    with pytest.raises(JavaFailed, match=r"run\.log:\n(.*\n)*  Invalid maximum heap size"):
        start_java(log)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.spark
def test_a_terminal_shows_only_what_the_job_says(tmp_path: Path) -> None:
    texts = tmp_path / "a.jsonl"
    text = "河口水文站的水位一度涨到三米，村民连夜加固了堤坝，早上雨停了。" * 8
    texts.write_text(json.dumps({"text": text}) + "\n", encoding="utf-8")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "jobs.extract_documents", "--input", str(texts)),
            *("--input-format", "jsonl", "--output", str(tmp_path / "out")),
            *("--config", str(ROOT / "conf" / "local.toml"), "--set", "run.log=json"),
        ],
        cwd=ROOT,
        env={**os.environ, "JDK_JAVA_OPTIONS": short_run_options()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    events = [json.loads(line)["event"] for line in result.stderr.splitlines()]
    assert "wave_done" in events
    (log,) = (tmp_path / "out" / "logs").iterdir()
    assert "log level" in log.read_text(encoding="utf-8")  # what Spark prints first
