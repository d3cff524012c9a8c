"""The catalogue, the cache, and files that are not what they should be."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.artifacts import (
    Artifact,
    bundled_conf,
    fetch,
    find_artifact,
    find_artifact_or_file,
    load_catalogue,
)
from jobs.config import ArtifactsConfig, Config, ConfigError
from udfs.artifact_files import ArtifactMismatch, sha256_of

DATA = b"the bytes of a model"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(artifacts=ArtifactsConfig(cache=str(tmp_path / "cache")))


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    path = tmp_path / "model.ftz"
    path.write_bytes(DATA)
    return Artifact("model", "1", str(path), hashlib.sha256(DATA).hexdigest(), "Apache-2.0")


def test_a_file_is_fetched_once(config: Config, model: Artifact) -> None:
    first = fetch(model, config)
    assert first.read_bytes() == DATA
    Path(model.uri).unlink()
    assert fetch(model, config) == first


def test_a_tampered_source_never_reaches_the_cache(config: Config, model: Artifact) -> None:
    Path(model.uri).write_bytes(DATA[::-1])
    with pytest.raises(ArtifactMismatch, match="model"):
        fetch(model, config)
    cache = config.artifacts.cache
    assert cache is not None
    assert list(Path(cache).iterdir()) == []


def test_a_tampered_cache_is_noticed(config: Config, model: Artifact) -> None:
    fetch(model, config).write_bytes(DATA[::-1])
    with pytest.raises(ArtifactMismatch, match="model"):
        fetch(model, config)


def test_a_missing_source_is_named(config: Config, model: Artifact) -> None:
    with pytest.raises(ConfigError, match=r"absent\.ftz"):
        fetch(replace(model, uri=f"{model.uri[:-9]}absent.ftz"), config)


def test_the_bundled_catalogue_names_files_that_are_there() -> None:
    catalogue = load_catalogue(Config(), None)
    local = [a for a in catalogue.values() if "://" not in a.uri]
    assert {"quality", "domain", "toxicity", "lexicon"} <= {a.name for a in local}
    for artifact in local:
        assert sha256_of(Path(artifact.uri)) == artifact.sha256
        assert (Path(artifact.uri).parent / "CARD.md").is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[m]\nversion = "1"\n', "exactly the keys"),
        ('[m]\nversion = 1\nuri = "m"\nsha256 = "0"\nlicence = "x"\n', "m.version = 1"),
        ("[m\n", "cannot be read"),
    ],
)
def test_a_broken_catalogue_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "artifacts.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"artifacts\.toml") as error:
        load_catalogue(Config(), tmp_path / "run.toml")
    assert said in str(error.value)


def test_a_name_that_is_not_there_comes_with_those_that_are(model: Artifact) -> None:
    with pytest.raises(ConfigError, match=r"quality\.artifact = 'best'.*model"):
        find_artifact({"model": model}, "best", "quality.artifact")


def test_a_word_list_may_be_a_path(tmp_path: Path, model: Artifact) -> None:
    path = tmp_path / "words.tsv"
    path.write_text("spam\t刷单\n", encoding="utf-8")
    found = find_artifact_or_file({"model": model}, str(path), "rules.lexicon")
    assert found.sha256 == sha256_of(path)
    assert Path(found.uri) == path


def test_the_bundled_conf_is_a_folder_with_the_catalogue() -> None:
    assert (bundled_conf() / "artifacts.toml").is_file()
