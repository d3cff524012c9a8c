"""What a command is about to change in an output, in words, and whether it may.

It asks before it deletes a table, and before finished work of other stages than its own is done
again. `run_pipeline` has all stages; it asks before finished waves are made again for another cause
than new input.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import groupby

from jobs.config import RunConfig
from jobs.pipeline.work_plan import Step, WorkPlan, by_reason, named_waves
from jobs.run.request import FIND_DUPLICATES, Run, Stage
from jobs.run.splits import Split, work_units
from jobs.run.store import WHOLE
from udfs.files.uris import redact

_SHOWN_FILES = 3


class NotAgreed(RuntimeError):
    """The command would delete a table or repeat other stages, and nobody agreed to it."""


def changes(found: WorkPlan, run: Run) -> Iterator[str]:
    """Describe what a command is about to do: what is added, made, made again, deleted and kept."""
    yield from added_input(run)
    if found.is_up_to_date and not run.requests:
        return
    steps = [step for step in found.steps if step.wanted]
    first = [_first_time(step) for step in steps if len(step.again) < len(step.wanted)]
    if first and not run.requests:  # else more waves than are known yet
        yield f"to do: {', '.join(first)}"
    repeated = [(step.name, *lines) for step in steps for lines in _repeated(step)]
    for (which, reason), group in groupby(repeated, key=lambda line: line[1:]):
        yield f"again: {', '.join(name for name, *_ in group)}{which}: {reason}"
    for table, reason in deleted(found).items():
        yield f"deleted: {table}: {reason}"
    kept = [step.name for step in found.steps if not step.wanted]
    if kept and not run.requests:
        yield f"kept as it is: {', '.join(kept)}"
    if found.incomplete is not None and not run.requests:
        yield found.incomplete


def added_input(run: Run) -> Iterator[str]:
    """Name the input that a command adds to that of the output."""
    new = [split for splits in run.added.values() for split in splits]
    here = sum(len(work_units(splits)) for splits in run.waves.values()) - len(new)
    if new:
        to = f" to {here:,} already here" if here else ""
        yield f"adding {_files(len(new))}{to}: {_named(new)}"
    if run.requests:
        to = f" to {_files(here)} already here" if here else ""
        yield f"adding ranges of files{to}: Spark looks them up, then every stage has work"


def deleted(found: WorkPlan) -> Mapping[str, str]:
    """Return the tables that a command would delete, with the reason."""
    return {table: why for step in found.steps for table, why in step.deletes.items()}


def needs_consent(command: Stage, found: WorkPlan) -> list[str]:
    """Name what a command would do that it asks for."""
    has_all_stages = command.run is None and bool(command.needs)
    remade = [
        step.name
        for step in found.steps
        if step.is_remade
        and step.stage is not command
        and not (has_all_stages and WHOLE in step.wanted)
    ]
    asked = [f"do finished work of {', '.join(remade)} again"] if remade else []
    return asked + [f"delete {table}" for table in deleted(found)]


def check_consent(command: Stage, found: WorkPlan, settings: RunConfig, is_agreed: bool) -> None:
    """Ask, on a terminal, where a command needs consent.

    Args:
        is_agreed: Whether ``--yes`` is given.
    Raises:
        NotAgreed: the answer was no, or there is nobody to ask.
    """
    asked = needs_consent(command, found)
    if not asked or is_agreed or settings.redo == "always":
        return
    would = f"this would {' and '.join(asked)}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotAgreed(f"{would}; give --yes, or --set run.redo=always, to go on")
    print(f"{command.name}: {would}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotAgreed("nothing was changed")


def _first_time(step: Step) -> str:
    """Name the waves of a step that were never finished."""
    new = sorted(step.wanted.keys() - step.again)
    if WHOLE in new or len(new) == step.waves:
        return step.name
    return f"{step.name} ({named_waves(new)})"


def _repeated(step: Step) -> Iterator[tuple[str, str]]:
    """Name the waves of a step that are done again, for the end of its name, with the reason."""
    repeated = {wave: why for wave, why in step.wanted.items() if wave in step.again}
    for which, reason in by_reason(repeated):
        if step.name.startswith("score_") and reason == f"{FIND_DUPLICATES} changed":
            reason = f"only where {FIND_DUPLICATES} removes other documents than before"
        yield "" if WHOLE in repeated else f", {which}", reason


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _named(splits: list[Split]) -> str:
    names = [redact(split.uri) for split in splits[:_SHOWN_FILES]]
    more = len(splits) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")
