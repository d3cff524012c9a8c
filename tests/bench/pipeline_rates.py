"""The whole pipeline beside other programs: from the same WARC files to documents, with everything.

    python -m tests.bench.pipeline_rates --data DIR --datatrove PYTHON --juicer PYTHON [--quick]

Two inputs of the seeded generators, a crawl-like mix and Chinese pages alone, each at 1x and at 8x,
so that what any run costs and what a further response costs are known apart. Programs
(pipeline_programs) run one after the other, in rounds, each in separate processes on all cores,
from the start of the interpreter to its last file; before that each runs once over a few pages, so
that what is compiled or cached once is so. Peers run fewer rounds at 8x, as the tables say; --quick
is one round at 1x. A program that fails is left out, with its last words.

1. For each input: wall seconds, processor seconds of all processes, responses and documents a
   processor second, peak memory (PSS of all processes, sampled), documents out: medians, and the
   least and the most of the rounds.
2. Fixed and marginal cost. Marginal: (8x - 1x) / responses added; fixed: 1x less its responses'.
3. Who keeps which documents, by URL, and why taojin drops what another program keeps.
4. The ratios, and whether they are reached.

PYTHON is that of an environment with the program (make bench makes them).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.bench import pipeline_programs as programs
from tests.bench.dedup_rates import verdict
from tests.bench.pipeline_inputs import ALL_CHINESE, CRAWL_MIX, Input, build_input
from tests.bench.pipeline_kept import compare_kept, reasons_of, taojin_reasons
from tests.bench.pipeline_programs import (
    DATATROVE,
    PLAIN,
    ROOT,
    TAOJIN,
    Program,
    environment_of,
    source_of,
)
from tests.bench.process_tree import Usage, measure
from tests.bench.ratios import Ratios, add_ratios_argument, write_ratios
from tests.bench.timing import table

SCALE = 8
FILES = (2, 8)  # at 1x, at 8x
WARM_PAGES = 100
MIN_RATIOS = {
    (CRAWL_MIX, DATATROVE): 25.0,
    (ALL_CHINESE, DATATROVE): 8.0,
    (CRAWL_MIX, PLAIN): 30.0,
    (ALL_CHINESE, PLAIN): 30.0,
}
MAX_PEAK_MB = 6 * 1024
SHOWN_REASONS = 12


@dataclass(frozen=True)
class Run:
    """One run of a program over an input."""

    program: str
    kind: str
    responses: int
    usage: Usage
    documents: int


@dataclass(frozen=True)
class Figures:
    """All runs of one program over one input."""

    runs: Sequence[Run]

    @property
    def cpu(self) -> float:
        return median(run.usage.cpu for run in self.runs)

    @property
    def rate(self) -> float:
        """Responses a processor second."""
        return self.runs[0].responses / self.cpu

    @property
    def peak_mb(self) -> float:
        return max(run.usage.peak_mb for run in self.runs)

    def spread(self, value: Callable[[Run], float], digits: int = 1) -> str:
        """Median of a figure, with the least and the most where there are several runs."""
        values = [value(run) for run in self.runs]
        middle = f"{median(values):,.{digits}f}"
        if len(values) == 1:
            return middle
        return f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


@dataclass(frozen=True)
class Cost:
    """Processor seconds of a program, taken apart by two sizes of one input."""

    fixed: float
    """Seconds of any run."""
    marginal: float
    """Seconds of a further response."""


def cost_of(small: tuple[int, float], large: tuple[int, float]) -> Cost:
    """The line through two sizes.

    Args:
        small, large: Responses and seconds.
    """
    marginal = (large[1] - small[1]) / (large[0] - small[0])
    return Cost(small[1] - small[0] * marginal, marginal)


class Bench:
    """Inputs, runs and outputs under one folder."""

    def __init__(self, folder: Path, *, resumes: bool = False) -> None:
        self._outputs = folder / "run"
        self._log = folder / "runs.jsonl"
        self.runs: list[Run] = []
        self.left_out: dict[str, str] = {}
        if resumes and self._log.exists():
            self.runs = [run_of(line) for line in self._log.read_text("utf-8").splitlines()]
        else:
            self._log.unlink(missing_ok=True)
            shutil.rmtree(self._outputs, ignore_errors=True)

    def output(self, program: str, source: Input) -> Path:
        """Where a program's last output for an input is."""
        return self._outputs / f"{program}-{source.folder.name}"

    def run(self, program: Program, source: Input, *, counts: bool = True) -> None:
        """Run a program over an input, unless it is left out; one that fails is left out.

        Raises:
            SystemExit: taojin itself failed.
        """
        if program.name in self.left_out:
            return
        output = self.output(program.name, source)
        shutil.rmtree(output, ignore_errors=True)
        log = output.with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        print(f"{program.name}: {source.label}", file=sys.stderr, flush=True)
        try:
            command = program.command(
                source_of(program, source.folder, self._outputs).resolve(), output.resolve()
            )
            with log.open("wb") as errors:
                usage = measure(command, errors, cwd=ROOT, env=environment_of(program))
            failed = f"exit status {usage.status}" if usage.status else ""
        except OSError as error:  # its environment is not there
            failed = str(error)
        if failed:
            self._leave_out(program.name, failed, log)
            return
        if counts:
            documents = len(program.kept(output))
            run = Run(program.name, source.kind, source.responses, usage, documents)
            self.runs.append(run)
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(run)) + "\n")

    def _leave_out(self, name: str, failed: str, log: Path) -> None:
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        last = next((line for line in reversed(lines) if line.strip()), "")
        if name == TAOJIN:
            raise SystemExit(f"taojin: {failed}; {log}: {last}")
        self.left_out[name] = f"{failed}: {last.strip()}" if last else failed

    def runs_of(self, program: str, source: Input) -> list[Run]:
        """Its runs over an input."""
        key = (program, source.kind, source.responses)
        return [run for run in self.runs if (run.program, run.kind, run.responses) == key]

    def figures(self, program: str, source: Input) -> Figures | None:
        """The same, None where there is none."""
        runs = self.runs_of(program, source)
        return Figures(runs) if runs else None


def run_of(line: str) -> Run:
    """A run as it was saved, a JSON object of its fields."""
    facts = json.loads(line)
    return Run(**(facts | {"usage": Usage(**facts["usage"])}))


def planned(
    bench: Bench,
    chosen: Sequence[Program],
    inputs: Sequence[Input],
    rounds: int,
    peer_rounds: int,
) -> list[tuple[Program, Input]]:
    """List the runs of every program over every input, round by round, without those that are done.

    Args:
        inputs: Smallest first of each kind.
        peer_rounds: Rounds of programs other than taojin over the larger inputs.
    """
    smallest = {source.kind: source.responses for source in reversed(inputs)}
    plan = []
    for number in range(rounds):
        for source in inputs:
            is_large = source.responses > smallest[source.kind]
            for program in chosen:
                wanted = peer_rounds if is_large and program.name != TAOJIN else rounds
                if number < wanted and len(bench.runs_of(program.name, source)) <= number:
                    plan.append((program, source))
    return plan


def rate_table(bench: Bench, chosen: Sequence[Program], source: Input) -> str:
    """Table 1 of one input."""
    rows = []
    for program in chosen:
        found = bench.figures(program.name, source)
        if found is None:
            continue
        rows.append(
            [
                program.title,
                str(len(found.runs)),
                found.spread(lambda run: run.usage.wall),
                found.spread(lambda run: run.usage.cpu),
                found.spread(lambda run: run.responses / run.usage.cpu),
                found.spread(lambda run: run.documents / run.usage.cpu),
                found.spread(lambda run: run.usage.peak_mb, 0),
                found.spread(lambda run: run.documents, 0),
            ]
        )
    headings = ["program", "rounds", "wall s", "CPU s", "responses a CPU-s"]
    headings += ["documents a CPU-s", "peak MB", "documents out"]
    return table(headings, rows)


def cost_table(bench: Bench, chosen: Sequence[Program], small: Input, large: Input) -> str:
    """Table 2 of one kind of input."""
    costs, rows = {}, []
    for program in chosen:
        pair = bench.figures(program.name, small), bench.figures(program.name, large)
        if pair[0] is None or pair[1] is None:
            continue
        cost = cost_of((small.responses, pair[0].cpu), (large.responses, pair[1].cpu))
        costs[program.name] = cost
        rows.append(
            [
                program.title,
                f"{pair[0].cpu:.1f}",
                f"{pair[1].cpu:.1f}",
                f"{cost.fixed:.1f}",
                f"{cost.marginal * 1000:.2f}",
                f"{cost.marginal / costs[TAOJIN].marginal:.1f}" if TAOJIN in costs else "",
            ]
        )
    headings = ["program", f"CPU s of {small.responses:,}", f"CPU s of {large.responses:,}"]
    headings += ["fixed CPU s", "CPU ms a further response", "times taojin's"]
    return table(headings, rows)


def kept_tables(bench: Bench, chosen: Sequence[Program], source: Input) -> str:
    """Tables 3 of one input: who keeps what, and why."""
    (ours,) = (program for program in chosen if program.name == TAOJIN)
    mine = ours.kept(bench.output(TAOJIN, source))
    reasons = taojin_reasons(bench.output(TAOJIN, source))
    rows, why, drops = [], {}, []
    for program in chosen:
        output = bench.output(program.name, source)
        if bench.figures(program.name, source) is None:
            continue
        if dropped := program.dropped(output):
            drops.append([program.name, shown(dropped)])
        if program.name != TAOJIN:
            theirs = program.kept(output)
            kept = compare_kept(mine, theirs)
            rows.append(
                [
                    program.name,
                    f"{len(theirs):,}",
                    *(f"{count:,}" for count in (kept.both, kept.only_first, kept.only_second)),
                ]
            )
            why[program.name] = reasons_of(theirs - mine, reasons)
    headings = ["program", "keeps", "both keep", "taojin alone", "it alone"]
    total: Counter[str] = sum(why.values(), Counter())
    reason_rows = [
        [reason, *(f"{found[reason]:,}" for found in why.values())]
        for reason, _ in total.most_common(SHOWN_REASONS)
    ]
    return "\n\n".join(
        [
            f"taojin keeps {len(mine):,}.",
            table(headings, rows),
            "Why taojin drops what another program keeps:",
            table(["stage and reason", *why], reason_rows),
            "What each program says that it drops (a response counts under its first reason):",
            "\n".join(f"- {name}: {text}" for name, text in drops),
        ]
    )


def shown(counts: Counter[str]) -> str:
    """The most frequent reasons in a line."""
    parts = [f"{reason} {count:,}" for reason, count in counts.most_common(SHOWN_REASONS)]
    rest = counts.total() - sum(count for _, count in counts.most_common(SHOWN_REASONS))
    return ", ".join([*parts, *([f"others {rest:,}"] if rest else [])])


def peer_ratios(bench: Bench, chosen: Sequence[Program], source: Input) -> Ratios:
    """Program -> how many times its responses a processor second taojin has.

    Without programs that start from texts.
    """
    ours = bench.figures(TAOJIN, source)
    found = {
        program.name: bench.figures(program.name, source)
        for program in chosen
        if program.name != TAOJIN and not program.reads_texts
    }
    return {
        name: ours.rate / theirs.rate
        for name, theirs in found.items()
        if ours is not None and theirs is not None
    }


def ratios_to_keep(bench: Bench, chosen: Sequence[Program], sources: Sequence[Input]) -> Ratios:
    """The same of several inputs, by names that say what they are."""
    return {
        f"pipeline: {source.kind}, {source.responses:,} responses, to {name}": ratio
        for source in sources
        for name, ratio in peer_ratios(bench, chosen, source).items()
    }


def verdicts(bench: Bench, chosen: Sequence[Program], sources: Sequence[Input]) -> Iterator[str]:
    """Part 4: sentences, of one input a kind."""
    for source in sources:
        ours = bench.figures(TAOJIN, source)
        if ours is None:
            continue
        for name, found in peer_ratios(bench, chosen, source).items():
            what = f"{source.label}: responses a CPU-second to {name}"
            by_wall = median(run.usage.wall for run in bench.runs_of(name, source)) / median(
                run.usage.wall for run in ours.runs
            )
            sentence = verdict(what, found, MIN_RATIOS[source.kind, name])
            yield f"{sentence} By wall time: {by_wall:.1f}."
        what = f"{source.label}: peak memory of taojin, MB"
        yield verdict(what, ours.peak_mb, MAX_PEAK_MB, most=True)


def report(
    bench: Bench, chosen: Sequence[Program], inputs: Sequence[Input], cores: int
) -> Iterator[str]:
    """The parts, one after the other."""
    for name, reason in bench.left_out.items():
        yield f"{name} is left out: {reason}"
    yield f"{cores} cores; CPU seconds are those of all processes."
    for source in inputs:
        yield f"## {source.label}\n\n{rate_table(bench, chosen, source)}"
    by_kind: dict[str, list[Input]] = {}
    for source in inputs:
        by_kind.setdefault(source.kind, []).append(source)
    for kind, (small, *larger) in by_kind.items():
        if larger:
            yield f"## Fixed and marginal: {kind}\n\n{cost_table(bench, chosen, small, larger[-1])}"
    largest = [group[-1] for group in by_kind.values()]
    for source in largest:
        yield f"## Documents kept: {source.label}\n\n{kept_tables(bench, chosen, source)}"
    yield "## Ratios\n\n" + "\n".join(f"- {line}" for line in verdicts(bench, chosen, largest))


def arguments_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--datatrove", metavar="PYTHON", help="of its environment; else left out")
    parser.add_argument("--juicer", metavar="PYTHON", help="of data-juicer's; else left out")
    parser.add_argument("--folder", type=Path, default=Path("out/bench/pipeline"))
    parser.add_argument("--quick", action="store_true", help="one round, at 1x alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-rounds", type=int, default=1, help="of other programs at 8x")
    parser.add_argument(
        "--timeout",
        type=float,
        default=1.0,
        help="wall seconds a page of datatrove's extractor; on a busy machine a second drops pages",
    )
    parser.add_argument(
        "--resume", action="store_true", help="keep the finished runs of an interrupted bench"
    )
    parser.add_argument("--mix", type=int, default=3_000, help="responses of the mix at 1x")
    parser.add_argument("--chinese", type=int, default=2_500, help="Chinese pages at 1x")
    add_ratios_argument(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = arguments_of(argv)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # ends programs too
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    data: Path = arguments.data
    model = (data / programs.LANGUAGE_MODEL).resolve()
    cores = len(os.sched_getaffinity(0))
    chosen = [programs.taojin(), programs.plain(model, cores, folder)]
    if arguments.datatrove:
        python = os.path.abspath(arguments.datatrove)
        chosen.insert(1, programs.datatrove(python, model, cores, folder, arguments.timeout))
    if arguments.juicer:
        python = os.path.abspath(arguments.juicer)
        chosen.append(programs.juicer(python, model, cores, folder / "juicer"))

    def inputs(kind: str, responses: int) -> list[Input]:
        sizes = [(responses, FILES[0]), (responses * SCALE, FILES[1])]
        return [
            build_input(kind, count, files, data, folder / "input")
            for count, files in sizes[: 1 if arguments.quick else 2]
        ]

    warm = build_input(ALL_CHINESE, WARM_PAGES, FILES[0], data, folder / "input")
    made = [*inputs(CRAWL_MIX, arguments.mix), *inputs(ALL_CHINESE, arguments.chinese)]
    bench = Bench(folder, resumes=arguments.resume)
    rounds = 1 if arguments.quick else arguments.rounds
    plan = planned(bench, chosen, made, rounds, arguments.peer_rounds)
    names = {program.name for program, _ in plan}
    for program in chosen:
        if program.name in names or (names and program.name == TAOJIN):  # others read its texts
            bench.run(program, warm, counts=False)
    for program, source in plan:
        bench.run(program, source)
    print("# The whole pipeline")
    for part in report(bench, chosen, made, cores):
        print(f"\n{part}", flush=True)
    write_ratios(arguments.ratios, ratios_to_keep(bench, chosen, made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
