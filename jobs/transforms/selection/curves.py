"""Histograms of stored scores, and curves of what other thresholds would keep.

A histogram has a constant size, however many documents there are: the driver collects it, and
everything else is plain Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config.scorers import declared
from udfs.scorers.declaration import ScoreCurve

SHARE_BINS = 100
"""Bins of a score in [0, 1]."""
LOG_BINS = 4
"""Bins of a doubling, of other numbers."""
BINS = (SHARE_BINS, LOG_BINS)
"""What the bins of a frame follow from, besides its scores."""
BANDS = 5
"""Quality bands: fifths of [0, 1]."""
THRESHOLDS = 10

_LOWEST, _HIGHEST = -400, 400
"""First and last bin of a logarithm: 2 to the power of -100 and 100."""
_NO_BIN, _CODES = 0, 1024
"""Code of documents without a score, and number of codes of a score."""
_AMOUNTS = ("documents", "chars", "tokens")

Row = Mapping[str, Any]


def score_histograms(scored: DataFrame) -> DataFrame:
    """Histograms of every score that scorers declare, by main domain label.

    Needs: for each scorer that ran, a struct of its table's columns under its name.
    Rows: one a score, label and bin that has documents, as (score, label, bin, documents, chars,
        tokens). label is null without scorer domain. bin n of a score in [0, 1] has the values from
        n / 100 on and below (n + 1) / 100, the last one 1 too; that of one whose limit is the
        largest kept, those above n / 100 up to (n + 1) / 100, the first one 0 too. bin n of other
        numbers has those from 2 ** (n / 4) on, the first one (-400) zero too. bin is null for
        documents without the score. chars and tokens are 0 without scorer tokens.
    Shuffles: one row a task, score, label and bin.
    """
    return _histograms(scored, {}, lambda _: F.lit(True))


def banded_histograms(
    scored: DataFrame, quality: Column, is_kept: Callable[[ScoreCurve], Column]
) -> DataFrame:
    """`score_histograms` of some documents, by quality band too.

    Needs: as `score_histograms`, where columns of `bins_of` are used if they are there; what the
        columns refer to.
    Args:
        quality: A score in [0, 1]; null without one.
        is_kept: Curve -> whether the selection keeps a document whatever the limit on this score.
    Adds: band, 0 to 4: the fifth of [0, 1]; null without quality.
    """
    band = F.when(quality.isNotNull(), _fifth(quality))
    return _histograms(scored, {"band": band}, is_kept)


def curves_of(columns: Iterable[str]) -> list[tuple[str, ScoreCurve]]:
    """Scorer and curve of each score that a frame with these columns has, in order."""
    there = set(columns)
    return [
        (name, curve)
        for name, scorer in declared().items()
        if name in there
        for curve in scorer.curves
    ]


def bin_name(curve: ScoreCurve) -> str:
    """Name of the column of a frame that has the bins of a score."""
    return f"bin_{curve.name}"


def bins_of(columns: Iterable[str]) -> dict[str, Column]:
    """Name and bin, as a number from 0 to 1023, of each score that a frame with these columns has.

    Most of what a histogram costs is to find them.
    """
    return {
        bin_name(curve): _code(F.col(scorer)[curve.column], curve)
        for scorer, curve in curves_of(columns)
    }


def threshold_curves(rows: Iterable[Row], thresholds: int = THRESHOLDS) -> list[dict[str, Any]]:
    """What each of some thresholds of every score keeps.

    Args:
        rows: Those of `score_histograms` or `banded_histograms`.
        thresholds: How many; fewer where all values lie in fewer bins.
    Returns:
        One dictionary a score that has a value, in order of declaration: ``score``; ``keeps``,
        ``from`` for documents of at least a threshold, ``to`` for those of at most it; ``without``,
        the amounts of documents that have no such score, which no threshold keeps; and ``curve``, a
        list of ``threshold``, ``documents``, ``chars``, ``tokens`` and the same three under
        ``domains`` by label and, where rows have bands, under ``bands`` by their lower end.
    """
    of_score: dict[str, list[Row]] = {}
    for row in rows:
        of_score.setdefault(row["score"], []).append(row)
    return [
        _curve_of(curve, of_score[curve.name], thresholds)
        for _, curve in curves_of(declared())
        if any(row["bin"] is not None for row in of_score.get(curve.name, ()))
    ]


def value_of(curve: ScoreCurve, bin_number: int) -> float:
    """The lower end of a bin.

    >>> from jobs.config.scorers import declared
    >>> quality, tokens = declared()["quality"].curves[0], declared()["tokens"].curves[0]
    >>> value_of(quality, 29), value_of(tokens, 40), value_of(tokens, -400)
    (0.29, 1024.0, 0.0)
    """
    if not curve.is_log:
        return bin_number / SHARE_BINS
    return 0.0 if bin_number <= _LOWEST else 2.0 ** (bin_number / LOG_BINS)


def _histograms(
    scored: DataFrame, keys: Mapping[str, Column], is_kept: Callable[[ScoreCurve], Column]
) -> DataFrame:
    columns = set(scored.columns)
    label = F.col("domain")["single_label"] if "domain" in columns else F.lit(None).cast("string")
    zero = F.lit(0).cast("bigint")
    amounts = dict.fromkeys(("chars", "tokens"), zero)
    if "tokens" in columns:
        amounts = {name: F.coalesce(F.col("tokens")[name], zero) for name in amounts}
    curves = [curve for _, curve in curves_of(columns)]
    found = bins_of(columns)
    bins = [F.col(name) if name in columns else found[name] for name in map(bin_name, curves)]
    codes = [
        F.when(is_kept(curve), F.lit(number * _CODES) + code)
        for number, (curve, code) in enumerate(zip(curves, bins, strict=True))
    ]
    # What is exploded is copied for each code: no structs.
    narrow = scored.select(
        label.alias("label"),
        *(column.alias(name) for name, column in (*keys.items(), *amounts.items())),
        F.array(*codes).alias("codes"),
    )
    counted = (
        narrow.select("label", *keys, *amounts, F.explode("codes").alias("code"))
        .where(F.col("code").isNotNull())
        .groupBy("code", "label", *keys)
        .agg(
            F.count("*").alias("documents"),
            *(F.sum(name).alias(name) for name in amounts),
        )
    )
    number = F.floor(F.col("code") / _CODES).cast("int")
    code = F.col("code") - number * _CODES
    return counted.select(
        F.get(F.array(*(F.lit(curve.name) for curve in curves)), number).alias("score"),
        *("label", *keys),
        F.when(code != _NO_BIN, code + _LOWEST - 1).alias("bin"),
        *("documents", *amounts),
    )


def _code(value: Column, curve: ScoreCurve) -> Column:
    """A value's bin as a number from 0 to `_CODES`: one number is a cheaper key than two."""
    return F.coalesce(_bin(value.cast("double"), curve) - (_LOWEST - 1), F.lit(_NO_BIN))


def _bin(value: Column, curve: ScoreCurve) -> Column:
    """The number of a value's bin; null for null and NaN."""
    is_number = value.isNotNull() & ~F.isnan(value)
    if curve.is_log:
        # What is a power of two may have a logarithm just below a whole number.
        power = F.floor(F.log2(value) * LOG_BINS + 1e-9)
        found = F.when(value > 0, F.greatest(F.least(power, F.lit(_HIGHEST)), F.lit(_LOWEST)))
        found = F.coalesce(found, F.lit(_LOWEST))
    else:
        # 0.57 * 100 is below 57: the quotient, which a limit of the settings equals, decides.
        near = F.rint(value * SHARE_BINS)
        if curve.keeps_below:
            found = F.when(value > near / SHARE_BINS, near).otherwise(near - 1)
        else:
            found = F.when(value < near / SHARE_BINS, near - 1).otherwise(near)
        found = F.least(F.greatest(found, F.lit(0.0)), F.lit(SHARE_BINS - 1.0))
    return F.when(is_number, found.cast("int"))


def _fifth(quality: Column) -> Column:
    near = F.floor(quality * BANDS)
    found = F.when(quality >= (near + 1) / BANDS, near + 1).otherwise(near)
    return F.least(F.greatest(found, F.lit(0)), F.lit(BANDS - 1)).cast("int")


def _curve_of(curve: ScoreCurve, rows: Sequence[Row], thresholds: int) -> dict[str, Any]:
    edges = _edges(curve, rows, thresholds)
    has_bands = any("band" in row for row in rows)

    def kept(edge: int) -> list[Row]:
        has_score = (row for row in rows if row["bin"] is not None)
        if curve.keeps_below:
            return [row for row in has_score if row["bin"] < edge]
        return [row for row in has_score if row["bin"] >= edge]

    return {
        "score": curve.name,
        "keeps": "to" if curve.keeps_below else "from",
        "without": _amounts([row for row in rows if row["bin"] is None]),
        "curve": [
            {
                "threshold": value_of(curve, edge),
                **_amounts(kept(edge)),
                "domains": _by(kept(edge), "label", str),
                **({"bands": _by(kept(edge), "band", _band_name)} if has_bands else {}),
            }
            for edge in edges
        ],
    }


def _edges(curve: ScoreCurve, rows: Sequence[Row], thresholds: int) -> list[int]:
    """The bins at whose lower ends the thresholds are, ascending: spread evenly over [0, 1]; for
    other numbers over the documents."""
    if not curve.is_log:
        first = 1 if curve.keeps_below else 0
        return [(number + first) * SHARE_BINS // thresholds for number in range(thresholds)]
    counts: dict[int, int] = {}
    for row in rows:
        if row["bin"] is not None:
            counts[row["bin"]] = counts.get(row["bin"], 0) + row["documents"]
    total, below = sum(counts.values()), 0
    edges: list[int] = []
    for number in sorted(counts):
        first = _rounded_up(below * thresholds, total)
        below += counts[number]
        if first < _rounded_up(below * thresholds, total):  # the bin begins a share of them
            edges.append(number)
    return edges


def _rounded_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _amounts(rows: Iterable[Row]) -> dict[str, int]:
    totals = dict.fromkeys(_AMOUNTS, 0)
    for row in rows:
        for name in _AMOUNTS:
            totals[name] += row[name]
    return totals


def _by(rows: Iterable[Row], key: str, name: Callable[[Any], str]) -> dict[str, dict[str, int]]:
    """The amounts of rows by a key, in its order; the rows without it last, as ``none``."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    order = sorted(value for value in found if value is not None)
    named = {name(value): _amounts(found[value]) for value in order}
    return named | ({"none": _amounts(found[None])} if None in found else {})


def _band_name(band: int) -> str:
    """The lower end of a band.

    >>> _band_name(2)
    '0.4'
    """
    return f"{band / BANDS:.1f}"
