"""What the page of questions and answers shows gives what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.jobs.conftest import ROOT, Output

PAGE = ROOT / "jobs" / "QUESTIONS.md"


def test_a_corpus_loads_as_shown(
    sample_output: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    shown = PAGE.read_text(encoding="utf-8").replace("out/sample", str(sample_output.path))
    examples = doctest.DocTestParser().get_doctest(shown, {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted >= 10
    assert results.failed == 0
