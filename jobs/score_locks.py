"""That all scores of a corpus follow from one lock, and no scorer's from two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.command import Run
from jobs.scorers import lock_id_of, stamp_of_scorer
from jobs.stage import StageIncomplete

_SHOWN = 12


class MixedLocks(StageIncomplete):
    """Scores that follow from another lock than the one in use, or from several."""


def check_locks(run: Run, tables: Mapping[str, DataFrame]) -> None:
    """Look at what every score says that it follows from: a column that holds few values.

    Args:
        tables: Scorer -> its scores, with artifact and lock_id.
    Raises:
        MixedLocks: naming every scorer with what its scores follow from.
    """
    found = _origins(tables)
    expected = {
        name: (stamp_of_scorer(name, run.config, run.lock), lock_id_of(name, run.config, run.lock))
        for name in tables
    }
    if all(rows.keys() <= {expected[name]} for name, rows in found.items()):
        return
    lines = [f"scores follow from other artifacts than the lock has ({run.lock.id[:_SHOWN]}):"]
    for name, rows in found.items():
        held = " and ".join(f"{n:,} of {_shown(origin)}" for origin, n in sorted(rows.items()))
        lines.append(f"  {name}: {held or 'none'}; the lock in use: {_shown(expected[name])}")
    lines.append("run score_documents with the lock in use, or use the lock that they follow from")
    raise MixedLocks("\n".join(lines))


def _origins(tables: Mapping[str, DataFrame]) -> dict[str, dict[tuple[str, str], int]]:
    """Scorer -> (artifact, lock_id) -> rows."""
    columns = [
        table.groupBy("artifact", "lock_id").count().withColumn("scorer", F.lit(name))
        for name, table in tables.items()
    ]
    found: dict[str, dict[tuple[str, str], int]] = {name: {} for name in tables}
    for row in reduce(DataFrame.unionByName, columns).collect():
        found[row["scorer"]][str(row["artifact"]), str(row["lock_id"])] = row["count"]
    return found


def _shown(origin: tuple[str, str]) -> str:
    artifact, lock_id = origin
    return f"{artifact} (lock {lock_id[:_SHOWN]})"
