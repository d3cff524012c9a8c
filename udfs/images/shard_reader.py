"""Shards of images that others wrote: tar files to samples, whatever state they are in.

img2dataset downloads the images of a list of addresses, and its shards are joined to pages by
address. A shard from elsewhere may be cut, name files outside its folder, or hold members without
end; each becomes a counted problem, nothing is ever written to disk, and memory is bounded by the
limits of one sample.

Members are grouped as WebDataset does: a sample is the members that follow one another and have one
name up to its first dot (its `group_by_keys` and `base_plus_ext`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from udfs.images.shards import EXTENSIONS

TRUNCATED_SHARD = "truncated_shard"
"""The file ends inside a member, or without the block that ends a tar file. The sample that has not
ended is dropped with it."""
BAD_HEADER = "bad_header"
"""A member's header is none; nothing behind it is read, and the sample before it is dropped."""
COMPRESSED_SHARD = "compressed_shard"
UNSAFE_NAME = "unsafe_name"
"""A name that is absolute or climbs out of its folder."""
NOT_A_FILE = "not_a_file"
"""A link, device or folder; folders are counted only where their name is unsafe."""
MEMBER_TOO_LARGE = "member_too_large"
SAMPLE_TOO_LARGE = "sample_too_large"
"""A member beyond the number or the bytes that a sample may have."""
NO_ENDING = "no_ending"
"""A name without a dot: part of no sample."""
DUPLICATE_MEMBER = "duplicate_member"
"""A second member of one name in a sample; the first counts. WebDataset refuses the shard."""
DUPLICATE_KEY = "duplicate_key"
"""A sample whose key an earlier one of the shard has; dropped."""
BAD_JSON = "bad_json"

_BLOCK = 512
_OCTAL = re.compile(rb"[0-7]{1,12}")
_NAME = re.compile(r"^((?:.*/|)[^.]+)[.]([^/]*)$", re.DOTALL)
_IMAGE_ENDINGS = {ending: name for name, ending in EXTENSIONS.items()} | {"jpeg": "jpeg"}
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
_LONG_NAME_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """What a shard may cost."""

    max_member_bytes: int = 32 << 20
    max_sample_bytes: int = 64 << 20
    max_sample_members: int = 32
    max_json_bytes: int = 1 << 20
    max_samples: int = 1_000_000
    """Keys to remember: a sample beyond is a duplicate key."""


@dataclass(frozen=True, slots=True)
class ReadSample:
    """A sample of a shard.

    Attributes:
        key: Name of its members up to the first dot, with folders.
        image: Bytes of its image; None for none.
        caption: Of KEY.txt; None without one.
        fields: Of KEY.json; None without one, and where it is no JSON object.
        others: Further members by ending, lower-case.
        offset: Of its first member in the shard.
    """

    key: str
    image: bytes | None
    caption: str | None
    fields: dict[str, Any] | None
    others: dict[str, bytes]
    offset: int

    @property
    def url(self) -> str | None:
        """The address that the sample's fields state."""
        stated = self.fields.get("url") if self.fields else None
        return stated if isinstance(stated, str) else None


@dataclass(frozen=True, slots=True)
class ShardProblem:
    """A part of a shard that gave no sample, or not all of one. Reasons are never renamed."""

    offset: int
    reason: str
    detail: str


DEFAULT_SHARD_LIMITS = ShardLimits()


def read_shard(
    file: BinaryIO, limits: ShardLimits = DEFAULT_SHARD_LIMITS
) -> Iterator[ReadSample | ShardProblem]:
    """Yield the samples of a tar file, in order, and a problem for every part that gave none.

    Reads the file once, from its beginning to the end, without seeking.

    Raises:
        OSError: from the file.
    """
    grouped = _Grouped(limits)
    for item in _members(file, limits):
        if isinstance(item, ShardProblem):
            yield item
            if item.reason in (TRUNCATED_SHARD, BAD_HEADER):
                grouped.drop()  # members of its last sample may be missing
            continue
        offset, name, body = item
        if body is None:
            yield from grouped.end_before(name)
        else:
            yield from grouped.add(offset, name, body)
    yield from grouped.finish()


_Member = tuple[int, str, bytes | None]
"""Offset, name and body of a member; no body where the file ends inside it."""


class _Grouped:
    """Members, grouped to samples."""

    def __init__(self, limits: ShardLimits) -> None:
        self._limits = limits
        self._key: str | None = None
        self._offset = 0
        self._parts: dict[str, bytes] = {}
        self._bytes = 0
        self._keys: set[str] = set()

    def add(self, offset: int, name: str, body: bytes) -> Iterator[ReadSample | ShardProblem]:
        """Add a member; yields the sample that it ends."""
        found = _NAME.match(name)
        if found is None:
            yield ShardProblem(offset, NO_ENDING, name[:200])
            return
        key, ending = found[1], found[2].lower()
        if key != self._key:
            yield from self.finish()
            self._key, self._offset = key, offset
        self._bytes += len(body)
        if ending in self._parts:
            yield ShardProblem(offset, DUPLICATE_MEMBER, name[:200])
        elif (
            len(self._parts) >= self._limits.max_sample_members
            or self._bytes > self._limits.max_sample_bytes
        ):
            yield ShardProblem(offset, SAMPLE_TOO_LARGE, name[:200])
        else:
            self._parts[ending] = body

    def end_before(self, name: str) -> Iterator[ReadSample | ShardProblem]:
        """End the sample, and yield it, if a member is of another one."""
        found = _NAME.match(name)
        if found is not None and found[1] != self._key:
            yield from self.finish()

    def drop(self) -> None:
        """Leave out the sample that has not ended."""
        self._key, self._parts, self._bytes = None, {}, 0

    def finish(self) -> Iterator[ReadSample | ShardProblem]:
        """End the sample; yields it."""
        key, parts = self._key, self._parts
        self.drop()
        if key is None or not parts:
            return
        if key in self._keys or len(self._keys) >= self._limits.max_samples:
            yield ShardProblem(self._offset, DUPLICATE_KEY, key[:200])
            return
        self._keys.add(key)
        fields = None
        stated = parts.pop("json", None)
        if stated is not None:
            fields = _json_object(stated, self._limits.max_json_bytes)
            if fields is None:
                yield ShardProblem(self._offset, BAD_JSON, f"{key[:190]}.json")
        caption = parts.pop("txt", None)
        endings = [ending for ending in parts if ending in _IMAGE_ENDINGS]
        image = parts.pop(endings[0]) if endings else None
        text = None if caption is None else caption.decode("utf-8", "replace")
        yield ReadSample(key, image, text, fields, parts, self._offset)


def _json_object(body: bytes, max_bytes: int) -> dict[str, Any] | None:
    if len(body) > max_bytes:
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@dataclass(slots=True)
class _Header:
    """A member's header."""

    name: str
    size: int
    kind: bytes


def _members(file: BinaryIO, limits: ShardLimits) -> Iterator[_Member | ShardProblem]:
    """Yield offset, name and body of the members that may be part of a sample."""
    offset = 0
    long_name: str | None = None
    while True:
        block = _read(file, _BLOCK)
        if offset == 0 and block.startswith(_COMPRESSED):
            yield ShardProblem(0, COMPRESSED_SHARD, repr(block[:6]))
            return
        if len(block) < _BLOCK:
            yield ShardProblem(offset, TRUNCATED_SHARD, f"{len(block)} bytes of a header")
            return
        if not block.strip(b"\0"):
            return
        header = _header(block)
        if header is None:
            yield ShardProblem(offset, BAD_HEADER, repr(block[:32]))
            return
        is_name = header.kind in (b"L", b"x")
        most = _LONG_NAME_BYTES if is_name else limits.max_member_bytes
        is_wanted = is_name or header.kind in (b"0", b"\0", b"7")
        body = _read(file, header.size) if is_wanted and header.size <= most else None
        got = _skipped(file, header.size) if body is None else len(body)
        padding = -header.size % _BLOCK
        if got < header.size or _skipped(file, padding) < padding:
            if not is_name:
                yield offset, header.name if long_name is None else long_name, None
            yield ShardProblem(offset, TRUNCATED_SHARD, header.name[:200])
            return
        if is_name:
            if body is None:
                yield ShardProblem(offset, MEMBER_TOO_LARGE, "a name")
            else:
                stated = body.rstrip(b"\0") if header.kind == b"L" else _pax_path(body)
                long_name = None if stated is None else stated.decode("utf-8", "surrogateescape")
        else:
            name = header.name if long_name is None else long_name
            long_name = None
            problem = _problem(name, header.kind, body)
            if problem is not None:
                yield ShardProblem(offset, problem, name[:200])
            elif body is not None and not _is_meta(name):
                yield offset, name, body
        offset += _BLOCK + header.size + padding


def _problem(name: str, kind: bytes, body: bytes | None) -> str | None:
    """Why a member is part of no sample; None for folders, and for metadata of the archive."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or name[1:2] == ":":
        return UNSAFE_NAME
    if kind in (b"5", b"g"):
        return None
    if kind not in (b"0", b"\0", b"7"):
        return NOT_A_FILE
    return MEMBER_TOO_LARGE if body is None else None


def _is_meta(name: str) -> bool:
    """Whether WebDataset leaves out a member as one about the archive."""
    return "/" not in name and name.startswith("__") and name.endswith("__")


def _header(block: bytes) -> _Header | None:
    """Parse a header; None where its checksum or a number is wrong."""
    stated, size = _number(block[148:156]), _number(block[124:136])
    blanked = block[:148] + b" " * 8 + block[156:]
    if stated is None or stated != sum(blanked) or size is None:
        return None
    name = block[:100].split(b"\0", 1)[0]
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].split(b"\0", 1)[0]
        name = prefix + b"/" + name if prefix else name
    kind = block[156:157]
    return _Header(name.decode("utf-8", "surrogateescape"), _size(kind, size), kind)


def _size(kind: bytes, size: int) -> int:
    """Bytes behind a header: links, devices and folders have none."""
    return 0 if kind in (b"1", b"2", b"3", b"4", b"5", b"6") else size


def _number(field: bytes) -> int | None:
    """A number as octal digits, or as binary where the first bit is set; None for a wrong one."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0") or b"0"
    return int(digits, 8) if _OCTAL.fullmatch(digits) else None


def _pax_path(body: bytes) -> bytes | None:
    """The path in an extended header; None without one."""
    at, path = 0, None
    while at < len(body):
        space = body.find(b" ", at, at + 8)
        if space < 0 or not body[at:space].isdigit():
            break
        length = int(body[at:space])
        key, _, value = body[space + 1 : at + length - 1].partition(b"=")
        if key == b"path":
            path = value
        if length <= space - at:
            break
        at += length
    return path


def _read(file: BinaryIO, count: int) -> bytes:
    """Read so many bytes; fewer at the end of the file alone."""
    parts = []
    while count > 0:
        part = file.read(min(count, 1 << 20))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _skipped(file: BinaryIO, count: int) -> int:
    """Read past bytes; returns how many there were."""
    left = count
    while left > 0:
        part = file.read(min(left, 1 << 20))
        if not part:
            break
        left -= len(part)
    return count - left
