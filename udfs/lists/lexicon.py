"""Lexicons: word lists in the forms that they are published in."""

from __future__ import annotations

import codecs
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

MAX_WORD_CHARS = 200
"""Longest word. A file with a longer one is prose, not a list."""

_SEPARATORS = re.compile("[,，、]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_CACHE_PREFIX = re.compile("^[0-9a-f]{16}-")
"""Before the names of fetched artifacts."""

Words = dict[str, str]
"""Category of each word."""


class LexiconError(ValueError):
    """A word list cannot be read; the message names file and line."""


def read_words(path: Path) -> Words:
    """The words of a file with their categories; a word given again takes the later category.

    The form follows from the content, the first of these that fits:

    - JSON: a list of words; an object with lists of words by category; or an object whose keys are
      words, with numbers or lists of numbers (ToxiCN).
    - A tab in any line: every line is ``category TAB word`` (ChineseWebText). Other
      forms are not tried then; a list of ``word TAB category`` must be swapped first.
    - Commas (，, 、) in most lines: they stand between words. When each line is
      ``word,number`` the number is a weight, and is dropped.
    - One word a line, commas being part of words.

    Lines that begin with # and a blank are comments. Words without a category have the file's
    name, without its ending, as theirs. UTF-8, UTF-16 with a byte order mark, and GB18030 are read;
    CRLF, blank lines and blanks around a word are fine.

    Raises:
        LexiconError: unreadable, or of no such form.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LexiconError(f"{path}: cannot be read: {error.strerror or error}") from error
    text = _decode(data, path)
    category = PurePath(_CACHE_PREFIX.sub("", path.name)).stem
    content = _json_of(text, path)
    if content is not None:
        return dict(_json_words(content, category, path))
    lines = [
        (f"{path}:{number}", line.rstrip("\n"))
        for number, line in enumerate(io.StringIO(text, newline=None), start=1)
        if line.strip() and not (line.startswith("# ") and "\t" not in line)
    ]
    if any("\t" in line.strip() for _, line in lines):
        return dict(_tab_line(line, where) for where, line in lines)
    words = _words([(where, line.strip()) for where, line in lines])
    return {_checked(word, where): category for where, word in words}


class Lexicon:
    """Words with their categories."""

    def __init__(self, categories: Mapping[str, str]) -> None:
        """Sort the words.

        Args:
            categories: Category of each word; no word may be empty.
        """
        self.categories = dict(categories)
        self.words = tuple(sorted(self.categories))


def read_lexicon(path: Path) -> Lexicon:
    """Read a word list, in any of the forms that ``read_words`` knows.

    Raises:
        LexiconError: it cannot be read.
    """
    return Lexicon(read_words(path))


@lru_cache(maxsize=4)
def cached_lexicon(path: Path, sha256: str) -> Lexicon:
    """``read_lexicon``, once a worker process for each file with its digest."""
    return read_lexicon(path)


def _decode(data: bytes, path: Path) -> str:
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8-sig" or _is_plausible(text):
            return text
    raise LexiconError(f"{path}: is neither UTF-8 nor GB18030 text; save the list as UTF-8")


def _is_plausible(text: str) -> bool:
    """Whether bytes were read in their own encoding: others give unassigned and private ones."""
    return not any(
        unicodedata.category(char) in ("Cc", "Cn", "Co") for char in set(text) - set("\t\r\n")
    )


def _json_of(text: str, path: Path) -> Any:
    """The content of JSON text; None for other text."""
    if path.suffix.lower() != ".json" and not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if path.suffix.lower() == ".json":
            raise LexiconError(f"{path}: is not JSON: {error}") from error
        return None


def _json_words(content: Any, category: str, path: Path) -> Iterator[tuple[str, str]]:
    if isinstance(content, dict) and all(map(_is_numbers, content.values())):
        content = list(content)
    if isinstance(content, list):
        for word in content:
            yield _json_word(word, path), category
    elif isinstance(content, dict) and all(isinstance(value, list) for value in content.values()):
        for key, words in content.items():
            for word in words:
                yield _json_word(word, path), key.strip()
    else:
        raise LexiconError(
            f"{path}: expected a JSON list of words, lists of words by category, or words with "
            "numbers"
        )


def _is_numbers(value: Any) -> bool:
    """Whether a value is nothing, a number, or a list of numbers."""
    values = value if isinstance(value, list) else [value]
    return all(one is None or isinstance(one, int | float) for one in values)


def _json_word(word: Any, path: Path) -> str:
    if not isinstance(word, str) or not word.strip():
        raise LexiconError(f"{path}: expected a word, found {word!r}")
    return _checked(word.strip(), str(path))


def _tab_line(line: str, where: str) -> tuple[str, str]:
    """Word and category."""
    fields = line.split("\t")
    if len(fields) != 2 or not fields[1].strip():
        raise LexiconError(f"{where}: expected 'category TAB word', found {line.strip()!r}")
    return fields[1].strip(), fields[0].strip()


def _words(lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Place and word, of lines without a tab."""
    parts = [(where, _SEPARATORS.split(line)) for where, line in lines]
    if 2 * sum(len(words) > 1 for _, words in parts) <= len(parts):
        yield from lines
        return
    weighted = all(len(words) == 2 and _NUMBER.fullmatch(words[1].strip()) for _, words in parts)
    for where, words in parts:
        for word in words[:1] if weighted else words:
            if word.strip():
                yield where, word.strip()


def _checked(word: str, where: str) -> str:
    if len(word) > MAX_WORD_CHARS:
        raise LexiconError(
            f"{where}: {word[:20]!r}... has {len(word):,} characters; words have "
            f"{MAX_WORD_CHARS} at most"
        )
    return word
