"""Reporting: ledger and corpus -> report/index.html, run.json and a summary.

The balance is checked over all stages: each stage must have seen what the stage before it kept.
"""

from __future__ import annotations

import json
import platform
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, to_dict
from jobs.config.scorers import report_counts, report_shares
from jobs.run.commits import (
    Basis,
    StageIncomplete,
    commit_of,
    due,
    fingerprint_of,
    read_counts,
)
from jobs.run.ledger import BalanceOpen, totals_of
from jobs.run.report import report_page, report_text
from jobs.run.request import FIND_DUPLICATES, REPORT_RUN, Run, Stage
from jobs.run.splits import work_units
from jobs.run.store import WHOLE, Commit, at_once
from jobs.tables import CORPUS, DOCUMENTS, REJECTED
from jobs.transforms.summary import audit_samples, corpus_facts, counts_by
from udfs.files.uris import redact

PACKAGES = ("taojin", "pyspark", "pyarrow", "pandas", "numpy", "resiliparse", "fasttext-community")

_FACTS = "run.json"
_NOT_SHOWN = frozenset({"run", "spark"})
"""Sections that change nothing in a report but the list of settings."""


def run(spark: SparkSession, run: Run, write_audit: Callable[[SparkSession, Run], None]) -> None:
    """Write the report of a finished run and print its summary.

    Args:
        write_audit: Writes the table of samples.
    Raises:
        StageIncomplete: a stage of the pipeline has not run.
        BalanceOpen: records were lost in a stage or between two stages.
    """
    basis = bases(run)[REPORT_RUN][WHOLE]
    if due(run.store, REPORT_RUN, {WHOLE: basis}):
        run.store.revoke(REPORT_RUN, WHOLE)
        started = time.monotonic()
        _, facts = at_once(lambda: write_audit(spark, run), lambda: gather_facts(spark, run))
        run.store.write_bytes(report_page(facts).encode(), "report", "index.html")
        run.store.write_bytes(json.dumps(facts, ensure_ascii=False, indent=1).encode(), _FACTS)
        seconds = round(time.monotonic() - started, 3)
        run.store.commit(commit_of(REPORT_RUN, WHOLE, basis, seconds))
    show(run)


def show(run: Run) -> None:
    """Print the summary of the report that is there."""
    print(report_text(json.loads(run.store.read_bytes(_FACTS))))


def ledgers(_: Config) -> tuple[str, ...]:
    """Return no name: the report has no balance of its own."""
    return ()


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the report: all waves of all stages, and the settings that it shows.

    Raises:
        StageIncomplete: a stage of the pipeline has not run.
    """
    stages = _commits(run)
    sources: dict[str, str | None] = {
        name: fingerprint_of({wave: commit.fingerprint for wave, commit in commits.items()})
        for name, commits in stages.items()
    }
    settings = {
        f"{section}.{key}": value
        for section, values in to_dict(run.config).items()
        if section not in _NOT_SHOWN
        for key, value in values.items()
    }
    return {REPORT_RUN: {WHOLE: Basis(settings, sources)}}


def gather_facts(spark: SparkSession, run: Run) -> dict[str, Any]:
    """Collect the facts of the report and run.json; their size does not grow with the data."""
    stages = _commits(run)
    totals = {name: totals_of(name, list(commits.values())) for name, commits in stages.items()}
    _check_balance(totals, run.stages)
    documents = run.store.read(spark, DOCUMENTS, list(run.waves))
    facts, charsets, samples = (
        [row.asDict(recursive=True) for row in rows]
        for rows in at_once(
            corpus_facts(run.store.read(spark, CORPUS)).collect,
            counts_by(documents, F.col("charset"), "charset").limit(20).collect,
            audit_samples(run.store.read(spark, REJECTED)).collect,
        )
    )
    seconds = {
        stage: round(sum(commit.seconds for commit in commits.values()), 3)
        for stage, commits in stages.items()
    }
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(spark),
        "config": to_dict(run.config),
        "lock_id": run.lock.id,
        "artifacts": {
            name: {**asdict(artifact), "uri": redact(artifact.uri)}
            for name, artifact in run.catalogue.items()
        },
        "input": {
            "splits": sum(len(work_units(splits)) for splits in run.waves.values()),
            "bytes": sum(s.size_bytes or 0 for splits in run.waves.values() for s in splits),
            "waves": len(run.waves),
        },
        "stages": [
            {
                **totals[stage],
                "seconds": seconds[stage],
                "per_second": round(totals[stage]["seen"] / max(seconds[stage], 1e-9), 1),
            }
            for stage in stages
        ],
        "reasons": [row for name in sorted(stages) for row in _reasons(name, stages[name])],
        "duplicates": read_counts(run.store, FIND_DUPLICATES),
        "corpus": _corpus_totals(facts),
        **{shares.name: _counts(facts, shares.value) for shares in report_shares()},
        "quality": [
            {"bin": int(row["quality"]), "rows": row["rows"]}
            for row in sorted(_counts(facts, "quality"), key=lambda row: int(row["quality"]))
        ],
        "charsets": charsets,
        "edits": _counts(facts, "edit", "places"),
        "pii": _counts(facts, "pii", "places"),
        "samples": samples,
    }


def _commits(run: Run) -> dict[str, dict[int, Commit]]:
    """Return the commits of every stage with a balance.

    Raises:
        StageIncomplete: one of them has not run.
    """
    balanced = [name for stage in run.stages for name in stage.ledger_names(run.config)]
    stages = {name: run.store.commits(name) for name in balanced}
    absent = [stage for stage, commits in stages.items() if not commits]
    if absent:
        raise StageIncomplete(f"nothing to report: stages that have not run: {', '.join(absent)}")
    return stages


def _reasons(stage: str, commits: Mapping[int, Commit]) -> list[dict[str, Any]]:
    """Count a stage's records by reason, most first; failures before rejections."""
    rows = []
    for outcome in ("failed", "rejected"):
        counts: Counter[str] = Counter()
        for commit in commits.values():
            counts.update(getattr(commit, outcome))
        rows += [
            {"stage": stage, "outcome": outcome, "reason": reason, "records": records}
            for reason, records in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]
    return rows


def _corpus_totals(facts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return rows, characters, rows that scorers count, and documents that the rows represent."""
    of = {row["fact"]: row for row in facts if row["key"] == ""}
    return {
        "rows": of["corpus"]["rows"] if of else 0,
        "characters": of["corpus"]["amount"] if of else 0,
        **{count.name: of[count.name]["rows"] if of else 0 for count in report_counts()},
        "documents_stood_for": of["stand_for"]["rows"] if of else 0,
    }


def _counts(
    facts: Sequence[Mapping[str, Any]], fact: str, amount: str | None = None
) -> list[dict[str, Any]]:
    """Count corpus rows by the keys of a fact, most first; `amount` names the amount to add."""
    found = [row for row in facts if row["fact"] == fact]
    return [
        {fact: row["key"], "rows": row["rows"], **({amount: row["amount"]} if amount else {})}
        for row in sorted(found, key=lambda row: (-row["rows"], str(row["key"])))
    ]


def _check_balance(totals: Mapping[str, Mapping[str, Any]], stages: Sequence[Stage]) -> None:
    """Raise BalanceOpen if records were lost between two stages."""
    for stage in stages:
        if stage.sees is None:
            continue
        kept, seen = totals[stage.sees.name]["kept"], totals[stage.name]["seen"]
        if seen != kept:
            raise BalanceOpen(f"{stage.sees.name} kept {kept} and {stage.name} saw {seen}")


def _versions(spark: SparkSession) -> dict[str, str]:
    found = {"python": platform.python_version(), "spark": spark.version}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # code run from a zip has no metadata
            continue
    return found
