"""Version resolution: the newest set of artifacts in which every need is met.

Source: resolvelib, the resolver of pip; version specifiers are those of `packaging`.
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
    """No set of artifacts meets every need; the message names the conflicting needs."""


@dataclass(frozen=True)
class Need:
    """A requirement for an artifact, or for code."""

    name: str
    specifiers: str
    by: str
    """A key of the configuration, or an artifact as name@version."""

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
    """Choose versions, whatever the order of artifacts and needs.

    No other solution has a newer version of one artifact and no older version of any.

    Args:
        artifacts: Name -> version -> artifact.
        asked: Needs of the configuration.
        kept: Versions of a lock. With ``upgraded`` they stay, except those of that artifact and,
            if they must change, of what it needs.
        upgraded: The artifact to move to its newest version.
        code: Versions of the code that artifacts may need.
    Returns:
        Name -> version of everything that is needed, code included.
    Raises:
        Unresolvable: there is no such set, a name is unknown, a specifier is invalid, or needs
            form a circle.
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
    """A catalogue as resolvelib's provider."""

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
        """Return the versions to choose from, the best first."""
        if name in self._code:
            return [self._code[name]]
        known = sorted(self._artifacts.get(name, {}), key=Version, reverse=True)
        locked = self._kept.get(name)
        if locked not in known or name == self._upgraded:
            return known
        others = [version for version in known if version != locked]
        return [locked, *others] if name in self._movable else [locked]

    def stays(self, name: str) -> bool:
        """Whether the lock keeps an artifact at its version."""
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
        """Return a name and everything that any of its versions may need."""
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
    """Raise Unresolvable if artifacts need each other: resolvelib may then not terminate."""
    needs = {
        name: {other for artifact in versions.values() for other in artifact.needs}
        for name, versions in artifacts.items()
    }
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            circle = [*path[path.index(name) :], name]
            raise Unresolvable(f"needs form a circle: {', '.join(circle)}")
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
        raise Unresolvable(f"{need}: expected a version specifier, such as '>=1,<2'") from None


def _explained(causes: Iterable[Any], provider: _Provider) -> str:
    """Describe the conflicting needs and the versions there are."""
    needs: set[Need] = {cause.requirement for cause in causes}
    lines = ["no set of artifacts meets every need:"]
    lines += sorted(f"  {need}" for need in needs)
    for name in sorted({need.name for need in needs}):
        versions = ", ".join(provider.versions(name))
        stays = " (kept by the lock)" if provider.stays(name) else ""
        there_are = f"there is {versions}{stays}" if versions else "the catalogue has none"
        lines.append(f"  of {name} {there_are}")
    return "\n".join(lines)
