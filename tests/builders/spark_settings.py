"""Settings of the shared session, for the time of a test, and of Java for short runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession

from jobs.catalogue.fetch import cache_folder
from jobs.config import Config
from jobs.run.class_archive import archive_options

C1_ONLY = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"
"""For Java processes that run for less than what they leave out takes to pay. Without the
optimising compiler the code cache is 48 MB, which one run of the pipeline fills."""


def short_run_options() -> str:
    """JDK_JAVA_OPTIONS for processes that run for seconds: `C1_ONLY`, and the archive of classes
    where an earlier run of the pipeline has left one, which spares half of a start."""
    cache, home = cache_folder(Config()), os.environ.get("JAVA_HOME")
    return " ".join([C1_ONLY, *archive_options(cache, home, may_write=False)])


@contextmanager
def changed_settings(spark: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Change settings of a session and set them back afterwards."""
    before = {key: spark.conf.get(key, None) for key in settings}
    for key, value in settings.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, old)
