"""Texts of a user's own files: WARC, JSON lines or Parquet, as a run reads them."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import Any

from jobs.config.settings import ExtractConfig, InputConfig
from jobs.training.common.task import TrainingError
from udfs.base.han import han_ideographs
from udfs.extract.extract import ExtractOptions, host_of, split_outcomes
from udfs.extract.outcomes import Candidate, Failed
from udfs.extract.pages import PageOptions
from udfs.files.formats import FORMAT_NAMES, format_of_name, read_head
from udfs.files.retry import RetryPolicy
from udfs.files.uris import expand_inputs, open_input, provenance_path, redact

MIN_HAN_SHARE = 0.3
"""Least share of Han characters of a text, as of the rules' default."""

_PIECE = 1 << 20


@dataclass(frozen=True)
class FileText:
    """A text of a file."""

    text: str
    site: str
    """The host of its url; without one, the file's name: a file is one source."""
    has_url: bool


@dataclass(frozen=True)
class ReadTexts:
    """Texts of some files, and what the files are."""

    texts: list[FileText]
    """Ordered by the digests of the texts."""
    files: list[dict[str, Any]]
    """A row of the card's table of data for each file."""


@dataclass(frozen=True)
class _File:
    """A file as the reader of a run takes it."""

    uri: str
    warc_path: str
    input_format: str


def find_text_files(option: str, inputs: Sequence[str]) -> list[tuple[str, str]]:
    """Return the files that an option's inputs name, and the format of each.

    Args:
        option: For messages.
        inputs: As `udfs.files.uris.expand_inputs` takes them: files, folders, globs, lists.
    Raises:
        TrainingError: a file is missing, cannot be read, or is of another format.
    """
    try:
        found = expand_inputs(inputs)
        formats = [(file.uri, _format_of(file.uri)) for file in found]
    except (ValueError, OSError) as error:
        raise TrainingError(f"{option}: {error}") from error
    if not formats:
        raise TrainingError(f"{option}: no file in {' '.join(inputs)}")
    return formats


def read_texts(option: str, files: Sequence[tuple[str, str]], use: str, most: int) -> ReadTexts:
    """Read texts, each once, that are mostly Chinese.

    Args:
        option: For messages.
        files: As `find_text_files` gives them.
        use: What the texts are used for, in words for the card.
        most: Texts at most: those with the lowest digests, a sample that does not depend on the
            files' order.
    Raises:
        TrainingError: a file has no such text, or cannot be read.
    """
    lowest: dict[bytes, FileText] = {}
    described = []
    for uri, its_format in files:
        file = _File(uri, provenance_path(uri), its_format)
        name = PurePosixPath(file.warc_path).name
        reasons: Counter[str] = Counter()
        number = count()
        its = ((_digest(t.text), t) for t in _texts_of(file, name, reasons, number))
        merged = heapq.merge(lowest.items(), _sorted_sample(its, most), key=lambda pair: pair[0])
        rows = next(number)
        if reasons.total() == rows:
            raise TrainingError(
                f"{option}: {redact(uri)}: none of its {rows} records has a text of which "
                f"{MIN_HAN_SHARE:.0%} are Han characters: {_said(reasons)}"
            )
        lowest = {}
        for digest, text in merged:
            if len(lowest) == most:
                break
            lowest.setdefault(digest, text)
        described.append(
            {
                "file": name,
                "rows": rows - reasons.total(),
                "use": use,
                "licence": "not stated",
                "sha256": _sha256_of(uri),
            }
        )
    return ReadTexts(list(lowest.values()), described)


def _sorted_sample(
    texts: Iterator[tuple[bytes, FileText]], most: int
) -> list[tuple[bytes, FileText]]:
    return heapq.nsmallest(most, texts, key=lambda pair: pair[0])


def _format_of(uri: str) -> str:
    its_format = format_of_name(uri)
    if its_format is None:
        head = read_head(uri, RetryPolicy())
        its_format = head.format
        if its_format is None:
            known = ", ".join(dict.fromkeys(FORMAT_NAMES.values()))
            raise ValueError(f"{redact(uri)}: {head.description}: expected {known}")
    return its_format


def _texts_of(
    file: _File, name: str, reasons: Counter[str], number: Iterator[int]
) -> Iterator[FileText]:
    """Yield the texts of a file that are mostly Chinese.

    Args:
        reasons: Counts, by reason, of what is no such text.
        number: Advanced for each record.
    """
    for outcome in split_outcomes(file, _options()):
        next(number)
        if isinstance(outcome, Failed):
            reasons[outcome.detail or outcome.reason] += 1
        elif not isinstance(outcome, Candidate):
            reasons[outcome.reason] += 1
        elif han_ideographs(outcome.text) < MIN_HAN_SHARE * len(outcome.text):
            reasons["too few Han characters"] += 1
        else:
            host = host_of(outcome.url)
            yield FileText(outcome.text, host or name, host is not None)


def _options() -> ExtractOptions:
    """The defaults of a run, without an identifier of languages."""
    extract, columns = ExtractConfig(), InputConfig()
    return ExtractOptions(
        languages=frozenset(),
        min_language_score=None,
        max_record_bytes=extract.max_record_bytes,
        page=PageOptions(),
        text_column=columns.text_column,
        id_column=columns.id_column,
        batch_rows=extract.batch_rows,
        batch_bytes=extract.batch_bytes,
    )


def _said(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} ({rows})" for reason, rows in reasons.most_common(3)) or "no record"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _sha256_of(uri: str) -> str:
    digest = hashlib.sha256()
    with open_input(uri) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
