"""Files of benchmarks to questions, and questions to an index that is made once and cached.

Runs on the driver before Spark starts: what is wrong with a file is an error of the request.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import logging
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import zstandard

from udfs.base.settings import ConfigError
from udfs.files.artifact_cache import cached_copy
from udfs.files.uris import (
    GZIP_MAGIC,
    InputNotFound,
    canonical_uri,
    expand_inputs,
    open_input,
    redact,
    scheme_of,
)
from udfs.models.benchmark_index import INDEX_VERSION, NoQuestions, Question, index_bytes
from udfs.models.overlap_text import FOLD_VERSION

_LOG = logging.getLogger("taojin")

_KEY = "contamination.benchmarks"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_COMPRESSED = ("gz", "zst")
_ID_COLUMNS = ("id", "question_id")
_MAGIC = "*?["

Row = Mapping[str, Any]


class QuestionSettings(Protocol):
    """What questions and their n-grams follow from; `ContaminationSettings` says what each is."""

    @property
    def benchmarks(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def text_files(self) -> str: ...
    @property
    def ngram(self) -> int: ...
    @property
    def min_chars(self) -> int: ...


class BenchmarkFile(NamedTuple):
    """A file of questions."""

    name: str
    """Its own name, or the path below the folder or pattern that names it; its URI where two files
    have the same."""
    uri: str
    content: bytes
    """As it is, compressed or not."""


class BenchmarkFileError(ConfigError):
    """A file of questions cannot be read; the message names it."""

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(f"{_KEY}: {redact(uri)}: {problem}")


def cached_index(settings: QuestionSettings, config_file: Path | None, cache: Path) -> Path:
    """Return the index of the files that the settings name; make it if the cache has none.

    Raises:
        ConfigError: a file is missing, empty or broken, or has no question that is long enough.
        OSError: a store or the cache cannot be reached.
    """
    files = read_files(settings.benchmarks, config_file)
    parts = [
        *("index", INDEX_VERSION, FOLD_VERSION, unicodedata.unidata_version),
        *(settings.columns, settings.text_files, settings.ngram, settings.min_chars),
        *((file.name, hashlib.sha256(file.content).hexdigest()) for file in files),
    ]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def made(target: Path) -> None:
        questions = questions_of(files, settings)
        names = [file.name for file in files]
        try:
            content = index_bytes(names, questions, settings.ngram, settings.min_chars)
        except NoQuestions as error:
            raise ConfigError(f"{_KEY} = {list(settings.benchmarks)}: {error}") from error
        target.write_bytes(content)
        _LOG.info("%s: %s questions of %s files", _KEY, f"{len(questions):,}", f"{len(files):,}")

    return cached_copy(cache, f"{digest[:16]}-benchmarks.index", made)


def read_files(benchmarks: Sequence[str], config_file: Path | None) -> list[BenchmarkFile]:
    """Read the files that a list of files, folders and patterns names, each once, in its order.

    Raises:
        ConfigError: one does not exist or matches nothing, or has an ending of another format.
        OSError: a store cannot be reached.
    """
    found: dict[str, str] = {}
    for given in benchmarks:
        argument = _located(given, config_file)
        try:
            uris = [file.uri for file in expand_inputs([argument])]
        except InputNotFound as error:
            raise ConfigError(f"{_KEY}: no such file or folder: {redact(given)}") from error
        except ValueError as error:
            raise ConfigError(f"{_KEY}: {error}") from error
        is_named = argument.startswith("@") or uris == [canonical_uri(argument)]
        readable = [uri for uri in uris if is_named or _format_of(uri) is not None]
        if not readable:
            raise ConfigError(f"{_KEY}: {redact(given)}: holds no file of {_known()}")
        for uri in readable:
            found.setdefault(uri, _own_name(uri) if is_named else uri.removeprefix(_base(argument)))
    counts = Counter(found.values())
    return [
        BenchmarkFile(name if counts[name] == 1 else redact(uri), uri, _content(uri))
        for uri, name in found.items()
    ]


def questions_of(files: Sequence[BenchmarkFile], settings: QuestionSettings) -> list[Question]:
    """Return the questions of files, those of one row or line together.

    Raises:
        ConfigError: a file is empty or broken, or its rows have no text.
    """
    found: list[Question] = []
    for number, file in enumerate(files):
        format_name = _format_of(file.uri)
        if format_name is None:
            raise BenchmarkFileError(file.uri, f"expected a file of {_known()}")
        content = _decompressed(file)
        if not content.strip():
            raise BenchmarkFileError(file.uri, "is empty")
        if format_name == "txt":
            own = _text_questions(file, content, number, settings.text_files)
        else:
            rows = _READERS[format_name](file, content)
            own = _row_questions(file, rows, number, settings.columns)
        if not own:
            raise BenchmarkFileError(file.uri, "has no rows with text")
        found += own
    return found


def _located(given: str, config_file: Path | None) -> str:
    """A relative path below the configuration file's folder, if it is there."""
    if scheme_of(given) == "" and config_file is not None and not Path(given).is_absolute():
        beside = config_file.parent / given
        if beside.exists() or any(config_file.parent.glob(given)):
            return str(beside)
    return given


def _base(argument: str) -> str:
    """What is left out of the names of the files of a folder or a pattern.

    >>> _base("/data/ceval/"), _base("/data/ceval/*/test.parquet")
    ('/data/', '/data/ceval/')
    """
    plain = argument.rstrip("/")
    first = min((plain.find(sign) for sign in _MAGIC if sign in plain), default=len(plain))
    plain = canonical_uri(plain[: plain.rfind("/", 0, first) + 1] or ".")
    return plain.rstrip("/") + "/"


def _own_name(uri: str) -> str:
    return uri.partition("?")[0].rpartition("/")[2]


def _content(uri: str) -> bytes:
    try:
        with open_input(uri) as file:
            return file.read()
    except FileNotFoundError as error:
        raise BenchmarkFileError(uri, "no such file") from error


def _format_of(uri: str) -> str | None:
    """The format that a file's name says; None for another one.

    >>> _format_of("/data/ceval.jsonl.zst"), _format_of("/data/README.md")
    ('jsonl', None)
    """
    endings = _own_name(uri).lower().split(".")[1:]
    if endings and endings[-1] in _COMPRESSED:
        endings.pop()
    name = endings[-1] if endings else ""
    return name if name in _READERS or name == "txt" else None


def _known() -> str:
    return f"{', '.join('.' + name for name in _READERS)} or .txt, also .gz or .zst"


def _decompressed(file: BenchmarkFile) -> bytes:
    content = file.content
    try:
        if content.startswith(GZIP_MAGIC):
            return gzip.decompress(content)
        if content.startswith(_ZSTD_MAGIC):
            with zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True) as s:
                return s.read()
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise BenchmarkFileError(file.uri, f"cannot be decompressed: {error}") from error
    return content


def _text_of(file: BenchmarkFile, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchmarkFileError(file.uri, f"is not UTF-8: {error.reason}") from error


def _json_lines(file: BenchmarkFile, content: bytes) -> Iterator[Row]:
    for number, line in enumerate(_text_of(file, content).split("\n"), 1):
        if line.strip():
            yield _row(file, _parsed(file, line, f"line {number}"), f"line {number}")


def _json_document(file: BenchmarkFile, content: bytes) -> Iterator[Row]:
    """The rows of a JSON array, of the one array of objects that an object holds, or of lines."""
    text = _text_of(file, content)
    try:
        document = json.loads(text)
    except ValueError:
        yield from _json_lines(file, content)
        return
    if isinstance(document, dict):
        arrays = [v for v in document.values() if isinstance(v, list) and _are_rows(v)]
        document = arrays[0] if len(arrays) == 1 else [document]
    if not isinstance(document, list):
        raise BenchmarkFileError(file.uri, "expected a JSON array of objects")
    for number, row in enumerate(document, 1):
        yield _row(file, row, f"entry {number}")


def _are_rows(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)


def _parsed(file: BenchmarkFile, text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BenchmarkFileError(file.uri, f"{place} is no JSON: {error}") from error


def _row(file: BenchmarkFile, value: Any, place: str) -> Row:
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise BenchmarkFileError(file.uri, f"{place}: expected a JSON object, not {value!r:.40}")
    return value


def _csv_rows(file: BenchmarkFile, content: bytes) -> Iterator[Row]:
    return _delimited(file, content, ",")


def _tsv_rows(file: BenchmarkFile, content: bytes) -> Iterator[Row]:
    return _delimited(file, content, "\t")


def _delimited(file: BenchmarkFile, content: bytes, delimiter: str) -> Iterator[Row]:
    lines = io.StringIO(_text_of(file, content), newline="")
    try:
        yield from csv.DictReader(lines, delimiter=delimiter, restkey="", strict=True)
    except csv.Error as error:
        raise BenchmarkFileError(file.uri, f"is no table: {error}") from error


def _parquet_rows(file: BenchmarkFile, content: bytes) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[Row] = pq.read_table(io.BytesIO(content)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BenchmarkFileError(file.uri, f"is no Parquet file: {error}") from error
    return iter(rows)


_READERS: dict[str, Callable[[BenchmarkFile, bytes], Iterator[Row]]] = {
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "json": _json_document,
    "csv": _csv_rows,
    "tsv": _tsv_rows,
    "parquet": _parquet_rows,
}


def _text_questions(
    file: BenchmarkFile, content: bytes, benchmark: int, kind: str
) -> list[Question]:
    text = _text_of(file, content)
    lines = text.splitlines() if kind == "lines" else [text]
    return [
        Question(benchmark, str(number), (line,))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def _row_questions(
    file: BenchmarkFile, rows: Iterable[Row], benchmark: int, columns: Sequence[str]
) -> list[Question]:
    found = []
    for number, row in enumerate(rows, 1):
        if absent := [name for name in columns if name not in row]:
            raise ConfigError(
                f"contamination.columns = {list(columns)}: {redact(file.uri)}: row {number} has no "
                f"{', '.join(absent)}; its columns: {', '.join(map(str, row)) or 'none'}"
            )
        values = [row[name] for name in columns] if columns else row
        texts = tuple(_strings(values))
        if texts:
            found.append(Question(benchmark, _name_of(row, number), texts))
    return found


def _strings(value: Any) -> Iterator[str]:
    """All text in a value, in order, without blank ones."""
    if isinstance(value, str):
        # A lone surrogate is no text: no document can hold one.
        if text := value.encode("utf-8", "ignore").decode().strip():
            yield text
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)


def _name_of(row: Row, number: int) -> str:
    for column in _ID_COLUMNS:
        value = row.get(column)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value).encode("utf-8", "ignore").decode()
    return str(number)
