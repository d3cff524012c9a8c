"""What a score means: how often its claim holds, by score, by threshold and by kind of page.

A score claims something of a document: that a reader would keep it, that its main label is right.
Counted are documents whose source or site the scoring model was not trained on. Documents of one
unit are alike, so intervals are as wide as if a unit were a single document.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.metrics import share
from udfs.base.array_types import BoolArray, Float64Array, Int64Array

CLAIM_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)

OTHER_KINDS = "other kinds"

_BINS = 10
_LEAST_ROWS = 20
"""Fewest documents of a bin; a smaller one is joined with the next."""
_LEAST_OF_KIND = 10
"""Fewest documents of a kind of page with a row of its own."""
_KIND_DEVIATION = 1.0
"""Standard deviation that the shifts of kinds are expected to have, in log odds."""
_PARTS = 5
_NEWTON_STEPS = 25
_Z = 1.959964
_DIGITS = 4


@dataclass(frozen=True)
class Claim:
    """Held-out documents with scores, and whether the score's claim holds for each."""

    name: str
    """The documents, and what the score claims of them."""
    holds: BoolArray
    scores: Float64Array
    """In [0, 1]."""
    units: Sequence[str]
    """Source or site of each document."""
    kinds: Sequence[str] = ()
    """Kind of page of each document; empty where none is known."""
    is_expected: bool = False
    """Whether the thresholds are in the table of what to expect on crawl pages."""


Claims = Callable[[Sequence[Document], Any, Float64Array], list[Claim]]
"""Called with documents, a model and its answers."""


def no_claims(documents: Sequence[Document], model: Any, answers: Float64Array) -> list[Claim]:
    """Claim nothing."""
    return []


def label_claims(
    label: str,
    names: Mapping[str, Sequence[str]],
    expected: str,
    kind_of: Callable[[Document], str] | None = None,
) -> Claims:
    """Return what claims, with the probability of a label, that this is the main label.

    Args:
        names: Name of a claim -> kinds of documents that it is about.
        expected: Name of the claim that is in the table of what to expect, and that is counted by
            kind of page.
        kind_of: Returns the kind of page of a document; None where it is not known.
    """

    def claims(documents: Sequence[Document], model: Any, answers: Float64Array) -> list[Claim]:
        scores = answers[:, model.column(label)]
        found = []
        for name, kinds in names.items():
            rows = [n for n, d in enumerate(documents) if d.kind in kinds]
            rows = [n for n in rows if not np.isnan(scores[n])]
            asked = [documents[n] for n in rows]
            if asked:
                by_kind = kind_of is not None and name == expected
                found.append(
                    Claim(
                        name,
                        np.array([d.labels[0] == label for d in asked]),
                        scores[rows],
                        [d.unit for d in asked],
                        [kind_of(d) for d in asked] if by_kind and kind_of else (),
                        name == expected,
                    )
                )
        return found

    return claims


def calibration_of(claims: Sequence[Claim]) -> dict[str, dict[str, Any]]:
    """Return the tables of each claim, by its name, as metrics.json stores them."""
    return {claim.name: _tables(claim) for claim in claims}


def _tables(claim: Claim) -> dict[str, Any]:
    reliability = _reliability(claim)
    error = sum(row["rows"] * abs(row["mean_score"] - row["holds_share"]) for row in reliability)
    tables: dict[str, Any] = {
        "rows": len(claim.scores),
        "units": len(set(claim.units)),
        "holds_share": share(int(claim.holds.sum()), len(claim.holds)),
        "brier": round(float(((claim.scores - claim.holds) ** 2).mean()), _DIGITS),
        "expected_calibration_error": round(error / len(claim.scores), _DIGITS),
        "is_expected": claim.is_expected,
        "reliability": reliability,
        "thresholds": [_from_threshold(claim, threshold) for threshold in CLAIM_THRESHOLDS],
    }
    if claim.kinds:
        kinds = _named_kinds(claim.kinds)
        plain, shifted = _held_out_losses(claim, kinds)
        tables["log_loss"], tables["log_loss_shifted_by_kind"] = plain, shifted
        tables["kinds"] = _by_kind(claim, kinds)
    return tables


def _reliability(claim: Claim) -> list[dict[str, Any]]:
    """Mean score beside the share that the claim holds for, by bins of the score."""
    place = np.minimum((claim.scores * _BINS).astype(int), _BINS - 1)
    bounds, count = [0], 0
    for number in range(_BINS):
        count += int((place == number).sum())
        if count >= _LEAST_ROWS:
            bounds.append(number + 1)
            count = 0
    bounds = [*(bounds[:-1] or bounds), _BINS]  # the last bin takes what is left
    rows = []
    for low, high in pairwise(bounds):
        chosen = np.flatnonzero((place >= low) & (place < high))
        rows.append(
            {
                "score": f"{low / _BINS:.1f} to {high / _BINS:.1f}",
                "rows": len(chosen),
                "mean_score": round(float(claim.scores[chosen].mean()), _DIGITS),
                "holds_share": share(int(claim.holds[chosen].sum()), len(chosen)),
                "interval_95": _interval(claim, chosen),
            }
        )
    return rows


def _from_threshold(claim: Claim, threshold: float) -> dict[str, Any]:
    chosen = np.flatnonzero(claim.scores >= threshold)
    hits = int(claim.holds[chosen].sum())
    return {
        "threshold": threshold,
        "rows": len(chosen),
        "share_of_rows": share(len(chosen), len(claim.scores)),
        "precision": share(hits, len(chosen)),
        "interval_95": _interval(claim, chosen),
        "recall": share(hits, int(claim.holds.sum())),
    }


def _interval(claim: Claim, rows: Int64Array) -> list[float] | None:
    """Return the 95 % interval of the share of these documents that the claim holds for.

    Source:
        Wilson 1927, with Kish's effective size of the sample of units (Kish 1965) as its size.
    """
    if not len(rows):
        return None
    sizes = Counter(claim.units[row] for row in rows.tolist()).values()
    size = sum(sizes) ** 2 / sum(n * n for n in sizes)
    return wilson_interval(float(claim.holds[rows].mean()), size)


def wilson_interval(part: float, size: float) -> list[float]:
    """Return the 95 % interval of a share that was counted in a sample of this size.

    >>> wilson_interval(1.0, 10)
    [0.7225, 1.0]
    """
    squared = _Z * _Z / size
    middle = (part + squared / 2) / (1 + squared)
    half = _Z / (1 + squared) * math.sqrt(part * (1 - part) / size + squared / (4 * size))
    return [round(max(0.0, middle - half), _DIGITS), round(min(1.0, middle + half), _DIGITS)]


def _named_kinds(kinds: Sequence[str]) -> list[str]:
    """Kinds, with the rare ones under one name."""
    counts = Counter(kinds)
    return [kind if counts[kind] >= _LEAST_OF_KIND else OTHER_KINDS for kind in kinds]


def _by_kind(claim: Claim, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Share, mean score and shift of each kind of page, the most frequent kind first."""
    shifts = _shifts(claim, kinds, np.arange(len(kinds)))
    rows = []
    for kind, count in sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0])):
        chosen = np.flatnonzero([k == kind for k in kinds])
        rows.append(
            {
                "kind": kind,
                "rows": count,
                "holds_share": share(int(claim.holds[chosen].sum()), count),
                "interval_95": _interval(claim, chosen),
                "mean_score": round(float(claim.scores[chosen].mean()), _DIGITS),
                "shift_of_log_odds": round(shifts[kind], 2),
                "mean_shifted_score": round(
                    float(_shifted(claim.scores[chosen], shifts[kind]).mean()), _DIGITS
                ),
            }
        )
    return rows


def _held_out_losses(claim: Claim, kinds: Sequence[str]) -> tuple[float, float]:
    """Mean log loss of the scores, and of scores shifted by kind as the other units say."""
    part_of = np.array([zlib.crc32(unit.encode()) % _PARTS for unit in claim.units])
    moved = claim.scores.copy()
    for part in range(_PARTS):
        shifts = _shifts(claim, kinds, np.flatnonzero(part_of != part))
        for row in np.flatnonzero(part_of == part).tolist():
            moved[row] = _shifted(claim.scores[row : row + 1], shifts.get(kinds[row], 0.0))[0]
    return _log_loss(claim.holds, claim.scores), _log_loss(claim.holds, moved)


def _shifts(claim: Claim, kinds: Sequence[str], rows: Int64Array) -> dict[str, float]:
    """What the log odds of each kind are off by, from these documents.

    The shift is the likeliest of a normal distribution around 0, so that a kind of few documents
    is moved little.
    """
    shifts = {}
    for kind in sorted({kinds[row] for row in rows.tolist()}):
        chosen = [row for row in rows.tolist() if kinds[row] == kind]
        logits, truth = _log_odds(claim.scores[chosen]), claim.holds[chosen]
        shift = 0.0
        for _ in range(_NEWTON_STEPS):
            chances = 1 / (1 + np.exp(-(logits + shift)))
            slope = float((chances - truth).sum()) + shift / _KIND_DEVIATION**2
            bend = float((chances * (1 - chances)).sum()) + 1 / _KIND_DEVIATION**2
            shift -= max(-1.0, min(1.0, slope / bend))
        shifts[kind] = shift
    return shifts


def _shifted(scores: Float64Array, shift: float) -> Float64Array:
    moved: Float64Array = 1 / (1 + np.exp(-(_log_odds(scores) + shift)))
    return moved


def _log_odds(scores: Float64Array) -> Float64Array:
    inside = np.clip(scores, 1e-6, 1 - 1e-6)
    odds: Float64Array = np.log(inside / (1 - inside))
    return odds


def _log_loss(holds: BoolArray, scores: Float64Array) -> float:
    logits = _log_odds(scores)
    return round(float(np.logaddexp(0, np.where(holds, -logits, logits)).mean()), _DIGITS)
