"""A checked request: what every stage works from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.lock import Lock
from jobs.config import Config
from jobs.run.crawl_request import RangeRequest
from jobs.run.splits import Waves
from jobs.run.store import Store


@dataclass(frozen=True)
class Run:
    """A checked request: what a job's ``run(spark, run)`` works from."""

    config: Config
    config_file: Path | None
    store: Store
    waves: Waves
    lock: Lock
    requests: tuple[RangeRequest, ...] = ()  # to be planned with Spark, before anything else
    rehearsed: bool = False  # only to be looked at: nothing may be written

    @property
    def catalogue(self) -> dict[str, Artifact]:
        """What the configuration may name: the locked artifacts, and files of its own."""
        return self.lock.artifacts
