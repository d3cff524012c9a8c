"""Choosing versions: the newest set of artifacts in which every need is met.

Source: resolvelib, the resolver of pip, over a provider of ours; version specifiers as `packaging`
reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import resolvelib
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from jobs.catalogue.catalogue import CODE, Artifact

_MAX_ROUNDS = 100_000


class Unresolvable(ValueError):
    """No set of artifacts meets every need; the message says who asks for what."""


@dataclass(frozen=True)
class Need:
    """That somebody asks for an artifact, or for code."""

    name: str
    specifiers: str
    by: str
    """Who: a key of the configuration, or an artifact as name@version."""

    def __str__(self) -> str:
        return f"{self.by} needs {self.name} {self.specifiers or '(any version)'}"


@dataclass(frozen=True)
class _Candidate:
    name: str
    version: str


def resolve(
    artifacts: Mapping[str, Mapping[str, Artifact]],
    asked: Iterable[Need],
    kept: Mapping[str, str] | None = None,
    upgraded: str | None = None,
    code: Mapping[str, str] = CODE,
) -> dict[str, str]:
    """The versions to use, the same whatever the order of artifacts and needs.

    Each choice is the newest that leaves a solution: there is no other one in which a version is
    newer and none is older.

    Args:
        artifacts: Name -> version -> artifact.
        asked: What the configuration asks for.
        kept: Versions of a lock. With ``upgraded`` all stay as they are, but those of that
            artifact and of what it needs; of the latter, what can stay stays.
        upgraded: The artifact that moves.
        code: Versions of the code that may be needed.
    Returns:
        Name -> version of everything that is needed, code too.
    Raises:
        Unresolvable: there is no such set, a name is unknown, a specifier is none, or needs go in
            a circle.
    """
    _refuse_circles(artifacts)
    provider = _Provider(artifacts, code, kept or {}, upgraded)
    needs = sorted(set(asked), key=lambda need: (need.name, need.by))
    resolver: Any = resolvelib.Resolver(provider, resolvelib.BaseReporter())
    try:
        result = resolver.resolve(needs, max_rounds=_MAX_ROUNDS)
    except resolvelib.ResolutionImpossible as error:
        raise Unresolvable(_explained(error.causes, provider)) from None
    except resolvelib.ResolutionTooDeep as error:
        raise Unresolvable(f"no set found in {error.round_count:,} rounds") from None
    return {name: candidate.version for name, candidate in sorted(result.mapping.items())}


class _Provider(resolvelib.AbstractProvider):  # type: ignore[type-arg,misc,unused-ignore]
    """What resolvelib asks of a catalogue."""

    def __init__(
        self,
        artifacts: Mapping[str, Mapping[str, Artifact]],
        code: Mapping[str, str],
        kept: Mapping[str, str],
        upgraded: str | None,
    ) -> None:
        self._artifacts = artifacts
        self._code = code
        self._kept = kept if upgraded is not None else {}
        self._upgraded = upgraded
        self._movable = set() if upgraded is None else self._reach(upgraded)

    def versions(self, name: str) -> list[str]:
        """The versions to choose from, the best first."""
        if name in self._code:
            return [self._code[name]]
        known = sorted(self._artifacts.get(name, {}), key=Version, reverse=True)
        locked = self._kept.get(name)
        if locked not in known or name == self._upgraded:
            return known
        others = [version for version in known if version != locked]
        return [locked, *others] if name in self._movable else [locked]

    def stays(self, name: str) -> bool:
        """Whether an artifact may not move, though there are other versions."""
        return self._kept.get(name) in self._artifacts.get(name, {}) and name not in self._movable

    def identify(self, requirement_or_candidate: Need | _Candidate) -> str:
        return requirement_or_candidate.name

    def get_preference(self, identifier: str, *_: Any, **__: Any) -> tuple[bool, str]:
        return identifier != self._upgraded, identifier

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Need]],
        incompatibilities: Mapping[str, Iterator[_Candidate]],
    ) -> list[_Candidate]:
        needs = list(requirements[identifier])
        bad = {candidate.version for candidate in incompatibilities[identifier]}
        return [
            _Candidate(identifier, version)
            for version in self.versions(identifier)
            if version not in bad and all(_allows(need, version) for need in needs)
        ]

    def is_satisfied_by(self, requirement: Need, candidate: _Candidate) -> bool:
        return _allows(requirement, candidate.version)

    def get_dependencies(self, candidate: _Candidate) -> list[Need]:
        if candidate.name in self._code:
            return []
        artifact = self._artifacts[candidate.name][candidate.version]
        by = f"{candidate.name}@{candidate.version}"
        return [Need(name, specifiers, by) for name, specifiers in sorted(artifact.needs.items())]

    def _reach(self, name: str) -> set[str]:
        """A name and all that any version of it may need."""
        found: set[str] = set()
        left = [name]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                for artifact in self._artifacts.get(name, {}).values():
                    left += artifact.needs
        return found


def _refuse_circles(artifacts: Mapping[str, Mapping[str, Artifact]]) -> None:
    """Raise Unresolvable where versions of artifacts need each other, which resolvelib may not end
    with."""
    needs = {
        name: {other for artifact in versions.values() for other in artifact.needs}
        for name, versions in artifacts.items()
    }
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            circle = [*path[path.index(name) :], name]
            raise Unresolvable(f"needs go in a circle: {', '.join(circle)}")
        if name not in done:
            for other in sorted(needs.get(name, ())):
                walk(other, [*path, name])
            done.add(name)

    for name in sorted(needs):
        walk(name, [])


def _allows(need: Need, version: str) -> bool:
    try:
        return SpecifierSet(need.specifiers).contains(version)
    except InvalidSpecifier:
        raise Unresolvable(f"{need}: is no version specifier, such as '>=1,<2'") from None


def _explained(causes: Iterable[Any], provider: _Provider) -> str:
    """Who asks for what, and what there is to choose from."""
    needs: set[Need] = {cause.requirement for cause in causes}
    lines = ["no set of artifacts meets every need:"]
    lines += sorted(f"  {need}" for need in needs)
    for name in sorted({need.name for need in needs}):
        versions = ", ".join(provider.versions(name))
        stays = ", where the lock keeps it" if provider.stays(name) else ""
        there_are = f"there is {versions}{stays}" if versions else "the catalogue has none"
        lines.append(f"  of {name} {there_are}")
    return "\n".join(lines)
