"""This project's WARC reader beside warcio and FastWARC, record by record, over real files.

    python -m tests.bench.reader_parity --data DIR

Reads every file of DIR/warc (many are malformed on purpose) with all three and lines their
records up by type and block. What one has and the other has not is explained by what this
reader says of the place: a damage, a wrong length, or nothing, where the other reader gave up or
passed over records. Prints the counts of each kind, then every file that differs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from tests.bench.timing import table
from udfs.warc.reader import read_records
from udfs.warc.records import Damage, WarcRecord

_ALL_TYPES = frozenset(
    {"warcinfo", "request", "response", "metadata", "resource", "revisit", "conversion",
     "continuation", "unknown"}
)  # fmt: skip
# An ARC file's first record is its own kind in warcio, and has none in FastWARC.
_FILE_HEADER = frozenset({"warcinfo", "arc_header"})


@dataclass(frozen=True)
class Seen:
    """A record as one reader gives it."""

    record_type: str
    digest: str
    size: int
    note: str = ""  # of this project's reader: what is wrong with it

    @property
    def key(self) -> tuple[str, str]:
        return self.record_type, self.digest


@dataclass
class Reading:
    """All that one reader makes of a file; `error` is what it ended with, if it raised."""

    records: list[Seen] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    error: str = ""


def _seen(record_type: str, block: bytes, note: str = "") -> Seen:
    return Seen(record_type, hashlib.sha1(block).hexdigest(), len(block), note)


def ours(path: Path) -> Reading:
    """What this project's reader makes of a file."""
    reading = Reading()
    with path.open("rb") as file:
        for item in read_records(file, wanted=_ALL_TYPES):
            if isinstance(item, WarcRecord):
                note = item.truncated if item.truncated in ("cut", "wrong_length") else ""
                reading.records.append(_seen(item.record_type, item.block, note or ""))
            else:
                reading.damages.append(item)
    return reading


def _warcio(path: Path) -> Iterator[Seen]:
    with path.open("rb") as file:
        for record in ArchiveIterator(file, no_record_parse=True):
            yield _seen(str(record.rec_type).lower(), record.raw_stream.read())


def _fastwarc(path: Path) -> Iterator[Seen]:
    with path.open("rb") as file:
        for record in FastIterator(file, parse_http=False):
            yield _seen((record.headers.get("WARC-Type") or "").lower(), record.reader.read())


def theirs(read: Callable[[Path], Iterator[Seen]], path: Path) -> Reading:
    """What another reader makes of it, up to its error if it raises one."""
    reading = Reading()
    try:
        with redirect_stderr(io.StringIO()):  # warcio warns there
            for record in read(path):
                reading.records.append(record)
    except BaseException as error:  # FastWARC's panics are no Exceptions
        if isinstance(error, KeyboardInterrupt):
            raise
        reading.error = f"{type(error).__name__}: {' '.join(str(error).split())[:70]}"
    return reading


def differences(mine: Reading, other: Reading) -> list[str]:
    """The kind of every record that only one has, or that differs; none for equal readings."""
    left, right = mine.records, other.records
    if left and right and {left[0].record_type, right[0].record_type} == _FILE_HEADER:
        left, right = left[1:], right[1:]
    kinds: list[str] = []
    matcher = SequenceMatcher(None, [s.key for s in left], [s.key for s in right], autojunk=False)
    for what, i, i_end, j, j_end in matcher.get_opcodes():
        if what == "equal":
            continue
        pairs = min(i_end - i, j_end - j)
        kinds += [_changed(left[i + n], right[j + n]) for n in range(pairs)]
        kinds += [_missing_there(other, j + pairs == len(right))] * (i_end - i - pairs)
        kinds += [_missing_here(mine)] * (j_end - j - pairs)
    return kinds


def _changed(here: Seen, there: Seen) -> str:
    if here.record_type != there.record_type:
        types = [seen.record_type.split("\n")[0][:20] for seen in (here, there)]
        return f"the header ends elsewhere: {types[0]} here, {types[1]}... there"
    size = "longer" if here.size > there.size else "shorter"
    if here.note:
        return f"{here.note} here, and the block is {size}"
    return f"the block is {size} here, with nothing wrong"


def _missing_there(other: Reading, at_end: bool) -> str:
    if at_end and other.error:
        return f"only here: the other ended with {other.error}"
    return "only here: the other stopped without a word" if at_end else "only here: passed over"


def _missing_here(mine: Reading) -> str:
    reasons = sorted({damage.reason for damage in mine.damages})
    return f"only there: damage here ({', '.join(reasons)})" if reasons else "only there"


def compare(folder: Path, name: str, read: Callable[[Path], Iterator[Seen]]) -> str:
    """Tables of one other reader over all files of a folder."""
    kinds: Counter[str] = Counter()
    files: list[list[str]] = []
    equal = total = 0
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            continue
        is_arc = b"filedesc://" in path.read_bytes()[:64] or ".arc" in path.name
        if name == "FastWARC" and is_arc:
            kinds["not compared: ARC, which FastWARC does not read"] += 1
            continue
        total += 1
        mine, other = ours(path), theirs(read, path)
        found = differences(mine, other)
        kinds.update(found)
        if not found:
            equal += 1
            continue
        counted = "; ".join(f"{n} x {kind}" for kind, n in Counter(found).most_common())
        files.append([path.name, str(len(mine.records)), str(len(other.records)), counted])
    lines = [f"## {name}", "", f"{equal} of {total} files give the same records.", ""]
    if kinds:
        rows = [[kind, str(count)] for kind, count in kinds.most_common()]
        lines += [table(["difference", "records"], rows), ""]
        lines.append(table(["file", "records here", "records there", "differences"], files))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args(argv)
    for name, read in (("warcio", _warcio), ("FastWARC", _fastwarc)):
        print(compare(arguments.data / "warc", name, read), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
