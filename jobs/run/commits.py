"""Commits and the ledger: which waves of a stage are due, and how a wave is declared done.

A wave is due when it has no commit, or one whose fingerprint differs from that of its `Basis`
(settings and sources). Before a wave is committed its ledger must close: every record that the
stage saw is kept, rejected or failed.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.run.console import say
from jobs.run.splits import SPLITS
from jobs.run.store import WHOLE, Commit, Store
from jobs.tables import LEDGER, check_schema

Waves = Mapping[int, "Basis"]

_COUNTS = "counts"
_SHOWN_FILES = 10
_SHOWN_CHANGES = 3


class StageIncomplete(RuntimeError):
    """A stage needs the result of a stage that has not finished."""


class BalanceOpen(RuntimeError):
    """Some records that a stage saw are neither kept, nor rejected or failed by reason."""


@dataclass(frozen=True)
class Balance:
    """Counts of what a stage saw in a wave, by outcome."""

    seen: int = 0
    """Records, rows or documents: kept + rejected + failed."""
    kept: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Reason -> records."""
    failed: Mapping[str, int] = field(default_factory=dict)
    """Reason -> records."""


@dataclass(frozen=True)
class Basis:
    """Everything that a wave's output depends on, by name, so that a change can be named."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """``section.key`` -> value, as in JSON."""
    sources: Mapping[str, str | None] = field(default_factory=dict)
    """Input, file or earlier stage -> digest; None for a stage that never ran."""
    reads: str = ""
    """Digest of the tables of earlier stages alone: the part that `finished` compares."""
    redo: str | None = None
    """Why the wave must be done although nothing above has changed; None for no reason."""

    @property
    def fingerprint(self) -> str:
        """Digest of settings and sources."""
        return fingerprint_of(self.settings, self.sources)


@dataclass
class Work:
    """A wave of a stage while it is worked on."""

    balance: Balance = field(default_factory=Balance)
    """Set by the stage, before the block ends."""


def due(store: Store, stage: str, waves: Waves) -> dict[int, str]:
    """Return the waves to do, with the reason: never committed, or committed on another basis."""
    commits = store.commits(stage)
    reasons = {
        wave: _change(commits[wave], basis) if wave in commits else "not done yet"
        for wave, basis in sorted(waves.items())
    }
    return {wave: reason for wave, reason in reasons.items() if reason is not None}


@contextmanager
def wave_of(store: Store, stage: str, wave: int, basis: Basis) -> Iterator[Work]:
    """Revoke a wave's commit, run the block, and commit the wave if the block raised nothing."""
    store.revoke(stage, wave)
    started = time.monotonic()
    work = Work()
    yield work
    seconds = time.monotonic() - started
    balance = work.balance
    store.commit(commit_of(stage, wave, basis, round(seconds, 3), balance))
    rate = balance.seen / seconds if seconds else 0.0
    say(
        "wave_done",
        f"{stage}{_in_wave(wave)}: done, {balance.seen:,} seen in {seconds:.1f} s ({rate:,.0f}/s)",
        stage=stage,
        wave=None if wave == WHOLE else wave,
        **asdict(balance),
        seconds=round(seconds, 3),
        per_second=round(rate, 1),
    )


def commit_of(
    stage: str, wave: int, basis: Basis, seconds: float = 0.0, balance: Balance | None = None
) -> Commit:
    """Return the commit of a wave that was made on a basis."""
    balance = balance or Balance()
    return Commit(
        stage,
        wave,
        basis.fingerprint,
        seconds,
        balance.seen,
        reads=basis.reads,
        kept=balance.kept,
        rejected=dict(balance.rejected),
        failed=dict(balance.failed),
        settings=dict(basis.settings),
        sources=dict(basis.sources),
    )


def finished(store: Store, stage: str, reads: Mapping[int, str]) -> dict[int, str] | None:
    """Return the fingerprints of a stage's waves, or None if the stage never ran.

    Args:
        reads: Wave -> `Basis.reads` of the stage, as it would be now.
    Raises:
        StageIncomplete: some waves are not done, or were made from other tables.
    """
    commits = store.commits(stage)
    if not any(wave in commits for wave in reads):
        return None
    for wave, expected in sorted(reads.items()):
        if wave not in commits:
            raise StageIncomplete(f"{stage}{_in_wave(wave)} is not done: run it first")
        if commits[wave].reads != expected:
            raise StageIncomplete(
                f"{stage}{_in_wave(wave)} was made from older tables: run it first"
            )
    return {wave: commits[wave].fingerprint for wave in reads}


def fingerprint_of(*parts: object) -> str:
    """Return a digest of settings, artifacts, inputs and earlier stages."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def settings_of(name: str, section: Any, keys: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the values of a configuration section, or of some of its keys, as in `Basis`."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(section), default=str))
    return {f"{name}.{key}": values[key] for key in (values if keys is None else keys)}


def splits_frame(spark: SparkSession, store: Store, waves: Iterable[int]) -> DataFrame:
    """Read the input files of some waves.

    Returns:
        (warc_path, wave, parts), one row for each file and wave. parts is the number of splits
        that read the file: more than one if they read ranges of it.
    """
    paths = [store.table_path(SPLITS, wave) for wave in waves]
    reader = spark.read.schema("warc_path string, wave int")  # else a job looks for the columns
    splits = reader.option("basePath", store.table_path(SPLITS)).parquet(*paths)
    return splits.groupBy("warc_path", "wave").agg(F.count("*").alias("parts"))


def close_ledger(store: Store, ledger: DataFrame, wave: int) -> dict[str, Balance]:
    """Write the ledger of one or more stages and check it.

    The driver holds one row for each stage and input file of the wave, as it holds the splits.

    Args:
        ledger: The columns of the ledger, ``stage`` and ``wave``.
        wave: The ledger's wave, or WHOLE for all waves.
    Returns:
        Stage -> sums over the wave's files.
    Raises:
        BalanceOpen: naming the files whose balance is open.
    """
    check_schema(ledger.drop("stage", "wave").schema, LEDGER)
    rows = ledger.toArrow().sort_by(
        [(name, "ascending") for name in ("stage", "wave", "warc_path")]
    )
    balances: dict[str, Balance] = {}
    for stage in rows["stage"].unique().to_pylist():
        of_stage = _rows_where(rows, "stage", stage)
        _write_ledger(store, of_stage, stage, wave)
        if wrong := open_rows(of_stage):
            shown = "; ".join(map(str, wrong[:_SHOWN_FILES]))
            raise BalanceOpen(
                f"{stage}{_in_wave(wave)}: seen is not kept + rejected + failed for "
                f"{len(wrong):,} files: {shown}"
            )
        balances[stage] = _balance_of(of_stage)
    return balances


def write_counts(store: Store, stage: str, counts: Mapping[str, int]) -> None:
    """Write a stage's counts under the output, over those of an earlier run."""
    store.write_bytes(json.dumps(counts, indent=1).encode(), _COUNTS, f"{stage}.json")


def read_counts(store: Store, stage: str) -> dict[str, int]:
    """Return the counts that a stage wrote; an empty dictionary if it wrote none."""
    try:
        counts: dict[str, int] = json.loads(store.read_bytes(_COUNTS, f"{stage}.json"))
    except FileNotFoundError:
        return {}
    return counts


def _in_wave(wave: int) -> str:
    """Return the wave as the end of a stage's name in messages."""
    return "" if wave == WHOLE else f", wave {wave}"


def _change(commit: Commit, basis: Basis) -> str | None:
    """Name what changed since a wave was committed; None if nothing did."""
    if commit.fingerprint == basis.fingerprint:
        return basis.redo
    settings = [
        f"{name} is {_shown(basis.settings, name)}, was {_shown(commit.settings, name)}"
        for name in sorted(commit.settings.keys() | basis.settings.keys())
        if _shown(basis.settings, name) != _shown(commit.settings, name)
    ]
    sources = [
        f"{name} changed"
        for name in sorted(commit.sources.keys() | basis.sources.keys())
        if commit.sources.get(name) != basis.sources.get(name)
    ]
    changes = sources + settings
    more = len(changes) - _SHOWN_CHANGES
    shown = changes[:_SHOWN_CHANGES] + ([f"{more} more changes"] if more > 0 else [])
    return "; ".join(shown) or "made by another version"


def _shown(settings: Mapping[str, Any], name: str) -> str:
    return json.dumps(settings[name], ensure_ascii=False) if name in settings else "not there"


def _write_ledger(store: Store, rows: pa.Table, stage: str, wave: int) -> None:
    """Write a stage's ledger over an earlier one, one file for each wave."""
    folder = (LEDGER, f"stage={stage}")
    store.delete(*folder, *([] if wave == WHOLE else [f"wave={wave}"]))
    for number in rows["wave"].unique().to_pylist():
        buffer = io.BytesIO()
        of_wave = _rows_where(rows, "wave", number).drop_columns(["stage", "wave"])
        pq.write_table(of_wave, buffer, compression="zstd")
        store.write_bytes(buffer.getvalue(), *folder, f"wave={number}", "ledger.parquet")


def _rows_where(table: pa.Table, column: str, value: object) -> pa.Table:
    """Return the rows of a table with a value in a column."""
    import pyarrow.compute as pc  # a sixth of what a plan would spend on imports

    return table.filter(pc.field(column) == value)


def open_rows(ledger: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a ledger in which seen is not kept + rejected + failed."""
    return [row for row in _ledger_rows(ledger) if row["seen"] != _accounted(row)]


def _accounted(row: Mapping[str, Any]) -> int:
    by_reason = (*row["rejected"].values(), *row["failed"].values())
    return int(row["kept"]) + sum(map(int, by_reason))


def _ledger_rows(ledger: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a ledger, with counts by reason as dictionaries.

    A split without a tally leaves a null, which equals no number, so that its row is open.
    """
    for batch in ledger.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            yield row | {name: dict(row[name] or ()) for name in ("rejected", "failed")}


def _balance_of(ledger: pa.Table) -> Balance:
    """Sum the rows of a ledger whose balance is closed."""
    seen = kept = 0
    rejected: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for row in _ledger_rows(ledger):
        seen, kept = seen + row["seen"], kept + row["kept"]
        rejected.update(row["rejected"])
        failed.update(row["failed"])
    return Balance(seen, kept, dict(sorted(rejected.items())), dict(sorted(failed.items())))
