"""Settings of extraction are checked against the language model, where it is on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.catalogue.lock import Lock, load_lock
from jobs.config import Config, ConfigError, load_config
from jobs.pipeline.extraction import check_settings
from tests.builders.models import train_model


def locked(path: Path) -> Lock:
    """The lock with another file as the language model."""
    lock = load_lock(Config(), None)
    return replace(
        lock, artifacts=lock.artifacts | {"lid": replace(lock.artifacts["lid"], uri=str(path))}
    )


@pytest.mark.parametrize("key", ["extract.languages", "select.languages"])
def test_a_language_that_the_model_has_no_label_of_is_refused(tmp_path: Path, key: str) -> None:
    path = train_model(tmp_path / "lid.bin", {"zh": "天 气 很 好", "ja": "です ます から"})
    check_settings(load_config(None, [f'{key}=["zh", "und", "ja"]']), locked(path))
    wrong = load_config(None, [f'{key}=["zh", "zh-cn"]'])
    with pytest.raises(ConfigError) as error:
        check_settings(wrong, locked(path))
    said = f"{key} = ['zh', 'zh-cn']: the language model has no label 'zh-cn'; it has ja, zh"
    assert str(error.value) == said
    check_settings(wrong, locked(tmp_path / "not-fetched.bin"))


def test_a_broken_language_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lid.bin"
    path.write_bytes(b"no model" * 30)
    with pytest.raises(ConfigError, match=r"extract\.language_artifact: .*lid\.bin"):
        check_settings(load_config(None), locked(path))
