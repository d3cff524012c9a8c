"""Figures of a trained scorer, as plain dictionaries for its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array

THRESHOLDS = (0.3, 0.5, 0.7, 0.9, 0.99)
"""Thresholds that figures of a binary score are given at."""

_DIGITS = 4


def area_under_roc(positive: BoolArray, scores: Float64Array) -> float:
    """Compute the area under the ROC curve, ties counting half; NaN for a single class.

    >>> area_under_roc(np.array([False, True, True]), np.array([0.2, 0.2, 0.9]))
    0.75
    """
    positives, negatives = scores[positive], np.sort(scores[~positive])
    if not len(positives) or not len(negatives):
        return float("nan")
    below = np.searchsorted(negatives, positives, side="left")
    up_to = np.searchsorted(negatives, positives, side="right")
    wins = float((below + up_to).sum()) / 2
    return wins / (len(positives) * len(negatives))


def area_interval(
    positive: Sequence[bool], scores: Sequence[float], units: Sequence[str], draws: int = 2_000
) -> list[float]:
    """Return the 95 % bootstrap interval of the area under the ROC curve, drawing whole units.

    Documents of one unit are alike: drawing single ones would make the interval too narrow.
    """
    truth, values = np.asarray(positive, dtype=bool), np.asarray(scores, dtype=np.float64)
    return interval_by_units(units, lambda rows: area_under_roc(truth[rows], values[rows]), draws)


def interval_by_units(
    units: Sequence[str],
    measure: Callable[[Int64Array], float],
    draws: int = 2_000,
) -> list[float]:
    """Return the 95 % bootstrap interval of a measure, drawing whole units with replacement.

    Args:
        units: The unit of each document.
        measure: Called with the numbers of documents, some repeatedly; NaN where undefined.
    """
    _, unit_of = np.unique(np.asarray(units), return_inverse=True)
    members = [np.flatnonzero(unit_of == unit) for unit in range(int(unit_of.max()) + 1)]
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        drawn = rng.integers(len(members), size=len(members))
        found.append(measure(np.concatenate([members[unit] for unit in drawn])))
    low, high = np.nanquantile(found, [0.025, 0.975]).tolist()
    return [round(low, _DIGITS), round(high, _DIGITS)]


def calibration_table(
    positive: Sequence[bool], scores: Sequence[float], bins: int = 5
) -> list[dict[str, Any]]:
    """Tabulate mean score and share of positives by equal bins of the score."""
    truth, values = np.asarray(positive, dtype=bool), np.asarray(scores, dtype=np.float64)
    place = np.minimum((values * bins).astype(int), bins - 1)
    return [
        {
            "score": f"{number / bins:.1f} to {(number + 1) / bins:.1f}",
            "rows": int(chosen.sum()),
            "mean_score": round(float(values[chosen].mean()), _DIGITS),
            "positive_share": share(int(truth[chosen].sum()), int(chosen.sum())),
        }
        for number in range(bins)
        if (chosen := place == number).any()
    ]


def at_threshold(positive: BoolArray, scores: Float64Array, threshold: float) -> dict[str, Any]:
    """Compute precision, recall, F1, false alarms of ``score >= threshold``; None if undefined."""
    flagged = scores >= threshold
    hits = int((flagged & positive).sum())
    return {
        "threshold": threshold,
        "precision": share(hits, int(flagged.sum())),
        "recall": share(hits, int(positive.sum())),
        "f1": share(2 * hits, int(flagged.sum()) + int(positive.sum())),
        "false_alarm_share": share(int((flagged & ~positive).sum()), int((~positive).sum())),
    }


def recall_at_false_alarms(positive: BoolArray, scores: Float64Array, most: float) -> float | None:
    """Return the recall of the lowest threshold with at most this share of false alarms; None for a
    single class.

    >>> truth = np.array([True, True, False, False])
    >>> recall_at_false_alarms(truth, np.array([0.9, 0.4, 0.5, 0.1]), 0.0)
    0.5
    """
    falling = np.sort(scores[~positive])[::-1]
    if not len(falling) or not positive.any():
        return None
    allowed = int(most * len(falling))
    limit = falling[allowed] if allowed < len(falling) else -np.inf
    return share(int((scores[positive] > limit).sum()), int(positive.sum()))


def binary_figures(
    positive: Sequence[bool], scores: Sequence[float], thresholds: Sequence[float]
) -> dict[str, Any]:
    """Compute the area under the ROC curve, quantiles of the scores and figures at thresholds."""
    truth, values = np.asarray(positive, dtype=bool), np.asarray(scores, dtype=np.float64)
    area = area_under_roc(truth, values)
    quantiles: list[float] = []
    if len(values):
        quantiles = np.quantile(values, [0.1, 0.25, 0.5, 0.75, 0.9]).tolist()
    return {
        "rows": len(values),
        "positive": int(truth.sum()),
        "auc": None if np.isnan(area) else round(area, _DIGITS),
        "score_quantiles_10_25_50_75_90": [round(q, _DIGITS) for q in quantiles],
        "at": [at_threshold(truth, values, threshold) for threshold in thresholds],
    }


def label_figures(
    truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, Any]:
    """Compute figures of a multi-label prediction whose first label is the main one.

    ``main_accuracy`` counts predictions of the true main label, ``main_within_labels`` those of any
    true label. Macro-F1 is the mean over the labels that occur in the truth.
    """
    by_label = {label: _label_f1(truth, predicted, label) for label in labels}
    hits = sum(f["hits"] for f in by_label.values())
    sizes = sum(f["rows"] + f["predicted"] for f in by_label.values())
    present = [f["f1"] for f in by_label.values() if f["rows"]]
    pairs = list(zip(truth, predicted, strict=True))
    return {
        "rows": len(pairs),
        "main_accuracy": share(sum(t[0] == p[0] for t, p in pairs), len(pairs)),
        "main_within_labels": share(sum(p[0] in t for t, p in pairs), len(pairs)),
        "micro_f1": share(2 * hits, sizes),
        "macro_f1": round(sum(present) / len(present), _DIGITS) if present else None,
        "labels": by_label,
    }


def share(part: int, whole: int) -> float | None:
    """Return the rounded quotient; None for a divisor of 0."""
    return round(part / whole, _DIGITS) if whole else None


def _label_f1(
    truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], label: str
) -> dict[str, Any]:
    rows = sum(label in labels for labels in truth)
    guessed = sum(label in labels for labels in predicted)
    hits = sum(label in t and label in p for t, p in zip(truth, predicted, strict=True))
    return {
        "rows": rows,
        "predicted": guessed,
        "hits": hits,
        "precision": share(hits, guessed),
        "recall": share(hits, rows),
        "f1": share(2 * hits, rows + guessed) or 0.0,
    }
