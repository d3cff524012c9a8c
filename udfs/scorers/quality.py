"""Quality: how much a text reads like one that a corpus should hold, by a fastText model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from pyspark.sql.types import DoubleType, StructField, StructType

from udfs.base.settings import Model
from udfs.scorers.declaration import KnownFiles, ScoreCurve, ScorerDeclaration, ScorerFiles
from udfs.scorers.fasttext_settings import (
    FastTextSettings,
    check_label,
    check_tokenizer,
    plain_label,
    tokenizer_settings,
)
from udfs.scorers.scorer import Record, Scorer

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.models.fasttext_model import FastTextModel
    from udfs.tokens.tokenizer import TokenizerSettings
    from udfs.tokens.tokens import Tokens

NAME = "quality"

CLEAN = "clean"
DIRTY = "dirty"


@dataclass(frozen=True)
class QualitySettings(FastTextSettings):
    """fastText quality model: score = P(label)."""

    artifact: Model = "quality"
    """Artifact name of the model, or a path."""
    label: str = CLEAN
    """The model's label whose probability is the score, without ``__label__``."""
    distinct: bool = True
    """Count each token once in a text, however often it occurs."""
    extra_tokens: Literal["forms", "shape"] | None = "shape"
    """Tokens beside the words, as in the other sections."""


RESULT_TYPE = StructType([StructField("score", DoubleType())])


def score_quality(
    lines: Sequence[str] | Tokens, model: FastTextModel, label: str = CLEAN
) -> list[Record]:
    """P(label) of every token line, in [0, 1]; 0.0 for an empty line.

    Source:
        ChineseWebText 1.0, FastText student of BERTEval.
    """
    clean = model.probabilities(lines)[:, model.column(label)].tolist()
    return [{"score": p if line else 0.0} for line, p in zip(lines, clean, strict=True)]


def quality_scorer(
    artifact: ArtifactFile, label: str = CLEAN, tokenizer: TokenizerSettings | None = None
) -> Scorer:
    """The quality scorer over one model."""
    from udfs.models.fasttext_model import load_fasttext
    from udfs.tokens.tokenizer import TokenizerSettings

    score = partial(score_quality, label=label)
    read = tokenizer or TokenizerSettings()
    return Scorer(NAME, artifact, RESULT_TYPE, score, read, load_fasttext)


def bundled_tokenizer() -> TokenizerSettings:
    """How the texts of the bundled model are tokenized."""
    return tokenizer_settings(QualitySettings())


def _make(settings: QualitySettings, files: ScorerFiles) -> Scorer:
    tokenizer = tokenizer_settings(settings, files)
    return quality_scorer(files.shipped("artifact"), plain_label(settings.label), tokenizer)


def _check(settings: QualitySettings, limits: object, files: KnownFiles) -> None:
    check_tokenizer(NAME, settings, files)
    check_label(NAME, settings.label, files)


QUALITY = ScorerDeclaration(
    name=NAME,
    settings=QualitySettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    is_default=True,
    score="score",
    curves=(ScoreCurve(NAME, "score", "low_quality", "min_quality"),),
)
