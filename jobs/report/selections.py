"""What selections asked for and got: budgets by domain, and the named selections of an output."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.report.sections import PageBlock, Section, folded, table
from jobs.report.tables import Column, Table
from jobs.run.ledger import totals_of
from jobs.run.request import OF_PAIRS, Run, SelectionKind, select_stage
from jobs.run.store import Commit, Store
from jobs.tables import SELECTED_PAIRS, corpus_of

_AMOUNTS = ("asked", "there", "kept", "documents", "missing")


def selection_commits(run: Run, kind: SelectionKind) -> dict[str, dict[int, Commit]]:
    """Return the commits of the named selections, by name."""
    names = kind.names(run.store)
    found = {name: run.store.commits(select_stage(name, kind.stage)) for name in names}
    return {name: commits for name, commits in found.items() if commits}


def selection_file(store: Store, kind: SelectionKind, name: str | None) -> dict[str, Any]:
    """Read what a selection has written of itself; empty where there is no such file.

    Args:
        name: None for the default one.
    """
    try:
        return kind.read_facts(store, name)
    except FileNotFoundError:
        return {}


def selection_amounts(spark: SparkSession, run: Run, names: Sequence[str]) -> list[dict[str, Any]]:
    """Count rows, characters and tokens of named selections in one query; tokens are null where
    they were not counted."""
    if not names:
        return []

    def counted(name: str) -> DataFrame:
        corpus = run.store.read(spark, corpus_of(name))
        return corpus.agg(
            F.lit(name).alias("name"),
            F.count("*").alias("rows"),
            F.coalesce(F.sum(F.char_length("text")), F.lit(0)).alias("characters"),
            F.sum("tokens").alias("tokens"),
        )

    return [row.asDict() for row in reduce(DataFrame.unionByName, map(counted, names)).collect()]


def pair_selections(run: Run) -> list[dict[str, Any]]:
    """Return pairs, pairs with the body of their image, and what `selection_facts` adds, of each
    named selection of pairs."""
    amounts = []
    for name in selection_commits(run, OF_PAIRS):
        tables = selection_file(run.store, OF_PAIRS, name)["tables"]
        counts = {"pairs": tables[SELECTED_PAIRS], "with_image": tables["with_image"]}
        amounts.append({"name": name, **counts})
    return selection_facts(run, OF_PAIRS, amounts)


def selection_facts(
    run: Run, kind: SelectionKind, amounts: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return amounts, budget, the settings that differ from the default selection's, and what was
    seen and kept, of each named selection.

    Args:
        amounts: Of those that are committed.
    """
    default = selection_file(run.store, kind, None).get("settings", {})
    found = []
    for of in sorted(amounts, key=lambda of: str(of["name"])):
        file = selection_file(run.store, kind, of["name"])
        settings = {
            key: value
            for key, value in file.get("settings", {}).items()
            if key not in default or default[key] != value
        }
        stage = select_stage(of["name"], kind.stage)
        totals = totals_of(stage, list(run.store.commits(stage).values()))
        found.append({**of, "settings": settings, "budget": file.get("budget"), **totals})
    return found


def selection_section(facts: Mapping[str, Any]) -> Section:
    """Return the section of budgets and named selections; it has no blocks without any."""
    selections, budget = facts["selections"], facts["budget"]
    blocks = [] if budget is None else [_budget_table(budget, "the corpus")]
    if selections:
        amounts = {name: name for name in ("rows", "characters", "tokens")}
        blocks.append(_named_table(selections, amounts, "the corpus'"))
        blocks += [
            folded(f"Budget of {of['name']}", _budget_table(of["budget"], of["name"]))
            for of in selections
            if of["budget"] is not None
        ]
    return Section("selections", "Selections", _finding(budget, selections), blocks)


def pair_selection_section(selections: Sequence[Mapping[str, Any]]) -> Section:
    """Return the section of named selections of pairs; it has no blocks without any."""
    amounts = {"pairs": "pairs", "with_image": "with their image"}
    blocks = [_named_table(selections, amounts, "the default selection's")] if selections else []
    return Section("selections", "Selections", _number(selections, "selected_pairs"), blocks)


def _named_table(
    selections: Sequence[Mapping[str, Any]], amounts: Mapping[str, str], default: str
) -> PageBlock:
    """Return the table of named selections.

    Args:
        amounts: Fact -> its column's head.
        default: Whose settings are not shown.
    """
    columns = (
        Column("selection", "code"),
        *(Column(head, "int") for head in amounts.values()),
        Column(f"settings that differ from {default}", "long"),
    )
    rows = [
        (
            *(of[name] for name in ("name", *amounts)),
            ", ".join(
                f"{key} = {json.dumps(value, ensure_ascii=False)}"
                for key, value in of["settings"].items()
            ),
        )
        for of in selections
    ]
    return table(Table(columns, rows), "Named selections")


def _number(selections: Sequence[Mapping[str, Any]], beside: str) -> str:
    number = len(selections)
    return f"{number:,} named selection{'' if number == 1 else 's'} beside {beside}"


def _finding(budget: Mapping[str, Any] | None, selections: Sequence[Mapping[str, Any]]) -> str:
    if budget is None:
        return _number(selections, "the corpus")
    short = [of["domain"] for of in budget["domains"] if of["missing"]]
    lacks = f"; {', '.join(short)} had less than asked" if short else ""
    return f"{budget['kept']:,} of {budget['asked']:,} {budget['unit']} of the budget kept{lacks}"


def _budget_table(budget: Mapping[str, Any], name: str) -> PageBlock:
    columns = (Column("domain", "code"), *(Column(amount, "int") for amount in _AMOUNTS))
    rows = [tuple(of[key] for key in ("domain", *_AMOUNTS)) for of in budget["domains"]]
    note = (
        f"Asked, there, kept and missing are {budget['unit']}; there is what passed all other "
        "conditions."
    )
    return table(Table(columns, rows), f"Budget of {name}", note)
