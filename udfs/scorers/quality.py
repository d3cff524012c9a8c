"""Quality: how much a text reads like one that a corpus should hold, by a fastText student."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from udfs.files.artifacts import ArtifactFile
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers.result_types import QUALITY_TYPE
from udfs.scorers.scoring import Record, Scorer
from udfs.tokens.shape_tokens import shape_tokens
from udfs.tokens.tokenizer import TokenizerSettings
from udfs.tokens.tokens import Tokens

CLEAN = "clean"
DIRTY = "dirty"

READING = TokenizerSettings(distinct=True, extra=shape_tokens)
"""How the bundled model wants its texts."""


def score_quality(
    lines: Sequence[str] | Tokens, model: FastTextModel, label: str = CLEAN
) -> list[Record]:
    """P(label) of every token line; 0.0 for an empty line, which holds nothing to keep.

    Source:
        ChineseWebText 1.0, FastText student of BERTEval.
    """
    clean = model.probabilities(lines)[:, model.column(label)].tolist()
    return [{"score": p if line else 0.0} for line, p in zip(lines, clean, strict=True)]


def quality_scorer(
    artifact: ArtifactFile, label: str = CLEAN, reading: TokenizerSettings | None = None
) -> Scorer:
    """The quality scorer over one model; its result is struct(score double in [0, 1])."""
    score = partial(score_quality, label=label)
    return Scorer("quality", artifact, QUALITY_TYPE, score, reading or TokenizerSettings())
