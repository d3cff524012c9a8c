"""The Spark session of a command; its settings are in conf/spark-*.conf."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from jobs.catalogue.catalogue import bundled_conf
from jobs.catalogue.fetch import cache_folder
from jobs.config import Config, ConfigError
from jobs.config.spark_properties import read_properties
from jobs.run.class_archive import archive_options
from jobs.run.java_runtime import java_home
from jobs.run.session_log import start_java, starts_spark

_ZIPPED = (".zip", ".egg", ".jar")
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"


@contextmanager
def spark_session(
    name: str,
    config: Config,
    config_file: Path | None,
    input_bytes: int | None = None,
    *,
    is_whole_run: bool = False,
    log: Path | None = None,
) -> Iterator[SparkSession]:
    """Yield the running session, or a new one that stops when the block ends.

    Under spark-submit the submitted settings apply; under ``python -m`` those of the properties
    file that the configuration names.

    Args:
        input_bytes: Size of all input of the output; None where it is not known.
        is_whole_run: Whether all stages may run, so that their classes are worth an archive.
        log: File for what Java and Python workers print, where Spark is started here; None leaves
            it on the terminal.
    Raises:
        NoJava: there is no usable Java runtime; the message names what to install.
        JavaFailed: Java did not start.
        ConfigError: a properties file does not exist, or has a key that it cannot set.
    """
    running = SparkSession.getActiveSession()
    settings = _small_settings(config, config_file, input_bytes)
    if starts_spark():
        home = java_home(cache_folder(config))
        if home is not None:
            os.environ["JAVA_HOME"] = str(home)
        # Unset, the workers would take whatever python3 comes first on PATH.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        _use_properties(config, config_file, is_whole_run=is_whole_run)
        if log is not None:
            start_java(log)
    # A wheel is a zip: without this, Spark ships one given as --py-files but never imports from it.
    SparkContext.PACKAGE_EXTENSIONS = (*_ZIPPED, ".whl")
    spark = running or SparkSession.builder.appName(f"taojin {name}").getOrCreate()
    # Timestamps are part of the output: they must not depend on the time zone of the driver.
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    before = _set(spark, settings)
    try:
        yield spark
    finally:
        if running is None:
            spark.stop()
        else:
            _set(spark, before)


def _use_properties(config: Config, config_file: Path | None, *, is_whole_run: bool) -> None:
    """Make the session that starts next read the properties file and the class archive."""
    path = _properties_file(config.spark.properties, "properties", config_file)
    if path is None:
        return
    arguments = f'--properties-file "{path}"'
    if config.spark.class_archive:
        own = read_properties(path).get(_JAVA_OPTIONS)
        archive = archive_options(
            cache_folder(config), os.environ.get("JAVA_HOME"), may_write=is_whole_run
        )
        if archive:  # the argument takes the place of the file's options
            options = " ".join([*([] if own is None else [own]), *archive])
            arguments += f' --driver-java-options "{options}"'
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{arguments} pyspark-shell"


def _small_settings(
    config: Config, config_file: Path | None, input_bytes: int | None
) -> dict[str, str]:
    """Return Spark SQL's settings for little input; none for other input."""
    path = _properties_file(config.spark.small_properties, "small_properties", config_file)
    if path is None or input_bytes is None or input_bytes > config.spark.small_input_bytes:
        return {}
    return read_properties(path)


def _properties_file(name: str | None, key: str, config_file: Path | None) -> Path | None:
    """Return the path of a properties file; None where the configuration names none.

    Raises:
        ConfigError: the file does not exist.
    """
    if name is None:
        return None
    folder = config_file.parent if config_file is not None else bundled_conf()
    path = folder / name
    if not path.is_file():
        raise ConfigError(f"spark.{key} = {name!r}: {path} does not exist")
    return path.resolve()


def _set(spark: SparkSession, settings: Mapping[str, str | None]) -> dict[str, str | None]:
    """Set or unset keys of a session. Returns what they were before; None where they were unset.

    Raises:
        ConfigError: a key is fixed when Spark starts.
    """
    before = {}
    for key, value in settings.items():
        if not spark.conf.isModifiable(key):
            raise ConfigError(
                f"spark.small_properties: {key} is fixed when Spark starts; set it in "
                "spark.properties"
            )
        before[key] = spark.conf.get(key, None)
        if value is None:
            spark.conf.unset(key)
        else:
            spark.conf.set(key, value)
    return before
