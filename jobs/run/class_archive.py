"""An archive of the classes that Java loads for Spark, which later processes map into memory.

A run on little data spends a fifth of its time on finding and checking classes in Spark's jars.
Java writes the archive itself when the process ends, checks that it fits runtime and jars when it
reads it, and goes on without it where it does not.

Source: JEP 350, dynamic archives for class-data sharing.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pyspark
from pyspark.find_spark_home import _find_spark_home

_MAGIC_BYTES = 4
_QUIET = "-Xlog:cds*=off"
"""Java would name each class that it leaves out."""


def archive_options(cache: Path, java_home: str | None, *, may_write: bool) -> list[str]:
    """Return Java's options to read the archive, or to write it if there is none.

    Args:
        cache: Folder of what is kept on this machine.
        java_home: JAVA_HOME; None takes the Java on PATH.
        may_write: Whether this process loads what most later ones need.
    """
    java = shutil.which("java") if java_home is None else str(Path(java_home) / "bin" / "java")
    if java is None:
        return []
    archive = cache / "java" / f"spark-{pyspark.__version__}-{_digest(Path(java))}.jsa"
    if _is_whole(archive):
        return [f"-XX:SharedArchiveFile={archive}", _QUIET]
    if not may_write:
        return []
    archive.parent.mkdir(parents=True, exist_ok=True)
    return [f"-XX:ArchiveClassesAtExit={archive}", _QUIET]


def _digest(java: Path) -> str:
    """Digest of the runtime and of the jars: another of either has an archive of its own."""
    jars = Path(_find_spark_home()) / "jars"
    parts = [(str(path), path.stat().st_mtime_ns) for path in (java.resolve(), jars.resolve())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _is_whole(archive: Path) -> bool:
    """Whether Java finished the file: it writes the beginning last."""
    try:
        with archive.open("rb") as file:
            return any(file.read(_MAGIC_BYTES))
    except OSError:
        return False
