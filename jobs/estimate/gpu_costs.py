"""Machines with GPUs in the bill: hours and price of the scorers that use GPUs.

A sample on CPUs says nothing of a GPU. Hours follow from the documents that a machine scores in an
hour, which a file of prices states; where it states none, the bill says that none was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.estimate.intervals import Interval, interval_json
from jobs.estimate.prices import GpuMachine

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class GpuCost:
    """Hours of one machine with GPUs that runs a scorer alone, and their price."""

    scorer: str
    machine: GpuMachine
    hours: Interval | None
    """None where the documents that it scores in an hour are not known."""

    @property
    def on_demand(self) -> Interval | None:
        """Price of the hours."""
        return None if self.hours is None else self.hours.times(self.machine.on_demand_hour)

    @property
    def spot(self) -> Interval | None:
        """Likewise, of a machine that may be taken away."""
        return None if self.hours is None else self.hours.times(self.machine.spot_hour)


def gpu_scorers(config: Config) -> list[str]:
    """Return the running scorers that use a GPU where Spark has one."""
    scorers = declared()
    return [name for name in config.score.scorers if scorers[name].wants_gpu(config.scorers[name])]


def gpu_costs(
    machines: Sequence[GpuMachine], documents: Mapping[str, Interval]
) -> tuple[GpuCost, ...]:
    """Return what each scorer takes on each machine.

    Args:
        documents: Scorer -> documents of the whole request that it sees.
    """
    return tuple(
        GpuCost(scorer, machine, _hours(rows, machine.documents_hour.get(scorer)))
        for scorer, rows in documents.items()
        for machine in machines
    )


def gpu_json(costs: Sequence[GpuCost]) -> list[dict[str, Any]]:
    """Return costs as JSON; what was not measured is null."""
    return [
        {
            "scorer": one.scorer,
            "name": one.machine.name,
            "cloud": one.machine.cloud,
            "region": one.machine.region,
            "price_date": one.machine.date.isoformat(),
            "gpu": one.machine.gpu,
            "gpus": one.machine.gpus,
            "hours": None if one.hours is None else interval_json(one.hours),
            "on_demand": None if one.on_demand is None else interval_json(one.on_demand),
            "spot": None if one.spot is None else interval_json(one.spot),
        }
        for one in costs
    ]


def _hours(documents: Interval, rate: float | None) -> Interval | None:
    return None if rate is None else documents.times(1 / rate)
