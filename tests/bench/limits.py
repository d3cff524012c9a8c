"""What the stages cost beside what they cannot do without, and what of it is Spark's own.

    python -m tests.bench.limits --data DIR [--quick] [--flame FILE.svg [--flame-stage STAGE]]

One core, processor seconds of all processes, medians of rounds that run everything in turns:

1. Inflating the input; inflating it and parsing records and headers; Arrow transfer of the texts to
   Python workers and back; reading and writing the documents table (Parquet, zstd).
2. Every stage of a run over the same input beside its limit. That of the extraction is inflating
   the input; that of another stage is reading the tables that it reads, Arrow transfer of the
   texts that it passes to Python workers, and writing the rows that it writes. A run over a
   small input comes before, in the same session; both are planned as one over a large input.
3. Spark's own share of the processor time of all stages: the JVM, and Arrow transfer in the
   workers. Start of JVM and session is not counted.

--flame draws the Python processes of a run over the same input instead, sampled by py-spy.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.pipeline.stages import STAGES
from tests.bench.build_pages import built_pages
from tests.bench.dedup_rates import verdict
from tests.bench.extract_rates import inflate, read_ours
from tests.bench.ratios import Ratios, add_ratios_argument, write_ratios
from tests.bench.timed_run import AS_LARGE, TimedRun, run_timed
from tests.bench.timing import pin_to_one_core, table

MAX_SPARK_SHARE = 0.15
EXTRACTION = "extract_documents"
_WARM_PAGES = 500
_PAGES_A_FILE = 1_000


@dataclass(frozen=True)
class Round:
    """One measurement of everything."""

    inflate: float
    """Processor seconds, as are the others."""
    headers: float
    run: TimedRun

    @property
    def documents(self) -> int:
        return int(self.run.stages[EXTRACTION]["kept"])

    def part(self, name: str) -> float:
        """Read, transfer or write of the documents table."""
        return sum(self.run.facts["limits"]["documents"][name].values())

    def seconds(self, stage: str) -> float:
        return sum(self.run.stages[stage]["cpu"].values())

    def limit(self, stage: str) -> float:
        """Seconds that a stage cannot do without."""
        if stage == EXTRACTION:
            return self.inflate
        parts = self.run.facts["limits"]["stages"][stage]
        through = sum(parts["transfer"].values()) * self.passed(stage)
        return through + sum(sum(parts[name].values()) for name in ("read", "write"))

    def passed(self, stage: str) -> float:
        """Share of the documents that a stage sees."""
        return float(self.run.stages[stage]["seen"] / self.documents)

    @property
    def transferring(self) -> float:
        """Seconds that workers of all stages spend on Arrow alone."""
        stages: Mapping[str, Any] = self.run.facts["limits"]["stages"]
        return sum(
            parts["transfer"]["workers"] * self.passed(name) for name, parts in stages.items()
        )

    @property
    def spark_share(self) -> float:
        return (self.run.cpu("jvm") + self.transferring) / self.run.cpu()


def measure(folder: Path, warm: Path, output: Path) -> Round:
    """One round."""
    files = sorted(folder.glob("*.warc.gz"))
    return Round(
        _cpu(lambda: [inflate(file) for file in files]),
        _cpu(lambda: [read_ours(file) for file in files]),
        run_timed(folder, output, "--warm", str(warm), "--limits", *AS_LARGE),
    )


def _cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def middle(rounds: Sequence[Round], figure: Callable[[Round], float]) -> float:
    """The median of a figure."""
    return statistics.median(map(figure, rounds))


def spread(rounds: Sequence[Round], figure: Callable[[Round], float]) -> str:
    """Least and most of a figure."""
    found = sorted(map(figure, rounds))
    return f"{found[0]:.2f} to {found[-1]:.2f}"


def parts_table(rounds: Sequence[Round], pages: int, size: int) -> str:
    """Table 1."""
    documents = rounds[0].documents
    figures: dict[str, tuple[int, Callable[[Round], float]]] = {
        "inflate only": (pages, lambda one: one.inflate),
        "inflate, parse records and headers": (pages, lambda one: one.headers),
        "Arrow transfer through Spark and back": (documents, lambda one: one.part("transfer")),
        "Parquet read, all columns": (documents, lambda one: one.part("read")),
        "Parquet write, zstd": (documents, lambda one: one.part("write")),
    }
    rows = [
        [name, f"{seconds:.2f}", spread(rounds, figure), f"{seconds / count * 1e6:,.0f}"]
        for name, (count, figure) in figures.items()
        for seconds in [middle(rounds, figure)]
    ]
    headings = ["part", "CPU s", "spread", "us a document"]
    told = f"{pages:,} pages, {size / 1e6:,.0f} MB inflated; {documents:,} documents"
    return f"{told}\n\n{table(headings, rows)}"


def stages_table(rounds: Sequence[Round], found: Ratios) -> str:
    """Table 2; adds each stage's share of its limit to the ratios."""
    rows = []
    for stage in rounds[0].run.stages:
        share = middle(rounds, lambda one, stage=stage: one.limit(stage) / one.seconds(stage))
        found[f"{stage} of its limit"] = share
        rows.append(
            [
                stage,
                f"{rounds[0].run.stages[stage]['seen']:,}",
                *(
                    f"{statistics.median(one.run.stages[stage]['cpu'][role] for one in rounds):.2f}"
                    for role in ("driver", "jvm", "workers")
                ),
                f"{middle(rounds, lambda one, stage=stage: one.seconds(stage)):.2f}",
                spread(rounds, lambda one, stage=stage: one.seconds(stage)),
                f"{middle(rounds, lambda one, stage=stage: one.limit(stage)):.2f}",
                f"{share:.3f}",
            ]
        )
    headings = ["stage", "seen", "driver s", "JVM s", "workers s", "all CPU s", "spread"]
    return table([*headings, "limit, CPU s", "limit of all"], rows)


def spark_table(rounds: Sequence[Round], found: Ratios) -> str:
    """Table 3; adds the share of the project's Python code to the ratios."""
    share = middle(rounds, lambda one: one.spark_share)
    found["Python code of all processor time"] = 1 - share
    figures: dict[str, Callable[[Round], float]] = {
        "JVM": lambda one: one.run.cpu("jvm"),
        "Arrow transfer in workers": lambda one: one.transferring,
        "Python code in workers": lambda one: one.run.cpu("workers") - one.transferring,
        "Python code in the driver": lambda one: one.run.cpu("driver"),
    }
    rows = [
        [name, f"{seconds:.2f}", f"{seconds / middle(rounds, lambda one: one.run.cpu()):.3f}"]
        for name, figure in figures.items()
        for seconds in [middle(rounds, figure)]
    ]
    reached = verdict("Spark's own share", share, MAX_SPARK_SHARE, most=True)
    return f"{table(['all stages and the report', 'CPU s', 'share'], rows)}\n\n{reached}"


def draw(folder: Path, warm: Path, arguments: argparse.Namespace) -> int:
    """Draw the flame graph; the exit status."""
    more = ["--warm", str(warm), "--flame", str(arguments.flame), "--py-spy", arguments.py_spy]
    more += AS_LARGE
    if arguments.flame_stage is not None:
        more += ["--flame-stage", arguments.flame_stage]
    run_timed(folder, arguments.folder / "run", *more)
    if not arguments.flame.is_file():
        log = arguments.folder / "run" / "stderr.log"
        print(f"{arguments.py_spy} wrote no {arguments.flame}: see {log}", file=sys.stderr)
        return 1
    print(f"wrote {arguments.flame}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="1,000 pages, one round")
    parser.add_argument("--folder", type=Path, default=Path("out/bench/limits"))
    parser.add_argument("--flame", type=Path, help="draw a flame graph there instead")
    parser.add_argument(
        "--flame-stage",
        choices=[stage.name for stage in STAGES if stage.run],
        help="of this stage alone; of the whole run by default",
    )
    parser.add_argument("--py-spy", default="py-spy", help="the program")
    add_ratios_argument(parser)
    arguments = parser.parse_args(argv)
    if arguments.flame is not None and shutil.which(arguments.py_spy) is None:
        parser.error(f"--flame needs {arguments.py_spy}, which pip install py-spy brings")
    pages = 1_000 if arguments.quick else arguments.pages
    inputs = arguments.folder.parent / "inputs"
    warm = built_pages(arguments.data, _WARM_PAGES, 1, inputs)
    folder = built_pages(arguments.data, pages, max(1, pages // _PAGES_A_FILE), inputs)
    if arguments.flame is not None:
        return draw(folder, warm, arguments)
    print(f"# Limits on core {pin_to_one_core()}", flush=True)
    (first, *_) = sorted(warm.glob("*.warc.gz"))
    inflate(first), read_ours(first)  # compiled code is loaded
    count = 1 if arguments.quick else arguments.rounds
    rounds = [measure(folder, warm, arguments.folder / "run") for _ in range(count)]
    found = {"headers of inflate only": middle(rounds, lambda one: one.inflate / one.headers)}
    size = sum(map(inflate, folder.glob("*.warc.gz")))
    print(f"\n## Parts\n\n{parts_table(rounds, pages, size)}")
    print(f"\n## Stages\n\n{stages_table(rounds, found)}")
    print(f"\n## Spark's own share\n\n{spark_table(rounds, found)}")
    write_ratios(arguments.ratios, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
