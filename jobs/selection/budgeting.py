"""A selection within select.budget: what each domain gives, and what it cannot fill.

The documents that pass all other conditions are cut where a domain has its share; only stored
numbers are read. What texts count more than once (``select.repeat``) counts as often here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import Config, ConfigError
from jobs.config.budget import Budget, parse_budget
from jobs.run.console import say
from jobs.transforms.selection.budget import (
    AMOUNT,
    BUDGET_COLUMNS,
    DomainShare,
    budget_reason,
    cut,
    with_budget_columns,
)
from jobs.transforms.selection.corpus_rows import chars_left, part_left, runs_of
from jobs.transforms.selection.frame import quality_score
from jobs.transforms.selection.repeats import REPEATS
from jobs.transforms.selection.verdicts import SELECTS

_ORDER = "budget_order"
_FIELDS = {"tokens": "tokens", "characters": "chars", "bytes": "bytes"}
"""Unit -> column of the table of scorer tokens."""


def order_column(config: Config) -> Column:
    """What the documents of a domain are ordered by, highest first.

    Needs: the columns that expressions see.
    """
    order = config.select.order
    column = quality_score(config) if order is None else F.expr(order)
    return column.cast("double").alias(_ORDER)


def prepared(verdicts: DataFrame, config: Config) -> DataFrame:
    """Add the columns by which `within_budget` cuts.

    Needs: verdicts (of `with_verdicts`, with `order_column`).
    Replaces: the order, by numbers of the same order.
    """
    label = F.col("domain")["single_label"]
    amount = _amount(config, parse_budget(str(config.select.budget)))
    ranked = with_budget_columns(verdicts, config.select.mix, label, F.col(_ORDER), amount)
    return ranked.drop(_ORDER)


def within_budget(verdicts: DataFrame, config: Config) -> tuple[DataFrame, list[DomainShare]]:
    """Leave out what a budget has no room for.

    Needs: verdicts (of `prepared`, with repeats).
    Returns:
        The verdicts with reasons `over_budget` and `not_in_mix`, without the columns of
        `prepared`; and what each domain gives.
    Raises:
        ConfigError: a domain, or all together, have less than was asked, and select.shortfall says
            that this is an error.
    """
    select = config.select
    budget = parse_budget(str(select.budget))
    counted = verdicts.withColumn(AMOUNT, F.col(AMOUNT) * F.col(REPEATS))
    candidates = counted.where(F.col("stage").isNull()).select("doc_id", *BUDGET_COLUMNS)
    shares = cut(candidates, budget.amount, select.mix, deals=select.shortfall == "deal")
    check_shares(shares, budget, str(select.budget), select.shortfall)
    say("budget", budget_line(shares, budget), **(budget_facts(shares, config) or {}))
    is_out = F.col("stage").isNull() & budget_reason(shares).isNotNull()
    decided = counted.withColumns(
        {
            "stage": F.when(is_out, SELECTS).otherwise(F.col("stage")),
            "reasons": F.when(is_out, F.array(budget_reason(shares))).otherwise(F.col("reasons")),
        }
    )
    return decided.drop(*BUDGET_COLUMNS), shares


def check_shares(
    shares: Sequence[DomainShare], budget: Budget, written: str, shortfall: str
) -> None:
    """Check that the domains have what they are asked for, where select.shortfall is ``fail``.

    Args:
        written: The budget as the setting has it.
    Raises:
        ConfigError: saying for each that has less what was asked and what is there.
    """
    short = [share for share in shares if share.missing]
    if shortfall != "fail" or not short:
        return
    where = "; ".join(
        f"{_name(share)} asked {budget.words(share.asked)}, {share.there:,} there"
        for share in short
    )
    raise ConfigError(
        f"select.budget = {written!r}: the documents that pass all other conditions have less: "
        f"{where}; lower the budget or a share, or set select.shortfall to keep (take what there "
        "is) or deal (let other domains fill it)"
    )


def budget_facts(shares: Sequence[DomainShare], config: Config) -> dict[str, Any] | None:
    """What a budget asked and got, for selection.json and programs; None without one."""
    if config.select.budget is None:
        return None
    budget = parse_budget(config.select.budget)
    return {
        "unit": budget.unit,
        "asked": budget.amount,
        "kept": sum(share.kept for share in shares),
        "documents": sum(share.documents for share in shares),
        "domains": [
            {
                "domain": _name(share),
                "asked": share.asked,
                "there": share.there,
                "goal": share.goal,
                "kept": share.kept,
                "documents": share.documents,
                "missing": share.missing,
            }
            for share in shares
        ],
    }


def budget_line(shares: Sequence[DomainShare], budget: Budget) -> str:
    """Say what a budget asked and got, and what domains cannot fill."""
    kept = sum(share.kept for share in shares)
    documents = sum(share.documents for share in shares)
    short = [
        f"{_name(share)} lacks {share.missing:,} of {share.asked:,}"
        for share in shares
        if share.missing
    ]
    return "; ".join(
        [f"budget: asked {budget.words()}, kept {kept:,} in {documents:,} documents", *short]
    )


def _amount(config: Config, budget: Budget) -> Column:
    """What a document takes of a budget: of the text that the corpus gets."""
    if budget.unit not in _FIELDS:
        return F.lit(1)
    counts = F.col("tokens")
    left = chars_left(config, runs_of(config))
    return part_left(counts[_FIELDS[budget.unit]], counts["chars"], left)


def _name(share: DomainShare) -> str:
    """The domain, as messages and selection.json name it."""
    return share.domain or "all domains"
