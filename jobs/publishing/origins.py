"""What the commits of an output say of a release: the funnel, its reasons, the choices made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from jobs.run.ledger import totals_of
from jobs.run.store import Commit


def origins_of(commits: Mapping[str, Sequence[Commit]], shown: tuple[str, ...]) -> dict[str, Any]:
    """Return ``funnel``, ``reasons`` and ``settings`` of stages.

    Args:
        commits: Of each stage, in running order; stages without one are left out.
        shown: Prefixes of the settings that are said.
    """
    ran = {name: of for name, of in commits.items() if of}
    settings: dict[str, Any] = {}
    for found in ran.values():
        for one in found:
            settings |= {
                key: _without_folders(value)
                for key, value in one.settings.items()
                if key.startswith(shown)
            }
    return {
        "funnel": [totals_of(name, found) for name, found in ran.items()],
        "reasons": [
            {"stage": name, "reason": reason, "records": records}
            for name, found in ran.items()
            for reason, records in _reasons(found)
        ],
        "settings": dict(sorted(settings.items())),
    }


def versions() -> dict[str, str]:
    """Return name -> version of the software; none where it has no metadata."""
    try:
        return {"taojin": version("taojin")}
    except PackageNotFoundError:  # code run from a zip has no metadata
        return {}


def _without_folders(value: Any) -> Any:
    """Return a setting without the folders of files that it names: they are of one machine."""
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return value.rpartition("/")[2] if isinstance(value, str) else value


def _reasons(commits: Sequence[Commit]) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for commit in commits:
        counts.update(commit.rejected)
        counts.update(commit.failed)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
