"""The ledger: for every input file and stage, what came in and what became of it.

The driver holds a row for each file and stage of a wave, as it holds the splits; workers count the
documents (`jobs.transforms.ledger`). A stage's rows are written and checked before its wave is
committed: what it saw must be kept, or rejected or failed by reason.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from jobs.run.commits import Balance, in_wave
from jobs.run.request import Run
from jobs.run.splits import Waves
from jobs.run.store import WHOLE, Commit, Store
from jobs.tables import LEDGER
from jobs.transforms.ledger import REPEATED, TALLY, File

_COUNTS = pa.list_(pa.struct([("reason", pa.string()), ("records", pa.int64())]))
_SCHEMA = pa.schema(
    [
        ("warc_path", pa.string()),
        ("seen", pa.int64()),
        ("kept", pa.int64()),
        ("rejected", _COUNTS),
        ("failed", _COUNTS),
    ]
)
_SHOWN_FILES = 10


class BalanceOpen(RuntimeError):
    """Some records that a stage saw are neither kept, nor rejected or failed by reason."""


@dataclass
class FileBalance:
    """What a stage saw of a file, by outcome."""

    seen: int | None = 0
    """None, and the balance open, where a part of the file left no tally, or several."""
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    removed: int = 0
    """Digest of the set of rejected documents."""

    @property
    def is_closed(self) -> bool:
        """Whether all that was seen is accounted for."""
        return self.seen == self.kept + self.rejected.total() + self.failed.total()


Ledger = Mapping[File, FileBalance]
"""A stage's balance of every file of one or more waves."""


def parts_of(waves: Waves, numbers: Iterable[int]) -> Counter[File]:
    """Count the splits that read each file of some waves: several if they read ranges of it."""
    return Counter((wave, split.warc_path) for wave in numbers for split in waves[wave])


def close_stages(
    run: Run, stages: Sequence[str], counts: Iterable[Mapping[str, Any]], wave: int
) -> dict[str, Balance]:
    """Write and check the ledgers of stages that saw the same documents.

    Args:
        counts: Rows of `jobs.transforms.ledger.stage_counts` of the wave, or of all waves.
        wave: The ledgers' wave, or WHOLE for all waves.
    Returns:
        Stage -> sums over its files.
    Raises:
        BalanceOpen: naming the files whose balance is open.
    """
    planned = parts_of(run.waves, run.waves if wave == WHOLE else [wave])
    ledgers = stage_ledgers(planned, stages, counts)
    return {stage: close_ledger(run.store, stage, wave, ledgers[stage]) for stage in stages}


def stage_ledgers(
    planned: Iterable[File], stages: Sequence[str], counts: Iterable[Mapping[str, Any]]
) -> dict[str, Ledger]:
    """Put the counts of stages together.

    Args:
        planned: Files that get a row, whether anything was seen of them or not.
        counts: Rows of `jobs.transforms.ledger.stage_counts`.
    Returns:
        Stage -> its ledger.
    """
    ledgers: dict[str, dict[File, FileBalance]] = {
        stage: {file: FileBalance() for file in planned} for stage in stages
    }
    for row in counts:
        file = (row["wave"], row["warc_path"])
        for stage in stages if row["stage"] is None else (row["stage"],):
            balance = ledgers[stage].setdefault(file, FileBalance())
            if row["stage"] is None:
                balance.seen = row["n"]
            elif row["reason"] is None:
                balance.kept += row["n"]
            else:
                balance.rejected[row["reason"]] += row["n"]
                balance.removed ^= row["digest"]
    return dict(ledgers)


def read_ledger(
    parts: Mapping[File, int], wave: int, counts: Iterable[Mapping[str, Any]]
) -> Ledger:
    """Put what the workers tallied of a wave beside what was in fact written.

    Args:
        parts: The wave's files, with the number of tallies that each must have.
        counts: Rows of `tally_rows` and `written_counts` of `jobs.transforms.ledger`.
    """
    ledger: defaultdict[File, FileBalance] = defaultdict(FileBalance)
    ledger.update({file: FileBalance() for file in parts})
    tallies: Counter[File] = Counter()
    for row in counts:
        file = (wave, row["warc_path"])
        balance = ledger[file]
        if row["kind"] == TALLY:
            tallies[file] += 1
            balance.seen = (balance.seen or 0) + row["n"]
            balance.rejected.update(_counter(row["rejected"]))
            balance.failed.update(_counter(row["failed"]))
        elif row["kind"] == REPEATED:
            balance.rejected["repeated_id"] += row["n"]
        else:
            balance.kept += row["n"]
    for file, balance in ledger.items():
        if tallies[file] != parts.get(file, 0):
            balance.seen = None
    return dict(ledger)


def close_ledger(store: Store, stage: str, wave: int, ledger: Ledger) -> Balance:
    """Write a stage's ledger over an earlier one, one file for each wave, and check it.

    Args:
        wave: The ledger's wave, or WHOLE for all waves.
    Returns:
        The sums over its files.
    Raises:
        BalanceOpen: naming the files whose balance is open.
    """
    folder = (LEDGER, f"stage={stage}")
    store.delete(*folder, *([] if wave == WHOLE else [f"wave={wave}"]))
    by_wave: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for (number, path), balance in sorted(ledger.items()):
        by_wave[number].append(
            {
                "warc_path": path,
                "seen": balance.seen,
                "kept": balance.kept,
                "rejected": _counts(balance.rejected),
                "failed": _counts(balance.failed),
            }
        )
    for number, rows in by_wave.items():
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), buffer, compression="zstd")
        store.write_bytes(buffer.getvalue(), *folder, f"wave={number}", "ledger.parquet")
    if wrong := [f"{file[1]}: {of}" for file, of in sorted(ledger.items()) if not of.is_closed]:
        shown = "; ".join(wrong[:_SHOWN_FILES])
        raise BalanceOpen(
            f"{stage}{in_wave(wave)}: seen is not kept + rejected + failed for "
            f"{len(wrong):,} files: {shown}"
        )
    return _summed(ledger)


def kept_of(store: Store, stage: str, waves: Iterable[int]) -> dict[File, int] | None:
    """Read how many documents a stage kept of each file, for `decided_rows`.

    Returns:
        None where it has no ledger of a wave, or two waves read parts of a file: which of them a
        document is of, its own table says alone.
    """
    found: dict[File, int] = {}
    for wave in waves:
        try:
            data = store.read_bytes(LEDGER, f"stage={stage}", f"wave={wave}", "ledger.parquet")
        except FileNotFoundError:
            return None
        table = pq.read_table(io.BytesIO(data), columns=["warc_path", "kept"])
        paths, kept = (table[name].to_pylist() for name in ("warc_path", "kept"))
        found.update(((wave, path), n) for path, n in zip(paths, kept, strict=True))
    return found if len({path for _, path in found}) == len(found) else None


def decided_rows(
    seen: Mapping[File, int], stage: str, counts: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Give counts the waves of their files: the rows of `stage_counts`.

    Args:
        seen: Documents that the stage saw of each file, each of which is in one wave.
        stage: The stage that decided.
        counts: Rows of `jobs.transforms.ledger.decided_counts`. Those of a file of which nothing
            was to be seen count in the first wave, and leave its balance open.
    """
    wave_of = {path: wave for wave, path in seen}
    first = min(wave_of.values(), default=0)
    for (wave, path), n in seen.items():
        yield _count_row(wave, path, None, None, n, None)
    for row in counts:
        wave, path = wave_of.get(row["warc_path"], first), row["warc_path"]
        yield _count_row(wave, path, stage, row["reason"], row["n"], 0)


def _count_row(
    wave: int, path: str, stage: str | None, reason: str | None, n: int, digest: int | None
) -> dict[str, Any]:
    return {
        **{"wave": wave, "warc_path": path, "stage": stage},
        **{"reason": reason, "n": n, "digest": digest},
    }


def _counts(reasons: Counter[str]) -> list[dict[str, Any]]:
    """Return reasons and records as a table has them."""
    return [{"reason": reason, "records": records} for reason, records in sorted(reasons.items())]


def _counter(counts: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return what `_counts` made a list of."""
    return Counter({row["reason"]: row["records"] for row in counts})


def totals_of(stage: str, commits: Sequence[Commit]) -> dict[str, Any]:
    """Sum the records of a stage over its commits.

    Raises:
        BalanceOpen: seen is not kept + rejected + failed.
    """
    counts = {
        "seen": sum(commit.rows for commit in commits),
        "kept": sum(commit.kept for commit in commits),
        "rejected": sum(sum(commit.rejected.values()) for commit in commits),
        "failed": sum(sum(commit.failed.values()) for commit in commits),
    }
    if counts["seen"] != counts["kept"] + counts["rejected"] + counts["failed"]:
        raise BalanceOpen(f"{stage}: seen is not kept + rejected + failed: {counts}")
    return {"stage": stage, **counts}


def _summed(ledger: Ledger) -> Balance:
    """Add up balances that are closed."""
    seen = kept = 0
    rejected: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    removed: Counter[int] = Counter()
    digests: defaultdict[int, int] = defaultdict(int)
    for (wave, _), balance in ledger.items():
        seen, kept = seen + (balance.seen or 0), kept + balance.kept
        rejected.update(balance.rejected)
        failed.update(balance.failed)
        removed[wave] += balance.rejected.total()
        digests[wave] ^= balance.removed
    by_wave = {str(wave): f"{removed[wave]}:{digests[wave]:x}" for wave in sorted(removed)}
    return Balance(
        seen, kept, dict(sorted(rejected.items())), dict(sorted(failed.items())), by_wave
    )


def rows_of(counts: DataFrame) -> Iterator[dict[str, Any]]:
    """Collect the rows of counts."""
    for batch in counts.toArrow().to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()
