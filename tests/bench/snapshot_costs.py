"""What one snapshot costs on named machines, computed from what was measured.

    python -m tests.bench.snapshot_costs [CONSTANTS.json] [--set section.key=value ...]

The constants are measured by the benches that the file names, one a section. Nothing is taken off
for what rules, duplicates and scores remove. A core is one of the measured machine's, and taken for
a vCPU; bytes are compressed, as they are moved and stored.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.estimate.prices import bundled_prices
from tests.bench.timing import table

CONSTANTS = Path(__file__).with_suffix(".json")
HOURS = 6
"""Wall clock of the fleets below: for extraction, and again for all later stages."""
PARTITIONS = 2_000
"""spark.sql.shuffle.partitions of conf/spark-cpu.conf."""
PARTITION_BYTES = 200e6
"""Of a shuffle: more does not fit the memory of a task well, and is sorted on disk."""
BLOCK_BYTES = 8 << 20
"""A ranged GET of udfs.files.object_store."""
PREFIX_GETS_PER_S = 5_500
"""What S3 gives a prefix before it says SlowDown (Amazon S3, "Optimizing performance")."""
GPU_TOKENS_PER_S = 100_000
"""A unit to divide by where no GPU was measured."""


@dataclass(frozen=True)
class Machine:
    """A machine type. Source: Amazon EC2 DescribeInstanceTypes; Google Compute Engine, "Machine
    families" and "GPU machine types"."""

    name: str
    cpus: int
    memory_gib: int
    disk_gb: int  # its own; 0 where it has volumes of a size of one's choice
    network_gbit: float  # "up to": of these EC2 sizes a burst above a baseline
    gpu: str = ""


MACHINES = tuple(
    Machine(one.name, one.vcpus, one.memory_gib, one.disk_gb, one.network_gbit)
    for one in bundled_prices().machines
)
"""Those of conf/prices.toml."""
GPU_MACHINES = (
    Machine("g5.xlarge", 4, 16, 250, 10, "A10G"),
    Machine("g6.xlarge", 4, 16, 250, 10, "L4"),
    Machine("g2-standard-4", 4, 16, 0, 10, "L4"),
    Machine("a2-highgpu-1g", 12, 85, 0, 24, "A100 40 GB"),
)

Constants = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Costs:
    """Of one snapshot."""

    documents: float
    core_hours: dict[str, float]  # of each stage
    tables: dict[str, float]  # bytes
    shuffle: float  # bytes, of all stages
    checkpoints: float
    gpu_tokens: float

    @property
    def later_hours(self) -> float:
        """Core hours of all stages but the first."""
        return sum(self.core_hours.values()) - self.core_hours["extract_documents"]


def costs(constants: Constants) -> Costs:
    """The arithmetic."""
    snapshot, mix = constants["snapshot"], constants["extraction"]
    # A real capture is longer than one of the mix, and its share of Chinese may be another.
    page_s = mix["us_per_page"] / 1e6 * snapshot["bytes"] / snapshot["captures"]
    page_s /= mix["bytes_per_page"]
    chinese = snapshot["chinese_share"] / mix["chinese_share"]
    documents = snapshot["captures"] * mix["documents_per_page"] * chinese
    rates = {name: rate for name, rate in constants["stages"].items() if name != "from"}
    sizes = {name: size for name, size in constants["tables"].items() if name != "from"}
    moved = constants["shuffle"]
    return Costs(
        documents,
        {"extract_documents": snapshot["captures"] * page_s / 3600}
        | {name: documents / rate / 3600 for name, rate in rates.items()},
        {name: documents * size for name, size in sizes.items()},
        documents * (moved["search_bytes"] + moved["other_bytes"]),
        documents * moved["checkpoint_bytes"],
        documents * constants["quality_bert"]["tokens_per_document"],
    )


def report(constants: Constants) -> str:
    """The section, as Markdown."""
    found = costs(constants)
    snapshot = constants["snapshot"]
    return "\n\n".join(
        [
            f"One snapshot: {snapshot['files']:,} WARC files, {snapshot['bytes'] / 1e12:,.0f} TB, "
            f"{snapshot['captures'] / 1e6:,.0f} million captures, "
            f"{snapshot['chinese_share']:.0%} of them Chinese: "
            f"{found.documents / 1e6:,.0f} million documents. Nothing is taken off "
            "for what is removed on the way.",
            _stages(found),
            _storage(found),
            _machines(found, snapshot["bytes"]),
            _gpus(found, constants["quality_bert"]["tokens_per_gpu_s"]),
            _limits(found, snapshot["bytes"]),
        ]
    )


def _stages(found: Costs) -> str:
    rows = [[name, f"{hours:,.0f}"] for name, hours in found.core_hours.items()]
    return table(
        ["stage", "core hours"], [*rows, ["all", f"{sum(found.core_hours.values()):,.0f}"]]
    )


def _storage(found: Costs) -> str:
    rows = [[name, _tb(size)] for name, size in found.tables.items()]
    rows += [
        ["all tables", _tb(sum(found.tables.values()))],
        ["checkpoints of near deduplication, removed at its end", _tb(found.checkpoints)],
        ["shuffled, all stages together", _tb(found.shuffle)],
    ]
    return table(["bytes", "TB"], rows)


def _machines(found: Costs, read: float) -> str:
    """How many of each machine for HOURS, and what these machines would need."""
    rows = []
    for machine in MACHINES:
        count = math.ceil(found.core_hours["extract_documents"] / HOURS / machine.cpus)
        later = math.ceil(found.later_hours / HOURS / machine.cpus)
        rows.append(
            [
                machine.name,
                f"{machine.cpus} / {machine.memory_gib} GiB",
                f"{machine.disk_gb:,} GB" if machine.disk_gb else "volumes",
                str(count),
                f"{_gbit_per_machine(found, read, machine):.1f} of {machine.network_gbit:g}",
                str(later),
                f"{found.shuffle / later / 1e9:,.0f}",
            ]
        )
    headings = ["machine", "vCPU / memory", "disk", f"extraction in {HOURS} h", "Gbit/s each"]
    return table([*headings, f"the rest in {HOURS} h", "GB of shuffle each"], rows)


def _gbit_per_machine(found: Costs, read: float, machine: Machine) -> float:
    """What a machine whose cores are all busy extracting reads."""
    seconds = found.core_hours["extract_documents"] * 3600 / machine.cpus
    return read * 8 / seconds / 1e9


def _gpus(found: Costs, measured: float | None) -> str:
    hours = found.gpu_tokens / (measured or GPU_TOKENS_PER_S) / 3600
    basis = "as measured" if measured else "a round figure: no GPU was measured"
    names = ", ".join(
        f"{machine.name} ({machine.cpus} vCPU, {machine.memory_gib} GiB, {machine.gpu})"
        for machine in GPU_MACHINES
    )
    return (
        f"Scorer `quality_bert` over all of them: {found.gpu_tokens / 1e6:,.0f} million "
        f"tokens, {hours:,.0f} GPU hours at {measured or GPU_TOKENS_PER_S:,.0f} tokens/s of a GPU "
        f"({basis}); {math.ceil(hours / HOURS)} machines for {HOURS} h: {names}."
    )


def _limits(found: Costs, read: float) -> str:
    """What gives way first, in this order, and what to do about it."""
    first = MACHINES[0]
    gbit = _gbit_per_machine(found, read, first)
    gets = read / BLOCK_BYTES / HOURS / 3600
    biggest = found.tables["documents"]
    part = biggest / PARTITIONS
    fit = math.ceil(biggest / PARTITION_BYTES / 100) * 100
    wanted = (
        f"set `spark.sql.shuffle.partitions={fit}`"
        if fit > PARTITIONS
        else f"they fit; {fit / PARTITIONS:.0%} of them would do"
    )
    return "\n".join(
        [
            "Where it breaks first, and what to do:",
            "",
            f"1. **The network of the machines that extract.** A {first.name} with all cores busy "
            f'reads {gbit:.1f} Gbit/s; it has "up to {first.network_gbit:g}", which is a burst of '
            "minutes above a baseline. Take machines with more network a core (c6in), in the "
            "bucket's region, or let cores wait; or read only the ranges that the index says are "
            "Chinese (`--index`).",
            f"2. **The store's patience.** {HOURS} h of reading are {gets:,.0f} GETs/s; a prefix "
            f"takes {PREFIX_GETS_PER_S:,}. A 503 is waited out; more than ten times these machines "
            "on one snapshot would not be.",
            f"3. **Disks for the shuffle.** {_tb(found.shuffle)} TB in all: a fleet that shrinks "
            "must still have room for it, since machines that go hand their part on.",
            f"4. **Pieces of a shuffle.** A join that moves the texts cuts {_tb(biggest)} TB into "
            f"{PARTITIONS:,} pieces of {part / 1e6:,.0f} MB: {wanted}.",
        ]
    )


def _tb(size: float) -> str:
    return f"{size / 1e12:,.2f}"


def with_settings(constants: Constants, settings: Sequence[str]) -> Constants:
    """The constants, some of them changed. Raises SystemExit for one that is not there."""
    changed: dict[str, dict[str, Any]] = {name: {**part} for name, part in constants.items()}
    for setting in settings:
        name, _, value = setting.partition("=")
        section, _, key = name.partition(".")
        if key not in changed.get(section, {}):
            raise SystemExit(f"--set {setting}: no such constant")
        changed[section][key] = json.loads(value)
    return changed


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("constants", type=Path, nargs="?", default=CONSTANTS)
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="SECTION.KEY=VALUE"
    )
    arguments = parser.parse_args(argv)
    constants = json.loads(arguments.constants.read_text(encoding="utf-8"))
    print(report(with_settings(constants, arguments.set)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
