"""What ends a command becomes one line and an exit status, wherever it happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.catalogue.lock import lock_of
from jobs.config import Config, ConfigError
from jobs.config.exit_status import NothingCameOut
from jobs.pipeline import application as module
from jobs.pipeline.application import application
from jobs.run.request import Run
from jobs.run.store import Store


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ConfigError("no such key"), 2, "no such key"),
        (NothingCameOut("all rows were excluded"), 3, "all rows were excluded"),
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
    ],
)
def test_an_error_is_a_line_and_a_status(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with application("score_documents", is_verbose=False) as command:
        assert command.status == 0
        raise error
    assert command.status == status
    assert capsys.readouterr().err.splitlines()[0] == f"score_documents: {said}"


def test_what_fails_on_spark_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def broken(*_: object, **__: object) -> Iterator[None]:
        raise KeyError("charset")
        yield

    monkeypatch.setattr(module, "starts_spark", lambda: True)
    monkeypatch.setattr(module, "spark_session", broken)
    run = Run(Config(), None, Store.at(str(tmp_path / "out")), {}, lock_of({}, {}))
    with (
        application("apply_rules", is_verbose=False) as command,
        command.spark(run, run.store.root),
    ):
        raise AssertionError("Spark has not started")
    assert command.status == 1
    assert command.log is not None and command.log.parent == tmp_path / "out" / "logs"
    assert "in broken\n    raise KeyError" in command.log.read_text(encoding="utf-8")
    said = capsys.readouterr().err.strip()
    assert said == f"apply_rules: KeyError: 'charset' (details: {command.log})"
