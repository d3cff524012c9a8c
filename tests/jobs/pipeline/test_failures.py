"""What a user is told of an error, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from py4j.protocol import Py4JNetworkError
from pyspark.errors import PythonException

from jobs.config import ConfigError
from jobs.config.exit_status import ExitStatus, NothingRead
from jobs.pipeline.failures import StageFailed, failure_of, failures_named, report_failure
from jobs.pipeline.interruption import Terminated
from jobs.run.console import set_log_format
from jobs.run.lease import OutputInUse
from jobs.run.ledger import BalanceOpen
from jobs.transforms.spark_errors import innermost_cause
from udfs.files.store_clients import NoSuchBucket, StoreUnreachable

STAGE_FAILURE = (
    "org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 3.0 "
    "failed 4 times, most recent failure: Lost task 0.3 in stage 3.0 (TID 7) (10.0.0.3 executor "
    "2): {cause}\n\tat org.apache.spark.scheduler.Task.run(Task.scala:147)\n\nDriver stacktrace:\n"
)
IN_WORKER = (
    "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
    '  File "/x/worker.py", line 1, in main\n    process()\n'
    '  File "/x/extract.py", line 7, in read\n    raise OSError(28, "x")\n{error}\n\n'
    "\tat org.apache.spark.api.python.BasePythonRunner.handle(PythonRunner.scala:1)\n"
)


def in_stage(error: Exception) -> StageFailed:
    with pytest.raises(StageFailed) as failed, failures_named("apply_rules"):
        raise error
    return failed.value


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            "java.lang.RuntimeException: outer\n\tat a.B.c(B.java:1)\nCaused by: "
            "org.apache.spark.SparkException: middle\n\tat a.B\nCaused by: java.io.IOException: "
            "Stream is corrupted\n\t... 3 more\n",
            "Stream is corrupted",
        ),
        (STAGE_FAILURE.format(cause="java.io.EOFException: reached the end"), "reached the end"),
        (STAGE_FAILURE.format(cause="java.lang.StackOverflowError"), "stack overflow error"),
        (
            "An error occurred while calling o64.parquet.\n: java.lang.IllegalStateException: "
            "java.nio.file.AccessDeniedException: /data/out\n\tat a.B",
            "/data/out",
        ),
        ("[INVALID_PATH] The path is wrong. SQLSTATE: 42K03", "The path is wrong"),
        (IN_WORKER.format(error="ValueError: no such label"), "ValueError: no such label (in"),
        (
            STAGE_FAILURE.format(cause=IN_WORKER.format(error="KeyError: 'text'")),
            "KeyError: 'text' (in a Python worker)",
        ),
    ],
)
def test_the_innermost_cause_is_said_without_names_of_packages(message: str, cause: str) -> None:
    said = innermost_cause(message)
    assert said.startswith(cause)
    assert "\n" not in said
    assert "java." not in said and "org.apache" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            STAGE_FAILURE.format(
                cause="java.io.FileNotFoundException: /tmp/blockmgr-1/0f (No space left on device)"
            ),
            ["a disk is full (/tmp/blockmgr-1/0f)", "spark.local.dir", "goes on from there"],
        ),
        (IN_WORKER.format(error="OSError: [Errno 28] No space left on device"), ["disk is full: "]),
        (
            STAGE_FAILURE.format(
                cause="org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)"
            ),
            ["a worker was killed", "memory", "spark.executor.memoryOverhead"],
        ),
        (
            "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: "
            "Container killed by YARN for exceeding memory limits",
            ["a worker was killed"],
        ),
        ("java.lang.OutOfMemoryError: Java heap space\n\tat", ["memory ran out", "driver.memory"]),
        (
            "java.net.ConnectException: Connection refused",
            ["cannot be reached", "AWS_ENDPOINT_URL_S3"],
        ),
        (
            "java.nio.file.AccessDeniedException: s3a://b/k: org.apache.hadoop.fs.s3a.auth."
            "NoAuthWithAWSException: No AWS Credentials provided",
            ["denies access", "AWS_ACCESS_KEY_ID", "AWS_NO_SIGN_REQUEST"],
        ),
        ("Status Code: 404; Error Code: NoSuchBucket; The specified", ["no such bucket"]),
        (
            "java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not "
            "found\n",
            ["no classes", "S3AFileSystem", "spark.jars.packages"],
        ),
    ],
)
def test_known_causes_are_said_in_words_with_what_to_do(text: str, said: list[str]) -> None:
    failure = failure_of(in_stage(PythonException(text)))
    assert failure.status == ExitStatus.FAILED
    assert failure.words.startswith("apply_rules failed: ")
    for words in said:
        assert words in failure.words
    assert "\n" not in failure.words
    assert "java." not in failure.words


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ConfigError("rules.min_chars = 'x'"), 2, "rules.min_chars = 'x'"),
        (OutputInUse("out: another run"), 2, "out: another run"),
        (NoSuchBucket("there is no bucket s3://b"), 2, "there is no bucket s3://b"),
        (NothingRead("none of its 3 files"), 3, "none of its 3 files"),
        (StoreUnreachable("s3://b: the store"), 1, "s3://b: the store"),
        (BalanceOpen("apply_rules: seen is not kept"), 1, "apply_rules: seen is not kept"),
        (NotADirectoryError(20, "Not a directory", "/a/b"), 2, "/a/b: a file is in the place of a"),
        (
            NotADirectoryError(20, "Cannot create '/a/b'. Detail: [errno 20]"),
            2,
            "/a/b: a file is in",
        ),
        (PermissionError(13, "Permission denied", "/a/b"), 2, "/a/b: permission denied"),
        (OSError("AWS Error ACCESS_DENIED during PutObject"), 2, "the store denies access"),
        (Py4JNetworkError("Answer from Java side is empty"), 1, "Java has ended while"),
        (ZeroDivisionError("division by zero\nx"), 1, "ZeroDivisionError: division by zero"),
        (AssertionError(), 1, "AssertionError"),
    ],
)
def test_errors_outside_of_stages(error: Exception, status: int, words: str) -> None:
    failure = failure_of(error)
    assert failure.status == status
    assert failure.words.startswith(words)
    assert "\n" not in failure.words


def test_a_wrong_request_that_a_stage_finds_is_one() -> None:
    with pytest.raises(ConfigError, match="no such list"), failures_named("apply_rules"):
        raise ConfigError("no such list")
    assert failure_of(in_stage(PermissionError(13, "Permission denied", "/a"))).status == 1


def test_the_traceback_is_in_the_log_that_the_line_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_log_format("text")
    log = tmp_path / "run.log"
    error = in_stage(ZeroDivisionError("division by zero"))
    assert report_failure("run_pipeline", error, log) == 1
    said = capsys.readouterr().err
    assert said == (
        f"run_pipeline: apply_rules failed: ZeroDivisionError: division by zero (details: {log})\n"
    )
    assert "raise error" in log.read_text(encoding="utf-8")

    assert report_failure("run_pipeline", error) == 1
    assert "--verbose" in capsys.readouterr().err
    assert report_failure("run_pipeline", error, is_verbose=True) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback") and "raise error" in said
    assert said.splitlines()[-1].startswith("run_pipeline: apply_rules failed")


def test_under_spark_submit_the_traceback_is_with_the_rest_of_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_log_format("text")
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert report_failure("run_pipeline", in_stage(ZeroDivisionError("x"))) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.splitlines()[-1] == "run_pipeline: apply_rules failed: ZeroDivisionError: x"


@pytest.mark.parametrize(
    ("error", "status", "by"),
    [(KeyboardInterrupt(), 130, "Ctrl-C"), (Terminated(), 143, "SIGTERM")],
)
def test_a_stop_is_two_lines(
    error: KeyboardInterrupt, status: int, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_log_format("text")
    assert report_failure("run_pipeline", error) == status
    assert capsys.readouterr().err.splitlines() == [
        f"run_pipeline: stopped by {by}",
        "what was committed stays; the same command goes on from there",
    ]


def test_in_json_a_failure_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    set_log_format("json")
    try:
        report_failure("run_pipeline", ConfigError("no such key"))
        event = json.loads(capsys.readouterr().err)
    finally:
        set_log_format("text")
    assert event.pop("time")
    assert event == {"event": "failed", "status": 2, "reason": "no such key", "log": None}
