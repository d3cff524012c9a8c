"""Documents cut to their good runs: neighbouring segments with a score that is good enough."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

EDIT = "segment"
"""Kind of this change of a text among the corpus's edits."""

SEAM = "\n"
"""Stands between two runs."""

RUNS_DDL = "array<struct<offset:int,length:int,score:double>>"

_COUNTED = "struct<offset:int,length:int,score:double,segments:int>"


def has_good_segment(segments: Column, min_score: float) -> Column:
    """Whether any segment has at least that score; null for null segments."""
    return F.exists(segments, lambda segment: segment["score"] >= min_score)


def good_runs(segments: Column, min_score: float) -> Column:
    """The longest runs of segments that follow one another and have at least that score.

    Args:
        segments: Array of structs of offset, length (code points) and score, by offset.
    Returns:
        Array of structs of offset, length and score, the mean of a run's segments; empty where no
        segment is good enough. What lies between two segments is in no run.
    Source:
        ChineseWebText 1.0, BERTEval; a score of exactly the threshold is kept here.
    """

    def joined(runs: Column, segment: Column) -> Column:
        last = F.get(runs, F.size(runs) - 1)
        follows = F.coalesce(last["offset"] + last["length"] == segment["offset"], F.lit(False))
        count = F.when(follows, last["segments"]).otherwise(0) + 1
        total = F.when(follows, last["score"] * last["segments"]).otherwise(0.0) + segment["score"]
        run = F.struct(
            F.when(follows, last["offset"]).otherwise(segment["offset"]).alias("offset"),
            (F.when(follows, last["length"]).otherwise(0) + segment["length"]).alias("length"),
            (total / count).alias("score"),
            count.alias("segments"),
        ).cast(_COUNTED)
        others = F.slice(runs, 1, F.size(runs) - follows.cast("int"))
        return F.concat(others, F.array(run))

    found = F.aggregate(
        F.filter(segments, lambda segment: segment["score"] >= min_score),
        F.array().cast(f"array<{_COUNTED}>"),
        joined,
    )
    return F.transform(found, lambda run: F.struct(run["offset"], run["length"], run["score"]))


def with_runs(documents: DataFrame) -> DataFrame:
    """Documents with their runs for their text, and what is said of it put right.

    Needs: doc_id, text, runs (of `good_runs`, one or more, of this text), original_chars and
        original_sha256 (null where text is as extracted), edits (kind -> places), pii (places in
        text, or null).
    Replaces: text, the runs with a line break between each two, unless a single run is all of it;
        there original_chars and original_sha256 are not null, edits has the number of stretches
        that went as kind "segment", and pii has the places that lie in a run, where they are now.
    Rows: all kept. Shuffles: none.
    """
    text, runs = F.col("text"), F.col("runs")
    stretches = _stretches_between(runs, F.char_length(text))
    is_cut = stretches > 0
    joined = F.array_join(
        F.transform(runs, lambda run: F.substring(text, run["offset"] + 1, run["length"])), SEAM
    )
    changed = {
        "text": F.when(is_cut, joined).otherwise(text),
        "original_chars": F.coalesce(
            "original_chars", F.when(is_cut, F.char_length(text).cast("long"))
        ),
        "original_sha256": F.coalesce("original_sha256", F.when(is_cut, F.sha2(text, 256))),
        "edits": F.when(
            is_cut, F.map_concat("edits", F.create_map(F.lit(EDIT), stretches.cast("long")))
        ).otherwise(F.col("edits")),
        "pii": F.when(is_cut, _places_in(F.col("pii"), runs)).otherwise(F.col("pii")),
    }
    return documents.select(
        *(changed[name].alias(name) if name in changed else name for name in documents.columns)
    )


def _stretches_between(runs: Column, chars: Column) -> Column:
    """How many stretches of a text of so many characters are in none of its runs."""
    last = F.get(runs, F.size(runs) - 1)
    before = (F.get(runs, F.lit(0))["offset"] > 0).cast("int")
    behind = (last["offset"] + last["length"] < chars).cast("int")
    return before + F.size(runs) - 1 + behind


def _places_in(places: Column, runs: Column) -> Column:
    """Where structs with start and length lie in the joined runs, without those that are not
    wholly in one."""

    def home(place: Column) -> Column:
        """The run that a place lies in."""
        its = F.filter(
            runs,
            lambda run: (
                (run["offset"] <= place["start"])
                & (place["start"] + place["length"] <= run["offset"] + run["length"])
            ),
        )
        return F.get(its, F.lit(0))

    def moved(place: Column) -> Column:
        run = home(place)
        before = F.filter(runs, lambda other: other["offset"] < run["offset"])
        start = F.aggregate(before, F.lit(0), lambda at, other: at + other["length"] + len(SEAM))
        return place.withField("start", start + place["start"] - run["offset"])

    return F.transform(F.filter(places, lambda place: home(place).isNotNull()), moved)
