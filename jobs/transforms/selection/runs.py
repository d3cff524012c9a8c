"""Cut documents to their good runs: neighbouring segments with scores above a limit."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.transforms.texts import with_edit

EDIT = "segment"
"""Kind of this edit in the corpus's column ``edits``."""

SEAM = "\n"
"""Separates two runs in a text."""

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
        segment is good enough. Text between two segments is in no run.
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
    """Replace the text of documents by their runs, and adapt the columns that describe it.

    Needs: doc_id, text, runs (of `good_runs`, one or more, of this text), original_chars and
        original_sha256 (null where text is as extracted), edits (kinds and places), pii (places in
        text, or null).
    Replaces: text, by its runs joined by line breaks, unless a single run is all of it; then
        original_chars and original_sha256 are not null, edits has the number of removed parts as
        kind "segment", and pii the places that lie in a run, moved to where they are now.
    Rows: all kept. Shuffles: none.
    """
    text, runs = F.col("text"), F.col("runs")
    parts = _removed_parts(runs, F.char_length(text))
    is_cut = parts > 0
    joined = F.array_join(
        F.transform(runs, lambda run: F.substring(text, run["offset"] + 1, run["length"])), SEAM
    )
    changed = {
        "text": F.when(is_cut, joined).otherwise(text),
        "original_chars": F.coalesce(
            "original_chars", F.when(is_cut, F.char_length(text).cast("long"))
        ),
        "original_sha256": F.coalesce("original_sha256", F.when(is_cut, F.sha2(text, 256))),
        "edits": F.when(is_cut, with_edit(F.col("edits"), EDIT, parts)).otherwise(F.col("edits")),
        "pii": F.when(is_cut, _places_in(F.col("pii"), runs)).otherwise(F.col("pii")),
    }
    return documents.select(
        *(changed[name].alias(name) if name in changed else name for name in documents.columns)
    )


def _removed_parts(runs: Column, chars: Column) -> Column:
    """Number of parts of a text that are in none of its runs; ``chars`` is the text's length."""
    last = F.get(runs, F.size(runs) - 1)
    before = (F.get(runs, F.lit(0))["offset"] > 0).cast("int")
    behind = (last["offset"] + last["length"] < chars).cast("int")
    return before + F.size(runs) - 1 + behind


def _places_in(places: Column, runs: Column) -> Column:
    """Structs with start and length moved to their places in the joined runs, without those that
    are not wholly in a run."""

    def home(place: Column) -> Column:
        """The run that holds a place."""
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
