"""Which plans of ranges an output holds: asked for in what words, in which waves, whole or not.

Planning ranges takes a while and writes many files; the record of a plan is written before the
first of them and again, as whole, after the last. A plan that was broken off is taken back by the
next command, so that no job ever works on half of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from jobs.splits import SPLITS, wave_number
from jobs.store import Store
from jobs.tables import RANGES

_PLANS = "_plans"


@dataclass(frozen=True)
class Plan:
    """A plan of ranges."""

    name: str
    request: dict[str, Any]  # what was asked for, without credentials
    first_wave: int  # it has all waves from here on that it wrote
    whole: bool


def plans(store: Store) -> list[Plan]:
    """The plans of an output, whole ones after `drop_unfinished`."""
    names = store.list_names(_PLANS)
    return [
        Plan(**json.loads(store.read_bytes(_PLANS, name)))
        for name in names
        if name.endswith(".json")
    ]


@contextmanager
def planning(
    store: Store, name: str, request: Mapping[str, Any], first_wave: int
) -> Iterator[None]:
    """What the block writes of splits and ranges is one plan; if it raises, none."""
    plan = Plan(name, dict(request), first_wave, whole=False)
    _write(store, plan)
    try:
        yield
    except Exception:
        drop_unfinished(store)
        raise
    _write(store, replace(plan, whole=True))


def drop_unfinished(store: Store) -> None:
    """Take back what a command that was broken off had planned."""
    for plan in plans(store):
        if plan.whole:
            continue
        for table in (SPLITS, RANGES):
            for folder in store.list_names(table):
                if wave_number(folder) >= plan.first_wave:
                    store.delete(table, folder)
        store.delete(_PLANS, f"{plan.name}.json")


def _write(store: Store, plan: Plan) -> None:
    data = json.dumps(asdict(plan), ensure_ascii=False, indent=1).encode()
    store.write_bytes(data, _PLANS, f"{plan.name}.json")
