"""A model's folder of transformers as one file, so that one digest covers all of it.

The file is an uncompressed zip archive, the same bytes for the same folder: weights as safetensors,
configuration, tokenizer and processor. Pickled weights and code are left out, and a folder that has
nothing else is refused. An executor unpacks it once a machine.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from udfs.files.artifact_cache import cached_copy, machine_folder
from udfs.files.artifacts import sha256_of

WEIGHTS = ".safetensors"
_PACKED = frozenset({WEIGHTS, ".json", ".txt", ".model", ".jinja"})
"""Endings of what is packed: all that transformers reads of a folder but code and pickles."""
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model")
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_CHUNK_BYTES = 1 << 20
_JSON_LIMIT = 16 << 20


class ModelFolderError(ValueError):
    """A folder or file is not a model that can be used; the message names it."""


def pack_folder(folder: Path, output: Path) -> None:
    """Write a model's folder as one file.

    Raises:
        ModelFolderError: it has no configuration, or no weights as safetensors.
        OSError: reading or writing failed.
    """
    files = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in _PACKED and not _is_hidden(path.relative_to(folder))
    }
    check_weights(folder, [path.name for path in folder.rglob("*")])
    if "config.json" not in files:
        raise ModelFolderError(f"{folder}: has no config.json: expected a folder of transformers")
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = _MODE
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                _copy(source, target)


def check_weights(where: object, names: Collection[str]) -> None:
    """Raise ModelFolderError unless some files are weights as safetensors."""
    if any(name.endswith(WEIGHTS) for name in names):
        return
    if pickled := sorted(name for name in names if name.endswith(_PICKLED)):
        raise ModelFolderError(
            f"{where}: its weights are pickled ({', '.join(pickled)}), which may run code: "
            "expected *.safetensors, as save_pretrained writes them"
        )
    raise ModelFolderError(f"{where}: has no weights: expected *.safetensors")


def packed_config(
    path: Path, *, architectures: Collection[str] = (), tokenizer: bool = True, images: bool = True
) -> dict[str, Any]:
    """Return the configuration of a packed model, without unpacking or loading it.

    Args:
        architectures: Names of which it must state one; none for any.
        tokenizer: Whether it must have one.
        images: Whether it must have a processor of images.
    Raises:
        ModelFolderError: it is not a packed model, or lacks what is asked for.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            config = read_json(archive, "config.json")
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ModelFolderError(
            f"{path}: is not a packed model: {error}; make one with "
            "python -m jobs.pairs.import_model"
        ) from error
    check_weights(path, names)
    stated = [str(name) for name in config.get("architectures") or []]
    if architectures and not set(stated) & set(architectures):
        raise ModelFolderError(
            f"{path}: architectures = {stated}: expected one of {', '.join(sorted(architectures))}"
        )
    if tokenizer and not set(_TOKENIZERS) & set(names):
        raise ModelFolderError(
            f"{path}: has no tokenizer: expected one of {', '.join(_TOKENIZERS)}"
        )
    if images and not set(_PROCESSORS) & set(names):
        raise ModelFolderError(
            f"{path}: has no image processor: expected one of {', '.join(_PROCESSORS)}"
        )
    return config


def read_json(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """Return a JSON object in an archive.

    Raises:
        KeyError: it has no such file.
        ValueError: that is no JSON object, or larger than a configuration.
    """
    if archive.getinfo(name).file_size > _JSON_LIMIT:
        raise ValueError(f"{name} has over {_JSON_LIMIT:,} bytes")
    found = json.loads(archive.read(name))
    if not isinstance(found, dict):
        raise ValueError(f"{name} is not an object")
    return found


def unpacked(path: Path) -> Path:
    """Return the folder of a packed model, unpacked once a machine and user.

    What was unpacked before is compared with the file's checksums, so that a folder that was
    changed is not used.

    Raises:
        ModelFolderError: it is not a packed model, or its folder was changed.
        OSError: unpacking failed.
    """

    def extract(target: Path) -> None:
        target.mkdir()
        with zipfile.ZipFile(path) as archive:
            for name, entry in _entries(path, archive).items():
                place = target / name
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, place.open("wb") as file:
                    _copy(source, file)

    folder = cached_copy(machine_folder(), f"{sha256_of(path)[:32]}.model", extract)
    with zipfile.ZipFile(path) as archive:
        for name, entry in _entries(path, archive).items():
            if not (folder / name).is_file() or _checksum(folder / name) != entry.CRC:
                raise ModelFolderError(f"{folder}: {name} was changed: remove the folder")
    return folder


def _entries(path: Path, archive: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    """The files of an archive; none lies outside of the folder that it is unpacked to."""
    found = {}
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename)
        is_outside = name.is_absolute() or ".." in name.parts or "\\" in entry.filename
        if is_outside or entry.is_dir() or name.suffix not in _PACKED:
            raise ModelFolderError(
                f"{path}: {entry.filename!r}: expected the file of a model; make one with "
                "python -m jobs.pairs.import_model"
            )
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ModelFolderError(f"{path}: {entry.filename!r} is compressed: expected it stored")
        found[entry.filename] = entry
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while chunk := source.read(_CHUNK_BYTES):
        target.write(chunk)


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found = zlib.crc32(chunk, found)
    return found
