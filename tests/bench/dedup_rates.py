"""Near-duplicate search of this project and of others: documents a core-second, recall, growth.

    python -m tests.bench.dedup_rates --data DIR --peers PYTHON [--quick]

Every program runs in separate processes over the same normalised documents, with the same
shingles of 5 characters (dedup_corpus), from Parquet files of texts to Parquet files of the texts
that stay. Seconds are CPU seconds of all processes that belong to it (JVM and Python workers
too), so that a busy machine does not matter. Left out for all: the start of interpreter and
session, and a pass over 2,000 other documents.

1. This project, datatrove, text-dedup and Spark ML; Spark ML on fewer documents, as its join is
   quadratic. Each with its recall of all pairs of Jaccard similarity 0.8 or more, and with the
   share of its removals that these pairs call for; on fewer documents, since to find all such
   pairs without fail takes longer than any of the programs.
2. This project's presets of bands x rows.
3. Growth of seconds and of the driver's memory with the documents.
4. Bytes and seconds a document, and what they come to for a thousand million (dedup_scale): of a
   search that broadcasts nothing, as none of that size can.

PYTHON is that of an environment with the peers (make bench BENCH=dedup makes it).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.bench.dedup_corpus import Corpus, build, write_truth
from tests.bench.dedup_quality import Quality, quality
from tests.bench.dedup_scale import scale_report, search_stages
from tests.bench.ratios import Ratios, add_ratios_argument, write_ratios
from tests.bench.timing import table
from tests.builders.near_duplicates import Pairs

PRESETS = ((14, 8), (17, 15), (20, 8))
MIN_RATIOS = {"datatrove": 8.0, "text_dedup": 6.0, "spark_ml": 20.0}
MIN_RECALL = 0.99
MAX_GROWTH = 4.4
_WARM_DOCUMENTS, _WARM_SEED = 2_000, 5


@dataclass(frozen=True)
class Sizes:
    """How many documents each part takes."""

    compared: int
    judged: int
    spark_ml: tuple[int, ...]
    growth: tuple[int, int]
    rounds: int


FULL = Sizes(
    compared=200_000, judged=20_000, spark_ml=(4_000, 8_000), growth=(50_000, 200_000), rounds=3
)
QUICK = Sizes(
    compared=8_000, judged=4_000, spark_ml=(1_000, 2_000), growth=(2_000, 8_000), rounds=1
)


@dataclass(frozen=True)
class Answer:
    """What a program printed, and its clusters."""

    facts: dict[str, Any]
    clusters: np.ndarray[Any, np.dtype[np.int64]]

    @property
    def documents(self) -> int:
        return int(self.facts["documents"])

    @cached_property
    def seconds(self) -> float:
        """CPU seconds of a whole pass, the median of its passes."""
        return float(median(sum(steps.values()) for steps in self.facts["rounds"]))

    @property
    def rate(self) -> float:
        return self.documents / self.seconds

    @property
    def steps(self) -> str:
        """Seconds of each step of the last pass."""
        steps: dict[str, float] = self.facts["rounds"][-1]
        return ", ".join(f"{name} {seconds:.1f}" for name, seconds in steps.items())


class Bench:
    """Corpora and runs under one folder."""

    def __init__(self, data: Path, peers: str | None, folder: Path) -> None:
        self._data = data
        self._peers = peers
        self._folder = folder
        self._warm = build(None, _WARM_DOCUMENTS, folder / "corpus" / "warm", _WARM_SEED)

    def corpus(self, documents: int) -> Corpus:
        return build(self._data, documents, self._folder / "corpus" / str(documents))

    def run(self, program: str, corpus: Corpus, rounds: int, *more: str) -> Answer:
        """Run one program on a corpus.

        Raises:
            subprocess.CalledProcessError: it failed; what it said is on standard error.
        """
        python = self._peers if program in ("datatrove", "text_dedup") else sys.executable
        assert python is not None
        output = self._folder / "run" / program
        shutil.rmtree(output, ignore_errors=True)
        command = [python, "-m", f"tests.bench.dedup_{program}", str(corpus.folder)]
        command += ["--warm", str(self._warm.folder), "--output", str(output)]
        log = self._folder / f"{program}.log"
        with log.open("wb") as errors:
            command += ["--rounds", str(rounds), *more]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors)
        if done.returncode:
            sys.stderr.write(log.read_text("utf-8", "replace")[-3000:])
        done.check_returncode()
        facts = json.loads(done.stdout.decode().splitlines()[-1])
        answer = Answer(facts, np.load(output / "clusters.npy"))
        shutil.rmtree(output)
        return answer


def verdict(what: str, found: float, wanted: float, *, most: bool = False) -> str:
    """A sentence that says whether a target is reached."""
    reached = found <= wanted if most else found >= wanted
    relation = "at most" if most else "at least"
    word = "reached" if reached else "NOT reached"
    return f"{what}: {found:.3f}, wanted {relation} {wanted}: {word}."


def quality_cells(found: Quality) -> list[str]:
    return [f"{found.removed:,}", f"{found.recall:.4f}", f"{found.precision:.4f}"]


@dataclass(frozen=True)
class Judge:
    """Documents all of whose near duplicates are known."""

    bench: Bench
    corpus: Corpus
    truth: Pairs

    def cells(self, program: str, *more: str) -> list[str]:
        """What a program finds of them: removed, recall, precision."""
        return quality_cells(self.quality(program, *more))

    def quality(self, program: str, *more: str) -> Quality:
        return quality(self.bench.run(program, self.corpus, 1, *more).clusters, self.truth)


def judge_of(bench: Bench, documents: int) -> Judge:
    """The judge of a corpus of that number of documents."""
    corpus = bench.corpus(documents)
    return Judge(bench, corpus, write_truth(corpus))


def ratios_to_others(bench: Bench, sizes: Sizes, with_peers: bool) -> Ratios:
    """How many times as fast the search is as the others, on one corpus: 14 x 8, as they do it."""
    corpus = bench.corpus(sizes.compared)
    ours = bench.run("taojin", corpus, sizes.rounds)
    others = ("datatrove", "text_dedup") if with_peers else ()
    return {f"14 x 8 to {name}": ours.rate / bench.run(name, corpus, 1).rate for name in others}


def compared(bench: Bench, sizes: Sizes, judge: Judge, with_peers: bool) -> str:
    """Table 1."""
    rows, verdicts = [], []
    corpus = bench.corpus(sizes.compared)

    def row(name: str, answer: Answer, found: list[str]) -> list[str]:
        seconds = f"{answer.seconds:.1f} ({answer.steps})"
        return [name, f"{answer.documents:,}", seconds, f"{answer.rate:,.0f}", *found]

    # The preset whose recall is no worse than what is promised.
    best = ("--bands", "20", "--rows", "8")
    ours = bench.run("taojin", corpus, sizes.rounds, *best)
    rows.append(row("taojin, 20 x 8", ours, judge.cells("taojin", *best)))
    same = bench.run("taojin", corpus, sizes.rounds)
    rows.append(row("taojin, 14 x 8", same, judge.cells("taojin")))
    for name in ("datatrove", "text_dedup") if with_peers else ():
        answer = bench.run(name, corpus, 1)
        found = judge.cells(name)
        rows.append(row(f"{name} {answer.facts['version']}, 14 x 8", answer, found))
        verdicts.append(verdict(f"14 x 8 to {name}", same.rate / answer.rate, MIN_RATIOS[name]))
    for documents in sizes.spark_ml:
        small = bench.corpus(documents)
        answer = bench.run("spark_ml", small, 1)
        found = quality_cells(quality(answer.clusters, write_truth(small)))
        rows.append(row("Spark ML, 3 tables", answer, found))
        ratio = verdict(
            f"14 x 8 to Spark ML, {documents:,} documents",
            same.rate / answer.rate,
            MIN_RATIOS["spark_ml"],
        )
        verdicts.append(ratio)
    told = [
        f"Documents: {json.dumps(corpus.facts)}",
        "Removed, recall, precision: of others (Spark ML: the same), with "
        f"{len(judge.truth.left):,} pairs of similarity 0.8 or more: "
        f"{json.dumps(judge.corpus.facts)}",
    ]
    headings = ["program", "documents", "CPU s", "documents/s", "removed", "recall", "precision"]
    return "\n".join([*told, "", table(headings, rows), "", *verdicts])


def presets(bench: Bench, sizes: Sizes, judge: Judge) -> str:
    """Table 2."""
    corpus = bench.corpus(sizes.compared)
    rows, best = [], 0.0
    for bands, band_rows in PRESETS:
        preset = ("--bands", str(bands), "--rows", str(band_rows))
        found = judge.quality("taojin", *preset)
        best = max(best, found.recall)
        assert found.precision == 1.0, f"{bands} x {band_rows}: precision {found.precision}"
        rate = bench.run("taojin", corpus, 1, *preset).rate
        rows.append([f"{bands} x {band_rows}", *quality_cells(found), f"{rate:,.0f}"])
    headings = ["bands x rows", "removed", "recall", "precision", "documents/s"]
    return "\n".join([table(headings, rows), "", verdict("Best recall", best, MIN_RECALL)])


def growth(bench: Bench, sizes: Sizes, events: Path) -> str:
    """Table 3."""
    headings = [
        *("documents", "CPU s", "wall s", "documents/s a core"),
        *("driver: Python peak MB", "JVM heap in use, MB", "results to it, MB"),
    ]
    rows, seconds = [], []
    for documents in sizes.growth:
        corpus = bench.corpus(documents)
        log = fresh(events / str(documents))
        facts = bench.run("taojin", corpus, 1, "--events", str(log)).facts
        received = sum(stage.to_driver for stage in search_stages(log, facts))
        ids = facts["rounds"][-1]["ids"]
        seconds.append((ids, facts["wall"][-1]["ids"]))
        rows.append(
            [
                f"{documents:,}",
                f"{ids:.1f}",
                f"{facts['wall'][-1]['ids']:.1f}",
                f"{documents / ids:,.0f}",
                f"{facts['python_peak_mb']:.0f}",
                f"{facts['heap_mb']:.0f}",
                f"{received / 1e6:.2f}",
            ]
        )
    (cpu, wall), (larger_cpu, larger_wall) = seconds
    added = (sizes.growth[1] - sizes.growth[0]) / (larger_cpu - cpu)
    verdicts = [
        verdict("Growth of CPU seconds", larger_cpu / cpu, MAX_GROWTH, most=True),
        verdict("Growth of wall seconds", larger_wall / wall, MAX_GROWTH, most=True),
    ]
    verdicts.append(
        f"Of the documents that were added: {added:,.0f} a core-second; any search costs "
        f"{cpu - sizes.growth[0] / added:.1f} CPU seconds more, for plans and compilers."
    )
    return "\n".join([table(headings, rows), "", *verdicts])


def scale(bench: Bench, sizes: Sizes, events: Path) -> str:
    """Table 4."""
    log = fresh(events / "scale")
    joins = (
        "spark.sql.autoBroadcastJoinThreshold",
        "spark.sql.adaptive.autoBroadcastJoinThreshold",
    )
    settings = ["--conf", *(f"{join}=-1" for join in joins)]
    answer = bench.run("taojin", bench.corpus(sizes.growth[1]), 1, "--events", str(log), *settings)
    return scale_report(log, answer.facts)


def fresh(folder: Path) -> Path:
    """The folder, without what lay in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def report(bench: Bench, sizes: Sizes, folder: Path, with_peers: bool) -> Iterator[str]:
    """The tables, one after the other."""
    judge = judge_of(bench, sizes.judged)
    yield f"## Compared\n\n{compared(bench, sizes, judge, with_peers)}"
    yield f"## Presets\n\n{presets(bench, sizes, judge)}"
    yield f"## Growth\n\n{growth(bench, sizes, folder / 'events')}"
    yield f"## Scale\n\n{scale(bench, sizes, folder / 'events')}"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", help="the Python of an environment with the peers")
    parser.add_argument("--folder", type=Path, default=Path("out/bench/dedup"))
    parser.add_argument("--quick", action="store_true", help="few documents, one pass each")
    add_ratios_argument(parser)
    arguments = parser.parse_args(argv)
    bench = Bench(arguments.data, arguments.peers, arguments.folder)
    sizes = QUICK if arguments.quick else FULL
    print("# Near duplicates", flush=True)
    if arguments.ratios is not None:
        ratios = ratios_to_others(bench, sizes, arguments.peers is not None)
        print(table(["ratio", ""], [[name, f"{ratio:.2f}"] for name, ratio in ratios.items()]))
        write_ratios(arguments.ratios, ratios)
        return 0
    for part in report(bench, sizes, arguments.folder, arguments.peers is not None):
        print(f"\n{part}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
