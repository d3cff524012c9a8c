"""What a command would do, and why: every stage looked at in order, and none of them run.

What a wave is made from is known before it is made, so a stage that would run is declared done
with it, in memory, and the stages behind it are looked at as they will find things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from jobs.run.commits import StageIncomplete, commit_of, due
from jobs.run.request import Run, Stage
from jobs.run.store import WHOLE, Commit, Store


@dataclass(frozen=True)
class RehearsedStore(Store):
    """An output whose stages can be declared done without their tables."""

    declared: dict[str, dict[int, Commit]] = field(default_factory=dict)

    def commits(self, stage: str) -> dict[int, Commit]:
        """The committed waves of a stage, and those that were declared."""
        return super().commits(stage) | self.declared.get(stage, {})


def rehearse(stages: Iterable[Stage], run: Run) -> Iterator[str]:
    """Say for every stage which waves would be done, and why.

    Args:
        stages: In the order in which they would run.
    Yields:
        Lines of text.
    """
    store = RehearsedStore(run.store.root)
    run = replace(run, store=store)
    for stage in stages:
        if stage.bases is None:
            yield f"{stage.name}: runs"
            continue
        try:
            bases = stage.bases(run)
        except StageIncomplete as error:
            yield f"{stage.name}: cannot run: {error}"
            return
        for name, waves in bases.items():
            wanted = due(store, name, waves)
            store.declared[name] = {wave: commit_of(name, wave, waves[wave]) for wave in wanted}
            yield from _lines(name, wanted, len(waves))


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
