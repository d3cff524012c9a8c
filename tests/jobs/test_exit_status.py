"""Every command lists its exit statuses."""

from __future__ import annotations

import importlib

import pytest

from jobs.config.exit_status import MEANINGS, ExitStatus, exit_status_help, until_interrupted
from tests.jobs.conftest import ROOT

COMMANDS = sorted(
    path.stem for path in (ROOT / "jobs").glob("*.py") if "__main__" in path.read_text("utf-8")
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_lists_the_exit_statuses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"jobs.{command}").main(["--help"])
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    shown = lines[lines.index("exit status:") + 1 :]
    assert {line.split()[0] for line in shown} >= {"0", "1", "2", "130"}
    assert all(len(line.split()) > 1 for line in shown)


def test_every_status_is_explained() -> None:
    assert MEANINGS.keys() == set(ExitStatus)
    assert exit_status_help().count("\n") == len(ExitStatus)


def test_a_command_without_stages_is_stopped_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert until_interrupted("train_models", interrupted) == 130
    assert capsys.readouterr().err == "train_models: stopped by Ctrl-C\n"
    assert until_interrupted("train_models", lambda: 2) == 2
