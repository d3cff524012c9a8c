"""URIs of input files: local paths, file://, s3://, gs://, hdfs:// (pyarrow.fs), https://, http://.

Makes them canonical, expands globs, folders and lists, and opens files. Credentials belong in the
environment; messages never show them (`redact`).
"""

from __future__ import annotations

import fnmatch
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, unquote

from pyarrow import fs as pafs

from udfs.files.http_file import HttpFile, head_size
from udfs.files.object_store import StoreFile, StoreReads
from udfs.files.retry import RetryPolicy
from udfs.files.store_clients import check_bucket, gcs_client, hadoop_client, s3_client

# Buffer of small reads of a remote file, which is fetched in larger blocks.
_PIECE_BYTES = 256 << 10

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_SAME_SCHEME = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_READABLE = ("", "s3", "gs", "hdfs", "viewfs", "https", "http")
_MAGIC = re.compile(r"[*?\[]")
GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 64 << 10

RANGE_LINE = re.compile(r"([^\t]+)\t(\d{1,18})\t(\d{1,18})")
_SECRET_NAME = re.compile(
    r"sig|token|secret|pass|auth|credential|api_?key|access_?key|key-pair|^x-(?:amz|goog)-|^policy$",
    re.IGNORECASE,
)
# The second form: a secret key pasted unquoted, with the slashes that it may contain (a port and
# a path with an @ look similar).
_USERINFO = re.compile(r"[^/@?]*@|[^/@:?]+:(?!\d*/)[^@?]*@")
_SIGNATURE_NAME = re.compile(r"^(?:expires|x-amz-.*|x-goog-.*)$", re.IGNORECASE)

# Everywhere Common Crawl's files are or were: the part before the key.
# Source: commoncrawl.org, "Get started" (bucket, CloudFront host) and the announcements up to
# 2015 (the public data sets bucket, where the key had a `common-crawl/` before it).
_COMMON_CRAWL = re.compile(
    r"(?:s3://commoncrawl/"
    r"|https?://data\.commoncrawl\.org/"
    r"|https?://commoncrawl\.s3(?:[.-]us-east-1)?\.amazonaws\.com/"
    r"|https?://s3(?:[.-]us-east-1)?\.amazonaws\.com/commoncrawl/"
    r"|s3://aws-publicdatasets/common-crawl/"
    r"|https?://aws-publicdatasets\.s3\.amazonaws\.com/common-crawl/"
    r"|https?://s3\.amazonaws\.com/aws-publicdatasets/common-crawl/)"
    r"(?=crawl-data/)"
)


class InputNotFound(ValueError):
    """Inputs that do not exist or match nothing; the message names each of them."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = list(missing)
        super().__init__("no such input: " + "; ".join(self.missing))


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read; `size` in bytes, None when it is not known."""

    uri: str
    size: int | None
    argument: str = field(default="", compare=False)
    """What names it: itself, a folder, a pattern or a list."""


def canonical_uri(uri: str, base: Path | None = None) -> str:
    """Return the canonical form of a URI: local paths absolute without a scheme, s3a:// as s3://.

    Args:
        uri: A path or a URI.
        base: Folder that relative paths start from; the working directory when None.
    Raises:
        ValueError: a file:// URI names a host.

    >>> canonical_uri("s3a://bucket/key")
    's3://bucket/key'
    >>> canonical_uri("file:///data/a%20b.warc.gz")
    '/data/a b.warc.gz'
    """
    scheme, rest = _split(uri)
    if scheme == "file":
        host, slash, path = rest.partition("/")
        if host not in ("", "localhost"):
            raise ValueError(f"{redact(uri)}: a file URI with a host; write file:///PATH")
        return os.path.normpath("/" + unquote(path)) if slash else "/"
    if not scheme:
        return os.path.normpath(os.path.join(base if base is not None else Path.cwd(), rest))
    return f"{scheme}://{rest}"


def provenance_path(uri: str, crawl_root: str = "") -> str:
    """Return the name of a file in document ids and in `warc_path`.

    For a Common Crawl file, the path in its index and path lists, wherever it is read from; for
    any other file, its canonical URI without credentials.

    Args:
        crawl_root: Root of a mirror or copy of Common Crawl's files.

    >>> provenance_path("https://data.commoncrawl.org/crawl-data/CC-MAIN-2020-34/w.warc.gz")
    'crawl-data/CC-MAIN-2020-34/w.warc.gz'
    """
    canonical = canonical_uri(uri)
    known = _COMMON_CRAWL.match(canonical)
    key = canonical[known.end() :] if known else _under(canonical, crawl_root)
    if key is not None:
        return key.split("?")[0].split("#")[0]
    if not canonical.startswith(("http://", "https://")):
        return canonical
    head, query = _without_userinfo(canonical)
    kept = [
        part
        for part in query.split("&")
        if part and not _is_secret(part) and not _SIGNATURE_NAME.match(part.partition("=")[0])
    ]
    return head + ("?" + "&".join(kept) if kept else "")


def _under(canonical: str, crawl_root: str) -> str | None:
    """The part of a URI behind a root, where it is a path of Common Crawl; else None."""
    root = canonical_uri(crawl_root).rstrip("/") + "/" if crawl_root else ""
    key = canonical.removeprefix(root)
    return key if root and key != canonical and key.startswith("crawl-data/") else None


def redact(uri: str) -> str:
    """Return the URI for messages: user names, passwords, signatures and tokens as `***`.

    >>> redact("https://me:pw@host/a.gz?X-Amz-Signature=12ab&part=3")
    'https://***@host/a.gz?X-Amz-Signature=***&part=3'
    """
    found = _SCHEME.match(uri)
    if found is None:
        return uri
    head, query = _without_userinfo(uri, mark="***@")
    parts = [
        part.partition("=")[0] + "=***" if _is_secret(part) else part for part in query.split("&")
    ]
    return head + ("?" + "&".join(parts) if query else "")


def _is_secret(parameter: str) -> bool:
    return any(_SECRET_NAME.search(name) for name, _ in parse_qsl(parameter, True)) or bool(
        _SECRET_NAME.search(parameter.partition("=")[0])
    )


def _without_userinfo(uri: str, mark: str = "") -> tuple[str, str]:
    """Return the URI without its user, and its query."""
    scheme, _, rest = uri.partition("://")
    user = _USERINFO.match(rest)
    if user:
        rest = mark + rest[user.end() :]
    head, _, query = rest.partition("?")
    return f"{scheme}://{head}", query


def _split(uri: str) -> tuple[str, str]:
    """Return the scheme ("" for a local path, aliases resolved) and the rest behind ://."""
    found = _SCHEME.match(uri)
    if found is None:
        return "", uri
    scheme = found[1].lower()
    return _SAME_SCHEME.get(scheme, scheme), uri[found.end() :]


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI, aliases resolved; "" for a local path.

    >>> scheme_of("s3a://bucket/key"), scheme_of("/data/a.warc.gz")
    ('s3', '')
    """
    return _split(canonical_uri(uri))[0]


def check_scheme(uri: str) -> None:
    """Raise ValueError for a scheme that `open_input` does not read."""
    if scheme_of(uri) not in _READABLE:
        known = ", ".join(_READABLE[1:])
        raise ValueError(f"{redact(uri)}: unknown scheme; known: a local path, {known}")


def filesystem(uri: str) -> tuple[pafs.FileSystem, str]:
    """Return the pyarrow file system of a URI, and the path in it.

    Raises:
        ValueError: The scheme has no file system (https:// among them), or the URI has
            credentials.
    """
    scheme, rest = _split(canonical_uri(uri))
    if scheme == "":
        return pafs.LocalFileSystem(), rest
    if scheme not in ("s3", "gs", "hdfs", "viewfs"):
        known = "a local path, file, s3, s3a, gs, hdfs; https only to read single files"
        raise ValueError(f"{redact(uri)}: no file system for this scheme; known: {known}")
    host, _, path = rest.partition("/")
    _refuse_userinfo(uri, rest)
    if scheme in ("hdfs", "viewfs"):
        return hadoop_client(f"{scheme}://{host}"), "/" + path
    return (s3_client(host) if scheme == "s3" else gcs_client()), rest


def _refuse_userinfo(uri: str, rest: str) -> None:
    if _USERINFO.match(rest):
        raise ValueError(
            f"{redact(uri)}: credentials in a URI; set them in the environment instead"
        )


def check_store(uri: str) -> None:
    """Fail soon for a store that cannot be reached, which reads retry for minutes.

    Raises:
        StoreUnreachable: The store does not answer.
        NoSuchBucket: It has no such bucket.
    """
    scheme, rest = _split(canonical_uri(uri))
    if scheme in ("s3", "gs"):
        check_bucket(scheme, rest.partition("/")[0])


def open_input(uri: str, policy: RetryPolicy | None = None) -> BinaryIO:
    """Open a file for reading: read(n), tell(), seek(), close(); a context manager.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: Any other failure; reading raises it too.
        ValueError: The scheme is unknown, or the URI has credentials.
    """
    canonical = canonical_uri(uri)
    scheme, rest = _split(canonical)
    if scheme == "":
        return open(rest, "rb")
    if scheme in ("http", "https"):
        _refuse_userinfo(canonical, rest)
        return cast(BinaryIO, HttpFile(canonical, redact(canonical), policy or RetryPolicy()))
    store, path = filesystem(canonical)
    # Not open_input_stream: it would decompress by the file's name, and cannot seek.
    opened = partial(store.open_input_file, path)
    reads = StoreReads(opened, redact(canonical), policy or RetryPolicy())
    return cast(BinaryIO, io.BufferedReader(StoreFile(reads), _PIECE_BYTES))


def expand_inputs(inputs: Sequence[str]) -> list[InputFile]:
    """Return the files that files, directories, globs and `@lists` name, sorted, each once.

    Directories are listed recursively; there and by wildcards, names that begin with "." or "_"
    are skipped. `@paths.txt` (plain or gzip) has a path a line; blank lines and lines beginning
    with # are skipped; relative paths start at a local list's folder, or at the root of a remote
    list's bucket or host (as in Common Crawl's lists). Entries of a list are not looked up: it may
    have a hundred thousand, and a missing one becomes a failure when it is read.

    Raises:
        InputNotFound: With every input that does not exist or matches nothing.
        ValueError: A URI cannot be read or listed.
    """
    found: dict[str, InputFile] = {}
    missing: list[str] = []
    for given in inputs:
        count = 0
        for file in _expand(given):
            count += 1
            known = found.get(file.uri)
            if known is None or known.size is None:
                found[file.uri] = file
        if count == 0:
            missing.append(("@" if given.startswith("@") else "") + redact(given.removeprefix("@")))
    if missing:
        raise InputNotFound(missing)
    return [found[uri] for uri in sorted(found)]


def _expand(given: str) -> Iterator[InputFile]:
    if not given.strip():
        return
    if given.startswith("@"):
        yield from _listed(given[1:])
        return
    uri = canonical_uri(given)
    scheme, rest = _split(uri)
    check_store(uri)
    if scheme in ("http", "https"):
        yield from _web_file(uri, rest)
        return
    store, path = filesystem(uri)
    prefix = uri[: len(uri) - len(path)]
    path = path.rstrip("/") or path
    info = store.get_file_info(path)
    if info.type == pafs.FileType.NotFound and _MAGIC.search(path):
        root = "/" if path.startswith("/") else ""
        matched = _glob(store, root, [part for part in path.split("/") if part])
    else:
        matched = iter([info])
    for info in matched:
        for file in _files_of(store, info):
            yield InputFile(prefix + file.path, file.size, given)


def _listed(uri: str) -> Iterator[InputFile]:
    canonical = canonical_uri(uri)
    check_store(canonical)
    try:
        entries = list_entries(canonical)
    except (FileNotFoundError, IsADirectoryError):
        return
    scheme, rest = _split(canonical)
    root = f"{scheme}://{rest.partition('/')[0]}/" if scheme else ""
    folder = Path(rest).parent if not scheme else None
    for entry in entries:
        if scheme and not _SCHEME.match(entry):
            entry = root + entry.lstrip("/")
        yield InputFile(canonical_uri(entry, folder), None, canonical)


def list_entries(uri: str) -> list[str]:
    """Return the lines of a list, gzip or plain, without blank ones and comments (#).

    Raises:
        FileNotFoundError: There is no such list.
        OSError: The read failed.
    """
    with open_input(uri) as stream:
        data = stream.read()
    return _entries(gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data)


def _entries(text: bytes) -> list[str]:
    lines = (line.strip() for line in text.decode("utf-8-sig").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def range_lists(inputs: Sequence[str]) -> tuple[list[str], list[InputFile]]:
    """Split inputs into others and files of ranges, given as `@list` or `@folder-of-lists`.

    A line of a file of ranges has a name, an offset and a length, separated by tabs; the first
    line decides the kind of a file. An empty file in a folder is valid and names nothing.

    Returns:
        The inputs that are not files of ranges, and the files of ranges.
    Raises:
        InputNotFound: A folder or list does not exist.
    """
    others: list[str] = []
    lists: list[InputFile] = []
    for given in inputs:
        if not given.startswith("@") or scheme_of(given[1:]) in ("http", "https"):
            others.append(given)  # a list behind https cannot be read by Spark
            continue
        try:
            files = expand_inputs([given[1:]])
        except InputNotFound as error:
            raise InputNotFound([f"@{redact(given[1:])}"]) from error
        for file in files:
            first = _first_entry(file.uri)
            if first is None and file.uri != canonical_uri(given[1:]):
                continue
            if first is not None and RANGE_LINE.fullmatch(first):
                lists.append(file)
            else:
                others.append("@" + file.uri)
    return others, lists


def _first_entry(uri: str) -> str | None:
    with open_input(uri) as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(GZIP_MAGIC):
        head = zlib.decompressobj(wbits=31).decompress(head, _HEAD_BYTES)
    # The end of the head may cut a line, or a character.
    entries = _entries(head.rpartition(b"\n")[0] if len(head) == _HEAD_BYTES else head)
    return entries[0] if entries else None


def _web_file(uri: str, rest: str) -> Iterator[InputFile]:
    _refuse_userinfo(uri, rest)
    path = "/" + rest.partition("/")[2].partition("?")[0].partition("#")[0]
    if re.search(r"[*\[]", path) or path in ("", "/") or path.endswith("/"):
        raise ValueError(
            f"{redact(uri)}: https cannot be listed, so wildcards and directories do not work "
            f"there; name the files, or give a list of them as @paths.txt"
        )
    try:
        size = head_size(uri, redact(uri))
    except FileNotFoundError:
        return
    yield InputFile(uri, size, uri)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _files_of(store: pafs.FileSystem, info: pafs.FileInfo) -> Iterator[pafs.FileInfo]:
    """Yield the file itself, or all files under the directory."""
    if info.type == pafs.FileType.File:
        yield info
    elif info.type == pafs.FileType.Directory:
        for child in store.get_file_info(pafs.FileSelector(info.path, allow_not_found=True)):
            if not _is_hidden(child.base_name):
                yield from _files_of(store, child)


def _glob(store: pafs.FileSystem, base: str, parts: list[str]) -> Iterator[pafs.FileInfo]:
    """Yield the files and directories that match, one directory level at a time.

    Not by one recursive listing: a wildcard over crawls must not list every object of the bucket.
    """
    if not parts:
        yield store.get_file_info(base)
        return
    part, others = parts[0], parts[1:]
    if not _MAGIC.search(part):
        yield from _glob(store, _join(base, part), others)
        return
    if part == "**" and others:
        yield from _glob(store, base, others)
    if not base:
        raise ValueError(f"{part}: a wildcard in a bucket's name; name one bucket")
    for child in store.get_file_info(pafs.FileSelector(base, allow_not_found=True)):
        name = child.base_name
        if _is_hidden(name) and not part.startswith((".", "_")):
            continue
        is_directory = child.type == pafs.FileType.Directory
        if part == "**":
            if is_directory and others:
                yield from _glob(store, child.path, parts)
            elif not others:
                yield child
        elif fnmatch.fnmatchcase(name, part):
            if not others:
                yield child
            elif is_directory:
                yield from _glob(store, child.path, others)


def _join(base: str, part: str) -> str:
    return base + part if base in ("", "/") else f"{base}/{part}"
