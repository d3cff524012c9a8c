"""Variety: which of the wanted varieties of a language a text is in, by words that only it uses.

Identifiers of languages know no Tunisian, and take most Cantonese for Mandarin. Varieties have the
names of GlotLID and FineWeb-2: ISO 639-3 code and script, ``yue_Hani``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

from udfs.base.settings import ConfigError, Lexicon, Share
from udfs.lists.lexicon import LexiconError, read_words
from udfs.scorers.declaration import (
    CorpusColumn,
    KnownFiles,
    Rejection,
    ReportShares,
    ScoreCurve,
    ScorerDeclaration,
    ScorerFiles,
    read_known,
)
from udfs.scorers.scorer import Record, Scorer

if TYPE_CHECKING:
    from pathlib import Path

    from udfs.files.artifacts import ArtifactFile

NAME = "variety"
OTHER = "other"
"""The label of a text in none of the wanted varieties."""

MIN_WORD_SHARE = 0.02


@dataclass(frozen=True)
class VarietySettings:
    """Variety of a language, by words that only it uses: Cantonese among Chinese texts."""

    artifact: Lexicon = "variety_words"
    """Artifact name of a list of words and characters that only one variety uses, or a path to one:
    lines of ``variety TAB word``."""
    wanted: tuple[str, ...] = ("yue_Hani",)
    """Varieties of the list that texts are looked through for; a text in none is ``other``."""
    min_word_share: Share = MIN_WORD_SHARE
    """Least share of a variety's characters in a text's Han characters."""


@dataclass(frozen=True)
class VarietyLimits:
    """Keys of [select] that look at varieties."""

    varieties: tuple[str, ...] = ()
    """Varieties kept, of ``variety.wanted`` and ``other``; empty keeps all."""


RESULT_TYPE = StructType(
    [
        StructField("label", StringType()),  # a wanted variety, or OTHER
        StructField("words", LongType()),  # specific words or characters of the likeliest variety
        StructField("word_share", DoubleType()),  # of the text's; 0 for a text without any
    ]
)


class SpecificWords:
    """The words of each variety.

    Attributes:
        characters: Variety -> its characters, as one string.
    """

    def __init__(self, categories: Mapping[str, str]) -> None:
        """Sort the words by variety.

        Args:
            categories: Word -> variety.
        """
        self.characters: dict[str, str] = {}
        for word, variety in sorted(categories.items()):
            self.characters[variety] = self.characters.get(variety, "") + word


def read_specific_words(path: Path) -> SpecificWords:
    """Read a list of ``variety TAB word``.

    Raises:
        LexiconError: it cannot be read, or has a word that is no Han character.
    """
    words = read_words(path)
    for word in words:
        if len(word) != 1:
            raise LexiconError(f"{path}: {word!r}: expected a single Han character")
    return SpecificWords(words)


def score_varieties(
    texts: Sequence[str],
    words: SpecificWords,
    wanted: Sequence[str],
    min_word_share: float = MIN_WORD_SHARE,
) -> list[Record]:
    """The variety of every text.

    Args:
        words: Has all wanted varieties.
        wanted: Of several that fit, the one with the largest share is taken, the first of equal
            ones.
    """
    from udfs.base.han import han_ideographs

    records: list[Record] = []
    for text in texts:
        whole = han_ideographs(text)
        found, likeliest = max(
            ((sum(map(text.count, words.characters[name])), name) for name in wanted),
            key=lambda pair: pair[0],
        )
        share = found / whole if whole else 0.0
        label = likeliest if found and share >= min_word_share else OTHER
        records.append({"label": label, "words": found, "word_share": share})
    return records


def variety_scorer(
    artifact: ArtifactFile, wanted: Sequence[str], min_word_share: float = MIN_WORD_SHARE
) -> Scorer:
    """The scorer over a list of specific words."""
    score = partial(score_varieties, wanted=tuple(wanted), min_word_share=min_word_share)
    return Scorer(NAME, artifact, RESULT_TYPE, score, None, read_specific_words)


def _make(settings: VarietySettings, files: ScorerFiles) -> Scorer:
    return variety_scorer(files.shipped("artifact"), settings.wanted, settings.min_word_share)


def _check(settings: VarietySettings, limits: VarietyLimits, files: KnownFiles) -> None:
    if not settings.wanted:
        raise ConfigError("variety.wanted = []: expected a variety of variety.artifact")
    known = (*settings.wanted, OTHER)
    if unknown := sorted(set(limits.varieties) - set(known)):
        raise ConfigError(
            f"select.varieties = {list(limits.varieties)}: no variety {unknown[0]!r} in "
            f"variety.wanted; known: {', '.join(known)}"
        )
    words = read_known("variety.artifact", files["artifact"], read_specific_words, LexiconError)
    if words is not None and (unlisted := sorted(set(settings.wanted) - set(words.characters))):
        raise ConfigError(
            f"variety.wanted = {list(settings.wanted)}: variety.artifact has no word of "
            f"{unlisted[0]!r}; it has words of {', '.join(sorted(words.characters))}"
        )


VARIETY = ScorerDeclaration(
    name=NAME,
    settings=VarietySettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    corpus=(CorpusColumn("variety", ("label", "word_share")),),
    limits=VarietyLimits,
    rejections=(
        Rejection(
            "unwanted_variety",
            "varieties",
            lambda scores, kept: ~scores["label"].isin(*kept),
            rank=1,
        ),
    ),
    shares=(ReportShares("varieties", "variety.label", "variety", "Varieties of the corpus"),),
    curves=(ScoreCurve("variety_words", "word_share"),),
)
