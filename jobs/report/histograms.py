"""Histograms of all stored scores, and what other thresholds would keep, as facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config.scorers import declared
from jobs.run.request import Run
from jobs.tables import scores
from jobs.transforms.selection.curves import score_histograms, threshold_curves

_AMOUNTS = ("documents", "chars", "tokens")
_NOT_SCORES = ("doc_id", "artifact", "lock_id")


def scored_rows(spark: SparkSession, run: Run) -> DataFrame | None:
    """Read the scores of all scored documents, a struct of each scorer under its name.

    Returns:
        None where no scorer runs.
    """
    scored: DataFrame | None = None
    for name in declared():
        if name not in run.config.score.scorers:
            continue
        table = run.store.read(spark, scores(name), list(run.waves))
        fields = [column for column in table.columns if column not in _NOT_SCORES]
        packed = table.select("doc_id", F.struct(*fields).alias(name))
        scored = packed if scored is None else scored.join(packed, on="doc_id", how="left")
    return scored


def histogram_query(spark: SparkSession, run: Run) -> Callable[[], list[Any]]:
    """Return the call that counts the histograms on Spark."""
    scored = scored_rows(spark, run)
    return list if scored is None else score_histograms(scored).collect


def histogram_facts(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Histograms without the domains, and curves with them.

    Args:
        rows: Those of `jobs.transforms.selection.curves.score_histograms`.
    """
    rows = list(rows)
    histograms = []
    for scorer in declared().values():
        for curve in scorer.curves:
            bins: dict[int, dict[str, int]] = {}
            for row in rows:
                if row["score"] == curve.name and row["bin"] is not None:
                    amounts = bins.setdefault(row["bin"], dict.fromkeys(_AMOUNTS, 0))
                    for name in _AMOUNTS:
                        amounts[name] += row[name]
            if bins:
                histograms.append(
                    {
                        "score": curve.name,
                        "key": curve.key,
                        "is_log": curve.is_log,
                        "keeps_below": curve.keeps_below,
                        "bins": [{"bin": number, **bins[number]} for number in sorted(bins)],
                    }
                )
    return {"histograms": histograms, "curves": threshold_curves(rows)}
