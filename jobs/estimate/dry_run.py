"""The dry run itself: the stages of a pipeline over a sample of a request's files.

A quarter of the sample is run alone, then all of it: what the first wave takes more than the second
is spent once, what deduplication keeps of both shows how duplicates grow, and tables of both how
much better large files compress.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from jobs.config import Config
from jobs.estimate.measuring import Amounts, TableSize, amounts_of, table_sizes
from jobs.estimate.sampling import Sample, passes_of
from jobs.estimate.spark_costs import Meter, Spent
from jobs.run.request import FIND_DUPLICATES, Run, Stage
from jobs.run.store import WHOLE

_BROADCAST = (
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.adaptive.autoBroadcastJoinThreshold",
)

Named = Callable[[str], AbstractContextManager[None]]
"""Names the stage whose error a block raises."""


@dataclass(frozen=True)
class Pass:
    """A run of the stages over a part of the sample."""

    waves: Sequence[int]
    spent: Mapping[str, Spent]
    """Stage -> what it spent."""
    seen_by_dedup: int
    kept_by_dedup: int
    tables: Mapping[str, Mapping[int | None, TableSize]]


@dataclass(frozen=True)
class Measured:
    """What a run over a sample took and gave."""

    sample: Sample
    passes: Sequence[Pass]
    amounts: Amounts
    cores: int
    session_s: float
    """Seconds from the start of the command to the first stage."""
    ledgers: Mapping[str, Sequence[str]]
    """Stage -> its names in the ledger."""
    whole: frozenset[str]
    """Stages that handle all waves at once."""


def sampled_stages(stages: Sequence[Stage], config: Config) -> list[Stage]:
    """Return the stages that a dry run runs: those that decide on records, so neither the report
    nor a release, whose place lies outside the output."""
    return [stage for stage in stages if stage.run is not None and stage.ledger_names(config)]


def measure(
    spark: SparkSession,
    run: Run,
    sample: Sample,
    stages: Sequence[Stage],
    started: float,
    named: Named,
) -> Measured:
    """Run the stages over a sample and measure what that takes.

    Args:
        run: The run over the sample alone, in a place of its own.
        stages: In running order.
        started: `time.monotonic` when the command began.
    """
    session_s = time.monotonic() - started
    meter = Meter(spark)
    passes = []
    with _joined_as_large(spark, is_small=run.is_small):
        for waves in passes_of(sorted(run.waves)):
            part = replace(run, waves={wave: run.waves[wave] for wave in waves})
            passes.append(_passed(spark, part, stages, meter, named))
    ledgers = {stage.name: stage.ledger_names(run.config) for stage in stages}
    names = [name for of_stage in ledgers.values() for name in of_stage]
    return Measured(
        sample,
        passes,
        amounts_of(spark, run, names),
        int(spark.sparkContext.defaultParallelism),
        session_s,
        ledgers,
        frozenset(
            stage
            for stage, of_stage in ledgers.items()
            if any(WHOLE in run.store.commits(name) for name in of_stage)
        ),
    )


def _passed(
    spark: SparkSession, run: Run, stages: Sequence[Stage], meter: Meter, named: Named
) -> Pass:
    """Run the stages once."""
    spent = {}
    for stage in stages:
        assert stage.run is not None
        names = stage.ledger_names(run.config)
        before = {name: run.store.commits(name) for name in names}
        with meter.spent() as of_stage, named(stage.name):
            stage.run(spark, run)
        worked = [
            [
                commit
                for wave, commit in run.store.commits(name).items()
                if wave not in before[name] or before[name][wave].seconds != commit.seconds
            ]
            for name in names
        ]
        of_stage.rows = max((sum(one.rows for one in of_name) for of_name in worked), default=0)
        of_stage.waves = max(map(len, worked), default=0)
        spent[stage.name] = of_stage
    dedup = run.store.commits(FIND_DUPLICATES).values()
    return Pass(
        list(run.waves),
        spent,
        sum(one.rows for one in dedup),
        sum(one.kept for one in dedup),
        table_sizes(run.store),
    )


@contextmanager
def _joined_as_large(spark: SparkSession, *, is_small: bool) -> Iterator[None]:
    """Send no table to all executors whole while the block runs, unless all input is little.

    In a run over all files the tables are too large for that, and their rows are shuffled.
    """
    if is_small:
        yield
        return
    before = {key: spark.conf.get(key, None) for key in _BROADCAST}
    for key in _BROADCAST:
        spark.conf.set(key, "-1")
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, value)
