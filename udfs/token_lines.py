"""From a text to the line of tokens that a fastText model reads, as the model was trained on it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from udfs.artifact_files import ArtifactFile
from udfs.segment import MAX_CHARS, STOP_WORDS, segment, tokens_for_fasttext

Segmenter = Literal["rjieba", "jieba"]

OWN: Literal["own"] = "own"

_LINE_BREAKS = {ord(sign): None for sign in "\r\n"}


class StopWordsError(ValueError):
    """A list of stop words cannot be read; the message names the file."""


@dataclass(frozen=True)
class Reading:
    """How a model wants its texts."""

    segmenter: Segmenter = "rjieba"
    """``rjieba`` is jieba's algorithm and words at seventeen times its speed."""
    min_token_chars: int = 2
    """Shorter tokens are left out."""
    stop_words: ArtifactFile | Literal["own"] | None = OWN
    """Tokens that are left out: a list, one a line; or ours; or none."""
    max_chars: int | None = MAX_CHARS
    """Only so many leading characters are cut; None for all."""
    join_lines: bool = False
    """Take line breaks out first, so that words run over them."""


def token_lines(texts: Sequence[str], readings: Sequence[Reading]) -> list[list[str]]:
    """The token lines of every text, for every reading; texts are cut into words once for all
    readings that have the same words.

    Returns:
        One list a reading, of one line a text, without line breaks; an empty line where nothing is
        left of a text.
    """
    lines: dict[Reading, list[str]] = {}
    words: dict[tuple[Segmenter, int | None, bool], list[list[str]]] = {}
    for reading in readings:
        if reading in lines:
            continue
        if reading == Reading():
            lines[reading] = [tokens_for_fasttext(text) for text in texts]
            continue
        cut = (reading.segmenter, reading.max_chars, reading.join_lines)
        if cut not in words:
            words[cut] = [_words(text, *cut) for text in texts]
        keep = functools.partial(
            _line, least=reading.min_token_chars, dropped=_stop_words(reading.stop_words)
        )
        lines[reading] = [keep(tokens) for tokens in words[cut]]
    return [lines[reading] for reading in readings]


def read_stop_words(path: Path) -> frozenset[str]:
    """A list of stop words, one a line; a byte order mark, CRLF and blank lines are fine.

    Raises:
        StopWordsError: unreadable, or not UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise StopWordsError(f"{path}: is not UTF-8 text: {error.reason}") from error
    except OSError as error:
        raise StopWordsError(f"{path}: cannot be read: {error.strerror or error}") from error
    return frozenset(word for line in lines if (word := line.strip()))


def _words(text: str, segmenter: Segmenter, max_chars: int | None, join_lines: bool) -> list[str]:
    if join_lines:
        text = text.translate(_LINE_BREAKS)
    text = text if max_chars is None else text[:max_chars]
    if segmenter == "rjieba":
        return segment(text)
    return _jieba()(text.encode("utf-8", "replace").decode("utf-8"))  # a lone surrogate becomes ?


def _line(words: Sequence[str], least: int, dropped: frozenset[str]) -> str:
    # White space is a word to a segmenter; "\r\n" is the one of two characters.
    kept = [w for w in words if len(w) >= least and w not in dropped and not w.isspace()]
    return " ".join(kept)


@functools.lru_cache(maxsize=8)
def _stop_words(words: ArtifactFile | Literal["own"] | None) -> frozenset[str]:
    if words is None:
        return frozenset()
    return STOP_WORDS if isinstance(words, str) else read_stop_words(words.local_path())


@functools.lru_cache(maxsize=1)
def _jieba() -> Callable[[str], list[str]]:
    """jieba's own cut, its dictionary read in this process.

    jieba would leave a cache in a folder that anybody may write to, and read it back with marshal.
    """
    import jieba  # an extra of this project

    tokeniser: Any = jieba.Tokenizer()
    tokeniser.FREQ, tokeniser.total = tokeniser.gen_pfdict(tokeniser.get_dict_file())
    tokeniser.initialized = True
    cut: Callable[[str], list[str]] = tokeniser.lcut
    return cut
