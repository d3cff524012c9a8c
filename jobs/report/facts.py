"""The facts of a run: what run.json has and every page is made from.

The balance is checked over all stages: each stage must have seen what the stage before it kept.
The size of the facts does not grow with the data.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pyspark.sql import SparkSession

from jobs.config import Config, to_dict
from jobs.config.scorers import report_counts, report_shares
from jobs.config.sections import named_artifacts
from jobs.report.histograms import histogram_facts, histogram_query
from jobs.report.selections import (
    pair_selections,
    selection_amounts,
    selection_commits,
    selection_facts,
    selection_file,
)
from jobs.run.commits import StageIncomplete, read_counts
from jobs.run.ledger import BalanceOpen, totals_of
from jobs.run.request import EXTRACT_PAIRS, FIND_DUPLICATES, OF_DOCUMENTS, Run, Stage
from jobs.run.splits import work_units
from jobs.run.store import Commit, at_once
from jobs.tables import CORPUS, DOCUMENTS, MEASURED, REJECTED
from jobs.transforms.outcomes import document_facts, host_facts, with_outcome
from jobs.transforms.summary import PAIR, audit_samples, corpus_facts
from udfs.files.uris import redact

PACKAGES = ("taojin", "pyspark", "pyarrow", "pandas", "numpy", "resiliparse", "fasttext-community")

PAIR_ROOM = "pairs"
"""Room of the commands whose stages are those of images and pairs."""

_MOST_HOSTS = 20
_MOST_VALUES = 20
"""Values of a column that are listed: charsets, languages."""

Rows = Sequence[Mapping[str, Any]]


def gather_facts(spark: SparkSession, run: Run) -> dict[str, Any]:
    """Collect the facts of the report and run.json; their size does not grow with the data.

    Args:
        write_audit: Writes the table of samples.
    Raises:
        StageIncomplete: a stage of the pipeline has not run.
        BalanceOpen: records were lost in a stage or between two stages.
    """
    stages = stage_commits(run)
    totals = {name: totals_of(name, list(commits.values())) for name, commits in stages.items()}
    pairs = {name: totals_of(name, list(of.values())) for name, of in pair_commits(run).items()}
    check_balance(totals | pairs, run.stages)
    waves = list(run.waves)
    documents = run.store.read(spark, DOCUMENTS, waves).select(
        "doc_id", "host", "language", "script", "charset"
    )
    rejected = run.store.read(spark, REJECTED)
    outcomes = with_outcome(documents, rejected)
    amounts = selection_amounts(spark, run, list(selection_commits(run, OF_DOCUMENTS)))
    corpus, known, hosts, samples, scored = (
        [row.asDict(recursive=True) for row in rows]
        for rows in at_once(
            corpus_facts(run.store.read(spark, CORPUS)).collect,
            document_facts(outcomes, run.store.read(spark, MEASURED, waves)).collect,
            host_facts(outcomes.select("host", "outcome"), _MOST_HOSTS).collect,
            audit_samples(rejected).collect,
            histogram_query(spark, run),
        )
    )
    return {
        **_of_run(spark, run),
        **_of_stages(run, stages, totals, known),
        "pair_stages": list(pairs.values()),
        "selections": selection_facts(run, OF_DOCUMENTS, amounts),
        "pair_selections": pair_selections(run),
        "budget": selection_file(run.store, OF_DOCUMENTS, None).get("budget"),
        **_of_corpus(corpus, run.config.score.scorers),
        "charsets": _values(known, "charset"),
        "languages": _values(known, "language"),
        "scripts": _values(known, "script"),
        "lengths": sorted(
            (
                {"bin": int(row["key"]), "documents": row["documents"], "kept": row["kept"]}
                for row in known
                if row["fact"] == "length" and row["key"] is not None
            ),
            key=lambda row: row["bin"],
        ),
        "hosts": {
            place: [
                {"host": row["host"], "documents": row["documents"], "kept": row["kept"]}
                for row in hosts
                if row["place"] == place
            ]
            for place in ("kept", "lost")
        },
        **histogram_facts(scored),
        "samples": samples,
    }


def stage_commits(run: Run) -> dict[str, dict[int, Commit]]:
    """Return the commits of every stage of documents with a balance.

    Raises:
        StageIncomplete: one of them has not run.
    """
    documents = [stage for stage in run.stages if stage.room is None]
    balanced = [name for stage in documents for name in stage.ledger_names(run.config)]
    stages = {name: run.store.commits(name) for name in balanced}
    absent = [stage for stage, commits in stages.items() if not commits]
    if absent:
        raise StageIncomplete(f"nothing to report: stages that have not run: {', '.join(absent)}")
    return stages


def pair_commits(run: Run) -> dict[str, dict[int, Commit]]:
    """Return the commits of the stages of images and pairs that have run, in running order."""
    stages = [stage for stage in run.stages if stage.room == PAIR_ROOM]
    names = [name for stage in stages for name in stage.ledger_names(run.config)]
    found = {name: run.store.commits(name) for name in (EXTRACT_PAIRS, *names)}
    return {name: commits for name, commits in found.items() if commits}


def check_balance(totals: Mapping[str, Mapping[str, Any]], stages: Sequence[Stage]) -> None:
    """Raise BalanceOpen if records were lost between two stages."""
    for stage in stages:
        if stage.sees is None or not {stage.name, stage.sees.name} <= totals.keys():
            continue  # the latter: pairs that were not selected
        kept, seen = totals[stage.sees.name]["kept"], totals[stage.name]["seen"]
        if seen != kept:
            raise BalanceOpen(f"{stage.sees.name} kept {kept} and {stage.name} saw {seen}")


def changed_settings(config: Config) -> list[dict[str, Any]]:
    """List the settings that differ from the defaults, in the order of the sections."""
    defaults = to_dict(Config())
    return [
        {"key": f"{section}.{key}", "value": value, "default": defaults[section].get(key)}
        for section, values in to_dict(config).items()
        for key, value in values.items()
        if defaults[section].get(key) != value
    ]


def _of_run(spark: SparkSession, run: Run) -> dict[str, Any]:
    """What was asked for and what did it."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(spark),
        "config": to_dict(run.config),
        "changed_settings": changed_settings(run.config),
        "lock_id": run.lock.id,
        "cores": spark.sparkContext.defaultParallelism,
        "artifacts": {
            name: {**asdict(artifact), "uri": redact(artifact.uri)}
            for name, artifact in run.catalogue.items()
        },
        "used_artifacts": sorted({artifact.name for artifact in named_artifacts(run.config)}),
        "input": {
            "splits": sum(len(work_units(splits)) for splits in run.waves.values()),
            "bytes": sum(s.size_bytes or 0 for splits in run.waves.values() for s in splits),
            "waves": len(run.waves),
        },
    }


def _of_stages(
    run: Run,
    stages: Mapping[str, Mapping[int, Commit]],
    totals: Mapping[str, Mapping[str, Any]],
    known: Rows,
) -> dict[str, Any]:
    """What every stage saw and decided, and how long it took."""
    seconds = {
        stage: round(sum(commit.seconds for commit in commits.values()), 3)
        for stage, commits in stages.items()
    }
    characters = {row["key"]: row["characters"] for row in known if row["fact"] == "outcome"}
    return {
        "stages": [
            {
                **totals[stage],
                "seconds": seconds[stage],
                "per_second": round(totals[stage]["seen"] / max(seconds[stage], 1e-9), 1),
            }
            for stage in stages
        ],
        "reasons": [
            {**row, "characters": characters.get(f"{row['stage']}/{row['reason']}")}
            for name in sorted(stages)
            for row in _reasons(name, stages[name])
        ],
        "measured_characters": sum(characters.values()),
        "duplicates": read_counts(run.store, FIND_DUPLICATES),
    }


def _of_corpus(facts: Rows, scorers: Collection[str]) -> dict[str, Any]:
    """What the corpus holds."""
    pairs = ((row["key"].split(PAIR), row) for row in facts if row["fact"].endswith(PAIR))
    return {
        "corpus": _corpus_totals(facts, scorers),
        **{shares.name: _labelled(facts, shares.value) for shares in report_shares()},
        "quality": [
            {"bin": int(row["quality"]), "rows": row["rows"]}
            for row in sorted(_counts(facts, "quality"), key=lambda row: int(row["quality"]))
        ],
        "clusters": [
            {"bin": int(row["clusters"]), "rows": row["rows"], "documents": row["documents"]}
            for row in sorted(
                _counts(facts, "clusters", "documents"), key=lambda row: int(row["clusters"])
            )
        ],
        "pairs": sorted(
            (
                {
                    "of": row["fact"].removesuffix(PAIR),
                    "values": list(values),
                    "rows": row["rows"],
                }
                for values, row in pairs
            ),
            key=lambda pair: (pair["of"], pair["values"]),
        ),
        "edits": _counts(facts, "edit", "places"),
        "pii": _counts(facts, "pii", "places"),
    }


def _values(known: Rows, fact: str) -> list[dict[str, Any]]:
    """Count documents by the values of a column, most first, and name the rest together."""
    rows = sorted(
        (row for row in known if row["fact"] == fact),
        key=lambda row: (-row["documents"], row["key"] is not None, row["key"]),
    )
    shown = [
        {fact: row["key"], "rows": row["documents"], "kept": row["kept"]}
        for row in rows[:_MOST_VALUES]
    ]
    return shown


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


def _corpus_totals(facts: Iterable[Mapping[str, Any]], scorers: Collection[str]) -> dict[str, int]:
    """Return rows, characters, rows that scorers count, and documents that the rows represent."""
    of = {row["fact"]: row for row in facts if row["key"] == ""}
    return {
        "rows": of["corpus"]["rows"] if of else 0,
        "characters": of["corpus"]["amount"] if of else 0,
        **{count.name: of[count.name]["rows"] if of else 0 for count in report_counts(scorers)},
        "documents_stood_for": of["stand_for"]["rows"] if of else 0,
    }


def _counts(facts: Rows, fact: str, amount: str | None = None) -> list[dict[str, Any]]:
    """Count corpus rows by the keys of a fact, most first; `amount` names the amount to add."""
    found = [row for row in facts if row["fact"] == fact]
    return [
        {fact: row["key"], "rows": row["rows"], **({amount: row["amount"]} if amount else {})}
        for row in sorted(found, key=lambda row: (-row["rows"], str(row["key"])))
    ]


def _labelled(facts: Rows, value: str) -> list[dict[str, Any]]:
    """Count corpus rows by a label; empty where no row has one, as of a scorer that did not run."""
    counts = _counts(facts, value, "characters")
    return counts if any(row[value] is not None for row in counts) else []


def _versions(spark: SparkSession) -> dict[str, str]:
    found = {"python": platform.python_version(), "spark": spark.version}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # code run from a zip has no metadata
            continue
    return found
