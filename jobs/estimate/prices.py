"""What machines and storage cost: conf/prices.toml, read strictly."""

from __future__ import annotations

import dataclasses
import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from jobs.catalogue.catalogue import bundled_conf
from jobs.config import ConfigError
from jobs.config.scorers import declared

PRICES = "prices.toml"
_KINDS = {int: "a whole number", float: "a number", str: "a text", datetime.date: "a date"}


@dataclass(frozen=True)
class Machine:
    """A machine type in a region."""

    name: str
    cloud: str
    region: str
    vcpus: int
    memory_gib: int
    disk_gb: int
    """Its own disk; 0 where it has volumes of a size of one's choice."""
    network_gbit: float
    """"Up to" so much: of small sizes a burst above a baseline."""
    on_demand_hour: float
    spot_hour: float
    date: datetime.date
    """When the source was read."""
    source: str


@dataclass(frozen=True)
class GpuMachine(Machine):
    """A machine type with GPUs, for the scorers that use them."""

    gpu: str
    """Name of the GPU."""
    gpus: int
    documents_hour: Mapping[str, float] = field(default_factory=dict)
    """Scorer -> documents that one machine scores in an hour, as measured on it. A scorer that it
    lacks is not measured: a sample on CPUs says nothing of it."""


@dataclass(frozen=True)
class Storage:
    """An object store in a region."""

    name: str
    cloud: str
    region: str
    gb_month: float
    """A GB is 10^9 bytes."""
    writes_1000: float
    """For 1,000 requests that write or list: PUT, COPY, POST, LIST."""
    reads_1000: float
    """For 1,000 requests that read: GET."""
    date: datetime.date
    source: str


@dataclass(frozen=True)
class Prices:
    """A file of prices."""

    currency: str
    machines: tuple[Machine, ...]
    storage: tuple[Storage, ...]
    gpu_machines: tuple[GpuMachine, ...] = ()


_Row = TypeVar("_Row", Machine, GpuMachine, Storage)
_GPU_MACHINES, _RATES = "gpu_machines", "documents_hour"
"""What a file, and a machine with GPUs, may lack."""


def read_prices(path: Path) -> Prices:
    """Read a file of prices.

    Raises:
        ConfigError: it cannot be read, lacks a key, has one too many, or a value of another kind.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    keys = {field.name for field in dataclasses.fields(Prices)}
    _check_keys({_GPU_MACHINES: None, **tables}, keys, f"{path}")
    currency = tables["currency"]
    if not isinstance(currency, str) or not currency:
        raise ConfigError(f"{path}: currency = {currency!r}: expected a word, as USD")
    return Prices(
        currency,
        _rows(tables["machines"], Machine, f"{path}: [[machines]]"),
        _rows(tables["storage"], Storage, f"{path}: [[storage]]"),
        _rows(tables[_GPU_MACHINES], GpuMachine, f"{path}: [[{_GPU_MACHINES}]]")
        if _GPU_MACHINES in tables
        else (),
    )


@cache
def bundled_prices() -> Prices:
    """Read the file that comes with the code."""
    return read_prices(bundled_conf() / PRICES)


def core_price() -> dict[str, Any]:
    """Return what a core of the first machine costs an hour on demand, as a report shows it."""
    prices = bundled_prices()
    machine = prices.machines[0]
    return {
        "core_hour": machine.on_demand_hour / machine.vcpus,
        "currency": prices.currency,
        "machine": machine.name,
        "region": machine.region,
        "date": machine.date.isoformat(),
        "source": machine.source,
    }


def _rows(rows: Any, kind: type[_Row], where: str) -> tuple[_Row, ...]:
    """Check and return the tables of a list."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{where}: expected at least one table")
    hints = get_type_hints(kind)
    has_rates = hints.pop(_RATES, None) is not None
    found = []
    for number, row in enumerate(rows, start=1):
        place = f"{where} {row.get('name', number)}"
        rates = {_RATES: _rates(row.pop(_RATES, {}), f"{place}: {_RATES}")} if has_rates else {}
        _check_keys(row, hints.keys(), place)
        for key, expected in hints.items():
            _check_value(row[key], expected, f"{place}: {key} = {row[key]!r}")
        values: dict[str, Any] = {**row, **rates}
        found.append(kind(**values))
    names = [(row.cloud, row.region, row.name) for row in found]
    if len(set(names)) < len(names):
        raise ConfigError(f"{where}: two tables of one name in one region")
    return tuple(found)


def _rates(rates: Any, where: str) -> Mapping[str, float]:
    """Check and return scorer -> documents an hour."""
    if not isinstance(rates, dict):
        raise ConfigError(f"{where}: expected a table, scorer = documents")
    if unknown := sorted(rates.keys() - declared().keys()):
        raise ConfigError(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(declared())}")
    for scorer, rate in rates.items():
        _check_value(rate, float, f"{where}: {scorer} = {rate!r}")
        if not rate:
            raise ConfigError(f"{where}: {scorer} = {rate!r}: expected more than 0")
    return rates


def _check_keys(table: Mapping[str, Any], keys: Any, where: str) -> None:
    """Raise ConfigError unless a table has exactly these keys."""
    if missing := sorted(set(keys) - table.keys()):
        raise ConfigError(f"{where}: lacks {', '.join(missing)}")
    if unknown := sorted(table.keys() - set(keys)):
        raise ConfigError(
            f"{where}: unknown {', '.join(unknown)}; known: {', '.join(sorted(keys))}"
        )


def _check_value(value: Any, expected: type, where: str) -> None:
    """Raise ConfigError unless a value is of the kind that a key has; numbers are 0 or more."""
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected or value == "":
        raise ConfigError(f"{where}: expected {_KINDS[expected]}")
    if isinstance(value, int | float) and not 0 <= value < float("inf"):
        raise ConfigError(f"{where}: expected 0 or more")
