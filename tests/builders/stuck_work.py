"""A clock for isolated processes that runs only while one of them is stuck."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.base import isolated_process


def stuck(sign: Path) -> str:
    """Statements, on one line, of a process that says by a file that it will never answer."""
    return f"open({str(sign)!r}, 'w').close(); time.sleep(600)"


def time_only_what_is_stuck(monkeypatch: pytest.MonkeyPatch, sign: Path) -> None:
    """Let an isolated process start and compile for as long as a busy machine takes: the limit of
    an answer is counted from the moment at which `stuck` writes its file."""

    class Answers(isolated_process.Connection):
        def poll(self, timeout: float | None = 0.0) -> bool:
            while not super().poll(0.02):
                if sign.exists():
                    sign.unlink()
                    return super().poll(timeout)
            return True

    monkeypatch.setattr(isolated_process, "Connection", Answers)
