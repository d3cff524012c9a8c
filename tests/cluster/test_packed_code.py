"""The packed environment brings machine code along, for the kind of processor it was made on."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

CALL = """
import json
import numpy as np
from udfs.scorers import spans as windows
spans, _ = windows.texts_and_windows(np.array([0, 3, 9]), 4)
stats = windows._spans.stats
counts = [sum(count.values()) for count in (stats.cache_hits, stats.cache_misses)]
print(json.dumps([windows.__file__, spans.tolist(), *counts]))
"""
SPANS = [[0, 3], [3, 9], [3, 7], [5, 9]]
"""A text of three tokens, and one of six with its two windows of four."""


def test_no_loop_is_compiled_where_the_environment_is_unpacked(
    environment: Path, tmp_path: Path
) -> None:
    assert call(environment, tmp_path) == [SPANS, 1, 0]


def test_on_another_processor_loops_are_compiled(environment: Path, tmp_path: Path) -> None:
    assert call(environment, tmp_path, NUMBA_CPU_NAME="generic") == [SPANS, 0, 1]
    assert call(environment, tmp_path, NUMBA_CPU_NAME="generic") == [SPANS, 1, 0]
    assert call(environment, tmp_path) == [SPANS, 1, 0]  # beside the other one's code


def call(environment: Path, folder: Path, **variables: str) -> list[object]:
    """What a loop gives, and how often its code was found, and not."""
    result = subprocess.run(
        [environment / "bin" / "python", "-c", CALL],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    file, *seen = json.loads(result.stdout)
    assert Path(file).is_relative_to(environment)
    return seen
