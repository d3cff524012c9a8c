"""Say what a run did: ledger and corpus -> report/index.html, run.json, a summary.

The balance is checked once more over all stages: what one stage kept is what the next one saw.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import to_dict
from jobs.run.commits import BalanceOpen, StageIncomplete, read_counts
from jobs.run.report import report_page, report_text
from jobs.run.request import FIND_DUPLICATES, Run, Stage
from jobs.run.splits import work_units
from jobs.tables import CORPUS, DOCUMENTS, LEDGER, REJECTED
from jobs.transforms.ledger import unbalanced
from jobs.transforms.summary import (
    audit_samples,
    corpus_totals,
    counts_by,
    edit_totals,
    pii_totals,
    quality_bin,
    reason_totals,
    stage_totals,
)
from udfs.files.uris import redact

PACKAGES = ("taojin", "pyspark", "pyarrow", "pandas", "numpy", "resiliparse", "fasttext-community")


def run(spark: SparkSession, run: Run) -> None:
    """Write the report of a finished run and print its summary.

    Raises:
        StageIncomplete: a stage of the pipeline has not been run.
        BalanceOpen: records were lost between two stages.
    """
    facts = gather_facts(spark, run)
    run.store.write_bytes(report_page(facts).encode(), "report", "index.html")
    run.store.write_bytes(json.dumps(facts, ensure_ascii=False, indent=1).encode(), "run.json")
    print(report_text(facts, run.store.root))


def gather_facts(spark: SparkSession, run: Run) -> dict[str, Any]:
    """All that the report and run.json say; nothing in it grows with the data."""
    balanced = [name for stage in run.stages for name in stage.ledger_names(run.config)]
    stages = {name: run.store.commits(name) for name in balanced}
    absent = [stage for stage, commits in stages.items() if not commits]
    if absent:
        raise StageIncomplete(f"nothing to report: not run yet: {', '.join(absent)}")
    ledger = spark.read.parquet(run.store.table_path(LEDGER))
    totals = {row["stage"]: row for row in _rows(stage_totals(ledger))}
    _check_balance(ledger, totals, run.stages)
    corpus = run.store.read(spark, CORPUS)
    documents = run.store.read(spark, DOCUMENTS, list(run.waves))
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
        "reasons": _rows(reason_totals(ledger)),
        "duplicates": read_counts(run.store, FIND_DUPLICATES),
        "corpus": _rows(corpus_totals(corpus))[0],
        "domains": _rows(counts_by(corpus, F.col("domain")["single_label"], "domain")),
        "quality": _rows(counts_by(corpus, quality_bin(), "bin").orderBy("bin")),
        "charsets": _rows(counts_by(documents, F.col("charset"), "charset").limit(20)),
        "edits": _rows(edit_totals(corpus)),
        "pii": _rows(pii_totals(corpus)),
        "samples": _rows(audit_samples(run.store.read(spark, REJECTED))),
    }


def _check_balance(
    ledger: DataFrame, totals: Mapping[str, Mapping[str, int]], stages: Sequence[Stage]
) -> None:
    """Raise BalanceOpen where a stage lost records, or two stages lost some between them."""
    wrong = unbalanced(ledger).take(1)
    if wrong:
        raise BalanceOpen(f"open balance: {wrong[0].asDict()}")
    for stage in stages:
        if stage.sees is None:
            continue
        kept, seen = totals[stage.sees.name]["kept"], totals[stage.name]["seen"]
        if seen != kept:
            raise BalanceOpen(f"{stage.sees.name} kept {kept} and {stage.name} saw {seen}")


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    """A small frame as dictionaries."""
    return [row.asDict(recursive=True) for row in frame.collect()]


def _versions(spark: SparkSession) -> dict[str, str]:
    found = {"python": platform.python_version(), "spark": spark.version}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # code run from a zip has no metadata of its own
            continue
    return found
