"""What a command would do, and why: every stage looked at in order, and none of them run.

What a wave is made from is known before it is made, so a stage that would run is declared done
with it, in memory, and the stages behind it are looked at as they will find things.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from jobs.run.commits import StageIncomplete, commit_of, due
from jobs.run.request import Run
from jobs.run.store import WHOLE, Commit, Store


@dataclass(frozen=True)
class RehearsedStore(Store):
    """An output whose stages can be declared done without their tables."""

    declared: dict[str, dict[int, Commit]] = field(default_factory=dict)

    def commits(self, stage: str) -> dict[int, Commit]:
        """The committed waves of a stage, and those that were declared."""
        return super().commits(stage) | self.declared.get(stage, {})


def rehearse(jobs: Iterable[str], run: Run) -> Iterator[str]:
    """Say for every stage of these jobs which waves would be done, and why.

    Args:
        jobs: Names of jobs, in the order in which they would run.
    Yields:
        Lines of text.
    """
    store = RehearsedStore(run.store.root)
    run = replace(run, store=store)
    for job in jobs:
        module = importlib.import_module(f"jobs.{job}")
        if not hasattr(module, "bases"):
            yield f"{job}: runs"
            continue
        try:
            stages = module.bases(run)
        except StageIncomplete as error:
            yield f"{job}: cannot run: {error}"
            return
        for stage, waves in stages.items():
            wanted = due(store, stage, waves)
            store.declared[stage] = {wave: commit_of(stage, wave, waves[wave]) for wave in wanted}
            yield from _lines(stage, wanted, len(waves))


def _lines(stage: str, wanted: dict[int, str], waves: int) -> Iterator[str]:
    """A stage's waves, those of one reason together."""
    if not wanted:
        yield f"{stage}: nothing to do"
    elif WHOLE in wanted:
        yield f"{stage}: {wanted[WHOLE]}"
    else:
        yield f"{stage}: {len(wanted):,} of {waves:,} waves"
        for reason, group in groupby(wanted.items(), key=lambda item: item[1]):
            numbers = [wave for wave, _ in group]
            several = len(numbers) > 1
            which = f"waves {numbers[0]} to {numbers[-1]}" if several else f"wave {numbers[0]}"
            yield f"  {which}: {reason}"
