"""What a release must leave out: lists of documents, URLs, hosts and text digests.

A list is UTF-8 text, one entry a line; blank lines and lines that begin with # are skipped. The
kind of an entry is that of its prefix (``host: example.cn``), else it is told by its form.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jobs.config import ConfigError
from udfs.files.uris import InputNotFound, open_input, redact

KINDS = ("doc_id", "url", "host", "sha256")
"""Kinds of entries; a document counts under the first kind that excludes it."""

SCHEME = r"^[A-Za-z][A-Za-z0-9+.-]*://"
TAIL = r"(#.*)?$"
SLASHES = r"/+$"
"""Parts of a URL that do not tell pages apart here; regular expressions of Python and of Java."""

_FORMS = {
    "doc_id": re.compile(r"[0-9a-f]{32}"),
    "sha256": re.compile(r"[0-9A-Fa-f]{64}"),
    "url": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+"),
    "host": re.compile(r"([^\s/:@?#.]+\.)+[^\s/:@?#.]+"),
}
_WITH_PREFIX = {
    "doc_id": re.compile(r"\S.*"),
    "sha256": _FORMS["sha256"],
    "url": re.compile(r"\S+"),
    "host": re.compile(r"[^\s/:@?#.]+(\.[^\s/:@?#.]+)*"),
}
_PREFIX = re.compile(rf"({'|'.join(KINDS)}):\s*(.*)")
_SHOWN = 80


@dataclass(frozen=True)
class Exclusions:
    """Entries of all lists, by kind, as `key_of` writes them."""

    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Kind -> keys; kinds without an entry are left out."""

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the entries."""
        entries = sorted(f"{kind}:{key}\n" for kind, keys in self.keys.items() for key in keys)
        return hashlib.sha256("".join(entries).encode()).hexdigest()


def read_exclusions(files: Sequence[str], setting: str) -> Exclusions:
    """Read lists.

    Args:
        setting: That names them, for messages: ``release.exclude``.
    Raises:
        ConfigError: a file cannot be read, is not UTF-8, or has a line of no known form.
    """
    found: dict[str, set[str]] = {}
    for file in files:
        where = f"{setting}: {redact(file)}"
        try:
            with open_input(file) as stream:
                text = stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(f"{where}: is not UTF-8 text: {error.reason}") from error
        except (OSError, InputNotFound, ValueError) as error:
            raise ConfigError(f"{where}: cannot be read: {error}") from error
        for kind, key in entries_of(text.splitlines(), where):
            found.setdefault(kind, set()).add(key)
    return Exclusions({kind: frozenset(found[kind]) for kind in KINDS if kind in found})


def entries_of(lines: Iterable[str], where: str) -> list[tuple[str, str]]:
    """Return kind and key of each entry.

    Args:
        where: The list's name, for messages.
    Raises:
        ConfigError: naming the first line of no known form.
    """
    found = []
    for number, line in enumerate(lines, start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        prefix = _PREFIX.fullmatch(entry)
        forms = _FORMS if prefix is None else {prefix[1]: _WITH_PREFIX[prefix[1]]}
        text = entry if prefix is None else prefix[2]
        kind = next((kind for kind, form in forms.items() if form.fullmatch(text)), None)
        if kind is None:
            shown = entry if len(entry) <= _SHOWN else f"{entry[:_SHOWN]}..."
            raise ConfigError(
                f"{where}:{number}: {shown!r}: expected a doc_id of 32 hex digits, a URL with its "
                "scheme, a host, a SHA-256 of 64 hex digits, or one of these behind "
                f"{', '.join(f'{name}:' for name in KINDS)}"
            )
        found.append((kind, key_of(kind, text)))
    return found


def key_of(kind: str, text: str) -> str:
    """Return an entry as it is compared.

    >>> key_of("url", "https://Example.cn/a/#top"), key_of("host", "Example.CN")
    ('Example.cn/a', 'example.cn')
    """
    if kind == "url":
        return re.sub(SLASHES, "", re.sub(TAIL, "", re.sub(SCHEME, "", text), count=1))
    return text if kind == "doc_id" else text.lower()
