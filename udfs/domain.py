"""Domain: which of eleven subjects a text belongs to, several at once where it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from pyspark.sql.types import (
    ArrayType,
    DoubleType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from udfs.artifact_files import ArtifactFile
from udfs.fasttext_model import FastTextModel
from udfs.scoring import Record, Scorer

LABELS = (
    "book",
    "dialogue",
    "education",
    "encyclopedia",
    "finance",
    "general",
    "law",
    "math",
    "medicine",
    "news",
    "technology",
)
GENERAL = "general"

MIN_PROBABILITY = 0.3

RESULT_TYPE = StructType(
    [
        StructField("single_label", StringType()),
        StructField("multi_label", ArrayType(StringType())),
        StructField("probabilities", MapType(StringType(), DoubleType())),
    ]
)


def score_domains(
    lines: Sequence[str], model: FastTextModel, min_probability: float = MIN_PROBABILITY
) -> list[Record]:
    """The domain labels of every token line.

    ``single_label`` is the most probable label, the first by name of several that are level.
    ``multi_label`` starts with it, so that no text is without a label, and goes on with every
    other label of at least ``min_probability``, in descending probability, then by name.
    ``probabilities`` holds all labels. An empty line is general, with probability 0 throughout.

    Source:
        ChineseWebText 2.0, section on domains (multi_label from 0.3 on).
    """
    rows = model.probabilities(lines).tolist()
    return [
        _record(dict(zip(model.labels, row, strict=True)), min_probability)
        if line
        else _record_of_nothing(model.labels)
        for line, row in zip(lines, rows, strict=True)
    ]


def domain_scorer(artifact: ArtifactFile, min_probability: float = MIN_PROBABILITY) -> Scorer:
    """The domain scorer over one model.

    Its result is struct(single_label string, multi_label array<string>,
    probabilities map<string, double>).
    """
    score = partial(score_domains, min_probability=min_probability)
    return Scorer("domain", artifact, RESULT_TYPE, score)


def labels_of(probabilities: Mapping[str, float], min_probability: float) -> list[str]:
    """The top label, then every other label of at least ``min_probability``.

    >>> labels_of({"news": 0.4, "law": 0.2, "finance": 0.4}, 0.3)
    ['finance', 'news']
    """
    ranked = sorted(probabilities, key=lambda label: (-probabilities[label], label))
    return ranked[:1] + [label for label in ranked[1:] if probabilities[label] >= min_probability]


def _record(probabilities: dict[str, float], min_probability: float) -> Record:
    labels = labels_of(probabilities, min_probability)
    return {"single_label": labels[0], "multi_label": labels, "probabilities": probabilities}


def _record_of_nothing(labels: Sequence[str]) -> Record:
    return {
        "single_label": GENERAL,
        "multi_label": [GENERAL],
        "probabilities": dict.fromkeys(labels, 0.0),
    }
