"""Files that tokens are counted by: an estimate's coefficients, or a tokenizer.

An estimate is a JSON object with a coefficient for each of `FEATURES`; a tokenizer is the
``tokenizer.json`` of the library tokenizers, which is an optional dependency. This module imports
no compiled code: commands that only plan check such files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EXTRA = 'pip install "taojin[tokens]"'
"""How the library tokenizers is installed."""

CLASSES = (
    "other",  # symbols, emoji, marks, private use, unassigned
    "han_common",  # the 3,755 characters of the first level of GB 2312
    "han_second",  # the 3,008 of its second level
    "han_rest",  # all other Han characters, those of traditional script alone among them
    "latin",  # letters of Latin script
    "letters",  # letters of any other script
    "digits",
    "ascii_marks",  # punctuation and symbols of ASCII
    "wide_marks",  # general and CJK punctuation, full-width forms
    "spaces",
    "line_breaks",
)
"""Classes of characters: every code point has exactly one."""
RUNS = ("han_runs", "latin_runs", "digit_runs", "space_runs")
"""Longest stretches of characters of one group; most tokens end with them."""
FEATURES = (*CLASSES, *RUNS)
"""What an estimate has a coefficient for."""

_MOST = 1000


class TokenFileError(ValueError):
    """A file is neither an estimate nor a tokenizer; the message names it."""


def read_coefficients(path: Path) -> dict[str, float] | None:
    """Read an estimate: the coefficient of each feature; None for a file that has none.

    Raises:
        TokenFileError: no JSON object; a coefficient is missing, unknown or no number.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TokenFileError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise TokenFileError(f"{path}: expected a JSON object")
    found = content.get("coefficients")
    if found is None:
        return None
    if not isinstance(found, Mapping) or found.keys() != set(FEATURES):
        raise TokenFileError(
            f"{path}: coefficients: expected one for each of {', '.join(FEATURES)}"
        )
    return {name: _checked(found[name], name, path) for name in FEATURES}


def read_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer, which neither cuts nor pads texts.

    Raises:
        TokenFileError: the library refuses the file.
        ModuleNotFoundError: the library is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{path}: counting tokens exactly needs {EXTRA}", name=error.name
        ) from error
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise TokenFileError(
            f"{path}: is no tokenizer.json of the library tokenizers: {error}"
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def check_token_file(path: Path) -> None:
    """Check a file that tokens are estimated or counted by; once, unless it changes.

    Raises:
        TokenFileError: it is neither an estimate nor a tokenizer, or it is a tokenizer and the
            library is not installed.
    """
    _check_once(path, path.stat().st_mtime_ns)


def has_tokenizers() -> bool:
    """Whether the library tokenizers is installed."""
    return find_spec("tokenizers") is not None


@lru_cache(maxsize=4)
def _check_once(path: Path, _: int) -> None:
    try:
        if read_coefficients(path) is None:
            read_tokenizer(path)
    except ModuleNotFoundError as error:
        raise TokenFileError(str(error)) from error


def _checked(value: Any, name: str, path: Path) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < _MOST:
        raise TokenFileError(f"{path}: coefficients.{name} = {value!r}: expected 0 to {_MOST:,}")
    return float(value)
