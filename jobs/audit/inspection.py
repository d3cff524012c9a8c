"""Inspection of a corpus by people: write a form of sampled documents, and add up a filled one.

    python -m jobs.audit.inspection --from OUTPUT --write form.csv
    python -m jobs.audit.inspection --read form.csv

A form has a row for each document, with its text and four flags: language_right, unnatural,
artifacts, porn. Write yes or no into each; leave a row empty to skip its document. Another --seed
takes other documents; the sample is the same for the same corpus.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import heapq
import io
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

from jobs.config import ConfigError
from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted
from jobs.run.store import Store
from jobs.tables import corpus_of
from udfs.files.output_files import atomic_file
from udfs.files.uris import redact

FLAGS = ("language_right", "unnatural", "artifacts", "porn")
"""What is said of a document: it is in the language; nobody wrote it for readers (machine
translation, word lists, templates); it has remains of pages or garbled characters; pornography.

Source: HPLT release 3, inspection of 200 documents a language."""

YES, NO = frozenset({"1", "y", "yes", "x", "true"}), frozenset({"0", "n", "no", "false"})
_COLUMNS = ("doc_id", *FLAGS, "url", "text")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class FlagCount:
    """How often a flag was set."""

    flag: str
    yes: int
    answered: int
    """Documents with an answer."""

    @property
    def share(self) -> float:
        """Of the documents with an answer; 0.0 for none."""
        return self.yes / self.answered if self.answered else 0.0

    def interval(self) -> tuple[float, float]:
        """The limits between which the share in the corpus is taken to lie, at 95 %.

        Source: Wilson 1927, score interval.
        """
        if not self.answered:
            return 0.0, 1.0
        z = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
        n, share = self.answered, self.share
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def form_of(store: Store, selection: str | None, documents: int, seed: int, max_chars: int) -> str:
    """Return a form as CSV: a row for each sampled document of a corpus, with empty flags.

    The sample is that of the lowest hashes of seed and doc_id: the same for any partitions, and
    part of every larger one.

    Args:
        selection: Name of a selection; None for the default one.
        documents: Most of them.
        max_chars: Leading code points of a text that are shown.
    Raises:
        ConfigError: the output has no corpus.
    """
    table = corpus_of(selection)
    try:
        least = heapq.nsmallest(documents, _hashed(store, table, seed))
    except FileNotFoundError as error:
        raise ConfigError(f"{redact(store.root)}: has no table {table}") from error
    order = [doc_id for _, doc_id in least]
    rows = store.rows_of(table, ["doc_id", "url", "text"], order)
    found = {row["doc_id"]: row for row in rows}
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for doc_id in order:
        row = found[doc_id]
        shown = (_cell(row["url"] or ""), _cell(row["text"][:max_chars]))
        writer.writerow((_cell(doc_id), *("" for _ in FLAGS), *shown))
    return file.getvalue()


def counts_of(form: str, where: str) -> list[FlagCount]:
    """Add up the flags of a form that was filled in. Documents without an answer do not count.

    Args:
        where: Its file, for messages.
    Raises:
        ConfigError: it has other columns, or a flag with another value than yes or no; the message
            names the document.
    """
    reader = csv.DictReader(io.StringIO(form))
    if missing := [name for name in ("doc_id", *FLAGS) if name not in (reader.fieldnames or ())]:
        raise ConfigError(f"{where}: has no column {missing[0]}; expected {', '.join(_COLUMNS)}")
    yes, answered = dict.fromkeys(FLAGS, 0), dict.fromkeys(FLAGS, 0)
    for row in reader:
        for flag in FLAGS:
            value = (row[flag] or "").strip().lower()
            if value and value not in YES | NO:
                raise ConfigError(
                    f"{where}: {row['doc_id']}: {flag} = {row[flag]!r}: expected yes or no"
                )
            answered[flag] += bool(value)
            yes[flag] += value in YES
    return [FlagCount(flag, yes[flag], answered[flag]) for flag in FLAGS]


def counts_text(counts: list[FlagCount]) -> str:
    """Return a line for each flag: its share, with the limits at 95 %."""
    lines = [f"{'flag':16} {'yes':>5} {'of':>5} {'share':>7}  95 % of such samples"]
    for one in counts:
        low, high = one.interval()
        said = f"{one.yes:5,} {one.answered:5,} {one.share:7.3f}  {low:.3f} to {high:.3f}"
        lines.append(f"{one.flag:16} {said}")
    return "\n".join(lines)


def _hashed(store: Store, table: str, seed: int) -> Iterator[tuple[bytes, str]]:
    """Hash and id of every document."""
    for row in store.rows(table, ["doc_id"]):
        doc_id = str(row["doc_id"])
        yield hashlib.blake2b(f"{seed} {doc_id}".encode(), digest_size=8).digest(), doc_id


def _cell(text: str) -> str:
    """A text that no spreadsheet runs, without zero bytes."""
    text = text.replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def main(argv: Sequence[str] | None = None) -> int:
    """Write or read a form.

    Returns:
        0, or 2 when the request is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="jobs.audit.inspection",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--from", dest="output", metavar="OUTPUT", help="an output with a corpus")
    parser.add_argument("--name", metavar="NAME", help="of a named selection")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FILE", help="write a form, a CSV file")
    what.add_argument("--read", type=Path, metavar="FILE", help="add up a form")
    parser.add_argument("--documents", type=int, default=200, help="most rows of the form")
    parser.add_argument("--seed", type=int, default=0, help="another seed takes other documents")
    parser.add_argument("--max-chars", type=int, default=1500, help="most characters of a text")
    arguments = parser.parse_args(argv)
    try:
        if arguments.read is not None:
            text = arguments.read.read_text(encoding="utf-8-sig")
            print(counts_text(counts_of(text, str(arguments.read))))
        else:
            _write(arguments)
    except (ConfigError, OSError, UnicodeDecodeError) as error:
        print(f"inspection: {error}", file=sys.stderr)
        return 2
    return 0


def _write(arguments: argparse.Namespace) -> None:
    """Write a form.

    Raises:
        ConfigError: an argument is wrong, or there is no corpus, or the file is there.
    """
    if arguments.output is None:
        raise ConfigError("--write: needs --from OUTPUT")
    if arguments.documents < 1 or arguments.max_chars < 1:
        raise ConfigError("--documents, --max-chars: expected 1 or more")
    if arguments.write.exists():
        raise ConfigError(f"--write {arguments.write}: is there already")
    form = form_of(
        Store.at(arguments.output),
        arguments.name,
        arguments.documents,
        arguments.seed,
        arguments.max_chars,
    )
    with atomic_file(str(arguments.write.absolute())) as file:
        file.write(form.encode("utf-8"))
    print(arguments.write)


if __name__ == "__main__":
    sys.exit(until_interrupted("inspection", main))
