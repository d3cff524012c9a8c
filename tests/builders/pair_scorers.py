"""Scorers of pairs that need no model: what the stage, its tables and a selection do with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, DoubleType, LongType, StringType, StructField

from udfs.base.settings import ConfigError, Model, Share
from udfs.pair_scorers.declaration import IMAGE, Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, failed, result_type
from udfs.scorers.declaration import KnownFiles, Rejection, ScorerFiles, read_known
from udfs.scorers.scorer import Record


@dataclass(frozen=True)
class WordSettings:
    """Share of a text that a file of characters has."""

    artifact: Model = "no file"
    """A path to a file of characters."""
    refused: str = "坏"
    """A text with this character has no score."""


@dataclass(frozen=True)
class WordLimits:
    """Keys of [select_pairs]."""

    min_share: Share | None = None
    """Least share (reason ``few_words``)."""


WORDS_TYPE = result_type(
    StructField("share", DoubleType()),
    StructField("bytes", LongType()),
    StructField("batch", LongType()),
    StructField("vector", BinaryType()),
)


def load_words(files: Loaded, settings: WordSettings) -> tuple[str, WordSettings]:
    return files["artifact"].read_text(encoding="utf-8"), settings


def score_words(pairs: Pairs, model: tuple[str, WordSettings]) -> list[Record]:
    words, settings = model
    found = []
    for text, body in zip(pairs.texts, pairs.bodies, strict=True):
        assert text is not None and body is not None
        if settings.refused in text:
            found.append(failed(WORDS_TYPE, "odd_text"))
            continue
        share = sum(char in words for char in text) / len(text)
        record = {"share": share, "bytes": len(body), "batch": len(pairs), "vector": body[:4]}
        found.append({**record, "failure": None})
    return found


def read_words(path: Path) -> str:
    words = path.read_text(encoding="utf-8")
    if not words:
        raise ValueError(f"{path}: holds no character")
    return words


def check_words(settings: WordSettings, limits: WordLimits, files: KnownFiles) -> None:
    if len(settings.refused) != 1:
        raise ConfigError(f"words.refused = {settings.refused!r}: expected a character")
    read_known("words.artifact", files["artifact"], read_words, ValueError)


def make_words(settings: WordSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    own = (("artifact", files.shipped("artifact")),)
    return PairScorer("words", WORDS_TYPE, load_words, score_words, own, settings)


WORDS = PairScorerDeclaration(
    name="words",
    settings=WordSettings,
    result_type=WORDS_TYPE,
    make=make_words,
    check=check_words,
    limits=WordLimits,
    rejections=(Rejection("few_words", "min_share", lambda s, least: s["share"] < least),),
)


@dataclass(frozen=True)
class NoSettings:
    """Nothing is set."""


BYTES_TYPE = result_type(StructField("first", LongType()))


def nothing(files: Loaded, options: Any) -> Any:
    return options


def score_bytes(pairs: Pairs, model: object) -> list[Record]:
    assert all(text is None for text in pairs.texts)
    return [{"first": body[0] if body else None, "failure": None} for body in pairs.bodies]


def make_bytes(settings: NoSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    return PairScorer("first_byte", BYTES_TYPE, nothing, score_bytes)


FIRST_BYTE = PairScorerDeclaration(
    name="first_byte",
    settings=NoSettings,
    result_type=BYTES_TYPE,
    make=make_bytes,
    reads=(IMAGE,),
)

RELATIVE_TYPE = result_type(StructField("of_most", DoubleType()), StructField("key", StringType()))


def fit_most(settings: NoSettings, records: DataFrame) -> Fitted:
    [row] = records.agg(F.max("words.share").alias("most")).collect()
    return {"most": row["most"]}


def score_relative(pairs: Pairs, most: float) -> Sequence[Record]:
    assert set(pairs.bodies) | set(pairs.texts) == {None}
    return [
        {"of_most": record["share"] / most, "key": key, "failure": None}
        for key, record in zip(pairs.keys, pairs.others["words"], strict=True)
    ]


def make_relative(settings: NoSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    return PairScorer("relative", RELATIVE_TYPE, nothing, score_relative, (), fitted["most"])


RELATIVE = PairScorerDeclaration(
    name="relative",
    settings=NoSettings,
    result_type=RELATIVE_TYPE,
    make=make_relative,
    reads=(),
    needs=lambda settings: ("words",),
    fit=fit_most,
)

MADE_SCORERS = (WORDS, FIRST_BYTE, RELATIVE)
