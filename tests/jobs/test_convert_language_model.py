"""n-gram models to ARPA files and back, by the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import convert_language_model
from jobs.training.toxicity.char_lm_estimate import estimate
from tests.jobs.training.test_char_lm_estimate import lines_of
from tests.udfs.models.plain_char_lm import score_lines
from udfs.files.artifacts import sha256_of
from udfs.models.char_lm_file import arpa_text, compact_bytes, load_language_model

LINES = lines_of(5)
NGRAMS = estimate(LINES, 3, [1, 1, 2])


def convert(model: Path, output: Path) -> int:
    return convert_language_model.main(["--model", str(model), "--output", str(output)])


def test_a_compact_model_goes_to_arpa_and_comes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compact, arpa, again = tmp_path / "own.ng", tmp_path / "new/own.arpa", tmp_path / "again.ng"
    compact.write_bytes(compact_bytes(NGRAMS))
    assert convert(compact, arpa) == 0
    said = capsys.readouterr().out
    assert f'sha256 = "{sha256_of(arpa)}"' in said
    assert f"size = {arpa.stat().st_size}\n" in said
    assert arpa.read_text(encoding="utf-8").startswith("\\data\\\nngram 1=")
    assert convert(arpa, again) == 0
    scores = [
        score_lines(load_language_model(path), LINES).tolist() for path in (compact, arpa, again)
    ]
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)
    assert scores[2] == pytest.approx(scores[0], abs=1e-4)  # its levels are there already


def test_what_is_no_model_is_refused_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, output = tmp_path / "own.arpa", tmp_path / "own.ng"
    words = arpa_text(NGRAMS)
    first = NGRAMS.vocabulary[3]
    for content, said in (
        ("no model", "was expected"),
        (words[: len(words) // 2], "own.arpa"),
        (words.replace(first, f"{first}{first}"), "single characters"),
    ):
        model.write_text(content, encoding="utf-8")
        assert convert(model, output) == 2
        assert said in capsys.readouterr().err
        assert not output.exists()
    assert convert(tmp_path / "absent.arpa", output) == 2
    assert "absent.arpa" in capsys.readouterr().err
