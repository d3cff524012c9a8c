"""Commits: which waves of a stage are due, and how a wave is declared done.

A wave is due when it has no commit, or one whose fingerprint differs from that of its `Basis`
(settings and sources).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from jobs.run.console import say
from jobs.run.store import WHOLE, Commit, Store

Waves = Mapping[int, "Basis"]

_COUNTS = "counts"
_SHOWN_CHANGES = 3


class StageIncomplete(RuntimeError):
    """A stage needs the result of a stage that has not finished."""


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
    removed: Mapping[str, str] = field(default_factory=dict)
    """Wave -> digest of the set of rejected documents; empty for what is read."""


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


def only_source_changed(commit: Commit, basis: Basis, source: str) -> bool:
    """Whether a commit differs from a basis in one source alone."""
    return (
        commit.settings == json.loads(json.dumps(basis.settings))
        and commit.sources.keys() == basis.sources.keys()
        and all(
            commit.sources[name] == basis.sources[name] for name in commit.sources.keys() - {source}
        )
    )


@contextmanager
def wave_of(
    store: Store, stage: str, wave: int, basis: Basis, waves: int = 1, *, is_shown: bool = True
) -> Iterator[Work]:
    """Revoke a wave's commit, run the block, and commit the wave if the block raised nothing.

    Args:
        waves: Number of waves of the stage, for the line that says that this one is done.
        is_shown: Whether people see that line; programs always do.
    """
    store.revoke(stage, wave)
    started = time.monotonic()
    work = Work()
    yield work
    seconds = time.monotonic() - started
    balance = work.balance
    store.commit(commit_of(stage, wave, basis, round(seconds, 3), balance))
    rate = balance.seen / seconds if seconds else 0.0
    text = f"{stage}{in_wave(wave, waves)}: done, {outcome(balance)} in {seconds:.1f} s"
    say(
        "wave_done",
        f"{text} ({rate:,.0f}/s)" if is_shown else None,
        stage=stage,
        wave=None if wave == WHOLE else wave,
        seen=balance.seen,
        kept=balance.kept,
        rejected=balance.rejected,
        failed=balance.failed,
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
        removed=dict(balance.removed),
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
            raise StageIncomplete(f"{stage}{in_wave(wave)} is not done: run it first")
        if commits[wave].reads != expected:
            raise StageIncomplete(
                f"{stage}{in_wave(wave)} was made from older tables: run it first"
            )
    return {wave: commits[wave].fingerprint for wave in reads}


def fingerprint_of(*parts: object) -> str:
    """Return a digest of settings, artifacts, inputs and earlier stages."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def settings_of(name: str, section: Any, keys: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the values of a configuration section, or of some of its keys, as in `Basis`."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(section), default=str))
    return {f"{name}.{key}": values[key] for key in (values if keys is None else keys)}


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


def in_wave(wave: int, waves: int | None = None) -> str:
    """Return the wave, counted from 1, as the end of a stage's name in messages.

    Args:
        waves: Number of waves of the stage; the only one is not named.
    """
    if wave == WHOLE or waves == 1:
        return ""
    return f", wave {wave + 1}" if waves is None else f", wave {wave + 1} of {waves:,}"


def outcome(balance: Balance) -> str:
    """Return in words what became of what a stage saw."""
    rejected, failed = sum(balance.rejected.values()), sum(balance.failed.values())
    return f"{balance.seen:,} seen, {balance.kept:,} kept, {rejected:,} rejected, {failed:,} failed"


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
