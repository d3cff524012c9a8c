"""One Spark session for all tests that need one, and no network for any."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pyspark.sql import SparkSession

from jobs.run.session import find_short_names
from tests.builders.spark_settings import C1_ONLY

CHEAP_PLANS = {
    # Many small plans: the optimising compiler costs more than its code saves, threads that collect
    # garbage beside the others more than they spare, and so do generated code and plans that change
    # while they run. Commands that are started as processes have all of that.
    "spark.driver.extraJavaOptions": C1_ONLY,
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    # What a local run has in conf/spark-local.conf: no caller's line at each call on a column, no
    # compression and no digests of shuffled rows.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.shuffle.compress": "false",
    "spark.sql.shuffle.orderIndependentChecksum.enabled": "false",
    "spark.sql.shuffle.orderIndependentChecksum.enableFullRetryOnMismatch": "false",
    "spark.sql.shuffle.orderIndependentChecksum.enableQueryLevelRollbackOnMismatch": "false",
    # Nobody reads the description of each plan, and a thousand of them are a gigabyte.
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.ui.retainedExecutions": "20",
}
HADOOP_DEFAULTS = {
    "core": "<property><name>fs.AbstractFileSystem.file.impl</name>"
    "<value>org.apache.hadoop.fs.local.LocalFs</value></property>",
    "hdfs": "",
    "mapred": "",
    "yarn": "",
}
"""Default settings of Hadoop by file. Its own are 1,100, for services that no test has: each read,
write and task serialises them, which takes half of Java's time where tables are tiny."""

# The first example may be what compiles a kernel; pytest's own limit holds for whole tests.
settings.register_profile("compiled", deadline=None)
settings.load_profile("compiled")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules for PyTorch where -m does: each worker would import it for nothing."""
    if collection_path.suffix != ".py" or "not bert" not in config.getoption("markexpr"):
        return None
    marked = "\npytestmark = pytest.mark.bert" in collection_path.read_text(encoding="utf-8")
    return True if marked else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes the session, so that -m spark finds it."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)


@pytest.fixture(autouse=True)
def no_unmarked_session(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that takes a session without saying so fails: another Spark would not be tried."""
    if request.node.get_closest_marker("spark") is None:

        def refused(*_: object) -> None:
            pytest.fail("a test that takes a Spark session needs the fixture or the marker spark")

        monkeypatch.setattr(SparkSession.Builder, "getOrCreate", refused)
        monkeypatch.setattr(SparkSession, "getActiveSession", refused)


@pytest.fixture(scope="session")
def hadoop_defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the class path, where Hadoop finds its default settings."""
    folder = tmp_path_factory.mktemp("hadoop")
    for name, properties in HADOOP_DEFAULTS.items():
        text = f"<configuration>{properties}</configuration>"
        (folder / f"{name}-default.xml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def spark(hadoop_defaults: Path) -> Iterator[SparkSession]:
    """local[2], two shuffle partitions, Arrow batches of two rows, so that they are crossed."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    session = (
        SparkSession.builder.appName("taojin tests")
        .config(map=CHEAP_PLANS)
        .config("spark.driver.extraClassPath", str(hadoop_defaults))
        .master("local[2]")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    find_short_names(session)
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches beyond this machine fails."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host.split("%")[0]).is_loopback:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)
