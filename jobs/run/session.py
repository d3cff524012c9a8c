"""The Spark session of a command; its settings are in conf/spark-*.conf."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from py4j.java_gateway import java_import
from pyspark import SparkContext
from pyspark.sql import SparkSession

import udfs
from jobs.catalogue.catalogue import bundled_conf
from jobs.catalogue.fetch import cache_folder
from jobs.config import Config, ConfigError
from jobs.config.spark_properties import read_properties
from jobs.run.class_archive import archive_options
from jobs.run.console import say
from jobs.run.java_runtime import java_home
from jobs.run.session_log import start_java, starts_spark
from udfs.base.worker_daemon import DAEMON, MODULES, daemon_ahead

_ZIPPED = (".zip", ".egg", ".jar")
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"
_PARTITION_BYTES = 16 * 1024**2
"""Input to a partition where there is little of it."""
_DAEMON_MODULE = "spark.python.daemon.module"
_SHORT_NAMES = (
    *("org.apache.spark.api.python.PythonUtils", "org.apache.spark.sql.functions"),
    "org.apache.spark.sql.api.python.PythonSQLUtils",
)
"""Classes that PySpark asks for by their last name with every column and expression."""


@contextmanager
def spark_session(
    name: str,
    config: Config,
    config_file: Path | None,
    input_bytes: int | None = None,
    *,
    is_whole_run: bool = False,
    log: Path | None = None,
    worker_modules: Sequence[str] = (),
) -> Iterator[SparkSession]:
    """Yield the running session, or a new one that stops when the block ends.

    Under spark-submit the submitted settings apply; under ``python -m`` those of the properties
    file that the configuration names.

    Args:
        input_bytes: Size of all input of the output; None where it is not known.
        is_whole_run: Whether all stages may run, so that their classes are worth an archive.
        log: File for what Java and Python workers print, where Spark is started here; None leaves
            it on the terminal.
        worker_modules: Modules that Python workers need, for `udfs.base.worker_daemon`.
    Raises:
        NoJava: there is no usable Java runtime; the message names what to install.
        JavaFailed: Java did not start.
        ConfigError: a properties file does not exist, or has a key that it cannot set.
    """
    running = SparkSession.getActiveSession()
    settings = _small_settings(config, config_file, input_bytes)
    builder = SparkSession.builder.appName(f"taojin {name}")
    if worker_modules:
        builder.config(f"spark.executorEnv.{MODULES}", ",".join(worker_modules))
    with ExitStack() as held:
        if starts_spark():
            home = java_home(cache_folder(config))
            if home is not None:
                os.environ["JAVA_HOME"] = str(home)
            # Unset, the workers would take whatever python3 comes first on PATH.
            python = os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            properties = _use_properties(config, config_file, is_whole_run=is_whole_run)
            is_on_this_machine = _is_on_this_machine(properties)
            if is_on_this_machine and not has_compiled_loops():
                say("first_start", "first start on this machine: compiling, some minutes")
            if is_on_this_machine and _DAEMON_MODULE not in properties:
                builder.config(_DAEMON_MODULE, DAEMON)
                # A second session of this process has the Java of the first, and its environment.
                if SparkContext._gateway is None:
                    held.enter_context(daemon_ahead(python, worker_modules, log))
            if log is not None:
                start_java(log)
        # A wheel is a zip: without this, Spark ships one given as --py-files but never imports
        # from it.
        SparkContext.PACKAGE_EXTENSIONS = (*_ZIPPED, ".whl")
        interrupt = signal.getsignal(signal.SIGINT)
        spark = running or builder.getOrCreate()
        if threading.current_thread() is threading.main_thread():
            # A session's own handler calls Java on the connection of the call that it stops.
            signal.signal(signal.SIGINT, interrupt)
        find_short_names(spark)
        # Timestamps are part of the output: they must not depend on the driver's time zone.
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        if settings and input_bytes is not None:
            cores = spark.sparkContext.defaultParallelism
            settings = _few_partitions(input_bytes, cores) | settings
        before = _set(spark, settings)
        is_interrupted = False
        try:
            yield spark
        except KeyboardInterrupt:  # Java has ended, or still works on a call of this thread
            is_interrupted = True
            raise
        finally:
            if running is not None:
                _set(spark, before)
            elif not is_interrupted:
                spark.stop()


def _use_properties(
    config: Config, config_file: Path | None, *, is_whole_run: bool
) -> dict[str, str]:
    """Make the session that starts next read the properties file and the class archive.

    Returns:
        The properties; none where the configuration names no file.
    """
    path = _properties_file(config.spark.properties, "properties", config_file)
    if path is None:
        return {}
    properties = read_properties(path)
    arguments = f'--properties-file "{path}"'
    if config.spark.class_archive:
        own = properties.get(_JAVA_OPTIONS)
        archive = archive_options(
            cache_folder(config), os.environ.get("JAVA_HOME"), may_write=is_whole_run
        )
        if archive:  # the argument takes the place of the file's options
            options = " ".join([*([] if own is None else [own]), *archive])
            arguments += f' --driver-java-options "{options}"'
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{arguments} pyspark-shell"
    return properties


def find_short_names(spark: SparkSession) -> None:
    """Tell Java's side which classes the short names that PySpark uses most stand for.

    It looks for a short name in one package after the other, and each that lacks it is a search
    through all jars of Spark, for every column of every plan.

    Source: py4j.java_gateway.java_import; pyspark.java_gateway imports whole packages.
    """
    for name in _SHORT_NAMES:
        java_import(spark.sparkContext._jvm, name)


def has_compiled_loops() -> bool:
    """Whether an earlier command has left machine code in Numba's cache, beside our code or not.

    Source: numba.core.caching, where it looks for a folder.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    user = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "numba"
    folders = [Path(chosen)] if chosen else [Path(udfs.__file__).parent, user]
    return any(True for folder in folders for _ in folder.rglob("*.nbi"))


def _is_on_this_machine(properties: Mapping[str, str]) -> bool:
    """Whether Python workers see what the driver sees: its modules, folder and environment."""
    return re.fullmatch(r"local(\[.*\])?", properties.get("spark.master", "")) is not None


def _small_settings(
    config: Config, config_file: Path | None, input_bytes: int | None
) -> dict[str, str]:
    """Return Spark SQL's settings for little input; none for other input."""
    path = _properties_file(config.spark.small_properties, "small_properties", config_file)
    if path is None or not config.spark.is_small(input_bytes):
        return {}
    return read_properties(path)


def _few_partitions(input_bytes: int, cores: int) -> dict[str, str]:
    """Return the settings by which little input has few partitions.

    For a thousand documents a task costs more than what it does, and a join of two tables of one
    partition takes no shuffle.
    """
    partitions = str(max(1, min(cores, input_bytes // _PARTITION_BYTES)))
    return {
        "spark.sql.shuffle.partitions": partitions,
        "spark.sql.files.minPartitionNum": partitions,
    }


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
