"""Requests are checked before Spark starts, without the libraries that only workers need."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import run_pipeline
from jobs.config import ConfigError
from jobs.pipeline.command_line import prepare
from jobs.pipeline.stages import PIPELINE
from tests.jobs.conftest import ROOT

HEAVY = {"numba", "pandas", "scipy", "sklearn", "torch"}

LIGHT = """
import importlib, json, pkgutil, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

output, sample, heavy = sys.argv[1], sys.argv[2], set(sys.argv[3].split(","))
found = {}

def note(name):
    found[name] = sorted(heavy & sys.modules.keys())

def main(job, *arguments):
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        try:
            return importlib.import_module(f"jobs.{job}").main([*arguments])
        except SystemExit as end:
            return end.code

import jobs.tables
note("jobs.tables")
import jobs.launch
for module in pkgutil.iter_modules(jobs.launch.__path__, "jobs.launch."):
    importlib.import_module(module.name)
note("jobs.launch")
assert main("submit_run", "--help") == 0
note("submit_run --help")
assert main("run_pipeline", "--help") == 0
note("--help")
assert main("run_pipeline", "--output", output, "--set", "rules.min_char=3") == 2
note("a wrong setting")
assert main("run_pipeline", "--output", output) == 2
note("no input")
assert main("run_pipeline", "--output", output, "--input", sample, "--plan") == 0
note("--plan")
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "rules.min_char=3"], ["rules.min_char = 3", "min_chars", "[rules]"]),
        (["--set", "select.min_quality=2"], ["select.min_quality = 2", "expected 0 to 1, or off"]),
        (["--set", "rules.min_chars=-4"], ["rules.min_chars = -4", "expected 0 or more, or off"]),
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
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)  # not to be reached
    assert run_pipeline.main(["--output", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    for words in said:
        assert words in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_number_that_an_output_remembers_has_bounds_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = tmp_path / "out" / "request.toml"
    request.parent.mkdir()
    request.write_text("[rules]\nmin_chars = -4\n", encoding="utf-8")
    assert run_pipeline.main(["--output", str(request.parent)]) == 2
    said = capsys.readouterr().err
    assert f"{request}: rules.min_chars = -4: expected 0 or more, or off" in said


def test_what_needs_no_spark_imports_no_library_of_its_workers(tmp_path: Path) -> None:
    sample = tmp_path / "a.jsonl"
    sample.write_text('{"text": "a"}\n', encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-c", LIGHT, str(tmp_path / "out"), str(sample), ",".join(HEAVY)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert "--plan" in found
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_an_extractor_that_is_not_installed_is_a_wrong_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "trafilatura" else installed(name),
    )
    arguments = ["--output", str(tmp_path), "--set", "extract.extractor=trafilatura"]
    with pytest.raises(ConfigError, match=r"pip install .taojin\[trafilatura\]"):
        prepare(PIPELINE, arguments)
