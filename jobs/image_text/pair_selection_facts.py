"""pair_selection.json: what a selection of pairs follows from, and what it counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jobs.config import SelectPairsConfig
from jobs.run.commits import Balance, settings_of
from jobs.run.request import Run
from jobs.transforms.images.pair_reasons import (
    BENCHMARK_IMAGE,
    LEVEL_REASONS,
    NO_IMAGE,
    NOT_BEST_OF_BLOCK,
    NOT_TOP_ALIGNMENT,
    PAGE_NOT_IN_CORPUS,
    UNSCORED,
    WHERE,
    rejections_in_use,
)
from jobs.transforms.selection.budget import OVER_BUDGET
from udfs.alignment.alignment import ALIGNMENT

if TYPE_CHECKING:  # imports numba
    from jobs.transforms.images.pair_verdicts import PairBudget

IMAGE_PLACES = "image_places"
"""First step of a funnel: all that was found."""


def selection_facts(
    run: Run,
    balance: Balance,
    rules: Iterable[str],
    counts: Mapping[str, int],
    reasons: Mapping[str, int],
    budget: PairBudget | None,
) -> dict[str, Any]:
    """Put together what pair_selection.json holds.

    Args:
        balance: Pairs that were seen, kept and left out, by the first reason of each.
        rules: Reasons of the rules.
        counts: Rows of the tables, and what else was counted of them, by name.
        reasons: Reason -> pairs that have it, whatever else they have.
    """
    config = run.config
    return {
        "settings": {
            **settings_of("select_pairs", config.select_pairs),
            **{
                key: value
                for limits in config.pair_limits.values()
                for key, value in settings_of("select_pairs", limits).items()
            },
            **settings_of("pair_rules", config.pair_rules),
        },
        "scorers": list(config.score_pairs.scorers),
        "pairs": {
            "seen": balance.seen,
            "kept": balance.kept,
            "rejected": dict(balance.rejected),
        },
        "reasons": dict(sorted(reasons.items())),
        "funnel": pair_funnel(balance, rules, config.select_pairs, config.pair_limits),
        "tables": dict(counts),
        "budget": None
        if budget is None
        else {"asked": budget.asked, "kept": budget.share.kept, "missing": budget.missing},
    }


def pair_funnel(
    balance: Balance,
    rules: Iterable[str],
    settings: SelectPairsConfig,
    limits: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Steps of a selection in their order, with the pairs that each has left.

    A pair's first reason is of the step that removed it. Reasons that no other step has are those
    of images that cannot be used.
    """
    steps: dict[str, set[str]] = {}
    if settings.pages == "corpus":
        steps["pages"] = {PAGE_NOT_IN_CORPUS}
    steps["rules"] = set(rules)
    steps["images"] = {NO_IMAGE}
    if settings.benchmarks:
        steps["benchmarks"] = {BENCHMARK_IMAGE}
    if in_use := rejections_in_use(limits or {}):
        of_scorers = {rejection.reason for of in in_use.values() for rejection in of}
        steps["scores"] = {UNSCORED, *of_scorers}
    if settings.where is not None:
        steps["where"] = {WHERE}
    if set(in_use) & {ALIGNMENT.name}:
        steps["alignment"] = {NOT_TOP_ALIGNMENT, NOT_BEST_OF_BLOCK}
    steps |= {
        level: {reason} for level, reason in LEVEL_REASONS.items() if level in settings.levels
    }
    if settings.budget is not None:
        steps["budget"] = {OVER_BUDGET}
    known = set().union(*steps.values())
    steps["images"] |= balance.rejected.keys() - known
    left = balance.seen
    funnel = [{"step": IMAGE_PLACES, "pairs": left}]
    for step, reasons in steps.items():
        left -= sum(n for reason, n in balance.rejected.items() if reason in reasons)
        funnel.append({"step": step, "pairs": left})
    return funnel
