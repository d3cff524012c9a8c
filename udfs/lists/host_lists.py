"""Host lists: hosts, URLs and words of URLs with their categories, read and looked up for a URL."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import ahocorasick_rs
import numpy as np

from udfs.lists.host_list_files import HostListError, Line, read_lines
from udfs.lists.urls import MAX_HOST_CHARS, UrlParts, is_ip_address, split_url

__all__ = ["HostIndex", "HostList", "HostListError", "cached_host_list", "read_host_list"]

MAX_CATEGORIES = 1 << 16
"""Most categories of a list."""

MAX_HOSTS = 20_000_000
"""Most hosts of a list."""

MAX_PATH_SEGMENTS = 64
"""Segments of a URL's path that are looked up: no entry is deeper."""

_TOKEN = re.compile("[0-9a-z]+")
_PLAIN_HOST = re.compile(r"(?:[0-9a-z_-]+\.)+[0-9a-z_-]+")

_HOSTS_FILE = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|255\.255\.255\.255|::1?)\s+(.*)")
_OWN_NAMES = frozenset(
    ("localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost")
)


class HostList:
    """Hosts, URLs and words with their categories.

    Attributes:
        ignored: Number of entries that are neither host, URL nor word.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        """Build the list.

        Args:
            lines: As ``read_lines`` gives them. What is given again takes the later category.
        Raises:
            OverflowError: more than MAX_HOSTS hosts, or more categories than an index holds.
        """
        self.ignored = 0
        self._hosts = HostIndex()
        self._paths: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, str] = {}
        words: dict[str, str] = {}
        for line in lines:
            if len(self._hosts) > MAX_HOSTS:
                raise OverflowError(f"more than {MAX_HOSTS:,} hosts")
            if _PLAIN_HOST.fullmatch(line.text) and len(line.text) <= MAX_HOST_CHARS:
                self._hosts.add(line.text, line.category)  # nearly all lines of a large list
                continue
            for category, entry in _entries(line):
                word = entry.lower()
                if not line.is_host_file and _TOKEN.fullmatch(word):
                    words[word] = category
                elif not line.is_host_file and word[:1] == "=" and _TOKEN.fullmatch(word, 1):
                    self._tokens[word[1:]] = category
                elif not self._add_address(category, entry):
                    self.ignored += 1
        self._hosts.freeze()
        self._words = sorted(words)
        self._word_categories = [words[word] for word in self._words]
        self._automaton = ahocorasick_rs.BytesAhoCorasick([word.encode() for word in self._words])

    def _add_address(self, category: str, entry: str) -> bool:
        """Put a host or a URL in; False when an entry is neither."""
        host, path, query = split_url(entry.removeprefix("*").removeprefix("."))
        is_top_level = "." not in host and ":" not in host
        if not host or (is_top_level and entry[:1] not in ("*", ".")):
            return False  # no name of a site; a whole top-level domain is written .xyz
        path = path if query else path.rstrip("/")
        if is_ip_address(host) and path[1:].isdigit():
            return False  # a network, 1.2.3.0/24
        if path or query:
            self._paths.setdefault(host, {})[f"{path}?{query}" if query else path] = category
        else:
            self._hosts.add(host, category)
        return True

    def __len__(self) -> int:
        """Number of entries."""
        paths = sum(map(len, self._paths.values()))
        return len(self._hosts) + paths + len(self._tokens) + len(self._words)

    def match(self, url: str | None) -> str | None:
        """Category of what the list says about a URL.

        The most specific entry wins: those of the host itself before those of the domains above
        it; of one host's, the longest path, then the host as a whole; then words, the first in
        the URL, of those that begin together the longest.

        Args:
            url: With or without a scheme; None is in no list.
        """
        if url is None:
            return None
        parts = split_url(url)
        if not parts.host:
            return None
        for host in _host_and_parents(parts.host):
            below = self._paths.get(host)
            if below is not None:
                for path in _path_and_parents(parts):
                    if path in below:
                        return below[path]
            category = self._hosts.get(host)
            if category is not None:
                return category
        return self._match_word(parts)

    def _match_word(self, parts: UrlParts) -> str | None:
        if not self._words and not self._tokens:
            return None
        text = (parts.host + parts.path).lower()
        best: tuple[int, int, str] | None = None
        for index, start, stop in self._automaton.find_matches_as_indexes(
            text.encode(), overlapping=True
        ):
            found = (start, -stop, self._word_categories[index])
            best = found if best is None else min(best, found)
        if self._tokens:
            for match in _TOKEN.finditer(text):
                category = self._tokens.get(match.group())
                if category is not None:
                    start = len(text[: match.start()].encode())
                    found = (start, -start - len(match.group()), category)
                    best = found if best is None else min(best, found)
                    break
        return None if best is None else best[2]


def read_host_list(path: Path) -> HostList:
    """Read a list.

    A file, a tar archive or a folder. Files named ``domains`` and ``urls`` have the name of their
    folder as category (UT1), other files their own. A line is a host, a URL with a path, or a
    word without a dot; before it may stand a category and a tab, or the address of a hosts file
    (``0.0.0.0 example.com``). Comments begin with #. Upper case, ports, a final or first dot,
    ``*.`` and Unicode make no difference. What is given again takes the later category.

    Raises:
        HostListError: unreadable, too large, or without a single entry; names the file.
    """
    try:
        hosts = HostList(read_lines(path))
    except OverflowError as error:
        raise HostListError(f"{path}: {error}") from error
    if not len(hosts):
        raise HostListError(f"{path}: no host, URL or word; expected one a line")
    return hosts


@lru_cache(maxsize=8)
def cached_host_list(path: Path, sha256: str) -> HostList:
    """``read_host_list``, once a worker process for each file with its digest."""
    return read_host_list(path)


class HostIndex:
    """A map from millions of names to categories in 18 bytes a name, built once, then only read.

    A name is kept as two hashes of 64 bits by Python's keyed hash (SipHash), which is the same
    within a process; a dictionary of four million host names takes half a gigabyte in every
    worker. A name that is not there is found with a chance of names / 2**128; of five million names
    two share the first hash, and one of them is lost, with a chance of one in a million.
    """

    def __init__(self) -> None:
        self._keys = array("q")
        self._checks = array("q")
        self._kinds = array("H")
        self._categories: dict[str, int] = {}
        self._names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of names; before ``freeze`` those that were given twice count twice."""
        return len(self._keys)

    def __reduce__(self) -> str:
        """Reject pickling: hashes differ between processes.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "a HostIndex cannot be pickled: its hashes are of one process; read the list again"
        )

    def add(self, name: str, category: str) -> None:
        """Put a name in; given again it takes the later category.

        Raises:
            OverflowError: more than MAX_CATEGORIES categories.
        """
        kind = self._categories.setdefault(category, len(self._categories))
        if kind >= MAX_CATEGORIES:
            raise OverflowError(f"more than {MAX_CATEGORIES:,} categories")
        self._keys.append(hash(name))
        self._checks.append(hash(name[::-1]))
        self._kinds.append(kind)

    def freeze(self) -> HostIndex:
        """Sort the names; ``get`` works from here on."""
        keys = np.frombuffer(self._keys, np.int64)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        last = np.append(keys[1:] != keys[:-1], True)[: len(keys)]
        order = order[last]
        self._checks = array("q", np.frombuffer(self._checks, np.int64)[order].tobytes())
        self._kinds = array("H", np.frombuffer(self._kinds, np.uint16)[order].tobytes())
        self._keys = array("q", keys[last].tobytes())
        self._names = tuple(self._categories)
        return self

    def get(self, name: str) -> str | None:
        """Category of a name; None for one that was not put in."""
        key = hash(name)
        place = bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            return None
        if self._checks[place] != hash(name[::-1]):
            return None
        return self._names[self._kinds[place]]


def _host_and_parents(host: str) -> Iterator[str]:
    yield host
    if is_ip_address(host):
        return
    dot = host.find(".")
    while dot >= 0:
        host = host[dot + 1 :]
        yield host
        dot = host.find(".")


def _path_and_parents(parts: UrlParts) -> Iterator[str]:
    """The path with its query, without it, and what it lies below; the longest first."""
    path = parts.path.rstrip("/")
    if parts.query:
        yield f"{parts.path}?{parts.query}"
    yield path
    ends: list[int] = []
    end = path.find("/", 1)
    while end > 0 and len(ends) < MAX_PATH_SEGMENTS:
        ends.append(end)
        end = path.find("/", end + 1)
    for end in reversed(ends):
        yield path[:end].rstrip("/")


def _entries(line: Line) -> Iterator[tuple[str, str]]:
    """Category and entry, for each entry of a line."""
    text = line.text
    hosts = _HOSTS_FILE.fullmatch(text)
    if hosts is not None:
        for host in hosts.group(1).split():
            if host not in _OWN_NAMES and host != "0.0.0.0":
                yield line.category, host
        return
    category, tab, entry = text.partition("\t")
    if tab and entry.strip():
        yield category.strip(), entry.strip()
    else:
        yield line.category, text.strip()
