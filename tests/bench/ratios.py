"""Ratios that benches find: how a bench hands them on, and how they are compared with kept ones.

A ratio is a name and a number without a unit, and a larger one is better: how many times as fast as
another program, which share of a limit. Times are no ratios.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Ratios = dict[str, float]
"""Name -> ratio."""

MAX_FALL = 0.15
"""Part of a kept ratio that it may fall by."""


def add_ratios_argument(parser: argparse.ArgumentParser) -> None:
    """Add --ratios to a bench."""
    parser.add_argument(
        "--ratios",
        type=Path,
        metavar="FILE.json",
        help="write the ratios there, and leave out what gives none",
    )


def write_ratios(path: Path | None, found: Mapping[str, float]) -> None:
    """Write what a bench found, where --ratios is given."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dict(found), ensure_ascii=False, indent=1), encoding="utf-8")


def read_ratios(path: Path) -> Ratios:
    """Read what a bench wrote.

    Raises:
        ValueError: a ratio is no positive number.
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    for name, value in found.items():
        if not isinstance(value, int | float) or not value > 0:
            raise ValueError(f"{path}: {name} = {value!r}: expected a positive number")
    return {name: float(value) for name, value in found.items()}


@dataclass(frozen=True)
class Compared:
    """A ratio beside the kept one."""

    name: str
    kept: float | None
    """None for a new one."""
    found: float | None
    """None for one that the bench no longer gives."""

    @property
    def verdict(self) -> str:
        """ok, fell, missing, or new."""
        if self.found is None:
            return "missing"
        if self.kept is None:
            return "new"
        return "fell" if self.found < self.kept * (1 - MAX_FALL) else "ok"

    @property
    def is_wrong(self) -> bool:
        return self.verdict in ("fell", "missing")


def compare(kept: Mapping[str, float], found: Mapping[str, float]) -> list[Compared]:
    """Compare ratios by name: the kept ones in their order, then the new ones."""
    names = [*kept, *(name for name in found if name not in kept)]
    return [Compared(name, kept.get(name), found.get(name)) for name in names]


def better(first: Mapping[str, float], second: Mapping[str, float]) -> Ratios:
    """The larger of two measurements of each ratio."""
    return {
        name: max(ratios[name] for ratios in (first, second) if name in ratios)
        for name in [*first, *(name for name in second if name not in first)]
    }
