"""Reporting: ledger and all tables -> report/index.html, run.json and a summary."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from jobs.config import Config, to_dict
from jobs.report import plots
from jobs.report.compare import compare
from jobs.report.facts import gather_facts, pair_commits, stage_commits
from jobs.report.page import report_page
from jobs.report.pairs import write_pairs_page
from jobs.report.samples import COLUMNS
from jobs.report.selections import selection_commits
from jobs.run.commits import Basis, commit_of, due, fingerprint_of
from jobs.run.report import report_text
from jobs.run.request import REPORT_RUN, SELECTION_KINDS, Run, select_stage
from jobs.run.store import WHOLE, at_once
from jobs.tables import AUDIT

FACTS = "run.json"

_NOT_SHOWN = frozenset({"release", "release_pairs", "run", "spark"})
"""Sections that change nothing in a report but the list of settings."""


def preload() -> None:
    """Import what draws, while Spark starts."""
    plots.preload()


def run(
    spark: SparkSession,
    run: Run,
    write_audit: Callable[[SparkSession, Run], None],
    core_price: Callable[[], Mapping[str, Any]],
) -> None:
    """Write the report of a finished run and print its summary.

    Args:
        write_audit: Writes the table of samples.
        core_price: Returns what a core costs an hour: ``core_hour``, ``currency``, and the
            ``machine``, ``region`` and ``date`` of the price.
    Raises:
        StageIncomplete: a stage of the pipeline has not run.
        BalanceOpen: records were lost in a stage or between two stages.
    """
    basis = bases(run)[REPORT_RUN][WHOLE]
    if due(run.store, REPORT_RUN, {WHOLE: basis}):
        run.store.revoke(REPORT_RUN, WHOLE)
        started = time.monotonic()
        _, facts = at_once(partial(write_audit, spark, run), partial(gather_facts, spark, run))
        facts["price"] = core_price()
        audit = list(run.store.rows(AUDIT, COLUMNS))
        run.store.write_bytes(report_page(facts, audit).encode(), "report", "index.html")
        write_pairs_page(spark, run)
        run.store.write_bytes(_json(facts), FACTS)
        seconds = round(time.monotonic() - started, 3)
        run.store.commit(commit_of(REPORT_RUN, WHOLE, basis, seconds))
    show(run)
    if run.against is not None:
        compare(spark, run)


def show(run: Run) -> None:
    """Print the summary of the report that is there."""
    print(report_text(json.loads(run.store.read_bytes(FACTS))))


def ledgers(_: Config) -> tuple[str, ...]:
    """Return no name: the report has no balance of its own."""
    return ()


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the report: all waves of all stages, and the settings that it shows.

    Raises:
        StageIncomplete: a stage of the pipeline has not run.
    """
    named = {
        select_stage(name, kind.stage): of
        for kind in SELECTION_KINDS.values()
        for name, of in selection_commits(run, kind).items()
    }
    sources: dict[str, str | None] = {
        name: fingerprint_of({wave: commit.fingerprint for wave, commit in commits.items()})
        for name, commits in (stage_commits(run) | named | pair_commits(run)).items()
    }
    settings = {
        f"{section}.{key}": value
        for section, values in to_dict(run.config).items()
        if section not in _NOT_SHOWN
        for key, value in values.items()
    }
    return {REPORT_RUN: {WHOLE: Basis(settings, sources)}}


def _json(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, indent=1).encode()
