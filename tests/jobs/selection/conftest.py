"""Selections over a copy of the sample's output."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs import select_corpus
from tests.jobs.conftest import LOCAL_CONFIG, Output


@pytest.fixture(scope="module")
def output(sample_output: Output, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample's output, which a module's tests add selections to."""
    path = tmp_path_factory.mktemp("selections") / "out"
    shutil.copytree(sample_output.path, path)
    return path


def select(output: Path, *arguments: str) -> int:
    """Run select_corpus on an output. Returns the exit status."""
    return select_corpus.main(["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments])


def rows(output: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table of an output."""
    found: list[dict[str, Any]] = pq.read_table(output / table).to_pylist()
    return found
