"""Why two outputs differ: settings, artifacts, inputs and programs, and which stage reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.run.request import APPLY_RULES, MEASURE_DOCUMENTS, is_stage
from jobs.run.store import Commit
from jobs.transforms.outcomes import ABSENT, KEPT

Commits = Mapping[str, Mapping[int, Commit]]
"""Stage -> wave -> commit."""

_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Cause:
    """Something that differs between two outputs."""

    kind: str
    """setting, artifact, input or program."""
    name: str
    stage: str
    """The stage that reads it; empty for a setting that no stage reads, and for a program."""
    before: object
    after: object

    def __str__(self) -> str:
        where = f" ({self.stage})" if self.stage else ""
        return f"{self.name} is {_shown(self.after)}, was {_shown(self.before)}{where}"


@dataclass(frozen=True)
class Move:
    """Documents of one outcome before and another one after."""

    before: str
    after: str
    documents: int
    samples: Sequence[Mapping[str, Any]]
    """doc_id and url of a few of them, in the order of their hashes."""
    causes: Sequence[Cause] = ()


def causes_of(
    before: Mapping[str, Any], after: Mapping[str, Any], old: Commits, new: Commits
) -> list[Cause]:
    """List what differs between two outputs, in the order of the stages.

    Args:
        before, after: Their facts.
        old, new: Their commits.
    """
    order = list(dict.fromkeys([*new, *old]))
    found = [cause for stage in order for cause in _of_stage(stage, old, new)]
    named = {cause.name for cause in found}
    for name, value in _flat(after["config"]).items():
        earlier = _flat(before["config"]).get(name)
        if earlier != value and name not in named:
            found.append(Cause("setting", name, "", earlier, value))
    for program, version in after["versions"].items():
        earlier = before["versions"].get(program)
        if earlier != version:
            found.append(Cause("program", program, "", earlier, version))
    return found


def moves_of(
    rows: Sequence[Mapping[str, Any]], causes: Sequence[Cause], order: Sequence[str], samples: int
) -> list[Move]:
    """Add up the parts of `jobs.transforms.outcomes.moves`, most documents first.

    Args:
        order: Stages in running order.
        samples: How many documents of each move.
    """
    parts: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        parts.setdefault((row["before"], row["after"]), []).append(row)
    found = [
        Move(
            *pair,
            sum(row["documents"] for row in of),
            sorted(of, key=lambda row: (row["place"], row["doc_id"]))[:samples],
            () if pair[0] == pair[1] else explain(*pair, causes, order),
        )
        for pair, of in parts.items()
    ]
    return sorted(found, key=lambda move: (-move.documents, move.before, move.after))


def explain(
    before: str, after: str, causes: Sequence[Cause], order: Sequence[str]
) -> tuple[Cause, ...]:
    """Return the causes that may have moved documents from one outcome to another.

    They are those of the first stage that decided otherwise, or else of the stages before it.

    Args:
        order: Stages in running order.
    """
    if ABSENT in (before, after):
        return tuple(cause for cause in causes if cause.stage in order[:1])
    stages = [outcome.partition("/")[0] for outcome in (before, after) if outcome != KEPT]
    places = {stage: place for place, stage in enumerate(order)}
    decided = min(stages, key=lambda stage: places.get(stage, len(places)))
    direct = tuple(cause for cause in causes if cause.stage == decided)
    if direct or decided not in places:
        return direct
    earlier = order[: places[decided]]
    return tuple(cause for cause in causes if cause.stage in earlier)


def _of_stage(stage: str, old: Commits, new: Commits) -> Iterator[Cause]:
    """What a stage reads and differs, of its last wave on each side."""
    sides = [_last(of.get(stage, {})) for of in (old, new)]
    if None in sides:
        return
    before, after = sides
    assert before is not None and after is not None
    name = APPLY_RULES if stage == MEASURE_DOCUMENTS else stage
    for key in sorted(before.settings.keys() | after.settings.keys()):
        values = before.settings.get(key), after.settings.get(key)
        if values[0] != values[1]:
            yield Cause("setting", key, name, *values)
    for key in sorted(before.sources.keys() | after.sources.keys()):
        digests = before.sources.get(key), after.sources.get(key)
        if digests[0] != digests[1] and not is_stage(key):
            kind = "input" if key == "input" else "artifact"
            yield Cause(kind, key, name, *(_digest(digest) for digest in digests))


def _last(commits: Mapping[int, Commit]) -> Commit | None:
    return commits[max(commits)] if commits else None


def _digest(digest: str | None) -> str | None:
    return digest if digest is None else digest[:_SHOWN_DIGITS]


def _flat(config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        f"{section}.{key}": value
        for section, values in config.items()
        for key, value in values.items()
    }


def _shown(value: object) -> str:
    return "off" if value is None else str(value)
