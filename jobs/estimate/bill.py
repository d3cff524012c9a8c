"""The bill: what was measured on a sample, carried over to the whole request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.estimate.dry_run import Measured
from jobs.estimate.gpu_costs import GpuCost, gpu_costs, gpu_json
from jobs.estimate.intervals import CONFIDENCE, Interval, interval_json, known, summed, total_of
from jobs.estimate.measuring import PerFile, TableSize
from jobs.estimate.prices import Machine, Prices, Storage
from jobs.estimate.unique_share import Removed, thinned, unique_total
from jobs.run.request import (
    APPLY_RULES,
    EXTRACT_DOCUMENTS,
    FIND_DUPLICATES,
    SCORE_DOCUMENTS,
    SELECT_CORPUS,
    score_stage,
)
from jobs.tables import (
    CORPUS,
    CUTS,
    DOCUMENTS,
    DUPLICATES,
    EDITS,
    FLAGGED,
    MEASURED,
    RANGES,
    READ_FAILURES,
    REJECTED,
    SCORED_TEXTS,
    scores,
)

_HOUR = 3600.0
_JSONL = "corpus_jsonl"
_LARGE_PART = 4e6
"""Bytes of a file from which on it compresses no better: its pages of 1 MiB are full."""
_MOST_GAIN = 0.5


@dataclass(frozen=True)
class Fixed:
    """Seconds in which no task runs, whatever the machines: driver and all cores wait."""

    session: float
    """Start of Python, Java and the session."""
    first: float
    """What the first wave takes more than a later one: code is loaded and compiled."""
    wave: float
    """Of each wave."""
    run: float
    """Of the stages that handle all waves at once."""
    waves: int

    @property
    def total(self) -> float:
        """Seconds of the whole run."""
        return self.session + self.first + self.waves * self.wave + self.run


@dataclass(frozen=True)
class MachineCost:
    """Hours of one machine that does all the work alone, and their price."""

    machine: Machine
    hours: Interval
    on_demand: Interval
    spot: Interval


@dataclass(frozen=True)
class Requests:
    """The fewest requests to a store that has input and tables; Spark makes several for a file."""

    writes: int
    """One for each file of a table."""
    reads: int
    """One for each of these, and for each input file."""

    def price_at(self, store: Storage) -> float:
        """Return what they cost."""
        return (self.writes * store.writes_1000 + self.reads * store.reads_1000) / 1000


@dataclass(frozen=True)
class Bill:
    """What a request would take."""

    amounts: Mapping[str, Interval]
    """Documents, characters and tokens."""
    tables: Mapping[str, Interval]
    """Bytes."""
    core_hours: Mapping[str, Interval]
    """Stage -> hours of tasks, each on one core."""
    shuffled: Mapping[str, Interval]
    """Stage -> bytes."""
    fixed: Fixed
    machines: Sequence[MachineCost]
    gpu_machines: Sequence[GpuCost]
    storage: Sequence[tuple[Storage, Interval]]
    """Price of a month."""
    requests: Requests
    currency: str
    measured: Measured
    notes: Sequence[str]


class _Scale:
    """Carries amounts of the sample over to the whole request."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        sample = measured.sample
        self._names, self._units = sample.names, len(sample.sizes)
        self._weights, self._all = sample.weights, sample.all_weights
        amounts = measured.amounts
        self.has_dedup = FIND_DUPLICATES in amounts.seen
        seen = self._values(amounts.seen.get(FIND_DUPLICATES, {}))
        kept = self._values(amounts.kept.get(FIND_DUPLICATES, {}))
        copied = self._values(amounts.copied)
        first = measured.passes[0]
        is_part = len(measured.passes) > 1
        self.removed = Removed(
            seen,
            copied,
            [s - k - c for s, k, c in zip(seen, kept, copied, strict=True)],
            first.seen_by_dedup if is_part else 0,
            first.kept_by_dedup if is_part else 0,
        )
        self.unique = unique_total(self.removed, self._weights, self._all, self._units)
        self._unique_linear = self._total(kept)

    def total(self, amount: PerFile) -> Interval:
        """Carry an amount over that grows with the input."""
        return self._total(self._values(amount))

    def kept_total(self, amount: PerFile) -> Interval:
        """Carry an amount over that is counted of what deduplication keeps."""
        linear = self.total(amount)
        if not self.has_dedup:
            return linear
        return thinned(linear, self.unique, self._unique_linear)

    def with_more_duplicates(self, linear: Interval) -> Interval:
        """Add the duplicates that the sample does not show to an amount that has the others."""
        shown = self._unique_linear
        more = max(0.0, shown.estimate - self.unique.estimate)
        most = max(more, shown.low - self.unique.low)
        return Interval(linear.estimate + more, linear.low, linear.high + most)

    def _total(self, values: Sequence[float]) -> Interval:
        return total_of(values, self._weights, self._all, self._units)

    def _values(self, amount: PerFile) -> list[float]:
        return [amount.get(name, 0.0) for name in self._names]


def bill_of(
    measured: Measured,
    prices: Prices,
    rows_scored: str = "survivors",
    on_gpus: Sequence[str] = (),
) -> Bill:
    """Carry what was measured on a sample over to the whole request.

    Args:
        rows_scored: score.rows: whether only kept documents are scored.
        on_gpus: Running scorers that use GPUs.
    """
    scale = _Scale(measured)
    rows = {
        stage: _rows_of(stage, names, scale, measured, rows_scored)
        for stage, names in measured.ledgers.items()
        if names
    }
    core_hours = {stage: _core_hours(stage, rows[stage], measured) for stage in rows}
    shuffled = {stage: _shuffled(stage, rows[stage], measured) for stage in rows}
    fixed = _fixed(measured)
    tables = {
        table: _table_bytes(table, waves, scale, measured, rows)
        for table, waves in measured.passes[-1].tables.items()
    }
    scored = {
        name: _rows_of(SCORE_DOCUMENTS, [score_stage(name)], scale, measured, rows_scored)
        for name in on_gpus
    }
    hours, size = summed(core_hours.values()), summed(tables.values())
    files = sum(_files(waves, measured) for waves in measured.passes[-1].tables.values())
    return Bill(
        _amounts(scale, measured),
        tables,
        core_hours,
        shuffled,
        fixed,
        [_machine_cost(machine, hours, fixed) for machine in prices.machines],
        gpu_costs(prices.gpu_machines, scored),
        [(one, size.times(one.gb_month / 1e9)) for one in prices.storage],
        Requests(files, files + len(measured.sample.sizes)),
        prices.currency,
        measured,
        _notes(scale, measured),
    )


def _amounts(scale: _Scale, measured: Measured) -> dict[str, Interval]:
    """Count documents, characters and tokens."""
    amounts = measured.amounts
    found = {
        "records": scale.total(amounts.seen[EXTRACT_DOCUMENTS]),
        "documents": scale.total(amounts.kept[EXTRACT_DOCUMENTS]),
        "kept_by_rules": scale.total(amounts.kept.get(APPLY_RULES, {})),
        "unique": scale.unique,
        "corpus": scale.kept_total(amounts.kept.get(SELECT_CORPUS, {})),
        "characters": scale.total(amounts.characters.get(DOCUMENTS, {})),
        "corpus_characters": scale.kept_total(amounts.characters.get(CORPUS, {})),
    }
    if amounts.tokens is not None:
        found["corpus_tokens"] = scale.kept_total(amounts.tokens)
    return found


def _rows_of(
    stage: str, names: Sequence[str], scale: _Scale, measured: Measured, rows_scored: str
) -> Interval:
    """Count what a stage sees of the whole request."""
    seen = measured.amounts.seen[names[0]]
    is_behind = stage == SELECT_CORPUS or (stage == SCORE_DOCUMENTS and rows_scored != "all")
    return scale.kept_total(seen) if is_behind else scale.total(seen)


def _core_hours(stage: str, rows: Interval, measured: Measured) -> Interval:
    """Return the hours of tasks: at the rate of the last pass; the first one may be slower."""
    rates = [
        spent.core_s / spent.rows
        for spent in (one.spent[stage] for one in measured.passes)
        if spent.rows
    ]
    if not rates:
        return known(0.0)
    return Interval(
        rows.estimate * rates[-1] / _HOUR,
        rows.low * min(rates) / _HOUR,
        rows.high * max(rates) / _HOUR,
    )


def _shuffled(stage: str, rows: Interval, measured: Measured) -> Interval:
    spent = measured.passes[-1].spent[stage]
    return rows.times(spent.shuffled / spent.rows if spent.rows else 0.0)


def _fixed(measured: Measured) -> Fixed:
    """Find the seconds that do not grow with the data."""
    first, last = measured.passes[0], measured.passes[-1]
    wave = run = once = 0.0
    for stage, spent in last.spent.items():
        earlier = first.spent[stage].idle_s
        each = spent.idle_s
        if stage not in measured.whole:
            earlier /= max(first.spent[stage].waves, 1)
            each /= max(spent.waves, 1)
            wave += each
        else:
            run += each
        once += max(0.0, earlier - each)
    return Fixed(measured.session_s, once, wave, run, measured.sample.waves)


def _table_bytes(
    table: str,
    waves: Mapping[int | None, TableSize],
    scale: _Scale,
    measured: Measured,
    rows: Mapping[str, Interval],
) -> Interval:
    """Carry the rows of a table over by what they grow with, and add what its files hold beside."""
    amounts, sample = measured.amounts, measured.sample
    documents = amounts.kept[EXTRACT_DOCUMENTS]
    removed = {
        name: seen - amounts.kept[FIND_DUPLICATES].get(name, 0.0)
        for name, seen in amounts.seen.get(FIND_DUPLICATES, {}).items()
    }
    corpus = amounts.characters.get(CORPUS, {})
    grows_with: dict[str, PerFile] = {
        DOCUMENTS: amounts.characters.get(DOCUMENTS, {}),
        EDITS: amounts.characters.get(EDITS, {}),
        READ_FAILURES: amounts.seen[EXTRACT_DOCUMENTS],
        MEASURED: amounts.seen.get(APPLY_RULES, {}),
        FLAGGED: amounts.seen.get(APPLY_RULES, {}),
        DUPLICATES: removed,
        CUTS: amounts.seen.get(FIND_DUPLICATES, {}),
        CORPUS: corpus,
        _JSONL: corpus,
        SCORED_TEXTS: corpus,
        REJECTED: {
            name: n - amounts.kept.get(SELECT_CORPUS, {}).get(name, 0.0)
            for name, n in documents.items()
        },
        RANGES: {name: float(sample.sizes[name] or 0) for name in sample.names},
    }
    amount = grows_with.get(table, documents)
    if table in (CORPUS, _JSONL, SCORED_TEXTS):
        whole = scale.kept_total(amount)
    elif table.startswith(scores("")) and SCORE_DOCUMENTS in rows:
        whole = rows[SCORE_DOCUMENTS]
        amount = amounts.seen.get(score_stage(table.removeprefix(scores(""))), documents)
    else:
        whole = scale.total(amount)
        if table in (DUPLICATES, REJECTED) and scale.has_dedup:
            whole = scale.with_more_duplicates(whole)
    before = measured.passes[0].tables.get(table, {})
    rows_of_table = _row_bytes(whole, amount, before, waves, measured)
    return rows_of_table.plus(_overhead(waves, measured))


def _row_bytes(
    whole: Interval,
    amount: PerFile,
    before: Mapping[int | None, TableSize],
    waves: Mapping[int | None, TableSize],
    measured: Measured,
) -> Interval:
    """Return the bytes of a table's rows: as many for each of what they grow with as in its largest
    part of the sample, or fewer, by what larger files compress better.

    Args:
        before: The table after the first pass.
    """
    sample = measured.sample
    last = max(waves, key=lambda wave: -1 if wave is None else wave)
    names = set(sample.names)
    if last is not None and last > 0:
        names -= set(sample.first)
        before = {wave: waves[wave] for wave in waves if wave == 0}
    held = math.fsum(amount.get(name, 0.0) for name in names)
    if held <= 0:
        return known(0.0)
    rate = waves[last].rows / held
    held_before = math.fsum(amount.get(name, 0.0) for name in sample.first)
    payload_before = sum(one.rows for one in before.values())
    gain = 1.0
    if 0 < held_before < held and payload_before > 0 and rate > 0:
        better = math.log(payload_before / held_before / rate) / math.log(held / held_before)
        larger = whole.estimate / (sample.waves if last is not None else 1) / held
        larger = min(larger, _LARGE_PART * waves[last].files / waves[last].rows)
        gain = max(larger, 1.0) ** -min(max(better, 0.0), _MOST_GAIN)
    return Interval(whole.estimate * rate * gain, whole.low * rate * gain * gain, whole.high * rate)


def _overhead(waves: Mapping[int | None, TableSize], measured: Measured) -> float:
    """Return the bytes of a table's files that are not rows: headers and footers."""
    last = _last_wave(waves)
    return last.overhead / max(last.files, 1) * _files(waves, measured)


def _files(waves: Mapping[int | None, TableSize], measured: Measured) -> int:
    """Count the files of a table.

    A stage writes a file for each input file, or as many for a wave as there are partitions.
    """
    last = _last_wave(waves)
    if None in waves:
        return last.files
    units = len(measured.sample.names) - len(measured.sample.first)
    if last.files == units and units > 1:
        return len(measured.sample.sizes)
    return last.files * measured.sample.waves


def _last_wave(waves: Mapping[int | None, TableSize]) -> TableSize:
    """Return the size of the last wave of a table, or of all of one that has no waves."""
    if None in waves:
        return waves[None]
    return waves[max(wave for wave in waves if wave is not None)]


def _machine_cost(machine: Machine, core_hours: Interval, fixed: Fixed) -> MachineCost:
    hours = core_hours.times(1 / machine.vcpus).plus(fixed.total / _HOUR)
    return MachineCost(
        machine, hours, hours.times(machine.on_demand_hour), hours.times(machine.spot_hour)
    )


def _notes(scale: _Scale, measured: Measured) -> list[str]:
    """Say what the figures rest on."""
    sample = measured.sample
    notes = []
    if len(sample.names) == len(sample.sizes):
        notes.append("the sample is the whole input: documents and characters are exact")
    elif not sample.has_sizes:
        notes.append(
            "sizes of files are not known: the files are taken to be alike, and intervals are wider"
        )
    if scale.has_dedup and len(sample.names) < len(sample.sizes):
        notes.append(
            "duplicates grow with the data: unique and what comes after it lie between the "
            "duplicates of the sample alone and as many as pairs of its documents suggest"
        )
    if any(not spent.is_from_spark for one in measured.passes for spent in one.spent.values()):
        notes.append("core hours are wall clock on all cores: Spark's own records cannot be read")
    if len(measured.passes) == 1:
        notes.append("run in one part: what is spent once is counted with every wave")
    notes.append(
        f"a core is one of the {measured.cores} that ran the sample, and is taken for a vCPU; "
        "files that take a task less than seconds cost more here than large ones"
    )
    return notes


def bill_json(bill: Bill, kept_at: str | None, seed: int | None) -> dict[str, Any]:
    """Return the bill as one JSON object; an interval without an upper limit has null there."""
    sample = bill.measured.sample
    fixed = bill.fixed
    return {
        "request": {
            "files": len(sample.sizes),
            "bytes": int(sample.all_weights) if sample.has_sizes else None,
            "waves": sample.waves,
        },
        "sample": {
            "files": len(sample.names),
            "bytes": int(sum(sample.weights)) if sample.has_sizes else None,
            "seed": seed,
            "names": list(sample.names),
            "kept_at": kept_at,
        },
        "confidence": CONFIDENCE,
        "amounts": _json_of(bill.amounts),
        "table_bytes": _json_of({**bill.tables, "all": summed(bill.tables.values())}),
        "core_hours": _json_of({**bill.core_hours, "all": summed(bill.core_hours.values())}),
        "shuffle_bytes": _json_of({**bill.shuffled, "all": summed(bill.shuffled.values())}),
        "fixed_seconds": {
            "session": round(fixed.session, 1),
            "first_wave": round(fixed.first, 1),
            "each_wave": round(fixed.wave, 1),
            "all_waves_at_once": round(fixed.run, 1),
            "all": round(fixed.total, 1),
        },
        "currency": bill.currency,
        "machines": [
            {
                "name": one.machine.name,
                "cloud": one.machine.cloud,
                "region": one.machine.region,
                "price_date": one.machine.date.isoformat(),
                "hours": interval_json(one.hours),
                "on_demand": interval_json(one.on_demand),
                "spot": interval_json(one.spot),
            }
            for one in bill.machines
        ],
        "gpu_machines": gpu_json(bill.gpu_machines),
        "storage_month": [
            {
                "name": store.name,
                "cloud": store.cloud,
                "region": store.region,
                "price_date": store.date.isoformat(),
                "price": interval_json(price),
                "requests": float(f"{bill.requests.price_at(store):.6g}"),
            }
            for store, price in bill.storage
        ],
        "requests_at_least": {"writes": bill.requests.writes, "reads": bill.requests.reads},
        "notes": list(bill.notes),
    }


def _json_of(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float | None]]:
    return {name: interval_json(one) for name, one in intervals.items()}
