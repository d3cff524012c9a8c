"""What a language's texts are made of, counted by Spark.

All that reaches the driver is bounded: counts by script and mark, the most frequent words, and
histograms of numbers rounded to three digits. Counts are exact, so they are the same for any
partitioning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from udfs.base.language import TextLanguage
from udfs.measures.language_counts import (
    COUNT,
    MEASURED_TEXT,
    NUMBERS,
    WORD_OF_DOCUMENT,
    WordCut,
)

OWN, LIKE = "own", "like"
"""Names, in column language, of the measured texts and those of the pack that is carried over."""

Histogram = tuple[tuple[float, int], ...]
"""Values, ascending, each with the number of texts that have it."""


@dataclass
class Characters:
    """Characters and marks of the texts of one language."""

    scripts: dict[str, int] = field(default_factory=dict)
    """Script -> characters."""
    marks: dict[str, int] = field(default_factory=dict)
    """Mark -> documents in which it ends a sentence."""
    words: int = 0
    """Runs of letters, digits and marks."""
    word_chars: int = 0
    """Their characters."""


@dataclass(frozen=True)
class WordCount:
    """A word of the measured language."""

    word: str
    documents: int
    """That have it."""
    sources: int
    others: float = 0.0
    """Sum over the other languages of the share of their documents that have it."""


def texts_of(documents: DataFrame) -> DataFrame:
    """Take the rows with a text. Needs: rows of CLEAN_TEXT. Shuffles: none."""
    return documents.where(F.col("text").isNotNull() & (F.length("text") > 0))


def sizes(documents: DataFrame) -> dict[str, tuple[int, int, int]]:
    """Return language -> documents, sources of them, rows without a text.

    Shuffles: by language and source.
    """
    has_text = F.col("text").isNotNull() & (F.length("text") > 0)
    counted = documents.groupBy("language").agg(
        F.count_if(has_text).alias("documents"),
        F.count_distinct(F.when(has_text, F.col("source"))).alias("sources"),
        F.count_if(~has_text).alias("unreadable"),
    )
    return {row.language: (row.documents, row.sources, row.unreadable) for row in counted.collect()}


def characters(texts: DataFrame) -> Characters:
    """Count the characters of the measured language. Shuffles: by script."""
    from udfs.measures.language_counts import count_characters_of  # imports numba

    own = texts.where(F.col("language") == OWN)
    counted = own.mapInArrow(count_characters_of, COUNT).groupBy("kind", "name").agg(F.sum("count"))
    found = Characters()
    for kind, name, count in sorted(tuple(row) for row in counted.collect()):
        match kind:
            case "characters":
                found.scripts[name] = count
            case "mark":
                found.marks[name] = count
            case _ if name == "chars":
                found.word_chars = count
            case _:
                found.words = count
    return found


def word_counts(texts: DataFrame, cut: WordCut, totals: Mapping[str, int]) -> DataFrame:
    """Count the words of the measured language.

    Args:
        texts: Rows of CLEAN_TEXT; those of LIKE are left out.
        totals: Documents of each language.
    Returns:
        word, documents, sources, others: as in `WordCount`, a row a word.
    Shuffles: by word and source.
    """
    from udfs.measures.language_counts import words_of

    words = texts.where(F.col("language") != LIKE).mapInArrow(words_of(cut), WORD_OF_DOCUMENT)
    is_own = F.col("language") == OWN
    others: Column = F.lit(0.0)
    for name in sorted(totals.keys() - {OWN, LIKE}):
        # Counts are whole numbers: the sum does not depend on their order.
        others = others + F.count_if(F.col("language") == name) / F.lit(float(max(1, totals[name])))
    counted = words.groupBy("word").agg(
        F.count_if(is_own).alias("documents"),
        F.count_distinct(F.when(is_own, F.col("source"))).alias("sources"),
        others.alias("others"),
    )
    return counted.where(F.col("documents") > 0)


def frequent(words: DataFrame, most: int) -> list[WordCount]:
    """Return the words of most documents, then by their letters."""
    rows = words.orderBy(F.desc("documents"), "word").limit(most).collect()
    return [WordCount(row.word, row.documents, row.sources, row.others) for row in rows]


def histograms(
    texts: DataFrame, languages: Mapping[str, TextLanguage]
) -> dict[str, dict[str, Histogram]]:
    """Return language -> measure -> its histogram, for the languages that are named.

    ``script_chars`` is a measure too: characters of the language's script. Values have three
    digits, so that a histogram has a bounded number of them.
    Shuffles: by language, measure and value.
    """
    from udfs.measures.language_counts import measures_of

    named = texts.where(F.col("language").isin(list(languages)))
    measured = named.mapInArrow(measures_of(dict(languages)), MEASURED_TEXT)
    script_chars = F.round(F.col("chars") * F.col("script_share"))
    numbers = {**{name: F.col(name) for name in NUMBERS}, "script_chars": script_chars}
    entries = [
        F.struct(
            F.lit(name).alias("measure"),
            F.when(column.isNotNull(), F.format_string("%.2e", column)).alias("value"),
        )
        for name, column in numbers.items()
    ]
    counted = (
        measured.select("language", F.explode(F.array(*entries)).alias("entry"))
        .where(F.col("entry.value").isNotNull())
        .groupBy("language", "entry.measure", "entry.value")
        .count()
    )
    found: dict[str, dict[str, list[tuple[float, int]]]] = {name: {} for name in languages}
    for row in counted.collect():
        found[row.language].setdefault(row.measure, []).append((float(row.value), row["count"]))
    return {
        language: {name: tuple(sorted(pairs)) for name, pairs in measures.items()}
        for language, measures in found.items()
    }
