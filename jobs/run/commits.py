"""Writing the ledger, and refusing to go on where it does not close.

What a stage counted of itself beside its tables, for the report.

When a stage's wave has to be done, why, and how it is declared done.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.run.console import say
from jobs.run.splits import SPLITS
from jobs.run.store import WHOLE, Commit, Store
from jobs.tables import LEDGER, check_schema
from jobs.transforms.ledger import unbalanced

_SHOWN = 10


class BalanceOpen(RuntimeError):
    """Records went in that are neither kept, nor rejected or failed by reason."""


@dataclass(frozen=True)
class Balance:
    """What a stage saw in a wave, and what became of it."""

    seen: int = 0
    """Records, rows or documents: kept + rejected + failed."""
    kept: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Reason -> records."""
    failed: Mapping[str, int] = field(default_factory=dict)
    """Reason -> records."""


def splits_frame(spark: SparkSession, store: Store, waves: Iterable[int]) -> DataFrame:
    """The files of some waves as (warc_path, wave, parts): a row a file and wave, with the number
    of splits that it is read in; more than one where ranges of it are."""
    paths = [store.table_path(SPLITS, wave) for wave in waves]
    splits = spark.read.option("basePath", store.table_path(SPLITS)).parquet(*paths)
    by_file = splits.groupBy("warc_path", F.col("wave").cast("int").alias("wave"))
    return by_file.agg(F.count("*").alias("parts"))


def close_ledger(
    spark: SparkSession, store: Store, ledger: DataFrame, stage: str, wave: int
) -> Balance:
    """Write a stage's ledger, read it back and check it.

    Args:
        ledger: The columns of the ledger and ``wave``.
        wave: The wave that it is of, or WHOLE for all of them.
    Returns:
        The sums over the wave's files.
    Raises:
        BalanceOpen: naming the files whose balance is open.
    """
    counts = ledger.drop("wave")
    check_schema(counts.schema, LEDGER)
    path = store.path(LEDGER, f"stage={stage}")
    if wave == WHOLE:
        ledger = ledger.coalesce(1)  # a row an input file: small
        ledger.write.mode("overwrite").partitionBy("wave").parquet(path, compression="zstd")
    else:
        path = f"{path}/wave={wave}"
        store.write_parquet(counts.coalesce(1), path)
    written = spark.read.parquet(path)
    wrong = unbalanced(written).take(_SHOWN)
    if wrong:
        raise BalanceOpen(f"{stage}, wave {wave}: " + "; ".join(str(row.asDict()) for row in wrong))
    return _summed(written)


def _summed(ledger: DataFrame) -> Balance:
    """The counts of all files together: as many rows as there are reasons."""
    outcomes = F.concat(
        F.array(_outcome("seen", F.lit(""), F.col("seen"))),
        F.array(_outcome("kept", F.lit(""), F.col("kept"))),
        _outcomes("rejected"),
        _outcomes("failed"),
    )
    by_reason = ledger.select(F.explode(outcomes).alias("o")).groupBy("o.outcome", "o.reason")
    found: dict[str, dict[str, int]] = {"seen": {}, "kept": {}, "rejected": {}, "failed": {}}
    for row in by_reason.agg(F.sum("o.n").alias("n")).orderBy("outcome", "reason").collect():
        found[row["outcome"]][row["reason"]] = row["n"]
    return Balance(
        found["seen"].get("", 0), found["kept"].get("", 0), found["rejected"], found["failed"]
    )


def _outcomes(counts: str) -> Column:
    """A map column (reason -> records) as an array."""
    entries = F.map_entries(counts)
    return F.transform(entries, lambda entry: _outcome(counts, entry["key"], entry["value"]))


def _outcome(outcome: str, reason: Column, n: Column) -> Column:
    return F.struct(F.lit(outcome).alias("outcome"), reason.alias("reason"), n.alias("n"))


_COUNTS = "counts"


def write_counts(store: Store, stage: str, counts: Mapping[str, int]) -> None:
    """Keep a stage's counts under the output, over those of an earlier run."""
    store.write_bytes(json.dumps(counts, indent=1).encode(), _COUNTS, f"{stage}.json")


def read_counts(store: Store, stage: str) -> dict[str, int]:
    """The counts that a stage left; none where it left none."""
    try:
        counts: dict[str, int] = json.loads(store.read_bytes(_COUNTS, f"{stage}.json"))
    except FileNotFoundError:
        return {}
    return counts


Waves = Mapping[int, "Basis"]

_SHOWN_CHANGES = 3


class StageIncomplete(RuntimeError):
    """A stage needs what another stage has not finished."""


@dataclass(frozen=True)
class Basis:
    """All that a wave's output follows from, by name, so that a change of it can be named."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """``section.key`` -> value, as JSON has it."""
    sources: Mapping[str, str | None] = field(default_factory=dict)
    """What is read (the input, a file, an earlier stage) -> digest; None for a stage that was
    never run."""
    reads: str = ""
    """Digest of the part that `finished` compares: what is read of earlier stages."""

    redo: str | None = None
    """Why it has to be done although nothing of the above has changed."""

    @property
    def fingerprint(self) -> str:
        """Digest of it all."""
        return fingerprint_of(self.settings, self.sources)


@dataclass
class Work:
    """One wave of a stage while it is done."""

    balance: Balance = field(default_factory=Balance)
    """What it saw and what became of it; set by the job."""


def fingerprint_of(*parts: object) -> str:
    """Digest of settings, artifacts, inputs, earlier stages."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def settings_of(name: str, section: Any, keys: Sequence[str] | None = None) -> dict[str, Any]:
    """The values of a configuration section, or of some of its keys, as a `Basis` has them."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(section), default=str))
    return {f"{name}.{key}": values[key] for key in (values if keys is None else keys)}


def due(store: Store, stage: str, waves: Waves) -> dict[int, str]:
    """The waves that have to be done, and why: never finished, or made from something else."""
    commits = store.commits(stage)
    reasons = {
        wave: _what_changed(commits[wave], basis) if wave in commits else "not done yet"
        for wave, basis in sorted(waves.items())
    }
    return {wave: reason for wave, reason in reasons.items() if reason is not None}


@contextmanager
def wave_of(store: Store, stage: str, wave: int, basis: Basis) -> Iterator[Work]:
    """Revoke a wave's commit, do the work of the block, and commit it if nothing was raised."""
    store.revoke(stage, wave)
    started = time.monotonic()
    work = Work()
    yield work
    seconds = time.monotonic() - started
    balance = work.balance
    store.commit(commit_of(stage, wave, basis, round(seconds, 3), balance))
    name = stage if wave == WHOLE else f"{stage}, wave {wave}"
    rate = balance.seen / seconds if seconds else 0.0
    say(
        "wave_done",
        f"{name}: done, {balance.seen:,} seen in {seconds:.1f} s ({rate:,.0f}/s)",
        stage=stage,
        wave=None if wave == WHOLE else wave,
        **asdict(balance),
        seconds=round(seconds, 3),
        per_second=round(rate, 1),
    )


def commit_of(
    stage: str, wave: int, basis: Basis, seconds: float = 0.0, balance: Balance | None = None
) -> Commit:
    """What declares a wave done that was made from a basis."""
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
    """Fingerprints of a stage's waves, or None where the stage was never run.

    Args:
        reads: Wave -> what the stage would read of earlier stages now.
    Raises:
        StageIncomplete: some waves are not done, or were done from what is no longer there.
    """
    commits = store.commits(stage)
    if not any(wave in commits for wave in reads):
        return None
    for wave, expected in sorted(reads.items()):
        where = "" if wave == WHOLE else f", wave {wave}"
        if wave not in commits:
            raise StageIncomplete(f"{stage}{where} is not done: run it first")
        if commits[wave].reads != expected:
            raise StageIncomplete(f"{stage}{where} was made from older tables: run it first")
    return {wave: commits[wave].fingerprint for wave in reads}


def _what_changed(commit: Commit, basis: Basis) -> str | None:
    """What a wave was made from and is not any more; None where nothing is."""
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
