"""One file layer: local paths, file://, s3://, gs://, hdfs:// (pyarrow.fs), https:// and http://.

A URI here is what the user wrote, made canonical; credentials belong in the environment and
never show in a message (`redact`).
"""

from __future__ import annotations

import fnmatch
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, unquote

from pyarrow import fs as pafs

from udfs.files.http_file import HttpFile, head_size
from udfs.files.object_store import StoreFile, StoreReads
from udfs.files.retry import RetryPolicy

# What small reads of a remote file are cut from; it is fetched in larger blocks.
_PIECE_BYTES = 256 << 10

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_SAME_SCHEME = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_READABLE = ("", "s3", "gs", "hdfs", "viewfs", "https", "http")
_MAGIC = re.compile(r"[*?\[]")
GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 64 << 10

# The AWS client's own 1 and 3 seconds take a busy store for a dead one: each answer that is late is
# asked for again, up to ten times and ever later, and a read of seconds becomes one of minutes.
_S3_CONNECT_S = 10.0
_S3_SILENCE_S = 30.0

RANGE_LINE = re.compile(r"([^\t]+)\t(\d{1,18})\t(\d{1,18})")
_SECRET_NAME = re.compile(
    r"sig|token|secret|pass|auth|credential|api_?key|access_?key|key-pair|^x-(?:amz|goog)-|^policy$",
    re.IGNORECASE,
)
# The second form: a secret key pasted in as it is, with the slashes that it may hold (a port
# and a path with an @ in it look nearly so).
_USERINFO = re.compile(r"[^/@?]*@|[^/@:?]+:(?!\d*/)[^@?]*@")
_SIGNATURE_NAME = re.compile(r"^(?:expires|x-amz-.*|x-goog-.*)$", re.IGNORECASE)

# Everywhere Common Crawl's files are or were: what comes before the key.
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
    """Inputs that do not exist or match nothing; the message names every one."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = list(missing)
        super().__init__("no such input: " + "; ".join(self.missing))


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read; `size` in bytes, None when nobody has asked for it yet."""

    uri: str
    size: int | None


def canonical_uri(uri: str, base: Path | None = None) -> str:
    """The one spelling of a URI: local paths absolute and without a scheme, s3a:// as s3://.

    Args:
        uri: A path or a URI.
        base: Folder that relative paths start from; the working directory when None.

    >>> canonical_uri("s3a://bucket/key")
    's3://bucket/key'
    >>> canonical_uri("file:///data/a%20b.warc.gz")
    '/data/a b.warc.gz'
    """
    scheme, rest = _split(uri)
    if scheme == "file":
        host, slash, path = rest.partition("/")
        if host not in ("", "localhost"):
            raise ValueError(f"file URI with a host: {redact(uri)}")
        return os.path.normpath("/" + unquote(path)) if slash else "/"
    if not scheme:
        return os.path.normpath(os.path.join(base if base is not None else Path.cwd(), rest))
    return f"{scheme}://{rest}"


def provenance_path(uri: str, crawl_root: str = "") -> str:
    """The name a file goes by in document ids and in `warc_path`.

    A Common Crawl file has the path that its index and its path lists give it, wherever it
    was read from; any other file its canonical URI without credentials.

    Args:
        crawl_root: One more place that Common Crawl's files are read from: a mirror, a copy.

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
    """What follows a root, where that is a path of Common Crawl."""
    root = canonical_uri(crawl_root).rstrip("/") + "/" if crawl_root else ""
    key = canonical.removeprefix(root)
    return key if root and key != canonical and key.startswith("crawl-data/") else None


def redact(uri: str) -> str:
    """The URI for messages: user names, passwords, signatures and tokens as `***`.

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
    """The URI without its user, and its query."""
    scheme, _, rest = uri.partition("://")
    user = _USERINFO.match(rest)
    if user:
        rest = mark + rest[user.end() :]
    head, _, query = rest.partition("?")
    return f"{scheme}://{head}", query


def _split(uri: str) -> tuple[str, str]:
    """Scheme ("" for a local path, aliases resolved) and what follows it."""
    found = _SCHEME.match(uri)
    if found is None:
        return "", uri
    scheme = found[1].lower()
    return _SAME_SCHEME.get(scheme, scheme), uri[found.end() :]


def scheme_of(uri: str) -> str:
    """The scheme of a URI, aliases resolved; "" for a local path.

    >>> scheme_of("s3a://bucket/key"), scheme_of("/data/a.warc.gz")
    ('s3', '')
    """
    return _split(canonical_uri(uri))[0]


def check_scheme(uri: str) -> None:
    """Raise ValueError for a scheme that `open_input` does not read."""
    if scheme_of(uri) not in _READABLE:
        raise ValueError(f"cannot be read: {redact(uri)} (known: {', '.join(_READABLE[1:])})")


def filesystem(uri: str) -> tuple[pafs.FileSystem, str]:
    """The pyarrow file system that holds a URI, and the path in it.

    Raises:
        ValueError: A scheme without a file system (https:// among them), credentials in it.
    """
    scheme, rest = _split(canonical_uri(uri))
    if scheme == "":
        return pafs.LocalFileSystem(), rest
    if scheme not in ("s3", "gs", "hdfs", "viewfs"):
        known = "a local path, file, s3, s3a, gs, hdfs; https only to read"
        raise ValueError(f"no file system for {redact(uri)} (known: {known})")
    host, _, path = rest.partition("/")
    _refuse_userinfo(uri, rest)
    if scheme in ("hdfs", "viewfs"):
        return _hadoop(f"{scheme}://{host}"), "/" + path
    return (_s3(host) if scheme == "s3" else _gcs()), rest


def _refuse_userinfo(uri: str, rest: str) -> None:
    if _USERINFO.match(rest):
        raise ValueError(f"credentials in a URI; use the environment: {redact(uri)}")


@lru_cache(maxsize=64)
def _s3(bucket: str) -> pafs.FileSystem:
    # pyarrow finds account or role as all of AWS's tools do, but not where another store than AWS
    # is, nor whether to sign at all (GDAL's name for that; the AWS tools have none).
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None and not endpoint:
        try:
            region = pafs.resolve_s3_region(bucket)
        except OSError:
            region = None  # no network or no such bucket: the first read says which
    return pafs.S3FileSystem(
        anonymous=os.environ.get("AWS_NO_SIGN_REQUEST", "").lower() in ("yes", "true", "1"),
        region=region,
        endpoint_override=endpoint or None,
        connect_timeout=_S3_CONNECT_S,
        request_timeout=_S3_SILENCE_S,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=10),
    )


@lru_cache(maxsize=1)
def _gcs() -> pafs.FileSystem:
    return pafs.GcsFileSystem(retry_time_limit=timedelta(minutes=5))


@lru_cache(maxsize=16)
def _hadoop(authority: str) -> pafs.FileSystem:
    return pafs.HadoopFileSystem.from_uri(authority)


def open_input(uri: str, policy: RetryPolicy | None = None) -> BinaryIO:
    """Open a file for reading: read(n), tell(), seek(), close(); a context manager.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: Anything else; reading raises it too.
        ValueError: A scheme that cannot be read, credentials in the URI.
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
    """The files that files, directories, globs and `@lists` name, sorted, each once.

    Directories are read to the bottom; names that begin with "." or "_" are passed over
    there and by wildcards. `@paths.txt` (gzip when it ends in .gz) holds a path a line;
    blank lines and lines beginning with # are passed over, relative ones start at a local
    list's folder, or at the root of a remote list's bucket or host (the way Common Crawl
    writes its lists). A list's entries are not looked up: one may hold a hundred thousand,
    and a missing one is found when it is read.

    Raises:
        InputNotFound: With every input that does not exist or matches nothing.
        ValueError: A URI that cannot be read or listed.
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
            yield InputFile(prefix + file.path, file.size)


def _listed(uri: str) -> Iterator[InputFile]:
    canonical = canonical_uri(uri)
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
        yield InputFile(canonical_uri(entry, folder), None)


def list_entries(uri: str) -> list[str]:
    """The lines of a list, gzip or plain, without blank ones and comments (#).

    Raises:
        FileNotFoundError: There is no such list.
        OSError: It cannot be read.
    """
    with open_input(uri) as stream:
        data = stream.read()
    return _entries(gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data)


def _entries(text: bytes) -> list[str]:
    lines = (line.strip() for line in text.decode("utf-8-sig").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def range_lists(inputs: Sequence[str]) -> tuple[list[str], list[InputFile]]:
    """Inputs, and the files of ranges that were among them as `@list` or `@folder-of-lists`.

    A line of such a file is a name, an offset and a length, with tabs between them; what a file
    is shows in its first line. An empty file in a folder names nothing, and is no mistake.

    Raises:
        InputNotFound: A folder or list that is not there.
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
    # A character may be cut at the end; no line that long is looked at.
    entries = _entries(head.rpartition(b"\n")[0] if len(head) == _HEAD_BYTES else head)
    return entries[0] if entries else None


def _web_file(uri: str, rest: str) -> Iterator[InputFile]:
    _refuse_userinfo(uri, rest)
    path = "/" + rest.partition("/")[2].partition("?")[0].partition("#")[0]
    if re.search(r"[*\[]", path) or path in ("", "/") or path.endswith("/"):
        raise ValueError(
            f"https cannot be listed, so neither a wildcard nor a directory can be read there: "
            f"{redact(uri)} (name the files, or give a list of them as @paths.txt)"
        )
    try:
        size = head_size(uri, redact(uri))
    except FileNotFoundError:
        return
    yield InputFile(uri, size)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _files_of(store: pafs.FileSystem, info: pafs.FileInfo) -> Iterator[pafs.FileInfo]:
    """The file itself, or all files under the directory."""
    if info.type == pafs.FileType.File:
        yield info
    elif info.type == pafs.FileType.Directory:
        for child in store.get_file_info(pafs.FileSelector(info.path, allow_not_found=True)):
            if not _is_hidden(child.base_name):
                yield from _files_of(store, child)


def _glob(store: pafs.FileSystem, base: str, parts: list[str]) -> Iterator[pafs.FileInfo]:
    """Files and directories that match, a directory level a step.

    Level by level and not one recursive listing: a wildcard over crawls must not list every
    object of the bucket.
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
        raise ValueError(f"a wildcard in a bucket's name: {part}")
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
