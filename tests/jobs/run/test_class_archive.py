"""The class archive: read where it is whole, written where there is none and it may be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.run.class_archive import archive_options


@pytest.fixture
def java_home(tmp_path: Path) -> str:
    java = tmp_path / "home" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\n", encoding="utf-8")
    java.chmod(0o755)
    return str(tmp_path / "home")


def archive_of(options: list[str], option: str) -> Path:
    (found,) = (o.removeprefix(f"-XX:{option}=") for o in options if o.startswith(f"-XX:{option}="))
    return Path(found)


def test_only_a_whole_run_writes_it(tmp_path: Path, java_home: str) -> None:
    assert archive_options(tmp_path, java_home, may_write=False) == []
    options = archive_options(tmp_path, java_home, may_write=True)
    assert archive_of(options, "ArchiveClassesAtExit").parent.is_dir()


def test_a_whole_archive_is_read_and_one_that_was_cut_is_written_again(
    tmp_path: Path, java_home: str
) -> None:
    options = archive_options(tmp_path, java_home, may_write=True)
    archive = archive_of(options, "ArchiveClassesAtExit")
    archive.write_bytes(bytes(4) + b"regions, but Java ended before it wrote the beginning")
    assert archive_options(tmp_path, java_home, may_write=True) == options
    archive.write_bytes(b"\xa8\xba\x0b\xf0 and the rest")
    for may_write in (False, True):
        read = archive_options(tmp_path, java_home, may_write=may_write)
        assert archive_of(read, "SharedArchiveFile") == archive


def test_another_runtime_has_another_archive(tmp_path: Path, java_home: str) -> None:
    first = archive_options(tmp_path, java_home, may_write=True)
    os.utime(Path(java_home) / "bin" / "java", (1, 1))
    assert archive_options(tmp_path, java_home, may_write=True) != first


def test_without_java_there_is_nothing_to_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert archive_options(tmp_path, None, may_write=True) == []
