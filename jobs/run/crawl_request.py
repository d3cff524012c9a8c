"""Requests for files of a crawl, captures of its index, or ranges to try again. Needs no Spark.

--crawl CC-MAIN-YYYY-WW [--sample N]                       all files of a crawl, or N of them
--index URI --crawl ... --languages zho [--where SQL]      the captures that an index names
--input @OUTPUT/replay                                     ranges that could not be read
"""

from __future__ import annotations

import hashlib
import heapq
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.fs as pafs

from jobs.config import ConfigError, InputConfig
from jobs.run.splits import plans
from jobs.run.store import Store
from udfs.files.uris import (
    InputFile,
    canonical_uri,
    filesystem,
    list_entries,
    redact,
    scheme_of,
)

INDEX_PLAN = "index"
_CRAWL = re.compile(r"CC-MAIN-\d{4}(?:-\d{2}|-\d{4})?")
_LANGUAGE = re.compile(r"[a-z]{3}")
_LISTS = {"warc": "warc.paths.gz", "wet": "wet.paths.gz"}
_SHOWN_CRAWLS = 5


@dataclass(frozen=True)
class IndexRequest:
    """Captures of an index to plan."""

    index: str
    """URI of the Parquet table, as given."""
    crawl: str | None
    """None only for an index without a partition per crawl."""
    languages: tuple[str, ...]
    """ISO 639-3 codes; empty for every language."""
    where: str | None
    """A further condition in SQL."""
    sample: int | None
    """Number of WARC files to take; None takes all."""

    @property
    def name(self) -> str:
        """Name of the plan; an output has one plan of an index."""
        return INDEX_PLAN

    def words(self) -> dict[str, Any]:
        """Return the request without credentials; equal requests give equal values."""
        index = redact(canonical_uri(self.index))
        return asdict(self) | {"index": index, "languages": sorted(self.languages)}


@dataclass(frozen=True)
class ReplayRequest:
    """Lists of ranges to plan."""

    lists: tuple[tuple[str, int | None], ...]
    """URI and bytes of each list."""

    @property
    def name(self) -> str:
        """Name of the plan, by the lists: each set of lists is planned once."""
        digest = hashlib.sha256(repr(sorted(self.lists)).encode()).hexdigest()
        return f"replay-{digest[:16]}"

    def words(self) -> dict[str, Any]:
        """Return the lists without credentials."""
        return {"lists": [[redact(uri), size] for uri, size in sorted(self.lists)]}


RangeRequest = IndexRequest | ReplayRequest


def add_crawl_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that name captures of a crawl."""
    parser.add_argument(
        "--crawl",
        metavar="CC-MAIN-YYYY-WW",
        help="a crawl of Common Crawl, read at input.crawl_root: all its files, or, with --index, "
        "the captures that the index names",
    )
    parser.add_argument(
        "--index",
        metavar="URI",
        help="Parquet table of captures (Common Crawl's columnar index): read these ranges only",
    )
    parser.add_argument(
        "--languages",
        nargs="+",
        action="extend",
        default=[],
        metavar="CODE",
        help="with --index: captures in one of these languages (ISO 639-3, as zho); without it and "
        "--where those of language.index_languages",
    )
    parser.add_argument(
        "--where", metavar="SQL", help="with --index: a further condition over its columns"
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="N WARC files of the crawl, the same ones each time"
    )


def index_request(arguments: Namespace, usual: Sequence[str] = ()) -> IndexRequest | None:
    """Return the checked request for an index; None without --index.

    Args:
        usual: Languages that are chosen where neither --languages nor --where chooses.
    Raises:
        ConfigError: an argument has a wrong value, or contradicts another one.
    """
    languages = tuple(code for given in arguments.languages for code in given.split(",") if code)
    if arguments.crawl is not None and not _CRAWL.fullmatch(arguments.crawl):
        raise ConfigError(f"--crawl {arguments.crawl}: expected CC-MAIN-YYYY-WW")
    if (arguments.crawl or arguments.index) and arguments.input:
        raise ConfigError(
            "--input: not together with --crawl or --index; give them in two runs on one output"
        )
    if arguments.sample is not None:
        if not (arguments.crawl or arguments.index):
            raise ConfigError("--sample: needs --crawl")
        if arguments.sample < 1:
            raise ConfigError(f"--sample {arguments.sample}: expected 1 or more")
    if arguments.index is None:
        if languages or arguments.where is not None:
            raise ConfigError("--languages, --where: need --index")
        return None
    if not languages and arguments.where is None:
        languages = tuple(usual)
    for code in languages:
        if not _LANGUAGE.fullmatch(code):
            raise ConfigError(f"--languages {code}: expected ISO 639-3 codes, as zho or yue")
    if not languages and arguments.where is None:
        raise ConfigError("--index: needs --languages, --where or both, to choose captures")
    if arguments.where is not None and not arguments.where.strip():
        raise ConfigError("--where: the condition is empty")
    request = IndexRequest(
        arguments.index, arguments.crawl, languages, arguments.where, arguments.sample
    )
    _check_place(request.index)
    return request


def is_planned(store: Store, request: RangeRequest) -> bool:
    """Whether an output holds the plan of a request.

    Raises:
        ConfigError: it holds the plan of another request for an index.
    """
    for plan in plans(store):
        if plan.name != request.name:
            continue
        words = request.words()
        differing = [key for key in words if words[key] != plan.request.get(key)]
        if differing:
            raise ConfigError(
                f"{redact(store.root)} holds another plan of an index: "
                + "; ".join(
                    f"{key} was {plan.request.get(key)}, is {words[key]}" for key in differing
                )
                + ". Give another --output"
            )
        return True
    return False


def index_folder(request: IndexRequest) -> str:
    """Return the folder of the index to read: the crawl's partition, if the table has partitions.

    Raises:
        ConfigError: the table does not exist, or has no such crawl.
    """
    store, path = filesystem(request.index)
    path = path.rstrip("/")
    if store.get_file_info(path).type == pafs.FileType.NotFound:
        raise ConfigError(f"--index {redact(request.index)}: no such table")
    given = request.index.rstrip("/")
    if request.crawl is None or store.get_file_info(path).type == pafs.FileType.File:
        return given
    for part in (f"crawl={request.crawl}", "subset=warc"):
        if store.get_file_info(f"{path}/{part}").type != pafs.FileType.NotFound:
            path, given = f"{path}/{part}", f"{given}/{part}"
        elif part.startswith("crawl="):
            _check_other_crawls(store, path, request)
    return given


def _check_other_crawls(store: pafs.FileSystem, path: str, request: IndexRequest) -> None:
    names = [info.base_name for info in store.get_file_info(pafs.FileSelector(path))]
    crawls = sorted(name.removeprefix("crawl=") for name in names if name.startswith("crawl="))
    if crawls:
        raise ConfigError(
            f"--crawl {request.crawl}: not in {redact(request.index)}, which has "
            f"{', '.join(crawls[-_SHOWN_CRAWLS:])}"
        )


def _check_place(index: str) -> None:
    if scheme_of(index) in ("http", "https"):
        raise ConfigError(
            f"--index {redact(index)}: a table cannot be read over https; use s3a://, or copy the "
            f"files that the crawl's cc-index-table.paths.gz names"
        )
    try:
        filesystem(index)
    except ValueError as error:
        raise ConfigError(f"--index: {error}") from error


def crawl_files(crawl: str, sample: int | None, config: InputConfig) -> tuple[str, list[InputFile]]:
    """List the files of a crawl from its list of paths, or a sample of them.

    Returns:
        Their format, and the files.
    Raises:
        ConfigError: crawls have no files of the format, or the list cannot be read.
    """
    kind = "warc" if config.format == "auto" else config.format
    if kind not in _LISTS:
        raise ConfigError(
            f"--crawl: input.format = {kind!r}: a crawl has {' and '.join(_LISTS)} files"
        )
    listed = at_root(config.crawl_root, f"crawl-data/{crawl}/{_LISTS[kind]}")
    try:
        paths = list_entries(listed)
    except OSError as error:
        raise ConfigError(f"--crawl {crawl}: {redact(listed)}: {error}") from error
    chosen = sorted(sampled(paths, sample))
    return kind, [InputFile(at_root(config.crawl_root, path), None) for path in chosen]


def at_root(crawl_root: str, path: str) -> str:
    """Return the URI of a path of Common Crawl; a URI or an absolute path is unchanged.

    >>> at_root("s3a://commoncrawl", "crawl-data/a.warc.gz")
    's3://commoncrawl/crawl-data/a.warc.gz'
    """
    if "://" in path or path.startswith("/"):
        return canonical_uri(path)
    return f"{canonical_uri(crawl_root).rstrip('/')}/{path}"


def sampled(names: Iterable[str], count: int | None) -> set[str]:
    """Return a sample of names, or all if count is None.

    A sample is the same each time and part of any larger sample. Chosen by a hash, since
    neighbouring files of a crawl belong to one segment.
    """
    return set(names) if count is None else set(drawn(names, count))


def drawn(names: Iterable[str], count: int, seed: int | None = None) -> list[str]:
    """Return the names of a sample in the order in which they are drawn.

    Args:
        seed: Draws another sample; None draws that of `sampled`.
    """
    begin = "" if seed is None else f"{seed}:"

    def draw(name: str) -> tuple[bytes, str]:
        return hashlib.sha256(f"{begin}{name}".encode()).digest(), name

    return heapq.nsmallest(count, names, key=draw)
