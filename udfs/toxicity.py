"""Toxicity: the probability that a text insults, or peddles gambling, pornography or fraud."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pyspark.sql.types import DoubleType, IntegerType, StructField, StructType

from udfs.artifact_files import ArtifactFile
from udfs.fasttext_model import FastTextModel
from udfs.scoring import Record, Scorer
from udfs.token_lines import Reading

TOXIC = "toxic"
BENIGN = "benign"

MIN_LABEL_SCORE = 0.99

RESULT_TYPE = StructType([StructField("label", IntegerType()), StructField("score", DoubleType())])


def score_toxicity(
    lines: Sequence[str],
    model: FastTextModel,
    min_label_score: float = MIN_LABEL_SCORE,
    label: str = TOXIC,
) -> list[Record]:
    """P(label) of every token line, and label 1 where it reaches ``min_label_score``.

    An empty line scores 0.0.

    Source:
        ChineseWebText 2.0, section on toxicity (label 1 from 0.99 on).
    """
    toxic = model.probabilities(lines)[:, model.column(label)].tolist()
    scores = [p if line else 0.0 for line, p in zip(lines, toxic, strict=True)]
    return [{"label": int(score >= min_label_score), "score": score} for score in scores]


def toxicity_scorer(
    artifact: ArtifactFile,
    min_label_score: float = MIN_LABEL_SCORE,
    label: str = TOXIC,
    reading: Reading | None = None,
) -> Scorer:
    """The toxicity scorer over one model; its result is struct(label int, score double)."""
    score = partial(score_toxicity, min_label_score=min_label_score, label=label)
    return Scorer("toxicity", artifact, RESULT_TYPE, score, reading or Reading())
