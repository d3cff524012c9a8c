"""selection.json: what a selection follows from, and what it counted."""

from __future__ import annotations

from typing import Any

from jobs.run.commits import Balance, settings_of
from jobs.run.request import Run
from jobs.run.scorers import lock_id_of, stamp_of_scorer
from jobs.selection.budgeting import budget_facts
from jobs.selection.decisions import Decided
from jobs.transforms.selection.frame import selection_scorers


def selection_facts(
    run: Run, balance: Balance, rows: int, repeats: int, decided: Decided
) -> dict[str, Any]:
    """Put together what selection.json holds.

    Args:
        balance: Documents that were seen, kept and left out.
        rows: Rows of the corpus.
        repeats: How often its texts count in all.
        decided: What was decided on documents.
    """
    settings = settings_of("select", run.config.select)
    for limits in run.config.limits.values():
        settings |= settings_of("select", limits)
    return {
        "name": run.selection,
        "settings": settings,
        "lock_id": run.lock.id,
        # check_locks has compared all rows with these.
        "scores": {
            name: {
                "artifact": stamp_of_scorer(name, run.config, run.lock),
                "lock_id": lock_id_of(name, run.config, run.lock),
            }
            for name in selection_scorers(run.config)
        },
        "documents": {
            "seen": balance.seen,
            "kept": balance.kept,
            "rejected": dict(balance.rejected),
            "failed": dict(balance.failed),
        },
        "rows": rows,
        "repeats": repeats,
        "cluster_repeats": {str(size): times for size, times in decided.by_size.items()},
        "budget": budget_facts(decided.shares, run.config),
    }
