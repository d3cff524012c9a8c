"""The Spark session of a command; its settings are in conf/spark-*.conf."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from jobs.catalogue.catalogue import bundled_conf
from jobs.catalogue.fetch import cache_folder
from jobs.config import Config, ConfigError
from jobs.run.java_runtime import java_home

_ZIPPED = (".zip", ".egg", ".jar")


@contextmanager
def spark_session(name: str, config: Config, config_file: Path | None) -> Iterator[SparkSession]:
    """Yield the running session, or a new one that stops when the block ends.

    Under spark-submit the submitted settings apply; under ``python -m`` those of the properties
    file that the configuration names.

    Raises:
        NoJava: there is no usable Java runtime; the message names what to install.
        ConfigError: the properties file does not exist.
    """
    running = SparkSession.getActiveSession()
    if running is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        home = java_home(cache_folder(config))
        if home is not None:
            os.environ["JAVA_HOME"] = str(home)
        # Unset, the workers would take whatever python3 comes first on PATH.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        _use_properties(config, config_file)
    # A wheel is a zip: without this, Spark ships one given as --py-files but never imports from it.
    SparkContext.PACKAGE_EXTENSIONS = (*_ZIPPED, ".whl")
    spark = running or SparkSession.builder.appName(f"taojin {name}").getOrCreate()
    # Timestamps are part of the output: they must not depend on the time zone of the driver.
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
        raise ConfigError(f"spark.properties = {config.spark.properties!r}: {path} does not exist")
    os.environ["PYSPARK_SUBMIT_ARGS"] = f'--properties-file "{path.resolve()}" pyspark-shell'
