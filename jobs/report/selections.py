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
from jobs.run.request import Run
from jobs.run.store import Store
from jobs.tables import corpus_of, selection_folder

FILE = "selection.json"
_AMOUNTS = ("asked", "there", "kept", "documents", "missing")


def selection_file(store: Store, name: str | None) -> dict[str, Any]:
    """Read what a selection has written of itself; empty where there is no such file.

    Args:
        name: None for the default one.
    """
    folders = selection_folder(name)
    if FILE not in store.list_names(*folders):
        return {}
    found: dict[str, Any] = json.loads(store.read_bytes(*folders, FILE))
    return found


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


def selection_facts(store: Store, amounts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return amounts, budget, and the settings that differ from the default selection's, of each
    named selection."""
    default = selection_file(store, None).get("settings", {})
    found = []
    for of in amounts:
        file = selection_file(store, of["name"])
        settings = {
            key: value
            for key, value in file.get("settings", {}).items()
            if key not in default or default[key] != value
        }
        found.append({**of, "settings": settings, "budget": file.get("budget")})
    return found


def selection_section(facts: Mapping[str, Any]) -> Section:
    """Return the section of budgets and named selections; it has no blocks without any."""
    selections, budget = facts["selections"], facts["budget"]
    blocks = [] if budget is None else [_budget_table(budget, "the corpus")]
    if selections:
        columns = (
            Column("selection", "code"),
            *(Column(name, "int") for name in ("rows", "characters", "tokens")),
            Column("settings that differ from the corpus'", "long"),
        )
        rows = [
            (
                *(of[name] for name in ("name", "rows", "characters", "tokens")),
                ", ".join(
                    f"{key} = {json.dumps(value, ensure_ascii=False)}"
                    for key, value in of["settings"].items()
                ),
            )
            for of in selections
        ]
        blocks.append(table(Table(columns, rows), "Named selections"))
        blocks += [
            folded(f"Budget of {of['name']}", _budget_table(of["budget"], of["name"]))
            for of in selections
            if of["budget"] is not None
        ]
    return Section("selections", "Selections", _finding(budget, selections), blocks)


def _finding(budget: Mapping[str, Any] | None, selections: Sequence[Mapping[str, Any]]) -> str:
    if budget is None:
        number = len(selections)
        return f"{number:,} named selection{'' if number == 1 else 's'} beside the corpus"
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
