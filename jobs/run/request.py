"""A checked request: what every stage works from, and what a stage declares of itself."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.lock import Lock
from jobs.config import Config
from jobs.run.commits import Basis
from jobs.run.crawl_request import RangeRequest
from jobs.run.splits import Waves
from jobs.run.store import Store
from jobs.tables import (
    CORPORA,
    CORPUS,
    PAIR_SELECTIONS,
    SCORED_TEXTS,
    SELECTED_PAIRS,
    selection_folder,
)

# Names of stages, of their commits and of their rows in the ledger.
PLAN_INPUT = "plan_input"
EXTRACT_DOCUMENTS = "extract_documents"
EXTRACT_PRODUCTS = "extract_products"
"""The part of extract_documents that writes products; it commits its waves by itself."""
EXTRACT_PAIRS = "extract_pairs"
"""The part of extract_documents that writes image places; it commits its waves by itself."""
APPLY_RULES = "apply_rules"
MEASURE_DOCUMENTS = "measure_documents"
"""The half of apply_rules that reads and edits texts; it commits its waves by itself."""
READ_ROBOTS = "read_robots"
"""The part of apply_rules that reads robots.txt files, once; it commits them by itself."""
FIND_DUPLICATES = "find_duplicates"
SCORE_DOCUMENTS = "score_documents"
SELECT_CORPUS = "select_corpus"
MEASURE_IMAGES = "measure_images"
MEASURE_SHARDS = "measure_shards"
"""The part of measure_images that reads shards; it commits waves of shards by itself."""
MEASURE_PAIRS = "measure_pairs"
SCORE_PAIRS = "score_pairs"
REASSIGN_CAPTIONS = "reassign_captions"
SELECT_PAIRS = "select_pairs"
INTERLEAVE_DOCUMENTS = "interleave_documents"
MATCH_IMAGES = "match_images"
REPORT_RUN = "report_run"
_SCORE = "score_"
_NAMED = "@"
_STAGES = (
    *(
        EXTRACT_DOCUMENTS,
        EXTRACT_PRODUCTS,
        EXTRACT_PAIRS,
        MEASURE_DOCUMENTS,
        READ_ROBOTS,
        APPLY_RULES,
        FIND_DUPLICATES,
    ),
    *(SCORED_TEXTS, SELECT_CORPUS),
    *(MEASURE_IMAGES, MEASURE_SHARDS, MEASURE_PAIRS, SELECT_PAIRS),
    *(REASSIGN_CAPTIONS, INTERLEAVE_DOCUMENTS, MATCH_IMAGES),
)


def score_stage(scorer: str) -> str:
    """Return the name under which a scorer's waves are committed and its balance is kept."""
    return f"{_SCORE}{scorer}"


def score_pairs_stage(scorer: str) -> str:
    """Return the name under which a scorer of pairs commits its waves and keeps its balance.

    >>> score_pairs_stage("alignment")
    'score_pairs_alignment'
    """
    return f"{SCORE_PAIRS}_{scorer}"


def select_stage(name: str | None, stage: str = SELECT_CORPUS) -> str:
    """Return the name under which a selection is committed and its balance is kept.

    Args:
        name: None for the default selection.
        stage: The one that selects.

    >>> select_stage(None), select_stage("law"), select_stage("noc", SELECT_PAIRS)
    ('select_corpus', 'select_corpus@law', 'select_pairs@noc')
    """
    return stage if name is None else f"{stage}{_NAMED}{name}"


def is_stage(name: str) -> bool:
    """Whether a name is that of commits, and not of a file that a basis follows from."""
    return name.startswith(_SCORE) or name.partition(_NAMED)[0] in _STAGES


@dataclass(frozen=True)
class SelectionKind:
    """What an output may have several selections of: a default one, and named ones beside it."""

    stage: str
    """The stage that selects."""
    table: str
    """What is selected."""
    folder: str
    """Holds a folder for each named selection."""
    sections: tuple[str, ...]
    """Sections of the settings that each selection has of its own."""
    facts_file: str
    """What a selection says of itself: what it follows from, and what it counted."""

    def names(self, store: Store) -> list[str]:
        """Name the selections beside the default one, sorted."""
        return store.list_names(self.folder)

    def path(self, name: str | None) -> tuple[str, ...]:
        """Return the folders that hold a selection, one in the other; none for the default one."""
        return selection_folder(name, self.folder)

    def write_facts(self, store: Store, name: str | None, facts: Mapping[str, Any]) -> None:
        """Write what a selection says of itself."""
        data = json.dumps(facts, ensure_ascii=False, indent=1).encode()
        store.write_bytes(data, *self.path(name), self.facts_file)

    def read_facts(self, store: Store, name: str | None) -> dict[str, Any]:
        """Read what a selection says of itself.

        Raises:
            FileNotFoundError: there is no such selection.
        """
        facts: dict[str, Any] = json.loads(store.read_bytes(*self.path(name), self.facts_file))
        return facts


OF_DOCUMENTS = SelectionKind(SELECT_CORPUS, CORPUS, CORPORA, ("select",), "selection.json")
OF_PAIRS = SelectionKind(
    *(SELECT_PAIRS, SELECTED_PAIRS, PAIR_SELECTIONS),
    ("pair_rules", "select_pairs"),
    "pair_selection.json",
)
SELECTION_KINDS = {kind.stage: kind for kind in (OF_DOCUMENTS, OF_PAIRS)}


@dataclass(frozen=True)
class Run:
    """A checked request."""

    config: Config
    config_file: Path | None
    store: Store
    waves: Waves
    lock: Lock
    stages: tuple[Stage, ...] = ()
    """All stages of a pipeline, in running order."""
    requests: tuple[RangeRequest, ...] = ()
    """Ranges that Spark has to look up before any stage runs."""
    added: Waves = field(default_factory=dict)
    """New waves, among `waves`, that are written when work begins."""
    is_plan_only: bool = False
    """Whether to show what would run, and to write nothing."""
    is_verbose: bool = False
    """Whether the terminal shows what Spark and Java print."""
    selections: Mapping[str, str] = field(default_factory=dict)
    """Stage that selects -> name of the selection that a command makes or reads, whose settings
    `config` has; the default one where there is none."""
    against: str | None = None
    """Another output that the report is compared with."""

    @property
    def selection(self) -> str | None:
        """Name of the selection of documents; None for the default one."""
        return self.selections.get(SELECT_CORPUS)

    @property
    def pair_selection(self) -> str | None:
        """Name of the selection of pairs; None for the default one."""
        return self.selections.get(SELECT_PAIRS)

    def committed(self, stage: str) -> str:
        """Return the name of a stage's commits: that of the named selection, if it makes one."""
        return select_stage(self.selections.get(stage), stage)

    @property
    def input_bytes(self) -> int | None:
        """Size of all input of the output; None where a size or the ranges are not known yet."""
        sizes = [split.size_bytes for splits in self.waves.values() for split in splits]
        known = [size for size in sizes if size is not None]
        return None if self.requests or len(known) < len(sizes) else sum(known)

    @property
    def is_small(self) -> bool:
        """Whether spark.small_properties apply: queries take longer to plan than to run."""
        return self.config.spark.is_small(self.input_bytes)

    @property
    def catalogue(self) -> dict[str, Artifact]:
        """The artifacts that the configuration may name."""
        return self.lock.artifacts


Bases = Mapping[str, Mapping[int, Basis]]
"""Name of a commit -> wave -> what the wave follows from."""


Show = Callable[[SparkSession, Run], str]
"""Reads an output, and returns lines of text."""


@dataclass(frozen=True)
class Stage:
    """One stage of a pipeline, with a command of the same name."""

    name: str
    summary: str
    """One line for --help and the table of commands."""
    reads: str
    writes: tuple[str, ...]
    """Names of its tables and files, as they are under an output."""
    run: Callable[[SparkSession, Run], None] | None = None
    """Does the work of every wave that is due; None where the request itself is the work."""
    preload: Callable[[], None] | None = None
    """Imports what its work needs; called while Java starts."""
    worker_modules: tuple[str, ...] = ()
    """Modules that its Python workers need, which their daemon imports before it forks them."""
    show: Callable[[Run], None] | None = None
    """Prints its earlier result, where no stage has anything to do and Spark is not started."""
    bases: Callable[[Run], Bases] | None = None
    """What its waves follow from; None where the request itself is the work."""
    deletes: Callable[[Run], Mapping[str, str]] | None = None
    """Tables that its work would delete, with the reason; asked where it has something to do."""
    needs: tuple[Stage, ...] = ()
    """Stages that are brought up to date before its own work."""
    check_settings: Callable[[Config, Lock], None] | None = None
    """Raises ConfigError before Spark starts, whatever the command: for settings and artifacts
    that only this stage reads."""
    check: Callable[[Config], None] | None = None
    """Raises ConfigError before Spark starts, if the command runs the stage."""
    check_on_spark: Callable[[SparkSession, Config], None] | None = None
    """Raises ConfigError before any stage runs."""
    add_arguments: Callable[[ArgumentParser], None] | None = None
    """Adds the arguments that only its command has."""
    shows: Callable[[Namespace], Show | None] | None = None
    """What its command shows instead of working, if its arguments ask for that."""
    with_arguments: Callable[[Config, Namespace], Config] | None = None
    """The configuration as those arguments change it. Raises ConfigError for wrong ones."""
    ledgers: Callable[[Config], tuple[str, ...]] | None = None
    """Its names in the ledger; None for its own name alone."""
    room: str | None = None
    """Room of jobs/ that has its command; None for jobs/ itself."""
    sees: Stage | None = None
    """The stage whose kept documents it sees: the ledger's balance is checked over both."""

    @property
    def module(self) -> str:
        """Name of its command's module below ``jobs``."""
        return self.name if self.room is None else f"{self.room}.{self.name}"

    def ledger_names(
        self, config: Config, selections: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Return the names under which it keeps a balance in the ledger.

        Args:
            selections: Those of the run; None for the default ones.
        """
        if self.ledgers is not None:
            return self.ledgers(config)
        name = select_stage((selections or {}).get(self.name), self.name)
        return () if self.bases is None else (name,)


@dataclass(frozen=True)
class ReaderTask:
    """What a reader was asked for, checked."""

    plan: Sequence[str]
    """Lines that say what it will do."""
    work: Callable[[SparkSession], None]


@dataclass(frozen=True)
class Reader:
    """A command that reads an output and writes elsewhere: it is no stage of a run."""

    name: str
    add_arguments: Callable[[ArgumentParser], None]
    """Adds its arguments to those of every command, ``--from`` and ``--name``."""
    check: Callable[[Run, Namespace], ReaderTask]
    """Checks the arguments against the run that is read. Raises ConfigError before Spark starts."""
    reads: SelectionKind = OF_DOCUMENTS
    """What ``--name`` names a selection of."""
    preload: Callable[[], None] | None = None
    """As that of a `Stage`."""
    worker_modules: tuple[str, ...] = ()
    """As those of a `Stage`."""
    room: str | None = None
    """As that of a `Stage`."""

    @property
    def module(self) -> str:
        """As that of a `Stage`."""
        return self.name if self.room is None else f"{self.room}.{self.name}"
