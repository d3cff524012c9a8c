"""Comparing two outputs: which documents ended elsewhere, and why.

    python -m jobs.report_run --output OUTPUT --against OTHER

OTHER is what was before, OUTPUT what is now. Documents are matched by doc_id, which is the same
for a capture in every run. Writes OUTPUT/report/against.html and prints a summary.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType

from jobs.config import Config, ConfigError
from jobs.config.scorers import declared
from jobs.report.comparison import comparison_text, comparison_view
from jobs.report.differences import Move, causes_of, moves_of
from jobs.report.page import render
from jobs.run.request import EXTRACT_DOCUMENTS, MEASURE_DOCUMENTS, Run
from jobs.run.splits import planned_waves
from jobs.run.store import Commit, Store, at_once
from jobs.tables import DOCUMENTS, REJECTED, scores
from jobs.transforms.outcomes import moves, with_outcome
from udfs.files.uris import redact

PAGE = ("report", "against.html")

_FACTS = "run.json"
_SEED = 1
_SAMPLES = 3
"""Documents that are shown of each move."""
_MOVES = 12
"""Moves of which documents are shown, those of most documents."""
_TEXT_CHARS = 400


def add_arguments(parser: ArgumentParser) -> None:
    """Add --against."""
    parser.add_argument(
        "--against",
        metavar="OUTPUT",
        help="another output that has a report: say which documents ended elsewhere there, and why",
    )


def with_arguments(config: Config, arguments: Namespace) -> Config:
    """Check the output that --against names. Returns the configuration, which stays as it is.

    Raises:
        ConfigError: it has no report, or is the output itself.
    """
    if arguments.against is not None:
        other = Store.at(arguments.against)
        if other.root == Store.at(arguments.output).root:
            raise ConfigError(f"--against {redact(arguments.against)}: this is the output itself")
        _facts(other)
    return config


def compare(spark: SparkSession, run: Run) -> None:
    """Write the page of a comparison and print its summary."""
    assert run.against is not None
    other = Store.at(run.against)
    before, after = _facts(other), _facts(run.store)
    rows = moves(_outcomes(spark, other), _outcomes(spark, run.store), _SEED).collect()
    old, new = _commits(other), _commits(run.store)
    causes = causes_of(before, after, old, new)
    order = [stage["stage"] for stage in after["stages"]]
    found = moves_of([row.asDict() for row in rows], causes, order, _SAMPLES)
    texts = _texts(spark, other, run.store, [move for move in found if move.before != move.after])
    name = redact(other.root)
    view = comparison_view(name, before, after, found, causes, texts)
    view["language"] = run.config.language.tag
    run.store.write_bytes(render("report.html.jinja", view).encode(), *PAGE)
    print(comparison_text(name, found, causes))
    print(f"page: {redact(run.store.root)}/{'/'.join(PAGE)}")


def _facts(store: Store) -> dict[str, Any]:
    """Read the facts of an output.

    Raises:
        ConfigError: it has none.
    """
    try:
        facts: dict[str, Any] = json.loads(store.read_bytes(_FACTS))
    except FileNotFoundError:
        raise ConfigError(
            f"--against {redact(store.root)}: no {_FACTS} there; it is an output whose report_run "
            "has finished"
        ) from None
    except ValueError as error:
        raise ConfigError(
            f"--against {redact(store.root)}/{_FACTS}: cannot be read: {error}"
        ) from error
    if not {"config", "versions", "stages", "reasons"} <= facts.keys():
        raise ConfigError(f"--against {redact(store.root)}/{_FACTS}: not the facts of a run")
    return facts


def _outcomes(spark: SparkSession, store: Store) -> DataFrame:
    """Read doc_id, url and outcome of the documents of an output."""
    waves = sorted(store.commits(EXTRACT_DOCUMENTS).keys() & planned_waves(store).keys())
    documents = store.read(spark, DOCUMENTS, waves).select("doc_id", "url")
    return with_outcome(documents, store.read(spark, REJECTED))


def _commits(store: Store) -> dict[str, dict[int, Commit]]:
    """Read the commits of all stages that a comparison looks at, in running order."""
    names = [stage["stage"] for stage in _facts(store)["stages"]]
    if EXTRACT_DOCUMENTS in names:
        names.insert(names.index(EXTRACT_DOCUMENTS) + 1, MEASURE_DOCUMENTS)
    return {name: store.commits(name) for name in names}


def _texts(
    spark: SparkSession, other: Store, store: Store, found: Sequence[Move]
) -> dict[str, dict[str, Any]]:
    """Read the beginnings of the texts of samples, and their scores on both sides."""
    ids = sorted({row["doc_id"] for move in found[:_MOVES] for row in move.samples})
    if not ids:
        return {}
    sides = at_once(partial(_shown, spark, other, ids), partial(_shown, spark, store, ids))
    texts: dict[str, dict[str, Any]] = {}
    for side, rows in zip(("before", "after"), sides, strict=True):
        for doc_id, row in rows.items():
            texts.setdefault(doc_id, {})["text"] = row.pop("text")
            texts[doc_id][side] = row
    return texts


def _shown(
    spark: SparkSession, store: Store, ids: Sequence[str]
) -> dict[str, dict[str, str | float | None]]:
    """Read the beginning of a text and the first number of each scorer for a few documents."""
    waves = sorted(store.commits(EXTRACT_DOCUMENTS).keys() & planned_waves(store).keys())
    wanted = F.col("doc_id").isin(list(ids))
    shown = (
        store.read(spark, DOCUMENTS, waves)
        .where(wanted)
        .select("doc_id", F.substring("text", 1, _TEXT_CHARS).alias("text"))
    )
    there = set(store.list_names("scores"))
    for name, scorer in declared().items():
        numbers = [of.name for of in scorer.result_type if isinstance(of.dataType, DoubleType)]
        if name not in there or not numbers:
            continue
        table = store.read(spark, scores(name), waves).where(wanted)
        shown = shown.join(
            table.select("doc_id", F.col(numbers[0]).alias(f"{name} ")), on="doc_id", how="left"
        )
    rows: list[Mapping[str, Any]] = [row.asDict() for row in shown.collect()]
    return {
        row["doc_id"]: {key.rstrip(): value for key, value in row.items() if key != "doc_id"}
        for row in rows
    }
