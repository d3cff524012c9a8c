"""A bill as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from jobs.estimate.bill import Bill
from jobs.estimate.gpu_costs import NOT_MEASURED, GpuCost
from jobs.estimate.intervals import CONFIDENCE, Interval, summed

_UNITS = ("", "K", "M", "G", "T", "P")


def bill_text(bill: Bill, kept_at: str | None) -> str:
    """Describe a bill, in lines of text."""
    return "\n".join(_lines(bill, kept_at))


def _lines(bill: Bill, kept_at: str | None) -> Iterator[str]:
    sample, fixed = bill.measured.sample, bill.fixed
    size = f", {_bytes(sample.all_weights)}" if sample.has_sizes else ", of unknown size"
    yield ""
    yield (
        f"dry run over {len(sample.names):,} of {len(sample.sizes):,} files{size}; "
        f"{CONFIDENCE:.0%} intervals"
    )
    yield from _table("the whole request", bill.amounts, _count)
    yield from _table("bytes of tables", {**bill.tables, "all": _sum(bill.tables)}, _bytes)
    yield from _table("core hours", {**bill.core_hours, "all": _sum(bill.core_hours)}, _hours)
    yield from _table("bytes shuffled", {**bill.shuffled, "all": _sum(bill.shuffled)}, _bytes)
    yield ""
    yield (
        f"beside these {fixed.total:,.0f} s in which no task runs: start {fixed.session:,.1f}, "
        f"first wave {fixed.first:,.1f}, {fixed.waves:,} x {fixed.wave:,.1f} a wave, "
        f"all waves at once {fixed.run:,.1f}"
    )
    yield ""
    yield f"{'one machine alone':<28}{'hours':>28}{'on demand':>28}{'spot':>28}  {bill.currency}"
    for one in bill.machines:
        yield (
            f"{one.machine.name + ' ' + one.machine.region:<28}{_span(one.hours, _hours):>28}"
            f"{_span(one.on_demand, _money):>28}{_span(one.spot, _money):>28}"
        )
    yield from gpu_lines(bill.gpu_machines)
    requests = bill.requests
    yield f"{'tables for a month':<28}{'':>28}{'price':>28}{'requests, at least':>28}"
    for store, price in bill.storage:
        yield (
            f"{store.name + ' ' + store.region:<28}{'':>28}{_span(price, _money):>28}"
            f"{_money(requests.price_at(store)):>28}"
        )
    yield f"requests: {requests.writes:,} writes and {requests.reads:,} reads, one for each file"
    yield ""
    for note in bill.notes:
        yield f"note  {note}"
    if kept_at is not None:
        yield f"kept  {kept_at}"


def gpu_lines(costs: Sequence[GpuCost]) -> Iterator[str]:
    """Describe what scorers take on machines with GPUs, which no sample on CPUs shows."""
    for scorer in dict.fromkeys(one.scorer for one in costs):
        yield f"{scorer + ' alone, on GPUs':<28}{'hours':>28}{'on demand':>28}{'spot':>28}"
        for one in (one for one in costs if one.scorer == scorer):
            machine = one.machine
            name = f"{machine.name} {machine.region}"
            if one.hours is None or one.on_demand is None or one.spot is None:
                yield (
                    f"{name:<28}{NOT_MEASURED:>28}  no documents_hour of {scorer} is stated with "
                    f"the prices of this machine ({machine.gpus} {machine.gpu})"
                )
            else:
                yield (
                    f"{name:<28}{_span(one.hours, _hours):>28}{_span(one.on_demand, _money):>28}"
                    f"{_span(one.spot, _money):>28}"
                )


def _table(
    title: str, intervals: Mapping[str, Interval], words: Callable[[float], str]
) -> Iterator[str]:
    yield ""
    yield f"{title:<24}{'estimate':>12}{'low':>12}{'high':>12}"
    for name, one in intervals.items():
        values = "".join(f"{words(value):>12}" for value in (one.estimate, one.low, one.high))
        yield f"{name:<24}{values}"


def _span(one: Interval, words: Callable[[float], str]) -> str:
    return f"{words(one.estimate)} ({words(one.low)} to {words(one.high)})"


def _sum(intervals: Mapping[str, Interval]) -> Interval:
    return summed(intervals.values())


def _count(value: float) -> str:
    return "unknown" if math.isinf(value) else f"{value:,.0f}"


def _bytes(value: float) -> str:
    """Return bytes in a unit of three digits, as 12.3 MB."""
    if math.isinf(value):
        return "unknown"
    power = 0
    while value >= 1000 and power < len(_UNITS) - 1:
        value, power = value / 1000, power + 1
    return f"{value:,.1f} {_UNITS[power]}B" if power else f"{value:,.0f} B"


def _hours(value: float) -> str:
    return "unknown" if math.isinf(value) else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def _money(value: float) -> str:
    return "unknown" if math.isinf(value) else f"{value:,.2f}"
