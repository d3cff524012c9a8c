"""Folders of models as one file: what is packed, what is refused, and what is unpacked."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from jobs.pairs import import_model
from udfs.pair_scorers.model_folders import (
    ModelFolderError,
    pack_folder,
    packed_config,
    unpacked,
)

FILES = {
    "config.json": '{"architectures": ["CLIPModel"]}',
    "model.safetensors": "weights",
    "tokenizer.json": "{}",
    "preprocessor_config.json": "{}",
    "onnx/config.json": "{}",
}
LEFT_OUT = {"pytorch_model.bin": "pickle", "modeling_own.py": "code", ".git/config.txt": "git"}


def folder_of(path: Path, **changed: str | None) -> Path:
    files = {
        **FILES,
        **LEFT_OUT,
        **{name.replace("__", "."): text for name, text in changed.items()},
    }
    for name, text in files.items():
        if text is not None:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_folder_and_its_copy_give_the_same_bytes_and_come_back_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name in ("one", "other"):
        folder = folder_of(tmp_path / name)
        os.utime(folder / "config.json", (name == "one", 7))
        files.append(tmp_path / f"{name}.zip")
        assert import_model.main(["--model", str(folder), "--output", str(files[-1])]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert 'kind = "model"' in capsys.readouterr().out
    folder = unpacked(files[0])
    assert folder == unpacked(files[1])
    found = {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()
    }
    assert found == FILES
    assert packed_config(files[0], architectures=["CLIPModel", "SiglipModel"]) == {
        "architectures": ["CLIPModel"]
    }


def test_a_folder_that_was_changed_is_not_used(tmp_path: Path) -> None:
    pack_folder(folder_of(tmp_path / "model"), tmp_path / "model.zip")
    (unpacked(tmp_path / "model.zip") / "model.safetensors").write_text("other", encoding="utf-8")
    with pytest.raises(ModelFolderError, match=r"model\.safetensors was changed"):
        unpacked(tmp_path / "model.zip")


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"model__safetensors": None}, "weights are pickled (pytorch_model.bin)"),
        ({"model__safetensors": None, "pytorch_model__bin": None}, "has no weights"),
        ({"config__json": None}, "has no config.json"),
    ],
)
def test_a_folder_without_weights_that_load_safely_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, None], message: str
) -> None:
    folder = folder_of(tmp_path / "model", **changed)
    assert import_model.main(["--model", str(folder), "--output", str(tmp_path / "m.zip")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"config__json": '{"architectures": ["BertModel"]}'}, "expected one of CLIPModel"),
        ({"config__json": "[]"}, "config.json is not an object"),
        ({"tokenizer__json": None}, "has no tokenizer"),
        ({"preprocessor_config__json": None}, "has no image processor"),
    ],
)
def test_what_a_packed_model_lacks_is_named(
    tmp_path: Path, changed: dict[str, str | None], message: str
) -> None:
    pack_folder(folder_of(tmp_path / "model", **changed), tmp_path / "model.zip")
    with pytest.raises(ModelFolderError, match=message):
        packed_config(tmp_path / "model.zip", architectures=["CLIPModel"])


@pytest.mark.parametrize("name", ["../config.json", "/config.json", "own.py", "a\\..\\b.json"])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(ModelFolderError, match="expected the file of a model"):
        unpacked(path)
    assert list(tmp_path.rglob("*.json")) == []


def test_another_file_is_no_packed_model(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(ModelFolderError, match="is not a packed model"):
        packed_config(path)
