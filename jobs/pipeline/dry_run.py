"""The dry run: which waves of each stage a command would do, and why.

The basis of a wave is known before the wave is made. So a wave that would run is committed in
memory, and the stages after it see that commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from jobs.run.commits import StageIncomplete, commit_of, due
from jobs.run.request import Run, Stage
from jobs.run.store import WHOLE, Commit, Store


@dataclass(frozen=True)
class DryRunStore(Store):
    """An output with commits in memory beside its own."""

    declared: dict[str, dict[int, Commit]] = field(default_factory=dict)

    def commits(self, stage: str) -> dict[int, Commit]:
        """Return the commits of a stage, those in memory included."""
        return super().commits(stage) | self.declared.get(stage, {})


def what_would_run(stages: Iterable[Stage], run: Run) -> Iterator[str]:
    """Describe which waves of each stage would be done, and why.

    Args:
        stages: In running order.
    Yields:
        Lines of text.
    """
    store = DryRunStore(run.store.root)
    run = replace(run, store=store)
    for stage in stages:
        if stage.bases is None:
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


def is_up_to_date(stages: Iterable[Stage], run: Run) -> bool:
    """Whether no stage has anything to do, so that Spark need not start."""
    if run.requests:
        return False
    try:
        bases = [stage.bases(run) for stage in stages if stage.bases is not None]
    except StageIncomplete:  # the stage itself says so
        return False
    return not any(due(run.store, name, waves) for of in bases for name, waves in of.items())


def _lines(stage: str, wanted: dict[int, str], waves: int) -> Iterator[str]:
    """Describe a stage's waves, neighbours with the same reason in one line."""
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
