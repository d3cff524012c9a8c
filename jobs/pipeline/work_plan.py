"""The work plan: which waves of each stage a command would do, and why.

The basis of a wave is known before the wave is made. So a wave that would run is committed in
memory, and the stages after it see that commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from jobs.run.commits import Basis, StageIncomplete, commit_of, due
from jobs.run.request import Run, Stage, is_stage
from jobs.run.store import WHOLE, Commit, Store


@dataclass(frozen=True)
class PlanStore(Store):
    """An output with commits in memory beside its own, which are read once."""

    declared: dict[str, dict[int, Commit]] = field(default_factory=dict)
    earlier: dict[str, dict[int, Commit]] = field(default_factory=dict)

    def commits(self, stage: str) -> dict[int, Commit]:
        """Return the commits of a stage, those in memory included."""
        if stage not in self.earlier:
            self.earlier[stage] = super().commits(stage)
        return self.earlier[stage] | self.declared.get(stage, {})


@dataclass(frozen=True)
class Step:
    """What a command would do under one name of commits."""

    stage: Stage
    name: str
    waves: int
    """Number of all its waves."""
    wanted: Mapping[int, str]
    """Wave to do -> why."""
    again: frozenset[int]
    """Those of `wanted` that were finished before."""
    is_remade: bool
    """Whether some of `again` have other causes than new input."""
    deletes: Mapping[str, str]
    """Table that its work would delete -> why."""


@dataclass(frozen=True)
class WorkPlan:
    """What a command would do."""

    steps: tuple[Step, ...]
    """In running order."""
    incomplete: str | None = None
    """Why the stage after the last step cannot run."""
    store: PlanStore | None = None
    """The output as it would be; None where a stage cannot run."""

    @property
    def is_up_to_date(self) -> bool:
        """Whether no stage has anything to do, so that Spark need not start."""
        return self.incomplete is None and not any(step.wanted for step in self.steps)

    def busy(self, stages: Sequence[Stage]) -> list[Stage]:
        """Return those of stages that have something to do; all where that is not known."""
        if self.incomplete is not None:
            return list(stages)
        names = {step.stage.name for step in self.steps if step.wanted}
        return [stage for stage in stages if stage.name in names]


def work_plan(stages: Iterable[Stage], run: Run) -> WorkPlan:
    """Find out what the stages would do.

    Args:
        stages: In running order.
    """
    store = PlanStore(run.store.root)
    run = replace(run, store=store)
    steps: list[Step] = []
    for stage in stages:
        if stage.bases is None:
            continue
        try:
            bases = stage.bases(run)
        except StageIncomplete as error:
            return WorkPlan(tuple(steps), f"{stage.name}: cannot run: {error}")
        for name, waves in bases.items():
            steps.append(_step(stage, name, waves, run, steps))
            wanted = steps[-1].wanted
            store.declared[name] = {wave: commit_of(name, wave, waves[wave]) for wave in wanted}
    return WorkPlan(tuple(steps), store=store)


def plan_lines(found: WorkPlan) -> Iterator[str]:
    """Describe which waves of each stage would be done, and why, in lines of text."""
    for step in found.steps:
        if not step.wanted:
            yield f"{step.name}: nothing to do"
        elif WHOLE in step.wanted:
            yield f"{step.name}: {step.wanted[WHOLE]}"
        else:
            yield f"{step.name}: {len(step.wanted):,} of {step.waves:,} waves"
            for which, reason in by_reason(step.wanted):
                yield f"  {which}: {reason}"
    if found.incomplete is not None:
        yield found.incomplete


def by_reason(wanted: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """Name waves and why they are done, neighbours with the same reason together."""
    for reason, group in groupby(wanted.items(), key=lambda item: item[1]):
        yield named_waves([wave for wave, _ in group]), reason


def named_waves(numbers: list[int]) -> str:
    """Name neighbouring waves, in order, counted from 1."""
    first, last = numbers[0] + 1, numbers[-1] + 1
    return f"wave {first}" if first == last else f"waves {first} to {last}"


def _step(
    stage: Stage, name: str, waves: Mapping[int, Basis], run: Run, before: list[Step]
) -> Step:
    """Return a stage's step, without declaring it done."""
    wanted = due(run.store, name, waves)
    commits = run.store.commits(name)
    again = frozenset(wanted.keys() & commits.keys())
    causes = {step.name: step.is_remade for step in before}
    is_remade = any(_is_remade(commits[wave], waves[wave], causes) for wave in again)
    deletes = stage.deletes(run) if wanted and stage.deletes is not None else {}
    return Step(stage, name, len(waves), wanted, again, is_remade, deletes)


def _is_remade(commit: Commit, basis: Basis, causes: Mapping[str, bool]) -> bool:
    """Whether a wave is done again because of a setting or a file, here or in a stage before it.

    Else only tables of earlier stages changed: by new input, or in an earlier command.
    """
    if commit.settings != json.loads(json.dumps(basis.settings)):
        return True
    changed = [
        name
        for name in commit.sources.keys() | basis.sources.keys()
        if commit.sources.get(name) != basis.sources.get(name)
    ]
    return not changed or any(causes.get(name, not is_stage(name)) for name in changed)
