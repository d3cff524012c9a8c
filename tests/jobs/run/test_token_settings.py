"""How tokens are counted: an estimate, or a tokenizer that select.tokenizer names."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

from jobs.catalogue.lock import load_lock
from jobs.config import Config, ConfigError, load_config, named_artifacts
from jobs.config.scorers import declared
from jobs.run.scorers import check_scorers, chosen_scorers, lock_id_of, stamp_of_scorer
from udfs.files.artifacts import sha256_of
from udfs.tokens import token_files


@pytest.fixture
def tokenizer_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokenizer.json"
    Tokenizer(models.WordLevel({"[UNK]": 0}, "[UNK]")).save(str(path))
    return path


def checked(*settings: str) -> tuple[Config, dict[str, str]]:
    """The configuration, and what the rows of each scorer follow from."""
    config = load_config(None, settings)
    lock = load_lock(config, None)
    check_scorers(config, lock)
    return config, {name: lock_id_of(name, config, lock) for name in chosen_scorers(config)}


def test_a_tokenizer_takes_the_place_of_the_estimate_and_changes_tokens_alone(
    tokenizer_file: Path,
) -> None:
    config, ids = checked()
    assert stamp_of_scorer("tokens", config, load_lock(config, None)).startswith("token_estimate@1")
    exact, other_ids = checked(f"select.tokenizer={tokenizer_file}")
    digest = sha256_of(tokenizer_file)[:12]
    stamp = stamp_of_scorer("tokens", exact, load_lock(exact, None))
    assert stamp == f"tokenizer.json@local+{digest}"
    assert [name for name in ids if ids[name] != other_ids[name]] == ["tokens"]
    asked = [(a.key, a.kind) for a in named_artifacts(exact) if a.name == str(tokenizer_file)]
    assert asked == [("select.tokenizer", "tokenizer")]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("select.tokenizer=absent.json", "select.tokenizer = 'absent.json': no such artifact, and"),
        ("select.tokenizer=quality", "select.tokenizer = 'quality': is a model, expected a token"),
        ("select.tokenizer={}", "is no tokenizer.json of the library tokenizers"),
        ("tokens.artifact={}", "is no tokenizer.json of the library tokenizers"),
    ],
)
def test_other_files_are_refused_before_work(setting: str, said: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"model": 3}', encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        checked(setting.format(wrong))
    assert said in str(error.value)
    assert setting.partition("=")[0] in str(error.value)


def test_a_missing_library_is_named_before_work(
    tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_files, "has_tokenizers", lambda: False)
    checked()
    with pytest.raises(ConfigError) as error:
        checked(f"select.tokenizer={tokenizer_file}")
    assert "select.tokenizer = " in str(error.value)
    assert str(error.value).endswith('counting tokens exactly needs pip install "taojin[tokens]"')


def test_tokens_are_counted_by_default() -> None:
    assert declared()["tokens"].is_default
