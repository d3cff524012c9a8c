"""Requests are checked before Spark starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import run_pipeline
from jobs.config import ConfigError
from jobs.pipeline.command_line import prepare
from jobs.pipeline.stages import PIPELINE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "rules.min_char=3"], ["rules.min_char = 3", "min_chars", "[rules]"]),
        (["--config", "absent.toml"], ["absent.toml", "cannot be read"]),
        (["--input", "absent.warc.gz"], ["absent.warc.gz"]),
        (["--input", "absent-*.warc.gz"], ["absent-*.warc.gz"]),
        (["--set", "quality.artifact=best"], ["quality.artifact = 'best'", "lid"]),
        (["--set", 'score.scorers=["beauty"]'], ["score.scorers", "beauty", "toxicity"]),
        (["--set", "rules.lexicon=absent.tsv"], ["rules.lexicon", "absent.tsv"]),
        (["--set", 'score.scorers=["quality"]'], ["score.scorers", "domain, toxicity"]),
        ([], ["no input", "give --input"]),
    ],
)
def test_a_wrong_request_is_refused_before_spark_starts(
    tmp_path: Path,
    arguments: list[str],
    said: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.pipeline.command_line.taken_session", None)  # not to be reached
    assert run_pipeline.main(["--output", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    for words in said:
        assert words in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_an_extractor_that_is_not_installed_is_a_wrong_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    arguments = ["--output", str(tmp_path), "--set", "extract.extractor=trafilatura"]
    with pytest.raises(ConfigError, match=r"pip install .taojin\[trafilatura\]"):
        prepare(PIPELINE, arguments)
