"""What all programs of the deduplication bench have in common: arguments, clock, answer.

Every program runs in a separate process, makes one pass over a small corpus, so that what is
loaded or compiled once is so, and then its timed passes over the corpus. It prints one JSON
object: ``documents``; ``rounds``, the CPU seconds of each step of each timed pass, with all
processes that belong to it; ``wall``, the same in wall seconds; ``span_ms``, begin and end of the
steps of the last pass; ``before``, CPU seconds until the first timed pass. Under its output folder
it leaves ``clusters.npy``: a number for each document, the same for those of one cluster.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from tests.bench.dedup_corpus import Corpus
from tests.bench.dedup_cpu import tree_cpu_seconds

Answer = TypeVar("Answer")


class Clock:
    """CPU and wall seconds of the steps of one pass."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.wall: dict[str, float] = {}
        self.span_ms: dict[str, tuple[int, int]] = {}

    def step(self, name: str, work: Callable[[], Answer]) -> Answer:
        """Do a piece of work and take its time."""
        cpu, wall, since = tree_cpu_seconds(), time.monotonic(), _now_ms()
        answer = work()
        self.cpu[name] = tree_cpu_seconds() - cpu
        self.wall[name] = time.monotonic() - wall
        self.span_ms[name] = (since, _now_ms())
        return answer


def _now_ms() -> int:
    """Milliseconds since 1970, as Spark's event log counts them."""
    return int(time.time() * 1000)


class Pass(Protocol):
    """One whole search of a program."""

    def __call__(self, corpus: Corpus, folder: Path, clock: Clock) -> npt.NDArray[np.int64]:
        """Deduplicate a corpus, writing under an empty folder; the cluster of each document."""


def arguments_of(doc: str | None) -> argparse.ArgumentParser:
    """The arguments that every program takes."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--warm", type=Path, required=True, help="a small corpus")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--bands", type=int, default=14)
    parser.add_argument("--rows", type=int, default=8)
    return parser


def run_passes(arguments: argparse.Namespace, search: Pass, **facts: object) -> dict[str, Any]:
    """Make the passes that the arguments ask for; what is to be printed."""
    corpus, output = Corpus(arguments.corpus), Path(arguments.output)
    output.mkdir(parents=True)
    search(Corpus(arguments.warm), output / "warm", Clock())
    before = tree_cpu_seconds()
    clocks = []
    for number in range(arguments.rounds):
        clocks.append(Clock())
        clusters = search(corpus, output / f"round-{number}", clocks[-1])
    np.save(output / "clusters.npy", clusters)
    return {
        "documents": corpus.facts["documents"],
        "rounds": [clock.cpu for clock in clocks],
        "wall": [clock.wall for clock in clocks],
        "span_ms": clocks[-1].span_ms,
        "before": before,
        **facts,
    }


def print_answer(facts: dict[str, Any]) -> None:
    print(json.dumps(facts), flush=True)


def clusters_by_kept(ids: Sequence[str], kept: dict[str, str]) -> npt.NDArray[np.int64]:
    """Clusters from the kept id of every removed document."""
    numbers = {doc_id: number for number, doc_id in enumerate(ids)}
    return np.array([numbers[kept.get(doc_id, doc_id)] for doc_id in ids], dtype=np.int64)
