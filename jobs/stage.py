"""When a stage's wave has to be done, and how it is declared done."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from jobs.store import WHOLE, Commit, Store


class StageIncomplete(RuntimeError):
    """A stage needs what another stage has not finished."""


@dataclass
class Work:
    """One wave of a stage while it is done."""

    rows: int = 0
    """Records, rows or documents that it saw; set by the job."""


def fingerprint_of(*parts: object) -> str:
    """Digest of all that decides a wave's output: settings, artifacts, inputs, earlier stages."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def pending(store: Store, stage: str, fingerprints: Mapping[int, str]) -> list[int]:
    """The waves that were never finished, or were finished from something else."""
    commits = store.commits(stage)
    return [
        wave
        for wave, fingerprint in sorted(fingerprints.items())
        if wave not in commits or commits[wave].fingerprint != fingerprint
    ]


@contextmanager
def wave_of(
    store: Store, stage: str, wave: int, fingerprint: str, reads: str = ""
) -> Iterator[Work]:
    """Revoke a wave's commit, do the work of the block, and commit it if nothing was raised.

    Args:
        reads: Fingerprint of what it reads of earlier stages; `finished` compares it.
    """
    store.revoke(stage, wave)
    started = time.monotonic()
    work = Work()
    yield work
    seconds = time.monotonic() - started
    store.commit(Commit(stage, wave, fingerprint, round(seconds, 3), work.rows, reads))
    name = stage if wave == WHOLE else f"{stage}, wave {wave}"
    rate = work.rows / seconds if seconds else 0.0
    print(
        f"{name}: done, {work.rows:,} seen in {seconds:.1f} s ({rate:,.0f}/s)",
        file=sys.stderr,
        flush=True,
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
