"""What is wrong with a request is said before Spark starts, in under two seconds."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.config import ConfigError
from jobs.pipeline.command_line import prepare
from jobs.pipeline.stages import PIPELINE

ROOT = Path(__file__).resolve().parents[3]


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
        ([], ["--input is needed"]),
    ],
)
def test_a_wrong_request_fails_fast(tmp_path: Path, arguments: list[str], said: list[str]) -> None:
    command = [sys.executable, "-m", "jobs.run_pipeline", "--output", str(tmp_path / "out")]
    # Processor time, since other tests run beside; and not of a first start on a cold machine.
    seconds = []
    for _ in range(3):
        started = _children_seconds()
        result = subprocess.run(
            [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        seconds.append(_children_seconds() - started)
        assert result.returncode == 2
        for words in said:
            assert words in result.stderr
        assert "Traceback" not in result.stderr
        if seconds[-1] < 2:
            break
    assert min(seconds) < 2
    assert not (tmp_path / "out").exists()


def test_an_extractor_that_is_not_installed_is_a_wrong_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    arguments = ["--output", str(tmp_path), "--set", "extract.extractor=trafilatura"]
    with pytest.raises(ConfigError, match=r"pip install .taojin\[trafilatura\]"):
        prepare(PIPELINE, None, arguments)
